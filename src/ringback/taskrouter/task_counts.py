"""How many tasks are where, kept up to date with every change: real-time statistics do not count 100,000 tasks.

A change of a task costs O(log n), whatever is asked later; an answer costs O(channels + distinct priorities).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from sortedcontainers import SortedList

from ringback.resources.taskrouter.task import Task
from ringback.taskrouter.machine import TASK_OVER

WAITING = frozenset({"pending", "reserved"})
"""Nobody has accepted the task yet."""


class _Cell(NamedTuple):
    """What is counted of one task."""

    queue: str
    workflow: str
    channel: str
    status: str
    priority: int
    created: float
    entered: float

    @property
    def waits(self) -> bool:
        """Whether it is among the waiting tasks."""
        return self.status in WAITING

    def waits_as(self, other: _Cell) -> bool:
        """Whether both are at the same place among the same waiting tasks."""
        return self.waits and other.waits and self[:3] == other[:3] and self[5:] == other[5:]


@dataclass(slots=True)
class _Group:
    """The live tasks of one queue (workflow, workspace) and channel."""

    statuses: Counter[str] = field(default_factory=Counter)
    priorities: Counter[int] = field(default_factory=Counter)
    created: SortedList = field(default_factory=SortedList)
    """Waiting tasks as (creation, SID)."""
    entered: SortedList = field(default_factory=SortedList)
    """Waiting tasks of a queue as (entry into the queue, SID)."""


@dataclass(frozen=True, slots=True)
class Count:
    """An answer."""

    statuses: Counter[str]
    """pending, reserved, assigned, wrapping → tasks."""
    priorities: Counter[int]
    """Priority → tasks of these four states."""
    oldest: tuple[float, str] | None
    """Creation (Unix seconds) and SID of the waiting task that was created first."""
    first_in_queue: tuple[float, str] | None
    """Entry and SID of the waiting task that has been in the queue for the longest time."""


class TaskCounts:
    """Live tasks (neither completed nor canceled) by queue, workflow, channel, state and priority."""

    def __init__(self) -> None:
        self._cells: dict[str, _Cell] = {}
        self._groups: dict[tuple[str, str, str], _Group] = {}

    def __len__(self) -> int:
        return len(self._cells)

    def update(self, task: Task) -> None:
        """Take a task as it is now, a new one or a changed one."""
        if task.assignment_status in TASK_OVER:
            self.drop(task.sid)
            return
        entered = task.task_queue_entered_date
        new = _Cell(
            task.task_queue_sid or "", task.workflow_sid or "", task.task_channel_sid, task.assignment_status,
            task.priority, task.date_created, task.date_created if entered is None else entered,
        )  # fmt: skip
        old = self._cells.get(task.sid)
        if new == old:
            return
        stays = old is not None and old.waits_as(new)
        if old is not None:
            self._change(task.sid, old, -1, entries=not stays)
        self._cells[task.sid] = new
        self._change(task.sid, new, 1, entries=not stays)

    def drop(self, sid: str) -> None:
        """Forget a task; one that is not known is fine."""
        old = self._cells.pop(sid, None)
        if old is not None:
            self._change(sid, old, -1, entries=True)

    def count(self, kind: str, sid: str, channels: Iterable[str]) -> Count:
        """Sum up over channels. ``kind``: queue, workflow, or workspace (whose SID is empty here)."""
        statuses: Counter[str] = Counter()
        priorities: Counter[int] = Counter()
        groups = [group for one in channels if (group := self._groups.get((kind, sid, one))) is not None]
        for group in groups:
            statuses.update(group.statuses)
            priorities.update(group.priorities)
        return Count(
            +statuses,
            +priorities,
            min((group.created[0] for group in groups if group.created), default=None),
            min((group.entered[0] for group in groups if group.entered), default=None),
        )

    def _change(self, sid: str, cell: _Cell, by: int, *, entries: bool) -> None:
        for key in _keys(cell):
            group = self._groups.get(key)
            if group is None:
                group = self._groups[key] = _Group()
            group.statuses[cell.status] += by
            group.priorities[cell.priority] += by
            if not group.priorities[cell.priority]:
                del group.priorities[cell.priority]
            if entries and cell.waits:
                _change_entry(group.created, (cell.created, sid), by)
                if key[0] == "queue":
                    _change_entry(group.entered, (cell.entered, sid), by)
            if not group.priorities and not group.created:
                del self._groups[key]


def _change_entry(sorted_entries: SortedList, entry: tuple[float, str], by: int) -> None:
    if by > 0:
        sorted_entries.add(entry)
    else:
        sorted_entries.remove(entry)


def _keys(cell: _Cell) -> Iterator[tuple[str, str, str]]:
    yield "workspace", "", cell.channel
    if cell.queue:
        yield "queue", cell.queue, cell.channel
    if cell.workflow:
        yield "workflow", cell.workflow, cell.channel
