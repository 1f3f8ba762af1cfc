"""Names in pools."""

from __future__ import annotations

from typing import Any

from ringback.kernel.errors import Refused
from ringback.resources.messaging.alpha_sender import AlphaSender
from ringback.web.nouns import NounRules
from ringback.web.rest.context import Context
from ringback.web.rest.rules import normal


class AlphaSenderRules(NounRules):
    """A name is in a service once."""

    noun = AlphaSender

    async def fetch(self, ctx: Context, word: str) -> Any:
        """In the service of the path, not in another."""
        found = await super().fetch(ctx, word)
        return (
            found
            if found is not None and found.messaging_service_sid == normal(ctx.args["MessagingServiceSid"])
            else None
        )

    async def before_save(self, ctx: Context, before: Any) -> None:
        """It can send texts."""
        ctx.record.capabilities = ["SMS"]

    def conflict(self, ctx: Context) -> Refused:
        """It is there."""
        return Refused(21714, f"{ctx.record.alpha_sender} is already in the messaging service", 409)
