"""WorkerChannel: how many tasks of a channel a worker may hold (taskrouter.md §2.6)."""

from __future__ import annotations

from ringback.kernel.resource import Record, field, resource


@resource(
    "/v1/Workspaces/{WorkspaceSid}/Workers/{WorkerSid}/Channels", sid="WC", key="channels", product="taskrouter",
    can=("list", "fetch", "update"), live=("update",), table="taskrouter_worker_channels", links=(),
    takes={"update": {"Capacity": "Tasks that they may hold at once; 0: none.", "Available": "true or false."}},
)  # fmt: skip
class WorkerChannel(Record):
    """How many tasks of one channel a worker may hold."""

    workspace_sid: str = field("", index=True)
    """Its workspace."""
    worker_sid: str = ""
    """The worker."""
    task_channel_sid: str = ""
    """The channel."""
    task_channel_unique_name: str = ""
    """The channel's name."""
    configured_capacity: int = 1
    """Tasks that they may hold at once."""
    available: bool = True
    """Whether they take tasks of this channel."""
    assigned_tasks: int = 0
    """Tasks that they hold, offered ones included."""
    available_capacity_percentage: int = 100
    """Of what they may hold, rounded down. 0: full; 100: empty."""
    last_reserved: float = field(0.0, hidden=True)
    """When a task of this channel was last offered to them; 0: never. Decides who is idle the longest."""
    version: int = field(0, hidden=True)
    """Counts its changes."""
