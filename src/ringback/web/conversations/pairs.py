"""What is looked up, and asked, for a message or a call before its conversation is found or made (conversations.md
§1.1, §1.3): in the turn of the two addresses, so after what came before it."""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar

import msgspec
from msgspec import structs

from ringback.events import Event
from ringback.events.conversations import CallLeftConversation, ConversationSought, InboundTexted
from ringback.kernel.errors import Refused
from ringback.kernel.sid import is_sid
from ringback.numbers.address import WITHHELD, normal
from ringback.resources.conversations.address_configuration import AddressConfiguration
from ringback.resources.conversations.chat_service import ChatService
from ringback.resources.conversations.conversation import Conversation
from ringback.resources.conversations.participant import Participant, pair_of
from ringback.store import Store
from ringback.web.conversations.auto_creation import CHANGEABLE, scoped_webhook, service_of
from ringback.web.conversations.pre_events import PreEvents

BAD_SERVICE, GENERAL, NO_SERVICE = 32501, 32500, 50050
E = TypeVar("E", InboundTexted, ConversationSought)
REMEMBERED: Final = 1_000
"""Conversations whose making the next event of the same two addresses waits for."""


class PairFacts:
    """See the module."""

    def __init__(
        self,
        store: Store,
        pre_events: PreEvents,
        new_sid: Callable[[str], str],
        now: Callable[[], float],
        ask: Callable[[Event], Awaitable[Any]],
    ) -> None:
        """``ask``: hands an event to its lane, and waits until it is committed."""
        self._store, self._pre_events, self._new_sid, self._now = store, pre_events, new_sid, now
        self._ask = ask
        self._begun: OrderedDict[str, str] = OrderedDict()
        """Pair → the conversation that was begun for it and may not be in the store yet."""

    async def texted(self, event: InboundTexted) -> Event:
        """``thread``, ``service`` and ``changed`` (what the pre-event makes of the message): of the open conversation;
        else ``making``: how one is made (None: none is), and ``problem`` (code, text) when the address is configured
        for what is not there."""
        event = _normal(event)
        await self._made_before(event)
        holder = await self._holder(event)
        if holder is not None:
            return await self._joined(event, holder)
        made = await self._configured(event)
        if not made.get("enabled"):
            return structs.replace(event, known={"making": None})
        service = await self._service(event.account_sid, made.get("conversation_service_sid"))
        if service is None:
            text = (
                f"The service {made['conversation_service_sid']} of the address {event.proxy_address} is gone"
            )
            return structs.replace(event, known={"making": None, "problem": (NO_SERVICE, text)})
        message = {
            "message_body": event.body,
            "media": _media(event),
            "author_address": event.address,
        }
        try:
            values = await self._asked(event, service, _source(event), message)
        except Refused:  # by the application, on purpose: the number's own handler gets the message
            return structs.replace(event, known={"making": None})
        making = {"service": service, "values": values, "webhook": scoped_webhook(made)}
        return self._made(event, making)

    async def _joined(self, event: InboundTexted, holder: Participant) -> Event:
        """With the open conversation, once ``onMessageAdd`` was asked: what comes from outside always is (§1.4)."""
        thread, service = holder.conversation_sid, holder.chat_service_sid
        facts = {
            "conversation_sid": thread, "chat_service_sid": service, "body": event.body or None,
            "author": event.address, "participant_sid": holder.sid, "attributes": "{}", "media": _media(event),
        }  # fmt: skip
        try:
            changed = await self._pre_events.ask(
                "onMessageAdd", account_sid=event.account_sid, chat_service_sid=service, facts=facts,
                source=_source(event), subject=thread,
            )  # fmt: skip
        except Refused:  # by the application, on purpose: as when it refuses a conversation
            return structs.replace(event, known={"making": None})
        body = changed.pop("body", event.body)
        event = structs.replace(event, body=body if body or event.media else event.body)
        return _with_thread(event, holder, changed)

    async def texted_at_once(self, event: InboundTexted) -> Event | None:
        """The same in the turn that brings the message; None: it takes longer, for a conversation is to be made, or is
        being made, or the application is to be asked."""
        event = _normal(event)
        if pair_of(event.account_sid, event.address, event.proxy_address) in self._begun:
            return None
        holder = await self._holder(event)
        if holder is None:
            made = await self._configured(event)
            return None if made.get("enabled") else structs.replace(event, known={"making": None})
        if await self._pre_events.wanted("onMessageAdd", event.account_sid, holder.chat_service_sid):
            return None
        return _with_thread(event, holder, {})

    async def _configured(self, event: InboundTexted) -> Mapping[str, Any]:
        """How the address says that a conversation is made; empty: it says nothing."""
        configuration = await self._store.first(
            AddressConfiguration,
            account_sid=event.account_sid,
            key=f"{event.channel_type}|{event.proxy_address}",
        )
        return {} if configuration is None else configuration.auto_creation

    async def sought(self, event: ConversationSought) -> Event:
        """``problem``; or ``thread`` with ``worker`` (empty: none) and ``waited_for``; or ``making`` (None: none is to
        be made)."""
        event = _normal(event)
        await self._made_before(event)
        service = await self._service(event.account_sid, event.chat_service_sid or "-")
        if service is None:
            return structs.replace(event, known={"problem": await self._no_service(event)})
        event = structs.replace(event, chat_service_sid=service)
        # the next one who withholds their number is somebody else: never the same conversation
        holder = None if event.address == WITHHELD else await self._holder(event)
        if holder is not None and holder.chat_service_sid == service:
            return structs.replace(event, known=await self._thread(holder.conversation_sid))
        if not event.autocreate:
            return structs.replace(event, known={"making": None})
        if holder is not None:
            text = (
                f"{event.address} and {event.proxy_address} are in the open conversation {holder.conversation_sid} "
                f"of another service, {holder.chat_service_sid}"
            )
            return structs.replace(event, known={"problem": (GENERAL, text)})
        try:
            values = await self._asked(event, service, "VOICE", {})
        except Refused as refusal:
            return structs.replace(event, known={"problem": (GENERAL, refusal.message)})
        return self._made(event, {"service": service, "values": values})

    async def _made_before(self, event: InboundTexted | ConversationSought) -> None:
        """Wait for the conversation that the event before has begun: its lane answers once it is made, or refused."""
        pair = pair_of(event.account_sid, event.address, event.proxy_address)
        begun = self._begun.pop(pair, "")
        if begun:
            with contextlib.suppress(Refused):
                await self._ask(CallLeftConversation(conversation_sid=begun, call_sid=""))

    async def _holder(self, event: InboundTexted | ConversationSought) -> Participant | None:
        """The customer's participant in the open conversation of the two: one look into a unique index."""
        pair = pair_of(event.account_sid, event.address, event.proxy_address)
        return await self._store.first(Participant, pair=pair)

    def _made(self, event: InboundTexted | ConversationSought, making: dict[str, Any]) -> Event:
        """The event with how its conversation is made; the next one of the pair waits for it. (One process writes to a
        database, and two are kept apart by the unique key.)"""
        making["sid"] = sid = self._new_sid("CH")
        if event.address != WITHHELD:
            self._begun[pair_of(event.account_sid, event.address, event.proxy_address)] = sid
            if len(self._begun) > REMEMBERED:
                self._begun.popitem(last=False)
        return structs.replace(event, known={"making": making})

    async def _thread(self, sid: str) -> dict[str, Any]:
        conversation = await self._store.get(Conversation, sid)
        found = await self._store.few(Participant, conversation_sid=sid)
        workers = sorted(
            (each for each in found if each.identity), key=lambda each: (each.date_created, each.sid)
        )
        return {
            "thread": sid,
            "worker": workers[0].identity if workers else "",
            "waited_for": bool(conversation is not None and conversation.waiting_calls),
        }

    async def _service(self, account_sid: str, sid: str | None) -> str | None:
        return await service_of(self._store, account_sid, sid, self._new_sid, self._now())

    async def _no_service(self, event: ConversationSought) -> tuple[int, str]:
        """Code and text for a call. connect-conversation.md §2 (32501: it must name a service of this account) and §12
        no. 8 (``failed-create-conversation``: it is unknown to the store) are both true like this: what is no service
        at all, or is gone, matches no conversation, and the one that is to be made then cannot be; another account's,
        or one where none is to be made, is a bad attribute."""
        sid = event.chat_service_sid
        found = await self._store.get(ChatService, sid) if is_sid(sid, "IS") else None
        unknown = is_sid(sid, "IS") and (found is None or found.account_sid == event.account_sid)
        if unknown and event.autocreate:
            return GENERAL, f"No conversation could be made: there is no service {sid} (serviceInstanceSid)"
        return BAD_SERVICE, f"serviceInstanceSid: the account has no service {sid[:34] or '(none given)'}"

    async def _asked(
        self, event: InboundTexted | ConversationSought, service: str, source: str, more: Mapping[str, Any]
    ) -> dict[str, Any]:
        """What the pre-event makes of the new conversation. Raises ``Refused``."""
        facts = {
            "chat_service_sid": service,
            "state": "active",
            "attributes": "{}",
            "address": event.address,
            "proxy_address": event.proxy_address,
            **more,
        }
        changed = await self._pre_events.ask(
            "onConversationAdd", account_sid=event.account_sid, chat_service_sid=service, facts=facts,
            source=source, subject=service,
        )  # fmt: skip
        return {name: value for name, value in changed.items() if name in CHANGEABLE}


def _source(event: InboundTexted) -> str:
    return {"whatsapp": "WHATSAPP", "chat": "CHAT"}.get(event.channel_type, "SMS")


def _media(event: InboundTexted) -> list[Any] | None:
    return [msgspec.to_builtins(each) for each in event.media] or None


def _normal(event: E) -> E:
    """With both addresses in their normal form."""
    return structs.replace(event, address=normal(event.address), proxy_address=normal(event.proxy_address))


def _with_thread(event: InboundTexted, holder: Participant, changed: Mapping[str, Any]) -> InboundTexted:
    """With its open conversation, and with what the application has changed of it."""
    known = {
        "thread": holder.conversation_sid,
        "service": holder.chat_service_sid,
        "changed": {**changed, "participant_sid": holder.sid},
    }
    return structs.replace(event, known=known)
