"""Transfers, as the worker SDK asks for them (taskrouter.md §9.1; taskrouter-js.md §4)."""

from __future__ import annotations

from ringback.effects import Post
from ringback.events import HangUpRequested
from ringback.events.taskrouter import WorkspaceWriteRequested
from ringback.kernel.errors import Refused
from ringback.resources.taskrouter.reservation import Reservation
from ringback.resources.telephony import TaskTransfer
from ringback.taskrouter import transfers
from ringback.taskrouter.journal import publish
from ringback.taskrouter.lifecycle import reserve, wrap
from ringback.taskrouter.live import read_attributes
from ringback.taskrouter.requests.task import PRIORITY_LIMIT
from ringback.taskrouter.requests.values import attributes
from ringback.taskrouter.steps import set_attributes
from ringback.taskrouter.workspace import LiveWorkspace

KIND = "Transfer"


def create(workspace: LiveWorkspace, event: WorkspaceWriteRequested) -> TaskTransfer:
    """TaskSid, ReservationSid, To, Mode (WARM), Priority, Attributes; gives the transfer."""
    params = event.params
    reservation = workspace.reservation(params.get("ReservationSid", ""))
    if reservation.task_sid != params.get("TaskSid", reservation.task_sid):
        raise Refused(20001, f"Reservation {reservation.sid} is not of task {params['TaskSid'][:64]}")
    if params.get("WorkerSid", reservation.worker_sid) != reservation.worker_sid:
        raise Refused(20003, "Only the worker who has the reservation can transfer it", 403)
    text = params.get("Priority", "")
    if text and not (text.isascii() and text.isdigit() and int(text[:12]) <= PRIORITY_LIMIT):
        raise Refused(20001, f"Priority must be 0 to {PRIORITY_LIMIT}")
    given = params.get("Attributes")
    if given:
        attributes(given)
    return begin(
        workspace, event.sid, reservation, params.get("To", ""), (params.get("Mode") or "WARM").upper(),
        int(text) if text else None, given or "",
    )  # fmt: skip


def update(workspace: LiveWorkspace, event: WorkspaceWriteRequested) -> TaskTransfer:
    """TransferStatus=canceled."""
    task = workspace.task(event.params.get("TaskSid", ""))
    if task.record.transfer is None or task.record.transfer.sid != event.sid:
        raise Refused(20404, f"The requested transfer {event.sid[:64]} was not found", 404)
    if event.params.get("TransferStatus") != "canceled":
        raise Refused(20001, "TransferStatus must be canceled")
    return transfers.cancel(workspace, task)


def begin(
    workspace: LiveWorkspace, sid: str, reservation: Reservation, to: str, mode: str, priority: int | None,
    given: str,
) -> TaskTransfer:  # fmt: skip
    """Begin a transfer; ``given``: other attributes for the task, if any. Raises :class:`Refused` 20001, among others
    for a worker who cannot be offered it now: then the task stays where it is, and the customer hears nothing of it."""
    task = workspace.task(reservation.task_sid)
    record = task.record
    if reservation.reservation_status != "accepted":
        state = reservation.reservation_status
        raise Refused(20001, f"Cannot transfer: reservation {reservation.sid} is {state}, not accepted")
    if transfers.flying(task) is not None:
        raise Refused(20001, f"Task {record.sid} is being transferred already")
    if record.call_sid and reservation.instruction is not None and reservation.instruction.kind == "dequeue":
        raise Refused(
            20001, "A dequeued call is a bridge of two: use the conference instruction to transfer calls"
        )
    if to not in workspace.workers and to not in workspace.queues:
        raise Refused(20001, f"To {to[:64]} is no worker or task queue of this workspace")
    if to == reservation.worker_sid:
        raise Refused(20001, "A task cannot be transferred to the worker who has it")
    if mode not in ("WARM", "COLD"):
        raise Refused(20001, f"Mode must be WARM or COLD, not {mode[:20]!r}")
    worker = workspace.workers.get(to)
    if worker is not None and not workspace.free_on(worker, record.task_channel_sid):
        raise Refused(
            20001,
            f"Worker {to} is not available for the transfer: they are {worker.record.activity_name}, or hold as much "
            "as they may",
        )
    if priority is not None:
        record.priority = priority
    transfer = record.transfer = TaskTransfer(
        sid=sid, mode=mode, type="WORKER" if to in workspace.workers else "QUEUE", to=to, status="initiated",
        task_sid=record.sid, initiating_worker_sid=reservation.worker_sid,
        initiating_reservation_sid=reservation.sid, initiating_queue_sid=record.task_queue_sid,
        initiating_workflow_sid=record.workflow_sid, date_created=workspace.now, date_updated=workspace.now,
    )  # fmt: skip
    workspace.save(record)
    publish(workspace, "task.transfer-initiated", task=record, transfer=transfer)
    if given:
        set_attributes(workspace, task, given, read_attributes(given))
    transfers.hold(workspace, task)
    if mode == "COLD":
        wrap(workspace, reservation)
        if reservation.call_sid:
            workspace.do(Post(HangUpRequested(call_sid=reservation.call_sid, reason="api")))
    if worker is not None:
        reserve(workspace, task, worker, record.task_queue_sid, sid)
    else:
        task.asked = {reservation.worker_sid} if mode == "WARM" else set()
        transfers.to_queue(workspace, task, to)
        transfers.wait(workspace, task)
    return transfer
