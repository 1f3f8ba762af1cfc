"""What TaskRouter asks of the outside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ringback.effects import Effect
from ringback.resources.telephony import TaskTransfer


@dataclass(frozen=True, slots=True, kw_only=True)
class AskAssignment(Effect):
    """POST the assignment callback; answered by ``AssignmentAnswered`` (5 s, then the fallback; taskrouter.md §8)."""

    workspace_sid: str
    account_sid: str
    reservation_sid: str
    url: str
    fallback_url: str | None
    params: list[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Announce(Effect):
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


@dataclass(frozen=True, slots=True, kw_only=True)
class RedirectCall(Effect):
    """Give a live call of the account another document (instruction ``redirect``)."""

    call_sid: str
    account_sid: str
    url: str
    reservation_sid: str
    """For the debugger, when the call cannot be redirected."""
