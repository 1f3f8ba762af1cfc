"""How fast requests may go: the agreed number in a second, and slower when the SMSC says that it is too much."""

from __future__ import annotations

import asyncio
import random
from typing import Final

FIRST, LONGEST = 0.5, 30.0
"""Seconds of the pause after a refusal; they double with each until a request goes through."""
SAME: Final = 0.25
"""Seconds within which refusals count as one: they answer what was under way together."""


class Pace:
    """Whose turn it is."""

    def __init__(self, per_second: float) -> None:
        """0: no limit."""
        self._gap = 1 / per_second if per_second else 0.0
        self._next = self._resume = self._slowed = 0.0
        self._pause = 0.0
        self._closed = asyncio.Event()

    async def turn(self, until: float) -> bool:
        """Wait for one's turn. False when it does not come by then (time of the loop), or there is none any more."""
        loop = asyncio.get_running_loop()
        while not self._closed.is_set():
            now = loop.time()
            at = max(now, self._next, self._resume)
            if at > until:
                return False
            self._next = at + self._gap
            if at > now:
                try:
                    async with asyncio.timeout(at - now):
                        await self._closed.wait()
                except TimeoutError:
                    pass
            if self._resume <= loop.time():  # else it was said meanwhile that this is too much
                return not self._closed.is_set()
        return False

    def slow(self) -> None:
        """A request was refused because it was too much."""
        now = asyncio.get_running_loop().time()
        if now - self._slowed < SAME:
            return
        self._slowed = now
        self._pause = min(max(FIRST, self._pause * 2), LONGEST)
        self._resume = now + self._pause * random.uniform(0.75, 1.25)  # noqa: S311 - so that not all come at once

    def went(self) -> None:
        """A request went through."""
        self._pause = 0.0

    def close(self) -> None:
        """Nobody gets a turn any more."""
        self._closed.set()
