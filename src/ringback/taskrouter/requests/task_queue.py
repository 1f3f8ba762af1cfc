"""Task queues (taskrouter.md §2.4)."""

from __future__ import annotations

from typing import Any

from ringback.effects import Delete
from ringback.events.taskrouter import DeskRequested
from ringback.kernel.errors import Refused
from ringback.resources.taskrouter.task_queue import TaskQueue
from ringback.taskrouter.floor import Floor, Pool
from ringback.taskrouter.journal import happened
from ringback.taskrouter.machine import TASK_OVER
from ringback.taskrouter.requests.values import assign, expression, within

NOUN = TaskQueue
LIMIT = 5000


def create(floor: Floor, event: DeskRequested) -> TaskQueue:
    """A new queue; who serves it is computed at once."""
    values = _checked(floor, event)
    if len(floor.queues) >= LIMIT:
        raise Refused(20001, f"A workspace has at most {LIMIT} task queues")
    queue = TaskQueue(
        sid=event.sid, account_sid=event.account_sid, date_created=floor.now, workspace_sid=floor.workspace.sid,
        **values,
    )  # fmt: skip
    pool = floor.queues[queue.sid] = Pool(queue, expression(queue.target_workers, "TargetWorkers"))
    floor.recruit(pool)
    floor.save(queue)
    _tell(floor, queue, "task-queue.created")
    return queue


def update(floor: Floor, event: DeskRequested) -> TaskQueue:
    """A new expression recomputes who serves it; a new order sorts its tasks anew."""
    pool = _pool(floor, event.sid)
    queue, before = (
        pool.record,
        (pool.record.target_workers, pool.record.task_order, pool.record.max_reserved_workers),
    )
    assign(queue, _checked(floor, event))
    floor.save(queue)
    changed = queue.target_workers != before[0]
    if changed:
        pool.expression = expression(queue.target_workers, "TargetWorkers")
        floor.recruit(pool)
    if queue.task_order != before[1] or queue.max_reserved_workers != before[2]:
        for job in list(floor.tasks.values()):
            if job.record.task_queue_sid == queue.sid and job.record.assignment_status in (
                "pending",
                "reserved",
            ):
                floor.step_out(job)
                if len(job.open) < queue.max_reserved_workers and not job.record.target_over:
                    floor.line_up(job)
    if event.values.get("friendly_name"):
        for job in floor.tasks.values():
            if job.record.task_queue_sid == queue.sid:
                job.record.task_queue_friendly_name = queue.friendly_name
                floor.save(job.record)
    if changed:
        _tell(floor, queue, "task-queue.expression.updated")
    return queue


def delete(floor: Floor, event: DeskRequested) -> None:
    """Refused while tasks are in it or a workflow names it."""
    queue = _pool(floor, event.sid).record
    tasks = sum(
        job.record.task_queue_sid == queue.sid and job.record.assignment_status not in TASK_OVER
        for job in floor.tasks.values()
    )
    if tasks:
        raise Refused(20001, f"Task queue {queue.sid} cannot be deleted: {tasks} tasks are in it")
    for plan in floor.workflows.values():
        if queue.sid in plan.configuration.queues:
            raise Refused(
                20001, f"Task queue {queue.sid} cannot be deleted: workflow {plan.record.sid} names it"
            )
    for agent in floor.workers.values():
        agent.queues.discard(queue.sid)
    del floor.queues[queue.sid]
    floor.do(Delete(queue))
    _tell(floor, queue, "task-queue.deleted")


def _pool(floor: Floor, sid: str) -> Pool:
    pool = floor.queues.get(sid)
    if pool is None:
        raise Refused(20404, f"The requested task queue {sid[:64]} was not found", 404)
    return pool


def _checked(floor: Floor, event: DeskRequested) -> dict[str, Any]:
    values: dict[str, Any] = dict(event.values)
    within(event, "max_reserved_workers", 1, 50)
    name = values.get("friendly_name")
    if any(
        each.record.friendly_name == name and each.record.sid != event.sid for each in floor.queues.values()
    ):
        raise Refused(20001, f"A task queue named {name!r} exists in this workspace")
    expression(str(values.get("target_workers") or ""), "TargetWorkers")
    for kind in ("reservation", "assignment"):
        if f"{kind}_activity_sid" in values:
            sid = values[f"{kind}_activity_sid"]
            name = floor.activity(str(sid)).friendly_name if sid is not None else None
            values[f"{kind}_activity_name"] = name
    return values


def _tell(floor: Floor, queue: TaskQueue, kind: str) -> None:
    facts = {
        "TaskQueueSid": queue.sid,
        "TaskQueueName": queue.friendly_name,
        "TaskQueueTargetExpression": queue.target_workers,
    }
    happened(floor, kind, about=("task-queue", queue.sid), facts=facts)
