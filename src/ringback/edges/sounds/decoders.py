"""The processes that decode sounds: a few, shared fairly by account, each with one file at a time.

What breaks a process breaks no other account's sound: every seat has a pool of its own, of one process. The first one
starts with the first sound; with the default of two the second one does when there are two sounds to decode at once, so
that it is there when another account comes.
"""

from __future__ import annotations

import asyncio
import os
import os.path
import signal
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

from ringback.edges.sounds.decode import prepare, to_ulaw_within, warm
from ringback.sharing.seats import Seats

SECONDS = 60
"""Seconds for one decoding."""
AT_ONCE = 5.0
"""Seconds within which a process that was dead before is found to be."""
LONGEST_LINE = 1000
"""Sounds of one account that may wait."""


class Decoders:
    """Decodes ``workers`` sounds at a time; one account alone never takes the last process."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._seats = Seats(workers, reserve=1, longest=LONGEST_LINE)
        self._pools: dict[int, ProcessPoolExecutor] = {}

    @property
    def waiting(self) -> int:
        """Sounds that wait for a process."""
        return self._seats.waiting

    @property
    def busy(self) -> int:
        """Sounds that are being decoded."""
        return self._seats.busy

    async def decode(self, account: str, source: str, target: str) -> None:
        """Decode a file, when it is the account's turn; not again when the same sound has been decoded meanwhile.

        Raises ``Undecodable``, ``BrokenProcessPool``, ``Full``.
        """
        if 0 < self._seats.busy < self._workers and self._seats.busy not in self._pools:
            # Somebody decodes already: have the next process ready for whoever comes, who would wait for its start.
            self._pool(self._seats.busy)
        async with self._seats.of(account) as seat:
            if not await asyncio.to_thread(os.path.exists, target):
                await self._decode(seat, source, target)

    def close(self) -> None:
        """End the processes."""
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)
        self._pools.clear()

    async def _decode(self, seat: int, source: str, target: str) -> None:
        """Once more when the process was dead at once: it has not died of this sound."""
        for attempt in (1, 2):
            began, pool = time.monotonic(), self._pool(seat)
            try:
                await asyncio.get_running_loop().run_in_executor(
                    pool, to_ulaw_within, SECONDS, source, target
                )
            except BrokenProcessPool:
                if self._pools.get(seat) is pool:
                    del self._pools[seat]
                if attempt == 2 or time.monotonic() - began > AT_ONCE:
                    raise
            else:
                return

    def _pool(self, seat: int) -> ProcessPoolExecutor:
        pool = self._pools.get(seat)
        if pool is None:
            pool = self._pools[seat] = ProcessPoolExecutor(
                1, mp_context=get_context("spawn"), initializer=prepare
            )
            # A Ctrl-C comes to the whole group: the process gets none from its first moment on; `prepare` is too late.
            before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            try:
                pool.submit(warm)
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return pool
