"""What the store needs of a database; ``sqlite.py`` and ``postgresql.py`` are the two of them."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import Dialect

from ringback.store.backlog import Backlog
from ringback.store.sql import Params, Statement

GROUP_LIMIT = 512
"""Commits that share one transaction at most."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who owns a database, for messages."""

    host: str
    pid: int
    since: float
    """Unix seconds by the database's clock."""
    left: float
    """Seconds until this ends unless it is renewed."""

    def __str__(self) -> str:
        since = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(self.since))
        return f"process {self.pid} on {self.host} since {since}"


class Engine(Protocol):
    """One database. Writes go through one connection in the order given; many share a transaction."""

    dialect: Dialect
    insert: Any
    """SQLAlchemy's ``insert`` of the dialect."""
    backlog: Backlog
    """What is handed in and not answered yet, and how the database is."""

    @property
    def broken(self) -> str:
        """Why nothing can be written any more; empty: it can."""

    async def lost(self) -> str:
        """Wait until this process no longer owns the database; gives why. Nothing can be written then."""

    async def open(self) -> None:
        """Connect; raises ``OSError`` or the driver's error when it cannot."""

    def watch(self) -> None:
        """After ``script``: look, from now on, whether it can be written, also while nobody writes."""

    async def close(self) -> None:
        """Finish what was handed in, then disconnect."""

    async def write(
        self,
        statements: Sequence[Statement],
        *,
        told: Callable[[Exception | None], None] | None = None,
        hurried: bool = False,
    ) -> bool:
        """Write all or nothing, on disk (as the durability setting says) when it returns True.

        While the database cannot be written it waits; with ``told`` it gives False instead, the write is kept, and
        ``told`` hears its end; ``hurried`` raises ``Unavailable`` after a few seconds. Raises ``Unavailable`` too when
        more waits than memory is given, ``Conflict`` for a broken unique key, ``Stale`` when a text that begins with
        ``ONE_ROW`` finds another number of rows, ``OwnershipLost`` when another process owns the database by now.
        """

    def write_soon(self, statements: Sequence[Statement]) -> None:
        """The same, without telling the end; it is kept while the database is away, failures are logged."""

    async def get(self, sql: str, params: Params) -> Sequence[Any] | None:
        """One row by its key: the hot path."""

    async def few(self, sql: str, params: Params) -> Sequence[Sequence[Any]]:
        """A few dozen rows at most, found by an index: as quick as one."""

    async def rows(self, sql: str, params: Params) -> Sequence[Sequence[Any]]:
        """Many rows."""

    async def script(self, sql: str) -> None:
        """Run statements (a migration) in one transaction."""


@functools.cache
def metadata_ddl(metadata: sa.MetaData, dialect: Dialect) -> str:
    """``CREATE`` statements of all tables: what the migrations must amount to."""
    parts: list[str] = []
    for table in metadata.sorted_tables:
        known = (
            table.name == "leases"
        )  # on PostgreSQL it is there already: who makes the others holds the lease
        parts.append(str(sa.schema.CreateTable(table, if_not_exists=known).compile(dialect=dialect)))
        parts.extend(
            str(sa.schema.CreateIndex(index).compile(dialect=dialect))
            for index in sorted(table.indexes, key=lambda one: str(one.name))
        )
    return ";\n".join(parts) + ";\n"
