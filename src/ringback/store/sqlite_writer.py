"""The process that writes to SQLite: it takes groups of writes from a socket and makes a transaction of each group.

A process of its own, because a thread would contend for the interpreter lock with the event loop at every
statement (measured at 100 calls/s: a third of the main process' time). It imports the standard library alone and
is run as a file, so that it starts in 30 ms and takes 12 MB.

The first frame (``ringback.processes.frames``) says why it cannot work, empty: it can. All others hold marshalled
values. The parent sends ``(texts, jobs, again)``: new SQL texts by number, and jobs ``(number, [(text number,
parameters), …])``; the answer is ``(last, errors, trouble)``: every job up to ``last`` has ended, those in ``errors``
(number → (kind, text)) without effect. ``trouble`` says why the file cannot be written now (the disk is full, another
process has locked it); then nothing after ``last`` has been written, and nothing will be, to keep the order, until
the parent sends it ``again``.
The end of the stream ends the process when everything that came is written: so what a killed server handed in
is on disk before the next one, which waits for the lock of the file, reads.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import marshal
import os
import select
import signal
import socket
import sqlite3
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

PART = ";\n"
"""Between the statements of a text (``sql.py`` has the same; nothing of ours can be imported here)."""
ONE_ROW = "/* one row */ "
"""Begins a text that must find exactly one row (as in ``sql.py``)."""
GROUP_LIMIT = 512
"""Jobs that share one transaction at most."""
LOCK_WAIT = 500
"""Milliseconds for which a file that somebody else has locked is waited for in one try."""
STORAGE = frozenset({3, 5, 6, 7, 8, 10, 13, 14, 22})
"""SQLite's codes for what is no fault of a write and may pass: PERM, BUSY, LOCKED, NOMEM, READONLY, IOERR, FULL,
CANTOPEN, NOLFS."""
LOG_PAGES = 16_000
"""Pages (4 KiB) of the write-ahead log from which on a commit moves them into the database itself."""
CHECKPOINT = 1_000
"""Changed rows (some 4,000 pages) after which that is begun beside the commits: a disk takes 20 to 70 ms for it."""
REST_PAGES = 8_000
"""Pages in the log from which on a commit moves the few that have come meanwhile: only then it begins anew."""
LAST_TRIES = 5.0
"""Seconds for which the last writes of a killed server are tried again when the file cannot be written."""
Job = tuple[int, list[tuple[int, tuple[Any, ...]]]]
Errors = dict[int, tuple[str, str]]


class Stale(Exception):
    """A text that must find one row found none."""


def connect(path: str, synchronous: str) -> sqlite3.Connection:
    """Open the file as every connection of ours does. WAL: readers never wait for the writer."""
    # The database holds auth tokens: it is for its owner alone (its -wal and -shm files follow it).
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, cached_statements=512, timeout=10
    )
    for pragma in (
        "auto_vacuum=INCREMENTAL",  # of a new file: what is removed can be given back in small portions
        "journal_mode=WAL", f"synchronous={synchronous}", "foreign_keys=OFF", "cache_size=-8192",
        "mmap_size=0", "temp_store=MEMORY", "busy_timeout=10000", f"wal_autocheckpoint={LOG_PAGES}",
    ):  # fmt: skip
        connection.execute(f"PRAGMA {pragma}")
    return connection


MOVE = "PRAGMA wal_checkpoint(PASSIVE)"


class Checkpoints(threading.Thread):
    """Moves what is in the write-ahead log into the database while commits go on: they wait for no disk.

    What is written meanwhile stays in the log, so under steady load only a commit empties it: when it has grown long,
    and little is left to do.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        """``connection``: one of its own, to the same file."""
        super().__init__(name="ringback-checkpoints", daemon=True)
        self._connection = connection
        self._due = threading.Event()
        self._at = CHECKPOINT
        self.rest = False
        """Whether the next commit is to move the rest."""

    def follow(self, changes: int) -> None:
        """Told after commits how many rows have been changed in all."""
        if changes >= self._at:
            self._at = changes + CHECKPOINT
            self._due.set()

    def run(self) -> None:
        """Until the process ends: SQLite finds the log as it was, wherever that is."""
        while True:
            self._due.wait()
            self._due.clear()
            with contextlib.suppress(
                sqlite3.Error
            ):  # a disk in trouble: the next commit meets and reports it
                _, pages, _ = self._connection.execute(MOVE).fetchone()
                if pages > REST_PAGES:
                    self._connection.execute(MOVE).fetchone()
                    self.rest = True


class Writer:
    """One connection, and the SQL texts that it was told."""

    def __init__(self, connection: sqlite3.Connection, checkpoints: Checkpoints | None = None) -> None:
        self._connection = connection
        self._checkpoints = checkpoints
        self.texts: dict[int, list[str]] = {}
        """Each of one statement or several that take the same parameters."""

    def write(self, jobs: list[Job]) -> tuple[int, Errors, str]:
        """One transaction for all; when one fails, one for each: a failing caller must not fail the others.

        Gives how many have ended, the errors of those that failed, and why the rest cannot be written now.
        """
        error = self._transaction(jobs)
        if error is None:
            return len(jobs), {}, ""
        errors: Errors = {}
        for ended, job in enumerate(jobs):
            alone = len(jobs) > 1 and error[0] != "storage"
            found = self._transaction([job]) if alone else error
            if found is not None and found[0] == "storage":
                return ended, errors, found[1]
            if found is not None:
                errors[job[0]] = found
        return len(jobs), errors, ""

    def _transaction(self, jobs: list[Job]) -> tuple[str, str] | None:
        execute, texts = self._connection.execute, self.texts
        try:
            execute("BEGIN IMMEDIATE")
            for _, statements in jobs:
                for number, params in statements:
                    for text in texts[number]:
                        done = execute(text, params)
                        if text.startswith("PRAGMA"):
                            done.fetchall()  # each step gives one page back
                        if text.startswith(ONE_ROW) and done.rowcount != 1:
                            raise Stale("somebody else has written the record")
            execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - handed to the caller that it belongs to
            return self._undone(error)
        if self._checkpoints is not None:
            self._emptied(self._checkpoints)
        return None

    def _emptied(self, checkpoints: Checkpoints) -> None:
        checkpoints.follow(self._connection.total_changes)
        if checkpoints.rest:
            checkpoints.rest = False
            with contextlib.suppress(
                sqlite3.Error
            ):  # what was committed stays so; the next commit meets the trouble
                self._connection.execute(MOVE).fetchone()

    def _undone(self, error: Exception) -> tuple[str, str]:
        """Roll back; the kind of the error, and its text."""
        kind = "error"
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error:  # SQLite has rolled back itself, or the file is gone
            kind = "storage"
        if isinstance(error, Stale):
            return "stale", str(error)
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in STORAGE:
            return "storage", str(error)
        if isinstance(error, sqlite3.IntegrityError):
            kind = "conflict"
        return kind, f"{type(error).__name__}: {error}"


def frame(body: bytes) -> bytes:
    """Length and body; the same as in ``ringback.processes``, of which nothing can be imported here."""
    return struct.pack("!I", len(body)) + body


def unframe(buffer: bytearray) -> Iterator[bytes]:
    """Take the bodies of the whole frames out of ``buffer``."""
    while len(buffer) >= 4:
        end = 4 + int.from_bytes(buffer[:4], "big")
        if len(buffer) < end:
            return
        body = bytes(memoryview(buffer)[4:end])
        del buffer[:end]
        yield body


def serve(link: socket.socket, writer: Writer) -> None:
    """Write what comes, in order, until the end of the stream."""
    buffer, ended, stalled = bytearray(), False, False
    waiting: list[Job] = []
    end = 0.0
    while True:
        if not ended and (not waiting or select.select([link], [], [], 0)[0]):
            try:
                data = link.recv(1 << 16)
            except ConnectionResetError:  # the parent was killed with an answer of ours unread
                data = b""
            ended = not data
            buffer += data
        for body in unframe(buffer):
            texts, jobs, again = marshal.loads(body)  # noqa: S302 - from our own process
            writer.texts.update({number: text.split(PART) for number, text in texts.items()})
            if again or not stalled:
                stalled = False
                waiting.extend(jobs)
        if waiting:
            group = waiting[:GROUP_LIMIT]
            del waiting[:GROUP_LIMIT]
            count, errors, trouble = writer.write(group)
            if trouble and ended:
                end = end or time.monotonic() + LAST_TRIES
                if time.monotonic() > end:
                    return  # nobody can be told; the next server reads what is true
                time.sleep(0.1)
                waiting[:0] = group[count:]
                continue
            if trouble:
                stalled = True
                waiting.clear()
            with contextlib.suppress(ConnectionError):  # a killed parent needs no answer
                link.sendall(frame(marshal.dumps((group[count - 1][0] if count else 0, errors, trouble))))
        elif ended:
            return


def packer() -> Callable[[bytes], bytes]:
    """``packing.pack``, found beside this file: nothing of ours can be imported here by its name."""
    path = os.path.join(os.path.dirname(__file__), "packing.py")  # noqa: PTH118, PTH120 - without pathlib it starts sooner
    spec = importlib.util.spec_from_file_location("packing", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    pack: Callable[[bytes], bytes] = module.pack
    return pack


def lock(path: str, patience: float) -> int | None:
    """The one right to write to this file, held until the process ends; None: after ``patience`` seconds another
    still has it (the writer of a server that was killed may still be ending)."""
    handle = os.open(f"{path}-lock", os.O_CREAT | os.O_RDWR, 0o600)
    end = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                return None
            time.sleep(0.02)
        else:
            with contextlib.suppress(OSError):  # for messages alone
                os.ftruncate(handle, 0)
                os.pwrite(handle, str(os.getppid()).encode(), 0)
            return handle


def holder(path: str) -> str:
    """Which process has the lock, for a message."""
    with contextlib.suppress(OSError):
        handle = os.open(f"{path}-lock", os.O_RDONLY)
        try:
            pid = os.pread(handle, 20, 0).decode("ascii", "replace")
        finally:
            os.close(handle)
        return f" (process {pid})" if pid else ""
    return ""


def main(descriptor: int, path: str, synchronous: str, patience: float) -> int:
    """Run on an inherited socket; the first frame says how the start went (empty: well)."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the end of the stream ends it: nothing handed in is left out
    if hasattr(os, "SCHED_BATCH"):  # Linux: when it is woken it does not take the core from the event loop
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    with socket.socket(fileno=descriptor) as link:
        try:
            if lock(path, patience) is None:
                why = (
                    f"another Ringback is running on it{holder(path)}: stop that one, or give this one a directory of "
                    "its own (RINGBACK_DATA_DIR) and other addresses (RINGBACK_HTTP, RINGBACK_SIP)"
                )
                link.sendall(frame(why.encode()))
                return 1
            connection = connect(path, synchronous)
            connection.execute(f"PRAGMA busy_timeout={LOCK_WAIT}")
            connection.create_function("PACK", 1, packer(), deterministic=True)
            checkpoints = Checkpoints(connect(path, synchronous))
        except (sqlite3.Error, OSError) as error:
            link.sendall(frame(f"{type(error).__name__}: {error}".encode()))
            return 1
        with contextlib.suppress(ConnectionError):  # the parent was killed meanwhile
            link.sendall(frame(b""))
        checkpoints.start()
        serve(link, Writer(connection, checkpoints))
        connection.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2], sys.argv[3], float(sys.argv[4])))
