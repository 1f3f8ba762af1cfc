"""Both clocks: alarms, holds, and when the virtual one moves."""

from __future__ import annotations

import asyncio
import gc
import time
import weakref

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.kernel.clock import Clock
from ringback.runtime.real_clock import RealClock
from ringback.runtime.virtual_clock import VirtualClock


async def turns(number: int = 40) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def test_real_alarm_goes_off_and_can_be_cancelled() -> None:
    clock: Clock = RealClock()
    seen: list[str] = []
    done = asyncio.Event()
    clock.call_at(clock.now() + 0.02, done.set)
    clock.call_at(clock.now() + 0.01, lambda: seen.append("cancelled")).cancel()
    clock.call_at(clock.now() - 5, lambda: seen.append("past"))
    clock.hold().release()
    await asyncio.wait_for(done.wait(), 5)
    assert seen == ["past"]
    before = time.time()
    assert before <= clock.now() <= time.time()


async def test_starts_at_the_real_now_and_stands_still() -> None:
    earliest = time.time()
    clock: Clock = VirtualClock()
    before = clock.now()
    assert earliest <= before <= time.time()
    await turns()
    assert clock.now() == before


async def test_moves_by_itself_to_what_pulls_and_only_there() -> None:
    clock = VirtualClock(1000)
    seen: list[tuple[str, float]] = []
    clock.call_at(1010, lambda: seen.append(("limit on the way", clock.now())), pulls=False)
    clock.call_at(1020, lambda: seen.append(("step", clock.now())))
    clock.call_at(1030, lambda: seen.append(("expiry", clock.now())), pulls=False)
    await turns()
    assert seen == [("limit on the way", 1010), ("step", 1020)]
    assert clock.now() == 1020
    assert clock.pending == 1


async def test_a_cancelled_pulling_alarm_pulls_no_more() -> None:
    clock = VirtualClock(1000)
    clock.call_at(1020, lambda: None).cancel()
    alarm = clock.call_at(1030, lambda: None)
    alarm.cancel()
    alarm.cancel()
    await turns()
    assert clock.now() == 1000
    assert clock.pending == 0


async def test_a_hold_keeps_it_still_until_every_hold_is_released() -> None:
    clock = VirtualClock(1000)
    first, second = clock.hold(), clock.hold()
    clock.call_at(1001, lambda: None)
    await turns()
    assert clock.now() == 1000
    first.release()
    first.release()
    await turns()
    assert (clock.now(), clock.holds) == (1000, 1)
    second.release()
    await turns()
    assert clock.now() == 1001


async def test_what_a_release_sets_free_is_done_before_time_moves() -> None:
    clock = VirtualClock(1000)
    answered: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    seen: list[float] = []

    async def reader() -> str:
        return await asyncio.wait_for(answered, None)

    async def request() -> None:
        await asyncio.gather(asyncio.create_task(reader()))
        seen.append(clock.now())

    task = asyncio.create_task(request())
    clock.call_at(1060, lambda: seen.append(clock.now()))
    hold = clock.hold()
    await turns()
    answered.set_result("x")
    hold.release()
    await turns()
    await task
    assert seen == [1000, 1060]


async def test_a_past_alarm_goes_off_even_while_held() -> None:
    clock = VirtualClock(1000)
    seen: list[str] = []
    with clock.hold():
        clock.call_at(900, lambda: seen.append("past"), pulls=False)
        clock.call_at(1000, lambda: seen.append("cancelled")).cancel()
        clock.call_at(1000, lambda: seen.append("now"))
        await turns(2)
        assert seen == ["past", "now"]
    assert clock.now() == 1000


async def test_alarms_set_before_a_loop_runs() -> None:
    clock = await asyncio.to_thread(VirtualClock, 1000.0)
    seen: list[float] = []
    await asyncio.to_thread(lambda: clock.call_at(999, lambda: seen.append(clock.now()), pulls=False))
    await asyncio.to_thread(lambda: clock.call_at(1005, lambda: seen.append(clock.now())))
    await turns()
    assert seen == []
    clock.hold().release()
    await turns()
    assert seen == [1000, 1005]


async def test_advance_passes_everything_on_the_way_in_order() -> None:
    clock = VirtualClock(1000)
    seen: list[float] = []

    async def next_day() -> None:
        await turns(3)
        clock.call_at(1900, lambda: seen.append(clock.now()), pulls=False)

    tasks: list[asyncio.Task[None]] = []

    def first() -> None:
        seen.append(clock.now())
        tasks.append(asyncio.create_task(next_day()))

    clock.call_at(1800, first, pulls=False)
    clock.call_at(2000, lambda: seen.append(clock.now()), pulls=False)
    clock.call_at(87_401, lambda: seen.append(clock.now()), pulls=False)
    await clock.advance(86_400)
    assert seen == [1800, 1900, 2000]
    assert clock.now() == 87_400
    await clock.advance(0)
    assert clock.now() == 87_400


async def test_advance_waits_for_holds_and_two_may_run() -> None:
    clock = VirtualClock(1000)
    hold = clock.hold()
    both = asyncio.gather(clock.advance(10), clock.advance(5))
    await turns()
    assert clock.now() == 1000
    hold.release()
    await both
    assert clock.now() == 1010


@pytest.mark.parametrize("seconds", [-1, float("inf"), float("nan")])
async def test_advance_refuses_nonsense(seconds: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        await VirtualClock(0).advance(seconds)


async def test_a_defect_in_one_alarm_stops_no_other() -> None:
    clock = VirtualClock(1000)
    reported: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
    clock.call_at(1001, lambda: print(1 / 0))
    clock.call_at(1002, lambda: None)
    await turns()
    assert clock.now() == 1002
    assert isinstance(reported[0]["exception"], ZeroDivisionError)


async def test_idle_spends_no_turn() -> None:
    clock = VirtualClock(1000)
    clock.call_at(1001, lambda: None)
    clock.call_at(5000, lambda: None, pulls=False)
    await turns()
    assert clock.now() == 1001
    assert not clock._turning


async def test_cancelled_alarms_do_not_pile_up() -> None:
    clock = VirtualClock(1000)

    class Thing:
        def go(self) -> None: ...

    gone = []
    for number in range(20_000):
        thing = Thing()
        alarm = clock.call_at(2000 + number, thing.go, pulls=False)
        if number < 3:
            gone.append(weakref.ref(thing))
        alarm.cancel()
    del thing, alarm
    gc.collect()
    assert [reference() for reference in gone] == [None, None, None]
    assert len(clock._heap) < 1000
    assert clock.pending == 0


async def test_close_drops_everything() -> None:
    clock = VirtualClock(1000)
    waiting = asyncio.create_task(clock.advance(50))
    clock.call_at(1010, lambda: None)
    hold = clock.hold()
    await asyncio.sleep(0)
    clock.close()
    hold.release()
    clock.call_at(1020, lambda: None)
    await turns()
    assert clock.now() == 1000
    assert waiting.cancelled()


@given(st.lists(st.tuples(st.integers(0, 50), st.booleans(), st.booleans()), max_size=40))
def test_order_and_end_whatever_the_alarms(plan: list[tuple[int, bool, bool]]) -> None:
    async def run() -> None:
        clock = VirtualClock(1000)
        seen: list[tuple[float, int]] = []
        alarms = [
            clock.call_at(1000 + after, lambda n=number: seen.append((clock.now(), n)), pulls=pulls)  # type: ignore[misc]
            for number, (after, pulls, _) in enumerate(plan)
        ]
        for alarm, (_, _, cancel) in zip(alarms, plan, strict=True):
            if cancel:
                alarm.cancel()
        live = [(1000 + after, n, pulls) for n, (after, pulls, cancel) in enumerate(plan) if not cancel]
        end = max((when for when, _, pulls in live if pulls), default=1000)
        await turns(10 * len(plan) + 20)
        # Up to the last one that pulls everything goes off; the rest waits for ever.
        assert {n for _, n in seen} >= {n for when, n, pulls in live if pulls or when < end}
        assert all(when <= end for when, _ in seen)
        assert [when for when, _ in seen] == sorted(when for when, _ in seen)
        assert clock.now() == end
        await clock.advance(100)
        assert len(seen) == len(live)
        assert clock.pending == 0

    asyncio.run(run())
