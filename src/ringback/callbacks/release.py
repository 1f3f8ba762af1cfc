"""Letting scheduled and delayed callbacks go at the pace of free agents (issue 4, point 6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ringback.callbacks.feature import Feature, Steps, workspace_of
from ringback.effects.features import Ask, Reply

BURST = 100
"""Callbacks that one round lets go at most."""
CHANNEL = "voice"
"""Task channel of the calls that free agents are counted for."""
MOST_ASKED = 200
"""Workers whose channels are looked at in one round."""
ROUND = 30.0
"""Seconds after which, in a larger crew, it is the next ones' turn to be looked at."""


def allowance(free: int, waiting: int, reserve: int) -> int:
    """How many may go now: free workers, less the tasks that already wait for them, less the reserve."""
    return max(0, min(BURST, free - waiting - reserve))


def chosen(orders: Iterable[Mapping[str, Any]], now: float, allowed: int) -> list[Mapping[str, Any]]:
    """The parked orders that go now: those that are due, the longest due first, at most ``allowed``."""
    due = [one for one in orders if one["state"] == "parked" and one["due"] <= now]
    return sorted(due, key=lambda one: (one["due"], one["at"], one["source"]))[:allowed]


def allowed_now(feature: Feature, due: int, now: float) -> Steps[int]:
    """How many of the ``due`` callbacks may go; without a queue: as many as are due.

    The queue's statistics say how many of its workers are there, not who of them is busy (perhaps with another queue's
    task, or as one who has left): each worker's channel says that, and as many are asked as it takes.
    """
    queue = feature.options.release_queue_sid
    if not queue:
        return BURST
    workspace = yield from workspace_of(feature, feature.options.workflow_sid)
    path = f"Workspaces/{workspace}"
    reply: Reply = yield Ask(
        "GET", "taskrouter", f"{path}/TaskQueues/{queue}/RealTimeStatistics", {"TaskChannel": CHANNEL}
    )
    if not reply.ok:
        return 0
    waiting = int((reply.body.get("tasks_by_status") or {}).get("pending") or 0)
    reserve = feature.options.release_reserve
    there = int(reply.body.get("total_available_workers") or 0)
    wanted = min(due, allowance(there, waiting, reserve))
    if not wanted:
        return 0
    free = yield from _free(path, queue, wanted + waiting + reserve, now)
    return min(wanted, allowance(free, waiting, reserve))


def _free(path: str, queue: str, enough: int, now: float) -> Steps[int]:
    """How many of the queue's workers have room for a call, counted up to ``enough``.

    At most :data:`MOST_ASKED` are asked in one round, others in the next one.
    """
    params = {"TaskQueueSid": queue, "Available": "true", "PageSize": "1000"}
    listed: Reply = yield Ask("GET", "taskrouter", f"{path}/Workers", params)
    workers = [str(one.get("sid")) for one in (listed.body.get("workers") or [])] if listed.ok else []
    begin = int(now // ROUND) * MOST_ASKED % len(workers) if len(workers) > MOST_ASKED else 0
    free = 0
    for worker in (workers[begin:] + workers[:begin])[:MOST_ASKED]:
        if free == enough:
            break
        reply: Reply = yield Ask(
            "GET", "taskrouter", f"{path}/Workers/{worker}/Channels", {"PageSize": "100"}
        )
        for channel in (reply.body.get("channels") or []) if reply.ok else []:
            if channel.get("task_channel_unique_name") == CHANNEL and channel.get("available"):
                free += int(channel.get("available_capacity_percentage") or 0) > 0
    return free
