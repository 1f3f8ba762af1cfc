"""Applications: a fallback needs a primary URL."""

from __future__ import annotations

from typing import Any

from ringback.resources.api.application import Application
from ringback.web.nouns import NounRules
from ringback.web.nouns.api.incoming_phone_number import check_fallback
from ringback.web.rest.context import Context


class ApplicationRules(NounRules):
    """Checked like a number's URLs."""

    noun = Application

    async def before_save(self, ctx: Context, before: Any) -> None:
        """21405, 21406."""
        check_fallback(ctx.record)
