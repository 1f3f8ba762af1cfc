"""What the rest of the product knows of time: a protocol. The clocks themselves are in runtime/."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Alarm(Protocol):
    """A pending call of a function."""

    def cancel(self) -> None:
        """Forget it; cancelling twice, or after it went off, is fine."""


class Hold(Protocol):
    """While it is not released, a virtual clock stands still (work is in progress)."""

    def release(self) -> None:
        """Let time move again; releasing twice is fine."""


class Clock(Protocol):
    """Unix time in seconds, and alarms. Real, or virtual (surface.md, ``RINGBACK_CLOCK``)."""

    def now(self) -> float:
        """Unix seconds."""

    def call_at(self, when: float, function: Callable[[], None], *, pulls: bool = True) -> Alarm:
        """Call ``function`` at ``when`` (Unix seconds; the past means: as soon as possible).

        On the virtual clock, time moves by itself to the earliest alarm that ``pulls`` whenever nothing
        holds the clock, passing (and setting off) those that do not pull on its way.
        """

    def hold(self) -> Hold:
        """Keep a virtual clock still while some real work (a request, a commit) is under way."""
