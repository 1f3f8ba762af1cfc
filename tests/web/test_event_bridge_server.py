"""The event bridge in the whole product, over real connections, on the virtual clock."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ringback.testing.world import World, world
from ringback.web.auth import make_access_token

PATH = "/event-bridge/v1/wschannels"


class Desk:
    """A workspace made by REST, with clients of the bridge."""

    def __init__(self, running: World, session: aiohttp.ClientSession) -> None:
        self.world, self.session = running, session
        self.workspace = ""
        self.activities: dict[str, str] = {}

    async def rest(self, method: str, path: str, **fields: str) -> Any:
        """A request to the REST API that succeeds."""
        more = {"data": fields} if fields else {}
        return await self.world._ask(method, f"/taskrouter/v1/Workspaces{path}", **more)

    async def open(self) -> None:
        """Make the workspace, or find the one that a restart left."""
        found = (await self.rest("GET", ""))["workspaces"]
        made = found[0] if found else await self.rest("POST", "", FriendlyName="Desk", Template="FIFO")
        self.workspace = made["sid"]
        listed = (await self.rest("GET", f"/{self.workspace}/Activities"))["activities"]
        self.activities = {each["friendly_name"]: each["sid"] for each in listed}

    async def worker(self, name: str) -> str:
        """A new worker who is available."""
        made = await self.rest(
            "POST", f"/{self.workspace}/Workers", FriendlyName=name, ActivitySid=self.activities["Available"]
        )
        return str(made["sid"])

    async def activity_of(self, worker: str) -> str:
        """What they are doing."""
        return str((await self.rest("GET", f"/{self.workspace}/Workers/{worker}"))["activity_name"])

    def token(self, worker: str) -> str:
        """A token for a worker."""
        product = self.world.product
        known = {"account_sid": product.account_sid, "auth_token": product.auth_token}
        return make_access_token(
            known, identity="x", workspace=self.workspace, worker=worker, now=self.world.clock.now()
        )

    async def connect(self, worker: str) -> aiohttp.ClientWebSocketResponse:
        """A web socket that has heard ``init``."""
        url = f"{self.world.url}{PATH}?token={self.token(worker)}&closeExistingSessions=false"
        socket = await self.session.ws_connect(url)
        assert (await said(socket))["event_type"] == "init"
        return socket

    async def load(self, worker: str) -> None:
        """What the SDK loads."""
        root = f"Workspaces/{self.workspace}"
        for path in (
            f"{root}/Workers/{worker}",
            f"{root}/Activities",
            f"{root}/Workers/{worker}/WorkerChannels",
        ):
            await self.ask(worker, path)
        await self.ask(worker, f"{root}/Workers/{worker}/Reservations", Active="true")

    async def ask(self, worker: str, url: str, **params: str) -> Any:
        """A GET through the bridge."""
        body = json.dumps({"url": url, "method": "GET", "params": params, "token": self.token(worker)})
        async with self.session.post(self.world.url + PATH, data=body) as answer:
            assert answer.status == 200, await answer.text()
            return (await answer.json())["payload"]


async def said(socket: aiohttp.ClientWebSocketResponse) -> Any:
    """The next message that is no blank."""
    async with asyncio.timeout(5):
        while not (text := await socket.receive_str()).strip():
            pass
    return json.loads(text)


@pytest.fixture
async def desk(ringback: World) -> Any:
    async with aiohttp.ClientSession() as session:
        made = Desk(ringback, session)
        await made.open()
        yield made


async def test_from_init_to_the_first_reservation(desk: Desk) -> None:
    worker = await desk.worker("Alice")
    socket = await desk.connect(worker)
    before = desk.world.clock.now()
    await desk.load(worker)
    task = await desk.rest("POST", f"/{desk.workspace}/Tasks", Attributes='{"a": 1}')
    event = await said(socket)
    assert (event["event_type"], event["payload"]["task"]["sid"]) == ("reservation.created", task["sid"])
    assert desk.world.clock.now() == before  # nothing in the bridge moves virtual time
    await socket.close()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{PATH}?token=nonsense", 401),
        (PATH, 401),
        ("/event-bridge/v1/other?token=x", 404),
        ("/2010-04-01/Accounts", 403),
        ("/sim/v1/Clock", 403),
    ],
)
async def test_upgrades_that_are_refused(
    desk: Desk, path: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await desk.session.ws_connect(desk.world.url + path)
    assert refused.value.status == status
    await asyncio.sleep(0)
    assert [
        record.getMessage() for record in caplog.records if record.levelname in ("WARNING", "ERROR")
    ] == []


async def test_the_token_is_in_no_log(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="uvicorn.error")
    socket = await desk.connect(await desk.worker("Alice"))
    await socket.close()
    assert "token=" not in caplog.text


async def test_by_the_name_of_the_host(desk: Desk) -> None:
    headers = {"Host": "event-bridge.example.com"}
    body = json.dumps({"url": "Workspaces/x/Activities", "token": "nonsense"})
    async with desk.session.post(desk.world.url + "/v1/wschannels", data=body, headers=headers) as answer:
        assert answer.status == 401
        assert (await answer.json())["message"]


async def test_a_message_that_is_too_long_ends_the_socket(desk: Desk) -> None:
    socket = await desk.connect(await desk.worker("Alice"))
    await socket.send_str("x" * 70_000)
    async with asyncio.timeout(5):
        message = await socket.receive()
    assert (message.type, socket.close_code) == (aiohttp.WSMsgType.CLOSE, 1009)


async def test_gone_offline_and_back_in_time(desk: Desk) -> None:
    worker = await desk.worker("Alice")
    await (await desk.connect(worker)).close()
    await desk.world.advance(20)
    socket = await desk.connect(worker)
    await desk.world.advance(40)
    assert await desk.activity_of(worker) == "Available"
    await socket.close()
    await asyncio.sleep(0.05)  # the server hears of it
    await desk.world.advance(31)
    assert await desk.activity_of(worker) == "Offline"


async def test_a_restart_keeps_the_deadline_and_leaves_the_connected_alone(tmp_path: Path) -> None:
    async with aiohttp.ClientSession() as session, world(tmp_path) as first:  # the server stops first
        desk = Desk(first, session)
        await desk.open()
        gone, there = await desk.worker("Alice"), await desk.worker("Bob")
        await (await desk.connect(gone)).close()
        socket = await desk.connect(there)
        await asyncio.sleep(0.05)
        assert not socket.closed
    async with world(tmp_path) as second, aiohttp.ClientSession() as session:
        desk = Desk(second, session)
        await desk.open()
        await second.advance(29)
        assert await desk.activity_of(gone) == "Available"
        await second.advance(30)
        assert await desk.activity_of(gone) == "Offline"
        assert await desk.activity_of(there) == "Available"
