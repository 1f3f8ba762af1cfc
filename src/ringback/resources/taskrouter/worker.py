"""Worker: a person (or program) that takes tasks (taskrouter.md §2.3)."""

from __future__ import annotations

from ringback.kernel.resource import CRUD, Record, field, resource

_WS = "/v1/Workspaces/{workspace_sid}"
_LINKS = {
    "statistics": _WS + "/Workers/Statistics",
    "real_time_statistics": _WS + "/Workers/RealTimeStatistics",
    "cumulative_statistics": _WS + "/Workers/CumulativeStatistics",
    "worker_statistics": _WS + "/Workers/{sid}/Statistics",
    "activity": _WS + "/Activities/{activity_sid}",
    "channels": _WS + "/Workers/{sid}/Channels",
    "worker_channels": _WS + "/Workers/{sid}/Channels",
    "reservations": _WS + "/Workers/{sid}/Reservations",
    "workspace": _WS,
}


@resource(
    "/v1/Workspaces/{WorkspaceSid}/Workers", sid="WK", key="workers", product="taskrouter", can=CRUD,
    live=("create", "update", "delete"), etag=True,
    takes={
        "list": {
            "ActivityName": "Of the activity.", "ActivitySid": "Of the activity.", "Available": "true or false.",
            "TargetWorkersExpression": "An expression over the worker's attributes.",
            "TaskQueueName": "Workers of this queue.", "TaskQueueSid": "Workers of this queue.",
            "Ordering": "DateStatusChanged:asc or DateStatusChanged:desc.",
        },
        "update": {"RejectPendingReservations": "Reject what is pending when they become unavailable."},
    },
    links=_LINKS,
)  # fmt: skip
class Worker(Record):
    """A person (or program) that takes tasks."""

    workspace_sid: str = field("", index=True)
    """Its workspace."""
    friendly_name: str = field(required=True, write=True, filter=True, max_length=64)
    """Its name; unique in the workspace, whatever the case."""
    attributes: str = field("{}", write=True)
    """JSON text of at most 4096 characters: skills, ``contact_uri`` …"""
    activity_sid: str | None = field(None, write=True)
    """What they are doing."""
    activity_name: str | None = None
    """Its name."""
    available: bool = False
    """Whether that activity takes tasks."""
    date_status_changed: float = field(0.0, wire="date")
    """Last change of activity."""
    version: int = field(0, hidden=True)
    """Counts its changes."""
