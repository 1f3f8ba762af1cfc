"""What those who wait in a conference hear while somebody's phone rings (EarlyMedia; voice-calls.md §13)."""

from __future__ import annotations

from typing import Any

import pytest
from driver import ACCOUNT, CALL, Driver
from queue_site import rooms, sounding

from ringback import effects as fx
from ringback import events as ev
from ringback.events.queues import TaskCallRequested
from ringback.events.writes import NewCall
from ringback.resources.telephony import TaskLeg

CALLEE = "CA" + "5" * 32
OTHER = "CA" + "6" * 32
TASK = "WT" + "1" * 32
MUSIC, RINGING = fx.Tone("hold-music"), fx.Tone("ringback-us")


def waits(attributes: str = "", name: str = TASK) -> Driver:
    """Somebody waits alone in a conference."""
    call = Driver(
        {"/voice": f"<Response><Dial><Conference {attributes}>{name}</Conference></Dial></Response>"}
    )
    call.arrive()
    call.answered()
    return call


def task_calls(call: Driver, **more: Any) -> None:
    """TaskRouter calls the customer of an outbound task into the task's conference."""
    leg = TaskLeg(workspace="WS1", task=TASK, reservation="WR1", role="customer", instruction="conference")
    twiml = f"<Response><Dial><Conference>{TASK}</Conference></Dial></Response>"
    call.feed(
        TaskCallRequested(
            call_sid=CALLEE, account_sid=ACCOUNT, to="+15551230002", from_="+15550100123", twiml=twiml, leg=leg,
            **more,
        )
    )  # fmt: skip
    call.feed(ev.DialStarted(call_sid=CALLEE))


def participant(call: Driver, **params: str) -> None:
    """POST Participants of the conference."""
    room = call.board.conferences.named(ACCOUNT, TASK)
    assert room is not None
    form = {"To": "+15551230002", "From": "+15550100123", **params}
    call.write(
        "Participant", "create", CALLEE, params=form, parent_sid=room.sid,
        known=NewCall(caller_number_sid="PN1", conference=TASK),
    )  # fmt: skip
    call.feed(ev.DialStarted(call_sid=CALLEE))


@pytest.mark.parametrize("place", [task_calls, participant])
def test_who_waits_hears_the_callee_ring_until_the_answer(place: Any) -> None:
    call = waits()
    place(call)
    assert sounding(call, CALL) == [MUSIC]
    call.feed(ev.LegRinging(call_sid=CALLEE))
    assert sounding(call, CALL) == [RINGING]
    call.feed(ev.LegRinging(call_sid=CALLEE))  # 180 again
    assert len(call.of(fx.PlayAudio)) == 2
    call.feed(ev.LegAnswered(call_sid=CALLEE))
    assert [one for one in sounding(call, CALL) if one != fx.Tone("beep")] == []
    assert rooms(call).keys() == {CALL, CALLEE}
    assert call.board.conferences._ringing == {}


@pytest.mark.parametrize("place", [task_calls, participant])
def test_when_the_call_fails_the_wait_music_is_back(place: Any) -> None:
    call = waits()
    place(call)
    call.feed(ev.LegRinging(call_sid=CALLEE))
    call.feed(ev.LegFailed(call_sid=CALLEE, sip_code=486))
    assert sounding(call, CALL) == [MUSIC]
    assert call.board.conferences._ringing == {}


def test_early_media_false_leaves_the_music_alone() -> None:
    for begin in (
        lambda call: task_calls(call, early_media=False),
        lambda call: participant(call, EarlyMedia="false"),
    ):
        call = waits()
        begin(call)
        call.feed(ev.LegRinging(call_sid=CALLEE, early_media=True))
        assert (sounding(call, CALL), rooms(call)) == ([MUSIC], {})


def test_the_callees_early_media_is_heard_itself() -> None:
    call = waits()
    task_calls(call)
    call.feed(ev.LegRinging(call_sid=CALLEE))
    call.feed(ev.LegRinging(call_sid=CALLEE, early_media=True))
    assert sounding(call, CALL) == []
    assert len(set(rooms(call).values())) == 1
    assert rooms(call).keys() == {CALL, CALLEE}
    call.feed(ev.LegFailed(call_sid=CALLEE, sip_code=404))
    assert (sounding(call, CALL), rooms(call)) == ([MUSIC], {})


def test_early_media_and_then_the_answer() -> None:
    call = waits()
    task_calls(call)
    call.feed(ev.LegRinging(call_sid=CALLEE, early_media=True))
    call.feed(ev.LegAnswered(call_sid=CALLEE))
    room = call.board.conferences.named(ACCOUNT, TASK)
    assert room is not None
    assert (room.started, room.early, room.ringing) == (True, "", set())
    assert rooms(call) == {CALL: room.sid, CALLEE: room.sid}


def test_an_answer_that_starts_nothing_leaves_both_waiting() -> None:
    call = waits("startConferenceOnEnter='false'")
    participant(call, StartConferenceOnEnter="false")
    call.feed(ev.LegRinging(call_sid=CALLEE, early_media=True))
    assert rooms(call).keys() == {CALL, CALLEE}
    call.feed(ev.LegAnswered(call_sid=CALLEE))
    assert rooms(call) == {}
    assert (sounding(call, CALL), sounding(call, CALLEE)) == ([MUSIC], [MUSIC])


def test_two_who_wait_do_not_hear_each_other_by_it() -> None:
    call = waits("startConferenceOnEnter='false'")
    call.arrive(sid=OTHER)
    call.answered(OTHER)
    participant(call)
    call.feed(ev.LegRinging(call_sid=CALLEE, early_media=True))
    assert (sounding(call, CALL), sounding(call, OTHER), rooms(call)) == ([RINGING], [RINGING], {})


def test_one_who_comes_while_it_rings_hears_it_too() -> None:
    call = waits("startConferenceOnEnter='false'")
    participant(call)
    call.feed(ev.LegRinging(call_sid=CALLEE))
    call.arrive(sid=OTHER)
    call.answered(OTHER)
    assert sounding(call, OTHER) == [RINGING]


def test_a_talk_that_goes_on_is_not_disturbed() -> None:
    call = waits()
    call.arrive(sid=OTHER)
    call.answered(OTHER)
    participant(call)
    before = len(call.of(fx.PlayAudio))
    call.feed(ev.LegRinging(call_sid=CALLEE, early_media=True))
    assert len(call.of(fx.PlayAudio)) == before
    assert CALLEE not in rooms(call)


def test_on_hold_nothing_of_it_is_heard() -> None:
    call = waits()
    participant(call)
    room = call.board.conferences.named(ACCOUNT, TASK)
    assert room is not None
    call.feed(ev.LegRinging(call_sid=CALLEE, early_media=True))
    hold = {"Hold": ["true"]}
    call.write("Participant", "update", CALL, params=hold, parent_sid=room.sid)
    assert (call.of(fx.Join)[-1].hold, sounding(call, CALL)) == (True, [MUSIC])
    call.write("Participant", "update", CALL, params={"Hold": ["false"]}, parent_sid=room.sid)
    assert (call.of(fx.Join)[-1].hold, sounding(call, CALL)) == (False, [])


def test_who_waits_leaves_while_it_rings() -> None:
    call = waits()
    task_calls(call)
    call.feed(ev.LegRinging(call_sid=CALLEE, early_media=True))
    call.hangup()
    assert call.board.conferences._ringing == {}
    call.feed(ev.LegAnswered(call_sid=CALLEE))  # into a fresh conference of that name
    assert (sounding(call, CALLEE), call.board.conferences.live) == ([MUSIC], 1)
