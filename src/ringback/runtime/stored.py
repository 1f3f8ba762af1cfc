"""The second kind of core: what outlives the process is a record, a transition table and ``step`` (house.md).

``on(Transcription)(transcripts.step)`` makes the handler of the lanes of that record: the runtime loads the record
whose SID is the lane's, calls ``step(record, event, now)``, and writes the record that it gives back, its effects,
timers and messages in one transaction. Nothing of it stays in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ringback.effects import Delete, Effect, Save
from ringback.kernel.resource import Record

R = TypeVar("R", bound=Record)
Step = Callable[[R | None, Any, float], tuple[R | None, Sequence[Effect]]]
"""(record or None, event, now) → (the record as it is now, or None: there is none any more; effects).

A record that has changed is another object (``dataclasses.replace``); the same object is not written. It raises
``Refused`` for a caller's mistake.
"""


@dataclass(frozen=True, slots=True)
class Stored:
    """A handler whose record is in the store."""

    record: type[Record]
    step: Step[Any]

    def handle(self, before: Record | None, event: Any, now: float) -> tuple[Record | None, list[Effect]]:
        """The record after the event, and everything that is to be written and done."""
        after, effects = self.step(before, event, now)
        if after is not None:
            return after, [*([Save(after)] if after is not before else []), *effects]
        return None, [*([Delete(before)] if before is not None else []), *effects]


def on(record: type[R]) -> Callable[[Step[R]], Stored]:
    """The step of a record, as a handler."""
    return lambda step: Stored(record, step)
