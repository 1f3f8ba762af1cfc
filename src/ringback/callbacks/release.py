"""Letting scheduled and delayed callbacks go at the pace of free agents (issue 4, point 6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ringback.callbacks.feature import Feature, Steps, workspace_of
from ringback.effects.features import Ask, Reply

BURST = 100
"""Callbacks that one round lets go at most."""


def allowance(free: int, waiting: int, reserve: int) -> int:
    """How many may go now: free workers, less the tasks that already wait for them, less the reserve."""
    return max(0, min(BURST, free - waiting - reserve))


def chosen(orders: Iterable[Mapping[str, Any]], now: float, allowed: int) -> list[Mapping[str, Any]]:
    """The parked orders that go now: those that are due, the longest due first, at most ``allowed``."""
    due = [one for one in orders if one["state"] == "parked" and one["due"] <= now]
    return sorted(due, key=lambda one: (one["due"], one["at"], one["source"]))[:allowed]


def allowed_now(feature: Feature) -> Steps[int]:
    """How many may go, asked of the queue's statistics; without a queue: as many as are due."""
    queue = feature.options.release_queue_sid
    if not queue:
        return BURST
    workspace = yield from workspace_of(feature, feature.options.workflow_sid)
    path = f"Workspaces/{workspace}/TaskQueues/{queue}/RealTimeStatistics"
    reply: Reply = yield Ask("GET", "taskrouter", path, {"TaskChannel": "voice"})
    if not reply.ok:
        return 0
    by_status = reply.body.get("tasks_by_status") or {}
    waiting = int(by_status.get("pending") or 0) + int(by_status.get("reserved") or 0)
    busy = int(by_status.get("assigned") or 0) + int(by_status.get("wrapping") or 0)
    free = int(reply.body.get("total_available_workers") or 0) - busy
    return allowance(free, waiting, feature.options.release_reserve)
