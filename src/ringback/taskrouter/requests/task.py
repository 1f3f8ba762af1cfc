"""Tasks (taskrouter.md §2.7, §3)."""

from __future__ import annotations

from typing import Any

from ringback.events.taskrouter import DeskRequested
from ringback.kernel.errors import Refused
from ringback.resources.taskrouter.task import Task
from ringback.taskrouter.floor import Floor, Job, read_attributes
from ringback.taskrouter.journal import happened
from ringback.taskrouter.lifecycle import cancel_task, complete_task, delete_task, reserve, wrap_task
from ringback.taskrouter.machine import task_step
from ringback.taskrouter.requests.values import attributes, check_version, truth
from ringback.taskrouter.routing import enter_queue, enter_workflow

NOUN = Task
TIMEOUT_LIMIT = 1_209_600
"""Seconds."""
PRIORITY_LIMIT = 2**31 - 1
EARLIEST = -2_208_988_800.0
"""1900-01-01."""
STATUSES = {"canceled": "cancel", "wrapping": "wrap", "completed": "complete"}


def create(floor: Floor, event: DeskRequested) -> Task:
    """A new task, routed at once."""
    return add(floor, event.sid, event.values, event.params, None).record


def add(floor: Floor, sid: str, given: dict[str, Any], params: dict[str, str], call_sid: str | None) -> Job:
    """Create a task from read values and the parameters TaskChannel and RoutingTarget. Raises :class:`Refused`."""
    values = dict(given)
    values["attributes"] = attributes(values.get("attributes") or "{}")
    _numbers(floor, values)
    channel = floor.channel(params.get("TaskChannel") or "default")
    target = params.get("RoutingTarget", "")
    kind = _routed(floor, target)
    if kind == "workflow":
        values["workflow_sid"], target = target, ""
    if not values.get("workflow_sid") and len(floor.workflows) == 1:
        values["workflow_sid"] = next(iter(floor.workflows))
    workflow = values.get("workflow_sid")
    if workflow and workflow not in floor.workflows:
        raise Refused(20001, f"Workflow {workflow[:64]} does not exist in this workspace")
    if not workflow and kind not in ("worker", "queue"):
        raise Refused(20001, "WorkflowSid field is required")
    if not target:
        values.pop("task_queue_sid", None)
    elif values.get("task_queue_sid") and values["task_queue_sid"] not in floor.queues:
        raise Refused(20001, f"Task queue {values['task_queue_sid'][:64]} does not exist in this workspace")
    values["ignore_capacity"] = truth(params.get("IgnoreCapacity") or "true") if kind == "worker" else False
    workspace = floor.workspace
    plan = floor.workflows.get(values.get("workflow_sid") or "")
    values.setdefault("virtual_start_time", floor.now)
    task = Task(
        sid=sid, account_sid=workspace.account_sid, date_created=floor.now, workspace_sid=workspace.sid,
        workflow_friendly_name=plan.record.friendly_name if plan is not None else None,
        task_channel_sid=channel.sid, task_channel_unique_name=channel.unique_name, routing_target=target or None,
        status_since=floor.now, call_sid=call_sid, **values,
    )  # fmt: skip
    job = floor.add_task(task)
    floor.save(task)
    floor.agenda.add(floor.now + task.timeout, "ttl", task.sid)
    happened(floor, "task.created", task=task, facts=_given(task))
    route(floor, job)
    return job


def route(floor: Floor, job: Job) -> None:
    """Into the workflow, or past it (§5.1 no. 9)."""
    task = job.record
    target = task.routing_target or ""
    if target.startswith("WK"):
        to_worker(floor, job)
    elif target.startswith("WQ"):
        enter_queue(floor, job, target)
    else:
        enter_workflow(floor, job)


def to_worker(floor: Floor, job: Job) -> None:
    """One reservation for the worker that the task is for; full or away: wait, unless capacity is ignored."""
    task = job.record
    agent = floor.workers.get(task.routing_target or "")
    if task.task_queue_sid and task.task_queue_friendly_name is None:
        task.task_queue_friendly_name = floor.queues[task.task_queue_sid].record.friendly_name
        task.task_queue_entered_date = floor.now
    if agent is None:
        happened(floor, "reservation.failed", task=task)
        return
    if task.ignore_capacity or floor.free_on(agent, task.task_channel_sid):
        reserve(floor, job, agent, task.task_queue_sid)
    else:
        floor.direct.setdefault(agent.record.sid, []).append(task.sid)


def _given(task: Task) -> dict[str, str]:
    """What decides about the task's way and is in no other event; the replay starts from it."""
    facts = {"TaskTimeout": str(task.timeout), "TaskVirtualStartTime": str(task.virtual_start_time)}
    if task.routing_target:
        facts["TaskRoutingTarget"] = task.routing_target
        facts["TaskIgnoreCapacity"] = "true" if task.ignore_capacity else "false"
    return facts


def update(floor: Floor, event: DeskRequested) -> Task:
    """Attributes, priority, channel, place in line and state; a new state and new attributes may come together."""
    job = floor.task(event.sid)
    task, values = job.record, dict(event.values)
    check_version(event, task)
    status, reason = event.params.get("AssignmentStatus", ""), values.pop("reason", None)
    if floor.over(job) and not status and (values or event.params.get("TaskChannel")):
        raise Refused(20001, f"Task {task.sid} is {task.assignment_status} and cannot be changed")
    if "attributes" in values:
        attributes(values["attributes"])
    _numbers(floor, values)
    channel = floor.channel(event.params["TaskChannel"]) if event.params.get("TaskChannel") else None
    if status:
        if status not in STATUSES:
            raise Refused(
                20001, f"AssignmentStatus must be canceled, wrapping or completed, not {status[:40]!r}"
            )
        task_step(task.assignment_status, STATUSES[status], task.sid)
        if status != "wrapping" and not reason:
            raise Refused(20001, f"Reason is required to make a task {status}")
    if channel is not None and channel.sid != task.task_channel_sid and job.open:
        raise Refused(20001, f"Task {task.sid} is reserved: its channel cannot be changed now")
    if values or channel is not None:
        lined = job.in_line
        floor.step_out(job)
        for name, value in values.items():
            setattr(task, name, value)
        if "attributes" in values:
            floor.describe(job, read_attributes(task.attributes))
        if channel is not None:
            task.task_channel_sid, task.task_channel_unique_name = channel.sid, channel.unique_name
            if (task.routing_target or "") in floor.direct:
                floor.dirty_workers.add(task.routing_target or "")  # on this channel he may be free
        floor.save(task)
        if lined:
            floor.line_up(job)
        happened(floor, "task.updated", task=task)
    if status == "canceled":
        cancel_task(floor, job, reason or "")
    elif status == "wrapping":
        wrap_task(floor, job, reason)
    elif status == "completed":
        complete_task(floor, job, reason or "")
    return task


def delete(floor: Floor, event: DeskRequested) -> None:
    """In any state."""
    job = floor.task(event.sid)
    check_version(event, job.record)
    delete_task(floor, job, "task.deleted")


def _numbers(floor: Floor, values: dict[str, Any]) -> None:
    for name, high in (("priority", PRIORITY_LIMIT), ("timeout", TIMEOUT_LIMIT)):
        low = 1 if name == "timeout" else 0
        if values.get(name) is not None and not low <= values[name] <= high:
            raise Refused(20001, f"{name.title()} must be {low} to {high}")
    start = values.get("virtual_start_time")
    if start is not None and not EARLIEST <= start <= floor.now + 1:
        raise Refused(20001, "VirtualStartTime must be between 1900 and now")


def _routed(floor: Floor, target: str) -> str:
    if not target:
        return ""
    known: tuple[tuple[str, Any], ...] = (
        ("worker", floor.workers), ("queue", floor.queues), ("workflow", floor.workflows),
    )  # fmt: skip
    for kind, records in known:
        if target in records:
            return kind
    raise Refused(20001, f"RoutingTarget {target[:64]} is no worker, queue or workflow of this workspace")
