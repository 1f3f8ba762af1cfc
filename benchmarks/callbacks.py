"""The wait experience under load: every caller's task is found, and how soon the first TwiML is there.

The seed's own test and beyond (issue 4, "Speed"): 1,000 calls at 30 calls/s, then 10,000 at 150 calls/s, through the
simulated carrier on the real clock. What is measured is read from the server's own ledger of webhooks: the request of
``wait-experience`` from its sending to its complete answer, and whether that answer names the waiting task.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import time
from urllib.parse import urlencode

import uvloop

from benchmarks.__main__ import Figure
from benchmarks.peers.application import Answer, Form, serve
from benchmarks.peers.audio import quantile
from benchmarks.server import Server

NUMBER = "+15550128"
WAIT = "/features/callback-and-voicemail/studio/wait-experience"
PATIENCE = 2.0
"""Seconds that a caller waits before they hang up."""


def measure(quick: bool) -> list[Figure]:
    """Both rates; ``quick``: a tenth of the calls."""
    figures: list[Figure] = []
    for calls, rate in ((1000, 30), (10_000, 150)):
        figures += uvloop.run(_run(calls // 10 if quick else calls, rate))
    return figures


async def _run(calls: int, rate: int) -> list[Figure]:
    with Server(sip="off") as server:
        document = ""

        def answer(path: str, form: Form) -> Answer:
            return "text/xml", document

        application, base = await serve(answer)
        workflow = await asyncio.to_thread(_prepare, server, base)
        url = f"http://127.0.0.1:{server.port}{WAIT}?mode=initialize"
        document = f'<Response><Enqueue workflowSid="{workflow}" waitUrl="{url}"/></Response>'
        cpu, started = server.cpu_seconds(), time.perf_counter()
        late = await _load(server, calls, rate)
        seconds = time.perf_counter() - started
        await asyncio.sleep(PATIENCE + 3)
        used = server.cpu_seconds() - cpu
        application.close()
        found, times = await asyncio.to_thread(_ledger, server)
    name = f"{calls} calls at {rate}/s"
    return [
        Figure(f"{name}: task found", f"{100 * found / calls:.2f}", "%", "wanted: 100"),
        Figure(f"{name}: first TwiML, p50", f"{1000 * quantile(times, 0.5):.1f}", "ms", ""),
        Figure(f"{name}: first TwiML, p99", f"{1000 * quantile(times, 0.99):.1f}", "ms", "wanted: ≤ 50"),
        Figure(f"{name}: first TwiML, slowest", f"{1000 * max(times, default=0):.1f}", "ms", ""),
        Figure(
            f"{name}: server CPU", f"{100 * used / seconds:.0f}", "% of a core", f"{late} calls started late"
        ),
    ]


def _prepare(server: Server, base: str) -> str:
    """Workspace, workflow and number; gives the workflow's SID. No agent is there: everybody waits."""

    def post(path: str, **fields: str) -> str:
        body = urlencode(fields).encode()
        return str(server.request("POST", path, body, "application/x-www-form-urlencoded")["sid"])

    workspace = post("/taskrouter/v1/Workspaces", FriendlyName="benchmark")
    queue = post(
        f"/taskrouter/v1/Workspaces/{workspace}/TaskQueues", FriendlyName="all", TargetWorkers="1==1"
    )
    configuration = json.dumps({"task_routing": {"default_filter": {"queue": queue}}})
    workflow = post(
        f"/taskrouter/v1/Workspaces/{workspace}/Workflows", FriendlyName="calls", Configuration=configuration
    )
    server.form("IncomingPhoneNumbers.json", PhoneNumber=NUMBER, VoiceUrl=f"{base}/voice")
    return workflow


async def _load(server: Server, calls: int, rate: int) -> int:
    """Start the calls at their times (not when the last one is answered); gives how many were 0.1 s late."""
    body = json.dumps(
        {"from": "+15551230001", "to": NUMBER, "script": [{"wait": PATIENCE}, {"hangup": True}]}
    ).encode()
    request = (
        f"POST /sim/v1/Calls HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nAuthorization: {server.authorization}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body
    loop = asyncio.get_running_loop()
    begin = loop.time()
    due = iter(range(calls))
    late = 0

    async def line() -> None:
        nonlocal late
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        for number in due:
            at = begin + number / rate
            await asyncio.sleep(max(0.0, at - loop.time()))
            late += loop.time() - at > 0.1
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            if not head.startswith(b"http/1.1 201"):
                raise RuntimeError(head.decode("latin-1"))
            await reader.readexactly(int(head[head.find(b"content-length:") + 15 :].split(b"\r\n", 1)[0]))
        writer.close()

    await asyncio.gather(*(line() for _ in range(16)))
    return late


def _ledger(server: Server) -> tuple[int, list[float]]:
    """(tasks found, seconds of each first request) from the server's own log of requests."""
    with contextlib.closing(sqlite3.connect(server.folder / "ringback.db")) as database:
        rows = database.execute(
            "SELECT entry FROM http_events WHERE entry LIKE '%mode=initialize%'"
        ).fetchall()
    entries = [json.loads(entry) for (entry,) in rows]
    first = [each for each in entries if f"{WAIT}?mode=initialize" in each["url"]]
    times = sorted(each["seconds"] for each in first)
    return sum("enqueuedTaskSid=WT" in each["body"] for each in first), times
