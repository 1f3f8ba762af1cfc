"""Tasks (taskrouter.md §2.7, §3)."""

from __future__ import annotations

from typing import Any

from ringback.events.taskrouter import WorkspaceWriteRequested
from ringback.kernel.errors import Refused
from ringback.resources.taskrouter.task import Task
from ringback.taskrouter.journal import iso, publish
from ringback.taskrouter.lifecycle import cancel_task, complete_task, delete_task, reserve, wrap_task
from ringback.taskrouter.live import LiveTask, read_attributes
from ringback.taskrouter.machine import task_step
from ringback.taskrouter.requests.values import attributes, check_version, truth
from ringback.taskrouter.routing import enter_queue, enter_workflow
from ringback.taskrouter.workspace import LiveWorkspace

NOUN = Task
TIMEOUT_LIMIT = 1_209_600
"""Seconds."""
PRIORITY_LIMIT = 2**31 - 1
EARLIEST = -2_208_988_800.0
"""1900-01-01."""
STATUSES = {"canceled": "cancel", "wrapping": "wrap", "completed": "complete"}


def create(workspace: LiveWorkspace, event: WorkspaceWriteRequested) -> Task:
    """A new task, routed at once."""
    return add(workspace, event.sid, event.values, event.params, None).record


def add(
    workspace: LiveWorkspace, sid: str, given: dict[str, Any], params: dict[str, str], call_sid: str | None
) -> LiveTask:
    """Create a task from read values and the parameters TaskChannel and RoutingTarget. Raises :class:`Refused`."""
    values = dict(given)
    values["attributes"] = attributes(values.get("attributes") or "{}")
    _numbers(workspace, values)
    channel = workspace.channel(params.get("TaskChannel") or "default")
    target = params.get("RoutingTarget", "")
    kind = _routed(workspace, target)
    if kind == "workflow":
        values["workflow_sid"], target = target, ""
    if not values.get("workflow_sid") and len(workspace.workflows) == 1:
        values["workflow_sid"] = next(iter(workspace.workflows))
    workflow_sid = values.get("workflow_sid")
    if workflow_sid and workflow_sid not in workspace.workflows:
        raise Refused(20001, f"Workflow {workflow_sid[:64]} does not exist in this workspace")
    if not workflow_sid and kind not in ("worker", "queue"):
        raise Refused(20001, "WorkflowSid field is required")
    if not target:
        values.pop("task_queue_sid", None)
    elif values.get("task_queue_sid") and values["task_queue_sid"] not in workspace.queues:
        raise Refused(20001, f"Task queue {values['task_queue_sid'][:64]} does not exist in this workspace")
    values["ignore_capacity"] = truth(params.get("IgnoreCapacity") or "true") if kind == "worker" else False
    workflow = workspace.workflows.get(workflow_sid or "")
    values.setdefault("virtual_start_time", workspace.now)
    record = Task(
        sid=sid, account_sid=workspace.record.account_sid, date_created=workspace.now,
        workspace_sid=workspace.record.sid,
        workflow_friendly_name=workflow.record.friendly_name if workflow is not None else None,
        task_channel_sid=channel.sid, task_channel_unique_name=channel.unique_name, routing_target=target or None,
        status_since=workspace.now, call_sid=call_sid, **values,
    )  # fmt: skip
    task = workspace.add_task(record)
    workspace.save(record)
    workspace.schedule.add(workspace.now + record.timeout, "ttl", record.sid)
    publish(workspace, "task.created", task=record, facts=_given(record))
    route(workspace, task)
    return task


def route(workspace: LiveWorkspace, task: LiveTask) -> None:
    """Into the workflow, or past it (§5.1 no. 9)."""
    record = task.record
    target = record.routing_target or ""
    if target.startswith("WK"):
        to_worker(workspace, task)
    elif target.startswith("WQ"):
        enter_queue(workspace, task, target)
    else:
        enter_workflow(workspace, task)


def to_worker(workspace: LiveWorkspace, task: LiveTask) -> None:
    """One reservation for the worker that the task is for; full or away: wait, unless capacity is ignored."""
    record = task.record
    worker = workspace.workers.get(record.routing_target or "")
    if record.task_queue_sid and record.task_queue_friendly_name is None:
        record.task_queue_friendly_name = workspace.queues[record.task_queue_sid].record.friendly_name
        record.task_queue_entered_date = workspace.now
    if worker is None:
        publish(workspace, "reservation.failed", task=record)
        return
    if record.ignore_capacity or workspace.free_on(worker, record.task_channel_sid):
        reserve(workspace, task, worker, record.task_queue_sid)
    else:
        workspace.direct.setdefault(worker.record.sid, []).append(record.sid)


def _given(task: Task) -> dict[str, str]:
    """What decides about the task's way and is in no other event; the replay starts from it."""
    facts = {"TaskTimeout": str(task.timeout), "TaskVirtualStartTime": str(task.virtual_start_time)}
    if task.routing_target:
        facts["TaskRoutingTarget"] = task.routing_target
        facts["TaskIgnoreCapacity"] = "true" if task.ignore_capacity else "false"
    return facts


def update(workspace: LiveWorkspace, event: WorkspaceWriteRequested) -> Task:
    """Attributes, priority, channel, place in line and state; a new state and new attributes may come together."""
    task = workspace.task(event.sid)
    record, values = task.record, dict(event.values)
    check_version(event, record)
    status, reason = event.params.get("AssignmentStatus", ""), values.pop("reason", None)
    if workspace.over(task) and not status and (values or event.params.get("TaskChannel")):
        raise Refused(20001, f"Task {record.sid} is {record.assignment_status} and cannot be changed")
    if "attributes" in values:
        attributes(values["attributes"])
    _numbers(workspace, values)
    channel = workspace.channel(event.params["TaskChannel"]) if event.params.get("TaskChannel") else None
    if status:
        if status not in STATUSES:
            raise Refused(
                20001, f"AssignmentStatus must be canceled, wrapping or completed, not {status[:40]!r}"
            )
        task_step(record.assignment_status, STATUSES[status], record.sid)
        if status == "completed" and not reason:
            raise Refused(20001, "Reason is required to make a task completed")
    if channel is not None and channel.sid != record.task_channel_sid and task.open:
        raise Refused(20001, f"Task {record.sid} is reserved: its channel cannot be changed now")
    if values or channel is not None:
        lined = task.waits
        workspace.end_waiting(task)
        for name, value in values.items():
            setattr(record, name, value)
        if "attributes" in values:
            workspace.describe(task, read_attributes(record.attributes))
        if channel is not None:
            record.task_channel_sid, record.task_channel_unique_name = channel.sid, channel.unique_name
            if (record.routing_target or "") in workspace.direct:
                workspace.dirty_workers.add(record.routing_target or "")  # on this channel they may be free
        workspace.save(record)
        if lined:
            workspace.begin_waiting(task)
        publish(workspace, "task.updated", task=record)
    if status == "canceled":
        cancel_task(workspace, task, reason or "")
    elif status == "wrapping":
        wrap_task(workspace, task, reason)
    elif status == "completed":
        complete_task(workspace, task, reason or "")
    return record


def delete(workspace: LiveWorkspace, event: WorkspaceWriteRequested) -> None:
    """In any state."""
    task = workspace.task(event.sid)
    check_version(event, task.record)
    delete_task(workspace, task, "task.deleted")


def _numbers(workspace: LiveWorkspace, values: dict[str, Any]) -> None:
    for name, high in (("priority", PRIORITY_LIMIT), ("timeout", TIMEOUT_LIMIT)):
        low = 1 if name == "timeout" else 0
        if values.get(name) is not None and not low <= values[name] <= high:
            raise Refused(20001, f"{name.title()} must be {low} to {high}")
    start = values.get("virtual_start_time")
    if start is not None and not EARLIEST <= start <= workspace.now + 1:
        what = "before 1900" if start < EARLIEST else f"in the future: it is {iso(workspace.now)} now"
        raise Refused(20001, f"VirtualStartTime {iso(start)} is {what}")


def _routed(workspace: LiveWorkspace, target: str) -> str:
    if not target:
        return ""
    known: tuple[tuple[str, Any], ...] = (
        ("worker", workspace.workers), ("queue", workspace.queues), ("workflow", workspace.workflows),
    )  # fmt: skip
    for kind, records in known:
        if target in records:
            return kind
    raise Refused(20001, f"RoutingTarget {target[:64]} is no worker, queue or workflow of this workspace")
