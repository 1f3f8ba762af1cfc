"""SQLite by the standard library: a writer thread with group commit, reads on the loop or in a reader thread.

WAL, so readers never wait for the writer. A read by primary key takes tens of microseconds and is done on the
event loop: handing it to a thread would cost more than the read. Lists go to the reader thread.
"""

from __future__ import annotations

import asyncio
import logging
import os
import queue
import sqlite3
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

from sqlalchemy.dialects import sqlite as dialects
from sqlalchemy.engine.interfaces import Dialect

from ringback.store.engine import GROUP_LIMIT
from ringback.store.sql import Params, Statement
from ringback.store.writes import Conflict

log = logging.getLogger("ringback.store")

Job = tuple[Sequence[Statement], "asyncio.Future[None] | None"]


class SqliteEngine:
    """A database file; ``:memory:`` is refused, because connections would not share it."""

    def __init__(self, path: str, synchronous: Literal["NORMAL", "FULL"] = "NORMAL") -> None:
        if path in ("", ":memory:"):
            raise ValueError("SQLite needs a file: several connections share it")
        self.dialect: Dialect = dialects.dialect(paramstyle="qmark")
        self.insert: Any = dialects.insert
        self._path = path
        self._synchronous = synchronous
        self._queue: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop
        self._inline: sqlite3.Connection
        self._lists: sqlite3.Connection
        self._writer: sqlite3.Connection
        self._pool = ThreadPoolExecutor(1, "ringback-sqlite-reader")

    async def open(self) -> None:
        """Open three connections: writer thread, loop, reader thread."""
        self._loop = asyncio.get_running_loop()
        self._writer = self._connect()
        self._inline = self._connect()
        self._lists = self._connect()
        self._thread = threading.Thread(target=self._write_forever, name="ringback-sqlite", daemon=True)
        self._thread.start()

    def _connect(self) -> sqlite3.Connection:
        # The database holds auth tokens: it is for its owner alone (its -wal and -shm files follow it).
        os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        connection = sqlite3.connect(
            self._path, isolation_level=None, check_same_thread=False, cached_statements=512, timeout=10
        )
        for pragma in (
            "journal_mode=WAL", f"synchronous={self._synchronous}", "foreign_keys=OFF", "cache_size=-8192",
            "mmap_size=0", "temp_store=MEMORY", "busy_timeout=10000", "wal_autocheckpoint=4000",
        ):  # fmt: skip
            connection.execute(f"PRAGMA {pragma}")
        return connection

    async def close(self) -> None:
        """Let the writer finish, then close everything."""
        if self._thread is not None:
            self._queue.put(None)
            await asyncio.to_thread(self._thread.join)
            self._thread = None
            self._pool.shutdown()
            for connection in (self._inline, self._lists, self._writer):
                connection.close()

    async def write(self, statements: Sequence[Statement]) -> None:
        """See :class:`Engine`."""
        future: asyncio.Future[None] = self._loop.create_future()
        self._queue.put((statements, future))
        await future

    def write_soon(self, statements: Sequence[Statement]) -> None:
        """See :class:`Engine`."""
        self._queue.put((statements, None))

    async def get(self, sql: str, params: Params) -> Sequence[Any] | None:
        """See :class:`Engine`."""
        row: Sequence[Any] | None = self._inline.execute(sql, params).fetchone()
        return row

    async def rows(self, sql: str, params: Params) -> Sequence[Sequence[Any]]:
        """See :class:`Engine`."""
        return await self._loop.run_in_executor(self._pool, self._rows, sql, params)

    def _rows(self, sql: str, params: Params) -> Sequence[Sequence[Any]]:
        return self._lists.execute(sql, params).fetchall()

    async def script(self, sql: str) -> None:
        """See :class:`Engine`; called before the first write only."""
        try:
            self._writer.executescript(f"BEGIN IMMEDIATE;\n{sql}\nCOMMIT;")
        except sqlite3.Error:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            raise

    # --- in the writer thread ------------------------------------------------------------------------

    def _write_forever(self) -> None:
        while True:
            job = self._queue.get()
            if job is None:
                return
            group = [job]
            stop = False
            while len(group) < GROUP_LIMIT:
                try:
                    more = self._queue.get_nowait()
                except queue.Empty:
                    break
                if more is None:
                    stop = True
                    break
                group.append(more)
            results = self._write_group(group)
            try:
                self._loop.call_soon_threadsafe(_settle, group, results)
            except RuntimeError:  # the loop was closed under us: the rows are on disk, nobody is waiting
                return
            if stop:
                return

    def _write_group(self, group: Sequence[Job]) -> list[Exception | None]:
        error = self._transaction([statement for statements, _ in group for statement in statements])
        if error is None or len(group) == 1:
            return [error] * len(group)
        # Somebody in the group failed: a failing caller must not fail the others.
        return [self._transaction(statements) for statements, _ in group]

    def _transaction(self, statements: Sequence[Statement]) -> Exception | None:
        execute = self._writer.execute
        try:
            execute("BEGIN IMMEDIATE")
            for each in statements:
                execute(each.sql, each.params)
            execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - handed to the caller that it belongs to
            if self._writer.in_transaction:
                execute("ROLLBACK")
            return Conflict(str(error)) if isinstance(error, sqlite3.IntegrityError) else error
        return None


def _settle(group: Sequence[Job], results: Sequence[Exception | None]) -> None:
    """Tell the waiting callers, on the event loop."""
    for (_, future), error in zip(group, results, strict=True):
        if future is None:
            if error is not None:
                log.error("a write that nobody waited for failed: %r", error)
        elif not future.done():
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)
