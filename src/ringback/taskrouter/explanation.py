"""Why a task is where it is, and why each worker was or was not chosen for it (issue 3, point 9).

Nothing is decided here: the reasons are those of ``assignment.CHECKS``, asked by ``assignment.obstacle`` and ordered
by ``assignment.rank`` as the engine does; the target is ``routing``'s; what happened is read from the task's events.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ringback.resources.taskrouter.event import Event
from ringback.resources.taskrouter.reservation import Reservation
from ringback.taskrouter.configuration import DIRECT, Target
from ringback.taskrouter.expression import read_worker
from ringback.taskrouter.journal import iso
from ringback.taskrouter.live import LiveTask, LiveWorker
from ringback.taskrouter.routing import DEFAULT, current_target
from ringback.taskrouter.steps import ASSIGNED_LIMIT
from ringback.taskrouter.transfers import lives_until
from ringback.taskrouter.verdict import Verdict, verdicts
from ringback.taskrouter.workspace import LiveWorkspace

HISTORY = (
    "task_queue_sid", "task_queue_name", "worker_sid", "worker_name", "reservation_sid", "task_assignment_status",
    "task_priority", "task_canceled_reason", "task_completed_reason", "canceled_reason_code",
)  # fmt: skip
"""What is shown of an event's data."""
READS = 20
"""Values of a worker that are shown; a workflow may read hundreds."""


def explain(
    workspace: LiveWorkspace, sid: str, now: float, events: Sequence[Event], *, page: int = 0, size: int = 50
) -> dict[str, Any]:
    """The whole explanation, with one page of the workers, those nearest to the task first.

    ``events``: the task's, oldest first. Raises :class:`Refused` 20404 when there is no such task. Costs one round
    of checks for every worker of the workspace: about 50 ms for 10,000.
    """
    task = workspace.task(sid)
    found = verdicts(workspace, task)
    return {
        "task_sid": sid,
        "workspace_sid": workspace.record.sid,
        "account_sid": task.record.account_sid,
        "at": iso(now),
        "assignment_status": task.record.assignment_status,
        "reason": task.record.reason,
        "standing": _standing(workspace, task, now),
        "filters": _filters(workspace, task),
        "total_workers": len(found),
        "workers": [_shown(workspace, task, each) for each in found[page * size : (page + 1) * size]],
        "history": [_event(each) for each in events],
    }


def _standing(workspace: LiveWorkspace, task: LiveTask, now: float) -> dict[str, Any]:
    record, target = task.record, task.target or current_target(workspace, task.record)
    place, total = _place(workspace, task)
    return {
        "workflow_sid": record.workflow_sid,
        "workflow_friendly_name": record.workflow_friendly_name,
        "filter_index": record.filter_index,
        "filter_name": _filter_name(workspace, task),
        "target_index": record.target_index if record.filter_index is not None else None,
        "target": None if target is None or target is DIRECT else _target(workspace, target),
        "routing_target": record.routing_target,
        "task_queue_sid": record.task_queue_sid,
        "task_queue_friendly_name": record.task_queue_friendly_name,
        "task_queue_entered_date": _moment(record.task_queue_entered_date),
        "target_entered_date": _moment(record.target_entered or None),
        "status_since": _moment(record.status_since or record.date_created),
        "waited_seconds": max(0, int(_served(task, now) - record.date_created)),
        "priority": record.priority,
        "virtual_start_time": iso(record.virtual_start_time),
        "place_in_line": place,
        "tasks_in_line": total,
        "target_over": record.target_over,
        "times_offered": record.cycles,
        "timers": _timers(workspace, task, target),
    }


def _served(task: LiveTask, now: float) -> float:
    """Until when the task has waited: somebody accepted it, it ended without that, or it waits still."""
    record = task.record
    if record.accepted_at is not None:
        return record.accepted_at
    return record.status_since if record.assignment_status in ("canceled", "completed") else now


def _place(workspace: LiveWorkspace, task: LiveTask) -> tuple[int | None, int]:
    """The place among the tasks of the queue and channel, from 1, and how many there are; None: not in line.

    Looks at every line of tasks that are alike, not at every task.
    """
    queue = workspace.queues.get(task.record.task_queue_sid or "")
    waiting = queue.waiting.get(task.record.task_channel_sid) if queue is not None else None
    if waiting is None:
        return None, 0
    if not task.waits:
        return None, len(waiting)
    mine = (task.key, task.record.sid)
    batches = (batch for group in waiting.groups.values() for batch in group.batches.values())
    return 1 + sum(batch.bisect_left(mine) for batch in batches), len(waiting)


def _timers(workspace: LiveWorkspace, task: LiveTask, target: Target | None) -> dict[str, Any]:
    record = task.record
    waits = record.assignment_status in ("pending", "reserved")
    limited = waits and target is not None and target.timeout is not None
    return {
        "target_timeout": iso(record.target_entered + (target.timeout or 0)) if limited and target else None,
        "time_to_live": iso(lives_until(record)) if waits else None,
        "assigned_limit": iso(record.status_since + ASSIGNED_LIMIT)
        if record.assignment_status == "assigned"
        else None,
        "reservation_timeouts": [
            {
                "reservation_sid": sid,
                "worker_sid": workspace.reservations[sid].worker_sid,
                "at": iso(workspace.reservations[sid].expires_at),
            }
            for sid in sorted(task.open)
        ],
    }


def _filter_name(workspace: LiveWorkspace, task: LiveTask) -> str | None:
    index = task.record.filter_index
    if index == DEFAULT:
        return "default_filter"
    workflow = workspace.workflows.get(task.record.workflow_sid or "")
    if index is None or workflow is None or index >= len(workflow.configuration.filters):
        return None
    return workflow.configuration.filters[index].name


def _filters(workspace: LiveWorkspace, task: LiveTask) -> list[dict[str, Any]]:
    """Every filter of the workflow as it is now, whether the task matches it, and what became of that."""
    record = task.record
    workflow = workspace.workflows.get(record.workflow_sid or "")
    if workflow is None:
        return []
    at, found, matching = record.filter_index, [], False
    for index, each in enumerate(workflow.configuration.filters):
        matched = each.expression({}, task.attributes, {})
        matching |= matched
        found.append(
            {
                "index": index,
                "name": each.name,
                "expression": each.expression.text,
                "matched": matched,
                "current": index == at,
                "passed": matched and at is not None and (at == DEFAULT or index < at),
                "targets": [
                    _target(workspace, one) | {"current": index == at and one.index == record.target_index}
                    for one in each.targets
                ],
            }
        )
    default = workflow.configuration.default
    if default is not None:
        found.append(
            {
                "index": DEFAULT,
                "name": "default_filter",
                "expression": None,
                "matched": not matching or at == DEFAULT,
                "current": at == DEFAULT,
                "passed": False,
                "targets": [_target(workspace, default) | {"current": at == DEFAULT}],
            }
        )
    return found


def _target(workspace: LiveWorkspace, target: Target) -> dict[str, Any]:
    queue = workspace.queues.get(target.queue)
    return {
        "index": target.index,
        "task_queue_sid": target.queue or None,
        "task_queue_friendly_name": queue.record.friendly_name if queue is not None else None,
        "expression": target.expression.text if target.expression is not None else None,
        "known_worker": f"{target.known_worker[0]} == task.{target.known_worker[1]}"
        if target.known_worker is not None
        else None,
        "order_by": target.order_by.text if target.order_by is not None else None,
        "skip_if": target.skip_if.text if target.skip_if is not None else None,
        "priority": target.priority,
        "timeout": target.timeout,
    }


def _shown(workspace: LiveWorkspace, task: LiveTask, verdict: Verdict) -> dict[str, Any]:
    worker = verdict.worker
    channel = worker.channels.get(task.record.task_channel_sid)
    return {
        "worker_sid": worker.record.sid,
        "worker_name": worker.record.friendly_name,
        "chosen": verdict.chosen,
        "reason": verdict.reason,
        "words": verdict.words,
        "rank": verdict.rank,
        "activity_name": worker.record.activity_name,
        "assigned_tasks": channel.assigned_tasks if channel is not None else None,
        "configured_capacity": channel.configured_capacity if channel is not None else None,
        "idle_since": _idle(workspace, task, worker),
        "reads": _reads(workspace, task, worker),
        "reservations": [
            {
                "sid": each.sid,
                "reservation_status": each.reservation_status,
                "date_created": iso(each.date_created),
            }
            for each in _of(workspace, task, worker)
        ],
    }


def _reads(workspace: LiveWorkspace, task: LiveTask, worker: LiveWorker) -> dict[str, Any]:
    """What the expressions of the queue and the target, and its order, read of the worker: path → value now."""
    queue = workspace.queues.get(task.record.task_queue_sid or "")
    target = task.target or current_target(workspace, task.record)
    paths = list(queue.expression.worker_refs) if queue is not None else []
    if target is not None and target.expression is not None:
        paths += target.expression.worker_refs
    if target is not None and target.order_by is not None:
        paths += [path for path, _ in target.order_by.clauses]
    return {
        f"worker.{path.removeprefix('worker.')}": read_worker(path)(worker.attributes)
        for path in list(dict.fromkeys(paths))[:READS]
    }


def _idle(workspace: LiveWorkspace, task: LiveTask, worker: LiveWorker) -> str | None:
    """Since when nothing was offered to them, as the engine counts; None: never, or they have no such channel."""
    if task.record.task_channel_sid not in worker.channels:
        return None
    return _moment(workspace.idle_key(worker, task.record.task_channel_sid)[0] or None)


def _of(workspace: LiveWorkspace, task: LiveTask, worker: LiveWorker) -> list[Reservation]:
    found = (workspace.reservations[sid] for sid in task.reservations)
    return [each for each in found if each.worker_sid == worker.record.sid]


def _event(event: Event) -> dict[str, Any]:
    data = event.event_data
    return {
        "sid": event.sid,
        "event_type": event.event_type,
        "event_date": iso(event.event_date),
        "event_date_ms": event.event_date_ms,
        **{key: data[key] for key in HISTORY if key in data},
    }


def _moment(seconds: float | None) -> str | None:
    return None if seconds is None else iso(seconds)
