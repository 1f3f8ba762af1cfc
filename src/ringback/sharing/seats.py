"""Seats for tasks of the event loop: so many at a time, shared fairly by account (see ``turns.py``)."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ringback.sharing.turns import Full, Turns

__all__ = ["Full", "Seats"]


class Seats:
    """Whoever has a seat works; the others wait their turn."""

    def __init__(self, number: int, *, reserve: int = 0, longest: int | None = None) -> None:
        """See :class:`~ringback.sharing.turns.Turns`."""
        self._turns: Turns[asyncio.Future[int]] = Turns(number, reserve=reserve, longest=longest)
        self._free: list[int] = []
        self._next = 0

    @property
    def waiting(self) -> int:
        """Tasks that wait for a seat."""
        return self._turns.waiting

    @property
    def busy(self) -> int:
        """Seats that are taken."""
        return self._turns.busy

    @asynccontextmanager
    async def of(self, account: str) -> AsyncIterator[int]:
        """A seat for the time of the block: its number, from 0, the lowest that is free. Raises :class:`Full`."""
        seat: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._turns.line_up(account, seat)
        self._hand_out()
        try:
            yield await seat
        finally:
            if seat.done() and not seat.cancelled():
                heapq.heappush(self._free, seat.result())
                self._turns.done(account)
                self._hand_out()
            else:
                self._turns.leave(account, seat)

    def _hand_out(self) -> None:
        while (taken := self._turns.take()) is not None:
            if taken[1].done():  # canceled, and about to leave
                self._turns.done(taken[0])
                continue
            number = heapq.heappop(self._free) if self._free else self._next
            self._next = max(self._next, number + 1)
            taken[1].set_result(number)
