"""The store for who serves requests: their caller can come again, and so hears soon that nothing can be done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy.engine.interfaces import Dialect

from ringback.store.backlog import HURRY, Backlog
from ringback.store.engine import Engine
from ringback.store.sql import Params, Statement
from ringback.store.writes import Unavailable

LAST: Final = 0.5
"""Seconds that a read may take when the trouble has lasted longer than a request waits."""
T = TypeVar("T")


class HurriedEngine:
    """An engine that says :class:`Unavailable` where the other waits."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.dialect: Dialect = engine.dialect
        self.insert: Any = engine.insert
        self.backlog: Backlog = engine.backlog

    @property
    def broken(self) -> str:
        """See :class:`Engine`."""
        return self._engine.broken

    async def lost(self) -> str:
        """See :class:`Engine`."""
        return await self._engine.lost()

    async def open(self) -> None:
        """It is open already."""

    def watch(self) -> None:
        """Somebody does already."""

    async def close(self) -> None:
        """Whoever has opened it closes it."""

    async def write(
        self,
        statements: Sequence[Statement],
        *,
        told: Callable[[Exception | None], None] | None = None,
        hurried: bool = True,
    ) -> bool:
        """See :class:`Engine`."""
        return await self._engine.write(statements, told=told, hurried=hurried)

    def write_soon(self, statements: Sequence[Statement]) -> None:
        """See :class:`Engine`."""
        self._engine.write_soon(statements)

    async def get(self, sql: str, params: Params) -> Sequence[Any] | None:
        """See :class:`Engine`."""
        return await self._read(self._engine.get(sql, params))

    async def few(self, sql: str, params: Params) -> Sequence[Sequence[Any]]:
        """See :class:`Engine`."""
        return await self._read(self._engine.few(sql, params))

    async def rows(self, sql: str, params: Params) -> Sequence[Sequence[Any]]:
        """See :class:`Engine`."""
        return await self._read(self._engine.rows(sql, params))

    async def script(self, sql: str) -> None:
        """See :class:`Engine`."""
        await self._engine.script(sql)

    async def _read(self, asked: Awaitable[T]) -> T:
        """With a limit only while there is trouble: SQLite answers then, too, PostgreSQL may not."""
        if not self.backlog.why:
            return await asked
        try:
            return await asyncio.wait_for(asked, LAST if self.backlog.refusing else HURRY)
        except TimeoutError:
            raise Unavailable(self.backlog.why or "the database did not answer") from None
