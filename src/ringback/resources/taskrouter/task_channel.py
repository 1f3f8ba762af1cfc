"""TaskChannel: a kind of task, with a capacity of its own (taskrouter.md §2.6)."""

from __future__ import annotations

from ringback.kernel.resource import CRUD, Record, field, resource

_WS = "/v1/Workspaces/{workspace_sid}"
_LINKS = {
    "workspace": _WS,
}


@resource(
    "/v1/Workspaces/{WorkspaceSid}/TaskChannels", sid="TC", key="channels", product="taskrouter", can=CRUD,
    live=("create", "update", "delete"), table="taskrouter_task_channels", links=_LINKS,
)  # fmt: skip
class TaskChannel(Record):
    """A kind of task (voice, chat …), with a capacity of its own."""

    workspace_sid: str = field("", index=True)
    """Its workspace."""
    friendly_name: str = field(required=True, write=True, max_length=64)
    """Its name."""
    unique_name: str = field(required=True, write="create", max_length=64)
    """Its name in the API; no hyphens."""
    channel_optimized_routing: bool = field(False, write=True)
    """Whether idleness is measured on this channel alone."""
    version: int = field(0, hidden=True)
    """Counts its changes."""
