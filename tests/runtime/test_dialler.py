"""The dialler: rate per account, order, and the bound on calls being set up."""

from __future__ import annotations

import asyncio

from ringback.effects import QueueDial, ReleaseCall
from ringback.events import Event
from ringback.kernel.answering import Answering
from ringback.runtime.dialler import SETTING_UP, Dialler
from ringback.runtime.virtual_clock import VirtualClock


async def test_calls_leave_at_the_accounts_rate_and_in_order() -> None:
    clock, started = VirtualClock(1000.0), list[tuple[float, str]]()

    def post(event: Event) -> None:
        started.append((clock.now() - 1000.0, event.lane.sid))

    dialler = Dialler(clock, post, calls_per_second=2.0)
    for number in range(4):
        dialler.queue(QueueDial(call_sid=f"CA{number}", account_sid="AC1"))
    dialler.queue(QueueDial(call_sid="CAother", account_sid="AC2"))
    for _ in range(200):
        await asyncio.sleep(0)
    assert started == [(0.0, "CA0"), (0.0, "CAother"), (0.5, "CA1"), (1.0, "CA2"), (1.5, "CA3")]
    clock.close()


async def test_only_so_many_calls_are_set_up_at_once() -> None:
    started = list[str]()
    dialler = Dialler(VirtualClock(), lambda event: started.append(event.lane.sid), calls_per_second=0.0)
    for number in range(SETTING_UP + 2):
        dialler.queue(QueueDial(call_sid=f"CA{number}", account_sid="AC1"))
    assert len(started) == SETTING_UP
    assert dialler.waiting == 2
    dialler.started("CA0")
    dialler.started("CA0")
    dialler.release(ReleaseCall(call_sid="CA1"))
    assert started[SETTING_UP:] == [f"CA{SETTING_UP}", f"CA{SETTING_UP + 1}"]


def test_nothing_goes_while_it_is_shut() -> None:
    """After a restart: a call that is to be hung up hears that before it is dialled."""
    started: list[str] = []
    dialler = Dialler(VirtualClock(), lambda event: started.append(event.lane.sid), calls_per_second=0.0)
    dialler.shut()
    for sid in ("CA1", "CA2"):
        dialler.queue(QueueDial(call_sid=sid, account_sid="AC1"))
    assert (started, dialler.waiting) == ([], 2)
    dialler.open()
    assert started == ["CA1", "CA2"]


def test_a_call_goes_after_the_answer_to_the_request_that_made_it() -> None:
    started: list[str] = []
    dialler = Dialler(VirtualClock(), lambda event: started.append(event.lane.sid), calls_per_second=0.0)
    answer = Answering()
    dialler.queue(QueueDial(call_sid="CA1", account_sid="AC1"), [answer])
    assert started == []
    answer.write()
    assert started == ["CA1"]
