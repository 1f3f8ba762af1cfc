"""The HTTP server's own ways: answers leave at once, and a stop takes no longer than what is under way."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from ringback.web import server as module
from ringback.web.server import Server


class Application:
    """Answers when it may."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.may = asyncio.Event()
        self.may.set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.set()
        await self.may.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
async def application() -> Application:
    return Application()


@pytest.fixture
async def server(application: Application) -> AsyncIterator[Server]:
    """Listening; whoever stops it first, it is stopped at the end."""
    made = Server(application, "127.0.0.1", 0)
    made.bind()
    await made.start()
    yield made
    application.may.set()
    await made.stop()


@pytest.fixture
async def client(server: Server) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(f"http://127.0.0.1:{server.port}") as session:
        yield session


async def test_answers_leave_at_once(server: Server, client: aiohttp.ClientSession) -> None:
    """Head and body are two packets: neither waits until the other is acknowledged."""
    async with client.get("/") as answer:
        assert await answer.text() == "ok"
    (connection,) = server._server.server_state.connections
    accepted = connection.transport.get_extra_info("socket")
    assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_a_stop_closes_idle_connections_and_waits_for_no_tick(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """uvicorn's own ticks, a tenth of a second each, never come here."""
    sleep = asyncio.sleep

    async def no_tick(seconds: float) -> None:
        await (sleep(seconds) if seconds < 0.1 else asyncio.Event().wait())

    monkeypatch.setattr(asyncio, "sleep", no_tick)
    server = Server(application, "127.0.0.1", 0)
    server.bind()
    await server.start()
    async with aiohttp.ClientSession(f"http://127.0.0.1:{server.port}") as client:
        async with client.get("/") as answer:
            assert answer.status == 200
        await server.stop()
        assert not server._server.server_state.connections
        with pytest.raises(aiohttp.ClientError):
            await client.get("/")


async def test_a_stop_waits_for_a_request(
    server: Server, application: Application, client: aiohttp.ClientSession
) -> None:
    application.may.clear()
    asking = asyncio.ensure_future(client.get("/"))
    await application.asked.wait()
    stopping = asyncio.ensure_future(server.stop())
    await asyncio.sleep(0.05)
    assert not stopping.done()
    application.may.set()
    await stopping
    async with await asking as answer:
        assert await answer.text() == "ok"


async def test_a_stop_waits_no_longer_than_it_says(
    server: Server, application: Application, client: aiohttp.ClientSession,
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """What does not end is broken off, and the log says so."""
    monkeypatch.setattr(module, "LAST_REQUESTS", 0.05)
    application.may.clear()
    asking = asyncio.ensure_future(client.get("/"))
    await application.asked.wait()
    await server.stop()
    assert "1 requests did not end within" in caplog.text
    async with await asking as answer:
        assert answer.status == 500
