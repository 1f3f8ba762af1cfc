"""The main process' end of the SQLite writer: hands over writes in order, once for each turn of the event loop.

What is not answered yet is kept. A writer that dies is started again and told all of it once more: every write
sets whole rows or deletes by key, so the second time does what the first did.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from typing import Final

from ringback.store import sqlite_writer
from ringback.store.engine import settle
from ringback.store.sql import Statement
from ringback.store.sqlite_writer import Job, frame, unframe
from ringback.store.writes import Conflict, Stale

log = logging.getLogger("ringback.store")

_DEATHS: Final = 5
"""So many deaths without one answer between them: the writer is given up."""
_START: Final = 20.0
"""Seconds that a start may take, besides the patience for the lock."""

_Pending = tuple[Job, "asyncio.Future[None] | None"]


class WriterLost(Exception):
    """The process that writes to the database cannot be kept running; whether the write took place is open."""


class WriteFailed(Exception):
    """The database refused a write, for another reason than a unique key; nothing of it was written."""


class WriterProcess(asyncio.Protocol):
    """One process that writes to one database file."""

    def __init__(self, path: str, synchronous: str, patience: float) -> None:
        """``patience``: seconds to wait for a file that another process writes to."""
        self._arguments = path, synchronous, str(patience)
        self._patience = patience
        self._process: subprocess.Popen[bytes] | None = None
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._ready: asyncio.Future[str] | None = None
        self._texts: dict[str, int] = {}
        self._up = False
        """The process has started well and is there."""
        self._told = 0
        """Texts that it knows."""
        self._pending: deque[_Pending] = deque()
        self._unsent: list[Job] = []
        self._number = 0
        self._deaths = 0
        self.given_up = False
        self._stopping = False
        self._gone = asyncio.Event()
        self._restart: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the process. Raises ``OSError`` when it cannot open the file or another process writes to it."""
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        with theirs:
            descriptor = theirs.fileno()
            self._process = subprocess.Popen(  # noqa: ASYNC220 - our own file; it takes two milliseconds
                [sys.executable, "-I", "-S", sqlite_writer.__file__, str(descriptor), *self._arguments],
                pass_fds=(descriptor,),
            )
        self._ready = loop.create_future()
        self._told = 0
        self._buffer.clear()
        self._gone.clear()
        ours.setblocking(False)
        self._transport, _ = await loop.create_unix_connection(lambda: self, sock=ours)
        try:
            problem = await asyncio.wait_for(self._ready, self._patience + _START)
        except TimeoutError:
            self._transport.abort()
            self._process.kill()
            problem = "its writer did not start in time"
        if problem:
            self._process.wait()
            raise OSError(f"the database {self._arguments[0]}: {problem}")
        self._up = True
        self._unsent = [job for job, _ in self._pending]
        self._flush()

    def put(self, statements: Sequence[Statement], future: asyncio.Future[None] | None) -> None:
        """Hand in one all-or-nothing write; ``future`` is told when it is on disk, or why it is not."""
        if self.given_up:
            settle(future, WriterLost("the process that writes to the database keeps dying"))
            return
        self._number += 1
        job = self._number, [(self._text(each.sql), each.params) for each in statements]
        self._pending.append((job, future))
        self._unsent.append(job)
        if len(self._unsent) == 1:
            asyncio.get_running_loop().call_soon(self._flush)

    async def stop(self) -> None:
        """Let the process write what was handed in, and end."""
        self._stopping = True
        if self._restart is not None:
            await self._restart
        self._flush()
        if self._transport is not None:
            self._transport.write_eof()
            await self._gone.wait()
        if self._process is not None:
            await asyncio.to_thread(self._process.wait)

    def _text(self, sql: str) -> int:
        return self._texts.setdefault(sql, len(self._texts))

    def _flush(self) -> None:
        if self._transport is None or not self._up or not self._unsent:
            return
        jobs, self._unsent = self._unsent, []
        new: dict[int, str] = {}
        if len(self._texts) > self._told:
            new = {number: sql for sql, number in self._texts.items() if number >= self._told}
            self._told = len(self._texts)
        self._transport.write(frame((new, jobs)))

    # --- what comes from the process -------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """See ``asyncio.Protocol``."""
        self._buffer += data
        for value in unframe(self._buffer):
            if self._ready is not None and not self._ready.done():
                self._ready.set_result(value)
            else:
                self._deaths = 0
                self._answered(*value)

    def _answered(self, last: int, errors: sqlite_writer.Errors) -> None:
        while self._pending and self._pending[0][0][0] <= last:
            (number, _), future = self._pending.popleft()
            found = errors.get(number)
            settle(future, None if found is None else _error(*found))

    def connection_lost(self, error: Exception | None) -> None:
        """See ``asyncio.Protocol``: the process has ended, as asked or not."""
        was_up, self._transport, self._up = self._up, None, False
        self._gone.set()
        if self._ready is not None and not self._ready.done():
            self._ready.set_result("its writer ended at once")
        elif self._stopping:
            self._fail()  # nothing is left after an orderly end
        elif was_up:
            self._restart = asyncio.get_running_loop().create_task(self._again())

    async def _again(self) -> None:
        """Start the process once more and tell it what it has not answered."""
        self._deaths += 1
        status = await asyncio.to_thread(self._process.wait) if self._process is not None else None
        log.error("the process that writes to the database ended (%s); starting another", status)
        try:
            if self._deaths > _DEATHS:
                raise OSError(f"it died {self._deaths} times in a row")
            await self.start()
        except OSError as error:
            log.critical("the database cannot be written any more: %s", error)
            self.given_up = True
            self._fail()

    def _fail(self) -> None:
        while self._pending:
            _, future = self._pending.popleft()
            settle(future, WriterLost("the process that writes to the database ended"))


def _error(kind: str, text: str) -> Exception:
    return {"conflict": Conflict, "stale": Stale}.get(kind, WriteFailed)(text)
