"""What may be committed besides the effects of ``effects.py``, and what a commit gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ringback.effects import SendWebhook


class Conflict(Exception):
    """A commit broke a unique key; nothing of it was written."""


class OwnershipLost(Exception):
    """Another process owns the database by now: this one writes nothing more."""


class Stale(Exception):
    """Somebody else has written the record since it was read; nothing of the commit was written."""


@dataclass(frozen=True, slots=True)
class SaveIf:
    """Replace a record that is still as it was read (``Store.get_versioned``), else :class:`Stale`."""

    record: Any
    version: int


@dataclass(frozen=True, slots=True)
class DeleteIf:
    """Remove a record that is still as it was read, else :class:`Stale`."""

    record: Any
    version: int


@dataclass(frozen=True, slots=True)
class OwedWebhook:
    """A row of the outbox."""

    id: int
    """Grows with every row."""
    hook: SendWebhook


@dataclass(frozen=True, slots=True)
class OutboxDone:
    """The delivery has ended: forget the row."""

    id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LogHttp:
    """One request that we made for a call or other resource (``Calls/{sid}/Events``, voice-calls.md §12)."""

    account_sid: str
    resource_sid: str
    at: float
    """Unix seconds at which it began."""
    method: str
    url: str
    parameters: str = ""
    """The form, URL-encoded."""
    status: int | None = None
    seconds: float = 0.0
    content_type: str = ""
    body: str = ""
    """An excerpt of the answer."""
    error_code: int | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """A logged request, read back."""

    id: int
    request: LogHttp
