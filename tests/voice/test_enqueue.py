# ruff: noqa: E501 - documents are easier to read on one line
"""``<Enqueue>`` and ``<Leave>``: waiting, tasks, and every way out (twiml.md §6; taskrouter.md §9)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from driver import ACCOUNT, BASE, CALL, Driver
from queue_site import (
    AGENT,
    ENQUEUE,
    OTHER,
    RESERVATION,
    TASK,
    WORKFLOW,
    WORKSPACE,
    agent,
    customer,
    make,
    rooms,
    size,
    sounding,
    told,
    waiting,
    with_task,
)

from ringback import effects as fx
from ringback import events as ev
from ringback.effects.queues import ClaimReservation, MakeTask
from ringback.events import queues as qu
from ringback.resources.api.queue import Queue
from ringback.resources.telephony import TaskLeg
from ringback.voice.queue.live import Claim


def test_the_queue_is_made_on_demand_and_the_built_in_music_plays() -> None:
    call = waiting()
    made = [one.record for one in call.of(fx.Save) if isinstance(one.record, Queue)]
    assert [(one.friendly_name, one.max_size, one.account_sid) for one in made] == [
        ("support", 1000, ACCOUNT)
    ]
    assert sounding(call, CALL) == [fx.Tone("hold-music")]
    assert size(call) == 1


def test_the_wait_document_is_told_of_the_queue_and_its_times_grow() -> None:
    call = waiting("<Enqueue waitUrl='/wait' waitUrlMethod='GET'>support</Enqueue>")
    call.now += 4
    customer(call, OTHER)
    call.played(CALL)
    first, _, again = [one for one in call.of(fx.FetchDocument) if one.url == BASE + "/wait"]
    assert {one.method for one in (first, again)} == {"GET"}
    facts = dict(again.params)
    queue = call.board.queues.named(ACCOUNT, "support")
    assert queue is not None
    assert [facts[name] for name in ("QueuePosition", "QueueTime", "AvgQueueTime", "CurrentQueueSize", "MaxQueueSize", "QueueSid")] == [
        "1", "4", "2", "2", "1000", queue.sid,
    ]  # fmt: skip
    assert dict(first.params)["QueueTime"] == "0"


def test_leave_tells_the_action_at_once() -> None:
    call = waiting(
        "<Enqueue action='/after' method='GET' waitUrl='/wait'>support</Enqueue>",
        **{"/wait": "<Response><Pause length='3'/><Leave/></Response>"},
    )
    call.now += 3
    call.played()
    asked = call.asked("/after")
    assert [(one["QueueResult"], one["QueueTime"]) for one in asked] == [("leave", "3")]
    assert [one.method for one in call.of(fx.FetchDocument) if one.url == BASE + "/after"] == ["GET"]
    assert size(call) == 0


def test_leave_without_an_action_goes_on_with_the_next_verb() -> None:
    call = waiting("<Enqueue waitUrl='/wait'>support</Enqueue>", **{"/wait": "<Response><Leave/></Response>"})
    assert getattr(sounding(call, CALL)[-1], "text", "") == "next"


def test_leave_outside_a_queue_falls_through() -> None:
    call = waiting("<Leave/>")
    assert getattr(sounding(call, CALL)[-1], "text", "") == "next"


def test_hanging_up_owes_the_action_and_empties_the_queue() -> None:
    call = waiting()
    call.now += 7
    call.hangup()
    (facts,) = call.asked("/after")
    assert (facts["QueueResult"], facts["QueueTime"], facts["CallStatus"]) == ("hangup", "7", "completed")
    assert size(call) == 0
    assert call.board.live == 0


def test_hangup_in_the_wait_document_ends_the_call_with_its_action() -> None:
    call = waiting(
        "<Enqueue action='/after' waitUrl='/wait'>support</Enqueue>",
        **{"/wait": "<Response><Hangup/></Response>"},
    )
    assert call.of(fx.HangUpLeg)[-1].call_sid == CALL
    call.hangup()
    assert [one["QueueResult"] for one in call.asked("/after")] == ["hangup"]
    assert size(call) == 0


def test_redirection_by_rest_owes_the_action_and_its_answer_is_ignored() -> None:
    call = waiting()
    call.now += 5
    call.update(Url=BASE + "/moved")
    assert [(one["QueueResult"], one["QueueTime"]) for one in call.asked("/after")] == [("redirected", "5")]
    assert len(call.asked("/moved")) == 1
    assert [getattr(one, "text", "") for one in sounding(call, CALL)] == ["hello"]
    assert size(call) == 0


def test_a_bad_wait_document_is_an_error() -> None:
    call = waiting("<Enqueue action='/after' waitUrl='/nowhere'>support</Enqueue>")
    assert [one["QueueResult"] for one in call.asked("/after")] == ["error"]
    assert 11200 in call.codes()
    assert size(call) == 0


@pytest.mark.parametrize(
    ("page", "code"),
    [
        (500, 11200), ("hello", 12100), ("<html><body>Login</body></html>", 12102),
        ("<Response><Dial>+15551230009</Dial></Response>", 12200),
        ("<Response><Record/><Enqueue>other</Enqueue><Frob/></Response>", 12200),
    ],
)  # fmt: skip
def test_a_wait_document_with_nothing_to_run_ends_the_stay_at_once(page: str | int, code: int) -> None:
    call = waiting("<Enqueue action='/after' waitUrl='/bad'>support</Enqueue>", **{"/bad": page})  # type: ignore[arg-type]
    assert [one["QueueResult"] for one in call.asked("/after")] == ["error"]
    assert (len(call.asked("/bad")), set(call.codes())) == (1, {code})
    assert size(call) == 0


@pytest.mark.parametrize(
    ("enqueue", "code"),
    [
        ("<Enqueue action='/after'/>", 14204),
        (f"<Enqueue action='/after'>{'x' * 65}</Enqueue>", 14205),
        ("<Enqueue action='/after' workflowSid='WQ12'/>", 14220),
        (f"<Enqueue action='/after' workflowSid='{WORKFLOW}'><Task>{{'a': 1}}</Task></Enqueue>", 14221),
        (f"<Enqueue action='/after' workflowSid='{WORKFLOW}'><Task>[1]</Task></Enqueue>", 14221),
        (f"<Enqueue action='/after' workflowSid='{WORKFLOW}'><Task>{'[' * 30000}</Task></Enqueue>", 14221),
    ],
)
def test_a_bad_enqueue_never_enters(enqueue: str, code: int) -> None:
    call = waiting(enqueue)
    (facts,) = call.asked("/after")
    assert facts["QueueResult"] == "error"
    assert "QueueSid" not in facts
    assert "QueueTime" not in facts
    assert call.codes() == [code]
    assert call.of(MakeTask) == []


@pytest.mark.parametrize(
    ("attributes", "code"),
    [("action='gopher://x'", 14203), ("waitUrl='gopher://x'", 14202), ("method='PUT'", 14201), ("waitUrlMethod='PUT'", 14206), ("maxQueueSize='0'", 12200), ("maxQueueSize='5001'", 12200)],
)  # fmt: skip
def test_bad_attributes_are_warned_of_and_their_defaults_hold(attributes: str, code: int) -> None:
    call = waiting(f"<Enqueue {attributes}>support</Enqueue>")
    assert call.codes() == [code]
    assert size(call) == 1


def test_a_full_queue_turns_away_with_its_result() -> None:
    call = waiting("<Enqueue action='/after' maxQueueSize='1'>support</Enqueue>")
    customer(call, OTHER)
    (facts,) = call.asked("/after")
    assert (facts["CallSid"], facts["QueueResult"]) == (OTHER, "queue-full")
    assert "QueueSid" not in facts
    assert 14207 in call.codes()
    assert size(call) == 1


def test_silence_while_waiting() -> None:
    call = waiting("<Enqueue waitUrl=''>support</Enqueue>")
    assert sounding(call, CALL) == []
    assert size(call) == 1


def test_a_task_is_asked_for_with_the_facts_of_the_call_while_the_caller_already_waits() -> None:
    call = with_task(made=False)
    (task,) = call.of(MakeTask)
    assert (task.workflow_sid, task.priority, task.timeout, task.attributes) == (
        WORKFLOW,
        5,
        60,
        '{"skill": "x"}',
    )
    facts = task.facts
    assert (facts["call_sid"], facts["from"], facts["to"], facts["direction"], facts["call_status"], facts["api_version"]) == (
        CALL, "+15551230001", "+15550100123", "inbound", "in-progress", "2010-04-01",
    )  # fmt: skip
    assert {"account_sid", "caller", "called"} <= facts.keys()
    assert sounding(call, CALL) == [fx.Tone("hold-music")]
    assert size(call, WORKFLOW) == 1
    make(call)
    assert call.calls[CALL].plan["task_leg"] == msgspec.to_builtins(
        TaskLeg(workspace=WORKSPACE, task=TASK, role="customer")
    )
    assert told(call) == []


@pytest.mark.parametrize(("code", "result"), [(14221, "error"), (14222, "system-error")])
def test_a_task_that_could_not_be_made_ends_the_stay(code: int, result: str) -> None:
    call = with_task(made=False)
    make(call, error_code=code, error_text="no filter matched")
    assert [one["QueueResult"] for one in call.asked("/after")] == [result]
    assert call.codes() == [code]
    assert (call.board.queues.named(ACCOUNT, WORKFLOW), told(call)) == (None, [])
    assert not {"QueueSid", "QueueTime"} & call.asked("/after")[0].keys()
    (deleted,) = call.of(fx.Delete)
    assert deleted.record.friendly_name == WORKFLOW


def test_a_queue_of_a_workflow_is_left_alone_while_anybody_has_to_do_with_it() -> None:
    """Two callers with a bad workflow: the last one takes the queue away; a queue that REST made stays."""
    call = with_task(made=False)
    customer(call, OTHER)
    first, second = call.of(MakeTask)
    gone = {"error_code": 14220, "error_text": "no such workflow"}
    call.feed(qu.TaskMade(call_sid=CALL, request=first.request, **gone))
    assert (size(call, WORKFLOW), call.of(fx.Delete)) == (1, [])
    call.feed(qu.TaskMade(call_sid=OTHER, request=second.request, **gone))
    assert call.board.queues.named(ACCOUNT, WORKFLOW) is None
    assert ["QueueSid" in one for one in call.asked("/after")] == [True, False]


def test_a_queue_in_which_somebody_had_a_task_stays() -> None:
    call = with_task()
    call.hangup()
    customer(call, OTHER)
    call.feed(qu.TaskMade(call_sid=OTHER, request=call.of(MakeTask)[-1].request, error_code=14222))
    assert (size(call, WORKFLOW), call.of(fx.Delete)) == (0, [])
    assert "QueueSid" in call.asked("/after")[-1]


def test_hanging_up_before_the_desk_has_answered_leaves_no_queue_either() -> None:
    call = with_task(made=False)
    call.hangup()
    assert call.board.queues.named(ACCOUNT, WORKFLOW) is None
    assert len(call.of(fx.Delete)) == 1


@pytest.mark.parametrize("how", ["leave", "redirect", "hangup"])
def test_the_desk_hears_exactly_once_that_the_customer_left(how: str) -> None:
    call = with_task()
    if how == "redirect":
        call.update(Url=BASE + "/moved")
    elif how == "leave":
        call = waiting(
            ENQUEUE.replace("workflowSid", "waitUrl='/wait' workflowSid"),
            **{"/wait": "<Response><Pause length='3'/><Leave/></Response>"},
        )
        make(call)
        call.played()
    call.hangup()
    assert told(call) == [(CALL, "ended" if how == "hangup" else "left_queue")]


@pytest.mark.parametrize("how", ["hangup", "redirect"])
def test_a_task_made_for_somebody_who_has_left_is_told_of_at_once(how: str) -> None:
    call = with_task(made=False)
    if how == "hangup":
        call.hangup()
    else:
        call.update(Url=BASE + "/moved")
    make(call)
    assert told(call) == [(CALL, "ended" if how == "hangup" else "left_queue")]
    if how == "redirect":
        call.hangup()
        assert len(told(call)) == 1


def test_the_desk_hears_of_the_bridge_and_its_end() -> None:
    call = with_task(dial=f"<Dial><Queue>{WORKFLOW}</Queue></Dial>")
    agent(call)
    call.hangup(AGENT)
    call.hangup()
    assert told(call) == [(CALL, "bridged"), (CALL, "unbridged"), (CALL, "ended")]


def test_a_reservation_names_whom_to_bridge() -> None:
    call = with_task(
        dial=f"<Dial action='/dialled'><Queue reservationSid='{RESERVATION}' postWorkActivitySid='{'WA' + '1' * 32}'/></Dial>"
    )
    customer(call, OTHER)
    make_for_other = call.of(MakeTask)[-1]
    call.feed(
        qu.TaskMade(
            call_sid=OTHER, request=make_for_other.request, workspace_sid=WORKSPACE, task_sid="WTother"
        )
    )
    agent(call)
    (claim,) = call.of(ClaimReservation)
    assert (claim.reservation_sid, claim.post_work_activity_sid) == (RESERVATION, "WA" + "1" * 32)
    call.feed(qu.ReservationClaimed(call_sid=AGENT, request=claim.request, member_sid=OTHER))
    assert rooms(call).keys() == {OTHER, AGENT}
    assert size(call, WORKFLOW) == 1


@pytest.mark.parametrize(("code", "status"), [(14217, "failed"), (None, "no-answer")])
def test_a_reservation_that_brings_nobody(code: int | None, status: str) -> None:
    call = with_task(dial=f"<Dial action='/dialled'><Queue reservationSid='{RESERVATION}'/></Dial>")
    agent(call)
    request = call.of(ClaimReservation)[0].request
    call.feed(qu.ReservationClaimed(call_sid=AGENT, request=request, member_sid=OTHER, error_code=code))
    assert [one["DialCallStatus"] for one in call.asked("/dialled")] == [status]
    assert call.codes() == [code or 14215]
    assert size(call, WORKFLOW) == 1


def test_a_reservation_nobody_answers_for_is_not_waited_for_for_ever() -> None:
    call = with_task(
        dial=f"<Dial timeout='5' action='/dialled'><Queue reservationSid='{RESERVATION}'/></Dial>"
    )
    agent(call)
    call.fire("dial-queue", AGENT)
    assert [one["DialCallStatus"] for one in call.asked("/dialled")] == ["no-answer"]


def test_a_bug_in_one_leg_frees_the_other_and_empties_the_queue() -> None:
    call = with_task()
    customer(call, OTHER)
    for effect in call.board.crashed(CALL, call.now, ValueError("bug")):
        call.effects.append(effect)
        call._perform(effect)
    assert told(call) == [(CALL, "ended")]
    assert call.board.queues.position(OTHER) == 1
    agent(call)
    assert call.status(AGENT) == "in-progress"


def test_a_bug_in_a_bridged_leg_tells_the_other_side() -> None:
    call = waiting()
    agent(call)
    for effect in call.board.crashed(AGENT, call.now, ValueError("bug")):
        call.effects.append(effect)
        call._perform(effect)
    assert rooms(call).keys() <= {AGENT}
    assert (
        call.board.queues.position(CALL) == 1
    )  # the talk was cut off by us: the customer waits on, in front


def test_a_lost_call_is_told_to_the_desk() -> None:
    call = with_task()
    record = call.calls[CALL]
    restarted = Driver()
    restarted.feed(ev.CallLost(call_sid=CALL, call=record))
    assert told(restarted) == [(CALL, "ended")]


def test_a_second_task_ends_the_first_one_for_the_desk() -> None:
    call = with_task(
        dial=f"<Dial><Queue>{WORKFLOW}</Queue></Dial>", **{"/after": f"<Response>{ENQUEUE}</Response>"}
    )
    agent(call)
    call.hangup(AGENT)
    make(call, workspace_sid=WORKSPACE, task_sid="WTsecond")
    assert call.calls[CALL].plan["task_leg"]["task"] == "WTsecond"
    call.hangup()
    assert told(call) == [(CALL, "bridged"), (CALL, "unbridged"), (CALL, "left_queue"), (CALL, "ended")]


@pytest.mark.parametrize("crossed", [False, True])
def test_the_desk_takes_the_caller_into_a_conference(monkeypatch: pytest.MonkeyPatch, crossed: bool) -> None:
    parts: list[tuple[str, dict[str, Any]]] = []

    def take_part(session: Any, attributes: dict[str, Any]) -> Any:
        parts.append((session.call.sid, attributes))
        while not isinstance((yield), ev.DigitPressed):
            pass
        return "ended"

    monkeypatch.setattr("ringback.voice.conference.participation.take_part", take_part)
    call = with_task()
    if crossed:  # somebody else has taken the caller: the claim holds, TaskRouter comes too late
        call.board.queues.claim(CALL, Claim(AGENT, "room"))
    call.now += 9
    call.feed(qu.QueueTaken(call_sid=CALL, by="", conference={"name": TASK}))
    if crossed:
        assert parts == []
        return
    assert parts == [(CALL, {"name": TASK})]
    assert size(call, WORKFLOW) == 0
    assert sounding(call, CALL) == []
    call.now += 60
    call.press("1")
    assert [(one["QueueResult"], one["QueueTime"]) for one in call.asked("/after")] == [("bridged", "9")]
    assert told(call) == [(CALL, "bridged"), (CALL, "unbridged")]
