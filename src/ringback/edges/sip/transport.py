"""Sockets: UDP, TCP and TLS listeners, outbound connections, connection reuse (RFC 3261 section 18)."""

import asyncio
import errno
import functools
import os
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, cast

from ringback.edges.sip.counters import SipCounters
from ringback.edges.sip.listener import Listener, StreamLimits, TlsFiles
from ringback.kernel.quota import Quota, source_of
from ringback.sip.framing import StreamFramer
from ringback.sip.message import MalformedMessage

CONNECT_SECONDS = 5.0
MAX_PENDING_BYTES = 1_048_576


class Flow(Protocol):
    """Something that bytes are sent through: a UDP socket or one stream connection."""

    transport: str
    reliable: bool
    local: tuple[str, int]

    def send(self, data: bytes, address: tuple[str, int]) -> bool:
        """Send; False if it is known not to have worked."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a message really came from, and the flow that goes back there."""

    transport: str
    host: str
    port: int
    flow: Flow


Receive = Callable[[bytes, Source], None]
Lost = Callable[[Flow], None]


class UdpFlow(asyncio.DatagramProtocol):
    """One UDP socket."""

    transport = "udp"
    reliable = False

    def __init__(self, receive: Receive, counters: SipCounters, advertise: str | None) -> None:
        self._receive = receive
        self._counters = counters
        self._advertise = advertise
        self._socket: asyncio.DatagramTransport | None = None
        self.ipv6 = False
        self.local = ("", 0)

    def connection_made(self, transport: Any) -> None:
        """The socket is bound."""
        self._socket = transport
        name = transport.get_extra_info("sockname")
        self.ipv6 = ":" in name[0]
        self.local = (self._advertise or _reachable(name[0]), name[1])

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        """One datagram; keep-alives are skipped."""
        if len(data) > 4:
            self._receive(data, Source("udp", addr[0], addr[1], self))

    def error_received(self, exc: Exception) -> None:
        """An ICMP error: not attributable to a transaction, so it is counted and the timers decide."""
        self._counters.dropped["udp-error"] += 1

    def send(self, data: bytes, address: tuple[str, int]) -> bool:
        """Send one datagram."""
        if self._socket is None or self._socket.is_closing():
            return False
        self._socket.sendto(data, address)
        return True

    def close(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()


class StreamFlow(asyncio.Protocol):
    """One TCP or TLS connection, inbound or outbound; what is sent before it is up waits within a limit."""

    reliable = True

    def __init__(
        self, pool: "Transports", transport: str, peer: tuple[str, int] | None, advertise: str | None
    ) -> None:
        self.transport = transport
        self.peer = peer or ("", 0)
        self.local = ("", 0)
        self._pool = pool
        self._advertise = advertise
        self._framer = StreamFramer()
        self._stream: asyncio.Transport | None = None
        self._pending: list[bytes] = []
        self._idle: asyncio.TimerHandle | None = None
        self._late: asyncio.TimerHandle | None = None
        "Runs while a message is due: the first of a peer that came to us, and the rest of one that has begun."
        self._comes = peer is None
        self._early = b""
        self.open = True

    def connection_made(self, transport: Any) -> None:
        """Connected: send what waited."""
        self._stream = transport
        peer = transport.get_extra_info("peername")
        name = transport.get_extra_info("sockname")
        self.peer = (peer[0], peer[1])
        listening = self._pool.listening_port(self.transport)
        self.local = (self._advertise or name[0], listening or name[1])
        if not self._pool.adopt(self):
            transport.abort()
            return
        self._touch()
        if self._comes:
            self._expect()
        for data in self._pending:
            transport.write(data)
        self._pending.clear()
        early, self._early = self._early, b""
        if early:
            self.data_received(early)

    def data_received(self, data: bytes) -> None:
        """Frame and hand on; an unframeable stream is closed."""
        if self._stream is None:  # right behind the handshake, before that was told
            self._early += data
            return
        self._touch()
        framer = self._framer
        try:
            messages = framer.feed(data)
        except MalformedMessage as problem:
            self._pool.counters.dropped[problem.reason] += 1
            self.abort()
            return
        if framer.pings and self._stream is not None:
            self._stream.write(b"\r\n")
            framer.pings = 0
        if messages:
            self._comes = False
            self._relax()
        if framer.partial:
            self._expect()
        elif not self._comes:
            self._relax()
        source = Source(self.transport, self.peer[0], self.peer[1], self)
        for message in messages:
            self._pool.receive(message, source)

    def connection_lost(self, exc: Exception | None) -> None:
        """Gone: whoever waits for it is told."""
        self.fail()

    def fail(self) -> None:
        """The connection cannot be used any more; idempotent."""
        if self.open:
            self.open = False
            if self._idle is not None:
                self._idle.cancel()
            self._relax()
            self._pending.clear()
            self._pool.forget(self)

    def abort(self) -> None:
        """Close at once."""
        if self._stream is not None:
            self._stream.abort()
        self.fail()

    def close(self) -> None:
        """Close after what is written."""
        if self._stream is not None:
            self._stream.close()
        self.fail()

    def send(self, data: bytes, address: tuple[str, int]) -> bool:
        """Write, or keep until connected. A peer that does not read is cut off."""
        if not self.open:
            return False
        if self._stream is None:
            self._pending.append(data)
            return len(self._pending) < 1000
        if self._stream.get_write_buffer_size() > MAX_PENDING_BYTES:
            self._pool.counters.dropped["slow-reader"] += 1
            self.abort()
            return False
        self._stream.write(data)
        return True

    def _expect(self) -> None:
        if self._late is None:
            seconds = self._pool.limits.message_seconds
            self._late = asyncio.get_running_loop().call_later(seconds, self._too_late)

    def _relax(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _too_late(self) -> None:
        self._pool.counters.dropped["half-open"] += 1
        self.abort()

    def _touch(self) -> None:
        loop = asyncio.get_running_loop()
        self._last = loop.time()
        self._pool.touched(self)
        if self._idle is None:
            self._idle = loop.call_later(self._pool.limits.idle_seconds, self._check_idle)

    def _check_idle(self) -> None:
        loop, seconds = asyncio.get_running_loop(), self._pool.limits.idle_seconds
        left = self._last + seconds - loop.time()
        if left <= 0 and not self._pool.in_use(self):
            self.close()
        else:
            self._idle = loop.call_later(left if left > 0 else seconds / 2, self._check_idle)


class Handshake(asyncio.Protocol):
    """An accepted connection until it is TLS: asyncio's own listener tells of those only afterwards, uncounted."""

    def __init__(self, pool: "Transports", stream: StreamFlow, context: ssl.SSLContext) -> None:
        self._pool, self._stream, self._context = pool, stream, context
        self._task: asyncio.Task[None] | None = None
        self._transport: asyncio.Transport | None = None
        self._early = b""

    def connection_made(self, transport: Any) -> None:
        """Begin, if there is room."""
        self._transport = transport
        if not self._pool.shakes(self, transport.get_extra_info("peername")[0]):
            transport.abort()
            return
        self._task = asyncio.get_running_loop().create_task(self._shake(transport))

    def data_received(self, data: bytes) -> None:
        """The peer was faster than `_shake`. (A pause from `connection_made` on would not hold in uvloop.)"""
        self._early += data

    def abort(self) -> None:
        """Break it off."""
        self._pool.shaken(self)
        if self._transport is not None:
            self._transport.abort()

    async def _shake(self, transport: asyncio.Transport) -> None:
        if transport.is_closing():  # gone already: nobody would tell TLS of that
            self._pool.shaken(self)
            return
        loop, seconds = asyncio.get_running_loop(), self._pool.limits.message_seconds
        securing = loop.create_task(
            loop.start_tls(
                transport, self._stream, self._context, server_side=True, ssl_handshake_timeout=seconds
            )
        )
        # In order: its first step, which stops the reading and puts TLS on the transport; what that step has asked
        # for, among it to read again; `_catch_up`; the reading.
        loop.call_soon(loop.call_soon, self._catch_up, transport)
        try:
            secured = await securing
        except (OSError, TimeoutError, ssl.SSLError):
            self._pool.counters.dropped["tls-handshake"] += 1
            self.abort()
            return
        self._pool.shaken(self)
        if secured is None:  # it was broken off at the last moment
            transport.abort()
        else:
            self._stream.connection_made(secured)

    def _catch_up(self, transport: asyncio.Transport) -> None:
        """Give TLS what came before it was there."""
        early = memoryview(self._early)
        while early and not transport.is_closing():
            tls = cast("asyncio.BufferedProtocol", transport.get_protocol())
            room = memoryview(tls.get_buffer(len(early)))
            taken = min(len(room), len(early))
            room[:taken] = early[:taken]
            tls.buffer_updated(taken)
            early = early[taken:]


class Transports:
    """All sockets of one endpoint. `receive` gets every datagram or framed message, `lost` every dead stream."""

    def __init__(
        self,
        listeners: list[Listener],
        tls: TlsFiles | None,
        counters: SipCounters,
        receive: Receive,
        lost: Lost,
        in_use: Callable[[Flow], bool],
        limits: StreamLimits,
    ) -> None:
        self.limits = limits
        self._shaking: set[Handshake] = set()
        self._quota: Quota[StreamFlow | Handshake] = Quota(limits.connections, limits.connections_per_source)
        self.counters = counters
        self.receive = receive
        self.in_use = in_use
        self._lost = lost
        self._listeners = listeners
        self._tls = tls
        self._udp: list[UdpFlow] = []
        self._servers: list[tuple[str, asyncio.Server, str | None]] = []
        self._streams: dict[tuple[str, str, int], StreamFlow] = {}
        self._connecting: set[asyncio.Task[None]] = set()
        self.addresses: list[tuple[str, str, int]] = []
        "(transport, host, port) of every listener, in the order given."

    async def start(self) -> None:
        """Bind everything; on an error what was bound is closed and OSError raised."""
        try:
            for listener in self._listeners:
                try:
                    bound = await self._bind(listener)
                except OSError as error:
                    raise _refused(listener, error) from error
                self.addresses.append((listener.transport, bound[0], bound[1]))
        except BaseException:
            await self.stop()
            raise

    def _accepted(self, listener: Listener, context: ssl.SSLContext | None) -> asyncio.Protocol:
        stream = StreamFlow(self, listener.transport, None, listener.advertise)
        return stream if context is None else Handshake(self, stream, context)

    async def _bind(self, listener: Listener) -> tuple[str, int]:
        """One listener; gives its address. Raises OSError."""
        loop = asyncio.get_running_loop()
        if listener.transport == "udp":
            flow = UdpFlow(self.receive, self.counters, listener.advertise)
            sock = _udp_socket(listener.host, listener.port)
            await loop.create_datagram_endpoint(lambda: flow, sock=sock)
            self._udp.append(flow)
            name = sock.getsockname()
        else:
            context = self._server_context() if listener.transport == "tls" else None
            server = await loop.create_server(
                functools.partial(self._accepted, listener, context),
                listener.host,
                listener.port,
                backlog=1024,
                reuse_address=True,
            )
            self._servers.append((listener.transport, server, listener.advertise))
            name = server.sockets[0].getsockname()
        return name[0], name[1]

    async def stop(self) -> None:
        """Close every socket."""
        for task in list(self._connecting):
            task.cancel()
        await asyncio.gather(*self._connecting, return_exceptions=True)
        for _, server, _ in self._servers:
            server.close()
        for stream in list(self._streams.values()):
            stream.close()
        for shaking in list(self._shaking):
            shaking.abort()
        for flow in self._udp:
            flow.close()
        self._udp.clear()
        self._servers.clear()
        await asyncio.sleep(0)

    def listening_port(self, transport: str) -> int | None:
        """The port of our first listener of that transport."""
        return next((port for name, _, port in self.addresses if name == transport), None)

    def reaches(self, transport: str, host: str) -> bool:
        """Whether an address can be sent to: UDP needs a listener of its family."""
        return transport != "udp" or any(flow.ipv6 == (":" in host) for flow in self._udp)

    def flow_to(self, transport: str, host: str, port: int) -> Flow:
        """The UDP socket, or a reused or new connection. Raises ConnectionError if there is no such transport."""
        if transport == "udp":
            family = ":" in host
            for flow in self._udp:
                if flow.ipv6 == family:
                    return flow
            raise ConnectionError("no UDP listener")
        if transport not in ("tcp", "tls"):
            raise ConnectionError(f"unknown transport {transport[:16]}")
        key = (transport, host, port)
        stream = self._streams.get(key)
        if stream is None or not stream.open:
            advertise = next(
                (item.advertise for item in self._listeners if item.transport == transport), None
            )
            stream = StreamFlow(self, transport, (host, port), advertise)
            # the Via of the first request is written before the connection is up
            stream.local = (advertise or _route_source(host, port), self.listening_port(transport) or 5060)
            self._streams[key] = stream
            task = asyncio.get_running_loop().create_task(self._connect(stream, host, port))
            self._connecting.add(task)
            task.add_done_callback(self._connecting.discard)
        return stream

    async def _connect(self, stream: StreamFlow, host: str, port: int) -> None:
        loop = asyncio.get_running_loop()
        context = self._client_context() if stream.transport == "tls" else None
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await loop.create_connection(lambda: stream, host, port, ssl=context)
        except (OSError, TimeoutError, ssl.SSLError):
            self.counters.dropped["connect-failed"] += 1
            stream.fail()

    def adopt(self, stream: StreamFlow) -> bool:
        """A connection is up; False above the limits, where one that nobody needs does not make room for it."""
        if not self._take(stream, stream.peer[0]):
            return False
        self._streams[(stream.transport, *stream.peer)] = stream
        return True

    def shakes(self, one: "Handshake", host: str) -> bool:
        """A connection is to become TLS: it counts already; False above the limits."""
        if self._take(one, host):
            self._shaking.add(one)
            return True
        return False

    def shaken(self, one: "Handshake") -> None:
        """It is TLS now, or gone."""
        self._shaking.discard(one)
        self._quota.leave(one)

    def _take(self, one: "StreamFlow | Handshake", host: str) -> bool:
        taken, gone = self._quota.enter(
            one, source_of(host), lambda other: isinstance(other, StreamFlow) and self.in_use(other)
        )
        if gone is not None:
            self.counters.dropped["connection-displaced"] += 1
            gone.abort()
        if not taken:
            self.counters.dropped["too-many-connections"] += 1
        return taken

    def touched(self, stream: StreamFlow) -> None:
        """Something came over it: others make room before it."""
        self._quota.rests(stream)

    def forget(self, stream: StreamFlow) -> None:
        """A connection is gone."""
        self._quota.leave(stream)
        key = (stream.transport, *stream.peer)
        if self._streams.get(key) is stream:
            del self._streams[key]
        self._lost(stream)

    def _server_context(self) -> ssl.SSLContext:
        if self._tls is None:
            raise ValueError("a TLS listener needs TlsFiles")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self._tls.certificate, self._tls.key)
        return context

    def _client_context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self._tls.ca if self._tls else None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context


def _udp_socket(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        if family == socket.AF_INET6:
            # as asyncio does for TCP: IPv4 has a listener of its own
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        # a burst of calls must wait in the kernel, not be lost
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
        sock.bind((host, port))
    except BaseException:
        sock.close()
        raise
    return sock


def _refused(listener: Listener, error: OSError) -> OSError:
    """The error for people: which setting, and what to do."""
    shown = f"RINGBACK_SIP={listener.transport}:{listener.host}:{listener.port}"
    if isinstance(error, ssl.SSLError):
        mend = "write the paths of two PEM files that belong together"
        return OSError(
            f"RINGBACK_SIP_TLS_CERTIFICATE, RINGBACK_SIP_TLS_KEY: {error.strerror or error}: {mend}"
        )
    why = os.strerror(error.errno) if error.errno else str(error)
    if error.errno == errno.EADDRINUSE:
        mend = (
            f"stop the program that has port {listener.port}, or set RINGBACK_SIP to another one, or to off"
        )
    else:
        mend = "write an address and a port of this machine"
    return OSError(f"{shown}: {why}: {mend}")


def _reachable(host: str) -> str:
    """A host that peers can send to, for a wildcard bind."""
    if host in ("0.0.0.0", "::"):  # noqa: S104
        return _route_source("192.0.2.1" if host == "0.0.0.0" else "2001:db8::1", 9)  # noqa: S104
    return host


def _route_source(host: str, port: int) -> str:
    """The local address that packets to `host` leave from; nothing is sent."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((host, port))
        except OSError:
            return "::1" if ":" in host else "127.0.0.1"
        return str(probe.getsockname()[0])
