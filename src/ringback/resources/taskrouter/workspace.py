"""Workspace: workers, queues, workflows and tasks that belong together (taskrouter.md §2.1)."""

from __future__ import annotations

from typing import Literal

from ringback.kernel.fields import http_url
from ringback.kernel.resource import CRUD, Record, field, resource


@resource(
    "/v1/Workspaces", sid="WS", key="workspaces", product="taskrouter", can=CRUD,
    live=("create", "update", "delete"),
    takes={"create": {"Template": "NONE (default: activities only) or FIFO (with a queue and a workflow)."}},
    links=(
        "activities", "statistics", "real_time_statistics", "cumulative_statistics", "task_queues", "tasks",
        "workers", "workflows", "task_channels", "events",
    ),
)  # fmt: skip
class Workspace(Record):
    """Workers, queues, workflows and tasks that belong together."""

    friendly_name: str = field(required=True, write=True, filter=True, max_length=64)
    """Its name; unique in the account."""
    default_activity_sid: str | None = field(None, write="update")
    """Activity of a newly created worker."""
    default_activity_name: str | None = None
    """Its name."""
    timeout_activity_sid: str | None = field(None, write="update")
    """Activity of a worker whose reservation timed out."""
    timeout_activity_name: str | None = None
    """Its name."""
    event_callback_url: str | None = field(None, write=True, check=http_url)
    """Is told of every event."""
    events_filter: str | None = field(None, write=True, max_length=4000)
    """Comma-separated event types that the callback is told of, blanks around them allowed; empty: all. A name that
    is no event type (yet) is kept and matches nothing."""
    multi_task_enabled: bool = field(True, write=True)
    """Whether a worker may hold several tasks; cannot be turned off again."""
    prioritize_queue_order: Literal["FIFO", "LIFO"] = field("FIFO", write=True)
    """Which queues go first when a worker serves several."""
    version: int = field(0, hidden=True)
    """Counts its changes."""
