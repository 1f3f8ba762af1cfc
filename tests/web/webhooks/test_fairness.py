"""A slow server of one account holds up no other's requests: connections, one host's, and looking up names."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from ringback.web.webhooks import guard
from ringback.web.webhooks.request import Hook
from ringback.web.webhooks.sender import WebhookSender


class Slow:
    """A server that answers ``/slow`` when it is let, everything else at once."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.asked = 0
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        if request.path == "/slow":
            await self.gate.wait()
        return web.Response(text="yes")


@pytest.fixture
async def slow() -> AsyncIterator[list[Slow]]:
    """Three of them, at different ports."""
    made, servers = [], []
    for _ in range(3):
        one, application = Slow(), web.Application()
        application.router.add_route("*", "/{rest:.*}", one.answer)
        server = TestServer(application)
        await server.start_server()
        one.url = str(server.make_url("")).rstrip("/")
        made.append(one)
        servers.append(server)
    yield made
    for one, server in zip(made, servers, strict=True):
        one.gate.set()
        await server.close()


async def asked(sender: WebhookSender, url: str, account: str) -> bool:
    """Send; whether it was answered."""
    return (await sender.send(Hook(url=url, account=account))).ok


async def until(reached: Any) -> None:
    """Wait for something that happens."""
    async with asyncio.timeout(10):
        while not reached():
            await asyncio.sleep(0.005)


async def test_a_slow_host_of_one_account_leaves_the_host_to_others(slow: list[Slow]) -> None:
    """Sub-accounts of one application: A's requests to it hang, B's to the same host are answered."""
    sender, one = WebhookSender(allow_private=True, connections=16, per_host=4), slow[0]
    flood = [asyncio.create_task(asked(sender, f"{one.url}/slow", "A")) for _ in range(20)]
    await until(lambda: one.asked == 3)
    async with asyncio.timeout(5):
        assert await asked(sender, f"{one.url}/quick", "B")
        assert await asked(sender, f"{slow[1].url}/quick", "A")
    assert sender.figures()["http_requests_out_waiting"] == 17
    one.gate.set()
    assert all(await asyncio.gather(*flood))
    assert sender.figures() == {"http_requests_out": 0, "http_requests_out_waiting": 0}
    await sender.close()


async def test_slow_hosts_of_one_account_leave_connections_to_others(slow: list[Slow]) -> None:
    """A has as many hosts as it likes, but not all the connections."""
    sender = WebhookSender(allow_private=True, connections=4, per_host=4)
    flood = [asyncio.create_task(asked(sender, f"{slow[each % 2].url}/slow", "A")) for each in range(20)]
    await until(lambda: slow[0].asked + slow[1].asked == 3)
    async with asyncio.timeout(5):
        assert await asked(sender, f"{slow[2].url}/quick", "B")
    slow[0].gate.set()
    slow[1].gate.set()
    assert all(await asyncio.gather(*flood))
    await sender.close()


async def test_slow_name_servers_of_one_account(slow: list[Slow], monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that look up A's names hang; B's name is found. Those that hang keep their seats until they are done."""
    let_go, hanging = threading.Event(), threading.Semaphore(0)
    real = guard._addresses

    def addresses(host: str, port: int, family: int) -> Any:
        if host.endswith(".slow.test"):
            hanging.release()
            let_go.wait(20)
            raise socket.gaierror("no such name")
        return real("127.0.0.1", port, family)

    monkeypatch.setattr(guard, "_addresses", addresses)
    sender = WebhookSender(allow_private=True)
    sender._guard._seconds = 0.3
    port = slow[0].url.rpartition(":")[2]
    flood = [
        asyncio.create_task(asked(sender, f"http://n{each}.slow.test/", "A"))
        for each in range(guard.LOOK_UPS * 2)
    ]
    await until(lambda: sender._guard._seats.waiting)
    async with asyncio.timeout(5):
        assert await asked(sender, f"http://good.test:{port}/quick", "B")
    assert not any(await asyncio.gather(*flood))
    assert sender._guard._seats.busy == guard.LOOK_UPS - guard.LOOK_UPS // 4
    let_go.set()
    await until(lambda: sender._guard._seats.busy == 0)
    assert sender._guard._seats.waiting == 0
    await sender.close()
