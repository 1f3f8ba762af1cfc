"""Answer first, then the event: the fork of every request's way says when its answer is written."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ringback.kernel.answering import CURRENT, Answering
from ringback.web import server as module
from ringback.web.server import Front

SCOPE: dict[str, Any] = {"type": "http", "path": "/2010-04-01/Accounts", "headers": []}


class Application:
    """One that the fork takes: it says its routes."""

    def __init__(self, serve: Any) -> None:
        self._serve = serve

    def routes(self) -> list[Any]:
        """None that matter here."""
        return []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request."""
        await self._serve(scope, receive, send)


class Exchange:
    """One request through the fork: what was sent, and when what it caused could be told."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.seen: Answering | None = None
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def application(self, scope: Any, receive: Any, send: Any) -> None:
        """Cause something, answer in two parts."""
        self.seen = CURRENT.get()
        if self.seen is not None:
            self.seen.then(lambda: self.log.append("told"))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        await self.may_end.wait()
        await send({"type": "http.response.body", "body": b"b"})
        self.log.append("after")

    async def broken(self, scope: Any, receive: Any, send: Any) -> None:
        """Cause something, and answer nothing."""
        self.seen = CURRENT.get()
        assert self.seen is not None
        self.seen.then(lambda: self.log.append("told"))
        raise RuntimeError("a bug")

    async def run(self, path: str = SCOPE["path"], application: Any = None) -> None:
        """The request."""

        async def send(message: Any) -> None:
            self.log.append(message.get("body", b"head").decode())

        simulator, rest = Application(self.application), Application(application or self.application)
        front = Front(rest, {"sim": simulator}, own=frozenset({"sim"}))
        await front({**SCOPE, "path": path}, None, send)  # type: ignore[arg-type]


async def test_what_a_request_caused_is_told_after_its_last_byte() -> None:
    exchange = Exchange()
    await exchange.run()
    assert exchange.log == ["head", "a", "b", "told", "after"]
    assert CURRENT.get() is None


async def test_a_request_that_fails_holds_nothing_back() -> None:
    exchange = Exchange()
    with pytest.raises(RuntimeError):
        await exchange.run(application=exchange.broken)
    assert exchange.log == ["told"]


async def test_an_answer_that_takes_long_holds_nothing_back_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ANSWER_SECONDS", 0.02)
    exchange = Exchange()
    exchange.may_end.clear()
    request = asyncio.create_task(exchange.run())
    await asyncio.sleep(0.1)
    assert exchange.log == ["head", "a", "told"]
    exchange.may_end.set()
    await request
    assert exchange.log == ["head", "a", "told", "b", "after"]


async def test_the_simulators_own_requests_wait_for_what_they_cause() -> None:
    exchange = Exchange()
    await exchange.run("/sim/v1/Clock")
    assert exchange.seen is None
