"""A user's conversations: what they have read, whether it may disturb them, leaving (conversations.md §1)."""

from __future__ import annotations

from typing import Any

from ringback.events.conversations import ConversationWriteRequested
from ringback.kernel.errors import Refused
from ringback.kernel.sid import is_sid
from ringback.resources.conversations.conversation import Conversation
from ringback.resources.conversations.message import Message
from ringback.resources.conversations.participant import Participant
from ringback.resources.conversations.user import User
from ringback.resources.conversations.user_conversation import UserConversation
from ringback.store import Condition, Page, Query, Store
from ringback.web.conversations.memberships import Membership, of_identity
from ringback.web.nouns import NounRules
from ringback.web.rest.context import Context, Params
from ringback.web.rest.params import read_date
from ringback.web.rest.rules import normal

LEVELS = ("default", "muted")
_INDEX_DIGITS = 15


class UserConversationRules(NounRules):
    """Read from the participants; written by the conversation's own lane."""

    noun = UserConversation
    audited = frozenset()

    async def fetch(self, ctx: Context, word: str) -> UserConversation | None:
        """By the conversation's SID or unique name; None when the user is not in it."""
        user = await self._user(ctx)
        conversation = await _conversation(ctx, word)
        if conversation is None:
            return None
        participant = await ctx.store.first(
            Participant, identity=user.identity, conversation_sid=conversation.sid
        )
        if participant is None:
            return None
        return await _seen(ctx.store, Membership(participant, conversation), user)

    async def page(self, ctx: Context, query: Query) -> Page:
        """A part of the list."""
        user = await self._user(ctx)
        found = await of_identity(ctx.store, user.chat_service_sid, user.identity, query)
        return Page(
            [await _seen(ctx.store, one, user) for one in found.found], found.more_after, found.more_before
        )

    async def update(self, ctx: Context, params: Params) -> UserConversation:
        """Set what they have read, and the level. Raises ``Refused``."""
        values = _values(params, ctx.now)
        if values:
            await self._write(ctx, "update", values)
        found = await self.fetch(ctx, ctx.record.conversation_sid)
        if found is None:
            raise Refused(20404, f"The requested resource {ctx.path} was not found", 404)
        return found

    async def delete(self, ctx: Context, params: Params) -> None:
        """They leave the conversation. Raises ``Refused``."""
        await self._write(ctx, "delete", {})

    async def _write(self, ctx: Context, operation: Any, values: dict[str, Any]) -> None:
        record = ctx.record
        await self.ports.ask(
            ConversationWriteRequested(
                conversation_sid=record.conversation_sid, account_sid=ctx.account.sid,
                chat_service_sid=record.chat_service_sid, noun="Participant", operation=operation,
                sid=record.participant_sid, values=values,
            )
        )  # fmt: skip

    async def _user(self, ctx: Context) -> User:
        user = await ctx.store.get(User, ctx.args["UserSid"], ctx.account.sid)
        if user is None:
            raise Refused(20404, f"The requested resource {ctx.path} was not found", 404)
        return user


async def _conversation(ctx: Context, word: str) -> Conversation | None:
    service, sid = ctx.args["ChatServiceSid"], normal(word)
    if is_sid(sid, "CH"):
        found = await ctx.store.get(Conversation, sid, ctx.account.sid)
        if found is not None:
            return found if found.chat_service_sid == service else None
    if "\0" in word:
        return None
    return await ctx.store.first(Conversation, unique_name=word, chat_service_sid=service)


async def _seen(store: Store, one: Membership, user: User) -> UserConversation:
    participant, conversation = one
    read, unread = participant.last_read_message_index, None
    if read is not None:
        unread = 0
        if read + 1 < conversation.next_index:
            unread = await store.count(
                Message, Condition("index", ">", read), conversation_sid=conversation.sid
            )
    return UserConversation(
        sid=conversation.sid, account_sid=conversation.account_sid, date_created=conversation.date_created,
        date_updated=conversation.date_updated, chat_service_sid=conversation.chat_service_sid,
        conversation_sid=conversation.sid, unread_messages_count=unread, last_read_message_index=read,
        participant_sid=participant.sid, user_sid=user.sid, friendly_name=conversation.friendly_name,
        conversation_state=conversation.state, timers=conversation.timers, attributes=conversation.attributes,
        created_by=conversation.created_by, notification_level=participant.notification_level,
        unique_name=conversation.unique_name,
    )  # fmt: skip


def _values(params: Params, now: float) -> dict[str, Any]:
    """The participant's attributes that a form sets. Raises ``Refused``."""
    values: dict[str, Any] = {}
    level = params.get("NotificationLevel", [""])[-1]
    if level:
        if level not in LEVELS:
            raise Refused(20001, "Invalid NotificationLevel: must be default or muted", 400)
        values["notification_level"] = level
    if "LastReadMessageIndex" in params:
        text = params["LastReadMessageIndex"][-1]
        if text and not (text.isascii() and text.isdigit() and len(text) <= _INDEX_DIGITS):
            raise Refused(20001, "Invalid LastReadMessageIndex: must be a whole number", 400)
        values["last_read_message_index"] = int(text) if text else None
        values["last_read_timestamp"] = now if text else None
    text = params.get("LastReadTimestamp", [""])[-1]
    if text:
        try:
            values["last_read_timestamp"] = read_date(text)[0]
        except (ValueError, OverflowError) as error:
            raise Refused(20001, f"Invalid LastReadTimestamp: {error}", 400) from None
    return values
