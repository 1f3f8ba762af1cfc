"""Transfers of accepted work to another worker or queue, cold and warm (taskrouter.md §9.1)."""

from __future__ import annotations

from typing import Any

from ringback.effects import Post
from ringback.events import HangUpRequested
from ringback.kernel.errors import Refused
from ringback.resources.taskrouter.reservation import Reservation
from ringback.taskrouter.floor import Floor, Job
from ringback.taskrouter.journal import happened
from ringback.taskrouter.lifecycle import cancel_reservation, reserve, set_task, wrap

FLYING = "initiated"
UNAVAILABLE = "The worker is not available or holds as much as he may"
DECLINED = "Nobody accepted the transfer"
CANCELED = "Canceled by the worker who began it"
CUSTOMER_LEFT = "The customer left"


def begin(
    floor: Floor, sid: str, reservation: Reservation, to: str, mode: str, priority: int | None
) -> dict[str, Any]:
    """Begin a transfer. Raises :class:`Refused` 20001."""
    job = floor.task(reservation.task_sid)
    task = job.record
    if reservation.reservation_status != "accepted":
        state = reservation.reservation_status
        raise Refused(20001, f"Cannot transfer: reservation {reservation.sid} is {state}, not accepted")
    if flying(job) is not None:
        raise Refused(20001, f"Task {task.sid} is being transferred already")
    if task.call_sid and (reservation.instruction or {}).get("kind") == "dequeue":
        raise Refused(
            20001, "A dequeued call is a bridge of two: use the conference instruction to transfer calls"
        )
    if to not in floor.workers and to not in floor.queues:
        raise Refused(20001, f"To {to[:64]} is no worker or task queue of this workspace")
    if to == reservation.worker_sid:
        raise Refused(20001, "A task cannot be transferred to the worker who has it")
    if mode not in ("WARM", "COLD"):
        raise Refused(20001, f"Mode must be WARM or COLD, not {mode[:20]!r}")
    if priority is not None:
        task.priority = priority
    task.transfer = {
        "sid": sid, "mode": mode, "type": "WORKER" if to in floor.workers else "QUEUE", "to": to, "status": FLYING,
        "task_sid": task.sid, "initiating_worker_sid": reservation.worker_sid,
        "initiating_reservation_sid": reservation.sid, "initiating_queue_sid": task.task_queue_sid,
        "initiating_workflow_sid": task.workflow_sid, "reason": None, "date_created": floor.now,
        "date_updated": floor.now,
    }  # fmt: skip
    floor.save(task)
    happened(floor, "task.transfer-initiated", task=task, transfer=task.transfer)
    if mode == "COLD":
        wrap(floor, reservation)
        if reservation.call_sid:
            floor.do(Post(HangUpRequested(call_sid=reservation.call_sid, reason="api")))
    job.asked = {reservation.worker_sid}
    if to in floor.queues:
        _to_queue(floor, job, to)
        return dict(task.transfer)
    agent = floor.workers[to]
    if not floor.free_on(agent, task.task_channel_sid):
        attempt_failed(floor, job, UNAVAILABLE)
        return dict(task.transfer)
    reserve(floor, job, agent, task.task_queue_sid, sid)
    return dict(task.transfer)


def _to_queue(floor: Floor, job: Job, queue_sid: str) -> None:
    from ringback.taskrouter.routing import DIRECT

    task = job.record
    if task.task_queue_sid != queue_sid:
        task.task_queue_sid = queue_sid
        task.task_queue_friendly_name = floor.queues[queue_sid].record.friendly_name
        task.task_queue_entered_date = floor.now
        floor.save(task)
        happened(floor, "task-queue.moved", task=task, about=("task-queue", queue_sid))
    job.target = DIRECT
    floor.line_up(job)


def flying(job: Job) -> dict[str, Any] | None:
    """The transfer in flight; None: there is none."""
    transfer = job.record.transfer
    return transfer if transfer is not None and transfer["status"] == FLYING else None


def accepted(floor: Floor, job: Job, reservation: Reservation) -> None:
    """The target has accepted: the transfer is complete; a warm one leaves the first worker in until he goes."""
    transfer = flying(job)
    if transfer is not None and transfer["initiating_reservation_sid"] != reservation.sid:
        reservation.transfer_sid = transfer["sid"]
        _close(floor, job, "completed", None)
        happened(floor, "task.transfer-completed", task=job.record, transfer=job.record.transfer)


def attempt_failed(floor: Floor, job: Job, reason: str) -> None:
    """One offer of the transfer came to nothing: a queue's next worker is asked, or the transfer has failed."""
    transfer = flying(job)
    if transfer is None:
        return
    happened(floor, "task.transfer-attempt-failed", task=job.record, transfer=transfer)
    if transfer["type"] == "QUEUE" and reason != CUSTOMER_LEFT:
        floor.line_up(job)
        floor.dirty_tasks.add(job.record.sid)
        return
    failed(floor, job, reason)


def failed(floor: Floor, job: Job, reason: str) -> None:
    """The transfer is over without success; work that nobody holds any more is to be wrapped up."""
    if flying(job) is None:
        return
    _close(floor, job, "failed", reason)
    for sid in sorted(job.open):
        cancel_reservation(floor, floor.reservations[sid], retry=False)
    happened(floor, "task.transfer-failed", task=job.record, transfer=job.record.transfer)
    _orphaned(floor, job)


def cancel(floor: Floor, job: Job) -> dict[str, Any]:
    """Canceled by the worker who began it. Raises :class:`Refused` 20001 when nothing is in flight."""
    if flying(job) is None:
        raise Refused(20001, f"Task {job.record.sid} has no transfer in flight")
    _close(floor, job, "canceled", CANCELED)
    for sid in sorted(job.open):
        cancel_reservation(floor, floor.reservations[sid], retry=False)
    happened(floor, "task.transfer-canceled", task=job.record, transfer=job.record.transfer)
    _orphaned(floor, job)
    return dict(job.record.transfer or {})


def _close(floor: Floor, job: Job, status: str, reason: str | None) -> None:
    job.record.transfer = {
        **(job.record.transfer or {}), "status": status, "reason": reason, "date_updated": floor.now,
    }  # fmt: skip
    floor.step_out(job)
    floor.save(job.record)


def _orphaned(floor: Floor, job: Job) -> None:
    states = {floor.reservations[sid].reservation_status for sid in job.reservations}
    if job.record.assignment_status == "assigned" and "accepted" not in states:
        set_task(floor, job, "wrap")
        happened(floor, "task.wrapup", task=job.record)
