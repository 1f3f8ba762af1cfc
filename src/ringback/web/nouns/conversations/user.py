"""Users: by SID or identity, with a role of their service (conversations.md §1)."""

from __future__ import annotations

from typing import Any

from ringback.kernel.errors import Refused
from ringback.resources.conversations.user import User
from ringback.store import Page, Query
from ringback.web.conversations.service import configuration_of_service
from ringback.web.nouns import NounRules
from ringback.web.nouns.conversations.role import role_of
from ringback.web.rest.context import Context


class UserRules(NounRules):
    """An identity is in a service once."""

    noun = User
    audited = frozenset()

    async def fetch(self, ctx: Context, word: str) -> User | None:
        """By SID or identity."""
        user: User | None = await super().fetch(ctx, word)
        if user is not None and user.chat_service_sid == ctx.args.get("ChatServiceSid"):
            await self._reachable(ctx, [user])
        return user

    async def page(self, ctx: Context, query: Query) -> Page:
        """A part of the list."""
        found = await super().page(ctx, query)
        await self._reachable(ctx, found.records)
        return found

    async def _reachable(self, ctx: Context, users: list[User]) -> None:
        """Null where nobody asks who is online; else who was never seen is not."""
        given = await configuration_of_service(ctx.store, ctx.args["ChatServiceSid"])
        for user in users:
            if not given.reachability_enabled:
                user.is_online = user.is_notifiable = None
            else:
                user.is_online, user.is_notifiable = bool(user.is_online), bool(user.is_notifiable)

    async def before_save(self, ctx: Context, before: Any) -> None:
        """The role must be one of the service. Raises ``Refused``."""
        user = ctx.record
        if not user.role_sid:
            given = await configuration_of_service(ctx.store, user.chat_service_sid)
            user.role_sid = given.default_chat_service_role_sid
        elif before is None or user.role_sid != before.role_sid:
            user.role_sid = (await role_of(ctx, user.role_sid, user.chat_service_sid, "service")).sid

    def lock(self, record: Any) -> str:
        """The same identity twice at once is one."""
        return f"user {record.chat_service_sid} {record.identity}"

    def conflict(self, ctx: Context) -> Refused:
        """409: the service has the identity."""
        return Refused(50201, "User already exists: the service has this identity", 409)
