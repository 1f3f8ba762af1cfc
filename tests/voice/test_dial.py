# ruff: noqa: E501 - documents are easier to read on one line
"""``<Dial>`` in all its attributes (twiml.md §5; voice-calls.md §7)."""

from __future__ import annotations

import pytest
from driver import BASE, CALL, Driver

from ringback import effects as fx
from ringback import events as ev
from ringback.kernel.errors import Refused

SAY = "<Response><Say>hello</Say><Hangup/></Response>"
NEXT = "<Say>next</Say>"


def dialling(dial: str, *, answered: bool = True, **pages: str) -> Driver:
    """An inbound call whose document is ``dial``."""
    call = Driver({"/voice": f"<Response>{dial}{NEXT}</Response>", "/after": SAY, **pages})
    call.arrive()
    if answered:
        call.answered()
    return call


def said(call: Driver) -> str:
    return getattr(call.of(fx.PlayAudio)[-1].items[0], "text", "")


def tones(call: Driver) -> list[str]:
    return [item.name for one in call.of(fx.PlayAudio) for item in one.items if isinstance(item, fx.Tone)]


def test_time_limit_ends_the_far_leg_and_the_document_goes_on() -> None:
    call = dialling("<Dial timeLimit='7'>+15551230009</Dial>")
    child = call.children()[0]
    call.answered(child)
    limits = [one for one in call.of(fx.StartTimer) if one.name == "dial-limit"]
    assert [(one.seconds, one.pulls) for one in limits] == [(7.0, False)]
    call.fire("dial-limit")
    assert call.of(fx.HangUpLeg)[-1].call_sid == child
    assert 32015 in call.codes()
    call.hangup(child)
    assert said(call) == "next"
    assert call.status() == "in-progress"


def test_star_hangs_up_the_far_leg_only_when_asked_for() -> None:
    for wanted, ended in (("true", 1), ("false", 0)):
        call = dialling(f"<Dial hangupOnStar='{wanted}' action='/after'>+15551230009</Dial>")
        child = call.children()[0]
        call.answered(child)
        call.press("1*")
        assert len(call.of(fx.HangUpLeg)) == ended
        if ended:
            call.hangup(child)
            assert call.asked("/after")[0]["DialCallStatus"] == "completed"


def test_star_while_ringing_gives_up_the_others_too() -> None:
    call = dialling(
        "<Dial hangupOnStar='true' sequential='true'><Number>+15551230009</Number><Number>+15551230010</Number></Dial>"
    )
    call.press("*")
    call.feed(ev.LegFailed(call_sid=call.children()[0], sip_code=487, by="us"))
    assert len(call.children()) == 1
    assert said(call) == "next"


@pytest.mark.parametrize(
    ("value", "when", "channels"),
    [
        ("record-from-answer", "answer", 1), ("record-from-ringing", "ringing", 1), ("true", "answer", 1),
        ("record-from-answer-dual", "answer", 2), ("record-from-ringing-dual", "ringing", 2),
        ("do-not-record", "", 0), ("false", "", 0),
    ],
)  # fmt: skip
def test_record(value: str, when: str, channels: int) -> None:
    call = dialling(
        f"<Dial record='{value}' recordingTrack='outbound' trim='trim-silence' action='/after' recordingStatusCallback='/rec'>+15551230009</Dial>"
    )
    child = call.children()[0]
    call.feed(ev.LegRinging(call_sid=child))
    assert bool(call.of(fx.RecordLeg)) is (when == "ringing")
    call.answered(child)
    made = call.of(fx.RecordLeg)
    assert [one.channels for one in made] == ([channels] if when else [])
    if not when:
        call.hangup(child)
        assert "RecordingUrl" not in call.asked("/after")[0]
        return
    assert (made[0].call_sid, made[0].track, made[0].trim) == (CALL, "outbound", True)
    call.now += 20
    call.hangup(child)
    assert call.asked("/after") == []
    assert len(call.of(fx.StopRecording)) == 1
    call.recorded(18.6)
    facts = call.asked("/after")[0]
    assert facts["RecordingDuration"] == "19"
    assert facts["RecordingUrl"].endswith(facts["RecordingSid"])
    assert call.hooks("RecordingStatus", "RecordingSource", "RecordingChannels") == [
        ("completed", "DialVerb", str(channels))
    ]


def test_the_action_waits_two_seconds_for_the_file_at_most() -> None:
    call = dialling("<Dial record='true' action='/after'>+15551230009</Dial>")
    child = call.children()[0]
    call.answered(child)
    call.now += 30
    call.hangup(child)
    wait = next(one for one in call.of(fx.StartTimer) if one.name == "dial-recording")
    assert wait.seconds == 2.0
    call.fire("dial-recording")
    assert call.asked("/after")[0]["RecordingDuration"] == "30"
    call.recorded(29.0)
    assert len(call.asked("/after")) == 1


@pytest.mark.parametrize("ready", [True, False])
def test_the_caller_hangs_up_while_recorded(ready: bool) -> None:
    call = dialling("<Dial record='true' action='/after'>+15551230009</Dial>")
    child = call.children()[0]
    call.answered(child)
    call.now += 30
    call.hangup()
    assert call.asked("/after") == []
    if ready:
        call.recorded(29.0)
    else:
        call.now += 2
        call.fire("owed-guard")
    facts = call.asked("/after")[0]
    assert (facts["DialCallStatus"], facts["CallStatus"]) == ("completed", "completed")
    assert facts["RecordingDuration"] == ("29" if ready else "32")
    call.hangup(child)
    if not ready:
        call.recorded(29.0)
    assert len(call.asked("/after")) == 1
    assert call.board.live == 0


def test_early_media_is_heard_by_an_answered_caller() -> None:
    call = dialling("<Dial>+15551230009</Dial>")
    assert tones(call) == ["ringback-us"]
    child = call.children()[0]
    call.feed(ev.LegRinging(call_sid=child, early_media=True))
    assert {one.call_sid for one in call.of(fx.Join)} == {CALL, child}
    assert len(call.of(fx.StopAudio)) == 1
    call.answered(child)
    assert len(call.of(fx.Join)) == 2


def test_early_media_of_a_leg_that_fails_gives_way_to_ringing() -> None:
    call = dialling(
        "<Dial sequential='true' ringTone='uk'><Number>+15551230009</Number><Number>+15551230010</Number></Dial>"
    )
    call.feed(ev.LegRinging(call_sid=call.children()[0], early_media=True))
    call.feed(ev.LegFailed(call_sid=call.children()[0], sip_code=486))
    assert len(call.of(fx.LeaveRoom)) == 1
    assert tones(call) == ["ringback-uk", "ringback-uk"]
    call.answered(call.children()[1])
    assert call.of(fx.Join)[-1].call_sid == call.children()[1]


def test_answer_on_bridge_answers_with_the_far_side() -> None:
    call = dialling("<Dial answerOnBridge='true'>+15551230009</Dial>", answered=False)
    child = call.children()[0]
    call.feed(ev.LegRinging(call_sid=child, early_media=True))
    assert (call.of(fx.AnswerLeg), call.of(fx.Join), tones(call)) == ([], [], [])
    assert len(call.of(fx.RingLeg)) == 1
    call.answered(child)
    assert len(call.of(fx.AnswerLeg)) == 1
    assert call.of(fx.Join) == []
    call.answered()
    assert len(call.of(fx.Join)) == 2


def test_answer_on_bridge_and_nobody_there_goes_on_unanswered() -> None:
    call = dialling("<Dial answerOnBridge='true'>+15551230009</Dial><Reject reason='busy'/>", answered=False)
    call.feed(ev.LegFailed(call_sid=call.children()[0], sip_code=404))
    assert call.of(fx.AnswerLeg) == []
    assert call.status() == "busy"


def test_ten_ring_at_once_and_no_more() -> None:
    nouns = "".join(f"<Number>+1555123{number:04d}</Number>" for number in range(11))
    call = dialling(f"<Dial action='/after'>{nouns}</Dial>")
    children = call.children()
    assert len(children) == 10
    assert 13215 in call.codes()
    call.answered(children[6])
    assert {one.call_sid for one in call.of(fx.HangUpLeg)} == set(children) - {children[6]}
    for child in children:
        if child != children[6]:
            call.feed(ev.LegFailed(call_sid=child, sip_code=487, by="us"))
    call.hangup(children[6])
    facts = call.asked("/after")[0]
    assert (facts["DialCallStatus"], facts["DialCallSid"]) == ("completed", children[6])


@pytest.mark.parametrize(
    ("codes", "status"),
    [((404, 480, 486), "busy"), ((404, 480), "no-answer"), ((404, 503), "failed"), ((486, 404), "busy")],
)
def test_the_best_of_several_failures_is_told(codes: tuple[int, ...], status: str) -> None:
    nouns = "".join(f"<Number>+1555123{number:04d}</Number>" for number in range(len(codes)))
    call = dialling(f"<Dial action='/after'>{nouns}</Dial>")
    for child, code in zip(call.children(), codes, strict=True):
        call.feed(ev.LegFailed(call_sid=child, sip_code=code))
    facts = call.asked("/after")[0]
    assert (facts["DialCallStatus"], facts["DialBridged"], facts["DialCallDuration"]) == (
        status,
        "false",
        "0",
    )


def test_the_ring_timeout_of_dial() -> None:
    call = dialling("<Dial timeout='9' action='/after'>+15551230009</Dial>")
    child = call.children()[0]
    assert next(one for one in call.of(fx.StartTimer) if one.lane.sid == child).seconds == 9.0
    call.fire("ring", child)
    call.feed(ev.LegFailed(call_sid=child, sip_code=487, by="us"))
    assert call.asked("/after")[0]["DialCallStatus"] == "no-answer"
    assert call.status(child) == "no-answer"


def test_rest_ends_the_ringing_child() -> None:
    call = dialling("<Dial action='/after'>+15551230009</Dial>")
    child = call.children()[0]
    call.update(child, Status="canceled")
    call.feed(ev.LegFailed(call_sid=child, sip_code=487, by="us"))
    assert call.asked("/after")[0]["DialCallStatus"] == "canceled"


def test_a_client_without_a_phone() -> None:
    call = dialling(
        "<Dial action='/after'><Client><Identity>joan</Identity><Parameter name='a' value='b'/></Client></Dial>"
    )
    assert call.of(fx.DialLeg)[0].to == "client:joan"
    call.feed(ev.LegFailed(call_sid=call.children()[0], sip_code=404, by="unregistered"))
    assert call.asked("/after")[0]["DialCallStatus"] == "failed"
    assert call.codes() == [32009]


# --- whisper documents -----------------------------------------------------------------------------

WHISPER = "<Dial action='/after'><Number url='/w'>+15551230009</Number></Dial>"


def test_whisper_with_gather() -> None:
    page = (
        "<Response><Gather numDigits='1' action='/accept'><Say>press one</Say></Gather><Hangup/></Response>"
    )
    call = dialling(WHISPER, **{"/w": page, "/accept": "<Response><Say>connecting</Say></Response>"})
    child = call.children()[0]
    call.answered(child)
    assert call.of(fx.Join) == []
    call.press("1", child)
    assert call.asked("/accept")[0]["Digits"] == "1"
    assert call.asked("/accept")[0]["ParentCallSid"] == CALL
    assert call.of(fx.Join) == []
    call.played(child)
    assert len(call.of(fx.Join)) == 2


def test_whisper_without_a_key_refuses() -> None:
    call = dialling(WHISPER, **{"/w": "<Response><Gather/><Hangup/></Response>"})
    child = call.children()[0]
    call.answered(child)
    call.fire("gather", child)
    assert call.of(fx.HangUpLeg)[-1].call_sid == child
    call.hangup(child)
    facts = call.asked("/after")[0]
    assert (facts["DialCallStatus"], facts["DialBridged"]) == ("no-answer", "false")


def test_dial_in_a_whisper_is_an_error_and_refuses() -> None:
    call = dialling(WHISPER, **{"/w": "<Response><Dial>+15551230011</Dial></Response>"})
    child = call.children()[0]
    call.answered(child)
    assert call.codes() == [13201]
    assert len(call.children()) == 1
    call.played(child)
    call.hangup(child)
    assert call.asked("/after")[0]["DialBridged"] == "false"


def test_the_second_to_answer_during_a_whisper_may_win() -> None:
    call = dialling(
        "<Dial action='/after'><Number url='/w'>+15551230009</Number><Number>+15551230010</Number></Dial>",
        **{"/w": "<Response><Pause length='5'/></Response>"},
    )
    one, two = call.children()
    call.answered(one)
    call.answered(two)
    assert [leg.call_sid for leg in call.of(fx.HangUpLeg)] == [one]
    call.hangup(one)
    call.hangup(two)
    assert call.asked("/after")[0]["DialCallSid"] == two


# --- redirecting one of two legs (voice-calls.md §7) -------------------------------------------------


def test_redirecting_the_parent_hangs_up_the_child() -> None:
    call = dialling("<Dial action='/after'>+15551230009</Dial>", **{"/new": SAY})
    child = call.children()[0]
    call.answered(child)
    call.update(Url=BASE + "/new")
    assert call.asked("/new")
    assert call.asked("/after") == []
    assert [leg.call_sid for leg in call.of(fx.HangUpLeg)] == [child]
    call.hangup(child)
    assert (call.status(child), call.status()) == ("completed", "in-progress")


def test_redirecting_both_keeps_both() -> None:
    call = dialling("<Dial>+15551230009</Dial>", **{"/new": "<Response><Pause length='60'/></Response>"})
    child = call.children()[0]
    call.answered(child)
    call.update(child, Url=BASE + "/new")
    call.update(Url=BASE + "/new")
    assert call.of(fx.HangUpLeg) == []
    assert (call.status(child), call.status()) == ("in-progress", "in-progress")
    call.hangup(child)
    assert call.status() == "in-progress"


def test_redirecting_a_ringing_child_is_refused() -> None:
    call = dialling("<Dial>+15551230009</Dial>")
    with pytest.raises(Refused) as refused:
        call.update(call.children()[0], Url=BASE + "/new")
    assert refused.value.code == 21220


# --- callerId ------------------------------------------------------------------------------------------


def test_caller_id_is_checked() -> None:
    for allowed in (True, False):
        call = dialling("<Dial callerId='+15559990000' action='/after'>+15551230009</Dial>")
        assert call.children() == []
        asked = call.of(fx.CheckCallerId)[0]
        assert asked.number == "+15559990000"
        call.feed(ev.CallerIdChecked(call_sid=CALL, request=asked.request, allowed=allowed))
        if allowed:
            assert call.of(fx.DialLeg)[0].from_ == "+15559990000"
        else:
            assert call.asked("/after")[0]["DialCallStatus"] == "failed"
            assert call.codes() == [13247]


def test_caller_id_may_be_to_or_from_but_not_of_a_sip_call() -> None:
    call = dialling("<Dial callerId='+15550100123'>+15551230009</Dial>")
    assert call.of(fx.DialLeg)[0].from_ == "+15550100123"
    call = Driver({"/voice": "<Response><Dial callerId='+15550100123'>+15551230009</Dial></Response>"})
    call.arrive(from_="sip:joan@phones.test")
    call.answered()
    assert call.of(fx.CheckCallerId)[0].number == "+15550100123"


@pytest.mark.parametrize(("value", "code"), [("me myself", 13214), ("+" + "1" * 300, 13248)])
def test_a_bad_caller_id_falls_back_to_the_callers_own(value: str, code: int) -> None:
    call = dialling(f"<Dial callerId='{value}'>+15551230009</Dial>")
    assert call.codes() == [code]
    assert call.of(fx.DialLeg)[0].from_ == "+15551230001"


def test_machine_detection_of_a_number_tells_its_callback_unknown() -> None:
    call = dialling(
        "<Dial><Number machineDetection='Enable' amdStatusCallback='/amd'>+15551230009</Number></Dial>"
    )
    assert call.codes() == [12200]
    child = call.children()[0]
    call.answered(child)
    assert call.hooks("CallSid", "AnsweredBy") == [(child, "unknown")]
    assert len(call.of(fx.Join)) == 2
