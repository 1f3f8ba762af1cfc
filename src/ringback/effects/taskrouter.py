"""What TaskRouter asks of the outside."""

from __future__ import annotations

from typing import Any

from ringback.effects import Effect
from ringback.resources.telephony import TaskTransfer


class AskAssignment(Effect, frozen=True, kw_only=True):
    """POST the assignment callback; answered by ``AssignmentAnswered`` (5 s, then the fallback; taskrouter.md §8)."""

    workspace_sid: str
    account_sid: str
    reservation_sid: str
    url: str
    fallback_url: str | None
    params: list[tuple[str, str]]


class Announce(Effect, frozen=True, kw_only=True):
    """Something happened: for those who listen live (the event bridge). Records are copies."""

    workspace_sid: str
    event_type: str
    at: float
    reservation: Any = None
    task: Any = None
    worker: Any = None
    channel: Any = None
    """A WorkerChannel."""
    transfer: TaskTransfer | None = None
    workers: tuple[str, ...] = ()
    """SIDs of the workers who hear of a task that is gone; empty: those who were offered it, as the workspace knows."""


class RedirectCall(Effect, frozen=True, kw_only=True):
    """Give a live call of the account another document (instruction ``redirect``)."""

    call_sid: str
    account_sid: str
    url: str
    reservation_sid: str
    """For the debugger, when the call cannot be redirected."""
