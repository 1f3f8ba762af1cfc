"""What is read before an event of a conversation is handled, in the conversation's own turn: its ``known``.

``participants``, ``webhooks`` and ``settings`` (who hears of it); ``target`` (the message that is changed),
``receipts`` (of it), ``copy`` (the same carrier message, stored before), ``messages`` (a piece of them); ``taken``
(pair → participant of another conversation), ``users`` (identities that have a user), ``named`` (the conversation of
a unique name), ``roles`` (the service's defaults), ``given_roles`` (those of the service among what is asked for),
``rights`` (what an identity may do), ``timers`` and ``messaging_service_sid`` (the account's defaults).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from msgspec import structs

from ringback.events import Event
from ringback.events.conversations import (
    CallWaits,
    ConversationDue,
    ConversationEmptied,
    ConversationEvent,
    ConversationOpened,
    ConversationWriteRequested,
    MessageTold,
    ReplayRequested,
)
from ringback.resources.conversations.configuration import Configuration
from ringback.resources.conversations.conversation import Conversation
from ringback.resources.conversations.message import Message, Receipt
from ringback.resources.conversations.participant import Participant, pair_of, wanted_pair
from ringback.resources.conversations.role import Role
from ringback.resources.conversations.service_configuration import ServiceConfiguration, configuration_sid
from ringback.resources.conversations.user import User
from ringback.resources.conversations.webhook import Webhook, WebhookSettings
from ringback.store import Condition, Query, Store

PIECE = 100
"""Messages that are removed, or replayed, in one commit."""


async def webhook_settings(store: Store, account_sid: str, chat_service_sid: str) -> list[WebhookSettings]:
    """The webhooks of an account and of a service, as far as there are any."""
    owners = tuple(each for each in (account_sid, chat_service_sid) if each)
    return sorted(await store.few(WebhookSettings, owner=owners), key=lambda each: owners.index(each.owner))


class LookUps:
    """The look-ups of the lane ``conversation``."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.prepare: dict[type[Event], Callable[[Any], Awaitable[Event]]] = {
            ConversationWriteRequested: self.write,
            MessageTold: self.told,
            ConversationDue: self.due,
            ConversationEmptied: self.emptied,
            ReplayRequested: self.replay,
            ConversationOpened: self.people,
            CallWaits: self.people,
        }
        """Event → its look-up (wiring.py)."""

    async def write(self, event: ConversationWriteRequested) -> ConversationWriteRequested:
        """Everything that a write may need."""
        known: dict[str, Any] = {}
        sid, noun, operation = event.conversation_sid, event.noun, event.operation
        if event.hooks or event.source != "API":
            known["settings"] = await webhook_settings(self._store, event.account_sid, event.chat_service_sid)
        made = (noun, operation) == ("Conversation", "create")
        if not made:
            known["participants"] = await self._participants(sid)
            known["webhooks"] = await self._webhooks(sid)
        if noun == "Conversation" and operation != "delete":
            known |= await self._named(event)
        if made:
            known |= await self._defaults(event.account_sid)
            known |= await self._people_of(event, event.values.get("participants") or ())
        elif noun == "Participant" and operation != "delete":
            values = event.values
            own = next((each for each in known["participants"] if each.sid == event.sid), None)
            if own is not None:
                values = (own.messaging_binding or {}) | values
            known |= await self._people_of(event, (values,))
        elif noun == "Message":
            known |= await self._of_message(event)
        if event.identity:
            known["rights"] = await self._rights(event, known.get("participants", ()))
        return structs.replace(event, known=known)

    async def text(self, event: ConversationWriteRequested) -> ConversationWriteRequested | None:
        """The same for a message from outside, in the turn that brings it: nothing that it needs was written there."""
        if (event.noun, event.operation) != ("Message", "create") or event.source == "API":
            return None
        return await self.write(event)

    async def _rights(
        self, event: ConversationWriteRequested, participants: Iterable[Participant]
    ) -> dict[str, list[str]]:
        """What an identity may do by their roles: as a participant, and as a user."""
        user = await self._store.first(User, identity=event.identity, chat_service_sid=event.chat_service_sid)
        own = next((each for each in participants if each.identity == event.identity), None)
        found: dict[str, list[str]] = {}
        everywhere = user.role_sid if user is not None else (await self._roles(event)).get("user")
        for kind, sid in (("conversation", own and own.role_sid), ("service", everywhere)):
            role = await self._store.get(Role, sid, event.account_sid) if sid else None
            if role is not None and role.type == kind and role.chat_service_sid == event.chat_service_sid:
                found[kind] = role.permissions
        return found

    async def told(self, event: MessageTold) -> MessageTold:
        """The message and its receipts."""
        known = await self._listening(event)
        known["target"] = await self._store.get(Message, event.conversation_message_sid)
        known["receipts"] = await self._store.few(Receipt, message_sid=event.conversation_message_sid)
        return structs.replace(event, known=known)

    async def due(self, event: ConversationDue) -> ConversationDue:
        """Whose addresses are let go when it closes, and who hears of it."""
        known = await self._listening(event)
        return structs.replace(
            event, known=known | {"participants": await self._participants(event.conversation_sid)}
        )

    async def people(self, event: Any) -> Any:
        """The participants."""
        return structs.replace(
            event, known={"participants": await self._participants(event.conversation_sid)}
        )

    async def emptied(self, event: ConversationEmptied) -> ConversationEmptied:
        """A piece of the messages that are left, with their receipts."""
        messages = await self._messages(event.conversation_sid, -1)
        sids = tuple(each.sid for each in messages)
        receipts = await self._store.find(Receipt, message_sid=sids, limit=100_000) if sids else []
        return structs.replace(event, known={"messages": messages, "receipts": receipts})

    async def replay(self, event: ReplayRequested) -> ReplayRequested:
        """A piece of the messages after an index."""
        messages = await self._messages(event.conversation_sid, event.after)
        webhooks = await self._webhooks(event.conversation_sid)
        return structs.replace(event, known={"messages": messages, "webhooks": webhooks})

    async def _listening(self, event: ConversationEvent) -> dict[str, Any]:
        found = await self._store.get(Conversation, event.conversation_sid)
        if found is None:
            return {}
        settings = await webhook_settings(self._store, found.account_sid, found.chat_service_sid)
        return {"settings": settings, "webhooks": await self._webhooks(event.conversation_sid)}

    async def _participants(self, sid: str) -> list[Participant]:
        found = await self._store.few(Participant, conversation_sid=sid)
        return sorted(found, key=lambda each: (each.date_created, each.sid))

    async def _webhooks(self, sid: str) -> list[Webhook]:
        return (await self._store.few(Webhook, conversation_sid=sid))[::-1]

    async def _messages(self, sid: str, after: int) -> list[Message]:
        conditions = [Condition("conversation_sid", "=", sid), Condition("index", ">", after)]
        query = Query(conditions=conditions, order="index", ascending=True, limit=PIECE)
        return (await self._store.page(Message, query)).records

    async def _named(self, event: ConversationWriteRequested) -> dict[str, Any]:
        name = event.values.get("unique_name")
        if not isinstance(name, str) or not name:
            return {}
        service = event.chat_service_sid
        return {"named": await self._store.first(Conversation, unique_name=name, chat_service_sid=service)}

    async def _defaults(self, account_sid: str) -> dict[str, Any]:
        found = await self._store.first(Configuration, owner=account_sid)
        if found is None:
            return {}
        return {
            "timers": {"inactive": found.default_inactive_timer, "closed": found.default_closed_timer},
            "messaging_service_sid": found.default_messaging_service_sid,
        }

    async def _people_of(
        self, event: ConversationWriteRequested, wanted: Iterable[Mapping[str, Any]]
    ) -> dict[str, Any]:
        """Which of the pairs are taken, which of the identities have a user, and the roles they get."""
        taken: dict[str, Participant] = {}
        users: set[str] = set()
        given: set[str] = set()
        wanted = list(wanted)
        for values in wanted:
            pair = wanted_pair(event.account_sid, values)
            if not pair and values.get("address"):
                pair = await self._projected(event, str(values["address"]).strip(), wanted)
            holder = await self._store.first(Participant, pair=pair) if pair else None
            if holder is not None:
                taken[pair] = holder
            identity = values.get("identity")
            if isinstance(identity, str) and identity:
                service = event.chat_service_sid
                if await self._store.first(User, identity=identity, chat_service_sid=service) is not None:
                    users.add(identity)
            sid = str(values.get("role_sid") or "")
            role = await self._store.get(Role, "RL" + sid[2:].lower(), event.account_sid) if sid else None
            if role and (role.type, role.chat_service_sid) == ("conversation", event.chat_service_sid):
                given.add(role.sid)
        return {"taken": taken, "users": users, "given_roles": given, "roles": await self._roles(event)}

    async def _roles(self, event: ConversationWriteRequested) -> dict[str, str]:
        """The roles that the service gives to whom nobody gives another."""
        found = await self._store.get(ServiceConfiguration, configuration_sid(event.chat_service_sid))
        if found is None:
            return {}
        return {
            "creator": found.default_conversation_creator_role_sid,
            "participant": found.default_conversation_role_sid,
            "user": found.default_chat_service_role_sid,
        }

    async def _projected(
        self, event: ConversationWriteRequested, address: str, wanted: Iterable[Mapping[str, Any]]
    ) -> str:
        """Of somebody in a group text: the pair with the address that they all write to."""
        there = await self._participants(event.conversation_sid)
        for binding in (*(each.messaging_binding or {} for each in there), *wanted):
            projected = binding.get("projected_address")
            if projected:
                return pair_of(event.account_sid, address, str(projected).strip())
        return ""

    async def _of_message(self, event: ConversationWriteRequested) -> dict[str, Any]:
        if event.operation != "create":
            receipts = (
                await self._store.find(Receipt, message_sid=event.sid) if event.operation == "delete" else []
            )
            return {
                "target": await self._store.get(Message, event.sid, event.account_sid),
                "receipts": receipts,
            }
        key = event.values.get("carrier_key")
        if key:
            return {"copy": await self._store.first(Message, carrier_key=key)}
        return {"copy": await self._store.get(Message, event.sid)}
