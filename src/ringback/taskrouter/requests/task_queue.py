"""Task queues (taskrouter.md §2.4)."""

from __future__ import annotations

from typing import Any

from ringback.effects import Delete
from ringback.events.taskrouter import WorkspaceWriteRequested
from ringback.kernel.errors import Refused
from ringback.resources.taskrouter.task_queue import TaskQueue
from ringback.taskrouter.journal import publish
from ringback.taskrouter.live import LiveTaskQueue
from ringback.taskrouter.machine import TASK_OVER
from ringback.taskrouter.requests.values import assign, expression, within
from ringback.taskrouter.workspace import LiveWorkspace

NOUN = TaskQueue
LIMIT = 5000


def create(workspace: LiveWorkspace, event: WorkspaceWriteRequested) -> TaskQueue:
    """A new queue; who serves it is computed at once."""
    values = _checked(workspace, event)
    if len(workspace.queues) >= LIMIT:
        raise Refused(20001, f"A workspace has at most {LIMIT} task queues")
    record = TaskQueue(
        sid=event.sid, account_sid=event.account_sid, date_created=workspace.now, workspace_sid=workspace.record.sid,
        **values,
    )  # fmt: skip
    workspace.update_members(workspace.add_queue(record))
    workspace.save(record)
    _tell(workspace, record, "task-queue.created")
    return record


def update(workspace: LiveWorkspace, event: WorkspaceWriteRequested) -> TaskQueue:
    """A new expression recomputes who serves it; a new order sorts its tasks anew."""
    queue = _pool(workspace, event.sid)
    record, before = (
        queue.record,
        (queue.record.target_workers, queue.record.task_order, queue.record.max_reserved_workers),
    )
    assign(record, _checked(workspace, event))
    workspace.save(record)
    changed = record.target_workers != before[0]
    if changed:
        workspace.change_expression(queue)
    if record.task_order != before[1] or record.max_reserved_workers != before[2]:
        for task in list(workspace.tasks.values()):
            if task.record.task_queue_sid == record.sid and task.record.assignment_status in (
                "pending",
                "reserved",
            ):
                workspace.end_waiting(task)
                if len(task.open) < record.max_reserved_workers and not task.record.target_over:
                    workspace.begin_waiting(task)
    if event.values.get("friendly_name"):
        for task in workspace.tasks.values():
            if task.record.task_queue_sid == record.sid:
                task.record.task_queue_friendly_name = record.friendly_name
                workspace.save(task.record)
    if changed:
        _tell(workspace, record, "task-queue.expression.updated")
    return record


def delete(workspace: LiveWorkspace, event: WorkspaceWriteRequested) -> None:
    """Refused while tasks are in it or a workflow names it."""
    live = _pool(workspace, event.sid)
    queue = live.record
    tasks = sum(
        task.record.task_queue_sid == queue.sid and task.record.assignment_status not in TASK_OVER
        for task in workspace.tasks.values()
    )
    if tasks:
        raise Refused(20001, f"Task queue {queue.sid} cannot be deleted: {tasks} tasks are in it")
    for workflow in workspace.workflows.values():
        if queue.sid in workflow.configuration.queues:
            raise Refused(
                20001, f"Task queue {queue.sid} cannot be deleted: workflow {workflow.record.sid} names it"
            )
    workspace.remove_queue(live)
    workspace.do(Delete(queue))
    _tell(workspace, queue, "task-queue.deleted")


def _pool(workspace: LiveWorkspace, sid: str) -> LiveTaskQueue:
    queue = workspace.queues.get(sid)
    if queue is None:
        raise Refused(20404, f"The requested task queue {sid[:64]} was not found", 404)
    return queue


def _checked(workspace: LiveWorkspace, event: WorkspaceWriteRequested) -> dict[str, Any]:
    values: dict[str, Any] = dict(event.values)
    within(event, "max_reserved_workers", 1, 50)
    name = values.get("friendly_name")
    if any(
        each.record.friendly_name == name and each.record.sid != event.sid
        for each in workspace.queues.values()
    ):
        raise Refused(20001, f"A task queue named {name!r} exists in this workspace")
    expression(str(values.get("target_workers") or ""), "TargetWorkers")
    for kind in ("reservation", "assignment"):
        if f"{kind}_activity_sid" in values:
            sid = values[f"{kind}_activity_sid"]
            name = workspace.activity(str(sid)).friendly_name if sid is not None else None
            values[f"{kind}_activity_name"] = name
    return values


def _tell(workspace: LiveWorkspace, queue: TaskQueue, kind: str) -> None:
    facts = {
        "TaskQueueSid": queue.sid,
        "TaskQueueName": queue.friendly_name,
        "TaskQueueTargetExpression": queue.target_workers,
    }
    publish(workspace, kind, about=("task-queue", queue.sid), facts=facts)
