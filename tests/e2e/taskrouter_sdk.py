"""The unmodified `twilio-taskrouter` of npm in Node, driven line by line; and a wire to it that can be cut."""

from __future__ import annotations

import contextlib
import itertools
import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from ringback.web.auth import make_token
from tests.e2e.site import ACCOUNT, TOKEN

FOLDER = Path(__file__).parent / "node"


def needs_node() -> None:
    """Raise `AssertionError`, saying what to do, when Node or the SDK is missing."""
    assert shutil.which("node"), "these tests need Node 18 or newer: scripts/install test"
    assert (FOLDER / "node_modules" / "twilio-taskrouter").is_dir(), "the npm packages: scripts/install test"


def worker_token(workspace: str, worker: str | None, role: str = "worker", seconds: int = 3600) -> str:
    """An access token with a grant for TaskRouter."""
    grant = {"workspace_sid": workspace, "worker_sid": worker, "role": role}
    return make_token(
        account_sid=ACCOUNT, key_sid=ACCOUNT, secret=TOKEN, identity="agent", grants={"task_router": grant},
        now=time.time(), seconds=seconds,
    )  # fmt: skip


class Agent:
    """One SDK client in a Node process of its own."""

    def __init__(self, url: str, token: str, kind: str = "Worker", **options: Any) -> None:
        """`url`: of the server, or of a `Wire` to it; `kind`: Worker, Supervisor or Workspace."""
        path = "/event-bridge/v1/wschannels"
        setup = {
            "kind": kind, "token": token, "eb": url + path, "ws": url.replace("http", "ws", 1) + path,
            "options": options,
        }  # fmt: skip
        self.lines: list[dict[str, Any]] = []
        """Everything that it has said, in order."""
        self._ids = itertools.count(1)
        self._news = threading.Condition()
        self._read = 0
        self.process = subprocess.Popen(
            ["node", str(FOLDER / "agent.mjs"), json.dumps(setup)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()
        self.event("started")

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._news:
                self.lines.append({**json.loads(line), "at": time.monotonic()})
                self._news.notify_all()

    def event(self, name: str, seconds: float = 15.0) -> dict[str, Any]:
        """Wait for the next event of that name after the last one that was waited for."""

        def look() -> dict[str, Any] | None:
            for place in range(self._read, len(self.lines)):
                if self.lines[place].get("event") == name:
                    self._read = place + 1
                    return self.lines[place]
            return None

        return self._until(look, seconds, f"event {name}")

    def do(self, command: str, **arguments: Any) -> Any:
        """A call of the SDK that succeeds; its result."""
        answer = self.tries(command, **arguments)
        assert "error" not in answer, answer
        return answer["ok"]

    def tries(self, command: str, **arguments: Any) -> dict[str, Any]:
        """A call of the SDK: `ok` or `error`."""
        number = next(self._ids)
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"id": number, "do": command, **arguments}) + "\n")
        self.process.stdin.flush()
        return self._until(
            lambda: next((each for each in self.lines if each.get("id") == number), None), 20.0, command
        )

    def _until(self, look: Any, seconds: float, what: str) -> dict[str, Any]:
        end = time.monotonic() + seconds
        with self._news:
            while (found := look()) is None:
                left = end - time.monotonic()
                assert left > 0, f"not within {seconds} s: {what}; heard: {self.heard()}"
                assert self.process.poll() is None, f"the client ended: {self.lines[-3:]}"
                self._news.wait(min(left, 0.5))
        result: dict[str, Any] = found
        return result

    def heard(self, *prefixes: str) -> list[str]:
        """Names of all events so far, in order; only those with one of the prefixes when there are any."""
        names = [str(each["event"]) for each in list(self.lines) if "event" in each]
        return [name for name in names if not prefixes or name.startswith(prefixes)]

    def close(self) -> None:
        """End it; it must not have thrown anything."""
        if self.process.stdin is not None:
            with contextlib.suppress(OSError):
                self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._reader.join(5)
        if self.process.stdout is not None:
            self.process.stdout.close()
        assert "uncaught" not in self.heard(), self.lines[-3:]


class Wire:
    """A TCP relay to a server, which can be cut and mended."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._lock = threading.Lock()
        self.cut_off = False
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.cut_off:
                client.close()
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                client.close()
                continue
            with self._lock:
                self._pairs.append((client, server))
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(one, other), daemon=True).start()

    def _pump(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
        for each in (one, other):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def cut(self, *, stays: bool = False) -> None:
        """Cut every connection; `stays`: and refuse new ones until it is mended."""
        self.cut_off = stays
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for each in pair:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
                each.close()

    def mend(self) -> None:
        """Take connections again."""
        self.cut_off = False

    def __enter__(self) -> Wire:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cut(stays=True)
        self._listener.close()


@contextlib.contextmanager
def agents() -> Iterator[Any]:
    """Gives `start(url, token, …)`; every client is ended, and none may have thrown."""
    with contextlib.ExitStack() as running:

        def start(url: str, token: str, kind: str = "Worker", **options: Any) -> Agent:
            agent = Agent(url, token, kind, **options)
            running.callback(agent.close)
            return agent

        yield start
