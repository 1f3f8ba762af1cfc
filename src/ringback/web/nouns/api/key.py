"""API keys: the secret is made here and shown once."""

from __future__ import annotations

from typing import Any

from ringback.resources.api.key import Key
from ringback.web.nouns import NounRules
from ringback.web.rest.context import Context


class KeyRules(NounRules):
    """Closed to keys themselves."""

    noun = Key
    manages = True

    async def before_save(self, ctx: Context, before: Any) -> None:
        """A new one gets its secret."""
        if before is None:
            ctx.record.secret = ctx.services.settings.make_secret()

    def after_save(self, ctx: Context) -> None:
        """What is known of keys is read again."""
        ctx.services.auth.forget()

    def decorate(self, ctx: Context, record: Any, body: dict[str, Any], *, created: bool) -> None:
        """The secret, this once."""
        if created:
            body["secret"] = record.secret
