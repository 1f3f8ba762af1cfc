"""The ledger of requests: rows are packed; those of before that are JSON texts.

Packing takes longer than everything else about an entry, so with SQLite the writer process does it (``PACK`` in the
statement); with PostgreSQL nobody else can.
"""

from __future__ import annotations

from typing import Final

import msgspec

from ringback.store.packing import pack, unpack
from ringback.store.sql import Params, Statement
from ringback.store.writes import LogHttp

TABLE: Final = "http_events"
# By writers that die the same row may be written twice.
_SQLITE: Final = (
    "INSERT OR REPLACE INTO http_events (id, resource_sid, at, entry, packed) "
    "VALUES (?1, ?2, ?3, '', PACK(?4))"
)
_POSTGRESQL: Final = (
    "INSERT INTO http_events (id, resource_sid, at, entry, packed) VALUES ($1, $2, $3, '', $4) "
    "ON CONFLICT (id) DO NOTHING"
)
_dump = msgspec.json.Encoder().encode
_load = msgspec.json.Decoder(LogHttp).decode


def row(number: int, entry: LogHttp, dialect: str) -> Statement:
    """What writes an entry."""
    text = _dump(entry)
    if dialect == "sqlite":
        return Statement(_SQLITE, (number, entry.resource_sid, entry.at, text), TABLE)
    params: Params = (number, entry.resource_sid, entry.at, pack(text))
    return Statement(_POSTGRESQL, params, TABLE)


def read(entry: str, packed: bytes | None) -> LogHttp:
    """The entry of a row: ``packed``, or the text of a row of before. Raises ``ValueError`` for another version's."""
    return _load(entry if packed is None else unpack(bytes(packed)))
