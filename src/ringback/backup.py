"""``ringback backup``: a copy of everything that is kept, made while the server runs.

The copy is a data directory of its own: ``ringback serve --data-dir COPY`` starts from it. The database is copied
first, so that every recording that it names is among the files, which are copied after it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qsl, unquote, urlsplit

import typer

from ringback.command_line import ConfigOption, DataDirOption, refuse, settings_of
from ringback.settings import Settings

CACHES = frozenset({"speech", "sounds", "spoken"})
"""Folders of the data directory that are made again when they are missing."""


class BackupFailed(Exception):
    """There is no backup; the message says why and what to do."""


def backup(settings: Settings, target: Path) -> list[str]:
    """Copy database, recordings, notes and credentials into the new folder ``target``; gives what was copied, in words.

    Raises :class:`BackupFailed`; what was copied until then is removed. Blocking.
    """
    source = settings.data_dir
    if not (source / "credentials.json").exists():
        raise BackupFailed(f"there is nothing to copy in {source}: set RINGBACK_DATA_DIR as for the server")
    if target.resolve().is_relative_to(source.resolve()):
        raise BackupFailed(f"{target} is in the data directory itself: write a folder outside of {source}")
    try:
        target.mkdir(mode=0o700, parents=True)
    except OSError as error:
        raise BackupFailed(f"{target}: {error.strerror}: write a folder that is not there yet") from None
    try:
        return [_database(settings, target), *_files(source, target)]
    except (OSError, sqlite3.Error, subprocess.CalledProcessError) as error:
        shutil.rmtree(target, ignore_errors=True)
        told = error.stderr.strip() if isinstance(error, subprocess.CalledProcessError) else error
        raise BackupFailed(f"{target} is removed again, it was not finished: {told}") from None
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise


def _database(settings: Settings, target: Path) -> str:
    if not settings.store_url.startswith("sqlite:///"):
        return _dump(settings.store_url, target / "ringback.sql")
    copy = target / "ringback.db"
    os.close(os.open(copy, os.O_CREAT | os.O_WRONLY, 0o600))
    original = Path(settings.store_url.removeprefix("sqlite:///"))
    if not original.exists():
        raise FileNotFoundError(f"{original} does not exist")
    with (
        contextlib.closing(sqlite3.connect(original, timeout=30)) as database,
        contextlib.closing(sqlite3.connect(copy)) as made,
    ):
        database.backup(
            made
        )  # in one read: in parts it would begin again at every write, and writers do not wait
        (found,) = made.execute("PRAGMA quick_check").fetchone()
        if found != "ok":
            raise sqlite3.DatabaseError(f"the copy of the database is damaged: {found}")
    return f"the database, {_megabytes(copy.stat().st_size)}"


def _dump(url: str, copy: Path) -> str:
    """PostgreSQL's own tool, which must not be older than the server."""
    if shutil.which("pg_dump") is None:
        raise FileNotFoundError(
            "pg_dump is not here: install PostgreSQL's client programs (postgresql-client)"
        )
    os.close(os.open(copy, os.O_CREAT | os.O_WRONLY, 0o600))
    subprocess.run(
        ["pg_dump", "--no-owner", "--no-privileges", f"--file={copy}"],
        env={**os.environ, **_libpq(url)}, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return f"the database as SQL, {_megabytes(copy.stat().st_size)}"


def _libpq(url: str) -> dict[str, str]:
    """The URL as PostgreSQL's variables: arguments can be read by everybody on the machine."""
    parts = urlsplit(url)
    found = {
        "PGHOST": parts.hostname, "PGPORT": parts.port and str(parts.port), "PGUSER": parts.username,
        "PGPASSWORD": parts.password, "PGDATABASE": parts.path.lstrip("/"),
    }  # fmt: skip
    asked = {
        f"PG{name.upper()}": value
        for name, value in parse_qsl(parts.query)
        if name in ("host", "port", "sslmode")
    }
    return {name: unquote(value) for name, value in found.items() if value} | asked


def _files(source: Path, target: Path) -> Iterator[str]:
    """Everything else; files that end their life meanwhile are no loss."""
    for one in sorted(source.iterdir()):
        if one.name.startswith("ringback.db") or one.name in CACHES or one.suffix == ".new":
            continue
        if one.is_dir():
            count, size = 0, 0
            for path in sorted(one.rglob("*")):
                copy = target / path.relative_to(source)
                if path.is_dir():
                    copy.mkdir(parents=True, exist_ok=True)
                    continue
                copy.parent.mkdir(parents=True, exist_ok=True)
                with contextlib.suppress(FileNotFoundError):
                    shutil.copy2(path, copy)
                    count, size = count + 1, size + copy.stat().st_size
            yield f"{one.name}, {count} files, {_megabytes(size)}"
        else:
            shutil.copy2(one, target / one.name)
            yield one.name


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


def command(
    target: Annotated[Path, typer.Argument(help="The folder to make; it must not be there yet.")],
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Copy everything that is kept, while the server runs; the copy is a data directory to start from."""
    settings = settings_of(config, data_dir)
    try:
        for line in backup(settings, target):
            typer.echo(f"  {line}")
    except BackupFailed as error:
        refuse(error, 1)
    typer.echo(f"backed up to {target}")
