# ruff: noqa: E501 - documents are easier to read on one line
"""``<Dial><Queue>``: bridges with waiting callers, and claims that cross other events (twiml.md §5.2)."""

from __future__ import annotations

import pytest
from driver import BASE, CALL, Driver
from queue_site import (
    AGENT,
    OTHER,
    SAY,
    Held,
    agent,
    customer,
    rooms,
    site,
    size,
    sounding,
    waiting,
)

from ringback import effects as fx
from ringback.events import queues as qu


def test_the_front_is_bridged_and_the_action_comes_once_after_the_bridge() -> None:
    call = waiting()
    customer(call, OTHER)
    call.now += 10
    agent(call)
    assert set(rooms(call)) == {CALL, AGENT}
    assert rooms(call)[CALL] == rooms(call)[AGENT]
    assert sounding(call, CALL) == sounding(call, AGENT) == []
    assert size(call) == 1
    assert call.asked("/after") == []
    call.now += 20
    call.hangup(AGENT)
    (facts,) = call.asked("/after")
    assert (facts["QueueResult"], facts["QueueTime"]) == ("bridged", "10")
    assert rooms(call) == {}
    assert call.status() == "in-progress"
    (dialled,) = call.asked("/dialled")
    assert (dialled["DialCallStatus"], dialled["DialCallDuration"], dialled["DialBridged"]) == (
        "completed",
        "20",
        "true",
    )
    assert (dialled["QueueTime"], dialled["DialCallSid"], dialled["DequeingCallSid"]) == ("10", CALL, AGENT)
    assert dialled["QueueSid"] == facts["QueueSid"]


def test_the_customer_hangs_up_in_the_bridge() -> None:
    call = waiting()
    agent(call)
    call.now += 30
    call.hangup()
    assert [one["QueueResult"] for one in call.asked("/after")] == ["bridged"]
    assert [(one["DialCallStatus"], one["DialCallDuration"]) for one in call.asked("/dialled")] == [
        ("completed", "30")
    ]
    assert rooms(call).keys() <= {CALL}  # the leg that is gone needs no LeaveRoom
    assert call.status(AGENT) == "in-progress"


def test_the_customer_is_redirected_out_of_the_bridge() -> None:
    call = waiting()
    agent(call)
    call.now += 5
    call.update(Url=BASE + "/moved")
    assert [one["QueueResult"] for one in call.asked("/after")] == ["redirected-from-bridged"]
    (facts,) = call.asked("/dialled")
    assert facts["DialCallStatus"] == "completed"
    assert "DialCallDuration" not in facts
    assert rooms(call) == {}


def test_an_unknown_queue_fails() -> None:
    call = site("")
    agent(call)
    assert [(one["DialCallStatus"], one["DialBridged"]) for one in call.asked("/dialled")] == [
        ("failed", "false")
    ]


@pytest.mark.parametrize(
    ("noun", "code"),
    [("<Queue/>", 14212), (f"<Queue>{'x' * 65}</Queue>", 14213), ("<Queue>support</Queue><Number>+15551230009</Number>", 13000), ("<Queue reservationSid='WT1'/>", 14215)],
)  # fmt: skip
def test_a_bad_queue_noun_fails(noun: str, code: int) -> None:
    call = waiting(dial=f"<Dial action='/dialled'>{noun}</Dial>")
    agent(call)
    assert [one["DialCallStatus"] for one in call.asked("/dialled")] == ["failed"]
    assert call.codes() == [code]
    assert (call.of(fx.DialLeg), size(call)) == ([], 1)


def test_an_empty_queue_is_waited_for_and_the_first_dialler_is_served_first() -> None:
    call = waiting()
    call.hangup()
    agent(call)
    agent(call, OTHER)
    assert [one.seconds for one in call.of(fx.StartTimer) if one.name == "dial-queue"] == [30.0, 30.0]
    late = "CA" + "c" * 32
    customer(call, late)
    assert rooms(call).keys() - {CALL} == {late, AGENT}
    assert [one.lane.sid for one in call.of(fx.StopTimer) if one.name == "dial-queue"] == [AGENT]
    call.fire("dial-queue", OTHER)
    assert [(one["CallSid"], one["DialCallStatus"]) for one in call.asked("/dialled")] == [
        (OTHER, "no-answer")
    ]


def test_a_dialler_that_hangs_up_gives_its_turn_to_the_next() -> None:
    call = waiting()
    call.hangup()
    agent(call)
    agent(call, OTHER)
    call.hangup(AGENT)
    assert [(one["CallSid"], one["DialCallStatus"]) for one in call.asked("/dialled")] == [
        (AGENT, "canceled")
    ]
    late = "CA" + "c" * 32
    customer(call, late)
    assert rooms(call).keys() == {late, OTHER}


def test_the_whisper_runs_for_the_customer_while_the_agent_hears_ringing() -> None:
    call = waiting(dial="<Dial action='/dialled'><Queue url='/whisper' method='GET'>support</Queue></Dial>")
    call.now += 6
    agent(call)
    (facts,) = call.asked("/whisper")
    assert (facts["CallSid"], facts["QueueTime"], facts["DequeingCallSid"]) == (CALL, "6", AGENT)
    assert [getattr(one, "text", "") for one in sounding(call, CALL)] == ["please wait"]
    assert sounding(call, AGENT) == [fx.Tone("ringback-us")]
    assert rooms(call) == {}
    call.played(CALL)
    assert rooms(call).keys() == {CALL, AGENT}


def test_a_customer_whose_agent_is_gone_in_the_whisper_waits_on_at_the_old_place() -> None:
    call = waiting(dial="<Dial action='/dialled'><Queue url='/whisper'>support</Queue></Dial>")
    customer(call, OTHER)
    call.now += 6
    agent(call)
    call.hangup(AGENT)
    assert call.board.queues.position(CALL) == 1
    assert call.board.queues.position(OTHER) == 2
    assert sounding(call, CALL)[-1] == fx.Tone("hold-music")
    assert call.asked("/after") == []
    call.now += 4
    call.hangup()
    assert [(one["QueueResult"], one["QueueTime"]) for one in call.asked("/after")] == [("hangup", "10")]


def test_an_agent_whose_customer_is_gone_in_the_whisper_gets_the_next_one() -> None:
    call = waiting(dial="<Dial action='/dialled'><Queue url='/whisper'>support</Queue></Dial>")
    customer(call, OTHER)
    agent(call)
    call.hangup(CALL)
    assert [(one["CallSid"], one["QueueResult"]) for one in call.asked("/after")] == [
        (CALL, "bridging-in-process")
    ]
    assert [one["CallSid"] for one in call.asked("/whisper")] == [CALL, OTHER]
    call.played(OTHER)
    assert rooms(call).keys() == {OTHER, AGENT}


def test_a_customer_redirected_in_the_whisper_is_redirected() -> None:
    call = waiting(dial="<Dial timeout='9' action='/dialled'><Queue url='/whisper'>support</Queue></Dial>")
    agent(call)
    call.update(Url=BASE + "/moved")
    assert [one["QueueResult"] for one in call.asked("/after")] == ["redirected"]
    assert [one.seconds for one in call.of(fx.StartTimer) if one.name == "dial-queue"] == [9.0, 9.0]
    call.fire("dial-queue", AGENT)
    assert [one["DialCallStatus"] for one in call.asked("/dialled")] == ["no-answer"]


def test_star_ends_the_bridge_for_both_documents() -> None:
    call = waiting(dial="<Dial hangupOnStar='true' action='/dialled'><Queue>support</Queue></Dial>")
    agent(call)
    call.now += 8
    call.press("*", AGENT)
    assert [(one["DialCallStatus"], one["DialCallDuration"]) for one in call.asked("/dialled")] == [
        ("completed", "8")
    ]
    assert [one["QueueResult"] for one in call.asked("/after")] == ["bridged"]
    assert rooms(call) == {}


def test_time_limit_ends_the_bridge() -> None:
    call = waiting(dial="<Dial timeLimit='60' action='/dialled'><Queue>support</Queue></Dial>")
    agent(call)
    assert [(one.seconds, one.pulls) for one in call.of(fx.StartTimer) if one.name == "dial-limit"] == [
        (60.0, False)
    ]
    call.now += 60
    call.fire("dial-limit", AGENT)
    assert [one["DialCallStatus"] for one in call.asked("/dialled")] == ["completed"]
    assert [one["QueueResult"] for one in call.asked("/after")] == ["bridged"]
    assert 32015 in call.codes()


def test_the_bridge_is_recorded() -> None:
    call = waiting(
        dial="<Dial record='record-from-answer-dual' action='/dialled'><Queue>support</Queue></Dial>"
    )
    agent(call)
    (leg,) = call.of(fx.RecordLeg)
    assert (leg.call_sid, leg.channels) == (AGENT, 2)
    call.now += 12
    call.hangup(CALL)
    assert call.asked("/dialled") == []
    call.recorded(11.6)
    (facts,) = call.asked("/dialled")
    assert facts["RecordingDuration"] == "12"


def test_an_unanswered_agent_is_answered_by_the_bridge() -> None:
    call = waiting(dial="<Dial answerOnBridge='true' action='/dialled'><Queue>support</Queue></Dial>")
    call.arrive("/agent", AGENT)
    assert [one.call_sid for one in call.of(fx.AnswerLeg)][-1] == AGENT
    assert rooms(call).keys() == {CALL}
    call.answered(AGENT)
    assert rooms(call).keys() == {CALL, AGENT}


def crossing() -> Held:
    call = Held({
        "/voice": "<Response><Enqueue action='/after' waitUrl='/wait'>support</Enqueue></Response>",
        "/agent": "<Response><Dial action='/dialled' timeout='9'><Queue>support</Queue></Dial></Response>",
        "/wait": "<Response><Gather numDigits='1'><Pause length='100'/></Gather><Leave/></Response>",
        "/after": SAY, "/dialled": SAY, "/moved": SAY,
    })  # fmt: skip
    customer(call)
    call.held = []
    agent(call)
    assert [type(one) for one in call.held] == [qu.QueueTaken]
    return call


def test_taken_and_hung_up_at_once_the_agent_waits_on() -> None:
    call = crossing()
    call.hangup()
    call.release()
    assert [one["QueueResult"] for one in call.asked("/after")] == ["hangup"]
    assert call.asked("/dialled") == []
    call.fire("dial-queue", AGENT)
    assert [one["DialCallStatus"] for one in call.asked("/dialled")] == ["no-answer"]


def test_taken_and_redirected_at_once_the_stale_event_means_nothing_to_the_next_stay() -> None:
    call = crossing()
    call.update(Url=BASE + "/voice")
    assert size(call) == 1
    call.release()
    assert rooms(call).keys() == {CALL, AGENT}  # the agent heard that it was gone, and took it anew
    assert [one["QueueResult"] for one in call.asked("/after")] == ["redirected"]


def test_taken_and_leaving_at_once_the_claim_holds() -> None:
    call = crossing()
    call.played()  # the wait document goes on to <Leave/>
    call.fire("gather")
    assert call.asked("/after") == []
    call.release()
    assert rooms(call).keys() == {CALL, AGENT}


def test_the_agent_gone_before_the_customer_hears_of_it() -> None:
    call = crossing()
    call.hangup(AGENT)
    call.release()
    assert call.board.queues.position(CALL) == 1
    assert call.asked("/after") == []
    assert rooms(call) == {}


def crash(call: Driver, sid: str) -> None:
    for effect in call.board.crashed(sid, call.now, ValueError("bug")):
        call.effects.append(effect)
        call._perform(effect)


def test_a_bug_in_the_customers_call_before_it_hears_of_the_claim_frees_the_agent() -> None:
    call = crossing()
    crash(call, CALL)
    call.release()
    customer(call, OTHER)
    assert rooms(call).keys() == {OTHER, AGENT}


def test_the_agent_gone_when_the_customer_has_just_joined_the_customer_waits_on() -> None:
    call = Held({
        "/voice": "<Response><Enqueue action='/after'>support</Enqueue></Response>", "/after": SAY,
        "/agent": "<Response><Dial><Queue>support</Queue></Dial></Response>",
    })  # fmt: skip
    customer(call)
    call.held = []
    agent(call)
    (taken,) = call.held
    call.held = []
    call.feed(taken)
    assert rooms(call).keys() == {CALL}
    call.hangup(AGENT)
    call.held, ended = None, [one for one in call.held if isinstance(one, qu.BridgeEnded)]
    call.feed(*ended)
    assert rooms(call) == {}
    assert call.board.queues.position(CALL) == 1
    assert call.asked("/after") == []


def test_a_dialler_gone_before_it_hears_of_its_turn_passes_it_on() -> None:
    call = Held({
        "/voice": "<Response><Enqueue>support</Enqueue></Response>",
        "/agent": "<Response><Dial><Queue>support</Queue></Dial></Response>",
    })  # fmt: skip
    customer(call)
    call.hangup()
    agent(call)
    agent(call, OTHER)
    call.held = []
    late = "CA" + "c" * 32
    customer(call, late)
    assert [one.call_sid for one in call.held] == [AGENT]
    call.hangup(AGENT)
    call.release()
    assert rooms(call).keys() == {late, OTHER}
