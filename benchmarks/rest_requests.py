"""REST at 16 connections on SQLite: POST Calls and GET Calls/{sid}."""

from __future__ import annotations

import itertools
import time
from urllib.parse import urlencode

import uvloop

from benchmarks import load
from benchmarks.__main__ import Figure
from benchmarks.server import ACCOUNT, Server

CONNECTIONS = 16
PRISM = "Prism, a stateless mock of the same API, on a like machine: {} /s"


def measure(quick: bool) -> list[Figure]:
    """Requests per second and latencies. The calls ring for ever (the account lets one a minute go)."""
    posts, gets = (1_000, 3_000) if quick else (10_000, 30_000)
    with Server() as server:
        time.sleep(2)  # the media worker is still importing when the server is ready: count all of it
        started, idle = server.ready_after, server.memory()
    with Server(sip="off", calls_per_second="0.01") as server:
        return [
            Figure("ready after the first start, SIP on", f"{started:.2f}", "s", "wanted: under 2 s"),
            Figure("memory when idle, all processes", f"{idle:.0f}", "MB", "wanted: under 150 MB"),
            *uvloop.run(_measure(server, posts, gets)),
        ]


async def _measure(server: Server, posts: int, gets: int) -> list[Figure]:
    form = urlencode({"To": "+15558675309", "From": "+15550100", "Url": "http://127.0.0.1:9/voice"}).encode()
    head = f"Host: 127.0.0.1:{server.port}\r\nAuthorization: {server.authorization}\r\n"
    path = f"/2010-04-01/Accounts/{ACCOUNT}/Calls"
    post = (
        f"POST {path}.json HTTP/1.1\r\n{head}Content-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(form)}\r\n\r\n"
    ).encode() + form
    created = await _run(server, itertools.repeat(post, posts))
    listed = server.request("GET", f"{path}.json?PageSize=1000")["calls"]
    fetches = itertools.cycle(
        f"GET {path}/{call['sid']}.json HTTP/1.1\r\n{head}\r\n".encode() for call in listed
    )
    fetched = await _run(server, itertools.islice(fetches, gets))
    figures = []
    for name, result, wanted, prism in (
        ("POST Calls", created, 500, 341),
        ("GET Calls/{sid}", fetched, 1500, 666),
    ):
        against = f"wanted: {wanted} /s; {PRISM.format(prism)}"
        figures += [
            Figure(name, f"{result.per_second:.0f}", "requests/s", against),
            Figure(
                f"{name}, p50 / p99", f"{result.quantile(0.5):.1f} / {result.quantile(0.99):.1f}", "ms", ""
            ),
            Figure(f"{name}, answers", str(result.statuses), "status: count", "wanted: 2xx alone"),
        ]
    return figures


async def _run(server: Server, requests: itertools.repeat[bytes] | itertools.islice[bytes]) -> load.Load:
    iterator = iter(requests)
    return await load.run("127.0.0.1", server.port, lambda: next(iterator, None), CONNECTIONS)
