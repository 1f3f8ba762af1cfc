"""Where routing and telephony meet: callers become tasks, legs report how they go (taskrouter.md §9)."""

from __future__ import annotations

import msgspec

from ringback.effects import Post
from ringback.events.queues import DeskCallChanged, QueueTaken, ReservationClaimed, TaskMade
from ringback.events.taskrouter import ClaimRequested, TaskRequested
from ringback.kernel.error_codes import title
from ringback.kernel.errors import Refused
from ringback.kernel.lane import Lane
from ringback.resources.taskrouter.reservation import Reservation
from ringback.taskrouter import outbound, transfers
from ringback.taskrouter.floor import Floor, Job
from ringback.taskrouter.instructions import note
from ringback.taskrouter.lifecycle import (
    accept,
    cancel_reservation,
    cancel_task,
    complete,
    give_back,
    move_worker,
    wrap,
)
from ringback.taskrouter.machine import RESERVATION_LIVE
from ringback.taskrouter.requests.task import add
from ringback.taskrouter.troubles import trouble

NOT_PLACED = {"call": 40113, "dequeue": 40133, "conference": 40145}
"""Instruction → debugger's code when its call may not be made (§8)."""
HANGUP = "hangup"
LEFT = "Caller left the queue"


def make_task(floor: Floor, event: TaskRequested) -> None:
    """A waiting caller's task (§9 no. 1, 2); the caller's leg hears what came of it."""
    try:
        job = _caller_task(floor, event)
    except Refused as refusal:
        code = refusal.code if refusal.code == 14221 else 14222
        _made(floor, event, None, code, refusal.message)
        return
    if floor.over(job):
        caller = Lane("call", event.caller_sid)
        floor.out = [each for each in floor.out if not (isinstance(each, Post) and each.event.lane == caller)]
        _made(floor, event, None, 14222, job.record.reason or "The task was canceled at once")
        return
    _made(floor, event, job.record.sid, None, "")


def _caller_task(floor: Floor, event: TaskRequested) -> Job:
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
    return add(floor, event.task_sid, values, {"TaskChannel": "voice"}, event.caller_sid)


def _made(floor: Floor, event: TaskRequested, task_sid: str | None, code: int | None, text: str) -> None:
    floor.do(
        Post(
            TaskMade(
                call_sid=event.caller_sid, request=event.request, workspace_sid=floor.workspace.sid,
                task_sid=task_sid or "", error_code=code, error_text=text,
            )
        )
    )  # fmt: skip


def claim(floor: Floor, event: ClaimRequested) -> None:
    """``<Dial><Queue reservationSid>``: accepted by whoever comes first; the leg hears whom to bridge (§9 no. 5)."""
    reservation = floor.reservations.get(event.reservation_sid)
    code, text, member = None, "", ""
    if reservation is None:
        code, text = 14217, f"Reservation {event.reservation_sid[:64]} does not exist"
    elif reservation.reservation_status != "pending":
        state = reservation.reservation_status
        code, text = 14215, f"Reservation {reservation.sid} is {state}, not pending"
    elif event.post_work_activity_sid and event.post_work_activity_sid not in floor.activities:
        code, text = 14218, f"postWorkActivitySid {event.post_work_activity_sid[:64]} does not exist"
    elif not (member := floor.tasks[reservation.task_sid].record.call_sid or ""):
        code, text = 14215, f"The task of reservation {reservation.sid} has no caller in a queue"
    if reservation is not None and code is None:
        accept(floor, reservation)
        reservation.call_sid = event.by
        known = reservation.instruction or {"kind": "dequeue"}
        activity = event.post_work_activity_sid or known.get("post_work_activity_sid")
        reservation.instruction = {**known, "post_work_activity_sid": activity}
    floor.do(
        Post(
            ReservationClaimed(
                call_sid=event.by, request=event.request, workspace_sid=floor.workspace.sid,
                task_sid=reservation.task_sid if reservation is not None else "",
                reservation_sid=event.reservation_sid, member_sid=member, error_code=code, error_text=text,
            )
        )
    )  # fmt: skip


def changed(floor: Floor, event: DeskCallChanged) -> None:
    """A leg of a task tells how it goes."""
    job = floor.tasks.get(event.desk.get("task", ""))
    if job is None:
        return
    if event.change == "joined":
        _joined(floor, job, event)
        return
    if event.change == "bridged":
        job.record.conference = {**(job.record.conference or {}), "bridged": True}
        floor.save(job.record)
    elif event.desk.get("role") == "customer":
        if not outbound.told(floor, job, event):
            _customer(floor, job, event)
        return
    reservation = floor.reservations.get(event.desk.get("reservation", ""))
    if reservation is not None and event.desk.get("role") == "worker":
        _worker(floor, job, reservation, event)


def _joined(floor: Floor, job: Job, event: DeskCallChanged) -> None:
    """A leg is in the task's conference: the attributes say which, and who is who (§4.1)."""
    role = event.desk.get("role", "")
    if role not in ("customer", "worker") or event.conference_name != job.record.sid or floor.over(job):
        return
    known = job.attributes.get("conference")
    people = known.get("participants") if isinstance(known, dict) else None
    conference = {
        "sid": event.conference_sid, "friendlyName": event.conference_name,
        "participants": {**(people if isinstance(people, dict) else {}), role: event.about},
    }  # fmt: skip
    note(floor, job, {"conference": conference})


def _customer(floor: Floor, job: Job, event: DeskCallChanged) -> None:
    if event.change not in ("ended", "left_queue", "unbridged"):
        return
    state = job.record.assignment_status
    if event.change == "unbridged" and event.reason == "failed" and state == "assigned":
        _back(floor, job)
        return
    if state in ("pending", "reserved") and event.change != "unbridged":
        cancel_task(floor, job, HANGUP if event.change == "ended" else LEFT)
    elif state == "assigned":
        transfers.failed(floor, job, transfers.CUSTOMER_LEFT)
        for sid in list(job.reservations):
            reservation = floor.reservations[sid]
            talked = reservation.instruction is not None or event.change == "ended"
            if reservation.reservation_status == "accepted" and talked:
                conversation_over(floor, reservation)


def _worker(floor: Floor, job: Job, reservation: Reservation, event: DeskCallChanged) -> None:
    instruction = reservation.instruction or {}
    state = reservation.reservation_status
    if event.about != reservation.call_sid:
        return  # another, older leg of his
    kind = str(instruction.get("kind", ""))
    if event.change == "ended" and kind in NOT_PLACED and _refused(event):
        text = f"The call to the worker was refused ({event.error_code}: {title(event.error_code or 0)})"
        trouble(floor, NOT_PLACED[kind], text, reservation.sid)
    if event.change == "answered" and instruction.get("kind") == "conference" and state == "pending":
        accept(floor, reservation)
        if outbound.to_be_called(job):
            outbound.dial(floor, job, reservation)
        else:
            _bring_customer(floor, job, instruction)
    elif event.change in ("ended", "unbridged"):
        if state == "pending" and event.change == "ended" and outbound.to_be_called(job):
            outbound.worker_gone(floor, reservation, event)
        elif state == "accepted" and event.change == "ended" and outbound.ringing(job):
            outbound.give_up(floor, job)
        elif state == "pending" and event.change == "ended":
            reservation.instruction = None
            cancel_reservation(floor, reservation)
        elif state == "accepted" and event.change == "ended" and _never_met(job):
            _back(floor, job)
        elif state == "accepted" and (event.change == "ended" or instruction.get("kind") == "dequeue"):
            conversation_over(floor, reservation)


def _refused(event: DeskCallChanged) -> bool:
    """Whether the call was refused before it was dialled: then one code says it all (``kernel/outcome.py``)."""
    return event.error_code is not None and event.error_code == event.reason_code


def _never_met(job: Job) -> bool:
    """Whether the waiting caller has not heard anybody yet."""
    return bool(job.record.call_sid) and not (job.record.conference or {}).get("bridged")


def _back(floor: Floor, job: Job) -> None:
    """The two never heard each other and the caller still waits: everything accepted is given back."""
    for sid in list(job.reservations):
        reservation = floor.reservations[sid]
        if reservation.reservation_status == "accepted" and reservation.instruction is not None:
            give_back(floor, reservation)


def _bring_customer(floor: Floor, job: Job, instruction: dict[str, str]) -> None:
    """The worker is there: the waiting caller joins him in the conference named after the task."""
    task = job.record
    if not task.call_sid:
        return
    floor.do(
        Post(
            QueueTaken(
                call_sid=task.call_sid, by="",
                conference={
                    "name": task.sid, "startConferenceOnEnter": True,
                    "beep": instruction.get("customer_beep", "true"),
                    "endConferenceOnExit": instruction.get("end_on_customer_exit") == "true",
                },
            )
        )
    )  # fmt: skip


def conversation_over(floor: Floor, reservation: Reservation) -> None:
    """The talk is over: wrap-up (or completion where workers hold one task), and the post-work activity (§8)."""
    if reservation.reservation_status not in RESERVATION_LIVE:
        return
    activity = (reservation.instruction or {}).get("post_work_activity_sid")
    agent = floor.workers.get(reservation.worker_sid)
    if activity and agent is not None and activity in floor.activities:
        move_worker(floor, agent, activity)
    if floor.workspace.multi_task_enabled:
        wrap(floor, reservation)
    else:
        complete(floor, reservation, "Call ended")
