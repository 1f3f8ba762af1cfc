"""The process that writes to SQLite: it dies, it is refused the file, its parent dies."""

from __future__ import annotations

import asyncio
import marshal
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ringback.processes import frames
from ringback.store import sql, sqlite_process, sqlite_writer
from ringback.store.sql import Statement
from ringback.store.sqlite import SqliteEngine
from ringback.store.sqlite_process import WriteFailed, WriterLost
from ringback.store.sqlite_writer import frame, unframe

INSERT = "INSERT INTO t VALUES (?, ?) ON CONFLICT (a) DO UPDATE SET b = excluded.b"


async def opened(tmp_path: Path) -> SqliteEngine:
    engine = SqliteEngine(str(tmp_path / "db"), patience=0.1)
    await engine.open()
    await engine.script("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT NOT NULL);")
    return engine


def row(number: int, text: str | None = "x") -> Statement:
    return Statement(INSERT, (number, text), "t")


def killed(engine: SqliteEngine) -> None:
    link = engine._writer.keeper.link
    assert link is not None
    link.kill()


async def test_a_writer_that_dies_is_replaced_and_nothing_is_lost(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    engine = await opened(tmp_path)
    writes = []
    for number in range(300):
        writes.append(asyncio.ensure_future(engine.write([row(number, "old")])))
        writes.append(asyncio.ensure_future(engine.write([row(number, f"new {number}")])))
        if number in (100, 200):
            await asyncio.sleep(0)
            killed(engine)
            await asyncio.wait(writes[:1])
    await asyncio.gather(*writes)
    found = await engine.rows("SELECT a, b FROM t ORDER BY a", ())
    assert [tuple(each) for each in found] == [(number, f"new {number}") for number in range(300)]
    assert "starting another" in caplog.text
    await engine.close()


async def test_a_writer_that_keeps_dying_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = await opened(tmp_path)
    broken = tmp_path / "broken.py"
    broken.write_text("raise SystemExit(3)")
    monkeypatch.setattr(sqlite_process.sqlite_writer, "__file__", str(broken))
    assert not engine.broken
    killed(engine)
    with pytest.raises(WriterLost):
        await engine.write([row(1)])
    with pytest.raises(WriterLost):
        await engine.write([row(2)])
    assert engine.broken
    await engine.close()


async def test_a_failing_write_says_why(tmp_path: Path) -> None:
    engine = await opened(tmp_path)
    with pytest.raises(WriteFailed, match="no such table"):
        await engine.write([Statement("INSERT INTO nowhere VALUES (1)", (), "nowhere")])
    with pytest.raises(WriteFailed, match="OverflowError"):
        await engine.write([row(2**70)])
    await engine.write([row(1)])
    await engine.close()


async def test_a_file_has_one_writer(tmp_path: Path) -> None:
    engine = await opened(tmp_path)
    with pytest.raises(OSError, match="another Ringback is running"):
        await SqliteEngine(str(tmp_path / "db"), patience=0.1).open()
    await engine.close()
    again = SqliteEngine(str(tmp_path / "db"), patience=0.1)
    await again.open()
    await again.close()


async def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        await SqliteEngine(str(tmp_path / "none" / "db"), patience=0.1).open()


def test_what_a_killed_parent_handed_in_is_written(tmp_path: Path) -> None:
    path = str(tmp_path / "db")
    ours, theirs = socket.socketpair()
    with theirs:
        writer = subprocess.Popen(
            [sys.executable, "-I", "-S", sqlite_writer.__file__, str(theirs.fileno()), path, "NORMAL", "1"],
            pass_fds=(theirs.fileno(),),
        )
    with ours:
        assert list(unframe(bytearray(ours.recv(100)))) == [b""]
        texts = {0: "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT NOT NULL)", 1: INSERT}
        jobs = [(0, [(0, ())])] + [(number, [(1, (number, "y" * 1000))]) for number in range(1, 3000)]
        ours.sendall(frame(marshal.dumps((texts, jobs, False))))
    os.kill(writer.pid, signal.SIGTERM)  # as a service manager would: it ends when all is written
    assert writer.wait(20) == 0
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT COUNT(*) FROM t").fetchone() == (2999,)
    database.close()


def test_the_writer_takes_texts_apart_where_they_are_joined() -> None:
    assert sqlite_writer.PART == sql.PART


def test_its_frames_are_those_of_every_link() -> None:
    data = frame(b"one") + frame(b"") + frame(b"two")
    assert data == frames.frame(b"one") + frames.frame(b"") + frames.frame(b"two")
    buffer = bytearray()
    found = []
    for at in range(len(data)):
        buffer += data[at : at + 1]
        found += list(unframe(buffer))
    assert found == frames.Frames().feed(data) == [b"one", b"", b"two"]
    assert not buffer


def test_the_log_is_emptied_beside_the_commits_and_begins_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_writer, "CHECKPOINT", 100)
    monkeypatch.setattr(sqlite_writer, "REST_PAGES", 50)
    path = tmp_path / "it.db"
    connection, other, reader = (sqlite_writer.connect(str(path), "NORMAL") for _ in range(3))
    connection.execute("CREATE TABLE t (k INTEGER PRIMARY KEY, v TEXT)")
    checkpoints = sqlite_writer.Checkpoints(other)
    writer = sqlite_writer.Writer(connection, checkpoints)
    writer.texts[0] = ["INSERT INTO t (v) VALUES (?)"]

    def write(count: int) -> int:
        """Commits of a page and more; gives the bytes of the log."""
        for number in range(count):
            assert writer.write([(number, [(0, ("x" * 4000,))])]) == (1, {}, "")
        return (tmp_path / "it.db-wal").stat().st_size

    long = write(110)
    reader.execute("BEGIN")
    reader.execute("SELECT COUNT(*) FROM t").fetchone()
    write(1)  # it comes while what was there before is moved
    other.execute(sqlite_writer.MOVE).fetchone()
    reader.execute("COMMIT")
    checkpoints.rest = True
    write(1)
    assert not checkpoints.rest
    assert write(20) < long + 40_000, "it was not begun anew"
    checkpoints.start()
    end = time.monotonic() + 20.0
    while not checkpoints.rest:
        write(1)
        assert time.monotonic() < end, "nobody empties it"
        time.sleep(0.01)
    connection.close()
