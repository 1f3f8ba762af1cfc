"""Transfers, as the worker SDK asks for them (taskrouter.md §9.1; taskrouter-js.md §4)."""

from __future__ import annotations

from typing import Any

from ringback.events.taskrouter import WorkspaceWriteRequested
from ringback.kernel.errors import Refused
from ringback.taskrouter import transfers
from ringback.taskrouter.journal import publish
from ringback.taskrouter.live import read_attributes
from ringback.taskrouter.requests.task import PRIORITY_LIMIT
from ringback.taskrouter.requests.values import attributes
from ringback.taskrouter.workspace import LiveWorkspace

KIND = "Transfer"


def create(workspace: LiveWorkspace, event: WorkspaceWriteRequested) -> dict[str, Any]:
    """TaskSid, ReservationSid, To, Mode (WARM), Priority, Attributes; gives the transfer's facts."""
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
    transfer = transfers.begin(
        workspace, event.sid, reservation, params.get("To", ""), (params.get("Mode") or "WARM").upper(),
        int(text) if text else None,
    )  # fmt: skip
    if given:
        task = workspace.task(reservation.task_sid)
        lined = task.waits
        workspace.end_waiting(task)
        task.record.attributes, task.attributes = given, read_attributes(given)
        workspace.save(task.record)
        if lined:
            workspace.begin_waiting(task)
        publish(workspace, "task.updated", task=task.record)
    return transfer


def update(workspace: LiveWorkspace, event: WorkspaceWriteRequested) -> dict[str, Any]:
    """TransferStatus=canceled."""
    task = workspace.task(event.params.get("TaskSid", ""))
    if (task.record.transfer or {}).get("sid") != event.sid:
        raise Refused(20404, f"The requested transfer {event.sid[:64]} was not found", 404)
    if event.params.get("TransferStatus") != "canceled":
        raise Refused(20001, "TransferStatus must be canceled")
    return transfers.cancel(workspace, task)
