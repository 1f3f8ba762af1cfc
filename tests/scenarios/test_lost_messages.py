"""A whole journey, killed after each of its commits: whatever was on its way between lanes arrives after the restart.

The runtime lets an idle lane handle a message in the sender's transaction; here also with that switched off, so that
every message is a row and there is a moment between its two commits.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from ringback.events import Event, HangUpRequested
from ringback.events.queues import (
    QueueTaken,
    ReservationClaimed,
    TaskCallChanged,
    TaskCallRequested,
    TaskMade,
)
from ringback.events.taskrouter import ClaimRequested, TaskRequested
from ringback.resources.api.call import Call
from ringback.resources.taskrouter.reservation import Reservation
from ringback.resources.taskrouter.task import Task
from ringback.runtime.runtime import Runtime
from ringback.store import Message, MessageDone
from ringback.testing.world import World, world
from tests.scenarios.test_agents import AGENT, Office, says
from tests.scenarios.test_restart import copy_of_the_disk

OPEN_TASKS = ("pending", "reserved", "assigned")
OPEN_RESERVATIONS = ("pending", "accepted")
PATIENCE = 10.0
"""Real seconds for one restart, which takes a tenth of one: more is a call that nobody ends."""
ALWAYS: set[type[Event]] = {TaskRequested, TaskMade, TaskCallRequested, TaskCallChanged}
TRAVEL = {
    "dequeue": ALWAYS | {ClaimRequested, ReservationClaimed},
    "conference": ALWAYS | {QueueTaken},
    "impatient": ALWAYS | {HangUpRequested},
}
"""Journey → the messages that must have been rows, each at the moment of some kill."""


class Kills:
    """Copies of the disk, as a kill after each commit would leave it."""

    def __init__(self, ringback: World, disk: Path, into: Path) -> None:
        self.copies: list[Path] = []
        self.under_way: set[type[Event]] = set()
        """Types of the messages that were rows in a copy."""
        self._rows: dict[str, type[Event]] = {}
        self._disk, self._into = disk, into
        self._commit = ringback.product.store.commit
        self._one_by_one = asyncio.Lock()
        self._commit_or_keep = ringback.product.store.commit_or_keep
        ringback.product.store.commit = self._committed  # type: ignore[method-assign]
        ringback.product.store.commit_or_keep = self._or_kept  # type: ignore[method-assign]

    async def _committed(self, writes: Sequence[Any]) -> Any:
        return await self._copied(writes, self._commit(writes))

    async def _or_kept(self, writes: Sequence[Any], kept: Any) -> Any:
        return await self._copied(writes, self._commit_or_keep(writes, kept))

    async def _copied(self, writes: Sequence[Any], commit: Awaitable[Any]) -> Any:
        async with self._one_by_one:
            owed = await commit
            for write in writes:
                if isinstance(write, Message):
                    self._rows[write.sid] = type(write.event)
                elif isinstance(write, MessageDone):
                    del self._rows[write.sid]
            self.under_way.update(self._rows.values())
            self.copies.append(self._into / f"after{len(self.copies)}")
            copy_of_the_disk(self._disk, self.copies[-1])
        return owed


@asynccontextmanager
async def office(disk: Path, kind: str) -> AsyncIterator[World]:
    """A running product with an agent at a phone, and a number at which callers are enqueued."""
    async with world(disk) as ringback:
        instruction = {
            "instruction": "dequeue" if kind == "impatient" else kind,
            "end_conference_on_exit": True,
        }
        desk = await Office(ringback).open(assignment_callback_url=ringback.app("/assign", says(instruction)))
        await desk.hire("alice", AGENT)
        await ringback.number("+15550100", voice="/voice")
        ringback.app(
            "/voice",
            f'<Response><Enqueue workflowSid="{desk.workflow}" waitUrl=""><Task>{{}}</Task></Enqueue></Response>',
        )
        script = [{"wait": 2}, {"say": "Alice speaking"}, {"wait": 2}, {"hangup": True}]
        await ringback.sim("PUT", f"Numbers/{AGENT}", {"answers": "answer", "after": 5.0, "script": script})
        yield ringback


async def journey(ringback: World, kind: str) -> None:
    """Enqueued, offered, accepted, talked, over; or gone while the agent's phone rings."""
    if kind == "impatient":
        caller = await ringback.call("+15550100", script=[{"wait": 3}, {"hangup": True}])
        await caller.ends()
    else:
        caller = await ringback.call(
            "+15550100", script=[{"expect": "Alice speaking", "within": 60}, {"wait": 60}]
        )
        await caller.hears("Alice speaking", within=60)
    await ringback.settled()


async def undecided(ringback: World) -> list[str]:
    """What nobody would ever end."""
    store = ringback.product.store
    left = [f"call {one.status}" for one in await store.find(Call) if one.end_time is None]
    left += [f"task {one.assignment_status}" for one in await store.find(Task, assignment_status=OPEN_TASKS)]
    left += [
        f"reservation {one.reservation_status}"
        for one in await store.find(Reservation, reservation_status=OPEN_RESERVATIONS)
    ]
    left += [f"message {type(one.event).__name__}" for one in await store.messages()]
    left += [f"owed {type(one.what).__name__}" for one in await store.owed()]
    return left + ["a bug"] * ringback.product.runtime.mending.bugs


async def after_a_restart(copy: Path) -> list[str]:
    """What is still undecided an hour later. Phones are answered, and nobody hangs up: that is up to the product."""
    async with world(copy) as ringback:
        try:
            async with asyncio.timeout(PATIENCE):
                await ringback.settled()
                await ringback.advance(3600.0)
                await ringback.settled()
        except TimeoutError:
            return ["it never settles", *await undecided(ringback)]
        return await undecided(ringback)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", list(TRAVEL))
@pytest.mark.parametrize("rows", [False, True], ids=["joined", "rows"])
async def test_a_kill_after_any_commit_loses_nothing(tmp_path: Path, kind: str, rows: bool) -> None:
    joins = Runtime._joins

    def or_never(self: Runtime, turn: Any, lane: Any, event: Any) -> bool:
        return not rows and joins(self, turn, lane, event)

    with patch.object(Runtime, "_joins", or_never):
        async with office(tmp_path / "before", kind) as ringback:
            kills = Kills(ringback, tmp_path / "before", tmp_path)
            await journey(ringback, kind)
            assert await undecided(ringback) == []
    left = {copy.name: await after_a_restart(copy) for copy in kills.copies}
    assert {name: what for name, what in left.items() if what} == {}, f"of {len(kills.copies)} kills"
    if rows:
        assert TRAVEL[kind] <= kills.under_way
