"""The moments at which something is due in a workspace: one heap, and one timer for its first entry.

Every moment can be read off the records (a reservation's ``expires_at``, a task's target, its TTL), so nothing is
stored: after a restart the schedule is made anew from them.
"""

from __future__ import annotations

import heapq
from typing import NamedTuple

_ORDER = {what: rank for rank, what in enumerate(("ttl", "target", "retry", "expire", "assigned", "remove"))}
"""What goes first of what is due at the same moment; then the smaller SID. So a server that was restarted does the
same as one that was not, in whatever order its entries were added."""


class Due(NamedTuple):
    """One entry."""

    at: float
    """Unix seconds."""
    rank: int
    """Among what is due at the same moment."""
    what: str
    """expire, target, ttl, assigned, remove, retry."""
    sid: str
    """Of the task or reservation."""
    stamp: float
    """Tells an outdated entry: compared with the record's own moment."""


class Schedule:
    """What is due when. Entries are never taken back: whoever reads one checks that it still holds."""

    def __init__(self) -> None:
        self._heap: list[Due] = []
        self.armed: float | None = None
        """The moment for which the workspace's timer runs."""

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, at: float, what: str, sid: str, stamp: float = 0.0) -> None:
        """Note that ``what`` is due for ``sid``."""
        heapq.heappush(self._heap, Due(at, _ORDER.get(what, len(_ORDER)), what, sid, stamp))

    def first(self) -> float | None:
        """When the next entry is due; None: nothing is."""
        return self._heap[0].at if self._heap else None

    def pop(self, now: float) -> Due | None:
        """The first entry that is due at ``now``, taken out; None when none is."""
        if self._heap and self._heap[0].at <= now:
            return heapq.heappop(self._heap)
        return None
