"""What happened: event record, event callback and live announcement, all from one call (taskrouter.md §10).

One call, because the three must agree: the record is what statistics, explanation and replay are read from later, the
callback carries the record's SID as its token, and a listener who missed the announcement reads the record. All are
made from the records as they are at this moment (hence the copies), though the commit comes at the end of the event.
"""

from __future__ import annotations

import datetime
from typing import Any

from ringback.effects import Save, SendWebhook
from ringback.effects.taskrouter import Announce
from ringback.events.taskrouter import Actor
from ringback.kernel.resource import snake
from ringback.resources.taskrouter.event import Event
from ringback.resources.taskrouter.reservation import Reservation
from ringback.resources.taskrouter.task import Task
from ringback.resources.taskrouter.worker import Worker
from ringback.resources.taskrouter.worker_channel import WorkerChannel
from ringback.resources.telephony import TaskTransfer
from ringback.taskrouter.workspace import LiveWorkspace

LIVE = (
    "worker.activity.update", "worker.attributes.update", "worker.capacity.update",
    "worker.channel.availability.update",
    "reservation.", "task.updated", "task.canceled", "task.completed", "task.wrapup", "task.transfer-",
    "task.deleted", "task.system-deleted",
)  # fmt: skip
"""What is announced to listeners (§10, worker push channel); prefixes."""

_PLURALS = {
    "activity": "Activities", "task": "Tasks", "task-channel": "TaskChannels", "task-queue": "TaskQueues",
    "worker": "Workers", "workflow": "Workflows",
}  # fmt: skip


def iso(seconds: float) -> str:
    """``2026-01-31T12:00:00Z``."""
    return datetime.datetime.fromtimestamp(int(seconds), datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def publish(
    workspace: LiveWorkspace,
    kind: str,
    *,
    task: Task | None = None,
    reservation: Reservation | None = None,
    worker: Worker | None = None,
    channel: WorkerChannel | None = None,
    transfer: TaskTransfer | None = None,
    about: tuple[str, str] | None = None,
    facts: dict[str, str] | None = None,
) -> None:
    """Record that ``kind`` (``task.created`` …) happened now.

    ``about``: resource type and SID, when they do not follow from the kind. ``facts``: further fields by
    their callback names.
    """
    data = dict(facts or {})
    if task is not None:
        data.update(task_facts(workspace, task))
    if worker is not None:
        data.update(worker_facts(worker))
    queue_sid = data.get("TaskQueueSid") or (task.task_queue_sid if task is not None else None)
    workflow_sid = data.get("WorkflowSid") or (task.workflow_sid if task is not None else None)
    if reservation is not None:
        data["ReservationSid"] = reservation.sid
        queue_sid = reservation.task_queue_sid or queue_sid
        if reservation.canceled_reason_code is not None:
            data["CanceledReasonCode"] = str(reservation.canceled_reason_code)
    if transfer is not None:
        data.update({f"Transfer{name}": str(value) for name, value in _transfer_facts(transfer).items()})
    if queue_sid and (task is not None or reservation is not None):
        data["TaskQueueSid"] = queue_sid
        queue = workspace.queues.get(queue_sid)
        data["TaskQueueName"] = queue.record.friendly_name if queue is not None else ""
    if workflow_sid and (task is not None or reservation is not None):
        data["WorkflowSid"] = workflow_sid
        workflow = workspace.workflows.get(workflow_sid)
        data["WorkflowName"] = workflow.record.friendly_name if workflow is not None else ""
    resource_type, resource_sid = about or _about(kind, task, reservation, worker)
    _write(
        workspace, kind, resource_type, resource_sid, data, worker, task, reservation, queue_sid, workflow_sid
    )
    if kind.startswith(LIVE):
        workspace.do(
            Announce(
                workspace_sid=workspace.record.sid, event_type=kind, at=workspace.now,
                reservation=reservation.copy() if reservation is not None else None,
                task=task.copy() if task is not None else None,
                worker=worker.copy() if worker is not None else None,
                channel=channel.copy() if channel is not None else None,
                transfer=transfer,
                workers=_offered(workspace, task) if kind.endswith("deleted") else (),
            )
        )  # fmt: skip


def _offered(workspace: LiveWorkspace, task: Task | None) -> tuple[str, ...]:
    """SIDs of those who were ever offered a task that is about to be gone."""
    live = workspace.tasks.get(task.sid) if task is not None else None
    return (
        tuple(workspace.reservations[sid].worker_sid for sid in live.reservations) if live is not None else ()
    )


def task_facts(workspace: LiveWorkspace, task: Task) -> dict[str, str]:
    """Task* of the sheet."""
    found = {
        "TaskSid": task.sid,
        "TaskAttributes": task.attributes,
        "TaskAge": str(max(0, int(workspace.now - task.date_created))),
        "TaskPriority": str(task.priority),
        "TaskAssignmentStatus": task.assignment_status,
        "TaskChannelSid": task.task_channel_sid,
        "TaskChannelUniqueName": task.task_channel_unique_name,
        "TaskVersion": str(task.version),
        "TaskDateCreated": str(int(task.date_created)),
    }
    if task.task_queue_entered_date is not None:
        found["TaskQueueEnteredDate"] = str(int(task.task_queue_entered_date))
    if task.assignment_status == "canceled":
        found["TaskCanceledReason"] = task.reason or ""
    elif task.assignment_status == "completed":
        found["TaskCompletedReason"] = task.reason or ""
    return found


def worker_facts(worker: Worker) -> dict[str, str]:
    """Worker* of the sheet."""
    return {
        "WorkerSid": worker.sid,
        "WorkerName": worker.friendly_name,
        "WorkerAttributes": worker.attributes,
        "WorkerActivitySid": worker.activity_sid or "",
        "WorkerActivityName": worker.activity_name or "",
        "WorkerVersion": str(worker.version),
    }


def _transfer_facts(transfer: TaskTransfer) -> dict[str, Any]:
    names = {
        "sid": "Sid", "mode": "Mode", "type": "Type", "to": "To", "status": "Status", "reason": "FailedReason",
        "initiating_worker_sid": "InitiatingWorkerSid", "initiating_reservation_sid": "InitiatingReservationSid",
    }  # fmt: skip
    return {name: value for key, name in names.items() if (value := getattr(transfer, key))}


def _about(
    kind: str, task: Task | None, reservation: Reservation | None, worker: Worker | None
) -> tuple[str, str]:
    if kind.startswith("reservation.") and reservation is not None:
        return "reservation", reservation.sid
    if kind.startswith("worker.") and worker is not None:
        return "worker", worker.sid
    return ("task", task.sid) if task is not None else ("workspace", "")


def _write(
    workspace: LiveWorkspace, kind: str, resource_type: str, resource_sid: str, data: dict[str, str],
    worker: Worker | None, task: Task | None, reservation: Reservation | None, queue_sid: str | None,
    workflow_sid: str | None,
) -> None:  # fmt: skip
    own, actor = workspace.record, workspace.actor
    description = f"{resource_type.replace('-', ' ').capitalize()} {resource_sid}: {kind.partition('.')[2]}"
    record = Event(
        sid=workspace.new_sid("EV"), account_sid=own.account_sid, date_created=workspace.now,
        date_updated=workspace.now, workspace_sid=own.sid, event_type=kind, description=description,
        event_date=workspace.now, event_date_ms=int(workspace.now * 1000), resource_type=resource_type,
        resource_sid=resource_sid,
        resource_url=_path(own.sid, resource_type, resource_sid, task),
        actor_type=actor.type, actor_sid=actor.sid or own.account_sid, source=actor.source,
        actor_url=_actor_path(own.sid, actor), source_ip_address=actor.ip or None,
        event_data={snake(name): value for name, value in data.items()},
        task_sid=task.sid if task is not None else None,
        worker_sid=worker.sid if worker is not None else (reservation.worker_sid if reservation else None),
        task_queue_sid=queue_sid, workflow_sid=workflow_sid,
        reservation_sid=reservation.sid if reservation is not None else None,
        task_channel_sid=task.task_channel_sid if task is not None else None,
    )  # fmt: skip
    workspace.do(Save(record))
    url = own.event_callback_url
    if url and workspace.wants(kind):
        workspace.do(
            SendWebhook(
                key=record.task_sid or resource_sid or own.sid, account_sid=own.account_sid, url=url,
                method="POST", params=_params(workspace, record, data), token=record.sid, failure_code=11200,
                resource_sid=own.sid,
            )
        )  # fmt: skip


def _params(workspace: LiveWorkspace, record: Event, data: dict[str, str]) -> list[tuple[str, str]]:
    own = workspace.record
    return [
        ("EventType", record.event_type),
        ("AccountSid", own.account_sid),
        ("WorkspaceSid", own.sid),
        ("WorkspaceName", own.friendly_name),
        ("EventDescription", record.description),
        ("ResourceType", record.resource_type),
        ("ResourceSid", record.resource_sid),
        ("Timestamp", iso(record.event_date)),
        ("TimestampMs", str(record.event_date_ms)),
        ("Sid", record.sid),
        *data.items(),
    ]


def _path(workspace_sid: str, resource_type: str, sid: str, task: Task | None) -> str | None:
    root = f"/v1/Workspaces/{workspace_sid}"
    if resource_type == "workspace":
        return root
    if resource_type == "reservation" and task is not None:
        return f"{root}/Tasks/{task.sid}/Reservations/{sid}"
    plural = _PLURALS.get(resource_type)
    return f"{root}/{plural}/{sid}" if plural else None


def _actor_path(workspace_sid: str, actor: Actor) -> str | None:
    return f"/v1/Workspaces/{workspace_sid}/Workers/{actor.sid}" if actor.type == "worker" else None
