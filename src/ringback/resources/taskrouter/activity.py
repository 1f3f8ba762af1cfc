"""Activity: what a worker can be doing (taskrouter.md §2.2)."""

from __future__ import annotations

from ringback.kernel.resource import CRUD, Record, field, resource

_WS = "/v1/Workspaces/{workspace_sid}"
_LINKS = {
    "workspace": _WS,
}


@resource(
    "/v1/Workspaces/{WorkspaceSid}/Activities", sid="WA", key="activities", product="taskrouter", can=CRUD,
    live=("create", "update", "delete"), links=_LINKS,
    takes={"create": {"Available": "true, 1 or yes: workers in it take tasks. Cannot be changed later."}},
)  # fmt: skip
class Activity(Record):
    """What a worker can be doing, and whether they take tasks meanwhile."""

    workspace_sid: str = field("", index=True)
    """Its workspace."""
    friendly_name: str = field(required=True, write=True, filter=True, max_length=64)
    """Its name; unique in the workspace."""
    available: bool = field(False, filter=True)
    """Whether workers in it take tasks."""
    version: int = field(0, hidden=True)
    """Counts its changes."""
