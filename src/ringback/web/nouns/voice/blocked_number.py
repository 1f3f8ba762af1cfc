"""Numbers that an account does not call: the table in memory is kept in step."""

from __future__ import annotations

from ringback.resources.voice.blocked_number import BlockedNumber
from ringback.web.nouns import NounRules
from ringback.web.rest.context import Context


class BlockedNumberRules(NounRules):
    """Followed by the dialling permissions (``outcomes/permissions.py``)."""

    noun = BlockedNumber

    def after_save(self, ctx: Context) -> None:
        """Tell the table."""
        self.ports.permissions.follow(ctx.record, gone=ctx.method == "DELETE")
