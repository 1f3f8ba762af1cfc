"""Special prefixes that an account added: the table in memory is kept in step."""

from __future__ import annotations

from ringback.resources.voice.high_risk_prefix import HighRiskPrefix
from ringback.web.nouns import NounRules
from ringback.web.rest.context import Context


class HighRiskPrefixRules(NounRules):
    """Followed by the dialling permissions (``outcomes/permissions.py``)."""

    noun = HighRiskPrefix

    def after_save(self, ctx: Context) -> None:
        """Tell the table."""
        self.ports.permissions.follow(ctx.record, gone=ctx.method == "DELETE")
