"""Bringing the tables up to date at the start.

A new database gets the tables as they are declared; a test proves that the revisions amount to the same. For an
older one Alembic writes the SQL (its offline mode) and our own engine runs it: so both databases need no second
driver, and only an upgrade imports Alembic (12 MB).
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from ringback.store.engine import Engine, metadata_ddl

HEAD = "0010"
"""The newest revision in ``migrations/versions``; a test compares."""

_SCRIPTS = Path(__file__).parent / "migrations"


class DatabaseTooNew(OSError):
    """The database was written by a newer Ringback."""


async def upgrade(engine: Engine, metadata: sa.MetaData) -> None:
    """Make the tables, or run the missing revisions, in one transaction. Raises :class:`DatabaseTooNew`."""
    current = await _revision(engine)
    if current == HEAD:
        return
    if current:
        await engine.script(upgrade_sql(engine.dialect, current))
    else:
        await engine.script(metadata_ddl(metadata, engine.dialect) + _stamp(current))


def upgrade_sql(dialect: Any, current: str) -> str:
    """The SQL from revision ``current`` (empty: nothing there yet) to :data:`HEAD`."""
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(_SCRIPTS))
    if current and current not in {each.revision for each in scripts.walk_revisions()}:
        raise DatabaseTooNew(
            f"the database is at revision {current}, this Ringback knows {HEAD} as the newest: run the newer Ringback "
            "that wrote it, or restore a backup"
        )
    out = io.StringIO()
    context = MigrationContext.configure(dialect=dialect, opts={"as_sql": True, "output_buffer": out})
    with Operations.context(context):
        for each in reversed(list(scripts.iterate_revisions(HEAD, current or "base"))):
            each.module.upgrade()
    return out.getvalue() + _stamp(current)


def _stamp(current: str) -> str:
    if current:
        return f"UPDATE alembic_version SET version_num = '{HEAD}';\n"  # noqa: S608 - our own constant
    return (
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY);\n"
        f"INSERT INTO alembic_version VALUES ('{HEAD}');\n"
    )


async def _revision(engine: Engine) -> str:
    if engine.dialect.name == "sqlite":
        known = "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
    else:
        known = (
            "SELECT 1 FROM pg_tables WHERE tablename = 'alembic_version' AND schemaname = current_schema()"
        )
    if not await engine.rows(known, ()):
        return ""
    rows = await engine.rows("SELECT version_num FROM alembic_version", ())
    return str(rows[0][0]) if rows else ""
