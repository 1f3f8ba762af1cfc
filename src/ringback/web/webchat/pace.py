"""How fast somebody may ask: so many a minute, a part of them at once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

REMEMBERED: Final = 10_000
"""Names whose pace is known; whoever has not asked for longest is forgotten first."""


class Pace:
    """A token bucket for each name."""

    def __init__(self, a_minute: int, at_once: int, now: Callable[[], float]) -> None:
        """``now`` gives Unix seconds."""
        self._rate, self._most, self._now = a_minute / 60, float(at_once), now
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """Name → what was left, and when that was."""

    def take(self, name: str) -> bool:
        """Whether ``name`` may do it now; then it counts."""
        now = self._now()
        left, since = self._buckets.pop(name, (self._most, now))
        left = min(self._most, left + max(0.0, now - since) * self._rate)
        allowed = left >= 1
        self._buckets[name] = (left - 1 if allowed else left, now)
        if len(self._buckets) > REMEMBERED:
            self._buckets.popitem(last=False)
        return allowed
