"""The runtime: takes an event, lets its handler answer with effects, commits, then performs the rest.

Events of one key are handled one after the other; those that wait already share a transaction, and what
they ask of the outside is done, in order, when it is durable. Different keys run side by side and share
transactions too (group commit in the store).
The whole product's routing is in ``wiring.py``; nothing here knows what a call is, but for the
name of the lane.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ringback.effects import Answer, Effect, Post
from ringback.events import Event
from ringback.kernel.clock import Clock
from ringback.kernel.errors import Refused
from ringback.store.writes import OwnershipLost

log = logging.getLogger("ringback.runtime")

Handler = Callable[[Event, float], Sequence[Effect]]
Prepare = Callable[[Any], Awaitable[Event]]
Perform = Callable[[Any], None]

Waiter = asyncio.Future[Any] | None
Lane = deque[tuple[Event, Waiter]]
_Handled = tuple[Event, Waiter, Sequence[Effect]]
BATCH = 64
"""Events of one lane that share a transaction when they wait already."""
LANE_LIMIT = 10_000
"""Events that may wait in one lane; a peer that floods one call (keys, re-INVITEs) loses the surplus."""


class Commits(Protocol):
    """The part of the store that the runtime needs."""

    async def commit(self, writes: Sequence[Any]) -> Sequence[Any]:
        """Write all or nothing; gives the outbox rows that were made, in order."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """Who handles which event, and who performs which effect (made in ``wiring.py``)."""

    handlers: Mapping[type[Event], Handler]
    prepare: Mapping[type[Event], Prepare]
    """Look-ups that an event needs before it is handled."""
    perform: Mapping[type[Effect], Perform]
    committed: Callable[[Sequence[Effect], Sequence[Any]], None]
    """Told of every commit: its effects, and the outbox rows that it made."""
    crashed: Callable[[str, float, Exception], Sequence[Effect]]
    """Ends one session after a bug: lane key, now, the error."""


class Runtime:
    """Serialises events by key and turns each into one transaction and its effects."""

    def __init__(self, wiring: Wiring, store: Commits, clock: Clock) -> None:
        self.clock = clock
        self.handled = 0
        """Events handled so far (for /metrics)."""
        self.bugs = 0
        """Handlers that failed with something else than ``Refused``."""
        self._wiring = wiring
        self._store = store
        self._lanes: dict[str, Lane] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def lanes(self) -> int:
        """Lanes that have work right now."""
        return len(self._lanes)

    def post(self, event: Event) -> None:
        """Hand in an event; it is handled after those of its key that came before."""
        self._enqueue(event, None)

    async def ask(self, event: Event) -> Any:
        """Hand in an event and wait until it is committed.

        Returns the value of its ``Answer`` effect (None without one). Raises :class:`Refused` when the
        handler refuses it, and any other exception when the handling failed; then nothing was written.
        """
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._enqueue(event, future)
        return await future

    async def settle(self) -> None:
        """Wait until every lane is empty."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    def _enqueue(self, event: Event, future: Waiter) -> None:
        lane = self._lanes.get(event.key)
        if lane is not None:
            if len(lane) >= LANE_LIMIT:
                log.error("%s: %d events wait, %s dropped", event.key, len(lane), type(event).__name__)
                if future is not None:
                    future.set_exception(Refused(20429, "Too many requests for this resource", 429))
                return
            lane.append((event, future))
            return
        lane = deque([(event, future)])
        self._lanes[event.key] = lane
        task = asyncio.get_running_loop().create_task(self._drain(event.key, lane))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _drain(self, key: str, lane: Lane) -> None:
        hold = self.clock.hold()
        try:
            while lane:
                await self._turn(lane)
        finally:
            del self._lanes[key]
            hold.release()

    async def _turn(self, lane: Lane) -> None:
        """Handle the events that wait, in order, as one transaction; then perform the rest, in order."""
        done: list[_Handled] = []
        broken: tuple[Event, Waiter, Exception] | None = None
        while lane and len(done) < BATCH and broken is None:
            prepare = self._wiring.prepare.get(type(lane[0][0]))
            if prepare is not None and done:
                break  # a look-up takes time: what is handled is committed first
            event, waiter = lane.popleft()
            self.handled += 1
            try:
                if prepare is not None:
                    event = await prepare(event)
                done.append((event, waiter, self._wiring.handlers[type(event)](event, self.clock.now())))
            except Refused as refusal:
                if waiter is None:
                    log.warning("%s: %s refused: %s", event.key, type(event).__name__, refusal.message)
                elif not waiter.done():
                    waiter.set_exception(refusal)
            except Exception as bug:  # noqa: BLE001 - it ends its own session and nothing else
                broken = event, waiter, bug
        await self._finish(done)
        if broken is not None:
            event, waiter, error = broken
            await self._end_session(event, error)
            if waiter is not None and not waiter.done():
                waiter.set_exception(error)

    async def _finish(self, done: Sequence[_Handled]) -> None:
        try:
            await self._commit([effect for _, _, effects in done for effect in effects])
        except Exception as error:  # noqa: BLE001 - nothing was written: what is in memory is wrong
            if not isinstance(error, OwnershipLost):  # the process ends, and has said so
                await self._end_session(done[-1][0], error)
            for _, waiter, _ in done:
                if waiter is not None and not waiter.done():
                    waiter.set_exception(error)
            return
        for event, waiter, effects in done:
            answer = self._perform(event, effects)
            if waiter is not None and not waiter.done():
                waiter.set_result(answer)

    async def _commit(self, effects: Sequence[Effect]) -> None:
        writes = [effect for effect in effects if effect.committed]
        if writes:
            self._wiring.committed(writes, await self._store.commit(writes))

    def _perform(self, event: Event, effects: Sequence[Effect]) -> Any:
        answer = None
        for effect in effects:
            if effect.committed:
                continue
            if isinstance(effect, Post):
                self.post(effect.event)
            elif isinstance(effect, Answer):
                answer = effect.value
            else:
                try:
                    self._wiring.perform[type(effect)](effect)
                except Exception:
                    self.bugs += 1
                    log.exception("%s: performing %s failed", event.key, type(effect).__name__)
        return answer

    async def _end_session(self, event: Event, error: Exception) -> None:
        """A bug: end that session alone, log it with its SID, go on (house.md, errors of the third kind)."""
        self.bugs += 1
        log.error("%s: handling %s failed", event.key, type(event).__name__, exc_info=error)
        try:
            effects = self._wiring.crashed(event.key, self.clock.now(), error)
            await self._commit(effects)
        except Exception:
            log.exception("%s: its session could not be ended in order", event.key)
        else:
            self._perform(event, effects)
