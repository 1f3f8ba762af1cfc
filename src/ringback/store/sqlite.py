"""SQLite: a writer process with group commit, reads on the event loop or in a reader thread.

WAL, so readers never wait for the writer. A read by primary key or of a few indexed rows takes tens of
microseconds and is done on the event loop: handing it to a thread would cost more than the read. Long lists go
to the reader thread.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

from sqlalchemy.dialects import sqlite as dialects
from sqlalchemy.engine.interfaces import Dialect

from ringback.store.backlog import QUIET, TICK
from ringback.store.sql import Params, Statement
from ringback.store.sqlite_process import WriterLost, WriterProcess
from ringback.store.sqlite_writer import connect
from ringback.store.writes import Unavailable

log = logging.getLogger("ringback.store")


DIALECT: Dialect = dialects.dialect(paramstyle="qmark")
"""One for all: what is compiled for it is kept."""


class SqliteEngine:
    """A database file; ``:memory:`` is refused, because connections would not share it."""

    def __init__(
        self, path: str, synchronous: Literal["NORMAL", "FULL"] = "NORMAL", patience: float = 10.0
    ) -> None:
        """``patience``: seconds to wait for a file that another process still writes to."""
        if path in ("", ":memory:"):
            raise ValueError("SQLite needs a file: several connections share it")
        self.dialect: Dialect = DIALECT
        self.insert: Any = dialects.insert
        self._path = path
        self._synchronous = synchronous
        self._writer = WriterProcess(path, synchronous, patience)
        self.backlog = self._writer.backlog
        self._watch: asyncio.Task[None] | None = None
        self._file: tuple[int, int] | None = None
        """Device and number of the file that was opened."""
        self._missing = ""
        self._inline: sqlite3.Connection | None = None
        self._lists: sqlite3.Connection | None = None
        self._pool = ThreadPoolExecutor(1, "ringback-sqlite-reader")

    @property
    def broken(self) -> str:
        """See :class:`Engine`."""
        if self._writer.keeper.given_up:
            return "the process that writes to the database does not stay up"
        return self._missing

    async def lost(self) -> str:
        """Never: the lock of the file is ours until this process ends."""
        never: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        return await never

    async def open(self) -> None:
        """Start the writer and open two connections to read. Raises ``OSError`` when the file is in use."""
        await self._writer.start()
        self._inline = connect(self._path, self._synchronous)
        self._lists = connect(self._path, self._synchronous)
        self._file = _identity(self._path)

    def watch(self) -> None:
        """See :class:`Engine`."""
        self._watch = asyncio.create_task(self._watch_over(), name="ringback-sqlite-watch")

    async def _watch_over(self) -> None:
        """Whether the file is there and can be written, also while nobody writes."""
        loop = asyncio.get_running_loop()
        while not self._writer.keeper.given_up:
            await asyncio.sleep(TICK)
            self.backlog.tick()
            if not self.backlog.jobs and loop.time() - self.backlog.answered_at >= QUIET:
                self._writer.probe()
            there = _identity(self._path) == self._file
            if not there and not self._missing:
                self._missing = f"the database {self._path} was removed or replaced while it was open"
                log.critical("%s: put it back", self._missing)
            elif there:
                self._missing = ""

    async def close(self) -> None:
        """Let the writer finish, then close everything."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.wait([self._watch])
        await self._writer.stop()
        self._pool.shutdown()
        for connection in (self._inline, self._lists):
            if connection is not None:
                connection.close()

    async def write(
        self,
        statements: Sequence[Statement],
        *,
        told: Callable[[Exception | None], None] | None = None,
        hurried: bool = False,
    ) -> bool:
        """See :class:`Engine`."""
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._writer.put(statements, future, told, hurried)
        return await future

    def write_soon(self, statements: Sequence[Statement]) -> None:
        """See :class:`Engine`."""
        try:
            self._writer.put(statements, None)
        except (Unavailable, WriterLost) as error:
            log.debug("not written: %s", error)  # counted, and the trouble itself is in the log

    async def get(self, sql: str, params: Params) -> Sequence[Any] | None:
        """See :class:`Engine`."""
        assert self._inline is not None
        row: Sequence[Any] | None = self._inline.execute(sql, params).fetchone()
        return row

    async def few(self, sql: str, params: Params) -> Sequence[Sequence[Any]]:
        """See :class:`Engine`."""
        assert self._inline is not None
        return self._inline.execute(sql, params).fetchall()

    async def rows(self, sql: str, params: Params) -> Sequence[Sequence[Any]]:
        """See :class:`Engine`."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._rows, sql, params)

    def _rows(self, sql: str, params: Params) -> Sequence[Sequence[Any]]:
        assert self._lists is not None
        return self._lists.execute(sql, params).fetchall()

    async def script(self, sql: str) -> None:
        """See :class:`Engine`; called before the first write only."""
        assert self._inline is not None
        try:
            self._inline.executescript(f"BEGIN IMMEDIATE;\n{sql}\nCOMMIT;")
        except sqlite3.Error:
            if self._inline.in_transaction:
                self._inline.execute("ROLLBACK")
            raise


def _identity(path: str) -> tuple[int, int] | None:
    """Device and number of a file; None: there is none."""
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
