"""Reservations (taskrouter.md §4.1): a new state, or an instruction."""

from __future__ import annotations

from ringback.events.taskrouter import WorkspaceWriteRequested
from ringback.kernel.errors import Refused
from ringback.resources.taskrouter.reservation import Reservation
from ringback.taskrouter import instructions
from ringback.taskrouter.instruction import from_params
from ringback.taskrouter.lifecycle import accept, cancel_reservation, complete, reject, wrap
from ringback.taskrouter.requests.values import check_version
from ringback.taskrouter.workspace import LiveWorkspace

NOUN = Reservation


def update(workspace: LiveWorkspace, event: WorkspaceWriteRequested) -> Reservation:
    """``ReservationStatus`` or ``Instruction``; both: 20001."""
    reservation = workspace.reservation(event.sid)
    check_version(event, reservation)
    status, instruction = event.params.get("ReservationStatus", ""), event.params.get("Instruction", "")
    if status and instruction:
        raise Refused(20001, "Give ReservationStatus or Instruction, not both")
    if instruction:
        instructions.carry_out(workspace, reservation, from_params(event.params))
    elif status == "accepted":
        accept(workspace, reservation)
    elif status == "rejected":
        reject(workspace, reservation, event.params.get("WorkerActivitySid") or None)
    elif status == "wrapping":
        wrap(workspace, reservation)
    elif status == "completed":
        complete(workspace, reservation)
    elif status == "canceled":
        if reservation.reservation_status != "pending":
            state = reservation.reservation_status
            raise Refused(20001, f"Cannot cancel reservation {reservation.sid}: it is {state}, not pending.")
        cancel_reservation(workspace, reservation)
    elif status:
        raise Refused(
            20001,
            f"ReservationStatus must be accepted, rejected, canceled, wrapping or completed, not {status[:40]!r}",
        )
    else:
        raise Refused(20001, "ReservationStatus or Instruction is required")
    return reservation
