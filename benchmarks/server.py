"""Starts a real ``ringback serve`` in a fresh data directory for a benchmark, and watches its processes."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

ACCOUNT = "AC" + "0" * 31 + "1"
TOKEN = "benchmark-token"


def free_port() -> int:
    """A TCP port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """The product as a user runs it: own process, SQLite in a temporary folder."""

    def __init__(self, **settings: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ringback-bench-"))
        self.port = free_port()
        self.sip_port = free_port()
        environment = os.environ | {
            "RINGBACK_HTTP": f"127.0.0.1:{self.port}",
            "RINGBACK_SIP": f"udp:127.0.0.1:{self.sip_port}",
            "RINGBACK_DATA_DIR": str(self.folder),
            "RINGBACK_ACCOUNT_SID": ACCOUNT,
            "RINGBACK_AUTH_TOKEN": TOKEN,
            "RINGBACK_LOG": "WARNING",
        }
        environment |= {f"RINGBACK_{name.upper()}": value for name, value in settings.items()}
        self.log = (self.folder / "log").open("w")
        started = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ringback", "serve"],
            env=environment, cwd=self.folder, stdout=self.log, stderr=self.log,
        )  # fmt: skip
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/ready", timeout=1) as answer:
                    if answer.status == 200:
                        break
            except OSError:
                if self.process.poll() is not None or time.monotonic() - started > 30:
                    raise RuntimeError((self.folder / "log").read_text()) from None
                time.sleep(0.01)
        self.ready_after = time.monotonic() - started

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.log.close()
        text = (self.folder / "log").read_text()
        if text.strip() and "is ready at" not in text.splitlines()[-1]:
            print("  server log, last lines:", *text.splitlines()[-3:], sep="\n    ", file=sys.stderr)

    @property
    def authorization(self) -> str:
        """The value of the Authorization header."""
        return "Basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()

    def request(
        self, method: str, path: str, body: bytes | None = None, kind: str = "application/json"
    ) -> Any:
        """One API request; gives the JSON of the answer. Raises ``HTTPError`` for refusals."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", body, method=method,
            headers={"Authorization": self.authorization, "Content-Type": kind},
        )  # fmt: skip
        with urllib.request.urlopen(request, timeout=30) as answer:
            data = answer.read()
            return json.loads(data) if data else None

    def form(self, path: str, **fields: str) -> Any:
        """POST a form below the account."""
        from urllib.parse import urlencode

        return self.request(
            "POST", f"/2010-04-01/Accounts/{ACCOUNT}/{path}", urlencode(fields).encode(),
            "application/x-www-form-urlencoded",
        )  # fmt: skip

    def metrics(self) -> dict[str, float]:
        """``/metrics`` as a mapping."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return {
            name: float(value)
            for name, _, value in (line.partition(" ") for line in lines if not line.startswith("#"))
        }

    def processes(self) -> list[psutil.Process]:
        """The server and its workers."""
        own = psutil.Process(self.process.pid)
        return [own, *own.children(recursive=True)]

    def cpu_seconds(self) -> float:
        """CPU used so far, all processes."""
        return sum(sum(one.cpu_times()[:2]) for one in self.processes())

    def memory(self) -> float:
        """Resident memory of all processes in MB (shared pages counted once a process)."""
        return sum(one.memory_info().rss for one in self.processes()) / 1e6
