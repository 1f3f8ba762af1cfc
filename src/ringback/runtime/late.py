"""What happens while the store cannot write (the disk is full, the file locked, the server away): it keeps what it is
given, and those go on whom a delay would hurt.

A call dies with the process anyway: nothing that its caller hears or does waits for the disk, least of all that it
ends. What is told to others waits, since it must not be taken back: callbacks, tasks, dials, the answers of requests.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, Protocol

from ringback.effects import Effect
from ringback.events import Event
from ringback.events.writes import WriteRequested
from ringback.kernel.answering import Answering
from ringback.kernel.lane import Lane
from ringback.runtime.lane_kind import Wiring
from ringback.runtime.turn import Item, Trouble, Turn
from ringback.store.writes import OwnershipLost, Unavailable

log = logging.getLogger("ringback.runtime")

PATIENCE: Final = 3.0
"""Seconds that a request waits for a store that cannot write; then its caller is told to come again."""
DONE_LIVE: Final = 0.3
"""Seconds until a request that ends a call is answered then: it is carried out, but not written."""
DOUBT: Final = "it may still be carried out, look before you repeat it"


class Going(Protocol):
    """The runtime, as far as it is needed here."""

    def put(self, item: Item) -> None:
        """Have an event wait in its lane."""

    def leave(self, lane: Lane, trouble: Trouble | None) -> None:
        """Let a lane that joined a turn go its own way."""

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Work in the background."""

    def perform(self, lane: Lane, effects: Sequence[Effect], caused_by: Answering | None = None) -> Any:
        """Perform the live effects. ``caused_by``: the request behind them."""


class Health(Protocol):
    """The store, as far as it is needed here."""

    @property
    def trouble(self) -> str:
        """Why nothing can be written; empty: it can."""

    @property
    def refusing(self) -> bool:
        """Whether requests are refused because of it."""

    def watch(self, told: Any) -> None:
        """Have begin and end of trouble told."""


class Late:
    """The turns whose writes are kept, and the requests that wait for the store."""

    def __init__(self, runtime: Going, wiring: Wiring, store: Health) -> None:
        self._runtime, self._wiring, self._store = runtime, wiring, store
        self._asked: set[asyncio.Future[Any]] = set()
        store.watch(self._changed)

    # --- turns ------------------------------------------------------------------------------------------

    async def go_on(self, turn: Turn, writes: Sequence[Effect]) -> Exception | None:
        """Perform what a call must not wait for. Returns at once, or, when it is the turn of somebody who waits, at the
        end of the trouble, with the error if it was not written after all."""
        lives = {lane: self._wiring.kinds[lane.kind].lives for lane in (turn.own, *turn.joined)}
        rest: list[tuple[Item, Sequence[Effect] | None, Any]] = []
        for item, effects in turn.done:
            lane = item.lane
            if lives[lane]:
                rest.append((item, effects, None))
            else:
                answer = self._runtime.perform(lane, effects, item.answer)
                if item.waiter is not None:
                    rest.append((item, None, answer))
        for item in turn.later:
            if not item.message:
                self._runtime.put(item)
        held = [lane for lane, each in lives.items() if each]
        turn.left.update(lane for lane in turn.joined if not lives[lane])
        for lane in tuple(turn.left):
            self._runtime.leave(lane, turn.broken.get(lane))
        if lives[turn.own]:
            return await self._end(turn, writes, rest, held)
        turn.left.update(turn.joined)
        self._runtime.run(self._end_later(turn, writes, rest, held))
        return None

    async def _end_later(
        self, turn: Turn, writes: Sequence[Effect], rest: list[Any], held: list[Lane]
    ) -> None:
        await self._end(turn, writes, rest, held)
        for lane in held:
            self._runtime.leave(lane, turn.broken.get(lane))

    async def _end(
        self, turn: Turn, writes: Sequence[Effect], rest: list[Any], held: list[Lane]
    ) -> Exception | None:
        """It is written at last: those who wait hear it, and so do those to whom it was posted."""
        try:
            owed = await turn.end
        except Exception as error:  # noqa: BLE001 - told to everybody whom it concerns
            if not isinstance(error, Unavailable | OwnershipLost):  # those are said once for all
                log.error("%s: what was kept could not be written: %r", turn.own, error)
            turn.fail(error, held)
            return error
        self._wiring.committed(writes, owed, turn.answers)
        for item, effects, answer in rest:
            found = answer if effects is None else self._runtime.perform(item.lane, effects, item.answer)
            if item.waiter is not None and not item.waiter.done():
                item.waiter.set_result(found)
        for item in turn.later:
            if item.message:
                self._runtime.put(item)
        return None

    def kept(self, writes: Sequence[Effect], result: Sequence[Any] | Exception) -> None:
        """The end of a session was kept, and is written by now."""
        if isinstance(result, Unavailable | OwnershipLost):
            return
        if isinstance(result, Exception):
            log.error("the end of a session could not be written: %r", result)
        else:
            self._wiring.committed(writes, result, [])

    # --- requests ---------------------------------------------------------------------------------------

    @contextmanager
    def asked(self, event: Event, future: asyncio.Future[Any]) -> Iterator[None]:
        """While a request is under way. Raises :class:`Unavailable` when it is not even begun."""
        if self._store.refusing:
            if not (isinstance(event, WriteRequested) and event.ends):
                raise Unavailable(self._store.trouble)
            asyncio.get_running_loop().call_later(DONE_LIVE, self._tell, future)
        self._asked.add(future)
        try:
            yield
        finally:
            self._asked.discard(future)

    def _changed(self, why: str, seconds: float, serious: bool) -> None:
        if why:
            asyncio.get_running_loop().call_later(PATIENCE, self._tell_all)

    def _tell_all(self) -> None:
        for future in tuple(self._asked):
            self._tell(future)

    def _tell(self, future: asyncio.Future[Any]) -> None:
        if self._store.trouble and not future.done():
            future.set_exception(Unavailable(f"{self._store.trouble}; {DOUBT}"))
