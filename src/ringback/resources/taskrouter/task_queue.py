"""TaskQueue: waiting tasks, and the workers who may take them (taskrouter.md §2.4)."""

from __future__ import annotations

from typing import Literal

from ringback.kernel.resource import CRUD, Record, field, resource

_WS = "/v1/Workspaces/{workspace_sid}"
_LINKS = {
    "statistics": _WS + "/TaskQueues/{sid}/Statistics",
    "real_time_statistics": _WS + "/TaskQueues/{sid}/RealTimeStatistics",
    "cumulative_statistics": _WS + "/TaskQueues/{sid}/CumulativeStatistics",
    "list_statistics": _WS + "/TaskQueues/Statistics",
    "assignment_activity": _WS + "/Activities/{assignment_activity_sid}",
    "reservation_activity": _WS + "/Activities/{reservation_activity_sid}",
    "workspace": _WS,
}


@resource(
    "/v1/Workspaces/{WorkspaceSid}/TaskQueues", sid="WQ", key="task_queues", product="taskrouter", can=CRUD,
    live=("create", "update", "delete"),
    takes={
        "list": {
            "EvaluateWorkerAttributes": "JSON attributes of a hypothetical worker: queues that they would serve.",
            "WorkerSid": "Queues of this worker.", "Ordering": "DateUpdated:asc or DateUpdated:desc.",
        },
    },
    links=_LINKS,
)  # fmt: skip
class TaskQueue(Record):
    """Waiting tasks, and the workers who may take them."""

    workspace_sid: str = field("", index=True)
    """Its workspace."""
    friendly_name: str = field(required=True, write=True, filter=True, max_length=64)
    """Its name; unique in the workspace."""
    target_workers: str = field("1==1", write=True, max_length=10_000)
    """Expression over workers' attributes; empty: nobody."""
    max_reserved_workers: int = field(1, write=True)
    """Workers to whom one task is offered at once, 1 to 50."""
    task_order: Literal["FIFO", "LIFO"] = field("FIFO", write=True)
    """Oldest or newest first."""
    reservation_activity_sid: str | None = field(None, write=True)
    """Single-task workspaces: activity of a worker who is offered a task."""
    reservation_activity_name: str | None = None
    """Its name."""
    assignment_activity_sid: str | None = field(None, write=True)
    """Single-task workspaces: activity of a worker who has a task."""
    assignment_activity_name: str | None = None
    """Its name."""
    version: int = field(0, hidden=True)
    """Counts its changes."""
