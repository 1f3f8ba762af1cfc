"""What old rows are removed by that are no records, and how large the database is."""

from __future__ import annotations

from typing import Final

from ringback.store.engine import Engine
from ringback.store.sql import Statement

SAMPLE: Final = 200
"""Entries whose size is looked at."""
PAGES: Final = 100
"""Free pages that SQLite gives back in one go (0.4 MB): some milliseconds."""


class Pruning:
    """The store's own tables: the ledger of requests, messages that were set aside, free pages."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sqlite = engine.dialect.name == "sqlite"

    def _mark(self, number: int) -> str:
        return f"?{number}" if self._sqlite else f"${number}"

    async def ledger(self) -> tuple[int, int]:
        """Entries and bytes of the ledger, roughly: the ids have few gaps, and the last entries stand for all."""
        found = await self._engine.rows("SELECT MIN(id), MAX(id) FROM http_events", ())
        first, last = found[0]
        if first is None:
            return 0, 0
        size = "LENGTH(packed)" if self._sqlite else "OCTET_LENGTH(packed)"
        texts = "LENGTH(entry)" if self._sqlite else "OCTET_LENGTH(entry)"
        half = f"SELECT {texts} + COALESCE({size}, 0) + 80 FROM (SELECT entry, packed FROM http_events ORDER BY id"  # noqa: S608
        sizes: list[int] = []
        for order in ("", " DESC"):
            rows = await self._engine.rows(f"{half}{order} LIMIT {SAMPLE}) AS few", ())
            sizes += [int(row[0]) for row in rows]
        entries = int(last) - int(first) + 1
        return entries, entries * sum(sizes) // max(1, len(sizes))

    async def forget_requests(self, before: float, entries: int, most: int) -> int:
        """Remove the oldest entries: those before a time (Unix seconds), and ``entries`` whatever their age; at most
        ``most``. Gives how many."""
        rows = await self._engine.rows(f"SELECT id, at FROM http_events ORDER BY id LIMIT {most:d}", ())  # noqa: S608
        last = None
        gone = 0
        for number, (row, at) in enumerate(rows):
            if number >= entries and float(at) >= before:
                break
            last, gone = int(row), gone + 1
        if last is not None:
            sql = f"DELETE FROM http_events WHERE id <= {self._mark(1)}"  # noqa: S608 - a mark
            await self._engine.write([Statement(sql, (last,), "http_events")])
        return gone

    async def forget_messages(self, before: str) -> None:
        """Remove the messages that were set aside and have an SID below this one."""
        sql = f"DELETE FROM messages WHERE failed IS NOT NULL AND sid < {self._mark(1)}"  # noqa: S608 - a mark
        await self._engine.write([Statement(sql, (before,), "messages")])

    async def give_back(self) -> None:
        """SQLite: shrink the file by some free pages, in a file that was made for that (all new ones)."""
        if self._sqlite:
            await self._engine.write([Statement(f"PRAGMA incremental_vacuum({PAGES})", (), "")])

    async def bytes(self) -> int:
        """Of the whole database."""
        if self._sqlite:
            rows = await self._engine.rows(
                "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size", ()
            )
        else:
            rows = await self._engine.rows("SELECT pg_database_size(current_database())", ())
        return int(rows[0][0])

    async def free_bytes(self) -> int:
        """Of that, what SQLite will use again; 0 for PostgreSQL, which tells nobody."""
        if not self._sqlite:
            return 0
        sql = "SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size"
        return int((await self._engine.rows(sql, ()))[0][0])
