"""What may be committed besides the effects of ``effects.py``, and what a commit gives back."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from ringback.effects import QueueDial, SendWebhook
from ringback.effects.messaging import QueueSend
from ringback.events import Event
from ringback.kernel.errors import Refused


class Conflict(Exception):
    """A commit broke a unique key; nothing of it was written."""


class OwnershipLost(Exception):
    """Another process owns the database by now: this one writes nothing more."""


class Unavailable(Refused):
    """The database cannot be used now. Nothing was written, unless the text says that this is not known."""

    def __init__(self, why: str) -> None:
        """``why``: what is wrong with it, for the caller of the API too."""
        super().__init__(20503, f"The database cannot be used now: {why}", 503)


class Stale(Exception):
    """Somebody else has written the record since it was read; nothing of the commit was written."""


class SaveIf(Struct, frozen=True):
    """Replace a record that is still as it was read (``Store.get_versioned``), else :class:`Stale`."""

    record: Any
    version: int


class DeleteIf(Struct, frozen=True):
    """Remove a record that is still as it was read, else :class:`Stale`."""

    record: Any
    version: int


Leaving = SendWebhook | QueueDial | QueueSend
"""What leaves through the outbox: webhooks at least once, dials and texts at most once."""


class Owed(Struct, frozen=True):
    """A row of the outbox."""

    sid: str
    """Sorts by the time at which it was made; a dial's is its call's, a text's its message's."""
    what: Leaving


class OutboxDone(Struct, frozen=True):
    """The delivery has ended: forget the row."""

    sid: str


class Message(Struct, frozen=True):
    """An event on its way from one lane to another: a row until the receiver's commit removes it."""

    sid: str
    """Sorts by the time at which it was sent."""
    event: Event


class MessageDone(Struct, frozen=True):
    """The receiver has handled the message: forget the row."""

    sid: str


class MessageFailed(Struct, frozen=True):
    """The receiver cannot handle it: the row is kept for people, and delivered no more."""

    sid: str
    why: str


class LogHttp(Struct, frozen=True, kw_only=True):
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


class Attempt(Struct, frozen=True):
    """A logged request, read back."""

    id: int
    request: LogHttp
