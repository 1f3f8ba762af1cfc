"""Messages between lanes: in the sender's transaction or as rows; broken lanes; limits; stored cores."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from msgspec import structs
from tests.runtime.lanes_kit import LEG, UPDATE, WORK, Site, changed, press

from ringback.effects import Answer, Effect, Post, ReleaseCall, Save
from ringback.effects.queues import MakeTask
from ringback.events import (
    DeadlineReached,
    DigitPressed,
    Event,
    HangUpRequested,
    TimerFired,
    VoiceRouting,
)
from ringback.events.queues import TaskCallChanged
from ringback.events.writes import NewCall, Verification
from ringback.kernel.errors import Refused
from ringback.kernel.lane import Lane
from ringback.resources.api.recording import Recording
from ringback.runtime import mending
from ringback.runtime.runtime import LANE_LIMIT
from ringback.store import Conflict, Message
from ringback.store.messages import dump, load, travelling


async def test_an_idle_lane_handles_a_message_in_the_senders_transaction() -> None:
    site = Site(
        digit=lambda event, now: [Save("sent"), Post(changed("a")), ReleaseCall(call_sid="first")],
        changed=lambda event, now: [Save("received"), Post(HangUpRequested(call_sid="CA2", reason="api")),
                                    ReleaseCall(call_sid="second")],
        hang_up=lambda event, now: [Save("onward"), ReleaseCall(call_sid="third")],
    )  # fmt: skip
    site.runtime.post(press("1"))
    await site.runtime.settle()
    assert site.book.commits == [["sent", "received", "onward"]]
    assert site.performed == ["first", "second", "third"]
    assert (site.book.rows, site.runtime.lanes) == ({}, 0)


async def test_a_message_to_a_busy_lane_is_a_row_until_it_is_handled_and_keeps_its_order() -> None:
    heard: list[str] = []

    def take(event: TaskCallChanged, now: float) -> list[Effect]:
        heard.append(event.about)
        return [Save(event.about)]

    site = Site(
        digit=lambda event, now: [Save("sent"), *(Post(changed(f"{event.digit}{n}")) for n in range(3))],
        changed=take,
    )
    site.book.gate.clear()
    site.runtime.post(changed("busy"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    site.runtime.post(press("1"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert heard == ["busy"]
    site.book.gate.set()
    while ["sent"] not in site.book.commits:
        await asyncio.sleep(0)
    assert [event.about for event in site.book.rows.values()] == ["10", "11", "12"]  # type: ignore[attr-defined]
    await site.runtime.settle()
    assert heard == ["busy", "10", "11", "12"]
    assert site.book.rows == {}


async def test_between_two_that_die_with_the_process_there_is_no_row() -> None:
    def digit(event: DigitPressed, now: float) -> list[Effect]:
        return [Save("it"), *([Post(press("0", "CA2"))] if event.digit == "1" else [])]

    site = Site(digit=digit)
    site.book.gate.clear()
    site.runtime.post(press("9", "CA2"))
    await asyncio.sleep(0)
    site.runtime.post(press("1"))
    await asyncio.sleep(0)
    site.book.gate.set()
    await site.runtime.settle()
    assert next(site.book.numbers) == 1  # no row was ever made
    assert len(site.book.commits) == 3


async def test_effects_that_are_addressed_at_the_commit() -> None:
    seen: list[str] = []
    site = Site(
        digit=lambda event, now: [MakeTask(call_sid="CA1", account_sid="AC", request="q", workflow_sid="WW")],
        made=lambda event, now: seen.append(event.request) or [Save("told")],
    )
    site.runtime.post(press("1"))
    await site.runtime.settle()
    assert (seen, site.book.commits) == (["q"], [["told"]])


async def test_what_was_on_its_way_is_delivered_by_the_next_run() -> None:
    first = Site(
        digit=lambda event, now: [Save("sent"), Post(changed("lost"))],
        changed=lambda event, now: [Save(event.about)],
    )
    first.book.gate.clear()
    first.runtime.post(changed("busy"))
    await asyncio.sleep(0)
    first.runtime.post(press("1"))
    await asyncio.sleep(0)
    first.book.gate.set()
    while not first.book.rows:
        await asyncio.sleep(0)
    rows = [Message(sid, load(*dump(event))) for sid, event in sorted(first.book.rows.items())]
    heard: list[str] = []
    second = Site(changed=lambda event, now: heard.append(event.about) or [])
    second.book.rows = {row.sid: row.event for row in rows}
    second.runtime.resume(rows)
    await second.runtime.settle()
    assert (heard, second.book.rows) == (["lost"], {})
    await first.runtime.settle()


async def test_a_turn_that_writes_nothing_waits_for_no_disk() -> None:
    """What was only said is in memory; what was only heard loses its row after it has been done."""
    site = Site(
        digit=lambda event, now: [Post(changed(event.digit))],
        changed=lambda event, now: (
            [Save("busy")] if event.about == "busy" else [ReleaseCall(call_sid=event.about)]
        ),
    )
    site.book.gate.clear()
    site.runtime.post(changed("busy"))
    await asyncio.sleep(0)
    site.runtime.post(press("1"))
    for _ in range(5):
        await asyncio.sleep(0)
    assert (site.book.rows, site.performed) == ({}, [])
    site.book.rows = {"MG1": changed("2")}
    site.runtime.resume([Message("MG1", changed("2"))])
    site.book.gate.set()
    await site.runtime.settle()
    assert (site.performed, site.book.commits, site.book.rows) == (["1", "2"], [["busy"]], {})


async def test_nothing_overtakes_what_must_be_looked_up_first() -> None:
    heard: list[str] = []
    site = Site(
        changed=lambda event, now: [
            Save("sent"), Post(HangUpRequested(call_sid="CA2", reason="api")), Post(press("5", "CA2"))
        ],
        hang_up=lambda event, now: heard.append("first") or [],
        digit=lambda event, now: heard.append("second") or [],
    )  # fmt: skip

    async def prepare(event: Event) -> Event:
        await asyncio.sleep(0)
        return event

    site.runtime._wiring.prepare[HangUpRequested] = prepare  # type: ignore[index]
    site.runtime.post(changed("a"))
    await site.runtime.settle()
    assert (heard, site.book.rows) == (["first", "second"], {})


@pytest.mark.parametrize("answer", ["known", "alone", "fails"])
async def test_what_must_be_looked_up_joins_the_senders_turn_where_that_is_allowed(answer: str) -> None:
    """Else it has a turn of its own, and what is posted after it waits for that."""
    heard: list[str] = []

    def take(event: DigitPressed, now: float) -> list[Effect]:
        heard.append(event.digit)
        return [Save(event.digit)]

    site = Site(
        changed=lambda event, now: [
            Save("sent"),
            Post(press("x", "CA2")),
            Post(TimerFired(lane=WORK, name="b")),
        ],
        digit=take,
        tick=lambda event, now: [Save("own")],
    )

    async def alone(event: DigitPressed) -> DigitPressed:
        await asyncio.sleep(0)
        return structs.replace(event, digit="alone")

    async def joined(event: DigitPressed) -> DigitPressed | None:
        await asyncio.sleep(0)
        if answer == "fails":
            raise OSError("the database is away")
        return structs.replace(event, digit="joined") if answer == "known" else None

    site.runtime._wiring.prepare[DigitPressed] = alone  # type: ignore[index]
    site.runtime._wiring.prepare_joined[DigitPressed] = joined  # type: ignore[index]
    site.runtime.post(changed("a"))
    await site.runtime.settle()
    if answer == "known":
        assert (heard, site.book.commits) == (["joined"], [["sent", "joined", "own"]])
    else:
        assert (heard, site.book.commits) == (["alone"], [["sent", "own"], ["alone"]])
    assert (site.book.rows, site.runtime.lanes) == ({}, 0)


async def test_a_second_event_that_must_be_looked_up_waits_for_what_the_first_writes() -> None:
    site = Site(
        changed=lambda event, now: [Post(press("1", "CA2")), Post(press("2", "CA2"))],
        digit=lambda event, now: [Save(event.digit)],
    )

    async def known(event: Event) -> Event:
        await asyncio.sleep(0)
        return event

    site.runtime._wiring.prepare[DigitPressed] = known  # type: ignore[index]
    site.runtime._wiring.prepare_joined[DigitPressed] = known  # type: ignore[index]
    site.runtime.post(changed("a"))
    await site.runtime.settle()
    assert (site.book.commits, site.book.rows) == ([["1"], ["2"]], {})


async def test_a_refused_message_is_handled() -> None:
    def take(event: TaskCallChanged, now: float) -> list[Effect]:
        raise Refused(20001, "no")

    site = Site(changed=take)
    site.book.rows = {"MG1": changed("x")}
    site.runtime.resume([Message("MG1", changed("x"))])
    await site.runtime.settle()
    assert (site.book.rows, site.runtime.mending.bugs) == ({}, 0)


async def test_a_bug_in_the_receiver_does_not_undo_the_sender() -> None:
    broken = [True]

    def take(event: TaskCallChanged, now: float) -> list[Effect]:
        if broken:
            broken.pop()
            raise ZeroDivisionError("a bug")
        return [Save("received")]

    site = Site(digit=lambda event, now: [Save("sent"), Post(changed("a"))], changed=take)
    site.runtime.post(press("1"))
    await site.runtime.settle()
    assert site.book.commits == [["sent"], ["received"]] or site.book.commits == [["sent"], [], ["received"]]
    assert (site.book.rows, site.loads) == ({}, [0.0])


async def test_a_poisoned_lane_is_given_up_alone_after_growing_pauses(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A workspace whose settling always raises: bounded tries, counted and named, and everything else goes on."""

    def settle(event: Any, now: float) -> list[Effect]:
        raise ZeroDivisionError("always")

    site = Site(tick=settle, load=settle, digit=lambda event, now: [Save(event.digit)])
    site.runtime.post(TimerFired(lane=WORK, name="agenda"))
    await site.clock.advance(1.0)
    site.runtime.post(press("7"))
    await site.clock.advance(0.0)
    assert ["7"] in site.book.commits
    with pytest.raises(Refused) as refused:
        await site.runtime.ask(TimerFired(lane=WORK, name="agenda"))
    assert refused.value.status == 503
    await site.clock.advance(100_000.0)
    await site.runtime.settle()
    assert site.ended == [WORK]
    assert len(site.loads) == len(mending.PAUSES)
    gaps = [later - earlier for earlier, later in pairwise(site.loads)]
    assert all(later > 1.9 * earlier for earlier, later in pairwise(gaps))
    assert site.runtime.mending.bugs == len(mending.PAUSES) + 1
    assert str(WORK) in caplog.text
    site.runtime.post(TimerFired(lane=WORK, name="agenda"))  # dropped: nobody is there
    site.runtime.post(press("8"))
    await site.runtime.settle()
    assert (site.book.commits[-1], site.runtime.mending.bugs) == (["8"], len(mending.PAUSES) + 1)


async def test_one_good_event_starts_the_count_again() -> None:
    def tick(event: TimerFired, now: float) -> list[Effect]:
        if event.name == "bad":
            raise ZeroDivisionError("sometimes")
        return []

    site = Site(tick=tick)
    for _ in range(3 * len(mending.PAUSES)):
        site.runtime.post(TimerFired(lane=WORK, name="bad"))
        await site.clock.advance(1.0)
        site.runtime.post(TimerFired(lane=WORK, name="good"))
        await site.clock.advance(1.0)
    assert site.ended == []


async def test_a_message_that_breaks_its_lane_is_set_aside_and_the_next_is_handled() -> None:
    heard: list[str] = []

    def take(event: TaskCallChanged, now: float) -> list[Effect]:
        if event.about == "poison":
            raise ZeroDivisionError("always")
        heard.append(event.about)
        return []

    site = Site(changed=take)
    site.book.rows = {"MG1": changed("poison"), "MG2": changed("good")}
    site.runtime.resume([Message("MG1", changed("poison")), Message("MG2", changed("good"))])
    await site.clock.advance(1000.0)
    await site.runtime.settle()
    assert (heard, list(site.book.rows), list(site.book.failed)) == (["good"], ["MG1"], ["MG1"])
    assert "always" in site.book.failed["MG1"]
    assert site.ended == []


async def test_a_store_that_cannot_write_is_waited_for_and_loses_no_message() -> None:
    heard: list[str] = []
    site = Site(changed=lambda event, now: heard.append(event.about) or [Save(event.about)])
    site.book.rows = {"MG1": changed("a")}
    site.book.errors = [OSError("no space left")] * 30
    site.load_fails = [OSError("gone")] * 30
    site.runtime.resume([Message("MG1", changed("a"))])
    await site.clock.advance(3600.0)
    await site.runtime.settle()
    assert site.book.commits == [["a"]]
    assert (site.book.rows, site.ended, site.runtime.mending.bugs) == ({}, [], 0)
    assert set(heard) == {"a"}


async def test_what_ends_a_call_does_not_wait_for_the_store() -> None:
    def digit(event: DigitPressed, now: float) -> list[Effect]:
        raise ZeroDivisionError("a bug")

    site = Site(digit=digit)
    site.book.errors = [OSError("no space left")] * 3
    site.runtime.post(press("1"))
    await asyncio.sleep(0.0)
    for _ in range(20):
        await asyncio.sleep(0)
    assert site.performed == ["CA1"]
    await site.clock.advance(60.0)
    await site.runtime.settle()
    assert (site.performed, site.book.commits) == (["CA1"], [["crashed CA1"]])


async def test_a_unique_key_is_a_bug_and_nothing_of_the_turn_is_performed() -> None:
    site = Site(digit=lambda event, now: [Save("it"), ReleaseCall(call_sid="x"), Post(changed("a"))])
    site.book.errors = [Conflict("taken")]
    site.runtime.post(press("1"))
    await site.clock.advance(10.0)
    await site.runtime.settle()
    assert site.performed == ["CA1"]
    assert site.loads != []  # the workspace had joined: it forgets what never was


async def test_the_limit_of_a_lane_is_for_what_comes_from_outside() -> None:
    heard: list[str] = []
    site = Site(
        digit=lambda event, now: heard.append(event.digit) or [],
        hang_up=lambda event, now: heard.append("over") or [],
    )
    for _ in range(LANE_LIMIT + 50):
        site.runtime.post(press("1"))
    site.runtime.post(HangUpRequested(call_sid="CA1", reason="api"))
    with pytest.raises(Refused) as refused:
        await site.runtime.ask(UPDATE)
    await site.runtime.settle()
    assert refused.value.status == 429
    assert (heard.count("1"), heard[-1], site.runtime.dropped) == (LANE_LIMIT, "over", 50)


async def test_a_stored_core_is_handed_its_record_and_what_it_gives_back_is_written_at_once() -> None:
    lane = Lane("recording", "RE1")

    def step(record: Recording | None, event: DeadlineReached, now: float) -> tuple[Any, list[Effect]]:
        if event.name == "gone":
            return None, []
        assert record is not None
        return replace(record, duration=(record.duration or 0) + 1), [Answer(value=event.name)]

    site = Site(step=step)
    site.book.records["RE1"] = Recording(sid="RE1", account_sid="AC")
    asked = [site.runtime.ask(DeadlineReached(lane=lane, name=name)) for name in ("a", "b")]
    assert await asyncio.gather(*asked) == ["a", "b"]
    assert site.book.records["RE1"].duration == 2
    assert len(site.book.commits) == 1, "the second event saw the first one's record"
    await site.runtime.ask(DeadlineReached(lane=lane, name="gone"))
    assert "RE1" not in site.book.records
    await site.runtime.ask(DeadlineReached(lane=lane, name="gone"))  # none: nothing to remove


async def test_a_unique_key_taken_meanwhile_costs_a_stored_core_nothing_and_no_call_its_life() -> None:
    """Everything is done once more; the call was told by a row, not in the same transaction."""
    steps: list[str] = []
    heard: list[str] = []

    def step(record: Recording | None, event: DeadlineReached, now: float) -> tuple[Any, list[Effect]]:
        steps.append(event.name)
        assert record is not None
        more = [Post(HangUpRequested(call_sid="CA1", reason="api"))] if event.name == "tell" else []
        return replace(record, duration=(record.duration or 0) + 1), [*more]

    site = Site(step=step, hang_up=lambda event, now: heard.append(event.reason) or [])
    site.book.records["RE1"] = Recording(sid="RE1", account_sid="AC")
    site.book.errors = [Conflict("taken")]
    lane = Lane("recording", "RE1")
    for name in ("purge", "tell"):
        site.runtime.post(DeadlineReached(lane=lane, name=name))
    await site.runtime.settle()
    assert (steps, heard) == (["purge", "tell"] * 2, ["api"])
    assert site.book.records["RE1"].duration == 2
    assert (site.performed, site.runtime.mending.bugs, site.book.rows) == ([], 0, {})


async def test_a_deadline_that_breaks_its_lane_comes_again() -> None:
    tries: list[str] = []

    def step(record: Recording | None, event: DeadlineReached, now: float) -> tuple[Any, list[Effect]]:
        tries.append(event.name)
        if len(tries) < 3:
            raise ZeroDivisionError("twice")
        return record, []

    site = Site(step=step)
    site.runtime.post(DeadlineReached(lane=Lane("recording", "RE1"), name="purge"))
    await site.clock.advance(100.0)
    await site.runtime.settle()
    assert (tries, site.ended) == (["purge"] * 3, [])


def test_every_event_has_one_name_and_messages_come_back_as_they_were() -> None:
    assert travelling()["TaskCallChanged"] is TaskCallChanged
    event = TaskCallChanged(workspace_sid="WS1", about="CA1", leg=LEG, change="ended", sip_code=486)
    assert load(*dump(event)) == event
    timer = TimerFired(lane=WORK, name="x")
    assert load(*dump(timer)) == timer
    assert load(*dump(UPDATE)) == UPDATE
    wanted = Verification(number="+15551230002", friendly_name="x", code="123456", sid="PN1")
    write = structs.replace(
        UPDATE, known=NewCall(application=VoiceRouting(account_sid="AC1"), verification=wanted)
    )
    assert load(*dump(write)) == write


@pytest.mark.parametrize("fails", [False, True])
async def test_a_shared_transaction_that_is_kept_lets_the_call_go_on_and_the_workspace_wait(
    fails: bool,
) -> None:
    """The store fails while both are in one transaction: what the call does is done, what the workspace does waits."""
    heard: list[str] = []

    def take(event: TaskCallChanged, now: float) -> list[Effect]:
        heard.append(event.about)
        return [Save(event.about), ReleaseCall(call_sid="workspace's")]

    site = Site(
        digit=lambda event, now: [Save("sent"), *([Post(changed("a"))] if event.digit == "1" else []),
                                  ReleaseCall(call_sid=event.digit)],
        changed=take,
    )  # fmt: skip
    kept: list[Any] = []

    async def keep(writes: Any, told: Any) -> None:
        kept.append(told)

    site.book.commit_or_keep = keep  # type: ignore[method-assign, assignment]
    site.runtime.post(press("1"))
    for _ in range(5):
        await asyncio.sleep(0)
    site.book.trouble = "the disk is full"
    site.runtime.post(press("2"))
    site.runtime.post(changed("b"))
    for _ in range(5):
        await asyncio.sleep(0)
    assert site.performed == ["1", "2"], "the call goes on"
    assert heard == ["a"], "the workspace waits"
    site.book.trouble = ""
    for told in kept:
        told(OSError("lost after all") if fails else [])
    await site.runtime.settle()
    assert heard == ["a", "b"]
    assert site.performed == ["1", "2", *(["workspace's"] * (1 if fails else 2))]
    assert len(site.loads) == fails, "what may be wrong in memory is read again"
    assert site.runtime.lanes == 0
