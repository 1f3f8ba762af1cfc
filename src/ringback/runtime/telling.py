"""Live effects that tell the outside what happened, after the answers to the requests that caused it.

They keep their order by lane and kind of effect: what is told of a workspace later waits behind what waits for an
answer. That is the time between a commit and the end of one answer, which the HTTP server bounds (``web/server.py``).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from ringback.effects import Effect
from ringback.kernel.answering import Answering, open_answers, when_written
from ringback.kernel.clock import Clock
from ringback.kernel.lane import Lane

Line = tuple[Lane, type[Effect]]


@dataclass(slots=True, eq=False)
class _Waiting:
    effect: Effect
    ready: bool = False


class Telling:
    """Everything that waits to be told."""

    def __init__(
        self, clock: Clock, perform: Callable[[Lane, Effect], None], lead: Callable[[Effect], float]
    ) -> None:
        """``perform`` carries an effect out; ``lead``: real seconds that an answer is given to arrive before it, since
        the two travel on different connections."""
        self._clock, self._perform, self._lead = clock, perform, lead
        self._lines: dict[Line, deque[_Waiting]] = {}

    @property
    def waiting(self) -> int:
        """Effects that wait for answers."""
        return sum(len(line) for line in self._lines.values())

    def tell(self, lane: Lane, effect: Effect, answer: Answering | None) -> None:
        """Perform it, now or when its time has come. ``answer``: of the request that caused it, if any did."""
        key = (lane, type(effect))
        waits = open_answers([answer])
        if key not in self._lines and not waits:
            self._perform(lane, effect)
            return
        hold = self._clock.hold()
        entry = _Waiting(effect)
        self._lines.setdefault(key, deque()).append(entry)

        def ready() -> None:
            entry.ready = True
            self._go_on(key)
            hold.release()

        def written() -> None:
            seconds = self._lead(effect) if waits else 0.0
            if seconds > 0:
                asyncio.get_running_loop().call_later(seconds, ready)
            else:
                ready()

        when_written(waits, written)

    def _go_on(self, key: Line) -> None:
        line = self._lines.get(key)
        while line and line[0].ready:
            self._perform(key[0], line.popleft().effect)
        if line is not None and not line:
            self._lines.pop(key, None)
