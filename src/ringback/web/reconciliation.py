"""``/reconcile``: an operator's way to the reconciler (an extension of ours; call-outcomes.md §1).

``GET /reconcile``: the last report. ``POST /reconcile?since=…``: a round now. ``POST /reconcile/records``: a trunk's
call detail records as CSV. Only the first account's credentials are accepted.
"""

from __future__ import annotations

import asyncio
import io
import tempfile
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from ringback.kernel.errors import Refused
from ringback.web.routes import Route, Rule

FILE_LIMIT = 128 * 1024 * 1024
"""Bytes of a trunk's file."""


class Told(Protocol):
    """A report."""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""


class Rounds(Protocol):
    """The part of the reconciler that is served."""

    @property
    def last(self) -> Told | None:
        """The last report."""

    async def run(self, since: float = 0.0) -> Told:
        """A round."""

    async def records(self, rows: Iterable[Any]) -> Told:
        """Import a trunk's records."""


class Reconciliation:
    """The ASGI application."""

    def __init__(
        self,
        *,
        rounds: Rounds,
        admit: Callable[[str], Awaitable[object]],
        read: Callable[[Iterable[str]], Iterable[Any]],
        seconds: Callable[[str], float],
        bad_file: type[Exception],
        trouble: Callable[[], str] = lambda: "",
    ) -> None:
        """``admit`` raises ``Refused`` for an ``Authorization`` header that is no operator's; ``read(lines)`` gives
        the rows of a file and raises ``bad_file``; ``seconds(text)`` reads a time; ``trouble()`` says why the database
        cannot be written now."""
        self._rounds = rounds
        self._admit = admit
        self._read = read
        self._seconds = seconds
        self._bad_file = bad_file
        self._trouble = trouble

    def routes(self) -> list[Route]:
        """An operator's."""
        found = (("GET", "/reconcile"), ("POST", "/reconcile"), ("POST", "/reconcile/records"))
        return [Route(method, path, Rule.OPERATOR) for method, path in found]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        request = Request(scope, receive)
        response = await self._answer(request)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        try:
            await self._admit(request.headers.get("authorization", ""))
        except Refused as refusal:
            challenge = {"WWW-Authenticate": 'Basic realm="Ringback"'} if refusal.status == 401 else None
            hint = "sign in with the first account's SID and auth token"
            return _problem(refusal.status, f"{refusal.message}: {hint}", challenge)
        path = request.scope["path"].rstrip("/")
        if path == "/reconcile" and request.method == "GET":
            last = self._rounds.last
            return JSONResponse(None if last is None else last.to_json())
        if path == "/reconcile" and request.method == "POST":
            try:
                since = self._seconds(request.query_params.get("since") or "0000000000")
            except ValueError:
                return _problem(400, "since: write a time such as 2026-11-21T08:00:00Z, or Unix seconds")
            if why := self._trouble():  # a round would wait for it, and repair nothing
                return _problem(503, f"nothing can be repaired now: {why}", {"Retry-After": "5"})
            return JSONResponse((await self._rounds.run(since)).to_json())
        if path == "/reconcile/records" and request.method == "POST":
            return await self._records(request)
        return _problem(404, "there are GET and POST /reconcile, and POST /reconcile/records")

    async def _records(self, request: Request) -> Response:
        with tempfile.SpooledTemporaryFile(1024 * 1024) as file:
            size = 0
            try:
                async for part in request.stream():
                    size += len(part)
                    if size > FILE_LIMIT:
                        return _problem(413, f"at most {FILE_LIMIT} bytes at once")
                    await asyncio.to_thread(file.write, part)
            except ClientDisconnect:
                return _problem(400, "the request ended early")
            file.seek(0)
            try:
                text = io.TextIOWrapper(file, "utf-8", newline="")
                return JSONResponse((await self._rounds.records(self._read(text))).to_json())
            except UnicodeDecodeError:
                return _problem(400, "the file is not UTF-8")
            except self._bad_file as error:
                return _problem(400, str(error))


def _problem(status: int, text: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"status": status, "message": text}, status, headers)
