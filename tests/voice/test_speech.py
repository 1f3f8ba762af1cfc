"""Who speaks in a conference, and how much delay a leg may have (twiml.md §5.3)."""

from __future__ import annotations

from typing import Any

import pytest
from driver import CALL, Driver
from queue_site import Held

from ringback import effects as fx
from ringback.effects.conferences import BoundDelay, WatchSpeech
from ringback.events.conferences import SpeechChanged
from ringback.kernel.lane import Lane

OTHER, THIRD = "CA" + "2" * 32, "CA" + "3" * 32
SPEAKER = "statusCallback='/cb' statusCallbackEvent='speaker leave'"


def meeting(*attributes: str) -> Driver:
    """One call for each, in the order in which they come."""
    call = Driver()
    for number, (sid, text) in enumerate(zip((CALL, OTHER, THIRD), attributes, strict=False)):
        call.pages[f"/voice{number}"] = (
            f"<Response><Dial><Conference {text}>r</Conference></Dial><Say>out</Say></Response>"
        )
        call.arrive(f"/voice{number}", sid=sid)
        call.answered(sid)
    return call


def watched(call: Driver) -> list[tuple[str, bool]]:
    return [(one.call_sid, one.on) for one in call.of(WatchSpeech)]


def speaks(call: Driver, sid: str, speaking: bool) -> None:
    call.feed(SpeechChanged(call_sid=sid, speaking=speaking))


def told(call: Driver) -> list[tuple[str, ...]]:
    return call.hooks("StatusCallbackEvent", "CallSid", "SequenceNumber")


def test_beginning_and_end_of_speech_are_told_with_the_participants_facts() -> None:
    call = meeting(SPEAKER + " participantLabel='boss'", "")
    assert watched(call) == [(OTHER, True), (CALL, True)]
    speaks(call, CALL, True)
    speaks(call, CALL, True)  # told already
    speaks(call, OTHER, True)
    speaks(call, CALL, False)
    assert told(call) == [
        ("participant-speech-start", CALL, "1"), ("participant-speech-start", OTHER, "2"),
        ("participant-speech-stop", CALL, "3"),
    ]  # fmt: skip
    assert call.hooks("ParticipantLabel", "Muted", "Hold")[0] == ("boss", "false", "false")
    call.hangup(OTHER)
    assert told(call)[-1] == ("participant-leave", OTHER, "4")


def test_nobody_is_watched_who_is_not_asked_for() -> None:
    call = meeting("statusCallback='/cb' statusCallbackEvent='start end join leave mute hold'", "")
    assert watched(call) == []
    before = len(told(call))
    speaks(call, CALL, True)
    assert len(told(call)) == before


def test_nobody_is_watched_before_it_starts() -> None:
    call = meeting(SPEAKER)
    assert watched(call) == []


def test_one_who_asks_later_has_everybody_watched() -> None:
    call = meeting("", "", SPEAKER)
    assert sorted(watched(call)) == [(CALL, True), (OTHER, True), (THIRD, True)]


def test_who_leaves_is_watched_no_more_and_what_comes_late_is_nothing() -> None:
    call = meeting(SPEAKER, "", "")
    call.update(OTHER, Twiml="<Response><Pause length='99'/></Response>")
    assert watched(call)[-1] == (OTHER, False)
    before = len(told(call))
    speaks(call, OTHER, False)
    assert len(told(call)) == before


def test_what_crosses_the_end_of_the_conference_is_not_told_after_it() -> None:
    call = Held({"/voice": f"<Response><Dial><Conference {SPEAKER}>r</Conference></Dial></Response>"})
    for sid in (CALL, OTHER):
        call.arrive(sid=sid)
        call.answered(sid)
    room = call.board.conferences.of(CALL)
    assert room is not None
    call.held = []
    call.write("Conference", "update", room.sid, Lane("conference", room.sid), {"Status": ["completed"]})
    before = len(told(call))
    speaks(call, CALL, True)
    assert len(told(call)) == before
    call.release()


@pytest.mark.parametrize(
    ("size", "bounds"),
    [("", []), ("large", []), ("medium", [120, None]), ("small", [60, None]), ("off", [20, None])],
)
def test_jitter_buffer_size_bounds_the_delay_while_it_takes_part(size: str, bounds: list[Any]) -> None:
    call = meeting(f"jitterBufferSize='{size}'" if size else "", "")
    assert [one.milliseconds for one in call.of(BoundDelay)] == bounds[:1]
    call.update(Twiml="<Response><Pause length='99'/></Response>")
    assert [(one.call_sid, one.milliseconds) for one in call.of(BoundDelay)] == [
        (CALL, each) for each in bounds
    ]
    assert call.of(fx.LeaveRoom)
