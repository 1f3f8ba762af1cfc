"""A running verb: what it waits for, how it is interrupted, and what it can come to."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TypeVar

from ringback.events import Event

T = TypeVar("T")

Steps = Generator[None, Event, T]
"""A running verb: each bare ``yield`` waits for the next event of the call."""


class Interrupted(Exception):
    """The verb is over at once; it may tidy up and must let the exception pass."""


class HungUp(Interrupted):
    """The leg is over. A verb that owes an action request hands it in by ``session.owe``."""


@dataclass
class Source:
    """Where instructions come from: a URL to ask, or inline TwiML."""

    url: str | None = None
    method: str = "POST"
    params: list[tuple[str, str]] = field(default_factory=list)
    """Facts of the verb that asks (``Digits`` …)."""
    twiml: str | None = None


class Redirected(Interrupted):
    """REST gave the call a new document."""

    def __init__(self, source: Source) -> None:
        super().__init__("redirected")
        self.source = source


@dataclass
class Next:
    """Go on with the next verb."""


@dataclass
class Goto:
    """Leave this document for another."""

    source: Source


@dataclass
class End:
    """The call is to end; ``reject`` is the SIP code when it is still unanswered."""

    reject: int | None = None
    exhausted: bool = False
    """The document ran out (a whisper then lets the parties talk)."""
    parameters: tuple[tuple[str, str], ...] = ()
    """What an application hands back to whoever has dialled it (``<Dial><Application>``)."""


Outcome = Next | Goto | End
