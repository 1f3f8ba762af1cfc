"""Event: what happened in a workspace (taskrouter.md §10)."""

from __future__ import annotations

from typing import Any

from ringback.kernel.resource import Record, field, resource


@resource(
    "/v1/Workspaces/{WorkspaceSid}/Events", sid="EV", key="events", product="taskrouter", can=("list", "fetch"),
    filters={"StartDate": "event_date >=", "EndDate": "event_date <="},
    takes={
        "list": {
            "Minutes": "Events of the last minutes, 1 to 43200. Default 15; without it all that there are when "
            "StartDate, EndDate, Sid, TaskSid or ReservationSid is given.",
            "TaskChannel": "SID or unique name.", "Sid": "This event.",
        },
    },
    links=(),
)  # fmt: skip
class Event(Record):
    """What happened in a workspace; kept for 30 days."""

    workspace_sid: str = field("", index=True)
    """Its workspace."""
    event_type: str = field("", filter=True)
    """For example ``reservation.created``."""
    description: str = ""
    """The same in words."""
    event_date: float = field(0.0, wire="date")
    """When it happened."""
    event_date_ms: int = 0
    """The same in milliseconds since 1970."""
    resource_type: str = ""
    """task, worker, reservation, workflow …"""
    resource_sid: str = ""
    """What it happened to."""
    resource_url: str | None = None
    """Where that is."""
    actor_type: str | None = None
    """Who did it: account, worker, workflow, system."""
    actor_sid: str | None = None
    """Who exactly."""
    actor_url: str | None = None
    """Where they are."""
    source: str | None = None
    """API, system or event-bridge."""
    source_ip_address: str | None = None
    """Where the request came from."""
    event_data: dict[str, Any] = field(dict)
    """The fields of the event callback in lower snake case."""
    task_sid: str | None = field(None, hidden=True, filter=True, index=True)
    """The task, if any."""
    worker_sid: str | None = field(None, hidden=True, filter=True)
    """The worker, if any."""
    task_queue_sid: str | None = field(None, hidden=True, filter=True)
    """The queue, if any."""
    workflow_sid: str | None = field(None, hidden=True, filter=True)
    """The workflow, if any."""
    reservation_sid: str | None = field(None, hidden=True, filter=True)
    """The reservation, if any."""
    task_channel_sid: str | None = field(None, hidden=True)
    """The channel, if any."""
