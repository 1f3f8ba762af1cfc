"""TaskRouter in memory behind an event bridge, and clients that speak ASGI: no network, no database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from ringback.effects import ClearDeadline, Effect, Post, SetDeadline
from ringback.effects.taskrouter import Announce
from ringback.events import DeadlineReached
from ringback.kernel.errors import Refused
from ringback.kernel.lane import Lane
from ringback.runtime.virtual_clock import VirtualClock
from ringback.taskrouter.expression import compile_expression
from ringback.web.event_bridge import EventBridge
from ringback.web.grant import Grant, read_grant
from tests.taskrouter.workspace_kit import ACCOUNT, WS, Kit

PATH = "/event-bridge/v1/wschannels"


class Stage(Kit):
    """TaskRouter's kit with a bridge that hears everything."""

    def __init__(
        self, *, heartbeat: float = 60.0, offline_after: float = 30.0, look_again: float = 60.0
    ) -> None:
        self.bridge: EventBridge | None = None
        super().__init__()
        self.clock = VirtualClock(self.now)
        self.deadlines: dict[tuple[str, str], float] = {}
        self.claims: dict[str, dict[str, Any]] = {}
        self.withdrawn: set[str] = set()
        self.asked: list[Any] = []
        """What the bridge has handed to TaskRouter."""
        self.mute = False
        """Keep announcements back, as a slow commit does."""
        self.late: list[Announce] = []
        self._options = {
            "heartbeat": heartbeat, "offline_after": offline_after, "look_again": look_again,
        }  # fmt: skip
        self.restart()

    def restart(self) -> None:
        """A new bridge on the same TaskRouter, as after a restart of the server."""
        self.bridge = EventBridge(
            taskrouter=self.taskrouter, ask=self.ask, admit=self.admit, still=self.still, clock=self.clock,
            new_sid=self.sid,
            compile_expression=compile_expression, keep=self.keep, **self._options,
        )  # fmt: skip

    def event(self, event: Any) -> Any:
        """Hand an event in; what it announces is told."""
        if self.bridge is not None:
            self.now = self.clock.now()
        count = len(self.effects)
        answer = super().event(event)
        for effect in self.effects[count:]:
            if isinstance(effect, Announce) and self.bridge is not None:
                if self.mute:
                    self.late.append(effect)
                else:
                    self.bridge.announce(effect)
        return answer

    def speak(self) -> None:
        """Let out what was kept back."""
        self.mute = False
        late, self.late = self.late, []
        for effect in late:
            self.bridge.announce(effect)

    async def ask(self, event: Any) -> Any:
        """The runtime's part."""
        self.asked.append(event)
        return self.event(event)

    def keep(self, effects: Sequence[Effect]) -> None:
        """The store's and the timers' part."""
        for effect in effects:
            if isinstance(effect, SetDeadline):
                self.deadlines[effect.lane.sid, effect.name] = effect.at
                self.clock.call_at(
                    effect.at, lambda at=effect.at, e=effect: self._due(e.lane.sid, e.name, at), pulls=False
                )
            elif isinstance(effect, ClearDeadline):
                self.deadlines.pop((effect.lane.sid, effect.name), None)

    def _due(self, lane: str, name: str, at: float) -> None:
        if self.deadlines.get((lane, name)) != at:
            return
        effects = self.bridge.due(DeadlineReached(lane=Lane("workspace", lane), name=name), self.clock.now())
        self.keep(effects)
        for effect in effects:
            if isinstance(effect, Post):
                self.event(effect.event)

    async def read_token(self, token: str) -> dict[str, Any]:
        """Tokens are names here; ``tests/web/test_auth.py`` has the real ones."""
        if token not in self.claims:
            raise Refused(20101, "Invalid Access Token", 401)
        return self.claims[token]

    async def admit(self, token: str) -> Grant:
        """The access's part."""
        return read_grant(await self.read_token(token), self.taskrouter)

    async def still(self, grant: Grant) -> None:
        """The same, for open sockets: :attr:`withdrawn` says whose tokens hold no more."""
        if grant.worker_sid in self.withdrawn:
            raise Refused(20005, "Account not active", 403)

    def token(
        self, worker: str | None, role: str = "worker", *, seconds: float = 3600.0, **other: Any
    ) -> str:
        """A token for a worker."""
        name = f"token{len(self.claims)}"
        grant = {"workspace_sid": WS, "worker_sid": worker, "role": role, **other}
        self.claims[name] = {
            "sub": ACCOUNT, "exp": self.clock.now() + seconds, "grants": {"identity": "x", "task_router": grant},
        }  # fmt: skip
        return name

    def socket(self, token: str, **query: str) -> Socket:
        """A client's web socket, connecting."""
        return Socket(self, urlencode({"token": token, **query}))

    async def ready(self, worker: str, **query: str) -> Socket:
        """A client that has loaded its lists and listens."""
        socket = self.socket(self.token(worker), **query)
        await socket.kind("init")
        await self.load(worker)
        return socket

    async def load(self, worker: str) -> list[dict[str, Any]]:
        """What the SDK loads after ``init``; gives the reservations."""
        token = self.token(worker)
        loading = next((each for each in self.bridge.sessions.of(worker) if each.state == "loading"), None)
        await self.get(token, f"Workers/{worker}")
        await self.get(token, "Activities", PageSize=1000)
        await self.get(token, f"Workers/{worker}/WorkerChannels", PageSize=1000)
        found = await self.get(token, f"Workers/{worker}/Reservations", Active="true", PageSize=1000)
        while loading is not None and loading.state != "live":
            await asyncio.sleep(0.002)
        contents: list[dict[str, Any]] = found["contents"]
        return contents

    async def get(self, token: str, path: str, **params: Any) -> Any:
        """A GET that succeeds: its payload."""
        return await self.good(token, "GET", path, params)

    async def post(self, token: str, path: str, **params: Any) -> Any:
        """A POST that succeeds: its payload."""
        return await self.good(token, "POST", path, params)

    async def good(self, token: str, method: str, path: str, params: Any) -> Any:
        """A request that succeeds: its payload."""
        status, body = await self.send(token, method, path, params)
        assert status == 200, body
        return body["payload"]

    async def send(
        self, token: str, method: str, path: str, params: Any = None, **headers: str
    ) -> tuple[int, dict[str, Any]]:
        """One request as the SDK sends it: status and body."""
        url = path if path.startswith("Workspaces") else f"Workspaces/{WS}/{path}"
        body = {"url": url, "method": method, "params": params or {}, "token": token}
        status, _, data = await self.http("POST", json.dumps(body).encode(), **headers)
        return status, json.loads(data)

    async def http(
        self, method: str, body: bytes = b"", path: str = PATH, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Any HTTP request: status, headers, body."""
        scope = {
            "type": "http", "method": method, "path": path, "query_string": b"", "client": ("192.0.2.1", 5),
            "headers": [
                (b"content-type", b"application/x-www-form-urlencoded"),
                *((name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()),
            ],
        }  # fmt: skip
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.bridge(scope, receive, send)
        heads = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return sent[0]["status"], heads, sent[1]["body"]


class Socket:
    """A client's web socket."""

    def __init__(self, stage: Stage, query: str) -> None:
        self.frames: list[str] = []
        """Text frames as they came."""
        self.closed: int | None = None
        """Code of the close frame."""
        self.status = 0
        """HTTP status when the upgrade was refused."""
        self.blocked = False
        """A client that takes nothing more."""
        self._to_server: asyncio.Queue[Any] = asyncio.Queue()
        self._to_server.put_nowait({"type": "websocket.connect"})
        self._stage = stage
        scope = {
            "type": "websocket", "path": PATH, "query_string": query.encode(), "headers": [],
            "extensions": {"websocket.http.response": {}},
        }  # fmt: skip
        self.task = asyncio.create_task(stage.bridge(scope, self._to_server.get, self._send))

    async def _send(self, message: Any) -> None:
        while self.blocked:
            await asyncio.sleep(3600)
        if message["type"] == "websocket.send":
            self.frames.append(message["text"])
        elif message["type"] == "websocket.close":
            self.closed = message["code"]
        elif message["type"] == "websocket.http.response.start":
            self.status = message["status"]
        elif message["type"] == "websocket.http.response.body":
            for _ in range(2):
                self._to_server.put_nowait({"type": "websocket.disconnect", "code": 1006})

    def events(self) -> list[tuple[str, Any]]:
        """Type and payload of every event so far, ``init`` left out."""
        found = [json.loads(frame) for frame in self.frames if frame.strip()]
        return [(each["event_type"], each["payload"]) for each in found if each["event_type"] != "init"]

    def kinds(self) -> list[str]:
        """Their types."""
        return [kind for kind, _ in self.events()]

    async def kind(self, kind: str, count: int = 1) -> Any:
        """Wait for the ``count``-th event of a type; its payload."""
        for _ in range(2000):
            found = [json.loads(frame) for frame in self.frames if frame.strip()]
            found = [each["payload"] for each in found if each["event_type"] == kind]
            if len(found) >= count:
                return found[count - 1]
            await asyncio.sleep(0.001)
        raise AssertionError(f"{kind} did not come; {self.kinds()}")

    async def quiet(self) -> list[str]:
        """Everything that is on its way has come: the types."""
        for _ in range(20):
            await asyncio.sleep(0)
        return self.kinds()

    async def drop(self) -> None:
        """The client is gone."""
        self._to_server.put_nowait({"type": "websocket.disconnect", "code": 1006})
        await self.task
