"""Where routing and telephony meet: callers become tasks, legs report how they go (taskrouter.md §9)."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from ringback.effects import Post
from ringback.events.queues import QueueTaken, ReservationClaimed, TaskCallChanged, TaskMade
from ringback.events.taskrouter import ClaimRequested, TaskRequested
from ringback.kernel.error_codes import title
from ringback.kernel.errors import Refused
from ringback.kernel.lane import Lane
from ringback.kernel.outcome import MALFORMED
from ringback.resources.taskrouter.reservation import Reservation
from ringback.resources.telephony import CarriedOut
from ringback.taskrouter import outbound, transfers
from ringback.taskrouter.alerts import log_alert
from ringback.taskrouter.instructions import add_facts
from ringback.taskrouter.lifecycle import (
    accept,
    cancel_reservation,
    cancel_task,
    complete,
    give_back,
    move_worker,
    stop_ringing,
    wrap,
)
from ringback.taskrouter.live import LiveTask
from ringback.taskrouter.machine import RESERVATION_LIVE, leg_step
from ringback.taskrouter.requests.task import add
from ringback.taskrouter.steps import set_conference
from ringback.taskrouter.workspace import LiveWorkspace

NOT_PLACED = {"call": 40113, "dequeue": 40133, "conference": 40145}
"""Instruction → debugger's code when its call may not be made (§8)."""
NO_NUMBER = (21211, 21217, 13223, 13224)
"""What a call to something that is no phone number is refused with."""
HANGUP = "hangup"
LEFT = "Caller left the queue"


def make_task(workspace: LiveWorkspace, event: TaskRequested) -> None:
    """A waiting caller's task (§9 no. 1, 2); the caller's leg hears what came of it."""
    try:
        task = _caller_task(workspace, event)
    except Refused as refusal:
        code = refusal.code if refusal.code == 14221 else 14222
        _made(workspace, event, None, code, refusal.message)
        return
    if workspace.over(task):
        caller = Lane("call", event.caller_sid)
        workspace.out = [
            each for each in workspace.out if not (isinstance(each, Post) and each.event.lane == caller)
        ]
        _made(workspace, event, None, 14222, task.record.reason or "The task was canceled at once")
        return
    _made(workspace, event, task.record.sid, None, "")


def _caller_task(workspace: LiveWorkspace, event: TaskRequested) -> LiveTask:
    given: object = {}
    if event.attributes.strip():
        try:
            given = msgspec.json.decode(event.attributes)
        except (msgspec.DecodeError, RecursionError) as error:
            raise Refused(14221, f"<Task> holds no valid JSON: {error}") from None
    if not isinstance(given, dict):
        raise Refused(14221, "<Task> holds no JSON object")
    values = {
        "attributes": msgspec.json.encode({**event.facts, **given}).decode(),
        "workflow_sid": event.workflow_sid,
    }
    if event.priority is not None:
        values["priority"] = event.priority  # type: ignore[assignment]
    if event.timeout is not None:
        values["timeout"] = event.timeout  # type: ignore[assignment]
    return add(workspace, event.task_sid, values, {"TaskChannel": "voice"}, event.caller_sid)


def _made(
    workspace: LiveWorkspace, event: TaskRequested, task_sid: str | None, code: int | None, text: str
) -> None:
    workspace.do(
        Post(
            TaskMade(
                call_sid=event.caller_sid, request=event.request, workspace_sid=workspace.record.sid,
                task_sid=task_sid or "", error_code=code, error_text=text,
            )
        )
    )  # fmt: skip


def claim(workspace: LiveWorkspace, event: ClaimRequested) -> None:
    """``<Dial><Queue reservationSid>``: accepted by whoever comes first; the leg hears whom to bridge (§9 no. 5)."""
    reservation = workspace.reservations.get(event.reservation_sid)
    code, text, member = None, "", ""
    if reservation is None:
        code, text = 14217, f"Reservation {event.reservation_sid[:64]} does not exist"
    elif reservation.reservation_status != "pending":
        state = reservation.reservation_status
        code, text = 14215, f"Reservation {reservation.sid} is {state}, not pending"
    elif event.post_work_activity_sid and event.post_work_activity_sid not in workspace.activities:
        code, text = 14218, f"postWorkActivitySid {event.post_work_activity_sid[:64]} does not exist"
    elif not (member := workspace.tasks[reservation.task_sid].record.call_sid or ""):
        code, text = 14215, f"The task of reservation {reservation.sid} has no caller in a queue"
    if reservation is not None and code is None:
        accept(workspace, reservation)
        known = reservation.instruction
        if known is None or reservation.call_sid != event.by:  # a leg that the application has dialled
            known = replace(known or CarriedOut(kind="dequeue"), leg="answered")
        reservation.call_sid = event.by
        activity = event.post_work_activity_sid or known.post_work_activity_sid
        reservation.instruction = replace(known, post_work_activity_sid=activity)
    workspace.do(
        Post(
            ReservationClaimed(
                call_sid=event.by, request=event.request, workspace_sid=workspace.record.sid,
                task_sid=reservation.task_sid if reservation is not None else "",
                reservation_sid=event.reservation_sid, member_sid=member, error_code=code, error_text=text,
            )
        )
    )  # fmt: skip


def changed(workspace: LiveWorkspace, event: TaskCallChanged) -> None:
    """A leg of a task tells how it goes; what follows depends on where ``machine.LEG`` says that it is now."""
    task = workspace.tasks.get(event.leg.task)
    if task is None:
        return
    reservation = workspace.reservations.get(event.leg.reservation)
    if event.change == "joined":
        _joined(workspace, task, event, reservation)
    if event.leg.role == "customer":
        ours = not outbound.outdated(task, event) and _customer_step(workspace, task, event)
        if ours and event.change == "joined" and event.conference_name == task.record.sid:
            outbound.reached(workspace, task, reservation)
        if ours and not outbound.told(workspace, task, reservation, event):
            _customer(workspace, task, event)
    elif event.leg.role == "worker" and reservation is not None and event.about == reservation.call_sid:
        if event.change == "bridged":  # a bridge has two ends, and one of them is told first
            _customer_step(workspace, task, event)
        if _worker_step(workspace, reservation, event):
            _worker(workspace, task, reservation, event)


def _customer_step(workspace: LiveWorkspace, task: LiveTask, event: TaskCallChanged) -> bool:
    """Step the customer's leg; False: the event changes nothing, or there is no such leg."""
    state = leg_step(task.customer, _word(event)) if task.customer else ""
    if state == task.customer:
        return False
    set_conference(workspace, task, customer=state)
    return True


def _worker_step(workspace: LiveWorkspace, reservation: Reservation, event: TaskCallChanged) -> bool:
    """Step the worker's leg; False: the event changes nothing, or the instruction is carried out no longer."""
    known = reservation.instruction
    state = leg_step(known.leg, _word(event)) if known is not None else ""
    if known is None or state == known.leg:
        return False
    reservation.instruction = replace(known, leg=state)
    workspace.save(reservation)
    return True


def _word(event: TaskCallChanged) -> str:
    """The event as the table has it."""
    return "failed" if event.change == "unbridged" and event.reason == "failed" else event.change


def _joined(
    workspace: LiveWorkspace, task: LiveTask, event: TaskCallChanged, reservation: Reservation | None
) -> None:
    """A leg is in the task's conference: the attributes say which, and who is who (§4.1)."""
    role = event.leg.role
    if role not in ("customer", "worker") or event.conference_name != task.record.sid or workspace.over(task):
        return
    known = task.attributes.get("conference")
    people = known.get("participants") if isinstance(known, dict) else None
    conference = {
        "sid": event.conference_sid, "friendlyName": event.conference_name,
        "participants": {**(people if isinstance(people, dict) else {}), role: event.about},
    }  # fmt: skip
    add_facts(workspace, task, {"conference": conference})
    if role == "customer" or reservation is not None:
        transfers.joined(workspace, task, reservation if role == "worker" else None)


def _customer(workspace: LiveWorkspace, task: LiveTask, event: TaskCallChanged) -> None:
    if event.change not in ("ended", "left_queue", "unbridged"):
        return
    state = task.record.assignment_status
    if task.customer == "waiting" and state == "assigned":
        _back(workspace, task)
        return
    if state in ("pending", "reserved") and (event.change != "unbridged" or transfers.holds(task)):
        transfers.customer_left(workspace, task)
        cancel_task(workspace, task, HANGUP if event.change == "ended" else LEFT)
    elif state == "assigned":
        transfers.customer_left(workspace, task)
        for sid in list(task.reservations):
            reservation = workspace.reservations[sid]
            talked = reservation.instruction is not None or event.change == "ended"
            if reservation.reservation_status == "accepted" and talked:
                conversation_over(workspace, reservation)


def _worker(
    workspace: LiveWorkspace, task: LiveTask, reservation: Reservation, event: TaskCallChanged
) -> None:
    carried, state = reservation.instruction, reservation.reservation_status
    assert carried is not None
    kind = carried.kind
    if event.change == "ended" and kind in NOT_PLACED and _refused(event):
        text = f"The call to the worker was refused ({event.error_code}: {title(event.error_code or 0)})"
        log_alert(workspace, NOT_PLACED[kind], text, reservation.sid)
    if event.change == "answered" and kind == "conference" and state == "pending":
        if outbound.to_be_called(task):
            outbound.dial(workspace, task, reservation)
        else:
            accept(workspace, reservation)
            _bring_customer(workspace, task, carried)
    elif event.change in ("ended", "unbridged"):
        if event.change == "ended" and outbound.under_way(task) and state in ("pending", "accepted"):
            stop_ringing(workspace, task)  # its end says with which code the reservation goes
        elif state == "pending" and event.change == "ended" and outbound.to_be_called(task):
            outbound.worker_gone(workspace, reservation, event)
        elif state == "pending" and event.change == "ended":
            reservation.instruction = None
            cancel_reservation(workspace, reservation, _malformed(event))
        elif state == "accepted" and event.change == "ended" and task.customer == "waiting":
            _back(workspace, task)
        elif state == "accepted" and event.change == "ended" and transfers.awaits(task, reservation):
            transfers.taker_gone(workspace, task, reservation)
        elif state == "accepted" and (event.change == "ended" or kind == "dequeue"):
            conversation_over(workspace, reservation)


def _malformed(event: TaskCallChanged) -> int | None:
    """The code for a worker's address that cannot be dialled (call-outcomes.md §7); None: it is not for that."""
    return MALFORMED if _refused(event) and event.error_code in NO_NUMBER else None


def _refused(event: TaskCallChanged) -> bool:
    """Whether the call was refused before it was dialled: then one code says it all (``kernel/outcome.py``)."""
    return event.error_code is not None and event.error_code == event.reason_code


def _back(workspace: LiveWorkspace, task: LiveTask) -> None:
    """The two never heard each other and the caller still waits: everything accepted is given back."""
    for sid in list(task.reservations):
        reservation = workspace.reservations[sid]
        if reservation.reservation_status == "accepted" and reservation.instruction is not None:
            give_back(workspace, reservation)


def _bring_customer(workspace: LiveWorkspace, task: LiveTask, carried: CarriedOut) -> None:
    """The worker is there: the waiting caller joins them in the conference named after the task.

    One who is in it already, held while the task was transferred, need not be brought.
    """
    record = task.record
    if not record.call_sid or task.customer != "waiting":
        return
    workspace.do(
        Post(
            QueueTaken(
                call_sid=record.call_sid, by="",
                conference={
                    "name": record.sid, "startConferenceOnEnter": True,
                    "beep": "true" if carried.customer_beep else "false",
                    "endConferenceOnExit": carried.end_on_customer_exit,
                },
            )
        )
    )  # fmt: skip


def conversation_over(workspace: LiveWorkspace, reservation: Reservation) -> None:
    """The talk is over: wrap-up (or completion where workers hold one task), and the post-work activity (§8)."""
    if reservation.reservation_status not in RESERVATION_LIVE:
        return
    activity = reservation.instruction.post_work_activity_sid if reservation.instruction is not None else None
    worker = workspace.workers.get(reservation.worker_sid)
    if activity and worker is not None and activity in workspace.activities:
        move_worker(workspace, worker, activity)
    if workspace.record.multi_task_enabled:
        wrap(workspace, reservation)
    else:
        complete(workspace, reservation, "Call ended")
