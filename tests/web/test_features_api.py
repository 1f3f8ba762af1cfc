"""The client of the public API: repeats what is safe, and tells what is unclear (callback-voicemail.md §3)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from ringback.effects.features import Ask
from ringback.web.features.api import HOSTED, Api
from ringback.web.features.retry import Retries

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def served(answer: Answer) -> AsyncIterator[Api]:
    """An API whose every answer is the function's."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    api = Api(lambda: f"http://127.0.0.1:{runner.addresses[0][1]}", "AC1", "secret", Retries(2, 0, 0))
    try:
        yield api
    finally:
        await api.close()
        await runner.cleanup()


async def test_paths_parameters_and_versions() -> None:
    async def answer(request: web.Request) -> web.Response:
        form = await request.post()
        seen.append(
            (
                request.method,
                request.path,
                list(request.query.items()),
                dict(form),
                request.headers.get("If-Match"),
            )
        )
        return web.json_response({"sid": "x"}, headers={"ETag": '"7"'})

    seen: list[object] = []
    async with served(answer) as api:
        reply = await api.request(Ask("GET", "api", "Queues/QU1", {"A": ("1", "2")}))
        assert (reply.ok, reply.etag, reply.body["sid"]) == (True, '"7"', "x")
        await api.request(Ask("POST", "taskrouter", "Workspaces/WS1/Tasks", {"B": "+1"}, if_match='"6"'))
    assert seen == [
        ("GET", "/api/2010-04-01/Accounts/AC1/Queues/QU1.json", [("A", "1"), ("A", "2")], {}, None),
        ("POST", "/taskrouter/v1/Workspaces/WS1/Tasks", [], {"B": "+1"}, '"6"'),
    ]
    hosted = Api(lambda: HOSTED, "AC1", "secret")
    assert hosted.url("taskrouter", "Workspaces") == "https://taskrouter.twilio.com/v1/Workspaces"


async def test_what_is_repeated() -> None:
    tries = 0

    async def answer(request: web.Request) -> web.Response:
        nonlocal tries
        tries += 1
        if tries <= 2:
            return web.json_response({"code": 20429, "message": "slow down"}, status=429)
        return web.json_response({"code": 20001, "message": "no"}, status=400)

    async with served(answer) as api:
        reply = await api.request(Ask("POST", "taskrouter", "x"))
    assert (tries, reply.status, reply.code, reply.message) == (3, 400, 20001, "no")


async def test_a_broken_connection() -> None:
    """A creation is not repeated: nobody knows whether it was carried out."""
    tries = 0

    async def answer(request: web.Request) -> web.Response:
        nonlocal tries
        tries += 1
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with served(answer) as api:
        reply = await api.request(Ask("POST", "taskrouter", "x", repeatable=False))
        assert (tries, reply.unclear, reply.ok) == (1, True, False)
        reply = await api.request(Ask("POST", "taskrouter", "x"))
        assert (tries, reply.unclear) == (4, True)


async def test_nobody_listens() -> None:
    api = Api(lambda: "http://127.0.0.1:1", "AC1", "secret", Retries(2, 0, 0))
    reply = await api.request(Ask("POST", "taskrouter", "x", repeatable=False))
    assert (reply.ok, reply.unclear, reply.status) == (False, False, 500)
    await api.close()


async def test_an_answer_that_is_no_json() -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(text="<html>" + "[" * 5000)

    async with served(answer) as api:
        reply = await api.request(Ask("GET", "api", "x"))
    assert (reply.ok, reply.body) == (True, {})
