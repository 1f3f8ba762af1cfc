"""``<Refer>`` (twiml.md §8): what the action is told, by what the far end says of the REFER."""

from __future__ import annotations

import pytest
from driver import CALL, Driver

from ringback import effects as fx
from ringback import events as ev

DOCUMENT = "<Response><Refer action='/after'><Sip>{}</Sip></Refer><Say>next</Say></Response>"


def referring(target: str = "sip:joan@phones.test", **pages: str) -> Driver:
    """A call whose document refers."""
    call = Driver(
        {"/voice": DOCUMENT.format(target), "/after": "<Response><Say>back</Say></Response>", **pages}
    )
    call.arrive()
    call.answered()
    return call


def answered(call: Driver, code: int) -> None:
    call.feed(ev.ReferAnswered(call_sid=CALL, sip_code=code))


def notified(call: Driver, *codes: int) -> None:
    for code in codes:
        call.feed(ev.ReferNotified(call_sid=CALL, sip_code=code))


def told(call: Driver) -> tuple[str | None, ...]:
    """What the action was told."""
    (facts,) = call.asked("/after")
    names = ("ReferCallStatus", "ReferSipResponseCode", "NotifySipResponseCode")
    return tuple(facts.get(name) for name in names)


@pytest.mark.parametrize(
    ("notifies", "result"),
    [
        ((100, 180, 200), ("in-progress", "202", "200")),
        ((486,), ("busy", "202", "486")),
        ((180, 603), ("busy", "202", "603")),
        ((180, 480), ("no-answer", "202", "480")),
        ((404,), ("failed", "202", "404")),
    ],
)
def test_the_last_notify_tells(notifies: tuple[int, ...], result: tuple[str, ...]) -> None:
    call = referring()
    assert [effect.target for effect in call.of(fx.ReferLeg)] == ["sip:joan@phones.test"]
    answered(call, 202)
    assert not call.asked("/after")
    notified(call, *notifies)
    assert told(call) == result


def test_a_refused_refer() -> None:
    call = referring()
    answered(call, 405)
    assert told(call) == ("failed", "405", None)


def test_a_notify_may_be_quicker_than_the_answer() -> None:
    call = referring()
    notified(call, 200)
    assert told(call) == ("in-progress", None, "200")


def test_the_caller_hangs_up_while_the_other_phone_rings() -> None:
    call = referring()
    answered(call, 202)
    notified(call, 100, 180)
    call.hangup()
    assert told(call) == ("canceled", "202", "180")


def test_nothing_more_is_heard() -> None:
    call = referring()
    answered(call, 202)
    call.fire("refer")
    assert told(call) == ("failed", "202", None)


def test_without_an_action_the_next_verb_runs() -> None:
    call = referring(
        **{"/voice": "<Response><Refer><Sip>sip:a@b.test</Sip></Refer><Say>next</Say></Response>"}
    )
    answered(call, 202)
    notified(call, 200)
    assert call.of(fx.PlayAudio)[-1].items[0].text == "next"


def test_a_call_that_is_no_sip_call_is_an_error_of_the_document() -> None:
    call = referring(**{"/fallback": "<Response><Say>sorry</Say></Response>"})
    answered(call, 0)
    assert call.codes() == [13801]
    assert not call.asked("/after")


@pytest.mark.parametrize("target", ["", "+15551234567", "sip:a b@c", "sip:a@b;transport=smoke"])
def test_a_target_that_is_none_fails_without_a_refer(target: str) -> None:
    call = referring(target)
    assert not call.of(fx.ReferLeg)
    assert told(call) == ("failed", None, None)
    assert call.codes() == [13243]


def test_headers_of_the_new_call() -> None:
    call = referring("sip:joan@phones.test?X-Reason=help&amp;X-B=2")
    assert call.of(fx.ReferLeg)[0].target == "sip:joan@phones.test?X-Reason=help&X-B=2"
    call = referring("sip:joan@phones.test?Route=evil")
    assert call.of(fx.ReferLeg)[0].target == "sip:joan@phones.test"
    assert call.codes() == [13252]


def test_a_redirection_abandons_it() -> None:
    call = referring()
    answered(call, 202)
    call.update(CALL, Twiml="<Response><Say>else</Say></Response>")
    notified(call, 200)
    assert not call.asked("/after")
    assert call.of(fx.PlayAudio)[-1].items[0].text == "else"


def test_a_transfer_that_the_far_end_asks_for_is_logged() -> None:
    call = Driver({"/voice": "<Response><Pause length='60'/></Response>"})
    call.arrive()
    call.answered()
    call.feed(ev.TransferAsked(call_sid=CALL, target="sip:x@y.test"))
    assert call.codes() == [13802]
    assert [effect.sip_code for effect in call.of(fx.AnswerTransfer)] == [603]


def transferring(dial: str) -> tuple[Driver, str]:
    """A caller who talks to a SIP callee, who then asks for a transfer."""
    call = Driver(
        {
            "/voice": f"<Response><Dial action='/after' {dial}><Sip>sip:joan@phones.test</Sip></Dial></Response>",
            "/refer": "<Response><Say>one moment</Say></Response>", "/after": "<Response/>",
        }
    )  # fmt: skip
    call.arrive()
    call.answered()
    child = call.children()[0]
    call.feed(ev.LegAnswered(call_sid=child))
    call.feed(ev.TransferAsked(call_sid=child, target="sip:boss@phones.test"))
    return call, child


def test_a_callee_has_the_caller_transferred() -> None:
    call, child = transferring("referUrl='/refer' referMethod='GET'")
    (facts,) = call.asked("/refer")
    assert (facts["ReferTransferTarget"], facts["DialCallSid"]) == ("sip:boss@phones.test", child)
    assert [effect.sip_code for effect in call.of(fx.AnswerTransfer)] == [200]
    assert [effect.call_sid for effect in call.of(fx.HangUpLeg)] == [child]
    call.hangup(child)
    assert call.of(fx.PlayAudio)[-1].items[0].text == "one moment"
    assert (call.status(), call.asked("/after"), call.codes()) == ("in-progress", [], [])


@pytest.mark.parametrize("dial", ["", "referUrl='not a url'"])
def test_without_a_refer_url_the_talk_goes_on(dial: str) -> None:
    call, child = transferring(dial)
    assert [effect.sip_code for effect in call.of(fx.AnswerTransfer)] == [603]
    assert not call.of(fx.HangUpLeg)
    if not dial:
        assert call.codes() == [13802]
    call.hangup(child)
    assert call.asked("/after")[0]["DialCallStatus"] == "completed"
