"""PostgreSQL by asyncpg: one writer connection with group commit, a pool for reads.

While one transaction is under way, further commits gather; they then share the next one. Equal statements
of a group are sent together (``executemany`` is one round trip).

Only the owner writes (``lease.py``). A connection that is lost is made anew, for as long as it takes: a group that did
not get to its ``COMMIT`` is sent again; of one that did, the database is asked whether it took place. What waits
meanwhile is kept (``backlog.py``).
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
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
from ringback.store.backlog import QUIET, TICK, Backlog, Job, weight
from ringback.store.engine import GROUP_LIMIT, Holder
from ringback.store.lease import Lease, LeaseHeld
from ringback.store.sql import ONE_ROW, Params, Statement, batches
from ringback.store.writes import Conflict, OwnershipLost, Stale, Unavailable

log = logging.getLogger("ringback.store")

RETRY_FOR: Final = 30.0
"""Seconds for which a read waits for a database that cannot be reached (a restart takes a few)."""
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

READ: Final = 5.0
"""Seconds that a read may take before its connection counts as lost."""
STOP: Final = 5.0
"""Seconds that a stop waits for a database that cannot be written."""

_REFUSING: Final = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""What a start may meet: nobody answers, or whoever answers does not let us in."""
_LOST: Final = (
    OSError,  # and with it TimeoutError
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # it is shut down, or is starting
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InsufficientResourcesError,  # the disk is full, no memory, too many connections
    asyncpg.PostgresSystemError,  # it cannot read or write its files
    asyncpg.ReadOnlySQLTransactionError,  # it is being switched over to another
    asyncpg.InternalClientError,  # the driver has not noticed yet that the server has ended the connection
)


DIALECT: Dialect = asyncpg_dialect.dialect()  # type: ignore[no-untyped-call]
"""One for all: what is compiled for it is kept."""


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
        self.dialect: Dialect = DIALECT
        self.insert: Any = dialects.insert
        self._url = url
        self._readers = readers
        self._patience = patience
        self._waiting = waiting
        self._lease = Lease()
        self._owner = False
        self.backlog = Backlog("postgresql", _weigh)
        self._wake = asyncio.Event()
        self._closing = False
        self._task: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None
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
            self._pool = await asyncpg.create_pool(
                self._url, min_size=0, max_size=self._readers, timeout=CONNECT, command_timeout=READ
            )
        except BaseException as error:
            await self.close()
            if isinstance(error, _REFUSING) and not isinstance(error, LeaseHeld):
                why = f"{error or type(error).__name__}"
                mend = "start the database, or correct user, password, host and name"
                raise OSError(f"RINGBACK_DATABASE_URL={shown(self._url)}: {why}: {mend}") from error
            raise
        self._task = asyncio.create_task(self._write_forever(), name="ringback-postgresql")

    def watch(self) -> None:
        """See :class:`Engine`."""
        self._watch = asyncio.create_task(self._watch_over(), name="ringback-postgresql-watch")

    async def _watch_over(self) -> None:
        """Whether it answers, also while nobody writes."""
        loop = asyncio.get_running_loop()
        while not self.broken:
            await asyncio.sleep(TICK)
            self.backlog.tick()
            if not self.backlog.jobs and loop.time() - self.backlog.answered_at >= QUIET:
                self.write_soon(())

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
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.wait([self._watch])
        if self._task is not None:
            self._closing = True
            self._wake.set()
            await asyncio.wait([self._task], timeout=STOP)
            if self.backlog.jobs:
                log.critical("%d writes are lost: %s", len(self.backlog.jobs), self.backlog.why)
                self.backlog.fail(Unavailable("the server stopped before it could be written"))
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        if self._pool is not None:
            try:
                await asyncio.wait_for(self._pool.close(), CONNECT)
            except TimeoutError:
                self._pool.terminate()
        if self._writer is not None:
            with contextlib.suppress(*_LOST, asyncpg.InterfaceError):  # then the lease runs out by itself
                if self._owner and not self.broken:
                    await self._lease.give_back(self._writer)
                await self._writer.close(timeout=CONNECT)

    async def write(
        self,
        statements: Sequence[Statement],
        *,
        told: Callable[[Exception | None], None] | None = None,
        hurried: bool = False,
    ) -> bool:
        """See :class:`Engine`."""
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.backlog.put(Job(statements, future, told, hurried))
        self._wake.set()
        return await future

    def write_soon(self, statements: Sequence[Statement]) -> None:
        """See :class:`Engine`."""
        try:
            self.backlog.put(Job(statements, None))
        except Unavailable as error:
            log.debug("not written: %s", error)  # counted, and the trouble itself is in the log
        self._wake.set()

    async def get(self, sql: str, params: Params) -> Sequence[Any] | None:
        """See :class:`Engine`."""
        row = await self._read(self._pool.fetchrow, sql, params)
        return None if row is None else tuple(row)

    async def few(self, sql: str, params: Params) -> Sequence[Sequence[Any]]:
        """See :class:`Engine`."""
        return await self.rows(sql, params)

    async def rows(self, sql: str, params: Params) -> Sequence[Sequence[Any]]:
        """See :class:`Engine`."""
        return [tuple(row) for row in await self._read(self._pool.fetch, sql, params)]

    async def _read(self, fetch: Callable[..., Any], sql: str, params: Params) -> Any:
        end = asyncio.get_running_loop().time() + RETRY_FOR
        while True:
            try:
                return await fetch(sql, *params)
            except _LOST as error:
                if asyncio.get_running_loop().time() > end:
                    raise Unavailable(f"the database cannot be reached: {error!r}") from error
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
            while self.backlog.jobs:
                await self._group(list(itertools.islice(self.backlog.jobs, GROUP_LIMIT)))
            if self._closing:
                return

    async def _group(self, group: list[Job]) -> None:
        """Write the first jobs of the backlog as one transaction; when one of them fails, each alone."""
        error = await self._transaction(group)
        if error is None or len(group) == 1 or isinstance(error, OwnershipLost):
            for job in group:
                self.backlog.answered(job, None if job.gone else error)
        else:  # a failing caller must not fail the others
            for job in group:
                self.backlog.answered(job, None if job.gone else await self._transaction([job]))
        self.backlog.well()

    async def _transaction(self, group: Sequence[Job]) -> Exception | None:
        """One transaction; the connection may be lost meanwhile. Gives why it did not take place."""
        self._number += 1
        sent = False
        """``COMMIT`` is on its way, and no answer has come."""
        while not self.broken:
            try:
                if self._writer.is_closed():
                    self._writer = await self._connect()
                if sent and await self._lease.last_commit(self._writer) == self._number:
                    return None
                sent = False
                statements = [one for job in group if not job.gone for one in job.statements]
                if not statements:
                    await self._writer.execute("SELECT 1")
                    return None
                for job in group:
                    job.sent = True
                await self._begin()
                await self._run(statements)
                sent = True
                await self._writer.execute("COMMIT")
            except Exception as error:  # noqa: BLE001 - handed to the caller that it belongs to
                if not self._is_lost(error):
                    return await self._undone(error)
                self._writer.terminate()
                for job in group:
                    job.sent = sent
                self.backlog.ill(f"it cannot be reached: {_said(error)}")
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


def _weigh(statements: Sequence[Statement]) -> int:
    return sum(weight(each.params) for each in statements) or 64


def _said(error: Exception) -> str:
    """A driver's error in one line."""
    return f"{type(error).__name__}: {error}".removesuffix(": ")


async def _pause() -> None:
    await asyncio.sleep(PAUSE * random.uniform(0.5, 1.0))  # noqa: S311 - no secret; two must not march in step
