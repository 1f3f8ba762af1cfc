"""The runtime: order within a key, one commit an event, refusals, bugs, and what happens after the commit."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from msgspec import structs

from ringback.effects import Answer, Effect, Post, ReleaseCall, Save
from ringback.events import DigitPressed, Event, LegAnswered
from ringback.events.writes import WriteRequested
from ringback.kernel.errors import Refused
from ringback.kernel.lane import Lane
from ringback.runtime.lane_kind import LaneKind, Wiring
from ringback.runtime.real_clock import RealClock
from ringback.runtime.runtime import Runtime

UPDATE = WriteRequested(lane=Lane("call", "CA1"), noun="Call", operation="update", sid="CA1")


@dataclass
class Ledger:
    """A store that takes a moment, and remembers the order of everything."""

    seen: list[Any] = field(default_factory=list)
    fail: bool = False
    trouble: str = ""
    refusing: bool = False
    kept: list[Any] = field(default_factory=list)

    def watch(self, told: Any) -> None:
        self.told = told

    async def commit_or_keep(self, writes: Sequence[Any], kept: Any) -> list[Any] | None:
        if self.trouble:
            self.kept.append((writes, kept))
            return None
        return await self.commit(writes)

    def new_sid(self, prefix: str) -> str:
        return prefix + "1"

    async def commit(self, writes: Sequence[Any]) -> list[Any]:
        await asyncio.sleep(0)
        if self.fail:
            self.fail = False
            raise OSError("disk full")
        self.seen.append(("commit", [write.record for write in writes]))
        return []


def runtime_for(ledger: Ledger, **handlers: Any) -> Runtime:
    def crashed(call_sid: str, now: float, error: Exception) -> list[Effect]:
        return [Save(f"crashed {call_sid} {error}")]

    kind = LaneKind(
        handlers={
            LegAnswered: handlers.get("answered", lambda event, now: []),
            DigitPressed: handlers.get("digit", lambda event, now: []),
            WriteRequested: handlers.get("update", lambda event, now: []),
        },
        crashed=crashed,
        lives=False,
    )
    return Runtime(
        Wiring(
            kinds={"call": kind},
            prepare=handlers.get("prepare", {}),
            address={},
            perform={ReleaseCall: lambda effect: ledger.seen.append(("release", effect.call_sid))},
            committed=lambda effects, owed, answers: None,
        ),
        ledger,
        RealClock(),
    )


async def test_events_of_one_key_keep_their_order_and_those_that_wait_share_a_transaction() -> None:
    ledger = Ledger()

    def digit(event: DigitPressed, now: float) -> list[Effect]:
        ledger.seen.append(("handle", event.digit))
        return [ReleaseCall(call_sid=event.digit), Save(event.digit)]

    runtime = runtime_for(ledger, digit=digit)
    for digit_ in "123":
        runtime.post(DigitPressed(call_sid="CA1", digit=digit_))
    await runtime.settle()
    assert ledger.seen == [
        *(("handle", one) for one in "123"),
        ("commit", ["1", "2", "3"]),
        *(("release", one) for one in "123"),
    ]
    assert runtime.lanes == 0


async def test_a_bug_among_waiting_events_spares_those_before_it() -> None:
    ledger = Ledger()

    def digit(event: DigitPressed, now: float) -> list[Effect]:
        if event.digit == "0":
            raise ZeroDivisionError("a bug")
        return [Save(event.digit)]

    runtime = runtime_for(ledger, digit=digit)
    for digit_ in "1023":
        runtime.post(DigitPressed(call_sid="CA1", digit=digit_))
    await runtime.settle()
    assert ledger.seen == [("commit", ["1"]), ("commit", ["crashed CA1 a bug"]), ("commit", ["2", "3"])]


async def test_a_failed_commit_of_several_events_tells_everybody_and_performs_nothing() -> None:
    ledger = Ledger(fail=True)
    runtime = runtime_for(ledger, update=lambda event, now: [Save("it"), ReleaseCall(call_sid="CA1")])
    asked = [asyncio.ensure_future(runtime.ask(UPDATE)) for _ in range(3)]
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(one) for one in found] == [OSError] * 3
    assert ledger.seen == [("commit", ["crashed CA1 disk full"])]


async def test_live_effects_come_after_the_commit_in_which_posts_are_handled_too() -> None:
    ledger = Ledger()

    def answered(event: LegAnswered, now: float) -> list[Effect]:
        return [
            ReleaseCall(call_sid=event.call_sid),
            Post(DigitPressed(call_sid=event.call_sid, digit="9")),
            Save("first"),
        ]

    runtime = runtime_for(
        ledger, answered=answered, digit=lambda event, now: [Save("second"), ReleaseCall(call_sid="second")]
    )
    runtime.post(LegAnswered(call_sid="CA1"))
    await runtime.settle()
    assert ledger.seen == [("commit", ["first", "second"]), ("release", "CA1"), ("release", "second")]


async def test_ask_gives_the_answer_after_the_commit() -> None:
    ledger = Ledger()
    runtime = runtime_for(ledger, update=lambda event, now: [Save("it"), Answer(value=42)])
    assert await runtime.ask(UPDATE) == 42
    assert ledger.seen == [("commit", ["it"])]


async def test_a_refusal_writes_nothing_and_reaches_who_asked() -> None:
    ledger = Ledger()

    def update(event: Event, now: float) -> list[Effect]:
        raise Refused(21220, "Call is not in-progress. Cannot redirect.")

    runtime = runtime_for(ledger, update=update)
    with pytest.raises(Refused, match="Cannot redirect") as caught:
        await runtime.ask(UPDATE)
    assert caught.value.code == 21220
    assert ledger.seen == []


async def test_a_bug_ends_its_own_session_and_no_other() -> None:
    ledger = Ledger()

    def digit(event: DigitPressed, now: float) -> list[Effect]:
        if event.digit == "0":
            raise ZeroDivisionError("a bug")
        return [Save(event.digit)]

    runtime = runtime_for(ledger, digit=digit)
    runtime.post(DigitPressed(call_sid="CA1", digit="0"))
    runtime.post(DigitPressed(call_sid="CA2", digit="1"))
    await runtime.settle()
    assert ("commit", ["crashed CA1 a bug"]) in ledger.seen
    assert ("commit", ["1"]) in ledger.seen
    assert runtime.mending.bugs == 1


async def test_a_failed_commit_ends_the_session_and_tells_who_asked() -> None:
    ledger = Ledger(fail=True)
    runtime = runtime_for(ledger, update=lambda event, now: [Save("it"), Answer(value=1)])
    with pytest.raises(OSError, match="disk full"):
        await runtime.ask(UPDATE)
    await runtime.settle()
    assert ledger.seen == [("commit", ["crashed CA1 disk full"])]


async def test_what_an_event_needs_is_looked_up_before_it_is_handled() -> None:
    ledger = Ledger()

    async def prepare(event: DigitPressed) -> Event:
        await asyncio.sleep(0)
        return DigitPressed(call_sid=event.call_sid, digit="7")

    runtime = runtime_for(
        ledger, digit=lambda event, now: [Save(event.digit)], prepare={DigitPressed: prepare}
    )
    runtime.post(DigitPressed(call_sid="CA1", digit="1"))
    await runtime.settle()
    assert ledger.seen == [("commit", ["7"])]


async def test_a_call_goes_on_while_the_store_cannot_write() -> None:
    """Its live effects are performed in their order; who asked is answered when it is written."""
    ledger = Ledger(trouble="the disk is full")
    runtime = runtime_for(
        ledger,
        digit=lambda event, now: [Save(event.digit), ReleaseCall(call_sid=event.digit)],
        answered=lambda event, now: [Save("answered"), Answer(value="yes")],
    )
    runtime.post(DigitPressed(call_sid="CA1", digit="1"))
    asked = asyncio.ensure_future(runtime.ask(LegAnswered(call_sid="CA1")))
    runtime.post(DigitPressed(call_sid="CA1", digit="2"))
    for _ in range(10):
        await asyncio.sleep(0)
    assert ledger.seen == [("release", "1"), ("release", "2")]
    assert not asked.done()
    for _, kept in ledger.kept:
        kept([])
    assert await asked == "yes"
    await runtime.settle()
    assert runtime.lanes == 0


async def test_a_request_is_refused_while_the_store_cannot_write_unless_it_ends_a_call() -> None:
    ledger = Ledger(trouble="the disk is full", refusing=True)
    runtime = runtime_for(ledger, update=lambda event, now: [Save("it"), ReleaseCall(call_sid="CA1")])
    with pytest.raises(Refused, match="the disk is full") as refused:
        await runtime.ask(UPDATE)
    assert refused.value.status == 503
    assert ledger.seen == []
    ending = structs.replace(UPDATE, params={"Status": ["completed"]})
    with pytest.raises(Refused, match="may still be carried out"):
        await runtime.ask(ending)
    assert ledger.seen == [("release", "CA1")]
    for _, kept in ledger.kept:
        kept([])
    await runtime.settle()
