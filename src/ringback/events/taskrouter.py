"""What is asked of TaskRouter."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from msgspec import Struct, field

from ringback.events import WorkspaceEvent


class Actor(Struct, frozen=True):
    """Who wants it (taskrouter.md §10)."""

    type: str = "account"
    """account, worker or system."""
    sid: str = ""
    """Of the account or the worker."""
    source: str = "API"
    """API, event-bridge or system."""
    ip: str = ""
    """Where the request came from."""


class WorkspaceWriteRequested(WorkspaceEvent, frozen=True, kw_only=True):
    """A write to one of TaskRouter's nouns. Asked; answered by the record as it is now (create, update)."""

    by_caller: ClassVar[bool] = True
    account_sid: str
    noun: str
    """Class name of the noun: ``Worker``, ``Task`` …"""
    operation: Literal["create", "update", "delete"]
    sid: str
    """The record's SID; for a create the new one."""
    values: dict[str, Any] = field(default_factory=dict)
    """Declared attributes that were given, read and checked: attribute name → value."""
    params: dict[str, str] = field(default_factory=dict)
    """Every other parameter as received (``Template``, ``Instruction``, ``AssignmentStatus`` …)."""
    if_match: str | None = None
    """The version that the writer saw, without quotes; None or ``*``: any."""
    actor: Actor = field(default_factory=Actor)


class WorkspacesLoaded(WorkspaceEvent, frozen=True, kw_only=True):
    """At the start: one workspace as it is stored."""

    records: tuple[Any, ...]
    """Workspace, Activities, TaskChannels, TaskQueues, Workflows, Workers, WorkerChannels, Tasks, Reservations."""


class TaskRequested(WorkspaceEvent, frozen=True, kw_only=True):
    """A waiting caller needs a task (``MakeTask``, once its workspace is known)."""

    account_sid: str
    caller_sid: str
    """The waiting call; answered by ``TaskMade`` there."""
    request: str
    task_sid: str
    workflow_sid: str
    attributes: str
    facts: dict[str, str]
    priority: int | None = None
    timeout: int | None = None


class ClaimRequested(WorkspaceEvent, frozen=True, kw_only=True):
    """A leg dials a reservation's caller (``ClaimReservation``, once its workspace is known)."""

    account_sid: str
    by: str
    """The dialling call; answered by ``ReservationClaimed`` there."""
    request: str
    reservation_sid: str
    post_work_activity_sid: str | None = None


class AssignmentAnswered(WorkspaceEvent, frozen=True, kw_only=True):
    """What the assignment callback (or its fallback) answered for a reservation (taskrouter.md §8)."""

    reservation_sid: str
    ok: bool
    """HTTP 200 with JSON in time."""
    body: bytes = b""
    error_code: int | None = None
    """Of the failure, for the debugger."""
    error_text: str = ""
    url: str = ""
    """Who answered last."""
    failed: tuple[tuple[int | None, str, str], ...] = ()
    """Those asked in vain before: error code, text and URL of each."""
