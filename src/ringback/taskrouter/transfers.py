"""Transfers of accepted work to another worker or queue, cold and warm (taskrouter.md §9.1)."""

from __future__ import annotations

from dataclasses import replace

from ringback.kernel.errors import Refused
from ringback.resources.taskrouter.reservation import Reservation
from ringback.resources.telephony import TaskTransfer
from ringback.taskrouter.journal import publish
from ringback.taskrouter.live import LiveTask
from ringback.taskrouter.steps import end_reservation, set_task
from ringback.taskrouter.workspace import LiveWorkspace

UNAVAILABLE = "The worker is not available or holds as much as they may"
DECLINED = "Nobody accepted the transfer"
CANCELED = "Canceled by the worker who began it"
CUSTOMER_LEFT = "The customer left"


def flying(task: LiveTask) -> TaskTransfer | None:
    """The transfer in flight; None: there is none."""
    transfer = task.record.transfer
    return transfer if transfer is not None and transfer.flying else None


def accepted(workspace: LiveWorkspace, task: LiveTask, reservation: Reservation) -> None:
    """The target has accepted: the transfer is complete; a warm one leaves the first worker in until they go."""
    transfer = flying(task)
    if transfer is not None and transfer.initiating_reservation_sid != reservation.sid:
        reservation.transfer_sid = transfer.sid
        _close(workspace, task, "completed", None)
        publish(workspace, "task.transfer-completed", task=task.record, transfer=task.record.transfer)


def attempt_failed(workspace: LiveWorkspace, task: LiveTask, reason: str) -> None:
    """One offer of the transfer came to nothing: a queue's next worker is asked, or the transfer has failed."""
    transfer = flying(task)
    if transfer is None:
        return
    publish(workspace, "task.transfer-attempt-failed", task=task.record, transfer=transfer)
    if transfer.type == "QUEUE" and reason != CUSTOMER_LEFT:
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
        end_reservation(workspace, workspace.reservations[sid], "cancel", "reservation.canceled")
    publish(workspace, "task.transfer-failed", task=task.record, transfer=task.record.transfer)
    _orphaned(workspace, task)


def cancel(workspace: LiveWorkspace, task: LiveTask) -> TaskTransfer:
    """Canceled by the worker who began it. Raises :class:`Refused` 20001 when nothing is in flight."""
    if flying(task) is None:
        raise Refused(20001, f"Task {task.record.sid} has no transfer in flight")
    canceled = _close(workspace, task, "canceled", CANCELED)
    for sid in sorted(task.open):
        end_reservation(workspace, workspace.reservations[sid], "cancel", "reservation.canceled")
    publish(workspace, "task.transfer-canceled", task=task.record, transfer=canceled)
    _orphaned(workspace, task)
    return canceled


def _close(workspace: LiveWorkspace, task: LiveTask, status: str, reason: str | None) -> TaskTransfer:
    assert task.record.transfer is not None
    closed = replace(task.record.transfer, status=status, reason=reason, date_updated=workspace.now)
    task.record.transfer = closed
    workspace.end_waiting(task)
    workspace.save(task.record)
    return closed


def _orphaned(workspace: LiveWorkspace, task: LiveTask) -> None:
    states = {workspace.reservations[sid].reservation_status for sid in task.reservations}
    if task.record.assignment_status == "assigned" and "accepted" not in states:
        set_task(workspace, task, "wrap")
        publish(workspace, "task.wrapup", task=task.record)
