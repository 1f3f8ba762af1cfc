"""What strangers may do with SIP over TCP and TLS (issue 11, point 20)."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import uvloop
from tests.edges.sip.conftest import Start
from tests.sip_peers import Recorder, endpoint, port_of

from ringback.edges.sip.endpoint import SipEndpoint
from ringback.edges.sip.listener import StreamLimits, TlsFiles

SHORT = StreamLimits(message_seconds=0.2, idle_seconds=0.6, connections=20, connections_per_source=10)
WAITING = StreamLimits(message_seconds=30.0, idle_seconds=30.0, connections=20, connections_per_source=10)


class Peer:
    """A TCP connection by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            self.writer.write(data)

    async def answered(self) -> bytes:
        """The head of a response."""
        async with asyncio.timeout(2):
            return await self.reader.readuntil(b"\r\n\r\n")

    async def closed(self, within: float = 3.0) -> bytes:
        """What came until the server closed."""
        found = b""
        async with asyncio.timeout(within):
            with contextlib.suppress(ConnectionError):
                while data := await self.reader.read(65536):
                    found += data
        return found


Connect = Callable[..., Awaitable[Peer]]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """`await connect(agent, b"…")`, with `secure=True` over TLS; all are closed at the end."""
    made: list[Peer] = []

    async def begin(
        agent: SipEndpoint, data: bytes = b"", transport: str = "tcp", *, secure: bool = False
    ) -> Peer:
        context = ssl.create_default_context() if secure else None
        if context is not None:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        one = Peer(*await asyncio.open_connection("127.0.0.1", port_of(agent, transport), ssl=context))
        made.append(one)
        one.send(data)
        return one

    yield begin
    for one in made:
        one.writer.close()
    for one in made:
        with contextlib.suppress(OSError, ssl.SSLError):
            await one.writer.wait_closed()


def options(number: int) -> bytes:
    """A whole request."""
    return (
        f"OPTIONS sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK{number}\r\n"
        f"From: <sip:a@x>;tag={number}\r\nTo: <sip:x@127.0.0.1>\r\nCall-ID: {number}\r\nCSeq: 1 OPTIONS\r\n"
        "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    ).encode()


@pytest.mark.parametrize(
    "begin", [b"", b"\r\n", b"\r\n\r\n", b"INVITE sip:x", options(1)[:-4], b"\x16\x03\x01"]
)
async def test_half_open(start: Start, connect: Connect, begin: bytes) -> None:
    """Whoever has no whole message to say is cut off; pings are none."""
    agent = await start(Recorder(), "tcp", limits=SHORT)
    one = await connect(agent, begin)
    assert await one.closed() in (b"", b"\r\n")
    assert agent.counters.dropped["half-open"] == 1


async def test_a_byte_now_and_then(start: Start, connect: Connect) -> None:
    """Neither as the first message nor behind an honest one."""
    agent = await start(Recorder(), "tcp", limits=SHORT)
    first, second = await connect(agent), await connect(agent, options(1))
    assert b"SIP/2.0 200" in await second.answered()

    async def drip() -> None:
        while True:
            for one in (first, second):
                one.send(b"O")
            await asyncio.sleep(0.02)

    dripping = asyncio.create_task(drip())
    await asyncio.gather(first.closed(), second.closed())
    dripping.cancel()
    assert agent.counters.dropped["half-open"] == 2


async def test_who_has_spoken_may_be_silent_for_longer(start: Start, connect: Connect) -> None:
    """Connections are used again (RFC 5923); the idle time ends them, too."""
    agent = await start(Recorder(), "tcp", limits=SHORT)
    one = await connect(agent, options(1))
    assert b"SIP/2.0 200" in await one.answered()
    await asyncio.sleep(0.4)
    one.send(options(2))
    assert b"SIP/2.0 200" in await one.answered()
    assert await one.closed() == b""
    assert agent.counters.dropped["half-open"] == 0


async def test_connections_of_one_source(start: Start, connect: Connect) -> None:
    """The one that has said nothing for longest makes room."""
    agent = await start(Recorder(), "tcp", limits=WAITING)
    honest = await connect(agent, options(0))
    assert b"SIP/2.0 200" in await honest.answered()
    crowd = [await connect(agent, b"OPT") for _ in range(30)]
    await asyncio.sleep(0.1)
    late = await connect(agent, options(1))
    assert b"SIP/2.0 200" in await late.answered()
    assert await crowd[0].closed() == b""
    assert agent.counters.dropped["connection-displaced"] == 22


async def test_a_call_is_not_displaced(start: Start, connect: Connect) -> None:
    """What a call or a registration needs stays, however many come."""
    agent = await start(Recorder(), "tcp", limits=WAITING)
    needed = await connect(agent, options(0))
    assert b"SIP/2.0 200" in await needed.answered()
    flow = next(iter(agent._stack.transports._streams.values()))
    agent._stack.transports.in_use = lambda one: one is flow
    for _ in range(40):
        await connect(agent, b"OPT")
    await asyncio.sleep(0.1)
    needed.send(options(1))
    assert b"SIP/2.0 200" in await needed.answered()


@pytest.fixture
def tls(tmp_path: Path) -> TlsFiles:
    """A certificate of our own."""
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
         "-subj", "/CN=localhost", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    return TlsFiles(str(certificate), str(key))


async def test_a_handshake_that_never_ends(start: Start, connect: Connect, tls: TlsFiles) -> None:
    agent = await start(Recorder(), "tls", limits=SHORT, tls=tls)
    silent, begun = await connect(agent, b"", "tls"), await connect(agent, b"\x16\x03\x01\x02\x00\x01", "tls")
    await asyncio.gather(silent.closed(), begun.closed())
    honest = await connect(agent, options(1).replace(b"/TCP", b"/TLS"), "tls", secure=True)
    assert b"SIP/2.0 200" in await honest.answered()


@pytest.mark.parametrize("make_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_quick_client(
    make_loop: Callable[[], asyncio.AbstractEventLoop], version: ssl.TLSVersion, tls: TlsFiles
) -> None:
    """Its first flight is there before we accept: uvloop, the loop of the product, reads it before TLS is."""
    context = ssl.create_default_context(cafile=tls.certificate)
    context.maximum_version = version

    async def run() -> None:
        agent = endpoint(Recorder(), "tls", limits=WAITING, tls=tls)
        await agent.start()
        try:
            coming, going = ssl.MemoryBIO(), ssl.MemoryBIO()
            client = context.wrap_bio(coming, going, server_hostname="localhost")
            with contextlib.suppress(ssl.SSLWantReadError):
                client.do_handshake()
            with socket.create_connection(("127.0.0.1", port_of(agent, "tls")), timeout=2) as peer:
                peer.sendall(going.read())  # the server has this very thread: it stands still meanwhile
                peer.setblocking(False)
                loop = asyncio.get_running_loop()

                async def until_done(step: Callable[[], bytes | None]) -> bytes | None:
                    while True:
                        try:
                            return step()
                        except ssl.SSLWantReadError:
                            await loop.sock_sendall(peer, going.read())
                            coming.write(await loop.sock_recv(peer, 65536))

                async with asyncio.timeout(2):
                    await until_done(client.do_handshake)
                    client.write(options(1).replace(b"/TCP", b"/TLS"))
                    answer = await until_done(lambda: client.read(65536))
        finally:
            await agent.stop()
        assert answer is not None
        assert answer.startswith(b"SIP/2.0 200")

    with asyncio.Runner(loop_factory=make_loop) as runner:
        runner.run(run())


async def test_handshakes_count_as_connections(start: Start, connect: Connect, tls: TlsFiles) -> None:
    """A crowd that never comes to TLS leaves room for whoever does."""
    agent = await start(Recorder(), "tls", limits=WAITING, tls=tls)
    crowd = [await connect(agent, b"", "tls") for _ in range(30)]
    assert await crowd[0].closed() == b""
    honest = await connect(agent, options(1).replace(b"/TCP", b"/TLS"), "tls", secure=True)
    assert b"SIP/2.0 200" in await honest.answered()
