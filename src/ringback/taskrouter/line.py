"""Waiting tasks in order, gathered so that a freed worker finds his next task without looking at every one.

Tasks whose target asks the same of workers, with the same answers from their attributes, are alike for every
worker: they stand in one line, and only its first has to be looked at (taskrouter.md §7 for the order). Among many
different lines he finds his by the indexes of ``demand.py``.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sortedcontainers import SortedList

from ringback.resources.taskrouter.task import Task
from ringback.taskrouter.configuration import KnownWorker, Target
from ringback.taskrouter.demand import Head, Key, Values, indexes, known_name, look
from ringback.taskrouter.expression import Expression

__all__ = ["Key", "Waiting", "known_name", "look", "order"]

Alike = tuple[Hashable, ...]
Demand = tuple[Expression | None, KnownWorker | None]


def order(task: Task, task_order: str) -> Key:
    """The place of a task among those of queues of the same order; smaller goes first (§7)."""
    if task_order == "LIFO":
        return (-task.virtual_start_time, -task.date_created, task.sid)
    return (-task.priority, task.virtual_start_time, task.date_created, task.sid)


class Group:
    """Waiting tasks with one demand on workers: an expression, a known worker, both or neither."""

    def __init__(self, expression: Expression | None, known: KnownWorker | None) -> None:
        self.expression, self.known = expression, known
        self.lines: dict[Alike, SortedList] = {}
        """What the tasks say → the tasks in order, as (key, task SID)."""
        self._indexes = indexes(expression, known)
        self._values: dict[Alike, tuple[Values, ...]] = {}
        """Line → its values in each index."""
        self._heads = SortedList()
        """The first of every line."""
        self._led: dict[str, SortedList] = {}
        """SID of the first → its line."""

    def alike(self, attributes: Mapping[str, Any]) -> Alike:
        """What a task says to this demand."""
        said: Alike = self.expression.task_values(attributes) if self.expression is not None else ()
        if self.known is None:
            return said
        kind, path = self.known
        return (*said, known_name(kind, look(attributes, path)))

    def add(self, alike: Alike, attributes: Mapping[str, Any], entry: Head) -> None:
        """Put a task in its line."""
        line = self.lines.get(alike)
        if line is None:
            line = self.lines[alike] = SortedList()
            self._values[alike] = tuple([index.values(attributes) for index in self._indexes])
        elif entry > line[0]:
            line.add(entry)
            return
        else:
            self._unhead(alike, line)
        line.add(entry)
        self._head(alike, line)

    def remove(self, alike: Alike, entry: Head) -> None:
        """Take a task out of its line."""
        line = self.lines[alike]
        if line[0] != entry:
            line.remove(entry)
            return
        self._unhead(alike, line)
        del line[0]
        if line:
            self._head(alike, line)
        else:
            del self.lines[alike], self._values[alike]

    def lines_for(self, worker: Mapping[str, Any]) -> Iterator[tuple[Head, SortedList]]:
        """The lines that may suit a worker, each with its first task; in the order of those.

        Taken from the index that proposes fewest. One that has to sort its proposals is worth it when they are few:
        if they are many, one of them comes soon in the order of all lines.
        """
        heads: Iterable[Head] = self._heads
        fewest = len(self._heads)
        for index in self._indexes if fewest > 1 else ():
            count = index.count(worker)
            if count < fewest and (index.lazy or count * count <= len(self._heads)):
                heads, fewest = index.heads(worker), count
        led = self._led
        return ((head, led[head[1]]) for head in heads)

    def _head(self, alike: Alike, line: SortedList) -> None:
        head = line[0]
        self._heads.add(head)
        self._led[head[1]] = line
        for index, values in zip(self._indexes, self._values[alike], strict=True):
            index.put(values, head)

    def _unhead(self, alike: Alike, line: SortedList) -> None:
        head = line[0]
        self._heads.remove(head)
        del self._led[head[1]]
        for index, values in zip(self._indexes, self._values[alike], strict=True):
            index.take(values, head)


@dataclass(frozen=True, slots=True)
class _Place:
    demand: Demand
    alike: Alike
    key: Key


class Waiting:
    """The waiting tasks of one queue and one channel."""

    def __init__(self) -> None:
        self.groups: dict[Demand, Group] = {}
        self._places: dict[str, _Place] = {}

    def __len__(self) -> int:
        return len(self._places)

    def add(self, task: Task, attributes: Mapping[str, Any], target: Target, key: Key) -> None:
        """Put a task in line; it must not stand here already."""
        demand: Demand = (target.expression, target.known_worker)
        group = self.groups.get(demand)
        if group is None:
            group = self.groups[demand] = Group(*demand)
        alike = group.alike(attributes)
        group.add(alike, attributes, (key, task.sid))
        self._places[task.sid] = _Place(demand, alike, key)

    def remove(self, task_sid: str) -> None:
        """Take a task out; one that does not stand here is fine."""
        place = self._places.pop(task_sid, None)
        if place is None:
            return
        group = self.groups[place.demand]
        group.remove(place.alike, (place.key, task_sid))
        if not group.lines:
            del self.groups[place.demand]

    def twin(self, task_sid: str) -> str | None:
        """Another task that is alike for every worker, the first in line; None: there is none."""
        place = self._places[task_sid]
        line = self.groups[place.demand].lines[place.alike]
        if len(line) < 2:
            return None
        first: str = line[0][1]
        return first if first != task_sid else str(line[1][1])

    def in_order(self) -> list[tuple[Key, str]]:
        """Every waiting task with its key, in order."""
        return sorted(
            entry for group in self.groups.values() for line in group.lines.values() for entry in line
        )
