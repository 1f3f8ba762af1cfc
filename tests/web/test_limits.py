"""What strangers may ask of the HTTP server: real sockets, short limits (issue 11, point 20)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from ringback.web.limits import HttpLimits
from ringback.web.server import Server

SHORT = HttpLimits(
    head_bytes=4096, body_bytes=100_000, head_seconds=0.2, body_seconds=0.2, idle_seconds=0.3, connections=20,
    connections_per_source=10,
)  # fmt: skip
Start = Callable[..., Any]


class Application:
    """Reads the body and counts; ``/slow`` waits until it may, ``/early`` does not read."""

    def __init__(self) -> None:
        self.may = asyncio.Event()
        self.begun = 0
        self.ended_early = 0

    def routes(self) -> list[Any]:
        return []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            while (await receive())["type"] != "websocket.disconnect":
                pass
            return
        self.begun += 1
        size, more = 0, scope["path"] != "/early"
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.ended_early += 1
                return
            size += len(message["body"])
            more = message["more_body"]
        if scope["path"] == "/slow":
            await self.may.wait()
        body = str(size).encode()
        length = (b"content-length", str(len(body)).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        await send({"type": "http.response.body", "body": body})


class Peer:
    """A connection by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            self.writer.write(data)

    async def closed(self, within: float = 2.0) -> bytes:
        """What came until the server closed."""
        found = b""
        async with asyncio.timeout(within):
            with contextlib.suppress(ConnectionError):
                while data := await self.reader.read(65536):
                    found += data
        return found

    async def answer(self) -> bytes:
        """A head and a body of one byte."""
        async with asyncio.timeout(2):
            head = await self.reader.readuntil(b"\r\n\r\n")
            return head + await self.reader.readexactly(1)


class Site:
    """A server with its application."""

    def __init__(self, server: Server, application: Application) -> None:
        self.server, self.application = server, application
        self.peers: list[Peer] = []

    async def peer(self, data: bytes = b"") -> Peer:
        made = Peer(*await asyncio.open_connection("127.0.0.1", self.server.port))
        self.peers.append(made)
        made.send(data)
        return made

    @property
    def open(self) -> int:
        return int(self.server.figures()["http_connections"])

    async def empty(self) -> None:
        async with asyncio.timeout(3):
            while self.open:
                await asyncio.sleep(0.01)


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    made: list[Site] = []

    async def begin(**changes: Any) -> Site:
        application = Application()
        server = Server(application, "127.0.0.1", 0, replace(SHORT, **changes))
        server.bind()
        await server.start()
        made.append(Site(server, application))
        return made[-1]

    yield begin
    for site in made:
        site.application.may.set()
        for peer in site.peers:
            peer.writer.close()
        await site.server.stop()


GET = b"GET / HTTP/1.1\r\nHost: x\r\n"


async def test_an_honest_client_notices_nothing(start: Start) -> None:
    site = await start()
    peer = await site.peer()
    for _ in range(3):
        peer.send(GET + b"\r\n")
        assert (await peer.answer()).endswith(b"0")
        await asyncio.sleep(0.15)  # idle, but not for long
    peer.send(GET + b"\r\n" + GET + b"\r\n")
    assert [(await peer.answer())[-1:] for _ in range(2)] == [b"0", b"0"]
    peer.send(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
    assert (await peer.answer()).endswith(b"3")
    assert site.server.figures()["http_refused_total"] == 0


@pytest.mark.parametrize(
    "begin",
    [
        b"GET /" + b"a" * 5000, b"GET / HTTP/1.1\r\n" + b"a" * 5000, b"GET / HTTP/1.1\r\nX: " + b"a" * 5000,
        GET + b"X: y\r\n" * 150, GET + b"".join(b"X%d: %s\r\n" % (n, b"y" * 60) for n in range(90)),
        b"\r\n" * 4000, b"G" * 5000,
    ],
)  # fmt: skip
async def test_a_head_that_is_too_large(start: Start, begin: bytes) -> None:
    """Refused while it comes, however much would follow, and no application hears of it."""
    site = await start(head_seconds=5.0)
    peer = await site.peer(begin)
    more = asyncio.create_task(_pour(peer))
    answered = await peer.closed()
    more.cancel()
    assert answered[:12] in (b"HTTP/1.1 431", b"HTTP/1.1 400", b""), answered
    assert site.application.begun == 0
    await site.empty()


async def _pour(peer: Peer) -> None:
    with contextlib.suppress(OSError):
        for _ in range(100):
            peer.writer.write(b"X-More: " + b"a" * 60_000 + b"\r\n")
            await peer.writer.drain()


@pytest.mark.parametrize("begin", [b"", b"G", b"GET / HTTP/1.1\r\nHos", GET, b"\r\n"])
async def test_half_a_head(start: Start, begin: bytes) -> None:
    """Cut off in time; with an answer where something was said."""
    site = await start()
    peer = await site.peer(begin)
    answered = await peer.closed()
    assert answered[:12] == (b"HTTP/1.1 408" if begin else b"")
    assert site.application.begun == 0


async def test_a_byte_now_and_then(start: Start) -> None:
    """Each byte is no new beginning: not in a head, not in a body (slow loris, R.U.D.Y.)."""
    site = await start()
    head = await site.peer(b"GET / HTTP/1.1\r\n")
    body = await site.peer(b"POST / HTTP/1.1\r\nContent-Length: 5000\r\n\r\n")
    chunks = await site.peer(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
    again = await site.peer(GET + b"\r\n")
    await again.answer()

    async def drip() -> None:
        while True:
            head.send(b"X")
            body.send(b"X")
            chunks.send(b"1\r\nX\r\n")
            again.send(b"G")
            await asyncio.sleep(0.03)

    dripping = asyncio.create_task(drip())
    for peer in (head, body, chunks):
        assert (await peer.closed())[:12] == b"HTTP/1.1 408"
    await again.closed()
    dripping.cancel()
    assert site.application.ended_early == 2
    await site.empty()


async def test_a_large_body_on_a_slow_line_comes_in(start: Start) -> None:
    """What keeps the least rate may take longer than the seconds that are given anyhow."""
    site = await start()
    peer = await site.peer(b"POST / HTTP/1.1\r\nContent-Length: 8000\r\nConnection: close\r\n\r\n")
    for _ in range(8):
        peer.send(b"x" * 1000)
        await asyncio.sleep(0.06)
    assert (await peer.closed()).endswith(b"8000")


@pytest.mark.parametrize(
    "head",
    [
        b"POST / HTTP/1.1\r\nContent-Length: 100001\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 99999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)  # fmt: skip
async def test_a_body_that_is_too_large(start: Start, head: bytes) -> None:
    site = await start(body_seconds=5.0)
    peer = await site.peer(head + b"10000\r\n" + b"x" * 0x10000 + b"\r\n10000\r\n" + b"x" * 0x10000)
    assert (await peer.closed())[:12] == b"HTTP/1.1 413"
    await site.empty()


async def test_a_body_of_framing_alone(start: Start) -> None:
    """Chunk extensions and fields behind the body are bounded too."""
    site = await start(body_seconds=5.0)
    for begin, piece in (
        (b"", b"1;" + b"a" * 2000 + b"\r\nx\r\n"),
        (b"0\r\n", b"X: " + b"a" * 2000 + b"\r\n"),
    ):
        peer = await site.peer(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + begin)
        for _ in range(20):
            peer.send(piece)
            await asyncio.sleep(0)
        assert (await peer.closed())[:10] in (b"HTTP/1.1 4", b"")
    await site.empty()


async def test_a_body_that_nobody_wants_is_not_read_for_ever(start: Start) -> None:
    site = await start()
    peer = await site.peer(b"POST /early HTTP/1.1\r\nContent-Length: 90000\r\n\r\nxxx")
    assert (await peer.answer()).endswith(b"0")
    dripping = asyncio.create_task(_drip(peer))
    assert await peer.closed() == b""
    dripping.cancel()
    await site.empty()


async def _drip(peer: Peer) -> None:
    while True:
        peer.send(b"x")
        await asyncio.sleep(0.02)


async def test_who_listens_only_when_all_is_sent_hears_the_early_answer(start: Start) -> None:
    """And the connection is good for another request, and is closed in time after it."""
    site = await start(body_seconds=5.0, body_bytes=100_000_000)
    for _ in range(2):
        peer = await site.peer(b"POST /early HTTP/1.1\r\nContent-Length: 8000000\r\n\r\n")
        for _ in range(80):
            peer.writer.write(b"x" * 100_000)
            await peer.writer.drain()
        assert (await peer.answer()).endswith(b"0")
        peer.send(GET + b"\r\n")
        assert (await peer.answer()).endswith(b"0")
    endless = await site.peer(b"POST /early HTTP/1.1\r\nContent-Length: 90000000\r\n\r\n")
    sent = 0
    with contextlib.suppress(OSError):
        for _ in range(900):
            endless.writer.write(b"x" * 100_000)
            await endless.writer.drain()
            sent += 1
    assert sent < 500
    silent = await site.peer(b"POST /early HTTP/1.1\r\nContent-Length: 5\r\n\r\nx")
    await silent.answer()
    silent.send(b"yyyy")
    await site.empty()


async def test_an_idle_connection_is_closed(start: Start) -> None:
    site = await start()
    peer = await site.peer(GET + b"\r\n")
    await peer.answer()
    assert await peer.closed() == b""


async def test_a_request_that_takes_long_is_not_late(start: Start) -> None:
    """The time of the application is nobody's fault; nor is a request that waits behind it."""
    site = await start()
    peer = await site.peer(b"GET /slow HTTP/1.1\r\n\r\nGET / HT")
    await asyncio.sleep(0.5)
    site.application.may.set()
    assert (await peer.answer()).endswith(b"0")
    peer.send(b"TP/1.1\r\n\r\n")
    assert (await peer.answer()).endswith(b"0")


async def test_connections_of_one_source(start: Start) -> None:
    """The one that has waited longest makes room; where all work, the new one is told so."""
    site = await start(head_seconds=30.0)
    peers = [await site.peer(b"G") for _ in range(10)]
    await asyncio.sleep(0.05)
    honest = await site.peer(GET + b"\r\n")
    assert (await honest.answer()).endswith(b"0")
    assert await peers[0].closed() == b""
    assert site.open == 10
    busy = [await site.peer(b"GET /slow HTTP/1.1\r\n\r\n") for _ in range(10)]
    await asyncio.sleep(0.05)
    late = await site.peer(GET + b"\r\n")
    answered = await late.closed()
    assert answered == b"" or (answered[:12] == b"HTTP/1.1 503" and b"Retry-After: 1" in answered)
    site.application.may.set()
    for peer in busy:
        assert (await peer.answer()).endswith(b"0")
    assert (await (await site.peer(GET + b"\r\n")).answer()).endswith(b"0")


async def test_a_crowd_of_half_open_ones_does_not_shut_anybody_out(start: Start) -> None:
    """1,500 that say nothing: who has something to say is heard at once, and they are gone in time."""
    site = await start(head_seconds=0.5, connections=200, connections_per_source=200)
    for _ in range(15):
        await asyncio.gather(*(site.peer(b"GET /") for _ in range(100)))
        assert (await (await site.peer(GET + b"\r\n")).answer()).endswith(b"0")
        assert site.open <= 200
    await site.empty()


async def test_web_sockets_count_in_all_alone(start: Start) -> None:
    site = await start(connections=12, head_seconds=30.0)
    async with aiohttp.ClientSession() as session:
        sockets = [await session.ws_connect(f"ws://127.0.0.1:{site.server.port}/") for _ in range(12)]
        assert site.open == 12
        late = await site.peer(GET + b"\r\n")
        assert (await late.closed())[:12] in (b"HTTP/1.1 503", b"")
        for socket in sockets:
            assert not socket.closed
            await socket.close()
    await site.empty()
