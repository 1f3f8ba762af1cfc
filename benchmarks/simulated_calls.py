"""Simulated carrier: arrive → TwiML over HTTP from a local app → Say → Gather → Hangup, with callbacks."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
import urllib.request

import uvloop

from benchmarks import load
from benchmarks.__main__ import Figure
from benchmarks.server import ACCOUNT, Server, free_port

NUMBER = "+15550123"
BODY = b'{"from":"+15551230001","to":"+15550123","script":[{"expect":"press one","within":20},{"press":"1"}]}'


def measure(quick: bool) -> list[Figure]:
    """Complete calls per second, CPU per call, failures, and memory over the run."""
    calls = 10_000 if quick else 50_000
    port = free_port()
    app = subprocess.Popen([sys.executable, "-m", "benchmarks.webapp", str(port)], stdout=subprocess.PIPE)
    try:
        assert app.stdout is not None
        app.stdout.readline()
        # The clock is virtual so that the seconds of speech and ringing cost nothing: what is measured is the
        # engine's own work for a whole call.
        with Server(sip="off", clock="virtual") as server:
            server.form(
                "IncomingPhoneNumbers.json", PhoneNumber=NUMBER, VoiceUrl=f"http://127.0.0.1:{port}/voice",
                StatusCallback=f"http://127.0.0.1:{port}/status",
            )  # fmt: skip
            return uvloop.run(_measure(server, calls, port))
    finally:
        app.terminate()
        app.wait()


def delivered(app_port: int) -> int:
    """Status callbacks that the application has received."""
    with urllib.request.urlopen(f"http://127.0.0.1:{app_port}/count", timeout=10) as answer:
        return int(answer.read())


async def _measure(server: Server, calls: int, app_port: int) -> list[Figure]:
    request = (
        f"POST /sim/v1/Calls HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        f"Authorization: {server.authorization}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(BODY)}\r\n\r\n"
    ).encode() + BODY
    memory = [server.memory()]
    started, cpu = time.perf_counter(), server.cpu_seconds()
    parts = 5
    for part in range(parts):
        left = iter(range(calls // parts))
        await load.run(
            "127.0.0.1", server.port, lambda left=left: request if next(left, None) is not None else None, 32
        )
        while (figures := server.metrics())["ringback_calls_live"] or figures["ringback_webhooks_owed"]:
            await asyncio.sleep(0.02)
        memory.append(server.memory())
        print(f"  {(part + 1) * calls // parts} calls, {memory[-1]:.0f} MB", flush=True)
    seconds, used = time.perf_counter() - started, server.cpu_seconds() - cpu
    callbacks = await asyncio.to_thread(delivered, app_port)
    completed = 0
    path = f"/2010-04-01/Accounts/{ACCOUNT}/Calls.json?Status=completed&PageSize=1000"
    while path:
        page = server.request("GET", path)
        completed += len(page["calls"])
        path = page["next_page_uri"]
    return [
        Figure("complete calls", f"{calls / seconds:.0f}", "calls/s", "wanted: 100, aim 200"),
        Figure("CPU per call, server", f"{1000 * used / calls:.2f}", "ms", ""),
        Figure("calls not completed", str(calls - completed), f"of {calls}", "wanted: 0"),
        Figure("callbacks not delivered", str(calls - callbacks), f"of {calls}", "wanted: 0"),
        Figure("memory after each fifth", " ".join(f"{one:.0f}" for one in memory), "MB", "wanted: flat"),
    ]
