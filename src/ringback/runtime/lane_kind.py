"""What the runtime is told by ``wiring.py``: who handles what in which lanes, and who performs what."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ringback.effects import Effect
from ringback.events import Event
from ringback.kernel.answering import Answering
from ringback.kernel.lane import Kind, Lane
from ringback.runtime.stored import Stored

Handler = Callable[[Any, float], Sequence[Effect]]


def _nothing(sid: str, now: float, error: Exception) -> Sequence[Effect]:
    return ()


def _no_lead(effect: Effect) -> float:
    return 0.0


def _nobody(lane: Lane, error: Exception) -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneKind:
    """What is done in the lanes of one kind."""

    handlers: Mapping[type[Event], Handler | Stored]
    crashed: Callable[[str, float, Exception], Sequence[Effect]] = _nothing
    """After a bug, or a commit that failed: what is in memory may be wrong. Ends it or forgets it: SID, now, error."""
    revive: Callable[[str], Awaitable[Event | None]] | None = None
    """For what outlives the process in memory: the event that gives a lane its memory back from the store, or None
    when its record is gone."""
    lives: bool = True
    """Whether it outlives the process, so that messages from it and to it must too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """Everything, by kind of lane, type of event and type of effect."""

    kinds: Mapping[Kind, LaneKind]
    prepare: Mapping[type[Event], Callable[[Any], Awaitable[Event]]]
    """Look-ups that an event needs before it is handled."""
    prepare_joined: Mapping[type[Event], Callable[[Any], Awaitable[Event | None]]] = field(
        default_factory=dict
    )
    """The same in the turn of the sender, for events whose look-ups are quick and need nothing of what their sender
    writes: what is not committed yet is not found. None: the event needs a turn of its own after all."""
    address: Mapping[type[Effect], Callable[[Any], Event]]
    """Effects that are messages to a lane which their sender does not know: finds it, in memory."""
    perform: Mapping[type[Effect], Callable[[Any], None]]
    committed: Callable[[Sequence[Effect], Sequence[Any], list[Answering]], None]
    """Told of every commit: its effects, the outbox rows that it made, and the answers that are to be written before
    those leave."""
    tells: frozenset[type[Effect]] = frozenset()
    """Effects that tell the outside what happened: performed once the request that caused it is answered."""
    lead: Callable[[Effect], float] = _no_lead
    """Real seconds that such an answer has to arrive before the effect is performed."""
    ended: Callable[[Lane, Exception], None] = _nobody
    """Told of a lane that is given up after a bug."""
