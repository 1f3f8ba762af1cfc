"""Waiting tasks in order, gathered so that a freed worker finds his next task without looking at every one.

Tasks whose target asks the same of workers, with the same answers from their attributes, are alike for every
worker: they stand in one line, and only its first has to be looked at (taskrouter.md §7 for the order).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sortedcontainers import SortedList

from ringback.resources.taskrouter.task import Task
from ringback.taskrouter.configuration import Target
from ringback.taskrouter.expression import Expression, read_path

Key = tuple[Any, ...]
Alike = tuple[Hashable, ...]
Demand = tuple[Expression | None, tuple[str, str] | None]


def order(task: Task, task_order: str) -> Key:
    """The place of a task among those of queues of the same order; smaller goes first (§7)."""
    if task_order == "LIFO":
        return (-task.virtual_start_time, -task.date_created, task.sid)
    return (-task.priority, task.virtual_start_time, task.date_created, task.sid)


def look(attributes: Mapping[str, Any], path: str) -> Hashable:
    """The scalar at a path like ``a.b[0]``; None when there is none, or no scalar."""
    value = read_path(path)(attributes)
    return value if isinstance(value, (str, int, float, bool)) else None


def known_name(kind: str, value: Hashable) -> str | None:
    """What a task calls the worker it knows, or a worker is called, in the form in which they are compared: friendly
    names without case, as they are unique (§2.3). None: no name."""
    if not isinstance(value, str):
        return None
    return value if kind == "sid" else value.lower()


@dataclass(slots=True)
class Group:
    """Waiting tasks with one demand on workers: an expression, a known worker, both or neither."""

    expression: Expression | None
    known: tuple[str, str] | None
    lines: dict[Alike, SortedList] = field(default_factory=dict)
    """What the tasks say → the tasks in order, as (key, task SID)."""
    named: dict[Hashable, set[Alike]] = field(default_factory=dict)
    """When the demand names the worker by one value: that value → the lines with it."""

    @property
    def names(self) -> bool:
        """Whether the demand names the worker by one value."""
        return self.known is not None or (self.expression is not None and bool(self.expression.equalities))

    def name_of_worker(self, worker: Mapping[str, Any]) -> Hashable:
        """The value under which tasks name this worker."""
        if self.known is not None:
            return known_name(self.known[0], worker.get(self.known[0]))
        assert self.expression is not None
        return look(worker, self.expression.equalities[0][1])

    def name_by_task(self, task: Mapping[str, Any]) -> Hashable:
        """The value by which a task names its worker."""
        if self.known is not None:
            return known_name(self.known[0], look(task, self.known[1]))
        assert self.expression is not None
        return look(task, self.expression.equalities[0][0])


@dataclass(frozen=True, slots=True)
class _Place:
    demand: Demand
    alike: Alike
    key: Key
    name: Hashable


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
        alike: Alike = target.expression.task_values(attributes) if target.expression is not None else ()
        name = group.name_by_task(attributes) if group.names else None
        if group.known is not None:
            alike = (*alike, name)
        line = group.lines.get(alike)
        if line is None:
            line = group.lines[alike] = SortedList()
            if group.names:
                group.named.setdefault(name, set()).add(alike)
        line.add((key, task.sid))
        self._places[task.sid] = _Place(demand, alike, key, name)

    def remove(self, task_sid: str) -> None:
        """Take a task out; one that does not stand here is fine."""
        place = self._places.pop(task_sid, None)
        if place is None:
            return
        group = self.groups[place.demand]
        line = group.lines[place.alike]
        line.remove((place.key, task_sid))
        if line:
            return
        del group.lines[place.alike]
        if group.names:
            named = group.named[place.name]
            named.discard(place.alike)
            if not named:
                del group.named[place.name]
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

    def lines_for(self, worker: Mapping[str, Any]) -> Iterator[SortedList]:
        """The lines that may suit a worker; whether one does is asked of its tasks."""
        for group in self.groups.values():
            if not group.names:
                yield from group.lines.values()
                continue
            name = group.name_of_worker(worker)
            if name is not None:
                for alike in group.named.get(name, ()):
                    yield group.lines[alike]

    def in_order(self) -> list[tuple[Key, str]]:
        """Every waiting task with its key, in order."""
        return sorted(
            entry for group in self.groups.values() for line in group.lines.values() for entry in line
        )
