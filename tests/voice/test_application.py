"""``<Dial><Application>`` (twiml.md §5.1): a child call without a carrier, heard on its caller's leg."""

from __future__ import annotations

from typing import Any

import pytest
from driver import ACCOUNT, BASE, CALL, Driver

from ringback import effects as fx
from ringback import events as ev
from ringback.kernel.lane import Lane

AP = "AP" + "a" * 32
AGAIN = "<Response><Say>back</Say></Response>"


def handing(app: str, noun: str = f"<ApplicationSid>{AP}</ApplicationSid>", **more: Any) -> Driver:
    """A caller whose document dials the application, whose own document is ``app``."""
    attributes, dial = more.pop("attributes", ""), more.pop("dial", "")
    call = Driver(
        {
            "/voice": f"<Response><Dial action='/after' {dial}><Application {attributes}>{noun}</Application>"
            "</Dial></Response>",
            "/app": app, "/after": AGAIN, **more.pop("pages", {}),
        }
    )  # fmt: skip
    call.arrive()
    if more.pop("answered", True):
        call.answered()
    found(call, **more)
    return call


def found(call: Driver, **keys: Any) -> None:
    """The look-up of the application is answered."""
    for wanted in call.of(fx.FindApplication):
        assert (wanted.account_sid, wanted.application_sid) == (ACCOUNT, AP)
        routing = ev.VoiceRouting(
            application_sid=AP,
            **{"account_sid": ACCOUNT, "voice_url": BASE + "/app", "voice_method": "GET", **keys},
        )
        call.feed(ev.ApplicationFound(call_sid=wanted.call_sid, request=wanted.request, routing=routing))


def child_of(call: Driver) -> str:
    (sid,) = [sid for sid, record in call.calls.items() if record.parent_call_sid == CALL]
    return sid


def said(call: Driver) -> list[str]:
    """What was spoken, on which leg ever it was ordered; all on the caller's."""
    spoken = [one for one in call.of(fx.PlayAudio) if isinstance(one.items[0], fx.Speech)]
    assert {one.call_sid for one in spoken} <= {CALL}
    return [one.items[0].text for one in spoken]


def test_the_application_speaks_to_the_caller_and_ends_the_dial() -> None:
    call = handing("<Response><Say>Welcome to billing</Say></Response>")
    child = child_of(call)
    record = call.calls[child]
    assert (record.direction, record.to, record.from_) == ("outbound-dial", f"app:{AP}", "+15551230001")
    (request,) = [one for one in call.of(fx.FetchDocument) if one.url == BASE + "/app"]
    facts = dict(request.params)
    assert request.method == "GET"
    assert (facts["CallSid"], facts["ParentCallSid"], facts["CustomerId"]) == (child, CALL, ACCOUNT)
    assert said(call) == ["Welcome to billing"]
    assert not call.of(fx.DialLeg), "no carrier has anything to do with it"
    call.now += 7
    call.played()
    assert call.status(child) == "completed"
    facts = call.asked("/after")[0]
    names = ("DialCallStatus", "DialCallSid", "DialCallDuration", "DialBridged")
    assert [facts[name] for name in names] == ["completed", child, "7", "true"]
    assert said(call)[-1] == "back"
    assert call.status() == "in-progress"
    assert call.codes() == []


def test_statuses_are_told_to_the_nouns_callback_and_to_the_applications() -> None:
    call = handing(
        "<Response><Say>hi</Say></Response>",
        attributes="statusCallback='/noun' statusCallbackEvent='initiated ringing answered completed'",
        status_callback=BASE + "/app-status",
    )
    call.played()
    by_url = {
        url: [dict(hook.params)["CallStatus"] for hook in call.of(fx.SendWebhook) if hook.url == BASE + url]
        for url in ("/noun", "/app-status")
    }
    assert by_url == {
        "/noun": ["initiated", "ringing", "in-progress", "completed"], "/app-status": ["completed"],
    }  # fmt: skip


def test_parameters_customer_and_the_parents_to() -> None:
    call = handing(
        "<Response><Say>hi</Say></Response>",
        noun=f"<ApplicationSid>{AP}</ApplicationSid><Parameter name='Ticket' value='9876'/>"
        "<Parameter name='CallSid' value='forged'/><Parameter value='x'/><Other/>",
        attributes="customerId='shop' copyParentTo='true'",
    )
    facts = call.asked("/app")[0]
    assert (facts["Ticket"], facts["CustomerId"], facts["To"]) == ("9876", "shop", "+15550100123")
    assert facts["CallSid"] == child_of(call)
    assert call.codes() == [12200, 12200, 12200]


def test_keys_are_the_applications() -> None:
    call = handing("<Response><Gather numDigits='2' action='/keys'><Say>menu</Say></Gather></Response>",
                   pages={"/keys": "<Response><Say>thanks</Say></Response>"})  # fmt: skip
    call.press("42")
    assert call.asked("/keys")[0]["Digits"] == "42"
    assert call.asked("/keys")[0]["CallSid"] == child_of(call)
    assert said(call) == ["menu", "thanks"]
    assert [(one.call_sid, one.playback) for one in call.of(fx.StopAudio)][-1][0] == CALL


def test_star_ends_it_when_asked_for() -> None:
    call = handing("<Response><Say>hi</Say></Response>", dial="hangupOnStar='true'")
    call.press("*")
    assert call.asked("/after")[0]["DialCallStatus"] == "completed"
    assert call.status(child_of(call)) == "completed"


def test_the_caller_hangs_up() -> None:
    call = handing("<Response><Record action='/kept'/></Response>")
    child = child_of(call)
    (leg,) = call.of(fx.RecordLeg)
    assert leg.call_sid == CALL
    assert call.recordings[leg.recording_sid].call_sid == CALL, "the parent leg names it"
    call.hangup()
    assert (call.status(), call.status(child)) == ("completed", "completed")
    call.feed(
        ev.RecordingEnded(
            lane=Lane("call", CALL), recording_sid=leg.recording_sid, seconds=3.0, silent=False, size=24_000
        )
    )
    assert call.recordings[leg.recording_sid].status == "completed"
    assert call.asked("/kept")[0]["RecordingDuration"] == "3"
    assert call.asked("/after")[0]["DialCallStatus"] == "completed"
    assert not call.board.live


def test_an_application_that_dials_joins_its_callee_with_the_caller() -> None:
    call = handing("<Response><Dial>+15557654321</Dial></Response>")
    child = child_of(call)
    (callee,) = call.children()
    call.feed(ev.LegAnswered(call_sid=callee))
    assert {(join.call_sid, join.room) for join in call.of(fx.Join)} == {(CALL, child), (callee, child)}
    call.hangup(callee)
    assert (call.status(child), call.status()) == ("completed", "in-progress")
    assert [leave.call_sid for leave in call.of(fx.LeaveRoom)][-1] == CALL


def test_an_application_in_a_conference_is_its_caller() -> None:
    call = handing("<Response><Dial><Conference>room</Conference></Dial></Response>")
    child = child_of(call)
    second = "CA" + "2" * 32
    call.pages["/second"] = "<Response><Dial><Conference>room</Conference></Dial></Response>"
    call.arrive("/second", second, from_="+15551230009")
    call.answered(second)
    assert {join.call_sid for join in call.of(fx.Join)} == {CALL, second}
    call.hangup(second)
    call.hangup()
    assert call.status(child) == "completed"


def test_applications_within_applications() -> None:
    noun = f"<Dial><Application><ApplicationSid>{AP}</ApplicationSid></Application></Dial>"
    call = handing(f"<Response>{noun}<Say>inner is done</Say></Response>")
    call.pages["/app"] = "<Response><Gather numDigits='1' action='/keys'/></Response>"
    call.pages["/keys"] = "<Response><Say>deep</Say></Response>"
    wanted = call.of(fx.FindApplication)[-1]
    routing = ev.VoiceRouting(account_sid=ACCOUNT, application_sid=AP, voice_url=BASE + "/app")
    call.feed(ev.ApplicationFound(call_sid=wanted.call_sid, request=wanted.request, routing=routing))
    call.press("5")
    assert call.asked("/keys")[0]["Digits"] == "5"
    assert said(call) == ["deep"]
    call.played()
    assert said(call) == ["deep", "inner is done"]


@pytest.mark.parametrize(("reject", "status"), [("<Reject reason='busy'/>", "busy"), ("<Reject/>", "busy")])
def test_an_application_that_refuses(reject: str, status: str) -> None:
    call = handing(
        f"<Response>{reject}</Response>", answered=False, dial="answerOnBridge='true'",
        pages={"/after": "<Response><Reject/></Response>"},
    )  # fmt: skip
    assert call.asked("/after")[0]["DialCallStatus"] == status
    assert call.asked("/after")[0]["DialBridged"] == "false"
    assert call.status(child_of(call)) == status
    assert not call.of(fx.AnswerLeg)


def test_answer_on_bridge_answers_with_the_application() -> None:
    call = handing("<Response><Say>hi</Say></Response>", answered=False, dial="answerOnBridge='true'")
    assert [one.call_sid for one in call.of(fx.AnswerLeg)] == [CALL]
    assert said(call) == []
    call.answered()
    assert said(call) == ["hi"]
    assert call.status(child_of(call)) == "in-progress"


def test_hangup_hands_parameters_back() -> None:
    call = handing("<Response><Say>hi</Say><Hangup><Parameter name='Paid' value='yes'/></Hangup></Response>")
    call.played()
    assert call.asked("/after")[0]["Paid"] == "yes"


def test_the_application_that_fails_apologises_and_the_dial_goes_on() -> None:
    call = handing("<Response><Say>hi</Response>")
    assert "error" in said(call)[0]
    call.played()
    assert call.asked("/after")[0]["DialCallStatus"] == "completed"
    assert call.codes() == [12100]


def test_the_applications_own_fallback() -> None:
    call = handing("nonsense", voice_fallback_url=BASE + "/spare", pages={"/spare": AGAIN})
    assert call.asked("/spare")[0]["ErrorCode"] == "12100"
    assert said(call) == ["back"]


@pytest.mark.parametrize(
    ("noun", "routing", "code"),
    [
        ("<ApplicationSid>APnone</ApplicationSid>", {}, 21218),
        ("", {}, 21218),
        (f"<ApplicationSid>{AP}</ApplicationSid>", {"voice_url": None}, 21205),
    ],
)
def test_an_application_that_is_none(noun: str, routing: dict[str, Any], code: int) -> None:
    call = handing(AGAIN, noun=noun, **routing)
    assert call.asked("/after")[0]["DialCallStatus"] == "failed"
    assert call.codes() == [code]


def test_the_forms_that_the_official_libraries_write() -> None:
    """The SID as content, or as a child; in upper case, too."""
    for noun in (AP, AP[:2] + AP[2:].upper(), f"<ApplicationSid>{AP}</ApplicationSid>"):
        call = handing("<Response><Say>hi</Say></Response>", noun=noun, attributes="copyParentTo='false'")
        assert (said(call), call.codes()) == (["hi"], [])


def test_a_whisper_to_an_application_would_be_heard_by_nobody() -> None:
    call = handing("<Response><Say>hi</Say></Response>", attributes="url='/whisper' method='GET'")
    assert (said(call), call.codes(), call.asked("/whisper")) == (["hi"], [12200], [])


def test_it_stands_alone() -> None:
    call = Driver(
        {"/voice": f"<Response><Dial action='/after'><Application>{AP}</Application><Number>+15557654321</Number>"
                   "</Dial></Response>", "/after": AGAIN}
    )  # fmt: skip
    call.arrive()
    call.answered()
    assert call.codes() == [13000]
    assert not call.of(fx.DialLeg)


def test_its_time_is_limited_and_it_is_recorded_like_any_dial() -> None:
    call = handing(
        "<Response><Say loop='0'>hi</Say></Response>", dial="timeLimit='60' record='record-from-answer-dual'"
    )
    (leg,) = call.of(fx.RecordLeg)
    assert (leg.call_sid, leg.channels) == (CALL, 2)
    call.now += 60
    call.fire("dial-limit")
    call.recorded(60.0)
    facts = call.asked("/after")[0]
    assert (facts["DialCallStatus"], facts["RecordingDuration"]) == ("completed", "60")
    assert call.codes() == [32015]


def test_rest_redirects_and_ends_it() -> None:
    call = handing("<Response><Say loop='0'>hi</Say></Response>")
    child = child_of(call)
    call.update(child, Twiml="<Response><Say loop='0'>other</Say></Response>")
    assert said(call) == ["hi", "other"]
    assert not call.asked("/after"), "it has no leg of its own to live on alone with"
    call.update(child, Status="completed")
    assert call.asked("/after")[0]["DialCallStatus"] == "completed"


def test_an_application_that_does_not_answer_in_time() -> None:
    call = handing(AGAIN)
    call = Driver(
        {
            "/voice": "<Response><Dial timeout='5' action='/after'><Application>"
            + AP
            + "</Application></Dial></Response>"
        }
    )
    call.auto_documents = False
    call.arrive()
    call.serve(call.of(fx.FetchDocument)[-1])
    call.answered()
    found(call)
    child = child_of(call)
    assert [
        timer.seconds for timer in call.of(fx.StartTimer) if timer.lane.sid == child and timer.name == "ring"
    ] == [5.0]
    call.fire("ring", child)
    assert call.status(child) == "no-answer"
    assert call.asked("/after")[0]["DialCallStatus"] == "no-answer"


def test_an_application_of_another_account() -> None:
    """Its call is its own account's, which is told nothing of the one that dialled it."""
    other = "AC" + "9" * 32
    call = handing("<Response><Record action='/kept'/></Response>", account_sid=other)
    (record,) = [record for sid, record in call.calls.items() if sid != CALL]
    assert (record.account_sid, record.parent_call_sid) == (other, None)
    facts = call.asked("/app")[0]
    assert (facts["AccountSid"], facts["CustomerId"]) == (other, ACCOUNT)
    assert "ParentCallSid" not in facts
    (recording,) = call.recordings.values()
    assert (recording.account_sid, recording.call_sid) == (other, record.sid)
    call.update(record.sid, Status="completed")
    call.recorded(2.0)
    assert call.asked("/after")[0]["DialCallStatus"] == "completed"


def test_a_bug_in_the_application_leaves_nothing_on_its_callers_leg() -> None:
    call = handing("<Response><Say loop='0'>for ever</Say></Response>")
    for effect in call.board.crashed(child_of(call), call.now, RuntimeError("bug")):
        call.effects.append(effect)
        call._perform(effect)
    (playing,) = [one.playback for one in call.of(fx.PlayAudio) if one.loop == 0 and one.call_sid == CALL][
        -1:
    ]
    assert (CALL, playing) in [(one.call_sid, one.playback) for one in call.of(fx.StopAudio)]
    assert call.asked("/after")[0]["DialCallStatus"] == "completed"


@pytest.mark.parametrize("noun", ["Queue", "Number", "Sip", "Client", "Conference", "Application"])
def test_a_noun_in_the_place_of_a_verb_is_told_where_it_belongs(noun: str) -> None:
    """`<Queue>` outside `<Dial>` is a misplaced element: warned of with its place, ignored, and the rest runs."""
    call = Driver({"/voice": f"<Response><{noun}>support</{noun}><Say>next</Say></Response>"})
    call.arrive()
    call.answered()
    assert call.codes() == [12200]
    assert "<Dial>" in str(call.alerts[0].message_text)
    assert "line 1" in str(call.alerts[0].message_text)
    assert said(call) == ["next"]
