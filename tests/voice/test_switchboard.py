# ruff: noqa: E501 - documents are easier to read on one line
"""Whole calls on the driver: voice-calls.md §14 and twiml.md §10."""

from __future__ import annotations

import pytest
from driver import ACCOUNT, BASE, CALL, Driver, write
from hypothesis import given, settings
from hypothesis import strategies as st

from ringback import effects as fx
from ringback import events as ev
from ringback.events.writes import NewCall, Verification
from ringback.kernel.errors import Refused
from ringback.kernel.lane import Lane
from ringback.voice.call.machine import TERMINAL

SAY = "<Response><Say>hello</Say><Hangup/></Response>"
ALL = ["initiated", "ringing", "answered", "completed"]


def test_inbound_say_and_hangup() -> None:
    call = Driver({"/voice": SAY})
    call.arrive(status_callback=BASE + "/status")
    assert call.asked("/voice")[0]["CallStatus"] == "ringing"
    assert len(call.of(fx.AnswerLeg)) == 1
    call.answered()
    assert call.of(fx.PlayAudio)[0].items[0].text == "hello"
    call.now += 61.4
    call.played()
    assert len(call.of(fx.HangUpLeg)) == 1
    call.feed(ev.LegEnded(call_sid=CALL, by="local"))
    assert call.statuses[CALL] == ["ringing", "in-progress", "completed"]
    assert call.hooks("CallStatus", "CallDuration", "Duration", "SequenceNumber") == [
        ("completed", "61", "2", "0")
    ]
    assert call.of(fx.ReleaseCall)
    assert call.board.live == 0


def test_outbound_with_all_callbacks() -> None:
    call = Driver({"/voice": SAY})
    made = call.create(StatusCallback=BASE + "/status", StatusCallbackEvent=ALL)
    assert made.status == "queued"
    call.dialled()
    call.played()
    call.hangup()
    assert call.hooks("CallStatus", "SequenceNumber", "SipResponseCode") == [
        ("initiated", "0", ""), ("ringing", "1", ""), ("in-progress", "2", ""), ("completed", "3", "200"),
    ]  # fmt: skip
    assert call.board.live == 0


def test_claim_is_saved_before_dialling() -> None:
    call = Driver({"/voice": SAY})
    call.create()
    effects = call.feed(ev.DialStarted(call_sid=CALL))
    saved = next(i for i, one in enumerate(effects) if isinstance(one, fx.Save))
    assert effects[saved].record.status == "initiated"
    assert any(isinstance(one, fx.DialLeg) for one in effects)
    assert not any(isinstance(one, fx.DialLeg) for one in call.feed(ev.DialStarted(call_sid=CALL)))


@pytest.mark.parametrize(
    ("code", "by", "status", "sip", "error"),
    [
        (486, "callee", "busy", "486", ""), (603, "callee", "busy", "603", ""),
        (480, "callee", "no-answer", "480", ""), (404, "callee", "failed", "404", "13224"),
        (403, "callee", "failed", "403", "13225"), (488, "callee", "failed", "488", "32102"),
        (503, "carrier", "failed", "503", "32011"), (408, "timeout", "failed", "408", "32011"),
        (503, "transport", "failed", "503", "13254"), (404, "unregistered", "failed", "404", "32009"),
    ],
)  # fmt: skip
def test_unanswered(code: int, by: str, status: str, sip: str, error: str) -> None:
    call = Driver()
    call.create(StatusCallback=BASE + "/s")
    call.dialled(answered=False)
    call.feed(ev.LegFailed(call_sid=CALL, sip_code=code, by=by))  # type: ignore[arg-type]
    names = ("CallStatus", "SequenceNumber", "SipResponseCode", "CallDuration", "ErrorCode")
    assert call.hooks(*names) == [(status, "0", sip, "0", error)]
    assert call.status() == status


def test_a_caller_whose_offer_does_not_fit_is_no_caller_who_gave_up() -> None:
    for code, status, error in ((487, "no-answer", []), (488, "failed", [32102]), (500, "failed", [32011])):
        call = Driver({"/voice": "<Response><Dial><Number>+15551230009</Number></Dial></Response>"})
        call.arrive()
        call.feed(ev.LegFailed(call_sid=CALL, sip_code=code, reason="no usable audio"))
        assert (call.status(), call.codes()) == (status, error)


def test_ring_timeout_and_cancel() -> None:
    for act, status in (("timer", "no-answer"), ("api", "canceled")):
        call = Driver()
        call.create(StatusCallback=BASE + "/s", Timeout="3")
        call.dialled(answered=False)
        if act == "timer":
            call.fire("ring")
        else:
            call.update(Status="canceled")
        call.feed(ev.LegFailed(call_sid=CALL, sip_code=487, by="us"))
        assert call.hooks("CallStatus", "SipResponseCode") == [(status, "487")]


def test_cancel_while_queued_tells_nobody() -> None:
    call = Driver()
    call.create(StatusCallback=BASE + "/s", StatusCallbackEvent=ALL)
    assert call.update(Status="canceled").status == "canceled"
    assert call.hooks("CallStatus") == []
    assert call.board.live == 0


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"To": None}, 21201), ({"From": None}, 21213), ({"Url": None}, 21205), ({"Url": "ftp://x/"}, 21205),
        ({"Url": None, "ApplicationSid": "AP1"}, 21218), ({"Method": "PUT"}, 21209), ({"From": "x y"}, 21212),
        ({"To": "hello"}, 21211), ({"To": "+1555"}, 21217), ({"SendDigits": "x"}, 21206),
        ({"Timeout": "0"}, 21208), ({"StatusCallback": "http://a_b.test/"}, 21609),
        ({"StatusCallback": BASE, "StatusCallbackEvent": "nope"}, 21626), ({"Url": None, "Twiml": "x" * 4001}, 32018),
    ],
)  # fmt: skip
def test_refusals(params: dict[str, str | None], code: int) -> None:
    call = Driver()
    with pytest.raises(Refused) as refused:
        call.create(**params)
    assert refused.value.code == code
    assert call.effects == []
    assert call.board.live == 0


def test_magic_numbers_and_rights() -> None:
    call = Driver()
    for to, code in (
        ("+15005550001", 21217),
        ("+15005550002", 21214),
        ("+15005550003", 21215),
        ("+15005550004", 21216),
    ):
        with pytest.raises(Refused) as refused:
            call.create(To=to, From="+15005550006", test=True)
        assert refused.value.code == code
    with pytest.raises(Refused) as refused:
        call.create(own=False)
    assert refused.value.code == 21210
    assert call.create(To="+15005550006", From="+15005550006", test=True).status == "queued"
    assert call.of(fx.Save) == []


def test_both_sources_warn() -> None:
    call = Driver({"/voice": SAY})
    call.create(Twiml="<Response/>")
    assert call.codes() == [32019]
    call.dialled()
    assert call.asked("/voice")


def test_update_rules() -> None:
    call = Driver({"/voice": "<Response><Pause length='60'/></Response>", "/new": SAY})
    call.create()
    with pytest.raises(Refused) as refused:
        call.update(Url=BASE + "/new")
    assert (refused.value.code, refused.value.message) == (21220, "Call is not in-progress. Cannot redirect.")
    call.dialled()
    assert call.update(Status="canceled").status == "in-progress"
    call.update(Url=BASE + "/new")
    assert len(call.of(fx.StopAudio)) == 1
    assert call.asked("/new")
    call.update(Status="completed")
    call.hangup()
    assert call.status() == "completed"
    with pytest.raises(Refused):
        call.update(Url=BASE + "/new")
    assert call.update(Status="completed") is None


def test_fallback_and_application_error() -> None:
    call = Driver({"/voice": 500, "/fallback": SAY})
    call.create(FallbackUrl=BASE + "/fallback")
    call.dialled()
    facts = call.asked("/fallback")[0]
    assert (facts["ErrorCode"], facts["ErrorUrl"]) == ("11200", BASE + "/voice")
    call = Driver({"/voice": 500})
    call.create()
    call.dialled()
    assert "error" in call.of(fx.PlayAudio)[0].items[0].text
    call.played()
    call.hangup()
    assert call.status() == "completed"
    assert call.codes() == [11200]
    call = Driver({"/voice": 500})
    call.arrive()
    assert call.of(fx.RejectLeg)[0].sip_code == 500
    assert call.board.live == 0


def test_reject_is_never_answered() -> None:
    for reason, sip, status in (("busy", 486, "busy"), ("rejected", 603, "no-answer")):
        call = Driver({"/voice": f"<Response><Reject reason='{reason}'/></Response>"})
        call.arrive()
        assert (call.of(fx.RejectLeg)[0].sip_code, call.status()) == (sip, status)
        assert call.of(fx.AnswerLeg) == []


def test_gather_collects_and_falls_through() -> None:
    page = (
        "<Response><Gather action='/got' numDigits='2'><Say>press</Say></Gather><Say>nothing</Say></Response>"
    )
    call = Driver({"/voice": page, "/got": SAY})
    call.create()
    call.dialled()
    call.press("4")
    assert len(call.of(fx.StopAudio)) == 1
    call.press("2")
    assert call.asked("/got")[0]["Digits"] == "42"
    call = Driver({"/voice": page})
    call.create()
    call.dialled()
    call.played()
    call.fire("gather")
    assert call.of(fx.PlayAudio)[-1].items[0].text == "nothing"
    call = Driver(
        {"/voice": "<Response><Gather action='/got' actionOnEmptyResult='true'/></Response>", "/got": SAY}
    )
    call.create()
    call.dialled()
    call.press("#")
    assert call.asked("/got")[0]["Digits"] == ""


def _recorded(call: Driver, seconds: float = 4.0, silent: bool = False) -> None:
    sid = call.of(fx.RecordLeg)[0].recording_sid
    call.feed(
        ev.RecordingEnded(
            lane=Lane("call", CALL), recording_sid=sid, seconds=seconds, silent=silent, size=9000
        )
    )


def test_record_finish_key_hangup_and_silence() -> None:
    page = "<Response><Record action='/done' recordingStatusCallback='/rec'/><Say>never</Say></Response>"
    call = Driver({"/voice": page, "/done": SAY})
    call.create()
    call.dialled()
    call.press("#")
    assert len(call.of(fx.StopRecording)) == 1
    _recorded(call)
    facts = call.asked("/done")[0]
    assert (facts["Digits"], facts["RecordingDuration"]) == ("#", "4")
    assert "never" not in str(call.of(fx.PlayAudio))
    assert call.hooks("RecordingStatus", "RecordingSource") == [("completed", "RecordVerb")]

    call = Driver({"/voice": page, "/done": SAY})
    call.create()
    call.dialled()
    call.hangup()
    assert call.status() == "completed"
    assert call.of(fx.ReleaseCall) == []
    _recorded(call)
    facts = call.asked("/done")[0]
    assert (facts["Digits"], facts["CallStatus"], facts["RecordingDuration"]) == ("hangup", "completed", "4")
    assert call.board.live == 0

    call = Driver({"/voice": page})
    call.create()
    call.dialled()
    call.feed(
        ev.RecordingSilent(lane=Lane("call", CALL), recording_sid=call.of(fx.RecordLeg)[0].recording_sid)
    )
    _recorded(call, 0.0, True)
    assert call.of(fx.PlayAudio)[-1].items[0].text == "never"


def test_recording_by_rest() -> None:
    call = Driver({"/voice": "<Response><Pause length='60'/></Response>"})
    call.create()
    sid = "RE" + "2" * 32
    with pytest.raises(Refused) as refused:
        call.write("Recording", "create", sid, Lane("call", CALL), {})
    assert refused.value.code == 21220
    call.dialled()
    call.write("Recording", "create", sid, Lane("call", CALL), {"RecordingChannels": ["dual"]})
    assert (call.answer.sid, call.answer.channels) == (sid, 2)
    for status, shown in (("paused", "paused"), ("in-progress", "in-progress"), ("stopped", "stopped")):
        call.write(
            "Recording",
            "update",
            "Twilio.CURRENT" if status != "stopped" else sid,
            Lane("call", CALL),
            {"Status": [status]},
        )
        assert call.answer.status == shown
    with pytest.raises(Refused) as refused:
        call.write("Recording", "update", sid, Lane("call", CALL), {"Status": ["paused"]})
    assert refused.value.code == 16114


def _children(call: Driver) -> list[str]:
    return [leg.call_sid for leg in call.of(fx.DialLeg) if leg.call_sid != CALL]


def test_dial_joins_and_reports() -> None:
    page = (
        "<Response><Dial action='/after'><Number statusCallback='/n'>+15551230009</Number></Dial></Response>"
    )
    call = Driver({"/voice": page, "/after": SAY})
    call.arrive()
    call.answered()
    child = _children(call)[0]
    call.feed(ev.LegRinging(call_sid=child))
    call.feed(ev.LegAnswered(call_sid=child))
    assert {(join.call_sid, join.room) for join in call.of(fx.Join)} == {(CALL, CALL), (child, CALL)}
    call.now += 7
    call.hangup(child)
    facts = call.asked("/after")[0]
    assert facts["DialCallStatus"] == "completed"
    assert (facts["DialCallSid"], facts["DialCallDuration"], facts["DialBridged"]) == (child, "7", "true")
    assert call.hooks("CallStatus", "ParentCallSid") == [("completed", CALL)]


def test_dial_busy_goes_on_and_sequential() -> None:
    page = "<Response><Dial sequential='true'><Number>+15551230009</Number><Number>+15551230010</Number></Dial><Say>sorry</Say></Response>"
    call = Driver({"/voice": page})
    call.arrive()
    call.answered()
    for position in range(2):
        assert len(_children(call)) == position + 1
        call.feed(ev.LegFailed(call_sid=_children(call)[position], sip_code=486))
    assert call.of(fx.PlayAudio)[-1].items[0].text == "sorry"


def test_dial_first_answer_wins_and_parent_hangup() -> None:
    page = "<Response><Dial action='/after' answerOnBridge='true'><Number>+15551230009</Number><Number>+15551230010</Number></Dial></Response>"
    call = Driver({"/voice": page, "/after": SAY})
    call.arrive()
    assert call.of(fx.RingLeg)
    assert call.of(fx.AnswerLeg) == []
    one, two = _children(call)
    call.feed(ev.LegAnswered(call_sid=one))
    assert [leg.call_sid for leg in call.of(fx.HangUpLeg)] == [two]
    call.feed(ev.LegFailed(call_sid=two, sip_code=487, by="us"))
    assert call.status(two) == "no-answer"
    call.answered()
    assert len(call.of(fx.Join)) == 2
    call.hangup()
    assert call.of(fx.HangUpLeg)[-1].call_sid == one
    assert call.asked("/after")[0]["DialCallStatus"] == "completed"
    call.hangup(one)
    assert call.board.live == 0


def test_redirect_during_dial_ends_the_child() -> None:
    call = Driver({"/voice": "<Response><Dial>+15551230009</Dial></Response>", "/new": SAY})
    call.arrive()
    call.answered()
    call.update(Url=BASE + "/new")
    assert call.of(fx.HangUpLeg)[-1].call_sid == _children(call)[0]
    assert call.asked("/new")


def test_redirect_of_the_child_frees_the_parent() -> None:
    call = Driver(
        {
            "/voice": "<Response><Dial action='/after'>+15551230009</Dial></Response>",
            "/after": SAY,
            "/new": SAY,
        }
    )
    call.arrive()
    call.answered()
    child = _children(call)[0]
    call.feed(ev.LegAnswered(call_sid=child))
    call.update(sid=child, Url=BASE + "/new")
    assert "DialCallDuration" not in call.asked("/after")[0]
    assert call.of(fx.HangUpLeg) == []


@pytest.mark.parametrize(("whisper", "joined"), [("<Response/>", 2), ("<Response><Hangup/></Response>", 0)])
def test_whisper(whisper: str, joined: int) -> None:
    page = "<Response><Dial action='/after'><Number url='/w'>+15551230009</Number></Dial></Response>"
    call = Driver({"/voice": page, "/w": whisper, "/after": SAY})
    call.arrive()
    call.answered()
    child = _children(call)[0]
    call.feed(ev.LegAnswered(call_sid=child))
    assert len(call.of(fx.Join)) == joined
    call.hangup(child)
    assert call.asked("/after")[0]["DialBridged"] == ("true" if joined else "false")


def test_dial_in_whisper() -> None:
    page = "<Response><Dial><Number url='/w'>+15551230009</Number></Dial></Response>"
    call = Driver({"/voice": page, "/w": "<Response><Dial>+15551230011</Dial></Response>"})
    call.arrive()
    call.answered()
    call.feed(ev.LegAnswered(call_sid=_children(call)[0]))
    assert 13201 in call.codes()


def test_inline_relative_action() -> None:
    call = Driver()
    call.create(Url=None, Twiml="<Response><Gather action='/x'/></Response>")
    call.dialled()
    assert call.codes() == [15004]


def test_lower_case_verb_is_skipped() -> None:
    call = Driver({"/voice": "<Response><say>no</say><Say loop='x' colour='red'>yes</Say></Response>"})
    call.create()
    call.dialled()
    assert call.codes() == [12200, 13510, 12200]
    assert call.of(fx.PlayAudio)[0].items[0].text == "yes"


def test_lost_resumed_and_crashed() -> None:
    call = Driver({"/voice": SAY})
    call.create(StatusCallback=BASE + "/s")
    queued = call.calls[CALL]
    again = Driver({"/voice": SAY})
    again.feed(ev.CallResumed(call_sid=CALL, call=queued))
    assert again.of(fx.QueueDial)
    again.dialled(answered=False)
    lost = Driver()
    lost.feed(ev.CallLost(call_sid=CALL, call=again.calls[CALL]))
    assert lost.hooks("CallStatus", "ErrorCode") == [("failed", "15000")]
    assert lost.status() == "failed"
    effects = again.board.crashed(CALL, again.now, ValueError("x"))
    assert isinstance(effects[-1], fx.ReleaseCall)
    assert again.board.live == 0


def test_a_call_that_verifies_a_number_still_does_so_after_a_restart() -> None:
    wanted = Verification(
        number="+15551230002", friendly_name="desk", code="123456", sid="PN9", callback=BASE + "/v"
    )
    call, again = Driver(), Driver()
    call.write(
        "OutgoingCallerId", "create", "PN9", Lane("call", CALL),
        {"To": wanted.number, "From": "+15550100123", "Twiml": "<Response/>"},
        known=NewCall(caller_number_sid="PN9", verification=wanted),
    )  # fmt: skip
    again.feed(ev.CallResumed(call_sid=CALL, call=call.calls[CALL]))
    again.dialled()
    again.press("123456")
    (check,) = again.of(fx.CheckCallerId)
    assert check.number == wanted.number
    lost = Driver()
    lost.feed(ev.CallLost(call_sid=CALL, call=again.calls[CALL]))
    (hook,) = lost.of(fx.SendWebhook)
    assert dict(hook.params)["VerificationStatus"] == "failed"


_EVENTS = st.sampled_from(
    [
        ev.DialStarted(call_sid=CALL), ev.LegRinging(call_sid=CALL), ev.LegAnswered(call_sid=CALL),
        ev.LegFailed(call_sid=CALL, sip_code=486), ev.LegFailed(call_sid=CALL, sip_code=487, by="us"),
        ev.LegEnded(call_sid=CALL, by="remote"), ev.DigitPressed(call_sid=CALL, digit="1"),
        ev.TimerFired(lane=Lane("call", CALL), name="ring"), ev.TimerFired(lane=Lane("call", CALL), name="gather"),
        ev.TimerFired(lane=Lane("call", CALL), name="time-limit"), ev.HangUpRequested(call_sid=CALL, reason="shutdown"),
        ev.PlaybackEnded(call_sid=CALL, playback="play1", seconds=1.0, completed=True),
        write("Call", "update", CALL, params={"Status": ["completed"]}),
        write("Call", "update", CALL, params={"Url": [BASE + "/voice"]}),
        ev.DeadlineReached(lane=Lane("call", CALL), name="queue"),
        write("Recording", "create", "RE" + "3" * 32, Lane("call", CALL)),
    ]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.booleans(), st.lists(_EVENTS, max_size=14), st.sampled_from(["gather", "dial", "record"]))
def test_any_order_of_events(inbound: bool, events: list[ev.Event], what: str) -> None:
    """Nothing breaks the machine; there is one terminal status; the end of the leg releases the call."""
    body = {
        "gather": "<Gather><Say>a</Say></Gather>",
        "dial": "<Dial>+15551230009</Dial>",
        "record": "<Record/>",
    }
    call = Driver({"/voice": f"<Response>{body[what]}</Response>"})
    if inbound:
        call.arrive(status_callback=BASE + "/s")
    else:
        call.create(StatusCallback=BASE + "/s")
    ending = [*events, ev.DialStarted(call_sid=CALL), ev.LegEnded(call_sid=CALL, by="remote")]
    for event in ending:
        try:
            call.feed(event)
        except Refused as refused:
            assert refused.code in (21220, 16108)  # noqa: PT017
    for leg in _children(call):
        call.feed(ev.LegFailed(call_sid=leg, sip_code=487, by="us"))
    for sid in {one.recording_sid for one in call.of(fx.RecordLeg)}:
        call.feed(ev.RecordingEnded(lane=Lane("call", CALL), recording_sid=sid, seconds=1.0, silent=False))
    assert call.status() in TERMINAL
    assert len({one for one in call.statuses[CALL] if one in TERMINAL}) == 1
    assert len([one for one in call.hooks("CallStatus") if one[0] in TERMINAL]) <= 1
    assert call.board.live == 0
    assert call.calls[CALL].account_sid == ACCOUNT
