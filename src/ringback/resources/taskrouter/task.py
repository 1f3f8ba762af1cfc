"""Task: a piece of work that waits for a worker (taskrouter.md §2.7, §3)."""

from __future__ import annotations

from ringback.kernel.resource import CRUD, Record, field, resource
from ringback.resources.telephony import TaskConference, TaskTransfer

_WS = "/v1/Workspaces/{workspace_sid}"
_LINKS = {
    "task_queue": _WS + "/TaskQueues/{task_queue_sid}",
    "workflow": _WS + "/Workflows/{workflow_sid}",
    "workspace": _WS,
    "reservations": _WS + "/Tasks/{sid}/Reservations",
}


@resource(
    "/v1/Workspaces/{WorkspaceSid}/Tasks", sid="WT", key="tasks", product="taskrouter", can=CRUD,
    live=("create", "update", "delete"), etag=True,
    takes={
        "list": {
            "EvaluateTaskAttributes": "An expression over the attributes, such as call_sid == 'CA…'.",
            "WorkflowName": "Of the workflow.", "TaskQueueName": "Of the queue.", "TaskChannel": "SID or name.",
            "HasAddons": "true or false.",
            "Ordering": "DateCreated, Priority or VirtualStartTime with :asc or :desc; two with a comma.",
        },
        "create": {
            "TaskChannel": "SID or unique name; default: default.",
            "IgnoreCapacity": "With a worker as RoutingTarget: true (default), 1 or yes.",
            "RoutingTarget": "A worker, queue or workflow; a worker or queue bypasses the workflow's filters.",
        },
        "update": {"AssignmentStatus": "canceled, wrapping or completed.", "TaskChannel": "SID or unique name."},
    },
    links=_LINKS,
)  # fmt: skip
class Task(Record):
    """A piece of work that waits for a worker."""

    workspace_sid: str = field("", index=True)
    """Its workspace."""
    assignment_status: str = field("pending", filter=True)
    """pending, reserved, assigned, wrapping, completed or canceled."""
    attributes: str = field("{}", write=True)
    """JSON text of at most 4096 characters."""
    addons: str = "{}"
    """JSON text of what add-ons found."""
    age: int = 0
    """Seconds since it was created."""
    priority: int = field(0, write=True, filter=True)
    """0 to 2147483647; higher goes first."""
    reason: str | None = field(None, write="update", max_length=4096)
    """Why it was completed or canceled."""
    timeout: int = field(86_400, write="create")
    """Seconds until it is canceled when nobody accepts it; at most 1209600."""
    task_queue_sid: str | None = field(None, write="create", filter=True)
    """The queue that it waits in, or came from."""
    task_queue_friendly_name: str | None = None
    """The queue's name."""
    task_queue_entered_date: float | None = field(None, wire="date")
    """When it entered that queue."""
    virtual_start_time: float = field(0.0, write=True, wire="date")
    """Its place in line is that of a task created then."""
    workflow_sid: str | None = field(None, write="create", filter=True)
    """The workflow that routes it."""
    workflow_friendly_name: str | None = None
    """The workflow's name."""
    task_channel_sid: str = ""
    """Its channel."""
    task_channel_unique_name: str = ""
    """The channel's name."""
    routing_target: str | None = field(None, filter=True)
    """The worker or queue that it goes to, past the workflow."""
    ignore_capacity: bool = False
    """Whether the routing target gets it though they are full or unavailable."""
    version: int = field(0, hidden=True)
    """Counts its changes."""
    call_sid: str | None = field(None, hidden=True, index=True)
    """The waiting caller, when the task was made by ``<Enqueue>``."""
    filter_index: int | None = field(None, hidden=True)
    """Filter of the workflow at which it stands: -1 the default filter; None: none."""
    target_index: int = field(0, hidden=True)
    """Target within the filter."""
    target_entered: float = field(0.0, hidden=True)
    """When it entered that target."""
    target_over: bool = field(False, hidden=True)
    """The target's time is up, and a pending reservation is waited for."""
    cycles: int = field(0, hidden=True)
    """How often it went from pending to reserved."""
    status_since: float = field(0.0, hidden=True)
    """When it entered its state."""
    accepted_at: float | None = field(None, hidden=True)
    """When it was first accepted."""
    transfer: TaskTransfer | None = field(None, hidden=True)
    """The transfer in flight, or the last one."""
    conference: TaskConference | None = field(None, hidden=True)
    """What is known of the telephone."""
