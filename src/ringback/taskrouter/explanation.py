"""Why a task is where it is, and why each worker was or was not chosen for it (issue 3, point 9).

Nothing is decided here: the reasons are those of ``assignment.CHECKS``, asked by ``assignment.obstacle`` and ordered
by ``assignment.rank`` as the engine does; the target is ``routing``'s; what happened is read from the task's events.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ringback.resources.taskrouter.event import Event
from ringback.resources.taskrouter.reservation import Reservation
from ringback.taskrouter.configuration import Target
from ringback.taskrouter.floor import Agent, Floor, Job
from ringback.taskrouter.journal import iso
from ringback.taskrouter.lifecycle import ASSIGNED_LIMIT
from ringback.taskrouter.routing import DEFAULT, DIRECT, current_target
from ringback.taskrouter.verdict import Verdict, verdicts

HISTORY = (
    "task_queue_sid", "task_queue_name", "worker_sid", "worker_name", "reservation_sid", "task_assignment_status",
    "task_priority", "task_canceled_reason", "task_completed_reason", "canceled_reason_code",
)  # fmt: skip
"""What is shown of an event's data."""


def explain(
    floor: Floor, sid: str, now: float, events: Sequence[Event], *, page: int = 0, size: int = 50
) -> dict[str, Any]:
    """The whole explanation, with one page of the workers, those nearest to the task first.

    ``events``: the task's, oldest first. Raises :class:`Refused` 20404 when there is no such task. Costs one round
    of checks for every worker of the workspace: about 50 ms for 10,000.
    """
    job = floor.task(sid)
    found = verdicts(floor, job)
    return {
        "task_sid": sid,
        "workspace_sid": floor.workspace.sid,
        "account_sid": job.record.account_sid,
        "at": iso(now),
        "assignment_status": job.record.assignment_status,
        "reason": job.record.reason,
        "standing": _standing(floor, job, now),
        "filters": _filters(floor, job),
        "total_workers": len(found),
        "workers": [_shown(floor, job, each) for each in found[page * size : (page + 1) * size]],
        "history": [_event(each) for each in events],
    }


def _standing(floor: Floor, job: Job, now: float) -> dict[str, Any]:
    task, target = job.record, job.target or current_target(floor, job.record)
    place, total = _place(floor, job)
    return {
        "workflow_sid": task.workflow_sid,
        "workflow_friendly_name": task.workflow_friendly_name,
        "filter_index": task.filter_index,
        "filter_name": _filter_name(floor, job),
        "target_index": task.target_index if task.filter_index is not None else None,
        "target": None if target is None or target is DIRECT else _target(floor, target),
        "routing_target": task.routing_target,
        "task_queue_sid": task.task_queue_sid,
        "task_queue_friendly_name": task.task_queue_friendly_name,
        "task_queue_entered_date": _moment(task.task_queue_entered_date),
        "target_entered_date": _moment(task.target_entered or None),
        "status_since": _moment(task.status_since or task.date_created),
        "waited_seconds": max(0, int(_served(job, now) - task.date_created)),
        "priority": task.priority,
        "virtual_start_time": iso(task.virtual_start_time),
        "place_in_line": place,
        "tasks_in_line": total,
        "target_over": task.target_over,
        "times_offered": task.cycles,
        "timers": _timers(floor, job, target),
    }


def _served(job: Job, now: float) -> float:
    """Until when the task has waited: somebody accepted it, it ended without that, or it waits still."""
    task = job.record
    if task.accepted_at is not None:
        return task.accepted_at
    return task.status_since if task.assignment_status in ("canceled", "completed") else now


def _place(floor: Floor, job: Job) -> tuple[int | None, int]:
    """The place among the tasks of the queue and channel, from 1, and how many there are; None: not in line.

    Looks at every line of tasks that are alike, not at every task.
    """
    pool = floor.queues.get(job.record.task_queue_sid or "")
    waiting = pool.waiting.get(job.record.task_channel_sid) if pool is not None else None
    if waiting is None:
        return None, 0
    if not job.in_line:
        return None, len(waiting)
    mine = (job.key, job.record.sid)
    lines = (line for group in waiting.groups.values() for line in group.lines.values())
    return 1 + sum(line.bisect_left(mine) for line in lines), len(waiting)


def _timers(floor: Floor, job: Job, target: Target | None) -> dict[str, Any]:
    task = job.record
    waits = task.assignment_status in ("pending", "reserved")
    limited = waits and target is not None and target.timeout is not None
    return {
        "target_timeout": iso(task.target_entered + (target.timeout or 0)) if limited and target else None,
        "time_to_live": iso(task.date_created + task.timeout) if waits else None,
        "assigned_limit": iso(task.status_since + ASSIGNED_LIMIT)
        if task.assignment_status == "assigned"
        else None,
        "reservation_timeouts": [
            {
                "reservation_sid": sid,
                "worker_sid": floor.reservations[sid].worker_sid,
                "at": iso(floor.reservations[sid].expires_at),
            }
            for sid in sorted(job.open)
        ],
    }


def _filter_name(floor: Floor, job: Job) -> str | None:
    index = job.record.filter_index
    if index == DEFAULT:
        return "default_filter"
    plan = floor.workflows.get(job.record.workflow_sid or "")
    if index is None or plan is None or index >= len(plan.configuration.filters):
        return None
    return plan.configuration.filters[index].name


def _filters(floor: Floor, job: Job) -> list[dict[str, Any]]:
    """Every filter of the workflow as it is now, whether the task matches it, and what became of that."""
    task = job.record
    plan = floor.workflows.get(task.workflow_sid or "")
    if plan is None:
        return []
    at, found, matching = task.filter_index, [], False
    for index, each in enumerate(plan.configuration.filters):
        matched = each.expression({}, job.attributes, {})
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
                    _target(floor, one) | {"current": index == at and one.index == task.target_index}
                    for one in each.targets
                ],
            }
        )
    default = plan.configuration.default
    if default is not None:
        found.append(
            {
                "index": DEFAULT,
                "name": "default_filter",
                "expression": None,
                "matched": not matching or at == DEFAULT,
                "current": at == DEFAULT,
                "passed": False,
                "targets": [_target(floor, default) | {"current": at == DEFAULT}],
            }
        )
    return found


def _target(floor: Floor, target: Target) -> dict[str, Any]:
    pool = floor.queues.get(target.queue)
    return {
        "index": target.index,
        "task_queue_sid": target.queue or None,
        "task_queue_friendly_name": pool.record.friendly_name if pool is not None else None,
        "expression": target.expression.text if target.expression is not None else None,
        "known_worker": f"{target.known_worker[0]} == task.{target.known_worker[1]}"
        if target.known_worker is not None
        else None,
        "order_by": target.order_by.text if target.order_by is not None else None,
        "skip_if": target.skip_if.text if target.skip_if is not None else None,
        "priority": target.priority,
        "timeout": target.timeout,
    }


def _shown(floor: Floor, job: Job, verdict: Verdict) -> dict[str, Any]:
    agent = verdict.agent
    channel = agent.channels.get(job.record.task_channel_sid)
    return {
        "worker_sid": agent.record.sid,
        "worker_name": agent.record.friendly_name,
        "chosen": verdict.chosen,
        "reason": verdict.reason,
        "words": verdict.words,
        "rank": verdict.rank,
        "activity_name": agent.record.activity_name,
        "assigned_tasks": channel.assigned_tasks if channel is not None else None,
        "configured_capacity": channel.configured_capacity if channel is not None else None,
        "idle_since": _idle(floor, job, agent),
        "reservations": [
            {
                "sid": each.sid,
                "reservation_status": each.reservation_status,
                "date_created": iso(each.date_created),
            }
            for each in _of(floor, job, agent)
        ],
    }


def _idle(floor: Floor, job: Job, agent: Agent) -> str | None:
    """Since when nothing was offered to him, as the engine counts; None: never, or he has no such channel."""
    if job.record.task_channel_sid not in agent.channels:
        return None
    return _moment(floor.seat(agent, job.record.task_channel_sid)[0] or None)


def _of(floor: Floor, job: Job, agent: Agent) -> list[Reservation]:
    found = (floor.reservations[sid] for sid in job.reservations)
    return [each for each in found if each.worker_sid == agent.record.sid]


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
