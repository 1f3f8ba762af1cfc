"""The configuration of an account's Conversations (conversations.md §1)."""

from __future__ import annotations

from collections.abc import Sequence

from ringback.resources.conversations.configuration import Configuration
from ringback.web.conversations.default_service import configuration_of
from ringback.web.nouns import NounRules
from ringback.web.rest.answer import Answer, json_answer
from ringback.web.rest.context import Context
from ringback.web.rest.rules import Extra


class ConfigurationRules(NounRules):
    """One record an account, at a path without a SID."""

    noun = Configuration

    @property
    def extras(self) -> Sequence[Extra]:
        """Its path."""
        return [Extra("/v1/Configuration", {"GET": "fetch"}, self.configuration)]

    async def configuration(self, ctx: Context) -> Answer:
        """GET /v1/Configuration."""
        found = await configuration_of(ctx.store, ctx.account.sid, self.ports.new_sid, ctx.now)
        place = self.noun.__noun__.places[0]
        body = {key: getattr(found, name) for key, name in (place.show or {}).items()}
        base = f"{ctx.services.settings.public_url}/conversations/v1/Configuration"
        return json_answer(
            200, body | {"url": base, "links": {"service": f"{base}/Service", "webhooks": f"{base}/Webhooks"}}
        )
