"""Users: by SID or identity, with a role of their service (conversations.md §1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from ringback.effects import Effect
from ringback.events.conversations import ConversationWriteRequested
from ringback.kernel.errors import Refused
from ringback.kernel.resource import Operation
from ringback.resources.conversations.user import User
from ringback.store import Page, Query
from ringback.web.conversations.looked_up import webhook_settings
from ringback.web.conversations.memberships import of_identity
from ringback.web.conversations.service import configuration_of_service
from ringback.web.conversations.writing import ENABLED
from ringback.web.nouns import NounRules
from ringback.web.nouns.conversations.role import role_of
from ringback.web.rest.context import Context, Params

PIECE: Final = 100
"""Conversations that are looked up at a time when a user goes."""


class UserRules(NounRules):
    """An identity is in a service once."""

    noun = User
    audited = frozenset()
    asks = True
    """Whether the header that asks for webhooks is read, as in ``writing.py``."""

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
        """The role must be one of the service; who wants to be asked is. Raises ``Refused``."""
        user = ctx.record
        if not user.role_sid:
            given = await configuration_of_service(ctx.store, user.chat_service_sid)
            user.role_sid = given.default_chat_service_role_sid
        elif before is None or user.role_sid != before.role_sid:
            user.role_sid = (await role_of(ctx, user.role_sid, user.chat_service_sid, "service")).sid
        if before is not None and _hooked(ctx):
            names = ("friendly_name", "attributes", "role_sid", "chat_service_sid")
            await self.ports.pre_events.ask(
                "onUserUpdate", account_sid=ctx.account.sid, chat_service_sid=user.chat_service_sid,
                facts={name: getattr(user, name) for name in names}, record=before, subject=user.sid,
            )  # fmt: skip

    async def along(self, ctx: Context, operation: Operation, before: Any) -> Sequence[Effect]:
        """Post-event webhooks, when the request asks for them."""
        kind = {"create": "onUserAdded", "update": "onUserUpdated"}.get(operation)
        if kind is None or not _hooked(ctx):
            return ()
        settings = await webhook_settings(ctx.store, ctx.account.sid, ctx.record.chat_service_sid)
        return self.ports.user_told(kind, ctx.record, settings, self.ports.new_sid)

    async def delete(self, ctx: Context, params: Params) -> None:
        """They leave every conversation first, each in its own turn. Raises ``Refused``."""
        user, after, more = ctx.record, "", True
        while more:
            query = Query(limit=PIECE, after=after)
            found = await of_identity(ctx.store, user.chat_service_sid, user.identity, query)
            for participant, _ in found.found:
                await self.ports.ask(
                    ConversationWriteRequested(
                        conversation_sid=participant.conversation_sid, account_sid=user.account_sid,
                        chat_service_sid=user.chat_service_sid, noun="Participant", operation="delete",
                        sid=participant.sid, hooks=_hooked(ctx),
                    )
                )  # fmt: skip
                after = participant.conversation_sid
            more = found.more_after
        await super().delete(ctx, params)

    def lock(self, record: Any) -> str:
        """The same identity twice at once is one."""
        return f"user {record.chat_service_sid} {record.identity}"

    def conflict(self, ctx: Context) -> Refused:
        """409: the service has the identity."""
        return Refused(50201, "User already exists: the service has this identity", 409)


def _hooked(ctx: Context) -> bool:
    return ctx.headers.get(ENABLED, b"").strip().lower() == b"true"
