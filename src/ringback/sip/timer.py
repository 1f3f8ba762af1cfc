"""A queue of deadlines: the shell keeps one real timer for the earliest."""

import heapq
from collections.abc import Callable, Iterator


class Deadline:
    """One entry; `cancel` makes it never fire and drops what it held."""

    __slots__ = ("action", "at")

    def __init__(self, at: float, action: Callable[[], None] | None) -> None:
        self.at = at
        self.action = action

    def cancel(self) -> None:
        """Forget it; safe at any time."""
        self.action = None


class TimerQueue:
    """Deadlines in seconds of the caller's clock, smallest first; cancelled ones are skipped."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Deadline]] = []
        self._count = 0

    def __len__(self) -> int:
        return len(self._heap)

    def at(self, when: float, action: Callable[[], None]) -> Deadline:
        """Add a deadline."""
        entry = Deadline(when, action)
        self._count += 1
        heapq.heappush(self._heap, (when, self._count, entry))
        return entry

    def next_at(self) -> float | None:
        """The earliest live deadline, or None."""
        heap = self._heap
        while heap and heap[0][2].action is None:
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def due(self, now: float) -> Iterator[Callable[[], None]]:
        """The actions whose time has come, in order, each removed before it is yielded."""
        heap = self._heap
        while heap and (heap[0][0] <= now or heap[0][2].action is None):
            entry = heapq.heappop(heap)[2]
            action, entry.action = entry.action, None
            if action is not None:
                yield action
