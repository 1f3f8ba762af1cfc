"""A running Ringback for tests: a customer's application over loopback HTTP, numbers, and callers."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp import web

from ringback.app import Ringback, build
from ringback.edges.simulator.party import Party
from ringback.edges.simulator.script import read_script
from ringback.settings import load
from ringback.testing.official_client import close_client, official_client

if TYPE_CHECKING:
    from twilio.rest import Client  # type: ignore[import-untyped]

Made = str | web.Response
"""TwiML, or a whole answer: status, content type, cookies …"""
Document = str | Callable[[dict[str, str]], Made | Awaitable[Made]]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request to the customer's application."""

    method: str
    url: str
    """As it was sent, with its query."""
    headers: dict[str, str]
    """Names in lower case."""
    form: list[tuple[str, str]]
    """The body's parameters in order; empty for GET."""
    params: dict[str, str]
    """Query and form together."""


class Caller:
    """A simulated customer's call."""

    def __init__(self, product: Ringback, party: Party) -> None:
        self._product = product
        self._party = party
        self.sid = party.sid

    @property
    def status(self) -> str:
        """The call's status as the customer sees it."""
        return self._party.status

    @property
    def failed(self) -> str:
        """Which expectation was not met; empty: none."""
        return self._party.failed

    @property
    def heard(self) -> list[dict[str, Any]]:
        """What was heard so far: ``at`` (seconds), ``kind``, ``text``."""
        return list(self._party.heard)

    def does(self, *steps: dict[str, Any]) -> None:
        """More script steps; raises ``AssertionError`` when the call is over."""
        assert self._product.simulator.add_steps(self.sid, read_script(list(steps))), "the call is over"

    async def hears(self, text: str, within: float = 30.0) -> None:
        """Wait (virtual seconds) until a text or kind is heard; raises ``AssertionError``."""
        wanted = text.lower()
        await self._until(
            lambda: any(wanted == e["kind"] or wanted in e["text"].lower() for e in self._party.heard),
            within,
            f"{text!r} was not heard",
        )

    async def ends(self, within: float = 3600.0) -> None:
        """Wait (virtual seconds) until the call is over; raises ``AssertionError``."""
        await self._until(lambda: self._party.over, within, "the call did not end")

    async def _until(self, condition: Callable[[], bool], within: float, complaint: str) -> None:
        if condition():
            return
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def look() -> None:
            if not done.done() and (condition() or self._party.over):
                done.set_result(condition())

        def late() -> None:
            if not done.done():
                done.set_result(False)

        clock = self._product.clock
        self._party.watchers.append(look)
        alarm = clock.call_at(clock.now() + within, late)
        look()
        try:
            assert await done, f"{complaint} within {within:g} s; heard: {self._party.heard}"
        finally:
            alarm.cancel()
            self._party.watchers.remove(look)


class World:
    """What a test has in its hands."""

    def __init__(self, product: Ringback, app_url: str, session: aiohttp.ClientSession) -> None:
        self._session = session
        self.product = product
        self.clock = product.clock
        self.url = product.http_url
        self.app_url = app_url
        self._documents: dict[str, Document] = {}
        self._asked: dict[str, list[Asked]] = {}
        self._client: Client | None = None

    @property
    def client(self) -> Client:
        """The official client, signed in. It blocks: ``await asyncio.to_thread(ringback.client.calls.list)``."""
        if self._client is None:
            self._client = official_client(self.url, self.product.account_sid, self.product.auth_token)
        return self._client

    def app(self, path: str, document: Document) -> str:
        """Serve TwiML (or what a function of the parameters gives) at ``path``; gives the URL."""
        self._documents[path] = document
        return self.app_url + path

    def requests(self, path: str) -> list[dict[str, str]]:
        """Parameters of every request to ``path``, in order."""
        return [one.params for one in self.asked(path)]

    def asked(self, path: str) -> list[Asked]:
        """Every request to ``path``, whole."""
        return list(self._asked.get(path, ()))

    async def number(self, number: str, voice: str) -> str:
        """Provision a number whose instructions come from the path ``voice``; gives the number."""
        await self.post("IncomingPhoneNumbers", PhoneNumber=number, VoiceUrl=self.app_url + voice)
        return number

    async def call(self, to: str, *, from_: str = "+15551230001", script: list[Any] | None = None) -> Caller:
        """A simulated customer calls."""
        sid = self.product.simulator.place(from_, to, read_script(script or []))
        party = self.product.simulator.call(sid)
        assert party is not None
        return Caller(self.product, party)

    async def post(self, resource: str, form: Any = None, **fields: str) -> dict[str, Any]:
        """POST to the account's REST API; raises ``AssertionError`` with the answer unless it is good."""
        return await self._ask("POST", self._path(resource), data=form or fields)

    async def get(self, resource: str) -> dict[str, Any]:
        """GET from the account's REST API."""
        return await self._ask("GET", self._path(resource))

    async def download(self, url: str) -> bytes:
        """What is at one of our URLs (a ``RecordingUrl``, say); raises ``AssertionError`` unless it is good."""
        async with self._session.get(url, headers=self._headers()) as answer:
            data = await answer.read()
            assert answer.status == 200, f"GET {url}: {answer.status} {data[:500]!r}"
            return data

    async def advance(self, seconds: float) -> None:
        """Let virtual time pass."""
        await self.sim("POST", "Clock", {"advance": seconds})

    async def sim(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Ask ``/sim/v1`` (surface.md)."""
        return await self._ask(method, f"/sim/v1/{path}", json=body)

    async def final(self, call_sid: str) -> dict[str, Any]:
        """The call once it is terminal and all that it owed has been delivered."""
        await self.lanes_empty()  # a call that has just been placed is not known before
        turns = _turns()
        while (call := await self.get(f"Calls/{call_sid}"))["status"] in ("queued", "ringing", "in-progress"):
            await asyncio.sleep(next(turns))
        await self.settled()
        return call

    async def lanes_empty(self) -> None:
        """Wait until every event that has been posted is handled."""
        turns = _turns()
        while self.product.runtime.lanes:
            await asyncio.sleep(next(turns))

    async def settled(self) -> None:
        """Wait until every event has been handled and every webhook delivered."""
        product, turns = self.product, _turns()
        while (
            product.runtime.lanes
            or product.runtime.telling.waiting
            or product.outbox.waiting
            or product.notifications.held
            or product.documents.in_flight
            or product.assignments.in_flight
            or product.transcriptions.in_flight
            or product.exchange.legs
            or product.texting.busy
        ):
            await asyncio.sleep(next(turns))

    def _path(self, resource: str) -> str:
        return f"/2010-04-01/Accounts/{self.product.account_sid}/{resource}.json"

    async def _ask(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        async with self._session.request(method, self.url + path, headers=self._headers(), **more) as answer:
            text = await answer.text()
            assert answer.status < 300, f"{method} {path}: {answer.status} {text}"
            body: dict[str, Any] = json.loads(text) if text else {}
            return body

    def _headers(self) -> dict[str, str]:
        sid, token = self.product.account_sid, self.product.auth_token
        return {"Authorization": aiohttp.encode_basic_auth(sid, token)}

    async def _serve(self, request: web.Request) -> web.Response:
        form = [(name, str(value)) for name, value in (await request.post()).items()]
        params = {**request.query, **dict(form)}
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Asked(request.method, self.app_url + request.path_qs, headers, form, params)
        self._asked.setdefault(request.path, []).append(asked)
        document = self._documents.get(request.path)
        if document is None:
            return web.Response(status=404)
        made = document if isinstance(document, str) else document(params)
        answer = made if isinstance(made, (str, web.Response)) else await made
        return (
            answer if isinstance(answer, web.Response) else web.Response(text=answer, content_type="text/xml")
        )


def _turns() -> Iterator[float]:
    """Seconds to wait until the next look: turns of the loop are enough for our own work; what takes longer is done
    by other processes (speech, a database), which need the processor more than we do."""
    yield from itertools.repeat(0.0, 200)
    yield from itertools.repeat(0.001)


def _free_port() -> int:
    """A port that is free now, below the range from which outgoing connections take theirs: none of those can
    take it before the server does."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


@asynccontextmanager
async def world(folder: Path, **settings: Any) -> AsyncIterator[World]:
    """Start everything in the running loop; ``settings`` are those of ringback.settings."""
    flags = {
        "http": f"127.0.0.1:{_free_port()}",  # known at once: the URLs that we hand out contain it
        "sip": "off",
        "clock": "virtual",
        "data_dir": folder,
        "default_number": "",
        "transcription": "script" if settings.get("carrier", "simulated") == "simulated" else "off",
    }
    product = await build(load(environ={}, file=Path(os.devnull), flags={**flags, **settings}))
    holder: list[World] = []

    async def serve(request: web.Request) -> web.Response:
        return await holder[0]._serve(request)

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", serve)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        await product.start()
        async with aiohttp.ClientSession() as session:
            holder.append(World(product, f"http://127.0.0.1:{runner.addresses[0][1]}", session))
            yield holder[0]
            close_client(holder[0]._client)
    finally:
        await product.stop()
        await runner.cleanup()
