"""A child process and the socket to it: started, spoken to in frames, ended, and its death told.

The child is ``python PROGRAM… DESCRIPTOR ARGUMENT…``, the descriptor being its end of the socket. It ends when
that closes, so it never outlives its parent; it is killed when it does not end within the patience, or sends
what its owner does not understand.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from typing import cast

from ringback.processes.frames import Frames, frame

log = logging.getLogger("ringback.processes")


class StartFailed(OSError):
    """The child is not ready for work, and has ended; the message says why."""


class Link(asyncio.Protocol):
    """One run of a child. `start` makes it."""

    def __init__(self, name: str, on_body: Callable[[bytes], None], patience: float) -> None:
        self.name = name
        self.process: asyncio.subprocess.Process
        self.problem = ""
        """Why it was killed, if it was."""
        self._on_body = on_body
        self._patience = patience
        self._frames = Frames()
        self._transport: asyncio.Transport | None = None
        self._closed = asyncio.Event()
        self._ready: asyncio.Future[str] | None = None
        self._finishing = False
        self.gone: asyncio.Task[int]
        """Done when the process has ended; its exit status."""

    @property
    def open(self) -> bool:
        """Whether it takes work: it is there, and nobody has begun to end it."""
        there = self._transport is not None and not self._transport.is_closing()
        return there and not self._finishing and not self.problem

    def send(self, body: bytes) -> None:
        """Send a frame, in this turn of the event loop; dropped when the link is not open."""
        if self._transport is not None and self.open:
            self._transport.write(frame(body))

    def finish(self) -> None:
        """Nothing more will be sent: it ends when it has done what it was told, however long that takes."""
        if self._transport is not None and not self._transport.is_closing() and not self._finishing:
            self._finishing = True
            self._transport.write_eof()

    def close(self) -> None:
        """Hear nothing more of it: it ends within the patience or is killed."""
        if self._transport is not None:
            self._transport.close()

    def kill(self, problem: str = "") -> None:
        """End it at once; ``problem`` says why when it has earned that."""
        if problem and not self.problem:
            self.problem = problem
            log.error("%s is killed: %s", self.name, problem)
        _kill(self.process)

    async def wait(self) -> int:
        """Wait until it is gone; gives its exit status. Canceled, it is killed and waited for all the same."""
        try:
            return await asyncio.shield(self.gone)
        except asyncio.CancelledError:
            self.kill()
            await self.gone
            raise

    async def _end(self) -> int:
        await self._closed.wait()
        try:
            return await asyncio.wait_for(self.process.wait(), self._patience)
        except TimeoutError:
            return await _killed(self.process)

    # --- what comes from the socket --------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See ``asyncio.Protocol``."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are, without saying so

    def data_received(self, data: bytes) -> None:
        """See ``asyncio.Protocol``."""
        try:
            for body in self._frames.feed(data):
                if self._ready is not None and not self._ready.done():
                    self._ready.set_result(body.decode())
                elif not self.problem:
                    self._on_body(body)
        except Exception as error:  # noqa: BLE001 - logged by kill; whatever it is, the next frame would be no better
            self.kill(f"it does not speak our protocol: {error!r}")

    def connection_lost(self, error: Exception | None) -> None:
        """See ``asyncio.Protocol``: it has ended, as asked or not."""
        self._transport = None
        self._closed.set()
        if self._ready is not None and not self._ready.done():
            self._ready.set_result("it ended at once")


async def start(
    name: str, program: Sequence[str], arguments: Sequence[str], on_body: Callable[[bytes], None], *,
    ready: float | None = None, patience: float = 5.0, **environment: str,
) -> Link:  # fmt: skip
    """Start a child; raises ``OSError``. Whoever is canceled meanwhile leaves no process behind.

    ``name``: what the log calls it; ``program``: arguments of the interpreter before the descriptor, ``arguments``
    those after it; ``on_body`` is called with each body that comes. ``ready``: seconds within which the first body
    must come, which says why it cannot work (empty: it can), else `StartFailed`. ``patience``: seconds that it may
    take to end once its socket is closed. ``environment``: added to ours.
    """
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    loop = asyncio.get_running_loop()
    link = Link(name, on_body, patience)
    process: asyncio.subprocess.Process | None = None
    try:
        process = link.process = await asyncio.create_subprocess_exec(
            sys.executable, *program, str(theirs.fileno()), *arguments,
            pass_fds=[theirs.fileno()], stdin=asyncio.subprocess.DEVNULL,
            # Out of the terminal's group: Ctrl-C while it still imports would end it with a traceback.
            start_new_session=True,
            # One thread each: there are as many workers as cores are wanted.
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", **environment},
        )  # fmt: skip
        if ready is not None:
            link._ready = loop.create_future()
        await loop.create_unix_connection(lambda: link, sock=ours)
    except BaseException:
        ours.close()
        if process is not None:
            await _killed(process)
        raise
    finally:
        theirs.close()
    link.gone = loop.create_task(link._end(), name=name)
    if link._ready is not None and ready is not None:
        await _heard_well(link, link._ready, ready)
    return link


async def _heard_well(link: Link, first: asyncio.Future[str], seconds: float) -> None:
    """Wait for the first body; raises `StartFailed` when it is bad news or does not come."""
    try:
        problem = await asyncio.wait_for(first, seconds)
    except TimeoutError:
        problem = f"not ready within {seconds:.0f} s"
    except asyncio.CancelledError:
        link.kill()
        await link.gone
        raise
    if problem:
        link.kill()
        await link.gone
        raise StartFailed(link.problem or problem)


def _kill(process: asyncio.subprocess.Process) -> None:
    # Not process.kill(): in Python 3.11 it polls first, and takes the exit status away from asyncio's watcher.
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)


async def _killed(process: asyncio.subprocess.Process) -> int:
    _kill(process)
    return await process.wait()
