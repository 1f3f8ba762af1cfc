"""Single steps of a task and of a reservation, with their events: what the lives in ``lifecycle.py`` are made of."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from ringback.effects import Post
from ringback.events import HangUpRequested
from ringback.resources.taskrouter.reservation import Reservation
from ringback.resources.telephony import TaskConference
from ringback.taskrouter.journal import publish
from ringback.taskrouter.live import LiveTask
from ringback.taskrouter.machine import RESERVATION_LIVE, reservation_step, task_step
from ringback.taskrouter.workspace import LiveWorkspace

ASSIGNED_LIMIT = 86_400.0
"""Seconds that a task may stay assigned (§3)."""

RETRY_AFTER = 5.0
"""Seconds before a worker whose phone could not be reached is offered the same task again."""


def set_task(workspace: LiveWorkspace, task: LiveTask, event: str) -> None:
    """Step the task's state; raises :class:`Refused` when that is illegal."""
    record = task.record
    before = record.assignment_status
    record.assignment_status = task_step(before, event, record.sid)
    if record.assignment_status != before:
        record.status_since = workspace.now
        if record.assignment_status == "assigned":
            workspace.schedule.add(workspace.now + ASSIGNED_LIMIT, "assigned", record.sid, workspace.now)
    workspace.save(record)


def end_reservation(workspace: LiveWorkspace, reservation: Reservation, event: str, kind: str) -> None:
    """A reservation's step with its event; capacity is freed, and a ringing phone stops, when it is over."""
    if reservation.reservation_status == "pending" and reservation.call_sid and reservation.instruction:
        workspace.do(Post(HangUpRequested(call_sid=reservation.call_sid, reason="api")))
    reservation.reservation_status = reservation_step(reservation.reservation_status, event, reservation.sid)
    workspace.save(reservation)
    task = workspace.tasks[reservation.task_sid]
    task.open.discard(reservation.sid)
    if reservation.reservation_status not in RESERVATION_LIVE:
        workspace.change_load(reservation, -1)
    tell(workspace, reservation, kind)


def tell(workspace: LiveWorkspace, reservation: Reservation, kind: str) -> None:
    """Record an event about a reservation."""
    worker = workspace.workers.get(reservation.worker_sid)
    task = workspace.tasks[reservation.task_sid]
    publish(
        workspace, kind, task=task.record, reservation=reservation, worker=worker.record if worker is not None else None
    )  # fmt: skip


def with_status(workspace: LiveWorkspace, task: LiveTask, states: Collection[str]) -> list[Reservation]:
    """The task's reservations in one of these states, oldest first."""
    found = [workspace.reservations[sid] for sid in task.reservations]
    return [each for each in found if each.reservation_status in states]


def set_attributes(workspace: LiveWorkspace, task: LiveTask, text: str, attributes: dict[str, Any]) -> None:
    """Give the task other attributes (the JSON text, and the same read), with the event; it keeps its place."""
    waited = task.waits
    workspace.end_waiting(task)
    workspace.describe(task, attributes)
    task.record.attributes = text
    workspace.save(task.record)
    if waited:
        workspace.begin_waiting(task)
    publish(workspace, "task.updated", task=task.record)


def set_conference(workspace: LiveWorkspace, task: LiveTask, **facts: Any) -> None:
    """Note what the telephone told: fields of ``TaskConference``."""
    task.record.conference = replace(task.record.conference or TaskConference(), **facts)
    workspace.save(task.record)
