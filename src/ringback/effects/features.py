"""What a feature (callback and voicemail) asks of the outside: public REST requests, and its own durable notes.

They are yielded by the generators of ``callbacks/`` and carried out by ``web/features/``; the runtime's bus never
sees them, because a feature is a customer of the public API like any other application.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct, field


class Ask(Struct, frozen=True):
    """A request to the REST API, answered by :class:`Reply`. It never raises."""

    method: Literal["GET", "POST"]
    product: Literal["api", "taskrouter"]
    path: str
    """``Calls/CA…`` within the account (``api``), ``Workspaces/WS…/Tasks`` within ``v1`` (``taskrouter``)."""
    params: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    """Query of a GET, form of a POST; a tuple is a parameter that is repeated."""
    if_match: str | None = None
    """The version that was read, for the header ``If-Match``."""
    repeatable: bool = True
    """Whether it may be sent again when it is unclear if it was carried out (a broken connection)."""


class Reply(Struct, frozen=True):
    """What came of it."""

    status: int
    """HTTP status; 500 when nothing answered."""
    body: Mapping[str, Any] = field(default_factory=dict)
    etag: str | None = None
    code: int | None = None
    """The API's error code."""
    message: str = ""
    more_info: str = ""
    unclear: bool = False
    """The connection broke: nobody knows whether it was carried out."""

    @property
    def ok(self) -> bool:
        """2xx."""
        return 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        """There is no such thing (any more)."""
        return self.status == 404


class Remember(Struct, frozen=True):
    """Write a durable note; on the disk when the generator goes on. ``value`` None: forget it."""

    key: str
    value: Mapping[str, Any] | None


class Recall(Struct, frozen=True):
    """Read a durable note; answered by its value, or None."""

    key: str


class Wait(Struct, frozen=True):
    """Let a moment pass (real seconds: what is waited for is another server)."""

    seconds: float


class Warn(Struct, frozen=True):
    """Tell the operator, in the debugger's log, that a promise to a caller is not kept."""

    subject: str
    """SID of the call or recording; other keys of notes are allowed."""
    text: str


Step = Ask | Remember | Recall | Wait | Warn


class Answered(Struct, frozen=True):
    """The HTTP answer of a feature."""

    status: int
    body: Mapping[str, Any] | str | None = None
    """JSON, or the text of a TwiML document."""
