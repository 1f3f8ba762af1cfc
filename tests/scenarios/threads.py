"""The lanes ``pair`` and ``conversation`` as a test plays them, and what all tests of conversation calls share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import ringback.app
from ringback import effects as fx
from ringback.events.conversations import (
    CallLeftConversation,
    ConversationFound,
    ConversationOpened,
    ConversationSought,
    ConversationWriteRequested,
    WorkerJoined,
)
from ringback.runtime.lane_kind import LaneKind, Wiring
from ringback.testing.world import Caller, World, world

SERVICE = "IS" + "a" * 32
OPEN = "CH" + "1" * 32
MADE = "CH" + "2" * 32
CUSTOMER = "+15551230001"
OURS = "+15550100"
AFTER = "<Response><Say>the session is over</Say><Hangup/></Response>"
TALKS = [{"wait": 1}, {"say": "Alice speaking"}, {"wait": 3}, {"hangup": True}]


class Threads:
    """What the conversations know and say."""

    def __init__(self) -> None:
        self.known: dict[str, Any] = {"conversation_sid": OPEN, "worker": "alice"}
        """The answer to who seeks."""
        self.silent = False
        """Nobody answers."""
        self.joins: str = ""
        """Who joins in the moment in which a conversation is made."""
        self.made: Callable[[], object] = lambda: None
        """Called when a conversation is made that has no worker."""
        self.sought: list[ConversationSought] = []
        self.opened: list[ConversationOpened] = []
        self.left: list[str] = []
        """Calls that wait no more."""
        self.waiting: list[str] = []

    def nobody_known(self, **more: Any) -> None:
        """The conversation is made, without a worker."""
        self.known = {"conversation_sid": MADE, "created": True, **more}

    def pair(self, event: ConversationSought, now: float) -> Sequence[fx.Effect]:
        self.sought.append(event)
        if self.known.get("created") and not event.autocreate:
            return self._found(event, {"result": "no-existing-conversation"})
        return self._found(
            event, {"customer": event.address, "proxy_address": event.proxy_address, **self.known}
        )

    def conversation(self, event: Any, now: float) -> Sequence[fx.Effect]:
        if isinstance(event, ConversationOpened):
            self.opened.append(event)
            return self._found(event, {"conversation_sid": event.conversation_sid, **self.known})
        if isinstance(event, CallLeftConversation):
            self.left.append(event.call_sid)
            if event.call_sid in self.waiting:
                self.waiting.remove(event.call_sid)
            return []
        assert isinstance(event, ConversationWriteRequested)  # a worker is added
        waiting, self.waiting = self.waiting, []
        return [
            fx.Post(
                WorkerJoined(call_sid=call, conversation_sid=event.conversation_sid, worker=event.identity)
            )
            for call in waiting
        ]

    def _found(self, event: Any, facts: dict[str, Any]) -> list[fx.Effect]:
        if self.silent:
            return []
        if facts.get("created") and not facts.get("worker"):
            if event.call_sid not in self.waiting:
                self.waiting.append(event.call_sid)
            self.made()
        joined = [
            fx.Post(WorkerJoined(call_sid=event.call_sid, conversation_sid=MADE, worker=self.joins))
        ] * bool(self.joins)
        found = fx.Post(ConversationFound(call_sid=event.call_sid, request=event.request, **facts))
        return [*joined, found]

    def joins_after(self, ringback: World, seconds: float, identity: str = "alice") -> None:
        """A worker is added that many virtual seconds after the conversation is made."""
        clock = ringback.product.clock
        self.made = lambda: clock.call_at(clock.now() + seconds, lambda: self.add_worker(ringback, identity))

    def add_worker(self, ringback: World, identity: str, sid: str = MADE) -> None:
        """Somebody adds a worker to the conversation."""
        ringback.product.post(
            ConversationWriteRequested(
                conversation_sid=sid, account_sid=ringback.product.account_sid, chat_service_sid=SERVICE,
                noun="Participant", operation="create", sid="MB" + "0" * 32, identity=identity,
            )
        )  # fmt: skip

    def wire(self, parts: Any) -> Wiring:
        """The product's wiring, with these lanes."""
        found = _wire(parts)
        kinds = {
            **found.kinds,
            "pair": LaneKind(handlers={ConversationSought: self.pair}),
            "conversation": LaneKind(
                handlers=dict.fromkeys(
                    (ConversationOpened, CallLeftConversation, ConversationWriteRequested), self.conversation
                )
            ),
        }
        return replace(found, kinds=kinds)


_wire = ringback.app.wire


@asynccontextmanager
async def talking(folder: Path, threads: Threads, **settings: Any) -> AsyncIterator[World]:
    """A running product whose conversations are ``threads``."""
    with patch("ringback.app.wire", threads.wire):
        async with world(folder, **settings) as running:
            yield running


async def alice(ringback: World, answers: str = "answer", after: float = 2.0, script: Any = TALKS) -> None:
    """How the worker's phone behaves."""
    await ringback.sim("PUT", "Numbers/client:alice", {"answers": answers, "after": after, "script": script})


def document(
    ringback: World, attributes: str = "", *, action: str = 'action="/after"', rest: str = ""
) -> None:
    """What the number's calls are told to do."""
    noun = f'<Conversation serviceInstanceSid="{SERVICE}" {attributes}/>'
    ringback.app("/voice", f"<Response><Connect {action}>{noun}</Connect>{rest}</Response>")


async def over(ringback: World, caller: Caller) -> dict[str, str]:
    """The call ends; the one action request."""
    await caller.ends()
    await ringback.settled()
    (asked,) = ringback.requests("/after")
    return asked


async def codes(ringback: World) -> set[str]:
    return {one["error_code"] for one in (await ringback.get("Notifications"))["notifications"]}


async def legs(ringback: World) -> list[dict[str, Any]]:
    """The dialled legs."""
    calls = (await ringback.get("Calls"))["calls"]
    return [one for one in calls if one["direction"] == "outbound-dial"]
