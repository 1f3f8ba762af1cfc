"""An agent at a desktop: a worker's socket and requests as the SDK makes them, and a phone; all in virtual time."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp

from ringback.testing.world import World
from ringback.web.auth import make_token

PHONE = "+14155550199"
"""The agent's phone."""
OURS = "+14155550123"
"""The account's number."""
BRIDGE = "/event-bridge/v1/wschannels"


class Agent:
    """A workspace with one worker, who is signed in."""

    def __init__(self, ringback: World, session: aiohttp.ClientSession) -> None:
        self.ringback, self.product = ringback, ringback.product
        self._session = session
        self.frames: list[tuple[str, Any]] = []
        """Event types and payloads as they came."""
        self._news = asyncio.Event()

    async def sign_in(self) -> Agent:
        """Make the workspace by REST, connect, and load what the SDK loads."""
        self.workspace = (
            await self.rest("POST", "", FriendlyName="Office", EventCallbackUrl=self.ringback.app("/events", ""))
        )["sid"]  # fmt: skip
        found = (await self.rest("GET", "/Activities"))["activities"]
        available = next(each["sid"] for each in found if each["available"])
        self.queue = (await self.rest("POST", "/TaskQueues", FriendlyName="all"))["sid"]
        routing = json.dumps({"task_routing": {"default_filter": {"queue": self.queue}}})
        self.workflow = (await self.rest("POST", "/Workflows", FriendlyName="flow", Configuration=routing))[
            "sid"
        ]
        attributes = json.dumps({"contact_uri": PHONE})
        self.worker = (
            await self.rest("POST", "/Workers", FriendlyName="alice", Attributes=attributes, ActivitySid=available)
        )["sid"]  # fmt: skip
        channel = (await self.rest("GET", f"/Workers/{self.worker}/Channels"))["channels"]
        assert any(each["task_channel_unique_name"] == "voice" for each in channel)
        grant = {"workspace_sid": self.workspace, "worker_sid": self.worker, "role": "worker"}
        self.token = make_token(
            account_sid=self.product.account_sid, key_sid=self.product.account_sid, secret=self.product.auth_token,
            identity="alice", grants={"task_router": grant}, now=self.product.clock.now(), seconds=86_000,
        )  # fmt: skip
        url = self.ringback.url.replace("http", "ws", 1) + BRIDGE
        self._socket = await self._session.ws_connect(url, params={"token": self.token})
        self._reader = asyncio.get_running_loop().create_task(self._read())
        await self.hears("init")
        for path in ("", "/WorkerChannels", "/Reservations"):
            await self.ask("GET", f"Workers/{self.worker}{path}", PageSize=1000, Active="true")
        await self.ask("GET", "Activities", PageSize=1000)
        while self.product.bridge.sessions.of(self.worker)[0].state != "live":
            await asyncio.sleep(0.01)
        return self

    async def sign_out(self) -> None:
        """Close the socket."""
        self._reader.cancel()
        await self._socket.close()

    async def call(self, to: str, *, from_: str = OURS, **more: Any) -> str:
        """StartOutboundCall: a task for themselves, accepted by a conference; gives the reservation's SID."""
        self.frames.clear()
        attributes = {"outbound_to": to, "from": from_, "direction": "outbound", **more}
        await self.ask(
            "POST", "Tasks", WorkflowSid=self.workflow, TaskQueueSid=self.queue, RoutingTarget=self.worker,
            Attributes=attributes, TaskChannelUniqueName="voice",
        )  # fmt: skip
        sid = str((await self.hears("reservation.created"))["sid"])
        await self.ask(
            "POST", f"Workers/{self.worker}/Reservations/{sid}", Instruction="conference", EndConferenceOnExit=True,
            EndConferenceOnCustomerExit=True,
            Timeout=20,
        )  # fmt: skip
        return sid

    async def hears(self, kind: str, within: float = 10.0) -> Any:
        """The payload of the first frame of a type (seconds of real time)."""
        async with asyncio.timeout(within):
            while True:
                for name, payload in self.frames:
                    if name == kind:
                        return payload
                self._news.clear()
                await self._news.wait()

    def heard(self, kind: str) -> list[Any]:
        """Payloads of all frames of a type."""
        return [payload for name, payload in self.frames if name == kind]

    async def ask(self, method: str, path: str, **params: Any) -> Any:
        """One request to the event bridge; its payload."""
        url = f"Workspaces/{self.workspace}/{path}"
        body = json.dumps({"url": url, "method": method, "params": params, "token": self.token})
        async with self._session.post(self.ringback.url + BRIDGE, data=body) as answer:
            found = await answer.json()
            assert answer.status == 200, (path, found)
            return found["payload"]

    async def rest(self, method: str, path: str, **fields: str) -> Any:
        """A request to TaskRouter's REST API, below the workspace; ``status`` in the answer of a refused one."""
        root = "/taskrouter/v1/Workspaces" + (f"/{self.workspace}" if hasattr(self, "workspace") else "")
        return await self.get(root + path, method, **fields)

    async def get(self, path: str, method: str = "GET", **fields: str) -> Any:
        """A request to any of our paths."""
        auth = aiohttp.encode_basic_auth(self.product.account_sid, self.product.auth_token)
        async with self._session.request(
            method, self.ringback.url + path, data=fields or None, headers={"Authorization": auth}
        ) as answer:
            return await answer.json()

    async def _read(self) -> None:
        async for frame in self._socket:
            if frame.type == aiohttp.WSMsgType.TEXT and frame.data.strip():
                found = json.loads(frame.data)
                self.frames.append((found["event_type"], found["payload"]))
                self._news.set()
