"""How workers behaved: how long they take to accept a task, and to finish it. A rehearsal lets them do it again."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Literal, NamedTuple

from ringback.taskrouter.life import Life

ACCEPTS_AFTER, WORKS_FOR = 5.0, 180.0
"""Seconds, when nobody accepted (finished) anything in the whole time."""


class Reaction(NamedTuple):
    """What a worker does with an offer."""

    what: Literal["accepted", "rejected", "timeout"]
    after: float
    known: bool
    """They were offered this very task, and this is what they did; else it is what they usually do."""


class _Mean:
    def __init__(self) -> None:
        self._count, self._total = 0, 0.0

    def add(self, seconds: float) -> None:
        self._count += 1
        self._total += seconds

    @property
    def value(self) -> float | None:
        return self._total / self._count if self._count else None


class Behaviour:
    """Read from what happened; answers are used up as they are asked for."""

    def __init__(self, past: Iterable[Life]) -> None:
        self._offers: dict[tuple[str, str], deque[Reaction]] = {}
        self._accepts: dict[str, _Mean] = {}
        self._works: dict[str, _Mean] = {}
        self._handling: dict[str, float] = {}
        """Task → how long it took."""
        for life in past:
            for offer in life.offers.values():
                if offer.end in ("accepted", "rejected", "timeout"):
                    done = Reaction(offer.end, offer.after, known=True)  # type: ignore[arg-type]
                    self._offers.setdefault((life.sid, offer.worker), deque()).append(done)
                if offer.end == "accepted":
                    for key in (offer.worker, ""):
                        self._accepts.setdefault(key, _Mean()).add(offer.after)
            if life.accepted is not None and life.finished is not None:
                seconds = max(0.0, life.finished - life.accepted)
                self._handling[life.sid] = seconds
                for key in (life.channel, ""):
                    self._works.setdefault(key, _Mean()).add(seconds)

    def reaction(self, task: str, worker: str) -> Reaction:
        """What the worker does with an offer of the task."""
        known = self._offers.get((task, worker))
        return known.popleft() if known else Reaction("accepted", self.accepts_after(worker), known=False)

    def accepts_after(self, worker: str = "") -> float:
        """The mean of their acceptances, in seconds; else of everybody's."""
        return _first(self._accepts, worker, ACCEPTS_AFTER)

    def work(self, task: str, channel: str) -> float:
        """How long the task takes once it is accepted, in seconds; else the mean of its channel's, of all."""
        known = self._handling.get(task)
        return known if known is not None else self.works_for(channel)

    def works_for(self, channel: str = "") -> float:
        """The mean of a channel's tasks, in seconds; else of all."""
        return _first(self._works, channel, WORKS_FOR)


def _first(means: dict[str, _Mean], key: str, default: float) -> float:
    for each in (means.get(key), means.get("")):
        if each is not None and each.value is not None:
            return each.value
    return default
