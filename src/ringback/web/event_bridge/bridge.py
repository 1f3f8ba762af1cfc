"""The bridge itself: an ASGI application of one path, and the performer of ``Announce``."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final
from urllib.parse import parse_qs

import msgspec

from ringback.effects import Effect
from ringback.effects.taskrouter import Announce
from ringback.events.taskrouter import WorkspaceWriteRequested
from ringback.kernel.clock import Alarm, Clock
from ringback.kernel.errors import Refused
from ringback.web.event_bridge.absence import Absence
from ringback.web.event_bridge.asking import Asking
from ringback.web.event_bridge.news import News, message, read_news
from ringback.web.event_bridge.session import Receive, Send, Session
from ringback.web.event_bridge.sessions import Sessions
from ringback.web.event_bridge.workspaces import Matches, TaskRouter
from ringback.web.grant import Grant
from ringback.web.routes import SOCKET, Route, Rule
from ringback.web.server import Scope

log = logging.getLogger("ringback.event_bridge")

PATH: Final = "/v1/wschannels"
BODY_LIMIT: Final = 64 * 1024
"""Bytes of a request; attributes have at most 4096 characters."""
URL_LIMIT: Final = 500
QUERY_LIMIT: Final = 32 * 1024
HEARTBEAT: Final = 15.0
"""Real seconds of silence before a blank is sent; the client gives up after 30 (taskrouter-js.md §3)."""
UPDATE_SECONDS: Final = 120.0
"""A socket outlives its token by so much: the client's ``updateToken`` is seen with its next request only, and must not
cost it the socket. One whose token is over and not renewed cannot ask for anything."""
REFUSED_SECONDS: Final = 5.0
"""A refused client has that long to go."""
LOOK_AGAIN: Final = 15.0
"""Real seconds between two looks at whether an open socket may stay."""
LONGEST: Final = 2**31 - 1
"""Milliseconds that a browser's timer can wait; a longer one would fire at once."""
_CORS: Final = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"POST, OPTIONS"),
    (b"access-control-allow-headers", b"apiversion, clientversion, if-match, content-type, authorization"),
    (b"access-control-max-age", b"86400"),
]


class _Request(msgspec.Struct):
    """The body of a POST (taskrouter-js.md §4)."""

    url: str
    token: str
    method: str = "GET"
    params: dict[str, Any] | None = None


_read = msgspec.json.Decoder(_Request).decode
_dump = msgspec.json.Encoder().encode


class EventBridge:
    """See the package."""

    takes_sockets = True
    """``web/server.py`` hands it web sockets."""

    def __init__(
        self,
        *,
        taskrouter: TaskRouter,
        ask: Callable[[WorkspaceWriteRequested], Awaitable[Any]],
        admit: Callable[[str], Awaitable[Grant]],
        still: Callable[[Grant], Awaitable[None]],
        clock: Clock,
        new_sid: Callable[[str], str],
        compile_expression: Callable[[str, str], Matches],
        keep: Callable[[Sequence[Effect]], None],
        offline_after: float = 30.0,
        heartbeat: float = HEARTBEAT,
        look_again: float = LOOK_AGAIN,
        notice: Callable[[Announce], tuple[str, dict[str, Any]] | None] = lambda effect: None,
    ) -> None:
        """``ask`` hands an event to TaskRouter and gives its answer; ``admit`` tells what a token allows, ``still``
        whether that holds, and both raise ``Refused`` (``web/access.py``); ``compile_expression`` raises
        ``ValueError``; ``keep`` commits the deadlines' effects in order and arms them; ``offline_after``: seconds
        (setting ``agent_offline_after``); ``look_again``: real seconds between two looks at an open socket's rights;
        ``notice``: message of ours, type and payload, that a reservation's worker hears after the announcement."""
        self._taskrouter, self._admit, self._still, self._clock = taskrouter, admit, still, clock
        self._heartbeat, self._look_again = heartbeat, look_again
        self._notice = notice
        self._stopping = False
        self.sessions = Sessions(self._init)
        self.absence = Absence(
            taskrouter=taskrouter, now=clock.now, after=offline_after, keep=keep,
            connected=lambda sid: bool(self.sessions.of(sid))
        )  # fmt: skip
        self._asking = Asking(
            taskrouter=taskrouter, ask=ask, now=clock.now, new_sid=new_sid, compile_expression=compile_expression,
            sessions=self.sessions,
        )  # fmt: skip

    def announce(self, effect: Announce) -> None:
        """Perform ``Announce``: tell whom it concerns. Never waits."""
        if not self.sessions:
            return
        for news, workers in read_news(effect, self._taskrouter.workspaces.get(effect.workspace_sid)):
            self.sessions.tell(workers, news)
        ours = self._notice(effect)
        if ours is not None and effect.reservation is not None:  # the SDK passes unknown types to nobody
            kind, payload = ours
            news = News(kind=kind, text=message(kind, payload), about="", version=0)
            self.sessions.tell({effect.reservation.worker_sid}, news)

    def due(self, event: Any, now: float) -> Sequence[Effect]:
        """The handler of ``DeadlineReached`` in a workspace's lane (``absence.py``)."""
        return self.absence.due(event, now)

    def close(self) -> None:
        """The server stops: close every socket; nobody goes offline for that."""
        self._stopping = True
        for session in self.sessions.all():
            session.close(1012, "the server restarts")

    def routes(self) -> list[Route]:
        """One path, with and without its prefix."""
        return [
            Route(method, prefix + PATH, Rule.OPEN if method == "OPTIONS" else Rule.AGENT)
            for prefix in ("/event-bridge", "")
            for method in ("POST", "OPTIONS", SOCKET)
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request or socket. The path may have a prefix (``/event-bridge/v1/wschannels``)."""
        here = scope["path"].rstrip("/").endswith(PATH)
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send, here)
            return
        method = scope["method"]
        if not here:
            await _answer(send, 404, {"message": "Not found"})
        elif method == "OPTIONS":
            await _answer(send, 204, None)
        elif method != "POST":
            await _answer(send, 405, {"message": f"{method} is not allowed; POST is"})
        else:
            hold = self._clock.hold()
            try:
                status, body = await self._post(scope, receive)
            finally:
                hold.release()
            await _answer(send, status, body)

    # --- POST -------------------------------------------------------------------------------------------

    async def _post(self, scope: Scope, receive: Receive) -> tuple[int, Any]:
        try:
            request = _decode(await _body(receive))
            grant = await self._admit(request.token)
            self.sessions.renew(grant)
            match = _header(scope, b"if-match").strip().strip('"') or None
            client = scope.get("client")
            payload = await self._asking.carry_out(
                grant,
                request.method.upper(),
                request.url,
                request.params or {},
                match,
                client[0] if client else "",
            )
        except Refused as refusal:
            return refusal.status, {
                "message": refusal.message,
                "code": refusal.code,
                "status": refusal.status,
            }
        except Exception:
            log.exception("a request to the event bridge failed")
            return 500, {"message": "Internal server error", "code": 20500, "status": 500}
        return 200, {"payload": payload}

    # --- web sockets --------------------------------------------------------------------------------------

    async def _socket(self, scope: Scope, receive: Receive, send: Send, here: bool) -> None:
        """A worker's socket; a token that is not good is refused before the upgrade (401, 403)."""
        await receive()  # websocket.connect
        hold = self._clock.hold()
        try:
            query = parse_qs(scope["query_string"][:QUERY_LIMIT].decode("latin-1"))
            if not here:
                raise Refused(20404, "Not found", 404)
            grant = await self._admit(query.get("token", [""])[-1])
            if not grant.worker_sid:
                raise Refused(20003, "The access token names no worker", 403)
            if self._stopping:
                raise Refused(20503, "The server is stopping", 503)
        except Refused as refusal:
            await _refuse(scope, receive, send, refusal)
            return
        finally:
            hold.release()
        await send({"type": "websocket.accept"})
        goes_offline = query.get("setWorkerOfflineIfDisconnected", ["true"])[-1].lower() != "false"
        session = Session(grant, goes_offline=goes_offline, heartbeat=self._heartbeat)
        alone = query.get("closeExistingSessions", ["false"])[-1].lower() == "true"
        self.absence.back(grant.workspace_sid, grant.worker_sid)
        self.sessions.add(session, alone=alone)
        session.alarm = self._expires(session)
        looking = asyncio.create_task(self._watch(session))
        try:
            await session.run(receive, send)
        finally:
            looking.cancel()
            session.alarm.cancel()
            if self.sessions.remove(session) and goes_offline and not self._stopping:
                self.absence.left(grant.workspace_sid, grant.worker_sid)

    async def _watch(self, session: Session) -> None:
        """Close a socket whose account was suspended, whose key was withdrawn, whose worker is gone."""
        while True:
            await asyncio.sleep(self._look_again)
            try:
                await self._still(session.grant)
            except Refused as refusal:
                session.close(1008, refusal.message[:100])
                return
            except Exception:
                log.exception("whether a socket may stay could not be told; it stays until the next look")

    def _expires(self, session: Session) -> Alarm:
        """Close the socket some time after its token is over, unless a newer one has been seen by then."""

        def over() -> None:
            if self._clock.now() < session.grant.expires + UPDATE_SECONDS:
                session.alarm = self._expires(session)
            else:
                session.close(1008, "the access token expired")

        return self._clock.call_at(session.grant.expires + UPDATE_SECONDS, over, pulls=False)

    def _init(self, session: Session) -> str:
        grant = session.grant
        lifetime = int((grant.expires - self._clock.now()) * 1000)
        return message(
            "init",
            {
                "channel_id": grant.worker_sid,
                "account_sid": grant.account_sid,
                "workspace_sid": grant.workspace_sid,
                "token_lifetime": max(0, min(lifetime, LONGEST)),
            },
        )


def _decode(data: bytes) -> _Request:
    """The body as JSON, whatever its Content-Type says."""
    try:
        request = _read(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Refused(20001, f"The body is not valid: {error}") from None
    if len(request.url) > URL_LIMIT:
        raise Refused(20001, f"url has more than {URL_LIMIT} characters")
    return request


async def _body(receive: Receive) -> bytes:
    parts, size = [], 0
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise Refused(20001, "The request was not complete")
        parts.append(event.get("body", b""))
        size += len(parts[-1])
        if size > BODY_LIMIT:
            raise Refused(20001, f"The body has more than {BODY_LIMIT} bytes", 413)
        if not event.get("more_body"):
            return b"".join(parts)


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


async def _answer(send: Send, status: int, body: Any) -> None:
    data = b"" if body is None else _dump(body)
    headers = [*_CORS, (b"content-length", str(len(data)).encode())]
    if data:
        headers.append((b"content-type", b"application/json"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": data})


async def _refuse(scope: Scope, receive: Receive, send: Send, refusal: Refused) -> None:
    """Answer the upgrade with an HTTP status, where the server can."""
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close", "code": 1008, "reason": refusal.message[:100]})
        return
    data = _dump({"message": refusal.message, "code": refusal.code})
    headers = [(b"content-type", b"application/json"), *_CORS]
    await send({"type": "websocket.http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": data})
    # uvicorn takes the handshake for broken off, and logs an error, unless the connection is gone when we return:
    # it says so twice, when it closes and when it has closed.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(REFUSED_SECONDS):
            await receive()
            await receive()
