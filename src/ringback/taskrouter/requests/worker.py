"""Workers (taskrouter.md §2.3)."""

from __future__ import annotations

from ringback.effects import Delete
from ringback.events.taskrouter import WorkspaceWriteRequested
from ringback.kernel.errors import Refused
from ringback.resources.taskrouter.worker import Worker
from ringback.taskrouter.journal import publish
from ringback.taskrouter.lifecycle import move_worker, reject
from ringback.taskrouter.live import LiveWorker
from ringback.taskrouter.requests.task_channel import equip
from ringback.taskrouter.requests.values import attributes, check_version, truth
from ringback.taskrouter.workspace import LiveWorkspace

NOUN = Worker
LIMIT = 15_000


def create(workspace: LiveWorkspace, event: WorkspaceWriteRequested) -> Worker:
    """A new worker, with a channel of each kind, in the workspace's default activity."""
    values = dict(event.values)
    _name_free(workspace, event)
    if len(workspace.workers) >= LIMIT:
        raise Refused(20001, f"A workspace has at most {LIMIT} workers")
    values["attributes"] = attributes(values.get("attributes") or "{}")
    activity = workspace.activity(values.get("activity_sid") or workspace.record.default_activity_sid or "")
    values |= {
        "activity_sid": activity.sid, "activity_name": activity.friendly_name, "available": activity.available,
    }  # fmt: skip
    record = Worker(
        sid=event.sid, account_sid=event.account_sid, date_created=workspace.now, workspace_sid=workspace.record.sid,
        date_status_changed=workspace.now, **values,
    )  # fmt: skip
    worker = workspace.add_worker(record)
    for channel in workspace.channels.values():
        equip(workspace, record, channel)
    workspace.save(record)
    workspace.update_queues(worker)
    workspace.refresh_worker(worker)
    publish(workspace, "worker.created", worker=record)
    return record


def update(workspace: LiveWorkspace, event: WorkspaceWriteRequested) -> Worker:
    """Activity, attributes, name; pending reservations decide about an unavailable activity."""
    worker = workspace.worker(event.sid)
    record, values = worker.record, event.values
    check_version(event, record)
    _name_free(workspace, event)
    if "attributes" in values:
        attributes(values["attributes"])
    activity = workspace.activity(values["activity_sid"]) if values.get("activity_sid") else None
    pending = [workspace.reservations[sid] for sid in sorted(worker.held)]
    pending = [each for each in pending if each.reservation_status == "pending"]
    leaves = activity is not None and not activity.available and activity.sid != record.activity_sid
    if leaves and pending and not truth(event.params.get("RejectPendingReservations", "")):
        count = len(pending)
        raise Refused(
            20001,
            f"Worker {record.sid} cannot have its activity updated while it has {count} pending reservations.",
        )
    if "attributes" in values or "friendly_name" in values:
        _describe(workspace, worker, values)
    if activity is not None:
        move_worker(workspace, worker, activity.sid)
    for each in pending if leaves else ():
        reject(workspace, each)
    return record


def delete(workspace: LiveWorkspace, event: WorkspaceWriteRequested) -> None:
    """Only from an unavailable activity and without live reservations."""
    worker = workspace.worker(event.sid)
    record = worker.record
    check_version(event, record)
    if record.available:
        raise Refused(20001, f"Worker {record.sid} is in an available activity; move it to another one first")
    if worker.held:
        raise Refused(20001, f"Worker {record.sid} has {len(worker.held)} live reservations")
    workspace.leave_queues(worker)
    del workspace.workers[record.sid]
    workspace.worker_names.pop(record.friendly_name.lower(), None)
    for channel in worker.channels.values():
        workspace.worker_channels.pop(channel.sid, None)
        workspace.forget(channel.sid)
        workspace.do(Delete(channel))
    workspace.forget(record.sid)
    workspace.do(Delete(record))
    publish(workspace, "worker.deleted", worker=record)


def _describe(workspace: LiveWorkspace, worker: LiveWorker, values: dict[str, str]) -> None:
    record = worker.record
    if "friendly_name" in values:
        workspace.worker_names.pop(record.friendly_name.lower(), None)
        record.friendly_name = values["friendly_name"]
        workspace.worker_names[record.friendly_name.lower()] = record.sid
        for reservation in workspace.reservations.values():
            if reservation.worker_sid == record.sid:
                reservation.worker_name = record.friendly_name
                workspace.save(reservation)
    record.attributes = values.get("attributes", record.attributes)
    workspace.save(record)
    workspace.update_queues(worker)
    publish(workspace, "worker.attributes.update", worker=record)


def _name_free(workspace: LiveWorkspace, event: WorkspaceWriteRequested) -> None:
    name = event.values.get("friendly_name")
    if name is not None and workspace.worker_names.get(name.lower(), event.sid) != event.sid:
        raise Refused(
            20001, f"A worker named {name!r} exists in this workspace (names are compared without case)"
        )
