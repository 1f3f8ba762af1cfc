"""What a call asks of TaskRouter: a task for its caller, a reservation's caller (twiml.md §5.2, §6)."""

from __future__ import annotations

from msgspec import field

from ringback.effects import Effect


class MakeTask(Effect, frozen=True, kw_only=True):
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


class ClaimReservation(Effect, frozen=True, kw_only=True):
    """``<Dial><Queue reservationSid>``: accept it and name its caller; answered by ``ReservationClaimed``."""

    call_sid: str
    account_sid: str
    request: str
    reservation_sid: str
    post_work_activity_sid: str | None = None
    """The worker's activity when the bridge is over."""
