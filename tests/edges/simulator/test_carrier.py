"""The simulated carrier against a small stand-in for the voice core, on the virtual clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ringback.edges.carriers.simulated import REACTION, CarrierDown, SimulatedCarrier
from ringback.edges.simulator.book import Behaviour
from ringback.edges.simulator.faults import Fault, Faults
from ringback.edges.simulator.script import read_script
from ringback.effects import (
    AnswerLeg,
    DialLeg,
    HangUpLeg,
    Join,
    PlayAudio,
    RecordLeg,
    RejectLeg,
    RingLeg,
    Silence,
    Sound,
    Speech,
    StopAudio,
    StopRecording,
    Tone,
)
from ringback.events import (
    CallArrived,
    DigitPressed,
    Event,
    LegAnswered,
    LegEnded,
    LegFailed,
    LegRinging,
    PlaybackEnded,
    RecordingBegan,
    RecordingEnded,
    RecordingSilent,
)
from ringback.runtime.virtual_clock import VirtualClock

START = 1_700_000_000.0


class World:
    """A carrier, its clock, and everything that it reported with the moment of it."""

    def __init__(self, folder: Path) -> None:
        self.clock = VirtualClock(START)
        self.events: list[tuple[float, Event]] = []
        self.reply: Callable[[Event], None] = lambda event: None
        self.faults = Faults()
        self._sids = iter(range(10**9))
        self.carrier = SimulatedCarrier(
            post=self.post,
            clock=self.clock,
            new_sid=lambda prefix: f"{prefix}{next(self._sids):032x}",
            is_ours=self.is_ours,
            sound_seconds=self.sound_seconds,
            recordings=folder,
            faults=self.faults,
        )

    def post(self, event: Event) -> None:
        self.events.append((round(self.clock.now() - START, 3), event))
        self.reply(event)

    async def is_ours(self, number: str) -> bool:
        return number == "+15550100"

    async def sound_seconds(self, url: str, account: str) -> float:
        if "bad" in url:
            raise OSError("no such sound")
        return 3.0

    def seen(self, *kinds: type[Event]) -> list[tuple[float, Event]]:
        return [(at, event) for at, event in self.events if isinstance(event, kinds)]

    def dial(self, to: str, sid: str = "CA" + "f" * 32) -> str:
        self.carrier.perform(DialLeg(call_sid=sid, account_sid="AC", to=to, from_="+15550100"))
        return sid


async def settle(turns: int = 300) -> None:
    for _ in range(turns):
        await asyncio.sleep(0)


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def test_a_scripted_caller_hears_expects_presses_and_leaves(world: World) -> None:
    def reply(event: Event) -> None:
        if isinstance(event, CallArrived):
            world.carrier.perform(RingLeg(call_sid=event.call_sid))
            world.carrier.perform(AnswerLeg(call_sid=event.call_sid))
            words = Speech("<p>Press <emphasis>one</emphasis> &amp; wait</p>", ssml=True)
            world.carrier.perform(
                PlayAudio(call_sid=event.call_sid, playback="p1", items=(words, Silence(1), Tone("beep")))
            )

    world.reply = reply
    script = read_script(
        [
            {"expect": "press ONE", "within": 5},
            {"press": "1w#"},
            {"expect": "beep"},
            {"wait": 2},
            {"hangup": True},
        ]
    )
    sid = world.carrier.place("+15551230001", "+15550100", script)
    await until(lambda: world.seen(LegEnded))
    words = 4 / 2.8
    assert [(at, event.digit) for at, event in world.seen(DigitPressed)] == [  # type: ignore[attr-defined]
        (pytest.approx(words + REACTION, abs=0.01), "1"),
        (pytest.approx(words + REACTION + 0.6, abs=0.01), "#"),
    ]
    party = world.carrier.call(sid)
    assert party is not None
    assert [(entry["kind"], entry["text"]) for entry in party.answer()["heard"]] == [
        ("ringback", ""),
        ("say", "Press one & wait"),
        ("silence", "1 s"),
        ("beep", "beep"),
    ]
    assert (party.status, party.failed) == ("completed", "")
    ((at, ended),) = world.seen(LegEnded)
    assert at == pytest.approx(words + 1 + 0.5 + REACTION + 2, abs=0.01)
    assert ended.by == "remote"  # type: ignore[attr-defined]
    ((_, played),) = world.seen(PlaybackEnded)
    assert played.completed  # type: ignore[attr-defined]


async def test_an_expectation_that_fails_is_told_and_hangs_up(world: World) -> None:
    world.reply = lambda event: (
        world.carrier.perform(AnswerLeg(call_sid=event.call_sid)) if isinstance(event, CallArrived) else None
    )
    sid = world.carrier.place("+1555", "+15550100", read_script([{"expect": "hello", "within": 7}]))
    await until(lambda: world.seen(LegEnded))
    assert world.seen(LegEnded)[0][0] == 7
    party = world.carrier.call(sid)
    assert party is not None
    assert "'hello' within 7 s" in party.answer()["failed"]


@pytest.mark.parametrize(
    ("answers", "code", "by"),
    [
        ("busy", 486, "callee"),
        ("reject", 603, "callee"),
        ("invalid", 404, "carrier"),
        ("unreachable", 404, "carrier"),
        ("congestion", 503, "carrier"),
    ],
)
async def test_callees_that_do_not_answer(world: World, answers: Any, code: int, by: str) -> None:
    world.carrier.book.set("+1666", Behaviour(answers, 2.0))
    world.dial("+1666")
    await until(lambda: world.seen(LegFailed))
    ((at, failed),) = world.seen(LegFailed)
    assert (at, failed.sip_code, failed.by) == (2.0, code, by)  # type: ignore[attr-defined]
    assert bool(world.seen(LegRinging)) == (answers == "reject")
    assert world.carrier.live == 0


async def test_unknown_numbers_answer_and_no_answer_rings_until_cancelled(world: World) -> None:
    world.dial("+1777")
    await until(lambda: world.seen(LegAnswered))
    assert [at for at, _ in world.seen(LegRinging, LegAnswered)] == [0.1, 1.0]
    world.carrier.book.set("+1888", Behaviour("no-answer"))
    sid = world.dial("+1888", "CA" + "e" * 32)
    await settle()
    now = world.clock.now()
    await settle()
    assert world.clock.now() == now
    world.carrier.perform(HangUpLeg(call_sid=sid))
    ((_, failed),) = world.seen(LegFailed)
    assert (failed.sip_code, failed.by) == (487, "us")  # type: ignore[attr-defined]


async def test_dialling_our_own_number_loops_back(world: World) -> None:
    out = world.dial("+15550100")
    await until(lambda: world.seen(CallArrived))
    inbound = world.seen(CallArrived)[0][1].call_sid
    world.carrier.perform(RingLeg(call_sid=inbound))
    world.carrier.perform(AnswerLeg(call_sid=inbound))
    assert [event.call_sid for _, event in world.seen(LegRinging)] == [out]
    assert {event.call_sid for _, event in world.seen(LegAnswered)} == {out, inbound}
    world.carrier.perform(HangUpLeg(call_sid=out))
    assert [(event.call_sid, event.by) for _, event in world.seen(LegEnded)] == [  # type: ignore[attr-defined]
        (out, "local"),
        (inbound, "remote"),
    ]


async def test_a_rejected_caller_hears_busy_and_no_event_follows(world: World) -> None:
    world.reply = lambda event: (
        world.carrier.perform(RejectLeg(call_sid=event.call_sid, sip_code=486))
        if isinstance(event, CallArrived)
        else None
    )
    sid = world.carrier.place("+1555", "+15550100")
    party = world.carrier.call(sid)
    assert party is not None
    assert (party.status, party.heard[0]["kind"]) == ("busy", "busy")
    assert [type(event) for _, event in world.events] == [CallArrived]


async def test_a_caller_who_gives_up_while_it_rings(world: World) -> None:
    world.carrier.place("+1555", "+15550100", read_script([{"wait": 3}, {"hangup": True}]))
    await until(lambda: world.seen(LegFailed))
    assert world.seen(LegFailed)[0][1].sip_code == 487  # type: ignore[attr-defined]


async def test_playbacks_loop_stop_and_fail(world: World) -> None:
    sid = world.dial("+1777")
    await until(lambda: world.seen(LegAnswered))
    world.carrier.perform(PlayAudio(call_sid=sid, playback="twice", items=(Sound("http://x/a.wav"),), loop=2))
    await until(lambda: world.seen(PlaybackEnded))
    world.carrier.perform(PlayAudio(call_sid=sid, playback="bad", items=(Sound("http://x/bad.wav"),)))
    await until(lambda: len(world.seen(PlaybackEnded)) == 2)
    world.carrier.perform(PlayAudio(call_sid=sid, playback="ever", items=(Speech("hi"),), loop=0))
    await settle()
    world.carrier.perform(StopAudio(call_sid=sid, playback="ever"))
    world.carrier.perform(StopAudio(call_sid=sid, playback="ever"))
    ends = [event for _, event in world.seen(PlaybackEnded)]
    assert [(e.playback, e.completed, e.error_code) for e in ends] == [  # type: ignore[attr-defined]
        ("twice", True, None),
        ("bad", False, 11200),
        ("ever", False, None),
    ]
    assert ends[0].seconds == pytest.approx(6.0)  # type: ignore[attr-defined]


async def test_two_in_a_room_hear_each_other(world: World) -> None:
    one, two = world.dial("+1777", "CA1"), world.dial("+1778", "CA2")
    await until(lambda: len(world.seen(LegAnswered)) == 2)
    world.carrier.perform(Join(call_sid=one, room="r"))
    world.carrier.perform(Join(call_sid=two, room="r"))
    assert world.carrier.add_steps(one, read_script([{"say": "good morning"}, {"press": "5"}]))
    await settle()
    first, second = world.carrier.call(one), world.carrier.call(two)
    assert first is not None
    assert second is not None
    assert first.heard == []
    assert [(entry["kind"], entry["text"]) for entry in second.heard] == [
        ("speech", "good morning"),
        ("digits", "5"),
    ]


async def test_a_recording_has_the_callers_sound(world: World, tmp_path: Path) -> None:
    sid = world.dial("+1777")
    await until(lambda: world.seen(LegAnswered))
    world.carrier.perform(
        RecordLeg(call_sid=sid, recording_sid="RE1", track="inbound", silence_timeout=5, beep_first=True)
    )
    script = read_script([{"expect": "beep"}, {"wait": 1}, {"say": "one two three four five six seven"}])
    world.carrier.add_steps(sid, script)
    await until(lambda: world.seen(RecordingSilent))
    began, silent = world.seen(RecordingBegan)[0][0], world.seen(RecordingSilent)[0][0]
    assert silent - began == pytest.approx(REACTION + 1 + 2.5 + 5, abs=0.01)
    assert world.clock.now() - START == pytest.approx(silent)
    world.carrier.perform(StopRecording(call_sid=sid, recording_sid="RE1"))
    await until(lambda: world.seen(RecordingEnded))
    ended: Any = world.seen(RecordingEnded)[0][1]
    assert ended.seconds == pytest.approx(REACTION + 8.5, abs=0.01)
    assert not ended.silent
    assert (tmp_path / "RE1.wav").stat().st_size == ended.size


async def test_a_hang_up_finishes_a_silent_recording_and_trims_it_away(world: World) -> None:
    sid = world.dial("+1777")
    await until(lambda: world.seen(LegAnswered))
    world.carrier.perform(RecordLeg(call_sid=sid, recording_sid="RE2", trim=True))
    world.carrier.add_steps(sid, read_script([{"wait": 4}, {"hangup": True}]))
    await until(lambda: world.seen(RecordingEnded))
    ended: Any = world.seen(RecordingEnded)[0][1]
    assert (ended.silent, ended.seconds) == (True, 0.0)


async def test_carrier_down(world: World) -> None:
    world.faults.add(Fault("carrier_down", count=2))
    with pytest.raises(CarrierDown):
        world.carrier.place("+1", "+15550100")
    world.dial("+1777")
    assert world.seen(LegFailed)[0][1].sip_code == 503  # type: ignore[attr-defined]
    assert world.carrier.place("+1", "+15550100")


async def test_a_thousand_calls(world: World) -> None:
    def reply(event: Event) -> None:
        sid = event.call_sid
        if isinstance(event, CallArrived):
            world.carrier.perform(AnswerLeg(call_sid=sid))
            world.carrier.perform(PlayAudio(call_sid=sid, playback="p", items=(Speech("press one"),)))
        elif isinstance(event, DigitPressed):
            world.carrier.perform(HangUpLeg(call_sid=sid))

    world.reply = reply
    script = read_script([{"wait": 0.1}, {"expect": "press one"}, {"press": "1"}])
    for _ in range(1000):
        world.carrier.place("+1555", "+15550100", script)
    await until(lambda: world.carrier.live == 0)
    assert len(world.seen(LegEnded)) == 1000
    assert world.clock.pending == 0
    await world.carrier.stop()
