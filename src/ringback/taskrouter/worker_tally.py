"""What workers did over a time: reservations, and how long they were in which activity (taskrouter.md §11)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ringback.resources.taskrouter.event import Event
from ringback.taskrouter.cumulative import RESERVATIONS
from ringback.taskrouter.journal import iso
from ringback.taskrouter.live import LiveWorker
from ringback.taskrouter.workspace import LiveWorkspace

MOVED = "worker.activity.update"


@dataclass(slots=True)
class WorkerTally:
    """Counts the events of some workers between ``start`` and ``end``.

    Every stay in an activity ends with an event that tells how long it was, or goes on now: so the activity events
    up to ``now`` are needed, and the workers as they are. The last stay of a worker who has been deleted since is
    not known and not counted.
    """

    workers: frozenset[str] | None
    """SIDs; None: all, deleted ones too."""
    start: float
    end: float
    counts: Counter[str] = field(default_factory=Counter)
    _stays: dict[str, dict[str, float]] = field(default_factory=dict)
    """Activity → worker → seconds."""

    def add(self, event: Event) -> None:
        """Count one event: of a reservation, within the time; or of an activity, up to now."""
        worker = event.worker_sid or ""
        if self.workers is not None and worker not in self.workers:
            return
        if event.event_type in RESERVATIONS:
            self.counts[RESERVATIONS[event.event_type]] += 1
        elif event.event_type == MOVED:
            text = str(event.event_data.get("worker_time_in_previous_activity_ms") or "0")
            seconds = int(text) / 1000 if text.isdigit() and len(text) < 16 else 0.0
            activity = str(event.event_data.get("worker_previous_activity_sid") or "")
            self._stay(worker, activity, event.event_date - seconds, event.event_date)

    def _stay(self, worker: str, activity: str, since: float, until: float) -> None:
        seconds = min(until, self.end) - max(since, self.start)
        if seconds > 0:
            stays = self._stays.setdefault(activity, {})
            stays[worker] = stays.get(worker, 0.0) + seconds

    def body(self, workspace: LiveWorkspace, workers: Iterable[LiveWorker], now: float) -> dict[str, Any]:
        """The statistics; ``agents`` are those of the workers who exist. Call it once, after the last event.

        ``activity_durations``: of the workers who were in the activity at all, each one's time.
        """
        for worker in workers:
            record = worker.record
            self._stay(record.sid, record.activity_sid or "", record.date_status_changed, now)
        names = {each.sid: each.friendly_name for each in workspace.activities.values()}
        names |= {sid: "" for sid in self._stays if sid not in names}
        return {
            "start_time": iso(self.start),
            "end_time": iso(self.end),
            **{key: self.counts[key] for key in RESERVATIONS.values()},
            "activity_durations": [
                {"sid": sid, "friendly_name": name, **_spread(list(self._stays.get(sid, {}).values()))}
                for sid, name in names.items()
            ],
        }


def _spread(seconds: list[float]) -> dict[str, int]:
    if not seconds:
        return {"avg": 0, "min": 0, "max": 0, "total": 0}
    total = sum(seconds)
    return {
        "avg": round(total / len(seconds)), "min": round(min(seconds)), "max": round(max(seconds)),
        "total": round(total),
    }  # fmt: skip
