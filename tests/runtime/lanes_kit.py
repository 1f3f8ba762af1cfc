"""A runtime with small lanes of its own over a store in memory: what the tests of messages run on."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from ringback.effects import Delete, Effect, ReleaseCall, Save
from ringback.effects.queues import MakeTask
from ringback.events import (
    DeadlineReached,
    DigitPressed,
    Event,
    HangUpRequested,
    TimerFired,
)
from ringback.events.queues import TaskCallChanged, TaskMade
from ringback.events.taskrouter import WorkspacesLoaded
from ringback.events.writes import WriteRequested
from ringback.kernel.lane import Lane
from ringback.resources.api.recording import Recording
from ringback.resources.telephony import TaskLeg
from ringback.runtime.lane_kind import LaneKind, Wiring
from ringback.runtime.runtime import Runtime
from ringback.runtime.stored import on
from ringback.runtime.virtual_clock import VirtualClock
from ringback.store import Message, MessageDone, MessageFailed

WORK = Lane("workspace", "WS1")
LEG = TaskLeg(workspace="WS1", task="WT1", role="customer")
UPDATE = WriteRequested(lane=Lane("call", "CA1"), noun="Call", operation="update", sid="CA1")


@dataclass
class Book:
    """A store: it takes a moment, may fail, and keeps rows of messages."""

    commits: list[list[Any]] = field(default_factory=list)
    rows: dict[str, Event] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    records: dict[str, Any] = field(default_factory=dict)
    errors: list[Exception] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    numbers: Any = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.gate.set()

    trouble = ""
    refusing = False

    def watch(self, told: Any) -> None:
        pass

    async def commit_or_keep(self, writes: Sequence[Any], kept: Any) -> list[Any] | None:
        return await self.commit(writes)

    def new_sid(self, prefix: str) -> str:
        return f"{prefix}{next(self.numbers):04d}"

    async def get(self, record: Any, sid: str) -> Any:
        await asyncio.sleep(0)
        return self.records.get(sid)

    def commit_soon(self, writes: Sequence[Any]) -> None:
        for write in writes:
            assert isinstance(write, MessageDone)
            assert self.rows.pop(write.sid, None) is not None, "a row is removed once"

    async def commit(self, writes: Sequence[Any]) -> list[Any]:
        await self.gate.wait()
        await asyncio.sleep(0)
        if self.errors:
            raise self.errors.pop(0)
        for write in writes:
            if isinstance(write, Message):
                self.rows[write.sid] = write.event
            elif isinstance(write, MessageDone):
                assert self.rows.pop(write.sid, None) is not None, "a row is removed once"
            elif isinstance(write, MessageFailed):
                self.failed[write.sid] = write.why
            elif isinstance(write, Save):
                self.records[getattr(write.record, "sid", str(write.record))] = write.record
            elif isinstance(write, Delete):
                del self.records[write.record.sid]
        self.commits.append([write.record for write in writes if isinstance(write, Save)])
        return []


class Site:
    """A runtime with calls that die with it, workspaces that do not, and recordings in the store."""

    def __init__(self, **handlers: Any) -> None:
        self.book, self.clock = Book(), VirtualClock(1000.0)
        self.performed: list[str] = []
        self.loads: list[float] = []
        self.ended: list[Lane] = []
        self.load_fails: list[Exception] = []

        async def revive(sid: str) -> Event | None:
            if self.load_fails:
                raise self.load_fails.pop(0)
            self.loads.append(self.clock.now() - 1000.0)
            return WorkspacesLoaded(workspace_sid=sid, records=())

        def nothing(event: Any, now: float) -> list[Effect]:
            return []

        self.runtime = Runtime(
            Wiring(
                kinds={
                    "call": LaneKind(
                        handlers={
                            DigitPressed: handlers.get("digit", nothing),
                            HangUpRequested: handlers.get("hang_up", nothing),
                            WriteRequested: handlers.get("update", nothing),
                            TaskMade: handlers.get("made", nothing),
                        },
                        crashed=lambda sid, now, error: [Save(f"crashed {sid}"), ReleaseCall(call_sid=sid)],
                        lives=False,
                    ),
                    "workspace": LaneKind(
                        handlers={
                            TaskCallChanged: handlers.get("changed", nothing),
                            TimerFired: handlers.get("tick", nothing),
                            WorkspacesLoaded: handlers.get("load", nothing),
                        },
                        revive=revive,
                    ),
                    "recording": LaneKind(
                        handlers={
                            DeadlineReached: on(Recording)(handlers.get("step", lambda r, e, n: (r, [])))
                        }
                    ),
                },
                prepare={},
                address={MakeTask: lambda effect: TaskMade(call_sid=effect.call_sid, request=effect.request)},
                perform={ReleaseCall: lambda effect: self.performed.append(effect.call_sid)},
                committed=lambda effects, owed, answers: None,
                ended=lambda lane, error: self.ended.append(lane),
            ),
            self.book,
            self.clock,
        )


def changed(about: str) -> TaskCallChanged:
    return TaskCallChanged(workspace_sid="WS1", about=about, leg=LEG, change="ended")


def press(digit: str, sid: str = "CA1") -> DigitPressed:
    return DigitPressed(call_sid=sid, digit=digit)
