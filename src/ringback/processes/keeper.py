"""Keeps one child running: when it dies, another is started, after pauses that grow while none stays up."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ringback.processes.link import Link

log = logging.getLogger("ringback.processes")


@dataclass(frozen=True)
class Restarts:
    """How a child is started again."""

    pause: float
    """Seconds before the second start in a row (the first comes at once); they double each time."""
    longest: float
    """Seconds of a pause at most."""
    tries: float = math.inf
    """Starts in a row that may come to nothing; then it is given up."""
    steady: float = math.inf
    """A child that ran for so many seconds did start well: the next one comes at once."""

    def wait(self, failures: int) -> float:
        """Seconds to wait before the next start, after so many that came to nothing."""
        return min(self.longest, self.pause * 2.0 ** min(failures - 1, 20)) if failures else 0.0


class Keeper:
    """One child at a time; ``link`` is the present one, or the last that was there."""

    def __init__(
        self, start: Callable[[], Awaitable[Link]], restarts: Restarts, *, on_up: Callable[[Link], None],
        on_down: Callable[[], None], on_given_up: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        """``start`` starts a child or raises ``OSError``. ``on_up``: one takes work (what the last one did not answer
        may be sent again); ``on_down``: it is gone, as asked or not; ``on_given_up``: no other will come."""
        self._start, self._restarts = start, restarts
        self._on_up, self._on_down, self._on_given_up = on_up, on_down, on_given_up
        self.link: Link | None = None
        self.failures = 0
        """Starts in a row that came to nothing."""
        self.given_up = False
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def up(self) -> bool:
        """Whether a child is there that takes work."""
        return self.link is not None and self.link.open

    @property
    def stopping(self) -> bool:
        """Whether it is to end."""
        return self._stopping.is_set()

    def send(self, body: bytes) -> None:
        """Send a frame to the child that is there; dropped when none is."""
        if self.link is not None:
            self.link.send(body)

    def worked(self) -> None:
        """The owner says that the child does its work: when it dies, the next one comes at once."""
        self.failures = 0

    async def start(self) -> None:
        """Start the first one; raises what ``start`` raises."""
        await self._up()
        self._task = asyncio.get_running_loop().create_task(self._keep())

    async def stop(self) -> None:
        """Have it finish what it was told, and wait until it is gone; a pause before a restart ends at once."""
        self._stopping.set()
        if self.link is not None:
            self.link.finish()
        if self._task is not None:
            await self._task

    async def _up(self) -> None:
        self.link = await self._start()
        self._on_up(self.link)

    async def _keep(self) -> None:
        clock = asyncio.get_running_loop()
        while self.link is not None:
            link, began = self.link, clock.time()
            if self.stopping:  # it was started meanwhile
                link.finish()
            status = await link.wait()
            self._on_down()
            if self.stopping:
                return
            # Children ignore SIGINT once they run: this one was begun in the moment of a Ctrl-C, which tells us to end.
            level = logging.INFO if status == -signal.SIGINT else logging.ERROR
            log.log(level, "%s ended with status %s; starting another", link.name, status)
            if clock.time() - began >= self._restarts.steady:
                self.failures = 0
            await self._again(link.name)
            if self.given_up or (self.stopping and self.link is link):
                return

    async def _again(self, name: str) -> None:
        """Start another, until one does start, it is given up, or it is to end."""
        while not self.stopping:
            if self.failures >= self._restarts.tries:
                log.critical("%s is given up: %d starts came to nothing", name, self.failures)
                self.given_up = True
                self._on_given_up()
                return
            if self.failures:
                wait = self._restarts.wait(self.failures)
                log.error("%s does not stay up: next start in %.2f s", name, wait)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), wait)
                    return
            self.failures += 1
            try:
                await self._up()
            except OSError as error:
                log.error("%s cannot be started: %s", name, error)
            else:
                return
