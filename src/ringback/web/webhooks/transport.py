"""One HTTP exchange on aiohttp: connection pool, time limits, bounded reading, bounded decompression.

Connections are shared fairly by account, in all and to one host: whoever's servers are slow does not hold up others.
No redirects, no retries, no cookies here: those belong to the sender.
"""

from __future__ import annotations

import asyncio
import functools
import ssl
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ClientResponse
from aiohttp.connector import Connection
from yarl import URL

from ringback.sharing.seats import Seats
from ringback.web.webhooks.failure import Interrupted
from ringback.web.webhooks.guard import RESOLVING_FOR, Guard
from ringback.web.webhooks.overrides import Overrides
from ringback.web.webhooks.request import Wire


class TooLarge(Exception):
    """The answer is larger than the limit; `seen` is what was read of it."""

    def __init__(self, seen: bytes) -> None:
        super().__init__("the answer is too large")
        self.seen = seen


class BadEncoding(Exception):
    """The answer's Content-Encoding is unknown or broken."""


class _Protocol(ResponseHandler):
    """Counts what aiohttp does not tell: bytes that have come, and exchanges served."""

    received = 0
    exchanges = 0

    def data_received(self, data: bytes) -> None:
        self.received += len(data)
        super().data_received(data)


class _Response(ClientResponse):
    """Turns a failure while waiting for the answer into `Interrupted`.

    That also keeps aiohttp from repeating a GET by itself: the sender decides, and the ledger shows it.
    """

    async def start(self, connection: Connection) -> ClientResponse:
        protocol = connection.protocol
        if not isinstance(protocol, _Protocol):
            return await super().start(connection)
        before, reused = protocol.received, protocol.exchanges > 0
        protocol.exchanges += 1
        try:
            return await super().start(connection)
        except (aiohttp.ClientError, OSError) as error:
            raise Interrupted(error, partial=protocol.received > before, reused=reused) from error


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete HTTP answer; `headers` keeps repetitions and order."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Transport:
    """The connection pool. Make it inside a running event loop, close it at the end."""

    def __init__(self, guard: Guard, *, tls: ssl.SSLContext | None, connections: int, per_host: int) -> None:
        connector = aiohttp.TCPConnector(
            resolver=guard,
            limit=connections,  # never reached, as nobody asks for a connection without a seat
            limit_per_host=0,
            # Shorter than common servers keep idle connections (5 s), so we seldom meet one being closed.
            keepalive_timeout=4.0,
            ttl_dns_cache=10,
            ssl=tls if tls is not None else True,
        )
        # aiohttp has no public way to name the protocol class; the tests of partial answers need this one.
        connector._factory = functools.partial(_Protocol, loop=asyncio.get_running_loop())  # type: ignore[assignment]
        self._guard = guard
        self._seats = Seats(connections, reserve=connections // 4)
        self._per_host = per_host
        self._hosts: dict[tuple[str, str, int], Seats] = {}
        """Of the hosts that are being asked."""
        self._session = aiohttp.ClientSession(
            connector=connector,
            response_class=_Response,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            requote_redirect_url=False,
            max_line_size=16_380,
            max_field_size=16_380,
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    @property
    def busy(self) -> int:
        """Requests that have a connection, or are about to."""
        return self._seats.busy

    @property
    def waiting(self) -> int:
        """Requests that wait for their turn."""
        return self._seats.waiting + sum(each.waiting for each in self._hosts.values())

    @asynccontextmanager
    async def _turn(self, origin: tuple[str, str, int], account: str) -> AsyncIterator[None]:
        """One of the connections to a host, and then one of all: who waits for the host keeps nobody else's."""
        host = self._hosts.get(origin)
        if host is None:
            host = self._hosts[origin] = Seats(self._per_host, reserve=self._per_host // 4)
        try:
            async with host.of(account), self._seats.of(account):
                yield
        finally:
            if not host.busy and not host.waiting and self._hosts.get(origin) is host:
                del self._hosts[origin]

    async def exchange(
        self,
        wire: Wire,
        headers: dict[str, str],
        overrides: Overrides,
        remaining: float,
        *,
        limit: int,
        account: str = "",
        sink: Callable[[bytes], object] | None = None,
        cut: bool = False,
    ) -> Answer:
        """Send one request and read the answer.

        `remaining` seconds are left of the total. At most `limit` bytes of body are read, after
        decompression: a larger one raises `TooLarge`, or with `cut` is cut off there. A `sink` takes the body
        of a 2xx answer.
        Raises what `failure.explain` understands; TimeoutError from here is the total time.
        """
        self._guard.check(wire.target)
        RESOLVING_FOR.set(account)
        read = overrides.read_ms / 1000
        timeout = aiohttp.ClientTimeout(
            sock_connect=overrides.connect_ms / 1000,
            # When the total ends first it is the total that must be reported, not the wait for a byte.
            sock_read=read if read < remaining else None,
            ceil_threshold=3600,
        )
        async with (
            asyncio.timeout(max(remaining, 0.0)),
            self._turn(wire.target.origin, account),
            self._session.request(
                wire.method,
                URL(wire.target.url, encoded=True),
                data=wire.body,
                headers=headers,
                allow_redirects=False,
                timeout=timeout,
            ) as response,
        ):
            wanted = sink if 200 <= response.status < 300 else None
            try:
                body = await _read(response, limit, wanted, cut=cut)
            except (aiohttp.ClientError, OSError) as error:
                # TimeoutError is an OSError: the read limit; the total is raised outside of this block.
                raise Interrupted(error, partial=True, reused=False) from error
            return Answer(response.status, [(name, value) for name, value in response.headers.items()], body)


async def _read(
    response: ClientResponse, limit: int, sink: Callable[[bytes], object] | None, *, cut: bool
) -> bytes:
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    inflate = zlib.decompressobj(wbits=47) if encoding in ("gzip", "x-gzip", "deflate") else None
    if inflate is None and encoding not in ("identity", ""):
        raise BadEncoding(f"The answer's Content-Encoding {encoding[:20]!r} was not asked for.")
    seen = bytearray()
    size = 0
    while True:
        piece = await response.content.readany()
        if not piece:
            break
        if inflate is not None:
            try:
                # One byte more than allowed is enough to know; a bomb is never unpacked further.
                piece = inflate.decompress(piece, limit - size + 1)
            except zlib.error as error:
                raise BadEncoding("The answer's compression is broken.") from error
        size += len(piece)
        if size > limit:
            response.close()
            seen += piece[: limit - len(seen)] if sink is None else b""
            if cut:
                break
            raise TooLarge(bytes(seen))
        if sink is not None:
            sink(piece)
        else:
            seen += piece
    if inflate is not None and size <= limit and not inflate.eof and size:
        raise BadEncoding("The compressed answer is incomplete.")
    return bytes(seen)
