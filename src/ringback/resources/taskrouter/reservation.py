"""Reservation: a task offered to a worker (taskrouter.md §4). One object, two views."""

from __future__ import annotations

from typing import Any

from ringback.kernel.resource import Record, at, field, resource

_UPDATE = {
    "ReservationStatus": "accepted, rejected, wrapping or completed.",
    "WorkerActivitySid": "The worker's activity after a rejection.",
    "Instruction": "accept, reject, dequeue, call, redirect, conference or supervise; see taskrouter.md.",
}


@resource(
    "/v1/Workspaces/{WorkspaceSid}/Tasks/{TaskSid}/Reservations", sid="WR", key="reservations", product="taskrouter",
    can=("list", "fetch", "update"), live=("update",), etag=True, takes={"update": _UPDATE},
    links=("task", "worker", "workspace"),
    also=[
        at(
            "/v1/Workspaces/{WorkspaceSid}/Workers/{WorkerSid}/Reservations", key="reservations",
            product="taskrouter", can=("list", "fetch", "update"), live=("update",), etag=True,
            takes={"update": _UPDATE}, links=("task", "worker", "workspace"), tag="WorkerReservation",
        ),
    ],
)  # fmt: skip
class Reservation(Record):
    """A task offered to a worker, and what became of it."""

    workspace_sid: str = field("", index=True)
    """Its workspace."""
    reservation_status: str = field("pending", filter=True)
    """pending, accepted, rejected, timeout, canceled, rescinded, wrapping or completed."""
    task_sid: str = field("", index=True)
    """The task."""
    worker_sid: str = field("", filter=True)
    """The worker."""
    worker_name: str = ""
    """The worker's name."""
    version: int = field(0, hidden=True)
    """Counts its changes."""
    expires_at: float = field(0.0, hidden=True)
    """When a pending one times out."""
    accepted_at: float | None = field(None, hidden=True)
    """When it was accepted."""
    canceled_reason_code: int | None = field(None, hidden=True)
    """Why it was canceled, when a code is known (call-outcomes.md)."""
    task_queue_sid: str | None = field(None, hidden=True)
    """The queue through which it was offered."""
    task_channel_sid: str = field("", hidden=True)
    """The channel whose capacity it takes."""
    call_sid: str | None = field(None, hidden=True)
    """The worker's leg, when an instruction dialled him."""
    instruction: dict[str, Any] | None = field(None, hidden=True)
    """The instruction that is being carried out."""
    transfer_sid: str | None = field(None, hidden=True)
    """The transfer that it comes from."""
