"""Workspaces (taskrouter.md §2.1): a new one comes with activities and channels."""

from __future__ import annotations

from typing import Any

import msgspec

from ringback.effects import Delete
from ringback.events.taskrouter import DeskRequested
from ringback.kernel.errors import Refused
from ringback.resources.taskrouter.activity import Activity
from ringback.resources.taskrouter.task_channel import TaskChannel
from ringback.resources.taskrouter.task_queue import TaskQueue
from ringback.resources.taskrouter.workflow import Workflow
from ringback.resources.taskrouter.workspace import Workspace
from ringback.taskrouter.configuration import read_configuration
from ringback.taskrouter.expression import compile_expression
from ringback.taskrouter.floor import Floor, Plan, Pool
from ringback.taskrouter.journal import happened
from ringback.taskrouter.requests.values import assign

NOUN = Workspace
ACTIVITIES = (("Offline", False), ("Available", True), ("Unavailable", False))
CHANNELS = (("Default", "default"), ("Voice", "voice"), ("Chat", "chat"), ("SMS", "sms"), ("Video", "video"))


def begin(floor: Floor, event: DeskRequested) -> Workspace:
    """Furnish the floor of a new workspace; ``floor.workspace`` is a bare record so far."""
    template = event.params.get("Template", "NONE").upper() or "NONE"
    if template not in ("NONE", "FIFO"):
        raise Refused(20001, "Template must be NONE or FIFO")
    workspace = floor.workspace
    assign(workspace, event.values)
    common: dict[str, Any] = {
        "account_sid": workspace.account_sid,
        "date_created": floor.now,
        "workspace_sid": workspace.sid,
    }
    for name, available in ACTIVITIES:
        activity = Activity(sid=floor.new_sid("WA"), friendly_name=name, available=available, **common)
        floor.activities[activity.sid] = activity
        floor.save(activity)
        if name == "Offline":
            workspace.default_activity_sid = workspace.timeout_activity_sid = activity.sid
            workspace.default_activity_name = workspace.timeout_activity_name = name
    for name, unique in CHANNELS:
        channel = TaskChannel(sid=floor.new_sid("TC"), friendly_name=name, unique_name=unique, **common)
        floor.add_channel(channel)
        floor.save(channel)
    if template == "FIFO":
        queue = TaskQueue(sid=floor.new_sid("WQ"), friendly_name="Sample Queue", **common)
        floor.queues[queue.sid] = Pool(queue, compile_expression(queue.target_workers, "worker"))
        floor.save(queue)
        text = msgspec.json.encode(
            {"task_routing": {"filters": [], "default_filter": {"queue": queue.sid}}}
        ).decode()
        workflow = Workflow(
            sid=floor.new_sid("WW"), friendly_name="Default Fifo Workflow", configuration=text, **common
        )
        floor.workflows[workflow.sid] = Plan(workflow, read_configuration(text))
        floor.save(workflow)
    floor.save(workspace)
    happened(floor, "workspace.created", about=("workspace", workspace.sid), facts=_facts(workspace))
    return workspace


def update(floor: Floor, event: DeskRequested) -> Workspace:
    """Name, callback, default and timeout activity …"""
    workspace, values = floor.workspace, dict(event.values)
    if workspace.multi_task_enabled and values.get("multi_task_enabled") is False:
        raise Refused(20001, "MultiTaskEnabled cannot be turned off again")
    for kind in ("default", "timeout"):
        sid = values.get(f"{kind}_activity_sid")
        if sid is not None:
            values[f"{kind}_activity_name"] = floor.activity(sid).friendly_name
    assign(workspace, values)
    floor.save(workspace)
    for agent in floor.workers.values():
        floor.reseat(agent)
    happened(floor, "workspace.updated", about=("workspace", workspace.sid), facts=_facts(workspace))
    return workspace


def delete(floor: Floor, event: DeskRequested) -> None:
    """Everything inside goes too."""
    happened(
        floor, "workspace.deleted", about=("workspace", floor.workspace.sid), facts=_facts(floor.workspace)
    )
    inside = [
        *floor.activities.values(), *floor.channels.values(), *(each.record for each in floor.queues.values()),
        *(each.record for each in floor.workflows.values()), *(each.record for each in floor.workers.values()),
        *floor.worker_channels.values(), *(each.record for each in floor.tasks.values()),
        *floor.reservations.values(), floor.workspace,
    ]  # fmt: skip
    for record in inside:
        floor.forget(record.sid)
        floor.do(Delete(record))


def _facts(workspace: Workspace) -> dict[str, str]:
    return {"WorkspaceSid": workspace.sid, "WorkspaceName": workspace.friendly_name}
