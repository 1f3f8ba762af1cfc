"""A running product whose calls, pairs and messages are written down by the test: what conversations say to them."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import ringback.app
from ringback.effects import Effect
from ringback.events import Event
from ringback.events.conversations import (
    CallWaits,
    ConversationFound,
    ConversationOpened,
    ConversationSought,
    ConversationWriteRequested,
    InboundTexted,
    MessageTold,
    WorkerJoined,
)
from ringback.events.messaging import MessageRequested
from ringback.resources.conversations.participant import Participant
from ringback.runtime.lane_kind import LaneKind, Wiring
from ringback.testing.world import World, world

CUSTOMER, OURS = "+15551230001", "+15550100"


class Heard:
    """What other lanes were told, in order."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def of(self, kind: type[Event]) -> list[Any]:
        """Those of one type."""
        return [each for each in self.events if isinstance(each, kind)]

    def handle(self, event: Any, now: float) -> Sequence[Effect]:
        """Write it down."""
        self.events.append(event)
        return ()


@contextmanager
def listening() -> Iterator[Heard]:
    """Products built meanwhile have these listeners in place of the other lanes."""
    heard, wire = Heard(), ringback.app.wire

    def wired(parts: Any) -> Wiring:
        wiring = wire(parts)
        call = wiring.kinds["call"]
        own = {ConversationFound: heard.handle, WorkerJoined: heard.handle}
        kinds = {
            **wiring.kinds,
            "call": dataclasses.replace(call, handlers={**call.handlers, **own}),
            "outgoing": LaneKind(handlers={MessageRequested: heard.handle}),
            "pair": LaneKind(handlers={InboundTexted: heard.handle, ConversationSought: heard.handle}),
        }
        strange = (MessageRequested, InboundTexted, ConversationSought)
        prepare = {kind: each for kind, each in wiring.prepare.items() if kind not in strange}
        return dataclasses.replace(wiring, kinds=kinds, prepare=prepare)

    with patch.object(ringback.app, "wire", wired):
        yield heard


class Threads:
    """Conversations of a running product."""

    def __init__(self, running: World, heard: Heard) -> None:
        self.world, self.heard = running, heard
        self.product, self.store = running.product, running.product.store
        self.account = running.product.account_sid
        self.service = ""

    async def open(self) -> Threads:
        """Know the default service."""
        fetched = await self.v1(lambda v1: v1.configuration().fetch())
        self.service = fetched.default_chat_service_sid
        return self

    async def v1(self, scene: Any) -> Any:
        """Ask with the official client."""
        return await asyncio.to_thread(scene, self.world.client.conversations.v1)

    async def delete(self, path: str) -> int:
        """DELETE below ``/v1``, with webhooks: the official client loses the header of deletes. Gives the code."""
        headers = {**self.world._headers(), "X-Twilio-Webhook-Enabled": "true"}
        url = f"{self.world.url}/conversations/v1/{path}"
        async with self.world._session.delete(url, headers=headers) as answer:
            return 0 if answer.status == 204 else int((await answer.json())["code"])

    def sid(self, prefix: str) -> str:
        """A new one."""
        return self.product.new_sid(prefix)

    def write(
        self, noun: Any, operation: Any, conversation: str, sid: str = "", **more: Any
    ) -> ConversationWriteRequested:
        """The event of a write; ``values`` and the like in ``more``."""
        prefix = {"Conversation": "CH", "Participant": "MB", "Message": "IM", "Webhook": "WH"}[noun]
        own = conversation if noun == "Conversation" else sid or self.sid(prefix)
        return ConversationWriteRequested(
            conversation_sid=conversation, account_sid=self.account, chat_service_sid=self.service, noun=noun,
            operation=operation, sid=own, **more,
        )  # fmt: skip

    async def made(self, *participants: dict[str, Any], **values: Any) -> str:
        """A new conversation with participants; its SID."""
        sid = self.sid("CH")
        people = [{"sid": self.sid("MB"), **each} for each in participants]
        await self.product.ask(
            self.write("Conversation", "create", sid, values={"participants": people, **values})
        )
        return sid

    async def said(self, conversation: str, body: str, **more: Any) -> Any:
        """A message, heard by everybody; its record."""
        source = more.pop("source", "API")
        values = {"body": body, **more}
        made = await self.product.ask(
            self.write("Message", "create", conversation, values=values, source=source)
        )
        await self.world.settled()  # what it asks of others is heard in turns of their own
        return made

    async def told(
        self, message: Any, participant: Participant, status: str, code: int | None = None
    ) -> None:
        """What a carrier says of a message, handled."""
        self.product.post(
            MessageTold(
                conversation_sid=message.conversation_sid, conversation_message_sid=message.sid,
                participant_sid=participant.sid, channel_message_sid="SM" + participant.sid[2:], status=status,
                error_code=code,
            )
        )  # fmt: skip
        await self.world.settled()

    async def opened(self, conversation: str, service: str = "", account: str = "") -> ConversationFound:
        """The answer to a worker's call that names a conversation."""
        self.product.post(
            ConversationOpened(
                conversation_sid=conversation, account_sid=account or self.account, call_sid="CA" + "1" * 32,
                request="r", chat_service_sid=service or self.service,
            )
        )  # fmt: skip
        await self.world.settled()
        found: ConversationFound = self.heard.of(ConversationFound)[-1]
        return found

    async def waits(self, conversation: str, call: str) -> None:
        """A call waits for a worker."""
        self.product.post(
            CallWaits(conversation_sid=conversation, account_sid=self.account, call_sid=call, request=call)
        )
        await self.world.settled()


@asynccontextmanager
async def threads(folder: Path, database_url: str = "") -> AsyncIterator[Threads]:
    """A running product."""
    with listening() as heard:
        async with world(folder, **({"database_url": database_url} if database_url else {})) as running:
            yield await Threads(running, heard).open()


def customer(address: str = CUSTOMER, ours: str = OURS) -> dict[str, str]:
    """Values of a participant with an address."""
    return {"address": address, "proxy_address": ours}
