"""What became of each task, read from event records: of those that happened, or of a rehearsal (``rehearsal.py``)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from ringback.resources.taskrouter.event import Event
from ringback.taskrouter.lifecycle import CYCLES_OVER, DECLINED
from ringback.taskrouter.router import TTL_OVER
from ringback.taskrouter.routing import SKIPPED, TIMED_OUT, UNMATCHED

BY_TIMEOUT = frozenset({TTL_OVER, TIMED_OUT, CYCLES_OVER})
"""Reasons of tasks that were canceled because nobody took them in time."""
BY_ENGINE = BY_TIMEOUT | {UNMATCHED, SKIPPED, DECLINED}
"""Reasons of the engine's own cancellations; all others come from outside (caller hung up, API)."""

TYPES = (
    "task.created", "task.canceled", "task.completed", "task.deleted", "task.system-deleted",
    "task-queue.entered", "task-queue.moved",
    "reservation.created", "reservation.accepted", "reservation.rejected", "reservation.timeout",
    "reservation.canceled", "reservation.rescinded", "reservation.completed",
)  # fmt: skip
"""The event types that a life is read from."""

Outcome = Literal["accepted", "canceled", "waiting"]


@dataclass(slots=True)
class Offer:
    """A reservation."""

    worker: str
    at: float
    end: str = ""
    """accepted, rejected, timeout, canceled or rescinded; empty: still open."""
    after: float = 0.0
    """Seconds from the offer until then."""


@dataclass(slots=True)
class Life:
    """A task from its creation on."""

    sid: str
    created: float
    data: dict[str, Any]
    """Of ``task.created``."""
    workflow: str
    channel: str
    queue: str = ""
    """Where it was accepted, or last stood."""
    offers: dict[str, Offer] = field(default_factory=dict)
    """By reservation SID, in order."""
    accepted: float | None = None
    worker: str = ""
    """Who accepted it first."""
    finished: float | None = None
    """When they were done with it."""
    canceled: float | None = None
    """When it was canceled (or deleted) without ever being accepted."""
    reason: str = ""
    """Why."""
    _winner: str = ""

    @property
    def outcome(self) -> Outcome:
        """What it came to as far as is known."""
        if self.accepted is not None:
            return "accepted"
        return "waiting" if self.canceled is None else "canceled"

    def waited(self, until: float) -> float:
        """Seconds until it was accepted or canceled; at most until ``until``."""
        end = self.accepted if self.accepted is not None else self.canceled
        return max(0.0, (until if end is None else end) - self.created)

    @property
    def given_up(self) -> float | None:
        """Seconds after which somebody outside canceled it while it waited; None: nobody did."""
        if self.canceled is None or self.reason in BY_ENGINE:
            return None
        return max(0.0, self.canceled - self.created)

    def add(self, event: Event) -> None:
        """Take an event of this task; they come in order."""
        kind, at = event.event_type, event.event_date
        if kind in ("task-queue.entered", "task-queue.moved"):
            if self.accepted is None:
                self.queue = event.task_queue_sid or ""
        elif kind == "task.canceled":
            self._gone(at, str(event.event_data.get("task_canceled_reason") or ""))
        elif kind in ("task.deleted", "task.system-deleted"):
            self._gone(at, "deleted")
        elif kind == "task.completed":
            self.finished = self.finished or at
        elif kind.startswith("reservation."):
            self._offered(event, kind.removeprefix("reservation."), at)

    def _gone(self, at: float, reason: str) -> None:
        if self.accepted is None:
            if self.canceled is None:
                self.canceled, self.reason = at, reason
        elif self.finished is None:
            self.finished = at

    def _offered(self, event: Event, what: str, at: float) -> None:
        sid = event.reservation_sid or ""
        if what == "created":
            self.offers[sid] = Offer(event.worker_sid or "", at)
            return
        offer = self.offers.get(sid)
        if what == "completed":
            if sid == self._winner:
                self.finished = self.finished or at
        elif offer is not None and not offer.end:
            offer.end, offer.after = what, at - offer.at
            if what == "accepted" and self.accepted is None:
                self.accepted, self.worker, self._winner = at, offer.worker, sid
                self.queue = event.task_queue_sid or self.queue


def slim(event: Event) -> Event:
    """The event with only as much of its data as a life is read from: 10,000 tasks fit in memory."""
    if event.event_type.startswith("reservation."):
        event.event_data = {}
    elif event.event_type == "task.canceled":
        event.event_data = {"task_canceled_reason": event.event_data.get("task_canceled_reason")}
    elif event.event_type.startswith("task") and event.event_type != "task.created":
        event.event_data = {}
    return event


def lives(events: Iterable[Event], start: float, end: float) -> dict[str, Life]:
    """The tasks created from ``start`` to before ``end``, by SID in the order of their creation.

    ``events``: oldest first; those of other tasks are passed over.
    """
    found: dict[str, Life] = {}
    for event in events:
        if event.event_type != "task.created" or start <= event.event_date < end:
            add_event(found, event)
    return found


def add_event(found: dict[str, Life], event: Event) -> None:
    """Add the next event to the lives; ``task.created`` begins one, events of other tasks are passed over."""
    sid = event.task_sid or ""
    if event.event_type == "task.created":
        workflow, channel = event.workflow_sid or "", event.task_channel_sid or ""
        found[sid] = Life(sid, event.event_date, event.event_data, workflow, channel)
    elif sid in found:
        found[sid].add(event)
