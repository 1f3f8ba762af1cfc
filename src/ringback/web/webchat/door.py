"""``/webchat/v1/…``: a customer's browser reads and writes one conversation, without an SDK.

Each request has the access token of ``POST /flex-api/v2/WebChats`` as ``Authorization: Bearer …``. What it asks is
decided as for any identity: by who takes part, by roles, by the pre-event webhooks. Parameters come as query, form or
JSON; answers are JSON.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute
from starlette.routing import Route as StarletteRoute
from starlette.types import Receive, Scope, Send

from ringback.kernel.errors import Refused
from ringback.kernel.origins import cors
from ringback.kernel.sid import is_sid
from ringback.resources.conversations.conversation import Conversation
from ringback.resources.conversations.message import Message
from ringback.resources.conversations.participant import Participant
from ringback.store import Condition, OwnershipLost, Query, Store
from ringback.web.features.request import read
from ringback.web.grant import Visitor
from ringback.web.rest.answer import RETRY_AFTER
from ringback.web.rest.rules import normal
from ringback.web.routes import Route, Rule
from ringback.web.webchat.pace import Pace
from ringback.web.webchat.shown import Shown
from ringback.web.webchat.waiting import Waiting
from ringback.web.webchat.writing import Writing

log = logging.getLogger("ringback.webchat")

ONE: Final = "/webchat/v1/Conversations/{ConversationSid}"
LIST: Final = ONE + "/Messages"
LONGEST_WAIT: Final = 25
"""Seconds; proxies commonly give up after 30 or 60."""
LARGEST_PAGE: Final = 100
READS: Final = (240, 60)
"""Requests of one customer a minute, and at once."""
Params = dict[str, str]
Endpoint = Callable[[Request, Visitor, Params], Awaitable[tuple[int, Any]]]


class WebChatDoor:
    """The ASGI application."""

    def __init__(
        self,
        *,
        store: Store,
        admit: Callable[[str], Awaitable[Visitor]],
        waiting: Waiting,
        writing: Writing,
        shown: Shown,
        now: Callable[[], float],
        origins: frozenset[str],
        public_url: str,
    ) -> None:
        """``admit(token)`` gives the visitor and raises ``Refused``."""
        self._store, self._admit, self._waiting, self._writing = store, admit, waiting, writing
        self._shown, self._origins, self._public_url = shown, origins, public_url
        self._pace = Pace(*READS, now)
        endpoints: tuple[tuple[str, str, Endpoint], ...] = (
            ("GET", ONE, self.conversation), ("GET", LIST, self.messages), ("POST", LIST, self.write),
        )  # fmt: skip
        self._routes = [
            Route(each, path, Rule.VISITOR)
            for method, path, _ in endpoints
            for each in ((method, "HEAD") if method == "GET" else (method,))
        ]
        self._doors = [
            StarletteRoute(path, self._guarded(endpoint), methods=[method])
            for method, path, endpoint in endpoints
        ]
        self._application = Starlette(routes=self._doors, exception_handlers={HTTPException: self._problem})
        self._application.router.redirect_slashes = False

    def routes(self) -> Sequence[Route]:
        """All of it is a visitor's."""
        return [*self._routes, *(Route("OPTIONS", path, Rule.OPEN) for path in (ONE, LIST))]

    @property
    def endpoints(self) -> Sequence[BaseRoute]:
        """The same with what answers it; its docstring says what it does."""
        return self._doors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["method"] == "OPTIONS":
            origin = dict(scope["headers"]).get(b"origin", b"").decode("latin-1")
            await Response(status_code=204, headers=cors(self._origins, origin))(scope, receive, send)
        else:
            await self._application(scope, receive, send)

    # --- endpoints -------------------------------------------------------------------------------------

    async def conversation(self, request: Request, visitor: Visitor, params: Params) -> tuple[int, Any]:
        """The conversation: ``sid``, ``state`` (``active``, ``inactive``, ``closed``), ``friendly_name``, ``identity``
        (the customer's own), ``chat_service_sid`` (where files are put: ``/mcs/v1/Services/{sid}/Media``) and
        ``last_index`` of its messages (-1: there is none)."""
        found = await self._own(visitor, request)
        return 200, {
            "sid": found.sid,
            "state": found.state,
            "friendly_name": found.friendly_name,
            "identity": visitor.identity,
            "chat_service_sid": found.chat_service_sid,
            "last_index": found.next_index - 1,
        }

    async def messages(self, request: Request, visitor: Visitor, params: Params) -> tuple[int, Any]:
        """The messages after the index ``After`` (-1: from the first), ``PageSize`` (50, at most 100) of them.
        ``Wait``: seconds, at most 25, to wait for one when there is none; a change of the state ends it too.
        Gives ``messages``, ``state``, and ``more``: whether there are further ones already."""
        after, size = (
            _number(params, "After", -1, -1, 2**31),
            _number(params, "PageSize", 50, 1, LARGEST_PAGE),
        )
        wait = _number(params, "Wait", 0, 0, LONGEST_WAIT)
        found = await self._own(visitor, request)
        if wait and found.state != "closed" and not self._waiting.closed:
            with self._waiting.place(found.sid, visitor.account_sid, visitor.identity) as news:
                await self._wait(news, request, visitor, after, wait)
            found = await self._own(visitor, request)
        conditions = [Condition("conversation_sid", "=", found.sid), Condition("index", ">", after)]
        query = Query(conditions=conditions, order="index", ascending=True, limit=size)
        page = await self._store.page(Message, query)
        shown = [await self._shown.message(each, visitor.identity) for each in page.records]
        return 200, {"messages": shown, "state": found.state, "more": page.more_after}

    async def write(self, request: Request, visitor: Visitor, params: Params) -> tuple[int, Any]:
        """Write a message: ``Body`` (1,600 characters), or ``MediaSid`` of a file that the customer has put into the
        media store. ``ClientId``: an id of the page's own for it, at most 64 characters; the same one again writes
        nothing and gives the message that was written (200 instead of 201). A closed conversation refuses: 50377."""
        found = await self._own(visitor, request)
        message, is_new = await self._writing.write(visitor, found, params)
        return 201 if is_new else 200, await self._shown.message(message, visitor.identity)

    # --- what they share -------------------------------------------------------------------------------

    async def _own(self, visitor: Visitor, request: Request) -> Conversation:
        """The conversation of the path, in which the visitor takes part. Raises ``Refused`` 404: nobody is told
        whether there is another one's."""
        sid = normal(request.path_params["ConversationSid"])
        if is_sid(sid, "CH") and visitor.conversation_sid in ("", sid):
            found = await self._store.get(Conversation, sid, visitor.account_sid)
            if found is not None and found.chat_service_sid == visitor.chat_service_sid:
                own = await self._store.first(Participant, conversation_sid=sid, identity=visitor.identity)
                if own is not None:
                    return found
        raise Refused(20404, "The conversation was not found", 404)

    async def _wait(
        self, news: asyncio.Event, request: Request, visitor: Visitor, after: int, seconds: float
    ) -> None:
        """Until there is a message after the index, the conversation is closed, the time is over, or the client is
        gone. It is real time: a browser waits."""
        gone = asyncio.create_task(_gone(request))
        try:
            async with asyncio.timeout(seconds):
                while not gone.done() and not self._waiting.closed:
                    news.clear()
                    now = await self._own(visitor, request)
                    if now.state == "closed" or now.next_index > after + 1:
                        return
                    woken = asyncio.create_task(news.wait())
                    try:
                        await asyncio.wait({woken, gone}, return_when=asyncio.FIRST_COMPLETED)
                    finally:
                        woken.cancel()
        except TimeoutError:
            return
        finally:
            gone.cancel()

    def _guarded(self, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
        @functools.wraps(endpoint)
        async def answer(request: Request) -> Response:
            headers = cors(self._origins, request.headers.get("origin", ""))
            try:
                asked = await read(request.scope, request.receive)
                scheme, _, token = asked.headers.get("authorization", "").partition(" ")
                if scheme.lower() != "bearer" or not token.strip():
                    raise Refused(20003, "The visitor's access token is missing", 401)
                visitor = await self._admit(token.strip())
                if not self._pace.take(f"{visitor.account_sid}|{visitor.identity}"):
                    raise Refused(45719, "Too many requests; try again in a moment", 429)
                status, body = await endpoint(request, visitor, asked.params)
            except Refused as refusal:
                return self._refused(refusal, headers)
            except OwnershipLost as lost:
                return self._refused(Refused(20503, str(lost), 503), headers)
            except Exception:
                log.exception("%s %s failed", request.method, request.url.path)
                return self._refused(Refused(20500, "An internal server error has occurred", 500), headers)
            return JSONResponse(body, status, {**headers, "Cache-Control": "no-store"})

        return answer

    def _refused(self, refusal: Refused, headers: dict[str, str]) -> Response:
        body = {
            "code": refusal.code,
            "message": refusal.message,
            "more_info": f"{self._public_url}/docs/errors/{refusal.code}",
            "status": refusal.status,
        }
        if refusal.status in RETRY_AFTER:
            headers = {**headers, "Retry-After": RETRY_AFTER[refusal.status].decode()}
        return JSONResponse(body, refusal.status, headers)

    async def _problem(self, request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        code = 20004 if status == 405 else 20404
        headers = cors(self._origins, request.headers.get("origin", ""))
        return self._refused(Refused(code, f"There is nothing for {request.method} here", status), headers)


async def _gone(request: Request) -> None:
    """Until the client has closed its connection."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _number(params: Params, name: str, default: int, least: int, most: int) -> int:
    """A whole number within its bounds. Raises ``Refused``."""
    text = params.get(name, "").strip()
    if not text:
        return default
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 10) or not least <= int(text) <= most:
        raise Refused(20001, f"Invalid {name}: must be a whole number from {least} to {most}", 400)
    return int(text)
