"""Statistics of this moment, read off the workspace in memory (taskrouter.md §11).

Costs: tasks O(channels + distinct priorities), by ``task_counts.py``; a queue's workers O(activities),
with a task channel O(members); all workers O(workers), about 1 ms for 10,000.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from ringback.taskrouter.live import LiveTaskQueue, LiveWorker
from ringback.taskrouter.task_counts import Count
from ringback.taskrouter.workspace import LiveWorkspace

STATUSES = ("pending", "reserved", "assigned", "wrapping")


def workspace(workspace: LiveWorkspace, now: float, channel_sid: str | None = None) -> dict[str, Any]:
    """The whole workspace; ``channel_sid`` counts the tasks of one channel only."""
    count = workspace.task_counts.count("workspace", "", _channels(workspace, channel_sid))
    return {**_tasks(count, now), **workers(workspace, workspace.workers.values())}


def workflow(
    workspace: LiveWorkspace, now: float, sid: str, channel_sid: str | None = None
) -> dict[str, Any]:
    """The tasks of a workflow."""
    return _tasks(workspace.task_counts.count("workflow", sid, _channels(workspace, channel_sid)), now)


def queue(workspace: LiveWorkspace, now: float, sid: str, channel_sid: str | None = None) -> dict[str, Any]:
    """The tasks and the workers of a queue; ``sid`` must be one of the workspace's.

    Eligible workers serve the queue; available ones are in an available activity as well, and take tasks of the
    channel when one is asked for. Neither says whether they have capacity left.
    """
    queue = workspace.queues[sid]
    count = workspace.task_counts.count("queue", sid, _channels(workspace, channel_sid))
    first = count.first_in_queue
    return {
        **_tasks(count, now),
        "longest_relative_task_age_in_queue": _age(first, now),
        "longest_relative_task_sid_in_queue": first[1] if first is not None else None,
        "total_eligible_workers": len(queue.members),
        "total_available_workers": _available(workspace, queue, channel_sid),
        "activity_statistics": _activities(workspace, queue.activities),
    }


def workers(workspace: LiveWorkspace, workers: Iterable[LiveWorker]) -> dict[str, Any]:
    """Some workers by their activities."""
    counts = Counter(worker.record.activity_sid or "" for worker in workers)
    return {"total_workers": counts.total(), "activity_statistics": _activities(workspace, counts)}


def empty_queue() -> dict[str, Any]:
    """What a bulk answer says of a queue that is not here: zeros."""
    nothing = Count(Counter(), Counter(), None, None)
    return {
        **_tasks(nothing, 0.0),
        "longest_relative_task_age_in_queue": 0,
        "longest_relative_task_sid_in_queue": None,
        "total_eligible_workers": 0,
        "total_available_workers": 0,
        "activity_statistics": [],
    }


def _channels(workspace: LiveWorkspace, channel_sid: str | None) -> Iterable[str]:
    return workspace.channels if channel_sid is None else (channel_sid,)


def _tasks(count: Count, now: float) -> dict[str, Any]:
    return {
        "total_tasks": count.statuses.total(),
        "tasks_by_status": {status: count.statuses[status] for status in STATUSES},
        "tasks_by_priority": {
            str(priority): count.priorities[priority] for priority in sorted(count.priorities)
        },
        "longest_task_waiting_age": _age(count.oldest, now),
        "longest_task_waiting_sid": count.oldest[1] if count.oldest is not None else None,
    }


def _age(entry: tuple[float, str] | None, now: float) -> int:
    return 0 if entry is None else max(0, int(now - entry[0]))


def _available(workspace: LiveWorkspace, queue: LiveTaskQueue, channel_sid: str | None) -> int:
    if channel_sid is None:
        return sum(
            number
            for sid, number in queue.activities.items()
            if sid in workspace.activities and workspace.activities[sid].available
        )
    found = 0
    for sid in queue.members:
        worker = workspace.workers[sid]
        channel = worker.channels.get(channel_sid)
        found += worker.record.available and channel is not None and channel.available
    return found


def _activities(workspace: LiveWorkspace, counts: Mapping[str, int]) -> list[dict[str, Any]]:
    return [
        {"sid": each.sid, "friendly_name": each.friendly_name, "workers": counts.get(each.sid, 0)}
        for each in workspace.activities.values()
    ]
