"""Pages of 10,000 messages of one conversation through REST: at the beginning, in the middle, at the end (SQLite).

Pages of 50 and 100 messages, oldest and newest first, walked by the links that each page gives, one after the other.
"""

from __future__ import annotations

import json
import sqlite3
import time
import urllib.request
from collections.abc import Iterator
from urllib.parse import urlencode

from benchmarks.__main__ import Figure
from benchmarks.peers.audio import quantile
from benchmarks.server import Server

WANTED_MS = 20.0
FORM = "application/x-www-form-urlencoded"


def measure(quick: bool) -> list[Figure]:
    """By the place in the list."""
    count = 2_000 if quick else 10_000
    figures = []
    with Server(sip="off") as server:
        thread = server.request("POST", "/conversations/v1/Conversations", b"", FORM)["sid"]
        _fill(server, thread, count)
        for size, order in ((50, "asc"), (100, "asc"), (100, "desc")):
            found: list[list[float]] = [[], [], []]
            used, pages = server.cpu_seconds(), 0
            for _ in range(2 if quick else 5):
                times = list(_walk(server, thread, size, order))
                third, pages = len(times) // 3, pages + len(times)
                for place in range(3):
                    found[place] += times[place * third : (place + 1) * third]
            where = f"page of {size} among {count:,} messages, {order}, first / middle / last third"
            spent = 1000 * (server.cpu_seconds() - used) / pages
            figures.append(Figure(f"{where}: CPU of the server a page", f"{spent:.1f}", "ms", ""))
            for part in (0.5, 0.99):
                values = " / ".join(f"{1000 * quantile(sorted(each), part):.1f}" for each in found)
                figures.append(
                    Figure(f"{where}: p{100 * part:.0f}", values, "ms", f"wanted: ≤ {WANTED_MS:.0f} ms")
                )
    return figures


def _walk(server: Server, thread: str, size: int, order: str) -> Iterator[float]:
    """Seconds of each page, from the first to the last."""
    base = f"http://127.0.0.1:{server.port}"
    url = f"{base}/conversations/v1/Conversations/{thread}/Messages?PageSize={size}&Order={order}"
    while url:
        request = urllib.request.Request(url, headers={"Authorization": server.authorization})
        began = time.perf_counter()
        with urllib.request.urlopen(request, timeout=30) as answer:
            data = answer.read()
        yield time.perf_counter() - began
        url = json.loads(data)["meta"]["next_page_url"]


def _fill(server: Server, thread: str, count: int) -> None:
    """One message by the API, the others like it straight into the database."""
    path = f"/conversations/v1/Conversations/{thread}/Messages"
    made = server.request("POST", path, urlencode({"Body": "x" * 100}).encode(), FORM)
    database = sqlite3.connect(server.folder / "ringback.db", timeout=30)
    columns = [row[1] for row in database.execute("PRAGMA table_info(conversations_messages)")]
    query = "SELECT * FROM conversations_messages WHERE sid = ?"
    row = dict(zip(columns, database.execute(query, (made["sid"],)).fetchone(), strict=True))
    marks = ",".join("?" * len(columns))
    with database:
        database.executemany(
            f"INSERT INTO conversations_messages VALUES ({marks})",
            (tuple((row | {"sid": f"IM{index:032x}", "index": index}).values()) for index in range(1, count)),
        )
    database.close()
