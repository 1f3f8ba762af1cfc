"""A task's legs in its conference: hold, mute, kick, as the worker SDK asks for them (taskrouter-js.md §4)."""

from __future__ import annotations

from collections.abc import Callable

from ringback.effects import Post
from ringback.events.taskrouter import WorkspaceWriteRequested
from ringback.events.writes import Operation, WriteRequested
from ringback.kernel.errors import Refused
from ringback.kernel.lane import Lane
from ringback.resources.taskrouter.task import Task
from ringback.taskrouter.live import LiveTask
from ringback.taskrouter.steps import with_status
from ringback.taskrouter.workspace import LiveWorkspace

HOLD = {"Hold": "Hold", "HoldUrl": "HoldUrl", "HoldMethod": "HoldMethod"}
OWN = {"Mute": "Muted", "EndConferenceOnExit": "EndConferenceOnExit", "BeepOnExit": "BeepOnExit"}
"""The SDK's parameter → that of a conference's participant."""


def customer(workspace: LiveWorkspace, event: WorkspaceWriteRequested) -> Task:
    """Hold or unhold the customer."""
    task = _theirs(workspace, event)
    known = task.record.conference
    leg = task.record.call_sid or (known.customer_call if known is not None else "")
    if not leg:
        raise Refused(20001, f"Task {task.record.sid} has no customer on the telephone")
    return _change(workspace, task, leg, event, HOLD)


def worker(workspace: LiveWorkspace, event: WorkspaceWriteRequested) -> Task:
    """Mute the worker, or say what happens when they leave."""
    reservation = workspace.reservation(event.params.get("ReservationSid", ""))
    if reservation.worker_sid != event.params.get("WorkerSid", reservation.worker_sid):
        raise Refused(20003, "The reservation is another worker's", 403)
    if not reservation.call_sid:
        raise Refused(20001, f"Reservation {reservation.sid} has no call")
    return _change(workspace, workspace.task(reservation.task_sid), reservation.call_sid, event, OWN)


def hold_worker(workspace: LiveWorkspace, event: WorkspaceWriteRequested) -> Task:
    """Hold or unhold another worker of the task."""
    task = _theirs(workspace, event)
    return _change(workspace, task, _leg(workspace, task, event), event, HOLD)


def kick_worker(workspace: LiveWorkspace, event: WorkspaceWriteRequested) -> Task:
    """Take another worker out of the conference."""
    task = _theirs(workspace, event)
    _write(workspace, "delete", _leg(workspace, task, event), {})
    return task.record


BY_NOUN: dict[str, Callable[[LiveWorkspace, WorkspaceWriteRequested], Task]] = {
    "CustomerParticipant": customer,
    "WorkerParticipant": worker,
    "HoldWorkerParticipant": hold_worker,
    "KickWorkerParticipant": kick_worker,
}


def _theirs(workspace: LiveWorkspace, event: WorkspaceWriteRequested) -> LiveTask:
    """The task; raises :class:`Refused` 20001 when the worker who asks has not accepted it (who only was offered it
    has no part in its conference)."""
    task = workspace.task(event.params.get("TaskSid", ""))
    worker = event.params.get("WorkerSid", "")
    accepted = {each.worker_sid for each in with_status(workspace, task, ("accepted",))}
    if worker and worker not in accepted:
        raise Refused(
            20001, f"Worker {worker[:64]} has not accepted task {task.record.sid}, or is done with it"
        )
    return task


def _leg(workspace: LiveWorkspace, task: LiveTask, event: WorkspaceWriteRequested) -> str:
    target = event.params.get("TargetWorkerSid", "")
    for sid in task.reservations:
        reservation = workspace.reservations[sid]
        if (
            reservation.worker_sid == target
            and reservation.reservation_status == "accepted"
            and reservation.call_sid
        ):
            return reservation.call_sid
    raise Refused(20001, f"Worker {target[:64]} does not talk in task {task.record.sid}")


def _change(
    workspace: LiveWorkspace, task: LiveTask, leg: str, event: WorkspaceWriteRequested, names: dict[str, str]
) -> Task:
    params = {ours: [event.params[theirs]] for theirs, ours in names.items() if event.params.get(theirs)}
    if not params:
        raise Refused(20001, f"Give one of {', '.join(names)}")
    _write(workspace, "update", leg, params)
    return task.record


def _write(workspace: LiveWorkspace, operation: Operation, leg: str, params: dict[str, list[str]]) -> None:
    lane = Lane("call", leg)
    workspace.do(
        Post(WriteRequested(lane=lane, noun="Participant", operation=operation, sid=leg, params=params))
    )
