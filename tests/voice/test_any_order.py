"""Parent and child legs under any interleaving of events: one end each, and nothing is kept."""

from __future__ import annotations

from collections.abc import Callable

from driver import BASE, CALL, Driver, write
from hypothesis import given, settings
from hypothesis import strategies as st

from ringback import effects as fx
from ringback import events as ev
from ringback.kernel.errors import Refused
from ringback.kernel.lane import Lane
from ringback.voice.call.machine import TERMINAL

NOUN = "statusCallback='/s' statusCallbackEvent='initiated ringing answered completed'"
DOCUMENTS = {
    "one": f"<Dial record='record-from-ringing' action='/after'><Number {NOUN}>+15551230009</Number></Dial>",
    "two": f"<Dial hangupOnStar='true' action='/after'><Number {NOUN}>+15551230009</Number>"
    f"<Number {NOUN} url='/w'>+15551230010</Number></Dial>",
    "sequential": "<Dial sequential='true' answerOnBridge='true'><Number>+15551230009</Number>"
    "<Sip><Uri>sip:a@x.test</Uri><Uri>sip:b@x.test</Uri></Sip></Dial><Say>sorry</Say>",
}
PAGES = {
    "/after": "<Response><Say>after</Say></Response>",
    "/w": "<Response><Gather numDigits='1'><Say>press</Say></Gather><Hangup/></Response>",
    "/new": "<Response><Pause length='5'/></Response>",
}

Act = Callable[[Driver, str], ev.Event]


def _recording(call: Driver, sid: str) -> ev.Event:
    made = call.of(fx.RecordLeg)
    name = made[-1].recording_sid if made else "RE" + "9" * 32
    return ev.RecordingEnded(lane=Lane("call", sid), recording_sid=name, seconds=2.0, silent=False)


def _playback(call: Driver, sid: str) -> ev.Event:
    made = [one.playback for one in call.of(fx.PlayAudio) if one.call_sid == sid]
    name = made[-1] if made else "play1"
    return ev.PlaybackEnded(call_sid=sid, playback=name, seconds=1.0, completed=True)


def _timer(name: str) -> Act:
    return lambda call, sid: ev.TimerFired(lane=Lane("call", sid), name=name)


ACTS: dict[str, Act] = {
    "rings": lambda call, sid: ev.LegRinging(call_sid=sid),
    "early media": lambda call, sid: ev.LegRinging(call_sid=sid, early_media=True),
    "answers": lambda call, sid: ev.LegAnswered(call_sid=sid),
    "busy": lambda call, sid: ev.LegFailed(call_sid=sid, sip_code=486),
    "unreachable": lambda call, sid: ev.LegFailed(call_sid=sid, sip_code=503, by="transport"),
    "cancelled": lambda call, sid: ev.LegFailed(call_sid=sid, sip_code=487, by="us"),
    "hangs up": lambda call, sid: ev.LegEnded(call_sid=sid, by="remote"),
    "one": lambda call, sid: ev.DigitPressed(call_sid=sid, digit="1"),
    "star": lambda call, sid: ev.DigitPressed(call_sid=sid, digit="*"),
    "played": _playback,
    "recorded": _recording,
    "ring timer": _timer("ring"),
    "dial limit": _timer("dial-limit"),
    "file timer": _timer("dial-recording"),
    "time limit": _timer("time-limit"),
    "owed timer": _timer("owed-guard"),
    "hang-up guard": _timer("hangup-guard"),
    "redirect": lambda call, sid: write("Call", "update", sid, params={"Url": [BASE + "/new"]}),
    "complete": lambda call, sid: write("Call", "update", sid, params={"Status": ["completed"]}),
    "shutdown": lambda call, sid: ev.HangUpRequested(call_sid=sid, reason="shutdown"),
    "record": lambda call, sid: write("Recording", "create", "RE" + "3" * 32, Lane("call", sid)),
    "crash": lambda call, sid: ev.TimerFired(lane=Lane("call", sid), name="crash"),
}


def _do(call: Driver, act: str, which: int) -> None:
    legs = [CALL, *call.children()]
    sid = legs[which % len(legs)]
    event = ACTS[act](call, sid)
    if act == "crash":
        effects = call.board.crashed(sid, call.now, ValueError("made up"))
        call.effects += effects
        for effect in effects:
            call._perform(effect)
        return
    try:
        call.feed(event)
    except Refused as refused:
        assert refused.code in (21220, 16108)  # noqa: PT017


def _end(call: Driver) -> None:
    """Carriers end every leg and finish every file in the end."""
    for _ in range(8):
        for sid in [CALL, *call.children()]:
            call.feed(ev.LegEnded(call_sid=sid, by="remote"))
        for one in call.of(fx.RecordLeg):
            call.feed(
                ev.RecordingEnded(
                    lane=Lane("call", one.call_sid),
                    recording_sid=one.recording_sid,
                    seconds=1.0,
                    silent=False,
                )
            )


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(sorted(DOCUMENTS)),
    st.integers(0, 2),
    st.lists(st.tuples(st.sampled_from(sorted(ACTS)), st.integers(0, 3)), max_size=16),
)
def test_every_leg_ends_once(document: str, answered: int, acts: list[tuple[str, int]]) -> None:
    call = Driver({"/voice": f"<Response>{DOCUMENTS[document]}</Response>", **PAGES})
    call.arrive(status_callback=BASE + "/s")
    for which in range(answered):  # how far the call is when the disorder begins
        _do(call, "answers", which)
    for act, which in acts:
        _do(call, act, which)
    _end(call)
    legs = [CALL, *call.children()]
    for sid in legs:
        seen = call.statuses[sid]
        assert seen[-1] in TERMINAL
        assert len({one for one in seen if one in TERMINAL}) == 1
        if seen[-1] == "completed":
            assert "in-progress" in seen
        told = [status for at, status in call.hooks("CallSid", "CallStatus") if at == sid]
        assert len([one for one in told if one in TERMINAL]) <= 1
        numbers = [int(n) for at, n in call.hooks("CallSid", "SequenceNumber") if at == sid and n]
        assert numbers == list(range(len(numbers)))
    assert {one.call_sid for one in call.of(fx.ReleaseCall)} == set(legs)
    assert call.board.live == 0
    final = [status for at, status in call.hooks("CallSid", "CallStatus") if at == CALL]
    assert len(final) == 1
    assert all(one.status in ("completed", "absent") for one in call.recordings.values())


def test_a_leg_that_nobody_ends_is_kept() -> None:
    """The counterpart of the property above: it is the end that releases a call."""
    call = Driver({"/voice": f"<Response>{DOCUMENTS['one']}</Response>", **PAGES})
    call.arrive()
    call.answered()
    assert call.board.live == 2
    assert call.of(fx.ReleaseCall) == []
