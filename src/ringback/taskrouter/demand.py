"""What waiting tasks demand of workers, indexed so that a worker looks up what their own attributes suit.

An index proposes; whether a task suits is decided by its expression (``assignment.CHECKS``). An entry is the *head* of
a batch of tasks that are alike: the key and the SID of its first task, so that every proposal comes in order.

Why: with 100,000 tasks of as many kinds waiting, a freed worker must not be held against every batch. Every link of
an expression that AND alone leads to (``Expression.links``) must hold, so the tasks under any ONE of them are a
superset of those that suit: one index is enough, and ``Group.batches_for`` takes the one with the fewest. What has no
such link (under OR, or about the worker alone) is in no index and is found by looking, in order.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any, Protocol

from sortedcontainers import SortedList

from ringback.taskrouter.configuration import KnownWorker
from ringback.taskrouter.expression import Expression, Link, read_path

Key = tuple[Any, ...]
Head = tuple[Key, str]
"""A task's place in the order, and its SID."""
Data = Mapping[str, Any]
Values = tuple[Hashable, ...]
MOST = 4
"""Links of an expression that are indexed: each costs every waiting batch an entry."""
_BEYOND = ((math.inf,), "")
"""A head after every other one."""


def look(attributes: Data, path: str) -> Hashable:
    """The scalar at a path like ``a.b[0]``; None when there is none, or no scalar."""
    value = read_path(path)(attributes)
    return value if isinstance(value, (str, int, float, bool)) else None


def items(attributes: Data, path: str) -> Values:
    """The different scalars of the array at a path; none when there is no array."""
    value = read_path(path)(attributes)
    if not isinstance(value, list | tuple):
        return ()
    return tuple({each for each in value if isinstance(each, (str, int, float, bool))})


def scalar(attributes: Data, path: str) -> Values:
    """As :func:`look`, as one value or none."""
    value = look(attributes, path)
    return () if value is None else (value,)


def known_name(kind: str, value: Hashable) -> str | None:
    """What a task calls the worker it knows, or a worker is called, in the form in which they are compared: friendly
    names without case, as they are unique (§2.3). None: no name."""
    if not isinstance(value, str):
        return None
    return value if kind == "sid" else value.lower()


class Index(Protocol):
    """One comparison between tasks and workers, over the heads of all batches of a group."""

    def values(self, task: Data) -> Values:
        """Under which values the tasks of a batch stand."""

    def put(self, values: Values, head: Head) -> None:
        """A batch has this head."""

    def take(self, values: Values, head: Head) -> None:
        """It has it no longer."""

    def count(self, worker: Data) -> int:
        """How many heads it proposes to a worker."""

    def heads(self, worker: Data) -> Iterable[Head]:
        """Those, in order."""

    lazy: bool
    """Whether ``heads`` finds the first one without looking at all."""


class Names:
    """Tasks that name a value, or several, which the worker must have: ``==``, ``IN``, ``HAS``, a known worker."""

    lazy = True

    def __init__(self, of_task: Callable[[Data], Values], of_worker: Callable[[Data], Values]) -> None:
        """Both sides as values; one is enough to meet."""
        self.values, self._of_worker = of_task, of_worker
        self._heads: dict[Hashable, SortedList] = {}

    def put(self, values: Values, head: Head) -> None:
        """See :class:`Index`."""
        for value in values:
            found = self._heads.get(value)
            if found is None:
                found = self._heads[value] = SortedList()
            found.add(head)

    def take(self, values: Values, head: Head) -> None:
        """See :class:`Index`."""
        for value in values:
            found = self._heads[value]
            found.remove(head)
            if not found:
                del self._heads[value]

    def count(self, worker: Data) -> int:
        """See :class:`Index`."""
        return sum(len(found) for found in self._of(worker))

    def heads(self, worker: Data) -> Iterable[Head]:
        """See :class:`Index`. No head comes twice: one of the two sides is always a single value."""
        found = self._of(worker)
        return found[0] if len(found) == 1 else heapq.merge(*found)

    def _of(self, worker: Data) -> list[SortedList]:
        heads = self._heads
        return [heads[value] for value in self._of_worker(worker) if value in heads]


class Bounds:
    """Tasks that name a bound (``worker.level >= task.level``): numbers are compared with numbers, texts with texts."""

    lazy = False

    def __init__(self, link: Link) -> None:
        self._link = link
        self._sorted: dict[bool, SortedList] = {True: SortedList(), False: SortedList()}
        """Whether texts → (value, head)."""

    def values(self, task: Data) -> Values:
        """See :class:`Index`."""
        return _comparable(look(task, self._link.task))

    def put(self, values: Values, head: Head) -> None:
        """See :class:`Index`."""
        for value in values:
            self._sorted[isinstance(value, str)].add((value, head))

    def take(self, values: Values, head: Head) -> None:
        """See :class:`Index`."""
        for value in values:
            self._sorted[isinstance(value, str)].remove((value, head))

    def count(self, worker: Data) -> int:
        """See :class:`Index`."""
        begin, end, _ = self._range(worker)
        return end - begin

    def heads(self, worker: Data) -> Iterator[Head]:
        """See :class:`Index`."""
        begin, end, found = self._range(worker)
        return iter(sorted(head for _, head in found.islice(begin, end)))

    def _range(self, worker: Data) -> tuple[int, int, SortedList]:
        """From where to where the tasks' values are on the right side of the worker's."""
        limits = _comparable(look(worker, self._link.worker))
        if not limits:
            return 0, 0, self._sorted[True]
        limit = limits[0]
        found = self._sorted[isinstance(limit, str)]
        before, behind = found.bisect_left((limit,)), found.bisect_right((limit, _BEYOND))
        ends = {"<": (0, before), "<=": (0, behind), ">": (behind, len(found)), ">=": (before, len(found))}
        return (*ends[self._link.how], found)


def _comparable(value: Hashable) -> Values:
    return () if value is None or isinstance(value, bool) else (value,)


NAMING: dict[str, tuple[Callable[[Data, str], Values], Callable[[Data, str], Values]]] = {
    "==": (scalar, scalar), "in": (scalar, items), "has": (items, scalar),
}  # fmt: skip
"""How a link relates task and worker → the values that the task names, those that the worker has."""


def indexes(expression: Expression | None, known: KnownWorker | None) -> tuple[Index, ...]:
    """The indexes of a demand, those first that name values."""
    found: list[Index] = []
    if known is not None:
        found.append(_known(*known))
    links = expression.links if expression is not None else ()
    found += [_names(link) for link in links if link.how in NAMING]
    found += [Bounds(link) for link in links if link.how not in NAMING]
    return tuple(found[:MOST])


def _names(link: Link) -> Names:
    of_task, of_worker = NAMING[link.how]
    return Names(lambda task: of_task(task, link.task), lambda worker: of_worker(worker, link.worker))


def _known(kind: str, path: str) -> Names:
    def of_task(task: Data) -> Values:
        name = known_name(kind, look(task, path))
        return () if name is None else (name,)

    def of_worker(worker: Data) -> Values:
        name = known_name(kind, worker.get(kind))
        return () if name is None else (name,)

    return Names(of_task, of_worker)
