"""`ringback serve` as a user runs it: its own process on free ports, with a log that is read at the end."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twilio.rest import Client

from tests.contract.hook import RingbackClient

ACCOUNT = "AC" + "0123456789abcdef" * 2
TOKEN = "e2e-token-" + "0" * 22
TERMINAL = ("completed", "busy", "no-answer", "failed", "canceled")
_TROUBLE = re.compile(r"^\S+ \S+ (WARNING|ERROR|CRITICAL)\b|Traceback|^\w*(Error|Exception)\b", re.MULTILINE)


_GIVEN: set[int] = set()
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
"""Tests that run side by side: each process gives ports of its own, so that none is given twice."""


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port on loopback that is free now, for TCP and UDP alike, and so is the next one (baresip takes two).

    It lies below the range from which the system takes the ports of outgoing connections, so that none of
    those can take it before the program that it is meant for.
    """
    while True:
        port = (secrets.randbelow(5000 // _WORKERS) * _WORKERS + _WORKER) * 2 + 10_000
        if port in _GIVEN:
            continue
        with contextlib.ExitStack() as probes:
            try:
                for number in (port, port + 1):
                    for each in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                        probe = probes.enter_context(socket.socket(socket.AF_INET, each))
                        probe.bind(("127.0.0.1", number))
            except OSError:
                continue
            _GIVEN.add(port)
            return port


def until(what: Callable[[], Any], seconds: float = 20.0, say: str = "") -> Any:
    """Ask until the answer is true; the answer. An outside process offers nothing to wait on."""
    end = time.monotonic() + seconds
    while True:
        found = what()
        if found:
            return found
        assert time.monotonic() < end, f"not within {seconds} s: {say or what}"
        time.sleep(0.05)


class Site:
    """One data directory, and the server on it, which can be killed and started again."""

    def __init__(self, folder: Path, *, toml: str = "", **settings: str) -> None:
        """`settings` are those of the environment, in lower case without the prefix."""
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.sip_port = free_port(socket.SOCK_DGRAM)
        (folder / "ringback.toml").write_text(toml)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RINGBACK_")}
        wanted = {
            "http": f"127.0.0.1:{self.port}",
            "sip": f"udp:127.0.0.1:{self.sip_port}",
            "data_dir": str(folder / "var"),
            "account_sid": ACCOUNT,
            "auth_token": TOKEN,
            "session_drain": "1",
        } | settings
        self.environment = kept | {f"RINGBACK_{name.upper()}": value for name, value in wanted.items()}
        self.process: subprocess.Popen[bytes] | None = None
        self.may_warn = False
        """Set by the tests that provoke warnings."""
        self._http = RingbackClient(self.url)
        self.client = Client(ACCOUNT, TOKEN, http_client=self._http)

    @property
    def url(self) -> str:
        """Where its HTTP listens."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, and wait until it says that it is ready."""
        self.run()
        until(self.ready, 90, "the server is ready")

    def run(self, *flags: str) -> None:
        """Start, and wait for nothing."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "ringback", "serve", *flags],
                env=self.environment, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def ready(self) -> bool:
        """Whether it says that it is ready; it must not have ended."""
        assert self.process is not None
        assert self.process.poll() is None, f"the server ended:\n{self.log()}"
        try:
            with urllib.request.urlopen(f"{self.url}/ready", timeout=2) as answer:
                return bool(answer.status == 200)
        except urllib.error.HTTPError as early:
            early.close()
            return False
        except OSError:
            return False

    def terminate(self, seconds: float = 30.0) -> int:
        """SIGTERM; its exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def kill(self) -> None:
        """SIGKILL: the server has no chance to put anything in order."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def close(self) -> None:
        """Stop if it still runs; a healthy run has status 0 and a log without warnings and tracebacks."""
        status = 0
        if self.process is not None and self.process.poll() is None:
            status = self.terminate()
        self._http.session.close()
        if not self.may_warn:
            assert status == 0, self.log()
            assert not _TROUBLE.search(self.log()), self.log()
        assert "Traceback" not in self.log(), self.log()

    def log(self) -> str:
        """Everything that it has written."""
        return (self.folder / "log").read_text("utf-8", "replace")

    def number(self, number: str, voice_url: str, **more: str) -> str:
        """Make a number of ours that is answered by `voice_url`; the number."""
        made = self.client.incoming_phone_numbers.create(phone_number=number, voice_url=voice_url, **more)
        return str(made.phone_number)

    def status(self, sid: str) -> str:
        """What `Calls/{sid}` says now."""
        return str(self.client.calls(sid).fetch().status)

    def ended(self, sid: str, seconds: float = 20.0) -> str:
        """Wait until the call is terminal; its status."""
        return str(
            until(lambda: (now := self.status(sid)) in TERMINAL and now, seconds, f"{sid} is terminal")
        )

    def get(self, path: str) -> bytes:
        """An authenticated GET below the account, by curl."""
        url = f"{self.url}/api/2010-04-01/Accounts/{ACCOUNT}/{path}"
        return subprocess.run(
            ["curl", "-sSf", "-u", f"{ACCOUNT}:{TOKEN}", url], check=True, stdout=subprocess.PIPE, timeout=30
        ).stdout
