"""A conversation call, killed after each of its commits: it ends truthfully, and its conversation waits for nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from ringback.resources.api.alert import Alert
from ringback.resources.api.call import Call
from ringback.runtime.runtime import Runtime
from ringback.testing.world import World
from tests.scenarios.test_lost_messages import PATIENCE, Kills, undecided
from tests.scenarios.threads import OURS, SERVICE, TALKS, Threads, alice, talking

KINDS = ["known", "new", "unassigned", "unanswered", "impatient"]


class ThreadKills(Kills):
    """Kills that also remember who waited for a worker then: the double's memory is no part of the disk."""

    def __init__(self, threads: Threads, *rest: Any) -> None:
        super().__init__(*rest)
        self.threads = threads
        self.waited: list[list[str]] = []

    async def _copied(self, writes: Any, commit: Any) -> Any:
        owed = await super()._copied(writes, commit)
        self.waited.append(list(self.threads.waiting))
        return owed


@asynccontextmanager
async def desk(disk: Path, threads: Threads, kind: str) -> AsyncIterator[World]:
    """A product with a worker, and a number that connects its callers to them."""
    async with talking(disk, threads) as ringback:
        await ringback.number(OURS, voice="/voice")
        noun = (
            f'<Conversation serviceInstanceSid="{SERVICE}" inboundTimeout="20" statusCallback="/status" '
            'statusCallbackEvent="call-initiated call-ringing call-answered call-completed" '
            'record="record-from-ringing"/>'
        )
        ringback.app("/voice", f'<Response><Connect action="/after">{noun}</Connect></Response>')
        ringback.app("/after", "<Response/>")
        ringback.app("/status", "")
        await alice(ringback, "no-answer" if kind == "unanswered" else "answer", script=TALKS)
        if kind in ("new", "unassigned"):
            threads.nobody_known()
        if kind == "new":
            threads.joins_after(ringback, 2.0)
        yield ringback


async def after_a_restart(copy: Path, waited: list[str]) -> list[str]:
    """What is wrong an hour later."""
    threads = Threads()
    threads.waiting = list(waited)
    async with talking(copy, threads) as ringback:
        try:
            async with asyncio.timeout(PATIENCE):
                await ringback.settled()
                await ringback.advance(3600.0)
                await ringback.settled()
        except TimeoutError:
            return ["it never settles", *await undecided(ringback)]
        wrong = await undecided(ringback)
        wrong += [f"{call} waits for a worker" for call in threads.waiting]
        store = ringback.product.store
        told = [
            one.request_variables or "" for one in await store.find(Alert) if one.error_code == 32503
        ]  # the application of before is gone: what was owed could not be delivered, and is in the debugger
        for leg in await store.find(Call, direction="outbound-dial"):
            if leg.error_code == 15000 and not any(
                leg.sid in one and "Status=call-completed" in one for one in told
            ):
                wrong.append(f"nobody was to be told that {leg.sid} is over")
        return wrong


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rows", [False, True], ids=["joined", "rows"])
async def test_a_kill_after_any_commit(tmp_path: Path, kind: str, rows: bool) -> None:
    joins = Runtime._joins

    def or_never(self: Runtime, turn: Any, lane: Any, event: Any) -> bool:
        return not rows and joins(self, turn, lane, event)

    threads = Threads()
    with patch.object(Runtime, "_joins", or_never):
        async with desk(tmp_path / "before", threads, kind) as ringback:
            kills = ThreadKills(threads, ringback, tmp_path / "before", tmp_path)
            gives_up = [{"wait": 3}, {"hangup": True}]
            caller = await ringback.call(OURS, script=gives_up if kind == "impatient" else [{"wait": 90}])
            await caller.ends()
            await ringback.settled()
            assert await undecided(ringback) == []
            assert threads.waiting == []
    assert any(kills.waited) == (kind in ("new", "unassigned"))
    left = {
        copy.name: await after_a_restart(copy, waited)
        for copy, waited in zip(kills.copies, kills.waited, strict=True)
    }
    assert {name: what for name, what in left.items() if what} == {}, f"of {len(kills.copies)} kills"
