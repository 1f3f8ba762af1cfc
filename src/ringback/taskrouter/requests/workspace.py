"""Workspaces (taskrouter.md §2.1): a new one comes with activities and channels."""

from __future__ import annotations

from typing import Any

import msgspec

from ringback.effects import Delete
from ringback.events.taskrouter import WorkspaceWriteRequested
from ringback.kernel.errors import Refused
from ringback.resources.taskrouter.activity import Activity
from ringback.resources.taskrouter.task_channel import TaskChannel
from ringback.resources.taskrouter.task_queue import TaskQueue
from ringback.resources.taskrouter.workflow import Workflow
from ringback.resources.taskrouter.workspace import Workspace
from ringback.taskrouter.configuration import read_configuration
from ringback.taskrouter.journal import publish
from ringback.taskrouter.requests.values import assign
from ringback.taskrouter.workspace import LiveWorkspace

NOUN = Workspace
ACTIVITIES = (("Offline", False), ("Available", True), ("Unavailable", False))
CHANNELS = (("Default", "default"), ("Voice", "voice"), ("Chat", "chat"), ("SMS", "sms"), ("Video", "video"))


def begin(workspace: LiveWorkspace, event: WorkspaceWriteRequested) -> Workspace:
    """Furnish a new workspace; ``workspace.record`` is bare so far."""
    template = event.params.get("Template", "NONE").upper() or "NONE"
    if template not in ("NONE", "FIFO"):
        raise Refused(20001, "Template must be NONE or FIFO")
    record = workspace.record
    assign(record, event.values)
    common: dict[str, Any] = {
        "account_sid": record.account_sid,
        "date_created": workspace.now,
        "workspace_sid": record.sid,
    }
    for name, available in ACTIVITIES:
        activity = Activity(sid=workspace.new_sid("WA"), friendly_name=name, available=available, **common)
        workspace.activities[activity.sid] = activity
        workspace.save(activity)
        if name == "Offline":
            record.default_activity_sid = record.timeout_activity_sid = activity.sid
            record.default_activity_name = record.timeout_activity_name = name
    for name, unique in CHANNELS:
        channel = TaskChannel(sid=workspace.new_sid("TC"), friendly_name=name, unique_name=unique, **common)
        workspace.add_channel(channel)
        workspace.save(channel)
    if template == "FIFO":
        queue = TaskQueue(sid=workspace.new_sid("WQ"), friendly_name="Sample Queue", **common)
        workspace.add_queue(queue)
        workspace.save(queue)
        text = msgspec.json.encode(
            {"task_routing": {"filters": [], "default_filter": {"queue": queue.sid}}}
        ).decode()
        workflow = Workflow(
            sid=workspace.new_sid("WW"), friendly_name="Default Fifo Workflow", configuration=text, **common
        )
        workspace.plan(workflow, read_configuration(text))
        workspace.save(workflow)
    workspace.save(record)
    publish(workspace, "workspace.created", about=("workspace", record.sid), facts=_facts(record))
    return record


def update(workspace: LiveWorkspace, event: WorkspaceWriteRequested) -> Workspace:
    """Name, callback, default and timeout activity …"""
    record, values = workspace.record, dict(event.values)
    if record.multi_task_enabled and values.get("multi_task_enabled") is False:
        raise Refused(20001, "MultiTaskEnabled cannot be turned off again")
    for kind in ("default", "timeout"):
        sid = values.get(f"{kind}_activity_sid")
        if sid is not None:
            values[f"{kind}_activity_name"] = workspace.activity(sid).friendly_name
    assign(record, values)
    workspace.save(record)
    for worker in workspace.workers.values():
        workspace.refresh_worker(worker)
    publish(workspace, "workspace.updated", about=("workspace", record.sid), facts=_facts(record))
    return record


def delete(workspace: LiveWorkspace, event: WorkspaceWriteRequested) -> None:
    """Everything inside goes too."""
    publish(
        workspace,
        "workspace.deleted",
        about=("workspace", workspace.record.sid),
        facts=_facts(workspace.record),
    )
    inside = [
        *workspace.activities.values(), *workspace.channels.values(),
        *(each.record for each in workspace.queues.values()), *(each.record for each in workspace.workflows.values()),
        *(each.record for each in workspace.workers.values()),
        *workspace.worker_channels.values(), *(each.record for each in workspace.tasks.values()),
        *workspace.reservations.values(), workspace.record,
    ]  # fmt: skip
    for record in inside:
        workspace.forget(record.sid)
        workspace.do(Delete(record))


def _facts(workspace: Workspace) -> dict[str, str]:
    return {"WorkspaceSid": workspace.sid, "WorkspaceName": workspace.friendly_name}
