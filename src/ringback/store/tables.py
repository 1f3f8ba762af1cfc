"""Tables: one for each declared noun, and those of the runtime. SQLAlchemy Core; no ORM."""

from __future__ import annotations

import functools
from typing import Any

import sqlalchemy as sa

from ringback.kernel.resource import Field, Noun, Record

_TYPES: dict[str, sa.types.TypeEngine[Any]] = {
    "str": sa.Text(),
    "int": sa.BigInteger(),
    "float": sa.Double(),
    "bool": sa.Boolean(),
    "json": sa.Text(),
}
VERSION = "row_version"
"""The last column of every noun's table: counts its writes, and is known to nobody above the store."""


@functools.cache
def tables(nouns: tuple[type[Record], ...]) -> sa.MetaData:
    """Describe the whole database; nobody changes the description, so it is made once."""
    metadata = sa.MetaData()
    for record in nouns:
        if record.__noun__.stored:
            _noun_table(metadata, record)
    sa.Table(
        "outbox",
        metadata,
        sa.Column("sid", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    sa.Table(
        "messages",
        metadata,
        sa.Column("sid", sa.Text, primary_key=True),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("failed", sa.Text, nullable=True),
    )
    sa.Table(
        "timers",
        metadata,
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("lane", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("due", sa.Double, nullable=False),
    )
    sa.Table(
        "http_events",
        metadata,
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("resource_sid", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("entry", sa.Text, nullable=False),  # of rows that are older than ``packed``; else empty
        sa.Column("packed", sa.LargeBinary, nullable=True),
        sa.Index("ix_http_events_resource", "resource_sid", "id"),
    )
    sa.Table(  # lease.py; SQLite has a lock on a file in its place and leaves it empty
        "leases",
        metadata,
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("pid", sa.BigInteger, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("since", sa.Double, nullable=False),
        sa.Column("expires", sa.Double, nullable=False),
        sa.Column("commits", sa.BigInteger, nullable=False),
    )
    return metadata


def _noun_table(metadata: sa.MetaData, record: type[Record]) -> None:
    noun = record.__noun__
    columns = [
        sa.Column(field.key, _TYPES[field.kind], primary_key=field.name == "sid", nullable=field.optional)
        for field in noun.fields
    ]
    version = sa.Column(VERSION, sa.BigInteger, nullable=False, server_default="1")
    table = sa.Table(noun.table, metadata, *columns, version)
    sa.Index(f"ix_{noun.table}_account", table.c.account_sid, table.c.sid)
    for field in noun.fields:
        _field_index(table, noun, field)


def _field_index(table: sa.Table, noun: Noun, field: Field) -> None:
    name = f"{table.name}_{field.key}"
    if field.unique == "everywhere":
        sa.Index(f"uq_{name}", table.c[field.key], unique=True)
    elif field.unique:
        owner = "account_sid" if field.unique == "account" else noun.by_name[field.unique].key
        sa.Index(f"uq_{name}", table.c[field.key], table.c[owner], unique=True)
    elif isinstance(field.index, str):
        # All that such a list asks for, in its order: a page deep in it is as near as the first.
        owner = noun.by_name[field.index].key
        sa.Index(f"ix_{name}", table.c[owner], table.c.account_sid, table.c[field.key], table.c.sid)
    elif field.index:
        # With the SID as its last column the index also gives the order of lists: without it SQLite prefers to
        # walk the whole account.
        sa.Index(f"ix_{name}", table.c[field.key], table.c.account_sid, table.c.sid)
