"""PostgreSQL by asyncpg: one writer connection with group commit, a pool for reads.

While one transaction is under way, further commits gather; they then share the next one. Equal statements
of a group are sent together (``executemany`` is one round trip).

Only the owner writes (``lease.py``). A connection that is lost is made anew: a group that did not get to its
``COMMIT`` is sent again; of one that did, the database is asked whether it took place.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import random
from collections.abc import Callable, Sequence
from typing import Any, Final

import asyncpg
from sqlalchemy.dialects import postgresql as dialects
from sqlalchemy.dialects.postgresql import asyncpg as asyncpg_dialect
from sqlalchemy.engine.interfaces import Dialect

from ringback.kernel.setting import shown
from ringback.store.engine import GROUP_LIMIT, Holder, settle
from ringback.store.lease import Lease, LeaseHeld
from ringback.store.sql import ONE_ROW, Params, Statement, batches
from ringback.store.writes import Conflict, OwnershipLost, Stale

log = logging.getLogger("ringback.store")

RETRY_FOR: Final = 30.0
"""Seconds for which a write, or a read, waits for a database that cannot be reached (a restart takes a few)."""
PAUSE: Final = 0.25
"""Seconds between two tries, or half as many."""
ANSWER: Final = 15.0
"""Seconds that a statement of a commit may take; then its connection counts as lost."""
CONNECT: Final = 5.0
"""Seconds that a connection may take."""
IDLE: Final = 3_000
"""Milliseconds after which the server ends a transaction whose client says nothing: it may have been stopped, and
what it has locked, the row of the lease above all, would keep others from taking over."""
MIGRATION: Final = 3600.0
"""Seconds that an upgrade of the tables may take."""

Job = tuple[Sequence[Statement], "asyncio.Future[None] | None"]
_REFUSING: Final = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""What a start may meet: nobody answers, or whoever answers does not let us in."""
_LOST: Final = (
    OSError,  # and with it TimeoutError
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # it is shut down, or is starting
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InternalClientError,  # the driver has not noticed yet that the server has ended the connection
)


class Unreachable(Exception):
    """The database cannot be reached; nothing of the commit was written."""


class PostgresqlEngine:
    """A PostgreSQL database given by its URL."""

    def __init__(
        self,
        url: str,
        readers: int = 8,
        patience: float = 10.0,
        waiting: Callable[[Holder], None] | None = None,
    ) -> None:
        """``patience``: seconds to wait for the end of another owner; infinite for a standby, which also waits
        for the database itself. ``waiting`` is told who it is, again and again."""
        self.dialect: Dialect = asyncpg_dialect.dialect()  # type: ignore[no-untyped-call]
        self.insert: Any = dialects.insert
        self._url = url
        self._readers = readers
        self._patience = patience
        self._waiting = waiting
        self._lease = Lease()
        self._owner = False
        self._jobs: list[Job] = []
        self._wake = asyncio.Event()
        self._closing = False
        self._task: asyncio.Task[None] | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._writer: Any = None
        self._pool: Any = None
        self._number = 0
        """Of the last transaction that was begun."""

    @property
    def broken(self) -> str:
        """See :class:`Engine`: it connects anew for every transaction that finds the connection closed."""
        return self._lease.why_lost

    async def lost(self) -> str:
        """See :class:`Engine`."""
        return await self._lease.lost()

    async def open(self) -> None:
        """Connect the writer, become the owner, connect the readers. Raises ``LeaseHeld`` when another is."""
        try:
            await self._take()
            self._keeper = asyncio.create_task(self._lease.keep(self._connect), name="ringback-lease")
            self._pool = await asyncpg.create_pool(self._url, min_size=1, max_size=self._readers)
        except BaseException as error:
            await self.close()
            if isinstance(error, _REFUSING) and not isinstance(error, LeaseHeld):
                why = f"{error or type(error).__name__}"
                mend = "start the database, or correct user, password, host and name"
                raise OSError(f"RINGBACK_DATABASE_URL={shown(self._url)}: {why}: {mend}") from error
            raise
        self._task = asyncio.create_task(self._write_forever(), name="ringback-postgresql")

    async def _take(self) -> None:
        while not self._owner:
            try:
                self._writer = await self._connect()
                await self._lease.take(self._writer, self.dialect, self._patience, self._waiting)
                self._owner = True
            except _LOST as error:
                if isinstance(error, LeaseHeld) or math.isfinite(self._patience):
                    raise
                log.warning("waiting for the database: %r", error)
                await _pause()

    async def _connect(self) -> Any:
        settings = {"idle_in_transaction_session_timeout": str(IDLE)}
        return await asyncpg.connect(
            self._url, timeout=CONNECT, command_timeout=ANSWER, server_settings=settings
        )

    async def close(self) -> None:
        """Let the writer finish, give the lease back, then disconnect."""
        if self._task is not None:
            self._closing = True
            self._wake.set()
            await self._task
            self._task = None
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        if self._pool is not None:
            await self._pool.close()
        if self._writer is not None:
            with contextlib.suppress(*_LOST, asyncpg.InterfaceError):  # then the lease runs out by itself
                if self._owner and not self.broken:
                    await self._lease.give_back(self._writer)
                await self._writer.close(timeout=CONNECT)

    async def write(self, statements: Sequence[Statement]) -> None:
        """See :class:`Engine`."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._jobs.append((statements, future))
        self._wake.set()
        await future

    def write_soon(self, statements: Sequence[Statement]) -> None:
        """See :class:`Engine`."""
        self._jobs.append((statements, None))
        self._wake.set()

    async def get(self, sql: str, params: Params) -> Sequence[Any] | None:
        """See :class:`Engine`."""
        row = await self._read(self._pool.fetchrow, sql, params)
        return None if row is None else tuple(row)

    async def rows(self, sql: str, params: Params) -> Sequence[Sequence[Any]]:
        """See :class:`Engine`."""
        return [tuple(row) for row in await self._read(self._pool.fetch, sql, params)]

    async def _read(self, fetch: Callable[..., Any], sql: str, params: Params) -> Any:
        end = asyncio.get_running_loop().time() + RETRY_FOR
        while True:
            try:
                return await fetch(sql, *params)
            except _LOST:
                if asyncio.get_running_loop().time() > end:
                    raise
            await _pause()

    async def script(self, sql: str) -> None:
        """See :class:`Engine`; called before the first write only."""
        await self._begin()
        try:
            await self._writer.execute(sql, timeout=MIGRATION)
            await self._writer.execute("COMMIT")
        except BaseException:
            self._writer.terminate()  # and nothing of it is kept
            raise

    async def _write_forever(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._jobs:
                group, self._jobs = self._jobs[:GROUP_LIMIT], self._jobs[GROUP_LIMIT:]
                error = await self._transaction([one for statements, _ in group for one in statements])
                if error is None or len(group) == 1 or isinstance(error, OwnershipLost | Unreachable):
                    results: list[Exception | None] = [error] * len(group)
                else:  # a failing caller must not fail the others
                    results = [await self._transaction(statements) for statements, _ in group]
                for (_, future), problem in zip(group, results, strict=True):
                    settle(future, problem)
            if self._closing:
                return

    async def _transaction(self, statements: Sequence[Statement]) -> Exception | None:
        """One transaction; the connection may be lost meanwhile. Gives why it did not take place."""
        self._number += 1
        end = asyncio.get_running_loop().time() + RETRY_FOR
        sent = False
        """``COMMIT`` is on its way, and no answer has come."""
        while not self.broken:
            try:
                if self._writer.is_closed():
                    self._writer = await self._connect()
                if sent and await self._lease.last_commit(self._writer) == self._number:
                    return None
                sent = False
                await self._begin()
                await self._run(statements)
                sent = True
                await self._writer.execute("COMMIT")
            except Exception as error:  # noqa: BLE001 - handed to the caller that it belongs to
                if not self._is_lost(error):
                    return await self._undone(error)
                self._writer.terminate()
                log.warning("the connection to the database was lost: %r", error)
                if asyncio.get_running_loop().time() > end:
                    if not sent:
                        return Unreachable(f"the database cannot be reached: {error!r}")
                    # Nobody may be told that it was written, nor that it was not: a restart reads what is true.
                    self._lease.lose(f"for {RETRY_FOR:.0f} s it does not say whether a commit took place")
            else:
                return None
            await _pause()
        return OwnershipLost(self.broken)

    async def _begin(self) -> None:
        if await self._writer.execute(self._lease.fence(self._number)) != "UPDATE 1":
            self._lease.lose("another has taken it over")
            raise OwnershipLost(self.broken)

    async def _run(self, statements: Sequence[Statement]) -> None:
        for sql, params in batches(statements):
            if sql.startswith(ONE_ROW):  # executemany does not say how many rows each has found
                for one in params:
                    if not (await self._writer.execute(sql, *one)).endswith(" 1"):
                        raise Stale("somebody else has written the record")
            elif len(params) == 1:
                await self._writer.execute(sql, *params[0])
            else:
                await self._writer.executemany(sql, params)

    def _is_lost(self, error: Exception) -> bool:
        return isinstance(error, _LOST) or bool(self._writer.is_closed())

    async def _undone(self, error: Exception) -> Exception:
        """Roll back after an error that is an answer: nothing was written."""
        try:
            await self._writer.execute("ROLLBACK")
        except Exception:  # noqa: BLE001 - the server rolls back when the connection ends
            self._writer.terminate()
        return Conflict(str(error)) if isinstance(error, asyncpg.IntegrityConstraintViolationError) else error


async def _pause() -> None:
    await asyncio.sleep(PAUSE * random.uniform(0.5, 1.0))  # noqa: S311 - no secret; two must not march in step
