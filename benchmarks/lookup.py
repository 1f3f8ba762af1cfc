"""Lookup v2 through HTTP at 16 connections: every request another number."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator

import uvloop

from benchmarks import load
from benchmarks.__main__ import Figure
from benchmarks.server import ACCOUNT, Server

CONNECTIONS = 16
WANTED = 2_000
CASES = {
    "Lookup v2": "",
    "Lookup v2, line_type_intelligence": "?Fields=line_type_intelligence",
    "Lookup v2, line_type_intelligence and line_status": "?Fields=line_type_intelligence,line_status",
}
CALLS = 100_000
"""Past calls in the database, ten to a number."""


def measure(quick: bool) -> list[Figure]:
    """Requests per second and latencies; the numbers of the third case have past calls."""
    with Server(sip="off") as server:
        _fill(server, CALLS // 10 if quick else CALLS)
        return uvloop.run(_measure(server, 3_000 if quick else 20_000))


def _fill(server: Server, calls: int) -> None:
    """Past calls, written straight into the database of the running server."""
    server.form("IncomingPhoneNumbers.json", PhoneNumber="+15550100777")
    made = server.form(
        "Calls.json",
        To="+14155550000",
        From="+15550100777",
        Twiml="<Response/>",
        StatusCallbackEvent="completed",
    )
    database = sqlite3.connect(server.folder / "ringback.db", timeout=30)
    columns = [row[1] for row in database.execute("PRAGMA table_info(calls)")]
    row = dict(
        zip(
            columns,
            database.execute("SELECT * FROM calls WHERE sid = ?", (made["sid"],)).fetchone(),
            strict=True,
        )
    )
    row |= {"status": "completed", "sip_code": 200, "account_sid": ACCOUNT}
    marks = ",".join("?" * len(columns))
    with database:
        database.executemany(
            f"INSERT INTO calls VALUES ({marks})",
            (
                tuple((row | {"sid": f"CA{index:032x}", "to": _number(index // 10)}).values())
                for index in range(calls)
            ),
        )
    database.close()


def _number(index: int) -> str:
    return f"+1415{2_000_000 + index % 7_999_999:07d}"


async def _measure(server: Server, count: int) -> list[Figure]:
    head = f"Host: 127.0.0.1:{server.port}\r\nAuthorization: {server.authorization}\r\n"
    figures = []
    for name, query in CASES.items():
        requests: Iterator[bytes] = (
            f"GET /lookups/v2/PhoneNumbers/{_number(index)}{query} HTTP/1.1\r\n{head}\r\n".encode()
            for index in itertools.islice(itertools.count(), count)
        )
        result = await load.run("127.0.0.1", server.port, lambda it=requests: next(it, None), CONNECTIONS)
        slow = f"{result.quantile(0.5):.1f} / {result.quantile(0.99):.1f}"
        figures += [
            Figure(name, f"{result.per_second:.0f}", "requests/s", f"wanted: {WANTED} /s on 2 cores"),
            Figure(f"{name}, p50 / p99", slow, "ms", ""),
            Figure(f"{name}, answers", str(result.statuses), "status: count", "wanted: 200 alone"),
        ]
    return figures
