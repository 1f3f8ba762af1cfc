"""What a customer writes in a browser: asked of the pre-event webhooks, then written by the conversation's own lane."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from ringback.events import Event
from ringback.events.conversations import ConversationWriteRequested
from ringback.kernel.errors import Refused
from ringback.resources.conversations.conversation import Conversation
from ringback.resources.conversations.message import Message
from ringback.resources.mcs.media_file import MediaFile
from ringback.store import Conflict, Store
from ringback.web.conversations.pre_events import PreEvents
from ringback.web.conversations.writing import TRIES
from ringback.web.grant import Visitor
from ringback.web.mcs.media_store import MediaStore
from ringback.web.webchat.pace import Pace

LONGEST_ID: Final = 64
WRITES: Final = (60, 20)
"""Messages of one customer a minute, and at once."""
OF_ACCOUNT: Final = (6000, 600)


class Writing:
    """See the module."""

    def __init__(
        self,
        *,
        store: Store,
        ask: Callable[[Event], Awaitable[Any]],
        pre_events: PreEvents,
        media: MediaStore,
        new_sid: Callable[[str], str],
        now: Callable[[], float],
    ) -> None:
        self._store, self._ask, self._pre_events = store, ask, pre_events
        self._media, self._new_sid = media, new_sid
        self._pace, self._account_pace = Pace(*WRITES, now), Pace(*OF_ACCOUNT, now)

    async def write(
        self, visitor: Visitor, conversation: Conversation, params: Mapping[str, str]
    ) -> tuple[Message, bool]:
        """The message, and whether it is a new one. Raises ``Refused``."""
        key = _key(visitor, conversation, params.get("ClientId", ""))
        if key is not None:
            before = await self._store.first(Message, carrier_key=key)
            if before is not None:
                return before, False
        if conversation.state == "closed":
            raise Refused(50377, "The conversation is closed, so nobody can write to it", 400)
        if not (
            self._pace.take(f"{visitor.account_sid}|{visitor.identity}")
            and self._account_pace.take(visitor.account_sid)
        ):
            raise Refused(45719, "Too many messages; try again in a moment", 429)
        sid = self._new_sid("IM")
        values = await self._values(visitor, conversation, params)
        values |= await self._pre_events.ask(
            "onMessageAdd", account_sid=visitor.account_sid, chat_service_sid=conversation.chat_service_sid,
            facts={"chat_service_sid": conversation.chat_service_sid, "conversation_sid": conversation.sid, **values},
            source="SDK", identity=visitor.identity, subject=conversation.sid,
        )  # fmt: skip
        event = ConversationWriteRequested(
            conversation_sid=conversation.sid, account_sid=visitor.account_sid,
            chat_service_sid=conversation.chat_service_sid, noun="Message", operation="create", sid=sid,
            values=values | ({} if key is None else {"carrier_key": key}), source="SDK", identity=visitor.identity,
        )  # fmt: skip
        for _ in range(TRIES):
            try:
                message: Message = await self._ask(event)
            except Conflict:  # another process has written the same id: the next look-up finds it
                continue
            return message, message.sid == sid
        raise Refused(20409, "Others write the same at the same time; try again", 409)

    async def _values(
        self, visitor: Visitor, conversation: Conversation, params: Mapping[str, str]
    ) -> dict[str, Any]:
        values: dict[str, Any] = {"author": visitor.identity, "body": params.get("Body") or None}
        sid = params.get("MediaSid", "").strip()
        if sid:
            values["media"] = await self._media.find(
                visitor.account_sid, conversation.chat_service_sid, [sid]
            )
            file = await self._store.get(MediaFile, values["media"][0]["sid"], visitor.account_sid)
            if file is None or file.author != visitor.identity:  # somebody else's upload
                raise Refused(20404, f"The media {sid[:34]} was not found", 404)
        return values


def _key(visitor: Visitor, conversation: Conversation, client_id: str) -> str | None:
    """What stands for the page's own id of a message; None: it gave none. Raises ``Refused``."""
    if not client_id:
        return None
    if len(client_id) > LONGEST_ID:
        raise Refused(20001, f"Invalid ClientId: must have at most {LONGEST_ID} characters", 400)
    words = "\0".join((conversation.sid, visitor.identity, client_id))
    return "webchat|" + hashlib.sha256(words.encode(errors="replace")).hexdigest()
