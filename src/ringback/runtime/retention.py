"""What is kept for a while only: old rows are removed in small pieces, so that nobody waits for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping

from ringback.effects import Delete
from ringback.kernel.clock import Alarm, Clock
from ringback.kernel.resource import Record
from ringback.store import Query, Store

log = logging.getLogger("ringback.retention")

DAY = 86_400.0
EVERY = 3600.0
"""Seconds between two looks."""
SLICE = 500
"""Rows of one transaction."""


class Retention:
    """Looks once an hour for rows that are older than their noun allows."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        sid_at: Callable[[str, float], str],
        days: Mapping[type[Record], float],
    ) -> None:
        """``days``: noun → how long its rows are kept; ``sid_at(prefix, time)`` gives the first SID of a moment."""
        self._store, self._clock, self._sid_at, self._days = store, clock, sid_at, dict(days)
        self._alarm: Alarm | None = None
        self._task: asyncio.Task[None] | None = None
        self.removed = 0
        """Rows removed so far."""

    def start(self) -> None:
        """Look now, then every hour."""
        self._alarm = None
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._prune())
        self._alarm = self._clock.call_at(self._clock.now() + EVERY, self.start, pulls=False)

    async def close(self) -> None:
        """Stop; a look under way is given up between two pieces."""
        if self._alarm is not None:
            self._alarm.cancel()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _prune(self) -> None:
        for record, days in self._days.items():
            bound = self._sid_at(record.__noun__.prefix, self._clock.now() - days * DAY)
            while True:
                page = await self._store.page(record, Query(limit=SLICE, after=bound))
                if not page.records:
                    break
                await self._store.commit([Delete(each) for each in page.records])
                self.removed += len(page.records)
                await asyncio.sleep(0)
        if self.removed:
            log.debug("%d old rows removed so far", self.removed)
