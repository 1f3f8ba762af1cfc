"""Timers: live ones die with their call, deadlines survive a restart."""

from __future__ import annotations

from ringback.effects import ClearDeadline, ReleaseCall, SetDeadline, StartTimer, StopTimer
from ringback.events import DeadlineReached, Event, TimerFired
from ringback.kernel.lane import Lane
from ringback.runtime.timers import Timers
from ringback.runtime.virtual_clock import VirtualClock
from ringback.store import Store

CA1, CA2 = Lane("call", "CA1"), Lane("call", "CA2")


def timer(name: str, seconds: float, call_sid: str = "CA1") -> StartTimer:
    return StartTimer(lane=Lane("call", call_sid), name=name, seconds=seconds, pulls=False)


async def test_the_same_name_replaces_and_stopping_forgets() -> None:
    clock, posted = VirtualClock(0.0), list[Event]()
    timers = Timers(clock, posted.append)
    timers.start(timer("a", 5))
    timers.start(timer("a", 10))
    timers.start(timer("b", 7))
    timers.stop(StopTimer(lane=CA1, name="b"))
    timers.stop(StopTimer(lane=CA1, name="never"))
    await clock.advance(9)
    assert posted == []
    await clock.advance(1)
    assert posted == [TimerFired(lane=CA1, name="a")]
    assert len(timers) == 0
    clock.close()


async def test_releasing_a_call_forgets_its_timers_alone() -> None:
    clock, posted = VirtualClock(0.0), list[Event]()
    timers = Timers(clock, posted.append)
    timers.start(timer("a", 5))
    timers.start(timer("a", 5, "CA2"))
    timers.release(ReleaseCall(call_sid="CA1"))
    await clock.advance(10)
    assert posted == [TimerFired(lane=CA2, name="a")]
    clock.close()


async def test_a_deadline_is_kept_and_comes_after_a_restart(store: Store) -> None:
    kept = SetDeadline(lane=CA1, name="queue", at=100.0)
    gone = SetDeadline(lane=CA2, name="queue", at=50.0)
    await store.commit([kept, gone])
    await store.commit(
        [
            SetDeadline(lane=CA1, name="queue", at=120.0),
            ClearDeadline(lane=CA2, name="queue"),
        ]
    )
    clock, posted = VirtualClock(0.0), list[Event]()
    timers = Timers(clock, posted.append)
    timers.resume(await store.deadlines())
    await clock.advance(119)
    assert posted == []
    await clock.advance(2)
    assert posted == [DeadlineReached(lane=CA1, name="queue")]
    assert await store.deadlines() == [(CA1, "queue", 120.0)], "the handler's own commit clears the row"
    clock.close()


async def test_commits_arm_and_disarm() -> None:
    clock, posted = VirtualClock(0.0), list[Event]()
    timers = Timers(clock, posted.append)
    timers.follow(
        [
            SetDeadline(lane=CA1, name="x", at=10.0),
            SetDeadline(lane=CA1, name="y", at=10.0),
        ]
    )
    timers.follow(
        [
            ClearDeadline(lane=CA1, name="x"),
            ClearDeadline(lane=CA1, name="unknown"),
        ]
    )
    await clock.advance(20)
    assert posted == [DeadlineReached(lane=CA1, name="y")]
    clock.close()
