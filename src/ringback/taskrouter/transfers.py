"""Transfers of accepted work to another worker or queue, cold and warm (taskrouter.md §9.1)."""

from __future__ import annotations

from typing import Any

from ringback.effects import Post
from ringback.events import HangUpRequested
from ringback.kernel.errors import Refused
from ringback.resources.taskrouter.reservation import Reservation
from ringback.taskrouter.journal import publish
from ringback.taskrouter.lifecycle import cancel_reservation, reserve, set_task, wrap
from ringback.taskrouter.live import LiveTask
from ringback.taskrouter.workspace import LiveWorkspace

FLYING = "initiated"
UNAVAILABLE = "The worker is not available or holds as much as he may"
DECLINED = "Nobody accepted the transfer"
CANCELED = "Canceled by the worker who began it"
CUSTOMER_LEFT = "The customer left"


def begin(
    workspace: LiveWorkspace, sid: str, reservation: Reservation, to: str, mode: str, priority: int | None
) -> dict[str, Any]:
    """Begin a transfer. Raises :class:`Refused` 20001."""
    task = workspace.task(reservation.task_sid)
    record = task.record
    if reservation.reservation_status != "accepted":
        state = reservation.reservation_status
        raise Refused(20001, f"Cannot transfer: reservation {reservation.sid} is {state}, not accepted")
    if flying(task) is not None:
        raise Refused(20001, f"Task {record.sid} is being transferred already")
    if record.call_sid and (reservation.instruction or {}).get("kind") == "dequeue":
        raise Refused(
            20001, "A dequeued call is a bridge of two: use the conference instruction to transfer calls"
        )
    if to not in workspace.workers and to not in workspace.queues:
        raise Refused(20001, f"To {to[:64]} is no worker or task queue of this workspace")
    if to == reservation.worker_sid:
        raise Refused(20001, "A task cannot be transferred to the worker who has it")
    if mode not in ("WARM", "COLD"):
        raise Refused(20001, f"Mode must be WARM or COLD, not {mode[:20]!r}")
    if priority is not None:
        record.priority = priority
    record.transfer = {
        "sid": sid, "mode": mode, "type": "WORKER" if to in workspace.workers else "QUEUE", "to": to, "status": FLYING,
        "task_sid": record.sid, "initiating_worker_sid": reservation.worker_sid,
        "initiating_reservation_sid": reservation.sid, "initiating_queue_sid": record.task_queue_sid,
        "initiating_workflow_sid": record.workflow_sid, "reason": None, "date_created": workspace.now,
        "date_updated": workspace.now,
    }  # fmt: skip
    workspace.save(record)
    publish(workspace, "task.transfer-initiated", task=record, transfer=record.transfer)
    if mode == "COLD":
        wrap(workspace, reservation)
        if reservation.call_sid:
            workspace.do(Post(HangUpRequested(call_sid=reservation.call_sid, reason="api")))
    task.asked = {reservation.worker_sid}
    if to in workspace.queues:
        _to_queue(workspace, task, to)
        return dict(record.transfer)
    worker = workspace.workers[to]
    if not workspace.free_on(worker, record.task_channel_sid):
        attempt_failed(workspace, task, UNAVAILABLE)
        return dict(record.transfer)
    reserve(workspace, task, worker, record.task_queue_sid, sid)
    return dict(record.transfer)


def _to_queue(workspace: LiveWorkspace, task: LiveTask, queue_sid: str) -> None:
    from ringback.taskrouter.routing import DIRECT

    record = task.record
    if record.task_queue_sid != queue_sid:
        record.task_queue_sid = queue_sid
        record.task_queue_friendly_name = workspace.queues[queue_sid].record.friendly_name
        record.task_queue_entered_date = workspace.now
        workspace.save(record)
        publish(workspace, "task-queue.moved", task=record, about=("task-queue", queue_sid))
    task.target = DIRECT
    workspace.begin_waiting(task)


def flying(task: LiveTask) -> dict[str, Any] | None:
    """The transfer in flight; None: there is none."""
    transfer = task.record.transfer
    return transfer if transfer is not None and transfer["status"] == FLYING else None


def accepted(workspace: LiveWorkspace, task: LiveTask, reservation: Reservation) -> None:
    """The target has accepted: the transfer is complete; a warm one leaves the first worker in until he goes."""
    transfer = flying(task)
    if transfer is not None and transfer["initiating_reservation_sid"] != reservation.sid:
        reservation.transfer_sid = transfer["sid"]
        _close(workspace, task, "completed", None)
        publish(workspace, "task.transfer-completed", task=task.record, transfer=task.record.transfer)


def attempt_failed(workspace: LiveWorkspace, task: LiveTask, reason: str) -> None:
    """One offer of the transfer came to nothing: a queue's next worker is asked, or the transfer has failed."""
    transfer = flying(task)
    if transfer is None:
        return
    publish(workspace, "task.transfer-attempt-failed", task=task.record, transfer=transfer)
    if transfer["type"] == "QUEUE" and reason != CUSTOMER_LEFT:
        workspace.begin_waiting(task)
        workspace.dirty_tasks.add(task.record.sid)
        return
    failed(workspace, task, reason)


def failed(workspace: LiveWorkspace, task: LiveTask, reason: str) -> None:
    """The transfer is over without success; work that nobody holds any more is to be wrapped up."""
    if flying(task) is None:
        return
    _close(workspace, task, "failed", reason)
    for sid in sorted(task.open):
        cancel_reservation(workspace, workspace.reservations[sid], retry=False)
    publish(workspace, "task.transfer-failed", task=task.record, transfer=task.record.transfer)
    _orphaned(workspace, task)


def cancel(workspace: LiveWorkspace, task: LiveTask) -> dict[str, Any]:
    """Canceled by the worker who began it. Raises :class:`Refused` 20001 when nothing is in flight."""
    if flying(task) is None:
        raise Refused(20001, f"Task {task.record.sid} has no transfer in flight")
    _close(workspace, task, "canceled", CANCELED)
    for sid in sorted(task.open):
        cancel_reservation(workspace, workspace.reservations[sid], retry=False)
    publish(workspace, "task.transfer-canceled", task=task.record, transfer=task.record.transfer)
    _orphaned(workspace, task)
    return dict(task.record.transfer or {})


def _close(workspace: LiveWorkspace, task: LiveTask, status: str, reason: str | None) -> None:
    task.record.transfer = {
        **(task.record.transfer or {}), "status": status, "reason": reason, "date_updated": workspace.now,
    }  # fmt: skip
    workspace.end_waiting(task)
    workspace.save(task.record)


def _orphaned(workspace: LiveWorkspace, task: LiveTask) -> None:
    states = {workspace.reservations[sid].reservation_status for sid in task.reservations}
    if task.record.assignment_status == "assigned" and "accepted" not in states:
        set_task(workspace, task, "wrap")
        publish(workspace, "task.wrapup", task=task.record)
