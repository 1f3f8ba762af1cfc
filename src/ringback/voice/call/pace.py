"""How many documents a call may run that take no time: a loop of redirections ends, one that plays something does not.

Only what documents do is counted as time, not the asking for them: a slow application that redirects to itself spins
as well (also by an ``<Enqueue>`` whose wait document leaves at once). A sound that could not be played is no time.
"""

from __future__ import annotations

from collections import deque
from typing import Final

WINDOW: Final = 60.0
"""Seconds over which such documents are counted."""
BRIEF: Final = 0.05
"""A document that was done sooner has taken no time. No sound is as short as that."""


class Pace:
    """Kept with a leg; :meth:`over` is asked before each document."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._brief: deque[float] = deque()
        self._began: float | None = None
        self._wasted = 0.0

    def begins(self, now: float) -> None:
        """A document has come, and its verbs begin."""
        self._began, self._wasted = now, 0.0

    def wasted(self, seconds: float) -> None:
        """So long the call only waited: for a document within the document, for a sound that could not be played."""
        self._wasted += seconds

    def ends(self, now: float) -> None:
        """The document is left, for whatever reason; without one that has begun, nothing is counted."""
        if self._began is not None and now - self._began - self._wasted < BRIEF:
            self._brief.append(now)
        self._began = None

    def over(self, now: float) -> bool:
        """Whether there were too many within the window. Then the count begins anew: a fallback gets its chance."""
        while self._brief and now - self._brief[0] >= WINDOW:
            self._brief.popleft()
        if len(self._brief) < self._limit:
            return False
        self._brief.clear()
        return True
