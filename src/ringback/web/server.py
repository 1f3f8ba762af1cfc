"""The HTTP server in the product's own event loop, and the first fork of every request's way."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import logging
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, cast

import uvicorn

from ringback.kernel.answering import CURRENT, Answering
from ringback.kernel.errors import Refused
from ringback.web.limits import HttpLimits, LimitedConfig
from ringback.web.routes import Route, Routed

log = logging.getLogger("ringback.http")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

MESSAGE_LIMIT = 64 * 1024
"""Bytes of one message on a web socket."""
PING_SECONDS = 20.0
"""A web socket's peer is asked whether it lives, and has as long to say so."""
PEER_TIMEOUT = 120_000
"""Milliseconds after which the kernel drops a connection whose peer takes nothing of what we have sent."""
_NO_HTTP = ("Invalid HTTP request", "Unsupported upgrade", "No supported WebSocket")
ANSWER_SECONDS = 1.0
"""What a request has caused waits so long for its answer, from its beginning: no client can hold others up."""
LAST_REQUESTS = 5.0
"""Seconds that requests under way may take when the server stops."""


class Front:
    """Chooses the application by the first part of the path; the rest goes to the REST API.

    What a request causes is told to others after its answer (``kernel/answering.py``): here it is known when that is.
    """

    def __init__(
        self,
        rest: Application,
        by_prefix: dict[str, Application],
        by_host: dict[str, Application] | None = None,
        own: frozenset[str] = frozenset(),
    ) -> None:
        """``by_prefix`` maps the first path part (``sim``, ``health``) to its application, ``by_host`` the first
        label of the Host header (``event-bridge``). Raises ``TypeError`` for one that does not say its routes.
        ``own``: prefixes of what is no customer's request (the simulator's: some last as long as what they cause)."""
        for application in (rest, *by_prefix.values(), *(by_host or {}).values()):
            if not hasattr(application, "routes"):
                raise TypeError(
                    f"{type(application).__name__} has no routes(): who may ask it? (web/routes.py)"
                )
        self._rest = rest
        self._by_prefix = by_prefix
        self._by_host = by_host or {}
        self._own = own

    def routes(self) -> list[Route]:
        """Everything that can be asked of the server."""
        routed = {id(each): each for each in (self._rest, *self._by_prefix.values(), *self._by_host.values())}
        return [route for each in routed.values() for route in cast("Routed", each).routes()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI connection."""
        # "OPTIONS *" has no slash, and no application
        first = (
            scope["path"].removeprefix("/").split("/", 1)[0] if scope["type"] in ("http", "websocket") else ""
        )
        application = self._by_prefix.get(first) or self._of_host(scope) or self._rest
        if scope["type"] == "websocket" and not getattr(application, "takes_sockets", False):
            await receive()
            await send({"type": "websocket.close", "code": 1008})  # before the upgrade: answered with 403
            return
        if scope["type"] != "http" or first in self._own:
            await _serve(application, scope, receive, send)
            return
        answering = Answering()
        before = CURRENT.set(answering)
        alarm = asyncio.get_running_loop().call_later(ANSWER_SECONDS, answering.write)

        async def answer(message: MutableMapping[str, Any]) -> None:
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                answering.write()

        try:
            await _serve(application, scope, receive, answer)
        finally:
            alarm.cancel()
            CURRENT.reset(before)
            answering.write()

    def _of_host(self, scope: Scope) -> Application | None:
        if not self._by_host or scope["type"] not in ("http", "websocket"):
            return None
        for name, value in scope["headers"]:
            if name == b"host":
                return self._by_host.get(value.decode("latin-1").partition(".")[0].lower())
        return None


class _Uvicorn(uvicorn.Server):
    """Ends as soon as nothing is under way; left to itself it looks every tenth of a second whether it should end, and
    every other tenth whether it can."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._end = asyncio.Event()

    def end(self) -> None:
        """Stop serving."""
        self.should_exit = True
        self._end.set()

    async def main_loop(self) -> None:
        """Tick until it is to end."""
        tasks = [asyncio.ensure_future(super().main_loop()), asyncio.ensure_future(self._end.wait())]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more connections, close those without a request, wait for the others, then cancel."""
        for listener in (*self.servers, *(sockets or ())):
            listener.close()
        state, clock = self.server_state, asyncio.get_running_loop()
        for connection in list(state.connections):
            connection.shutdown()
        latest, pause = clock.time() + LAST_REQUESTS, 0.0
        while (state.connections or state.tasks) and clock.time() < latest:
            await asyncio.sleep(pause)
            pause = min(0.05, pause + 0.001)
        if state.tasks:
            log.error(
                "%d requests did not end within %.0f s: they are broken off", len(state.tasks), LAST_REQUESTS
            )
        for task in state.tasks:
            task.cancel()
        for server in self.servers:
            await server.wait_closed()


class Server:
    """uvicorn, started and stopped with the product (it must not take the signals)."""

    def __init__(self, application: Any, host: str, port: int, limits: HttpLimits | None = None) -> None:
        self._config = LimitedConfig(
            application,
            limits or HttpLimits(),
            host=host,
            port=port,
            loop="none",
            ws_max_size=MESSAGE_LIMIT,
            ws_ping_interval=PING_SECONDS,
            ws_ping_timeout=PING_SECONDS,
            ws_per_message_deflate=False,
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            backlog=2048,
        )
        # Its lines about web sockets hold the whole query, and that holds the access token; what is no HTTP is counted.
        logging.getLogger("uvicorn.error").addFilter(_worth_a_line)
        self._server = _Uvicorn(self._config)
        self._server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        self._task: asyncio.Task[None] | None = None
        self._socket: socket.socket | None = None

    @property
    def port(self) -> int:
        """The port that is really listened on."""
        assert self._socket is not None
        return int(self._socket.getsockname()[1])

    def figures(self) -> dict[str, float]:
        """Numbers for ``/metrics``."""
        return self._config.figures()

    def bind(self) -> None:
        """Take the address; raises ``OSError`` naming it when it is in use."""
        family = socket.AF_INET6 if ":" in self._config.host else socket.AF_INET
        # asyncio sends small answers at once (TCP_NODELAY) only on sockets that say that they are TCP; on others a
        # client that takes its time to acknowledge the head gets the body 40 ms later.
        bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, PEER_TIMEOUT)
        try:
            bound.bind((self._config.host, self._config.port))
        except OSError as error:
            bound.close()
            mend = "write an address and a port of this machine"
            if error.errno == errno.EADDRINUSE:
                mend = (
                    f"stop the program that has port {self._config.port}, or set RINGBACK_HTTP to another one"
                )
            shown = f"RINGBACK_HTTP={self._config.host}:{self._config.port}"
            raise OSError(f"{shown}: {error.strerror}: {mend}") from error
        bound.listen(2048)
        bound.setblocking(False)
        self._socket = bound

    async def start(self) -> None:
        """Serve on the bound socket."""
        assert self._socket is not None
        self._task = asyncio.create_task(self._serve(self._socket))
        while not self._server.started:
            if self._task.done():
                self._task.result()
            await asyncio.sleep(0)

    async def _serve(self, bound: socket.socket) -> None:
        # uvicorn's serve() captures signals when it runs in the main thread; the process's own handler does.
        self._server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]
        await self._server.serve(sockets=[bound])

    async def stop(self) -> None:
        """Finish the requests under way (for ``LAST_REQUESTS`` at most), then close."""
        self._server.end()
        if self._task is not None:
            await self._task
            self._task = None
        elif self._socket is not None:
            self._socket.close()


async def _serve(application: Application, scope: Scope, receive: Receive, send: Send) -> None:
    """One connection; a database that is away is answered here for applications that know nothing of it."""
    try:
        await application(scope, receive, send)
    except Refused as refusal:
        if refusal.status != 503 or scope["type"] != "http":
            raise
        await _come_again(refusal, send)


async def _come_again(refusal: Refused, send: Send) -> None:
    """An answer for applications that know nothing of a database that is away."""
    body = json.dumps({"code": refusal.code, "message": refusal.message, "status": 503}).encode()
    headers = [(b"content-type", b"application/json"), (b"retry-after", b"2")]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _worth_a_line(record: logging.LogRecord) -> bool:
    """Keep uvicorn's lines but for those on the handshakes of web sockets, on what is no HTTP (anybody could fill the
    disk with them), and what it says when debugging."""
    told = str(record.msg)
    return record.levelno > logging.DEBUG and not ('"WebSocket %s"' in told or told.startswith(_NO_HTTP))
