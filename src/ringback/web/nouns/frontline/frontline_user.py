"""Frontline users: the users of Conversations services with other keys; written where those are stored."""

from __future__ import annotations

from typing import Any, Final

from ringback.effects import Save
from ringback.kernel.sid import is_sid
from ringback.resources.conversations.user import User
from ringback.resources.frontline.frontline_service import FrontlineService
from ringback.resources.frontline.frontline_user import FrontlineUser
from ringback.store import SaveIf, Stale
from ringback.web.nouns import NounRules
from ringback.web.rest.context import Context, Params
from ringback.web.rest.params import NOT_GIVEN, read_given
from ringback.web.rest.rules import normal

NAMESAKES: Final = 50
"""Services of an account in which the same identity is looked for."""
_SHARED: Final = ("identity", "friendly_name", "avatar", "state", "is_available")


class FrontlineUserRules(NounRules):
    """Found by SID or by identity."""

    noun = FrontlineUser

    async def fetch(self, ctx: Context, word: str) -> FrontlineUser | None:
        """The worker. An identity may be in several services of the account: one that has Frontline settings comes
        before others, then the newest user."""
        sid = normal(word)
        if not is_sid(sid, "US"):
            if not word or "\0" in word:
                return None
            named = await ctx.store.find(User, identity=word, account_sid=ctx.account.sid, limit=NAMESAKES)
            if len(named) > 1:
                services = {each.chat_service_sid for each in named}
                routed = await ctx.store.find(FrontlineService, sid=tuple(services), limit=NAMESAKES)
                known = {each.sid for each in routed}
                named.sort(key=lambda user: user.chat_service_sid not in known)
            if not named:
                return None
            sid = named[0].sid
        found = await ctx.store.get_versioned(User, sid, ctx.account.sid)
        if found is None:
            return None
        user, ctx.version = found
        return FrontlineUser(
            sid=user.sid, account_sid=user.account_sid, date_created=user.date_created,
            date_updated=user.date_updated, **{name: getattr(user, name) for name in _SHARED},
        )  # fmt: skip

    async def update(self, ctx: Context, params: Params) -> FrontlineUser:
        """Writes what is given into the user; everything else of them stays."""
        found = await ctx.store.get_versioned(User, ctx.record.sid, ctx.account.sid)
        before: FrontlineUser = ctx.record
        after = before.copy()
        for field in self.noun.__noun__.fields:
            value = read_given(field, params, getattr(before, field.name)) if field.update else NOT_GIVEN
            if value is not NOT_GIVEN:
                setattr(after, field.name, value)
        if found is None or ctx.version is None:
            raise Stale  # deleted since: looked for again, and not found
        user = found[0].copy()
        after.date_updated = max(ctx.now, before.date_updated + 1e-6)
        for name in (*_SHARED, "date_updated"):
            setattr(user, name, getattr(after, name))
        await self._commit(ctx, SaveIf(user, ctx.version), *self.told(ctx, "update", before, after))
        return after

    def told(self, ctx: Context, operation: Any, before: Any, after: Any) -> list[Save]:
        """A worker's own switch is traffic, not configuration: only what changes more is in the audit log."""
        if before is not None and after is not None:
            changed = {name for name in _SHARED if getattr(before, name) != getattr(after, name)}
            if changed <= {"is_available"}:
                return []
        return super().told(ctx, operation, before, after)
