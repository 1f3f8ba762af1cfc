"""``/sim/v1``: answers, refusals, the clock and the faults."""

from __future__ import annotations

import json as jsons
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ringback.edges.carriers.simulated import SimulatedCarrier
from ringback.edges.simulator.api import Anybody, build_sim
from ringback.edges.simulator.faults import Faults
from ringback.kernel.errors import Refused
from ringback.runtime.virtual_clock import VirtualClock
from ringback.web.routes import Rule
from ringback.web.server import Server


class Answer:
    def __init__(self, status_code: int, text: str) -> None:
        self.status_code, self.text = status_code, text

    def json(self) -> Any:
        return jsons.loads(self.text)


class Client:
    """Requests over loopback HTTP, with credentials."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.session, self.url = session, url
        self.headers = {"authorization": "Basic eDp5"}

    async def request(self, method: str, path: str, json: Any = None) -> Answer:
        async with self.session.request(method, self.url + path, json=json, headers=self.headers) as answer:
            return Answer(answer.status, await answer.text())

    async def get(self, path: str) -> Answer:
        return await self.request("GET", path)

    async def post(self, path: str, json: Any) -> Answer:
        return await self.request("POST", path, json)


class Testers:
    """Whoever brings a header is let in; ``tests/web/test_every_route.py`` has the real ones."""

    async def admit(self, authorization: str, rule: Rule) -> Anybody:
        if not authorization:
            raise Refused(20003, "Authenticate", 401)
        return Anybody()

    async def owner_of_number(self, number: str) -> str:
        return ""

    async def owner_of_call(self, sid: str) -> str:
        return ""


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    clock, faults = VirtualClock(1000.0), Faults()

    async def nobody(number: str) -> bool:
        return False

    carrier = SimulatedCarrier(
        post=lambda event: None,
        clock=clock,
        new_sid=lambda prefix: prefix + "0" * 32,
        is_ours=nobody,
        recordings=tmp_path,
        faults=faults,
    )

    server = Server(build_sim(carrier, clock, faults, Testers()), "127.0.0.1", 0)
    server.bind()
    await server.start()
    async with aiohttp.ClientSession() as session:
        yield Client(session, f"http://127.0.0.1:{server.port}")
    await server.stop()


async def test_place_show_and_more(client: Client) -> None:
    made = await client.post("/sim/v1/Calls", json={"from": "+1", "to": "+2", "script": [{"press": "1"}]})
    assert made.status_code == 201
    sid = made.json()["sid"]
    assert (await client.get(f"/sim/v1/Calls/{sid}")).json()["status"] == "ringing"
    assert (await client.post(f"/sim/v1/Calls/{sid}", json={"script": [{"hangup": True}]})).status_code == 200
    assert (await client.get("/sim/v1/Calls/CAx")).json()["code"] == 20404


async def test_no_credentials(client: Client) -> None:
    client.headers.pop("authorization")
    assert (await client.get("/sim/v1/Clock")).status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "Calls", {"from": "+1"}, 400),
        ("POST", "Calls", {"from": "+1", "to": "+2", "x": 1}, 400),
        ("POST", "Calls", {"from": "+1", "to": "+2", "script": [{"wait": -1}]}, 400),
        ("POST", "Calls", [1], 400),
        ("PUT", "Numbers/+1555", {"answers": "maybe"}, 400),
        ("PUT", "Numbers/+1555", {"answers": ["busy"]}, 400),
        ("PUT", "Numbers/+1555", {"after": True}, 400),
        ("PUT", "Numbers/+1555", {"answers": "busy"}, 200),
        ("DELETE", "Numbers/+1555", None, 204),
        ("POST", "Clock", {"advance": -1}, 400),
        ("POST", "Clock", {"advance": "x"}, 400),
        ("POST", "Faults", {"kind": "x"}, 400),
        ("POST", "Faults", {"kind": "drop_callback", "match": {"a": 1}}, 400),
        ("DELETE", "Faults", None, 204),
        ("POST", "Messages", {}, 404),
        ("GET", "Nothing", None, 404),
        ("PATCH", "Clock", {}, 405),
    ],
)
async def test_answers(client: Client, method: str, path: str, body: Any, status: int) -> None:
    answer = await client.request(method, f"/sim/v1/{path}", json=body)
    assert answer.status_code == status, answer.text
    if status >= 400:
        assert answer.json()["status"] == status


async def test_the_clock_moves(client: Client) -> None:
    assert (await client.get("/sim/v1/Clock")).json() == {"mode": "virtual", "now": 1000.0}
    assert (await client.post("/sim/v1/Clock", json={"advance": 86400})).json()["now"] == 87400.0


async def test_faults(client: Client) -> None:
    assert (await client.post("/sim/v1/Faults", json={"kind": "carrier_down"})).status_code == 201
    assert (await client.get("/sim/v1/Faults")).json()["faults"][0]["kind"] == "carrier_down"
    refused = await client.post("/sim/v1/Calls", json={"from": "+1", "to": "+2"})
    assert (refused.status_code, refused.json()["code"]) == (503, 20503)
