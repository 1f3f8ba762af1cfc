"""Waiting tasks in order, gathered so that a freed worker finds the next task without looking at every one.

Tasks whose target asks the same of workers, with the same answers from their attributes, are alike for every
worker: they form one batch, and only its first has to be looked at (taskrouter.md §7 for the order). Among many
different batches they find theirs by the indexes of ``demand.py``.
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
        self.batches: dict[Alike, SortedList] = {}
        """What the tasks say → the tasks in order, as (key, task SID)."""
        self._indexes = indexes(expression, known)
        self._values: dict[Alike, tuple[Values, ...]] = {}
        """Line → its values in each index."""
        self._heads = SortedList()
        """The first of every batch."""
        self._led: dict[str, SortedList] = {}
        """SID of the first → its batch."""

    def alike(self, attributes: Mapping[str, Any]) -> Alike:
        """What a task says to this demand."""
        said: Alike = self.expression.task_values(attributes) if self.expression is not None else ()
        if self.known is None:
            return said
        kind, path = self.known
        return (*said, known_name(kind, look(attributes, path)))

    def add(self, alike: Alike, attributes: Mapping[str, Any], entry: Head) -> None:
        """Put a task in its batch."""
        batch = self.batches.get(alike)
        if batch is None:
            batch = self.batches[alike] = SortedList()
            self._values[alike] = tuple([index.values(attributes) for index in self._indexes])
        elif entry > batch[0]:
            batch.add(entry)
            return
        else:
            self._unhead(alike, batch)
        batch.add(entry)
        self._head(alike, batch)

    def remove(self, alike: Alike, entry: Head) -> None:
        """Take a task out of its batch."""
        batch = self.batches[alike]
        if batch[0] != entry:
            batch.remove(entry)
            return
        self._unhead(alike, batch)
        del batch[0]
        if batch:
            self._head(alike, batch)
        else:
            del self.batches[alike], self._values[alike]

    def batches_for(self, worker: Mapping[str, Any]) -> Iterator[tuple[Head, SortedList]]:
        """The batches that may suit a worker, each with its first task; in the order of those.

        Taken from the index that proposes fewest. One that has to sort its proposals is worth it when they are few:
        if they are many, one of them comes soon in the order of all batches.
        """
        heads: Iterable[Head] = self._heads
        fewest = len(self._heads)
        for index in self._indexes if fewest > 1 else ():
            count = index.count(worker)
            if count < fewest and (index.lazy or count * count <= len(self._heads)):
                heads, fewest = index.heads(worker), count
        led = self._led
        return ((head, led[head[1]]) for head in heads)

    def _head(self, alike: Alike, batch: SortedList) -> None:
        head = batch[0]
        self._heads.add(head)
        self._led[head[1]] = batch
        for index, values in zip(self._indexes, self._values[alike], strict=True):
            index.put(values, head)

    def _unhead(self, alike: Alike, batch: SortedList) -> None:
        head = batch[0]
        self._heads.remove(head)
        del self._led[head[1]]
        for index, values in zip(self._indexes, self._values[alike], strict=True):
            index.take(values, head)


@dataclass(frozen=True, slots=True)
class _Position:
    demand: Demand
    alike: Alike
    key: Key


class Waiting:
    """The waiting tasks of one queue and one channel."""

    def __init__(self) -> None:
        self.groups: dict[Demand, Group] = {}
        self._positions: dict[str, _Position] = {}

    def __len__(self) -> int:
        return len(self._positions)

    def add(self, task: Task, attributes: Mapping[str, Any], target: Target, key: Key) -> None:
        """Put a task in batch; it must not stand here already."""
        demand: Demand = (target.expression, target.known_worker)
        group = self.groups.get(demand)
        if group is None:
            group = self.groups[demand] = Group(*demand)
        alike = group.alike(attributes)
        group.add(alike, attributes, (key, task.sid))
        self._positions[task.sid] = _Position(demand, alike, key)

    def remove(self, task_sid: str) -> None:
        """Take a task out; one that does not stand here is fine."""
        position = self._positions.pop(task_sid, None)
        if position is None:
            return
        group = self.groups[position.demand]
        group.remove(position.alike, (position.key, task_sid))
        if not group.batches:
            del self.groups[position.demand]

    def twin(self, task_sid: str) -> str | None:
        """Another task that is alike for every worker, the first in batch; None: there is none."""
        position = self._positions[task_sid]
        batch = self.groups[position.demand].batches[position.alike]
        if len(batch) < 2:
            return None
        first: str = batch[0][1]
        return first if first != task_sid else str(batch[1][1])

    def in_order(self) -> list[tuple[Key, str]]:
        """Every waiting task with its key, in order."""
        return sorted(
            entry for group in self.groups.values() for batch in group.batches.values() for entry in batch
        )
