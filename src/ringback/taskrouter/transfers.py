"""Transfers of accepted work to another worker or queue, cold and warm (taskrouter.md §9.1).

Who has the task, and what its customer on the telephone hears::

    the transfer        WARM                                     COLD
    begins              the first worker keeps it                they are done with it: it waits (pending, reserved)
                        the customer waits on hold, and the conference outlives the first worker's leg
    is accepted         both have it until the first one leaves  the new worker has it
                        the customer talks again when the new worker's leg is in the conference
    comes to nothing    the first worker has it as before        it waits in the queue that it came from
                        the customer talks to them again         the customer stays on hold until somebody takes it

A warm transfer whose first worker leaves goes on as a cold one. Nothing waits without an end: a task that nobody has is
canceled when its time to live is over, counted from the moment at which it was given away; a customer who is held then
leaves the conference, and their call goes on with its document.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from ringback.effects import Post
from ringback.events.conferences import TransferTold
from ringback.events.writes import WriteRequested
from ringback.kernel.errors import Refused
from ringback.kernel.lane import Lane
from ringback.resources.taskrouter.reservation import Reservation
from ringback.resources.taskrouter.task import Task
from ringback.resources.telephony import TaskTransfer
from ringback.taskrouter.alerts import log_alert
from ringback.taskrouter.configuration import DIRECT
from ringback.taskrouter.journal import publish
from ringback.taskrouter.live import LiveTask
from ringback.taskrouter.steps import RETRY_AFTER, end_reservation, set_task, with_status
from ringback.taskrouter.workspace import LiveWorkspace

LOST = {
    "reject": "Transfer failed because the reservation was rejected",
    "expire": "Transfer failed because the reservation timed out",
    "cancel": "Transfer failed because the reservation was canceled",
}
"""How the one offer of a transfer ended → why the transfer failed."""
CANCELED = "Canceled by the worker who began it"
TAKER_GONE = "The worker who accepted it was gone before the customer heard them"
CUSTOMER_LEFT = "The customer left"
TRANSFER_FAILED = 45313
"""Debugger: a transfer came to nothing, and nobody has the task."""
TALKING = ("answered", "talking")
"""States of a leg that is in the conference, or on its way there."""


def flying(task: LiveTask) -> TaskTransfer | None:
    """The transfer in flight; None: there is none."""
    transfer = task.record.transfer
    return transfer if transfer is not None and transfer.flying else None


def returned(record: Task) -> bool:
    """Whether the task waits again because its transfer came to nothing."""
    transfer = record.transfer
    over = transfer is not None and transfer.status in ("failed", "canceled")
    return over and record.assignment_status in ("pending", "reserved")


# --- the customer ---------------------------------------------------------------------------------------------------


def hold(workspace: LiveWorkspace, task: LiveTask) -> None:
    """It begins: the customer waits on hold, and the conference outlives the leg of the worker who began it."""
    transfer = flying(task)
    if transfer is None or not _customer(task):
        return
    task.record.transfer = replace(transfer, holding=True)
    _tell(workspace, _customer(task), "hold")
    _tell(workspace, workspace.reservations[transfer.initiating_reservation_sid].call_sid, "outlive")


def joined(workspace: LiveWorkspace, task: LiveTask, reservation: Reservation | None) -> None:
    """A leg has come into the task's conference: a worker's, or (no ``reservation``) the customer's.

    Whoever takes the task over ends the hold. After a cold transfer that is every hold, since nobody is there who knew
    of another; after a warm one it is what the transfer made.
    """
    transfer = task.record.transfer
    if transfer is None or not transfer.holding:
        return
    if reservation is None:
        _tell(workspace, _customer(task), "hold")  # the transfer began before they were in
    elif reservation.sid != transfer.initiating_reservation_sid:
        _talk(workspace, task, "talk" if transfer.mode == "COLD" else "unhold")


def holds(task: LiveTask) -> bool:
    """Whether the customer waits on hold for whoever takes the task over."""
    return task.record.transfer is not None and task.record.transfer.holding


def awaits(task: LiveTask, reservation: Reservation) -> bool:
    """Whether the customer is still held for the worker who has accepted this reservation."""
    transfer = task.record.transfer
    taken = transfer is not None and transfer.initiating_reservation_sid != reservation.sid
    return taken and holds(task) and task.customer in TALKING


def let_go(workspace: LiveWorkspace, task: LiveTask) -> None:
    """The task ends, or nobody works on it any more, while a transfer holds its customer: nobody is left on hold."""
    transfer = task.record.transfer
    if transfer is None or not transfer.holding:
        return
    there = [
        each
        for each in map(workspace.reservations.__getitem__, task.reservations)
        if each.instruction is not None and each.instruction.leg in TALKING
        and (transfer.mode == "WARM" or each.sid != transfer.initiating_reservation_sid)
    ]  # fmt: skip
    leg = _customer(task)
    if there or task.customer not in TALKING:
        _talk(workspace, task, "unhold")
        return
    task.record.transfer = replace(transfer, holding=False)
    workspace.save(task.record)
    lane = Lane("call", leg)
    workspace.do(Post(WriteRequested(lane=lane, noun="Participant", operation="delete", sid=leg)))
    text = f"Task {task.record.sid} ended while its customer was on hold: they have left the conference"
    log_alert(workspace, TRANSFER_FAILED, text, task.record.sid)


def _talk(workspace: LiveWorkspace, task: LiveTask, change: Literal["talk", "unhold"]) -> None:
    assert task.record.transfer is not None
    task.record.transfer = replace(task.record.transfer, holding=False)
    workspace.save(task.record)
    _tell(workspace, _customer(task), change)


def _customer(task: LiveTask) -> str:
    """SID of the customer's call; empty: nobody is on the telephone."""
    known = task.record.conference
    return task.record.call_sid or (known.customer_call if known is not None else "")


def _tell(
    workspace: LiveWorkspace, call_sid: str | None, change: Literal["hold", "unhold", "talk", "outlive", "restore"]
) -> None:  # fmt: skip
    if call_sid:
        workspace.do(Post(TransferTold(call_sid=call_sid, change=change)))


# --- how it ends ----------------------------------------------------------------------------------------------------


def accepted(workspace: LiveWorkspace, task: LiveTask, reservation: Reservation) -> None:
    """The target has accepted: the transfer is complete; a warm one leaves the first worker in until they go."""
    transfer = flying(task)
    if transfer is not None and transfer.initiating_reservation_sid != reservation.sid:
        reservation.transfer_sid = transfer.sid
        _close(workspace, task, "completed", None)
        publish(workspace, "task.transfer-completed", task=task.record, transfer=task.record.transfer)


def lost(
    workspace: LiveWorkspace, task: LiveTask, reservation: Reservation, event: str
) -> TaskTransfer | None:
    """The offer is about to end without success; gives the transfer to one worker that fails with it, as it was.

    It is closed before the offer's end is told, whose news show it; :func:`failed_with` follows.
    """
    transfer = flying(task)
    if transfer is None or transfer.type != "WORKER" or reservation.transfer_sid != transfer.sid:
        return None
    _close(workspace, task, "failed", LOST[event])
    return transfer


def failed_with(
    workspace: LiveWorkspace, task: LiveTask, transfer: TaskTransfer, unreachable: str | None
) -> None:
    """The only offer of the transfer is over, and it with it. ``unreachable``: the worker, when that was why."""
    publish(workspace, "task.transfer-attempt-failed", task=task.record, transfer=transfer)
    publish(workspace, "task.transfer-failed", task=task.record, transfer=task.record.transfer)
    _back(workspace, task, unreachable)


def attempt_failed(workspace: LiveWorkspace, task: LiveTask) -> None:
    """One offer of a transfer to a queue came to nothing: the next worker is asked.

    Those who have been asked are asked again only while nobody has the task: else the first worker may cancel it.
    """
    transfer = flying(task)
    assert transfer is not None
    publish(workspace, "task.transfer-attempt-failed", task=task.record, transfer=transfer)
    if task.record.assignment_status == "reserved" and not task.open:
        set_task(workspace, task, "release")
        task.asked = set()
    workspace.begin_waiting(task)
    workspace.dirty_tasks.add(task.record.sid)


def customer_left(workspace: LiveWorkspace, task: LiveTask) -> None:
    """The customer is gone: there is nobody to hold any more, and nothing to transfer."""
    if task.record.transfer is not None:
        task.record.transfer = replace(task.record.transfer, holding=False)
    over(workspace, task, CUSTOMER_LEFT)


def over(workspace: LiveWorkspace, task: LiveTask, reason: str) -> None:
    """The task ends while a transfer is in flight: it has failed, and nothing goes back."""
    if flying(task) is None:
        return
    _close(workspace, task, "failed", reason)
    _end_offers(workspace, task)
    publish(workspace, "task.transfer-failed", task=task.record, transfer=task.record.transfer)


def taker_gone(workspace: LiveWorkspace, task: LiveTask, reservation: Reservation) -> None:
    """Who accepted it was gone before they were in the conference: it has failed after all (not at once for them)."""
    reservation.instruction = None
    _close(workspace, task, "failed", TAKER_GONE)
    end_reservation(workspace, reservation, "cancel", "reservation.canceled")
    publish(workspace, "task.transfer-failed", task=task.record, transfer=task.record.transfer)
    if task.record.assignment_status == "assigned" and not with_status(workspace, task, ("accepted",)):
        set_task(workspace, task, "release")
    _back(workspace, task, reservation.worker_sid)


def cancel(workspace: LiveWorkspace, task: LiveTask) -> TaskTransfer:
    """Canceled by the worker who began it. Raises :class:`Refused` 20001, saying which transfer is over, and how."""
    known = task.record.transfer
    if known is None:
        raise Refused(20001, f"Task {task.record.sid} has no transfer. Cannot cancel transfer.")
    if not known.flying:
        # Word for word what the SDK's own tests expect, blank and all (npm twilio-taskrouter).
        raise Refused(20001, f"Transfer {known.sid} is already {known.status} . Cannot cancel transfer.")
    canceled = _close(workspace, task, "canceled", CANCELED)
    _end_offers(workspace, task)
    publish(workspace, "task.transfer-canceled", task=task.record, transfer=canceled)
    _back(workspace, task)
    return canceled


def step_down(workspace: LiveWorkspace, task: LiveTask) -> None:
    """While it is transferred its last worker leaves it: it is nobody's, and waits like new work."""
    if (
        flying(task) is None
        or task.record.assignment_status != "assigned"
        or with_status(workspace, task, ("accepted",))
    ):
        return
    set_task(workspace, task, "release")
    if task.open:
        set_task(workspace, task, "reserve")
    _live_again(workspace, task)


def _close(workspace: LiveWorkspace, task: LiveTask, status: str, reason: str | None) -> TaskTransfer:
    assert task.record.transfer is not None
    closed = replace(task.record.transfer, status=status, reason=reason, date_updated=workspace.now)
    task.record.transfer = closed
    workspace.end_waiting(task)
    workspace.save(task.record)
    return closed


def _end_offers(workspace: LiveWorkspace, task: LiveTask) -> None:
    for sid in sorted(task.open):
        end_reservation(workspace, workspace.reservations[sid], "cancel", "reservation.canceled")


# --- who has it then ------------------------------------------------------------------------------------------------


def _back(workspace: LiveWorkspace, task: LiveTask, unreachable: str | None = None) -> None:
    """The transfer came to nothing: back to the worker who began it, or to the queue that it came from.

    ``unreachable``: the worker who is not to be asked at once."""
    transfer, record = task.record.transfer, task.record
    assert transfer is not None
    holders = with_status(workspace, task, ("accepted",))
    if holders:
        if transfer.holding:
            _talk(workspace, task, "unhold")
        for each in holders:
            _tell(workspace, each.call_sid, "restore")
    elif record.assignment_status in ("pending", "reserved"):
        if record.assignment_status == "reserved":
            set_task(workspace, task, "release")
        _to_line(workspace, task, unreachable)
    workspace.save(record)
    publish(workspace, "task.updated", task=record)


def _to_line(workspace: LiveWorkspace, task: LiveTask, unreachable: str | None) -> None:
    record, transfer = task.record, task.record.transfer
    assert transfer is not None
    to_queue(workspace, task, transfer.initiating_queue_sid)
    record.filter_index, record.target_over = None, False  # past the workflow, whose times are long over
    task.asked = {unreachable} if unreachable else set()
    if unreachable:
        workspace.schedule.add(workspace.now + RETRY_AFTER, "retry", record.sid)
    _live_again(workspace, task)
    wait(workspace, task)
    line = f"queue {record.task_queue_sid}" if task.waits else f"worker {transfer.initiating_worker_sid}"
    held = " its customer is on hold," if transfer.holding else ""
    text = f"{transfer.reason}. Nobody has task {record.sid}:{held} it waits for {line}"
    log_alert(workspace, TRANSFER_FAILED, text, record.sid)


def wait(workspace: LiveWorkspace, task: LiveTask) -> None:
    """Wait in the queue; a task that came from none waits for the worker who gave it away."""
    record, transfer = task.record, task.record.transfer
    task.target = DIRECT
    workspace.begin_waiting(task)
    if not task.waits and transfer is not None:
        worker_sid = transfer.initiating_worker_sid
        workspace.direct.setdefault(worker_sid, []).append(record.sid)
        workspace.dirty_workers.add(worker_sid)


def to_queue(workspace: LiveWorkspace, task: LiveTask, queue_sid: str | None) -> None:
    """The task is moved to the queue, when it is another one and still exists."""
    record, queue = task.record, workspace.queues.get(queue_sid or "")
    if queue is None or record.task_queue_sid == queue_sid:
        return
    record.task_queue_sid, record.task_queue_friendly_name = queue_sid, queue.record.friendly_name
    record.task_queue_entered_date = workspace.now
    workspace.save(record)
    publish(workspace, "task-queue.moved", task=record, about=("task-queue", queue_sid or ""))


def lives_until(record: Task) -> float:
    """When the task is canceled unless somebody accepts it: counted from its creation, or from when nobody had it any
    more (else it would be over at once for work that took its time)."""
    transfer = record.transfer
    since = record.date_created if transfer is None else max(record.date_created, transfer.unheld_since)
    return since + record.timeout


def _live_again(workspace: LiveWorkspace, task: LiveTask) -> None:
    assert task.record.transfer is not None
    task.record.transfer = replace(task.record.transfer, unheld_since=workspace.now)
    workspace.save(task.record)
    workspace.schedule.add(lives_until(task.record), "ttl", task.record.sid)
