"""PostgreSQL by asyncpg: one writer connection with group commit, a pool for reads.

While one transaction is under way, further commits gather; they then share the next one. Equal statements
of a group are sent together (``executemany`` is one round trip).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import asyncpg
from sqlalchemy.dialects import postgresql as dialects
from sqlalchemy.dialects.postgresql import asyncpg as asyncpg_dialect
from sqlalchemy.engine.interfaces import Dialect

from ringback.store.engine import GROUP_LIMIT, settle
from ringback.store.sql import Params, Statement, batches
from ringback.store.writes import Conflict

Job = tuple[Sequence[Statement], "asyncio.Future[None] | None"]


class PostgresqlEngine:
    """A PostgreSQL database given by its URL."""

    def __init__(self, url: str, readers: int = 8) -> None:
        self.dialect: Dialect = asyncpg_dialect.dialect()  # type: ignore[no-untyped-call]
        self.insert: Any = dialects.insert
        self._url = url
        self._readers = readers
        self._jobs: list[Job] = []
        self._wake = asyncio.Event()
        self._closing = False
        self._task: asyncio.Task[None] | None = None
        self._writer: Any = None
        self._pool: Any = None

    @property
    def broken(self) -> str:
        """See :class:`Engine`: it connects anew for every transaction that finds the connection closed."""
        return ""

    async def open(self) -> None:
        """Connect writer and pool."""
        self._writer = await asyncpg.connect(self._url)
        self._pool = await asyncpg.create_pool(self._url, min_size=1, max_size=self._readers)
        self._task = asyncio.create_task(self._write_forever(), name="ringback-postgresql")

    async def close(self) -> None:
        """Let the writer finish, then disconnect."""
        if self._task is not None:
            self._closing = True
            self._wake.set()
            await self._task
            self._task = None
        if self._pool is not None:
            await self._pool.close()
        if self._writer is not None:
            await self._writer.close()

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
        row = await self._pool.fetchrow(sql, *params)
        return None if row is None else tuple(row)

    async def rows(self, sql: str, params: Params) -> Sequence[Sequence[Any]]:
        """See :class:`Engine`."""
        return [tuple(row) for row in await self._pool.fetch(sql, *params)]

    async def script(self, sql: str) -> None:
        """See :class:`Engine`; called before the first write only."""
        async with self._writer.transaction():
            await self._writer.execute(sql)

    async def _write_forever(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._jobs:
                group, self._jobs = self._jobs[:GROUP_LIMIT], self._jobs[GROUP_LIMIT:]
                error = await self._transaction([one for statements, _ in group for one in statements])
                if error is None or len(group) == 1:
                    results: list[Exception | None] = [error] * len(group)
                else:  # a failing caller must not fail the others
                    results = [await self._transaction(statements) for statements, _ in group]
                for (_, future), problem in zip(group, results, strict=True):
                    settle(future, problem)
            if self._closing:
                return

    async def _transaction(self, statements: Sequence[Statement]) -> Exception | None:
        try:
            if self._writer.is_closed():
                self._writer = await asyncpg.connect(self._url)
            async with self._writer.transaction():
                for sql, params in batches(statements):
                    if len(params) == 1:
                        await self._writer.execute(sql, *params[0])
                    else:
                        await self._writer.executemany(sql, params)
        except asyncpg.IntegrityConstraintViolationError as error:
            return Conflict(str(error))
        except Exception as error:  # noqa: BLE001 - handed to the caller that it belongs to
            return error
        return None
