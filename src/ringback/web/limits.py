"""What a client may ask of the HTTP server before anybody knows who it is: bytes, seconds, connections.

uvicorn has no limit on the head of a request, on the time that it takes to come, or on the connections of one source;
its protocol is extended here by just that. Slow requests get a least rate, as in Apache's mod_reqtimeout: a large body
on a slow line comes in, a byte every few seconds does not.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from ringback.kernel.quota import Quota, source_of

MOST_FIELDS = 100
"""Header fields of one request."""
LEAST_RATE = 1024
"""Bytes a second that a body must bring, beyond the seconds that it may take anyhow."""
FRAMING = 8
"""Bytes on the wire for one of a body: chunks of one byte need six."""
LINGER = 1.0
"""Seconds that a refused client has to read the answer before the connection is broken off."""
LINGER_BYTES = 256 * 1024
"""Bytes that it may go on to send meanwhile."""

UNWANTED_BYTES = 16 * 1024 * 1024
"""Bytes of a body that are taken and dropped after the application has answered without it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpLimits:
    """The settings ``RINGBACK_HTTP_…``; 0 for a number of connections: no limit."""

    head_bytes: int = 64 * 1024
    """Bytes of the request line and the header fields."""
    body_bytes: int = 128 * 1024 * 1024
    """Bytes of a body; most paths take far less."""
    head_seconds: float = 10.0
    """From the connection, or the first byte after an answer, to the end of the head."""
    body_seconds: float = 20.0
    """For a body, beyond what its bytes take at :data:`LEAST_RATE`."""
    idle_seconds: float = 75.0
    """An open connection may be without a request."""
    connections: int = 4096
    connections_per_source: int = 1024
    """Web sockets count in all, but not here: an agent has one, and whole offices are behind one address."""


class LimitedConfig(uvicorn.Config):
    """uvicorn's configuration, with what the protocols below need."""

    def __init__(self, application: Any, limits: HttpLimits, **more: Any) -> None:
        super().__init__(
            application,
            http=LimitedHttp,
            ws=LimitedSocket,
            timeout_keep_alive=limits.idle_seconds,  # type: ignore[arg-type]  # it can wait for parts of a second, too
            **more,
        )
        self.limits = limits
        self.quota: Quota[Any] = Quota(limits.connections, limits.connections_per_source)
        self.refused: Counter[str] = Counter()
        """How often each limit was met, since the start."""

    def figures(self) -> dict[str, float]:
        """Numbers for ``/metrics``."""
        return {
            "http_connections": float(len(self.quota)),
            "http_refused_total": float(sum(self.refused.values())),
        }


class _TooLarge(Exception):
    """Raised in the parser's callbacks, which end the parsing by that."""


class LimitedHttp(HttpToolsProtocol):
    """A connection: a head comes, perhaps a body, then the application answers."""

    config: LimitedConfig
    _phase = "idle"
    """``idle`` before the first byte of a head, ``head``, ``body``, and ``whole`` when all of it is there."""
    _refusal: bytes = b""
    """The answer to a request that is not taken."""
    _closing = False
    _timer: asyncio.TimerHandle | None = None
    _raw = _head = _fields = _body = _unwanted = _dropped = 0
    _deadline = 0.0

    # --- a connection begins and ends ----------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take it, if there is room."""
        super().connection_made(transport)
        quota, source = self.config.quota, source_of(self.client[0] if self.client else "")
        taken, gone = quota.enter(self, source)
        if gone is not None:
            self.config.refused["connections"] += 1
            gone.make_room()
        if not taken:
            self._note(503, "Too many connections; try again in a moment")
            self._closing = True
            transport.write(self._refusal)
            transport.close()  # at once: whoever is too many is not waited for
            return
        self._wait(self.config.limits.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Gone."""
        self.config.quota.leave(self)
        self._rest()
        super().connection_lost(exc)

    def make_room(self) -> None:
        """Somebody else needs the place: break it off."""
        self._closing = True
        self.transport.abort()

    # --- what comes ------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Some bytes; those after a refusal are dropped."""
        if self._closing:
            self._dropped += len(data)
            if self._dropped > LINGER_BYTES:
                self.transport.abort()
            return
        if self._phase == "idle":
            self._begin_head()
        self._raw += len(data)
        super().data_received(data)
        if self._closing or self.transport.is_closing():
            return
        limits = self.config.limits
        if self._phase == "head" and self._raw > limits.head_bytes:
            self._refuse(431, "The head of the request is too large")
        elif self._phase == "body":
            if self._answered:
                self._unwanted += len(data)
                if self._unwanted > UNWANTED_BYTES:
                    self._closing = True
                    self.transport.abort()
                return
            if self._timer is None:
                self._deadline = self.loop.time() + limits.body_seconds
            self._deadline += len(data) / LEAST_RATE
            if self._raw > FRAMING * self._body + limits.head_bytes:
                self._refuse(400, "The body is more framing than content")
        # What came whole in one piece, as most requests do, needs no timer.
        if self._timer is None and self._phase in ("head", "body") and not self._closing:
            self._wait(limits.head_seconds if self._phase == "head" else limits.body_seconds)

    def send_400_response(self, msg: str) -> None:
        """The parser has given up: because of us, or because it is no HTTP."""
        if self._refusal:
            self._answer_and_close()
        else:
            self._refuse(400, msg)

    def handle_websocket_upgrade(self) -> None:
        """The connection becomes a web socket."""
        self._rest()
        self.config.quota.leave(self)
        super().handle_websocket_upgrade()

    def on_message_begin(self) -> None:
        """A head begins, perhaps right behind another request."""
        super().on_message_begin()
        self._head = self._fields = 0
        if self._phase == "whole":
            self._begin_head()

    def on_url(self, url: bytes) -> None:
        """A part of the request line."""
        self._grow(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header field, or one behind a chunked body."""
        self._fields += 1
        self._grow(len(name) + len(value) + 4)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is whole: the application begins."""
        self._phase, self._body, self._raw, self._unwanted = "body", 0, 0, 0
        length = next((value for name, value in self.headers if name == b"content-length"), b"0")
        if length.isdigit() and int(length[:18]) > self.config.limits.body_bytes:
            self._give_up(413, "The body is too large")
        self._rest()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._body += len(body)
        if self._body > self.config.limits.body_bytes:
            self._give_up(413, "The body is too large")
        super().on_body(body)

    def on_message_complete(self) -> None:
        """All of it is there: the time that follows is the application's."""
        self._phase, self._raw = "whole", 0
        self._rest()
        super().on_message_complete()
        if not self._answered:
            self.config.quota.works(self)
            return
        self._idle()  # the application had not waited for the body; uvicorn's own timer is stopped by that
        self._wait(self.config.limits.idle_seconds)

    def on_response_complete(self) -> None:
        """The application has answered."""
        super().on_response_complete()
        if not self._answered or self._closing:
            return  # the next one is under way already
        if self._phase == "body":  # it did not want the body, but some clients listen only when all is sent
            self._deadline = self.loop.time() + self.config.limits.body_seconds
            self._wait(self.config.limits.body_seconds)
            self.config.quota.rests(self)
        elif self._phase == "whole":
            self._idle()
        else:
            self.config.quota.rests(self)

    @property
    def _answered(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    # --- limits -----------------------------------------------------------------------------------------

    def _begin_head(self) -> None:
        self._phase, self._raw = "head", 0

    def _idle(self) -> None:
        self._phase, self._raw = "idle", 0
        self._rest()  # uvicorn's own timer closes it
        self.config.quota.rests(self)

    def _grow(self, size: int) -> None:
        self._head += size
        if self._head > self.config.limits.head_bytes or self._fields > MOST_FIELDS:
            self._give_up(431, "The head of the request is too large")

    def _wait(self, seconds: float) -> None:
        self._rest()
        self._timer = self.loop.call_later(seconds, self._late)

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        self._timer = None
        now = self.loop.time()
        if self._phase == "body" and (self._deadline > now or self.flow.read_paused):
            self._wait(max(self._deadline - now, 0.05) if self._deadline > now else 1.0)
        elif self._phase == "head" and not self._answered:
            self._wait(
                self.config.limits.head_seconds
            )  # the answer to the request before it is still under way
        elif self._phase == "idle" or (self._phase == "body" and self._answered):
            self.config.refused["late"] += 1
            self._closing = True
            self.transport.close()  # there is nothing to answer
        elif self._phase != "whole":
            self._refuse(408, "The request did not come in time", kind="late")

    def _give_up(self, status: int, text: str) -> None:
        """In a callback of the parser: end the parsing."""
        self._note(status, text)
        raise _TooLarge(text)

    def _refuse(self, status: int, text: str, kind: str = "") -> None:
        self._note(status, text, kind)
        self._answer_and_close()

    def _note(self, status: int, text: str, kind: str = "") -> None:
        self.config.refused[kind or str(status)] += 1
        phrase = {
            400: "Bad Request",
            408: "Request Timeout",
            413: "Content Too Large",
            503: "Service Unavailable",
        }
        again = "Retry-After: 1\r\n" if status == 503 else ""
        self._refusal = (
            f"HTTP/1.1 {status} {phrase.get(status, 'Request Header Fields Too Large')}\r\n{again}"
            "Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"
            f"Content-Length: {len(text)}\r\n\r\n{text}"
        ).encode()

    def _answer_and_close(self) -> None:
        """Answer where nothing else is being answered; what comes until the client is gone is dropped."""
        self._closing = True
        self._rest()
        cycle = self.cycle
        begun = cycle is not None and not cycle.response_complete
        if begun:
            cycle.disconnected = True  # the application hears that the request ended early
            cycle.message_event.set()
        if begun and cycle.response_started:
            self.transport.abort()
            return
        self.transport.write(self._refusal)
        self._linger()

    def _linger(self) -> None:
        self._rest()
        if not self.transport.is_closing() and self.transport.can_write_eof():
            self.transport.write_eof()
        self._timer = self.loop.call_later(LINGER, self.transport.abort)


class LimitedSocket(WebSocketsSansIOProtocol):
    """A web socket: it counts among all connections, and makes room for nobody."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It was an HTTP connection until now, so there is room for it."""
        super().connection_made(transport)
        config = self.config
        assert isinstance(config, LimitedConfig)
        config.quota.stays(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Gone."""
        config = self.config
        assert isinstance(config, LimitedConfig)
        config.quota.leave(self)
        super().connection_lost(exc)
