"""What a call asks of TaskRouter: a task for its caller, a reservation's caller (twiml.md §5.2, §6)."""

from __future__ import annotations

from dataclasses import dataclass, field

from ringback.effects import Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeTask(Effect):
    """``<Enqueue workflowSid>``: a task on channel ``voice``; answered by ``TaskMade``."""

    call_sid: str
    account_sid: str
    request: str
    """Names the answer; unique within the call."""
    workflow_sid: str
    attributes: str = ""
    """The JSON text of ``<Task>``, as written; empty: none."""
    facts: dict[str, str] = field(default_factory=dict)
    """What is known of the call, in lower snake case; the JSON text wins over them (taskrouter.md §9.2)."""
    priority: int | None = None
    timeout: int | None = None
    """Seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimReservation(Effect):
    """``<Dial><Queue reservationSid>``: accept it and name its caller; answered by ``ReservationClaimed``."""

    call_sid: str
    account_sid: str
    request: str
    reservation_sid: str
    post_work_activity_sid: str | None = None
    """The worker's activity when the bridge is over."""
