"""Workflow: the rules that bring a task to a queue (taskrouter.md §2.5, §5)."""

from __future__ import annotations

from ringback.kernel.fields import http_url
from ringback.kernel.resource import CRUD, Record, field, resource

_WS = "/v1/Workspaces/{workspace_sid}"
_LINKS = {
    "statistics": _WS + "/Workflows/{sid}/Statistics",
    "real_time_statistics": _WS + "/Workflows/{sid}/RealTimeStatistics",
    "cumulative_statistics": _WS + "/Workflows/{sid}/CumulativeStatistics",
    "workspace": _WS,
}


@resource(
    "/v1/Workspaces/{WorkspaceSid}/Workflows", sid="WW", key="workflows", product="taskrouter", can=CRUD,
    live=("create", "update", "delete"),
    takes={"update": {"ReEvaluateTasks": "true: run every pending and reserved task through it anew."}},
    links=_LINKS,
)  # fmt: skip
class Workflow(Record):
    """The rules that bring a task to a queue."""

    workspace_sid: str = field("", index=True)
    """Its workspace."""
    friendly_name: str = field(required=True, write=True, filter=True, max_length=64)
    """Its name."""
    configuration: str = field(required=True, write=True)
    """JSON text with ``task_routing``: filters, targets and the default filter; at most 1 MB."""
    assignment_callback_url: str | None = field(None, write=True, check=http_url)
    """Is asked what to do with every reservation."""
    fallback_assignment_callback_url: str | None = field(None, write=True, check=http_url)
    """Is asked when the first fails."""
    task_reservation_timeout: int = field(120, write=True)
    """Seconds that a worker has to accept, 1 to 86400."""
    document_content_type: str = "application/json"
    """Of the configuration."""
    version: int = field(0, hidden=True)
    """Counts its changes."""
