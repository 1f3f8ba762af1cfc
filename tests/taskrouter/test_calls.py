"""Routing and telephony (taskrouter.md §9): callers become tasks, legs tell how they go."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ringback.events import HangUpRequested
from ringback.events.queues import QueueTaken, ReservationClaimed, TaskCallChanged, TaskMade
from ringback.events.taskrouter import ClaimRequested, TaskRequested
from ringback.resources.telephony import TaskLeg
from ringback.taskrouter.steps import RETRY_AFTER
from tests.taskrouter.states import flow
from tests.taskrouter.workspace_kit import ACCOUNT, WS, Kit

CALLER, AGENT = "CA" + "c" * 32, "CA" + "a" * 32


def ask(kit: Kit, attributes: str = "", **more: Any) -> str:
    """``<Enqueue workflowSid>``; the task's SID."""
    task = kit.sid("WT")
    given = {
        "workflow_sid": flow(kit),
        "facts": {"call_sid": CALLER, "from": "+15550100", "called": "+15550199"},
        **more,
    }
    kit.event(
        TaskRequested(
            workspace_sid=WS, account_sid=ACCOUNT, caller_sid=CALLER, request="q1", task_sid=task,
            attributes=attributes, **given,
        )
    )  # fmt: skip
    return task


def claim(kit: Kit, reservation: str, *, by: str = AGENT, **more: Any) -> ReservationClaimed:
    """``<Dial><Queue reservationSid>``; its answer."""
    kit.event(
        ClaimRequested(
            workspace_sid=WS, account_sid=ACCOUNT, by=by, request="q2", reservation_sid=reservation, **more
        )
    )
    return [each for each in kit.posts() if isinstance(each, ReservationClaimed)][-1]


def tell(
    kit: Kit, task: str, change: Any, *, role: str = "customer", reservation: str = "", about: str = CALLER,
    reason: str = "",
) -> None:  # fmt: skip
    """A leg tells how it goes."""
    leg = TaskLeg(workspace=WS, task=task, reservation=reservation, role=role)  # type: ignore[arg-type]
    kit.event(TaskCallChanged(workspace_sid=WS, about=about, leg=leg, change=change, reason=reason))


def offered(*, worker: str = "Available", **workspace: Any) -> tuple[Kit, str]:
    """A caller's task with Ann."""
    kit = Kit(template="FIFO", **workspace)
    kit.worker("Ann", activity=worker, contact_uri="sip:ann@desk.example")
    return kit, ask(kit)


def status(kit: Kit, reservation: str) -> str:
    """A reservation's state."""
    return kit.workspace.reservations[reservation].reservation_status


# --- the task -------------------------------------------------------------------------------------------------------


def test_made() -> None:
    """Channel voice, the call's facts, what ``<Task>`` says wins; the caller's leg is answered."""
    kit = Kit(template="FIFO")
    task = ask(kit, '{"from": "me", "tier": "gold"}', priority=7, timeout=99)
    record = kit.workspace.tasks[task].record
    assert json.loads(record.attributes) == {
        "call_sid": CALLER,
        "from": "me",
        "called": "+15550199",
        "tier": "gold",
    }
    assert (record.task_channel_unique_name, record.priority, record.timeout) == ("voice", 7, 99)
    (made,) = (each for each in kit.posts() if isinstance(each, TaskMade))
    assert (made.call_sid, made.request, made.task_sid, made.error_code) == (CALLER, "q1", task, None)
    assert [each.sid for each in kit.taskrouter.tasks_of_call(CALLER)] == [task]


@pytest.mark.parametrize(
    ("attributes", "more", "code"),
    [
        ("{", {}, 14221), ("[1]", {}, 14221), ("5", {}, 14221), ("[" * 100_000, {}, 14221),
        ("", {"workflow_sid": "WW" + "f" * 32}, 14222), ("", {"priority": -1}, 14222), ("", {"timeout": 0}, 14222),
        (json.dumps({"x": "y" * 4090}), {}, 14222),
    ],
)  # fmt: skip
def test_not_made(attributes: str, more: dict[str, Any], code: int) -> None:
    """The caller's leg hears why; nothing is left behind."""
    kit = Kit(template="FIFO")
    ask(kit, attributes, **more)
    (made,) = (each for each in kit.posts() if isinstance(each, TaskMade))
    assert (made.task_sid, made.error_code, bool(made.error_text)) == ("", code, True)
    assert kit.workspace.tasks == {}


def test_canceled_at_once() -> None:
    """No filter matches: the caller hears one thing, not two."""
    kit = Kit()
    kit.workflow({"filters": [{"expression": "1==0", "targets": [{"queue": kit.queue("Q")}]}]})
    ask(kit)
    assert [type(each) for each in kit.posts()] == [TaskMade]
    assert kit.posts()[0].error_code == 14222


# --- claims -----------------------------------------------------------------------------------------------------------


def test_claim() -> None:
    """Accepts, and says whom to bridge; the second who tries is told (§9 no. 5)."""
    kit, task = offered()
    reservation = kit.offer(task)
    answer = claim(kit, reservation)
    assert (answer.call_sid, answer.member_sid, answer.task_sid, answer.error_code) == (
        AGENT,
        CALLER,
        task,
        None,
    )
    assert (status(kit, reservation), kit.state(task)) == ("accepted", "assigned")
    again = claim(kit, reservation)
    assert (again.error_code, again.member_sid) == (14215, "")


@pytest.mark.parametrize("case", ["unknown", "activity", "no caller"])
def test_claims_that_fail(case: str) -> None:
    """With their codes; nothing is accepted."""
    kit, task = offered()
    if case == "no caller":
        kit.request("delete", "Task", task)
        task = kit.task(flow(kit))
    reservation = kit.offer(task)
    more = {"post_work_activity_sid": "WA" + "f" * 32} if case == "activity" else {}
    answer = claim(kit, "WR" + "f" * 32 if case == "unknown" else reservation, **more)
    assert answer.error_code == {"unknown": 14217, "activity": 14218, "no caller": 14215}[case]
    assert status(kit, reservation) == "pending"


# --- the caller -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("worker", ["Offline", "Available"])
@pytest.mark.parametrize(("change", "reason"), [("ended", "hangup"), ("left_queue", "Caller left the queue")])
def test_the_caller_leaves(worker: str, change: str, reason: str) -> None:
    """§9 no. 4: in the queue or while reserved: task and reservation are canceled, the worker is free."""
    kit, task = offered(worker=worker)
    tell(kit, task, change)
    record = kit.workspace.tasks[task].record
    assert (record.assignment_status, record.reason) == ("canceled", reason)
    assert [each.reservation_status for each in kit.workspace.reservations.values()] == ["canceled"] * (
        worker == "Available"
    )
    if worker == "Available":
        assert kit.pending(ask(kit)) == ["Ann"]


@pytest.mark.parametrize("multi", [True, False])
@pytest.mark.parametrize("activity", ["", "Unavailable"])
@pytest.mark.parametrize("who", ["customer ended", "customer unbridged", "worker ended", "worker unbridged"])
def test_the_talk_is_over(multi: bool, activity: str, who: str) -> None:
    """Wrapping (completed where workers hold one task), and the post-work activity (§8)."""
    kit, task = offered(multi_task_enabled=multi)
    reservation = kit.offer(task)
    claim(kit, reservation, **({"post_work_activity_sid": kit.activity(activity)} if activity else {}))
    role, change = who.split()
    tell(kit, task, "bridged")
    for _ in range(2):  # the other leg tells too: nothing more happens
        tell(
            kit,
            task,
            change,
            role=role,
            reservation=reservation,
            about=CALLER if role == "customer" else AGENT,
        )
    expected = "wrapping" if multi else "completed"
    assert (status(kit, reservation), kit.state(task)) == (expected, expected)
    assert next(iter(kit.workspace.workers.values())).record.activity_name == (activity or "Available")


def test_a_caller_of_a_plainly_accepted_task_hangs_up() -> None:
    """No instruction dialled anybody, but the talk can only be over: the work is to be wrapped up."""
    kit, task = offered()
    reservation = kit.offer(task)
    kit.reserve(reservation, "accepted")
    tell(kit, task, "left_queue")
    assert (status(kit, reservation), kit.state(task)) == ("accepted", "assigned")
    tell(kit, task, "ended")
    assert (status(kit, reservation), kit.state(task)) == ("wrapping", "wrapping")


# --- the agent's leg ------------------------------------------------------------------------------------------------


def dialled(kind: str, **params: str) -> tuple[Kit, str, str, str]:
    """An instruction calls Ann; the kit, the task, the reservation and her leg."""
    kit, task = offered()
    reservation = kit.offer(task)
    kit.update("Reservation", reservation, {}, {"Instruction": kind, **params})
    leg = kit.workspace.reservations[reservation].call_sid
    assert leg is not None
    return kit, task, reservation, leg


@pytest.mark.parametrize("kind", ["dequeue", "conference"])
def test_the_agent_does_not_answer(kind: str) -> None:
    """The reservation is canceled, the task goes back in line: to others at once, to them after a pause."""
    kit, task, reservation, leg = dialled(kind)
    tell(kit, task, "ended", role="worker", reservation=reservation, about=leg)
    assert (status(kit, reservation), kit.state(task), kit.pending(task)) == ("canceled", "pending", [])
    kit.advance(RETRY_AFTER)
    assert kit.pending(task) == ["Ann"]
    kit.update("Reservation", kit.offer(task), {}, {"Instruction": kind})
    second = kit.offer(task)
    kit.worker("Bob", contact_uri="sip:bob@desk.example")
    tell(
        kit,
        task,
        "ended",
        role="worker",
        reservation=second,
        about=kit.workspace.reservations[second].call_sid or "",
    )
    assert kit.pending(task) == ["Bob"]


@pytest.mark.parametrize("late", [False, True])
def test_a_task_that_is_given_back_has_its_clock_again(late: bool) -> None:
    """The caller still waits, so the task does: in line where it was, or on to the next target when that is over."""
    kit = Kit()
    queue, other = kit.queue("Q"), kit.queue("Other")
    kit.workflow(
        {"filters": [{"expression": "1==1", "targets": [{"queue": queue, "timeout": 30}, {"queue": other}]}]}
    )
    kit.worker("Ann", contact_uri="sip:ann@desk.example")
    task = ask(kit)
    reservation = kit.offer(task)
    claim(kit, reservation)
    kit.advance(40 if late else 20)
    assert kit.state(task) == "assigned"
    tell(kit, task, "ended", role="worker", reservation=reservation, about=AGENT)
    assert (status(kit, reservation), kit.state(task)) == (
        "canceled",
        "pending" if not late else kit.state(task),
    )
    assert kit.workspace.tasks[task].record.task_queue_friendly_name == ("Other" if late else "Q")
    kit.advance(RETRY_AFTER)
    assert kit.pending(task) == ["Ann"]
    if not late:
        kit.reserve(kit.offer(task), "rejected", WorkerActivitySid=kit.activity("Offline"))
        kit.advance(5)
        assert kit.workspace.tasks[task].record.task_queue_friendly_name == "Other"
    assert all(channel.assigned_tasks <= 1 for channel in kit.workspace.worker_channels.values())


def test_a_caller_whose_bridge_failed_waits_as_if_there_had_been_none() -> None:
    """Given back; and when the next leg is lost before the two have met, given back again."""
    kit, task, first, leg = dialled("dequeue")
    tell(kit, task, "answered", role="worker", reservation=first, about=leg)
    claim(kit, first, by=leg)
    tell(kit, task, "bridged")
    tell(kit, task, "unbridged", reason="failed")
    assert (status(kit, first), kit.state(task)) == ("canceled", "pending")
    kit.advance(RETRY_AFTER)
    second = kit.offer(task)
    claim(kit, second)
    tell(kit, task, "ended", role="worker", reservation=second, about=AGENT)
    assert (status(kit, second), kit.state(task)) == ("canceled", "pending")


def test_ttl_after_a_task_was_given_back() -> None:
    """Its life went on while it was assigned."""
    kit = Kit(template="FIFO")
    kit.worker("Ann")
    task = ask(kit, timeout=30)
    reservation = kit.offer(task)
    claim(kit, reservation)
    kit.advance(40)
    tell(kit, task, "ended", role="worker", reservation=reservation, about=AGENT)
    assert (kit.state(task), kit.workspace.tasks[task].record.reason) == ("canceled", "Task TTL Exceeded")


def test_an_older_leg_says_nothing() -> None:
    """Only the leg of the reservation counts."""
    kit, task, reservation, _ = dialled("dequeue")
    tell(kit, task, "ended", role="worker", reservation=reservation, about="CA" + "9" * 32)
    assert status(kit, reservation) == "pending"


@pytest.mark.parametrize("on_exit", ["true", "false"])
def test_conference(on_exit: str) -> None:
    """Accepted on the worker's answer; then the caller joins them; their leaving ends the work."""
    kit, task, reservation, leg = dialled(
        "conference", EndConferenceOnCustomerExit=on_exit, BeepOnCustomerEntrance="false"
    )
    assert status(kit, reservation) == "pending"
    tell(kit, task, "answered", role="worker", reservation=reservation, about=leg)
    assert status(kit, reservation) == "accepted"
    (taken,) = (each for each in kit.posts() if isinstance(each, QueueTaken))
    assert (taken.call_sid, taken.conference["name"], taken.conference["beep"]) == (CALLER, task, "false")
    assert taken.conference["endConferenceOnExit"] == (on_exit == "true")
    tell(kit, task, "bridged")
    tell(kit, task, "bridged")
    tell(kit, task, "ended", role="worker", reservation=reservation, about=leg)
    assert (status(kit, reservation), kit.state(task)) == ("wrapping", "wrapping")


@pytest.mark.parametrize("kind", ["dequeue", "conference"])
def test_the_agent_is_gone_before_the_caller_heard_him(kind: str) -> None:
    """The caller still waits, and so does the task: nothing accepted stays behind."""
    kit, task, reservation, leg = dialled(kind)
    tell(kit, task, "answered", role="worker", reservation=reservation, about=leg)
    if kind == "dequeue":
        claim(kit, reservation, by=leg)
    tell(kit, task, "ended", role="worker", reservation=reservation, about=leg)
    assert (status(kit, reservation), kit.state(task), kit.pending(task)) == ("canceled", "pending", [])
    kit.advance(RETRY_AFTER)
    assert kit.pending(task) == ["Ann"]


@pytest.mark.parametrize("kind", ["dequeue", "conference", "call"])
@pytest.mark.parametrize("how", ["hangs up", "rejected", "timeout"])
def test_the_phone_stops_ringing_when_the_offer_is_over(kind: str, how: str) -> None:
    """A worker's leg that is being dialled for an offer that has ended is hung up."""
    params = {"CallUrl": "http://example.com/", "CallFrom": "+15550100"} if kind == "call" else {}
    kit, task, reservation, leg = dialled(kind, **params)
    if how == "hangs up":
        tell(kit, task, "ended")
    elif how == "rejected":
        kit.reserve(reservation, "rejected")
    else:
        kit.advance(120)
    assert [each.call_sid for each in kit.posts() if isinstance(each, HangUpRequested)] == [leg]


def test_dequeue_is_accepted_by_the_bridge() -> None:
    """Not by the answer: by the claim of the leg's document, which knows the post-work activity."""
    kit, task, reservation, leg = dialled("dequeue", DequeuePostWorkActivitySid="")
    tell(kit, task, "answered", role="worker", reservation=reservation, about=leg)
    assert status(kit, reservation) == "pending"
    claim(kit, reservation)
    assert status(kit, reservation) == "accepted"


def test_the_post_work_activity_of_the_instruction() -> None:
    """Kept from the instruction to the end of the talk."""
    kit, task = offered()
    reservation = kit.offer(task)
    away = kit.activity("Unavailable")
    kit.update("Reservation", reservation, {}, {"Instruction": "dequeue", "DequeuePostWorkActivitySid": away})
    claim(kit, reservation)
    tell(kit, task, "ended")
    assert next(iter(kit.workspace.workers.values())).record.activity_name == "Unavailable"


def test_the_caller_hangs_up_while_the_agent_is_called() -> None:
    """Canceled; the agent's answer that comes later accepts nothing."""
    kit, task, reservation, leg = dialled("conference")
    tell(kit, task, "ended")
    tell(kit, task, "answered", role="worker", reservation=reservation, about=leg)
    assert (status(kit, reservation), kit.state(task)) == ("canceled", "canceled")
    assert claim(kit, reservation).error_code == 14215


def test_news_about_nothing() -> None:
    """A task or reservation that is gone: ignored."""
    kit, task, reservation, leg = dialled("dequeue")
    kit.request("delete", "Task", task)
    tell(kit, task, "ended", role="worker", reservation=reservation, about=leg)
    tell(kit, task, "ended")
    assert kit.workspace.tasks == {}
