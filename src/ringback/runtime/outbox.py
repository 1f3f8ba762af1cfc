"""The outbox: webhooks that are owed, delivered at least once and in order per key (house.md, "One commit").

A row is written in the transaction of the event that owes it, and removed once its delivery (with the
retries that its URL asks for) has ended. A crash in between repeats it with the same idempotency token.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from ringback.kernel.clock import Clock

log = logging.getLogger("ringback.outbox")


class Owed(Protocol):
    """One row: an id that grows, and the webhook."""

    @property
    def id(self) -> int:
        """Grows with every row."""

    @property
    def hook(self) -> Any:
        """The webhook; its ``key`` is the lane."""


class Outbox:
    """Performs the rows of the outbox: one at a time per key, ``parallel`` at a time in all."""

    def __init__(
        self,
        clock: Clock,
        deliver: Callable[[Any], Awaitable[Sequence[Any]]],
        done: Callable[[int, Sequence[Any]], Awaitable[None]],
        parallel: int = 1000,
    ) -> None:
        """``deliver(webhook)`` sends it and gives the records to be saved (debugger entries); it raises
        only for bugs. ``done(id, records)`` removes the row and saves the records in one transaction."""
        self._clock = clock
        self._deliver = deliver
        self._done = done
        self._lanes: dict[str, deque[Owed]] = {}
        self._ready: deque[str] = deque()
        self._parallel = parallel
        self._running: set[asyncio.Task[None]] = set()
        self._closing = False
        self.delivered = 0

    @property
    def waiting(self) -> int:
        """Rows not yet done."""
        return sum(len(lane) for lane in self._lanes.values())

    def add(self, rows: Sequence[Owed]) -> None:
        """Take rows that have been committed, in the order of their ids."""
        for row in rows:
            lane = self._lanes.get(row.hook.key)
            if lane is None:
                self._lanes[row.hook.key] = deque([row])
                self._ready.append(row.hook.key)
            else:
                lane.append(row)
        self._start()

    async def settle(self, seconds: float) -> None:
        """Wait until nothing is owed, at most ``seconds`` (real time); the rest goes out after a restart."""
        try:
            async with asyncio.timeout(seconds):
                while self._running:
                    await asyncio.wait(set(self._running))
        except TimeoutError:
            log.warning("stopping with %d webhooks owed; they are sent after the next start", self.waiting)

    async def close(self) -> None:
        """Stop at once; rows stay."""
        self._closing = True
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(set(self._running))

    def _start(self) -> None:
        while self._ready and len(self._running) < self._parallel and not self._closing:
            key = self._ready.popleft()
            task = asyncio.get_running_loop().create_task(self._drain(key))
            self._running.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._start()

    async def _drain(self, key: str) -> None:
        """Deliver what one key owes, then leave the slot to the next key.

        Whoever delivers holds the clock while a request is under way, but not while it waits for time to pass.
        """
        lane = self._lanes[key]
        try:
            while lane:
                row = lane[0]
                try:
                    records = await self._deliver(row.hook)
                except Exception:
                    log.exception("%s: the webhook to be sent could not even be tried; it is dropped", key)
                    records = ()
                hold = self._clock.hold()
                try:
                    await self._done(row.id, records)
                finally:
                    hold.release()
                lane.popleft()
                self.delivered += 1
        finally:
            if not lane:
                del self._lanes[key]
