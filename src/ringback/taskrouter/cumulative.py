"""Statistics over a time, counted from event records in whatever order they come (taskrouter.md §11)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ringback.resources.taskrouter.event import Event
from ringback.taskrouter.journal import iso

SPLIT_LIMIT = 10_000
"""Tasks that SplitByWaitTime looks at, of the accepted and of the canceled ones (§11)."""

RESERVATIONS = {
    "reservation.created": "reservations_created",
    "reservation.accepted": "reservations_accepted",
    "reservation.rejected": "reservations_rejected",
    "reservation.timeout": "reservations_timed_out",
    "reservation.canceled": "reservations_canceled",
    "reservation.rescinded": "reservations_rescinded",
}
"""Event type → key."""
TASKS = {
    "task.created": "tasks_created",
    "task.canceled": "tasks_canceled",
    "task.completed": "tasks_completed",
    "task.deleted": "tasks_deleted",
    "task.system-deleted": "tasks_deleted",
    "workflow.timeout": "tasks_timed_out_in_workflow",
    "task-queue.moved": "tasks_moved",
}
ENTRIES = {
    "queue": ("task-queue.entered", "task-queue.moved"),
    "workflow": ("workflow.entered",),
    "workspace": (),
}
"""Event types by which a task comes in. A task that moves on into a queue has entered it as well."""

_KEYS = {
    "workspace": ("tasks_created", "tasks_completed", "tasks_canceled", "tasks_deleted", "tasks_moved",
                  "tasks_timed_out_in_workflow"),
    "workflow": ("tasks_entered", "tasks_completed", "tasks_canceled", "tasks_deleted", "tasks_moved",
                 "tasks_timed_out_in_workflow"),
    "queue": ("tasks_entered", "tasks_completed", "tasks_canceled", "tasks_deleted", "tasks_moved"),
}  # fmt: skip
"""What each kind tells of its tasks. A queue's ``tasks_moved`` are those that left it for another queue."""


def types_of(kind: str) -> tuple[str, ...]:
    """The event types that a kind of statistics is counted from."""
    return (*RESERVATIONS, *TASKS, *ENTRIES[kind])


@dataclass(slots=True)
class Durations:
    """Waits in whole seconds."""

    count: int = 0
    total: int = 0
    low: int | None = None
    high: int = 0

    def add(self, seconds: int) -> None:
        """One more."""
        self.count += 1
        self.total += seconds
        self.low = seconds if self.low is None else min(self.low, seconds)
        self.high = max(self.high, seconds)

    @property
    def average(self) -> int:
        """Rounded; 0 when there were none."""
        return round(self.total / self.count) if self.count else 0

    def body(self) -> dict[str, int]:
        """avg, min, max and total."""
        return {"avg": self.average, "min": self.low or 0, "max": self.high, "total": self.total}


@dataclass(slots=True)
class Tally:
    """Counts the events of a workspace, a workflow or a queue, which are handed in one by one."""

    kind: str
    """workspace, workflow or queue."""
    sid: str
    """Of the workflow or queue; unused for a workspace."""
    thresholds: Sequence[int] = ()
    """Of SplitByWaitTime, in seconds."""
    counts: Counter[str] = field(default_factory=Counter)
    accepted: Durations = field(default_factory=Durations)
    canceled: Durations = field(default_factory=Durations)
    in_queue: Durations = field(default_factory=Durations)
    _first: dict[str, int] = field(default_factory=dict)
    """Task → its wait until it was first accepted: transfers do not count against a service level."""
    _given_up: list[int] = field(default_factory=list)

    def add(self, event: Event) -> None:
        """Count one event. It must be of this workflow or queue, or a task's move away from the queue."""
        kind = event.event_type
        here = self.kind != "queue" or event.task_queue_sid == self.sid
        if kind == "task-queue.moved" and self.kind == "queue":
            self.counts["tasks_moved"] += event.event_data.get("previous_task_queue_sid") == self.sid
        elif kind in TASKS and here:
            self.counts[TASKS[kind]] += 1
        if not here:
            return
        if kind in RESERVATIONS:
            self.counts[RESERVATIONS[kind]] += 1
        if kind in ENTRIES[self.kind]:
            self.counts["tasks_entered"] += 1
        if kind == "reservation.accepted":
            self._accepted(event)
        elif kind == "task.canceled":
            wait = _number(event, "task_age")
            self.canceled.add(wait)
            if self.thresholds and len(self._given_up) < SPLIT_LIMIT:
                self._given_up.append(wait)

    def _accepted(self, event: Event) -> None:
        wait = _number(event, "task_age")
        self.accepted.add(wait)
        if "task_queue_entered_date" in event.event_data:
            entered = _number(event, "task_queue_entered_date")
            self.in_queue.add(max(0, int(event.event_date) - entered))
        task = event.task_sid or ""
        if self.thresholds and (task in self._first or len(self._first) < SPLIT_LIMIT):
            self._first[task] = min(wait, self._first.get(task, wait))

    def body(self, start: float, end: float) -> dict[str, Any]:
        """The statistics of the time from ``start`` to ``end`` (Unix seconds)."""
        found: dict[str, Any] = {
            "start_time": iso(start),
            "end_time": iso(end),
            "avg_task_acceptance_time": self.accepted.average,
            **{key: self.counts[key] for key in RESERVATIONS.values()},
            **{key: self.counts[key] for key in _KEYS[self.kind]},
            "wait_duration_until_accepted": self.accepted.body(),
            "wait_duration_until_canceled": self.canceled.body(),
            "split_by_wait_time": self._split() if self.thresholds else None,
        }
        if self.kind == "queue":
            found["wait_duration_in_queue_until_accepted"] = self.in_queue.body()
        return found

    def _split(self) -> dict[str, Any]:
        split = {}
        for limit in self.thresholds:
            accepted = sum(wait < limit for wait in self._first.values())
            canceled = sum(wait < limit for wait in self._given_up)
            split[str(limit)] = {
                "below": {"tasks_canceled": canceled, "reservations_accepted": accepted},
                "above": {
                    "tasks_canceled": len(self._given_up) - canceled,
                    "reservations_accepted": len(self._first) - accepted,
                },
            }
        return split


def _number(event: Event, key: str) -> int:
    """A whole number of the event's data; 0 when it is not there (events of older versions)."""
    text = str(event.event_data.get(key) or "0")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


def counted(
    kind: str, sid: str, events: Iterable[Event], start: float, end: float, thresholds: Sequence[int] = ()
) -> dict[str, Any]:
    """The statistics of a list of events."""
    tally = Tally(kind, sid, thresholds)
    for event in events:
        tally.add(event)
    return tally.body(start, end)
