"""Which conversation a customer's address and ours belong to, by participants in the database (SQLite).

The look-up that every inbound text and call makes (``web/conversations/pairs.py``), known pairs and unknown ones.
"""

from __future__ import annotations

import random
import sqlite3
import tempfile
import time
from pathlib import Path

import uvloop

from benchmarks.__main__ import Figure
from benchmarks.peers.audio import quantile
from benchmarks.server import ACCOUNT
from ringback.effects import Save
from ringback.resources.conversations.participant import Participant, pair_of
from ringback.store.store import Store

NUMBER = "+15550100999"
WANTED_MS = 2.0


def measure(quick: bool) -> list[Figure]:
    """The curve over participants."""
    sizes = (10_000, 100_000) if quick else (10_000, 100_000, 1_000_000)
    found = [uvloop.run(_measure(size, 2_000 if quick else 20_000)) for size in sizes]
    where = f"pair look-up, {' / '.join(f'{size:,}' for size in sizes)} participants"
    return [
        Figure(
            f"{where}, {kind}: p{100 * part:.0f}",
            " / ".join(f"{1000 * quantile(each[kind], part):.3f}" for each in found),
            "ms",
            f"wanted: p99 ≤ {WANTED_MS:.0f} ms at 1,000,000, no trend",
        )
        for kind in ("known", "unknown")
        for part in (0.5, 0.99)
    ]


async def _measure(size: int, rounds: int) -> dict[str, list[float]]:
    with tempfile.TemporaryDirectory(prefix="ringback-bench-") as folder:
        path = Path(folder) / "ringback.db"
        store = await Store.open(f"sqlite:///{path}")
        await store.commit([Save(_participant(0))])
        await store.close()
        _fill(path, size)
        store = await Store.open(f"sqlite:///{path}")
        try:
            pick = random.Random(1)
            times: dict[str, list[float]] = {"known": [], "unknown": []}
            for _ in range(rounds):
                for kind, index in (
                    ("known", pick.randrange(size)),
                    ("unknown", size + pick.randrange(size)),
                ):
                    pair, began = pair_of(ACCOUNT, _address(index), NUMBER), time.perf_counter()
                    record = await store.first(Participant, pair=pair)
                    times[kind].append(time.perf_counter() - began)
                    assert (record is not None) is (kind == "known")
            return {kind: sorted(each) for kind, each in times.items()}
        finally:
            await store.close()


def _address(index: int) -> str:
    return f"+1{2_000_000_000 + index * 7_919 % 7_999_999_999}"


def _participant(index: int) -> Participant:
    return Participant(
        sid=f"MB{index:032x}", account_sid=ACCOUNT, conversation_sid=f"CH{index:032x}", address=_address(index),
        messaging_binding={"type": "sms", "address": _address(index), "proxy_address": NUMBER},
        pair=pair_of(ACCOUNT, _address(index), NUMBER),
    )  # fmt: skip


def _fill(path: Path, size: int) -> None:
    """Rows like the first one, straight into the database."""
    database = sqlite3.connect(path)
    table = "conversations_participants"
    columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
    first = dict(zip(columns, database.execute(f"SELECT * FROM {table}").fetchone(), strict=True))
    marks = ",".join("?" * len(columns))

    def row(index: int) -> tuple[object, ...]:
        made = _participant(index)
        changed = {name: getattr(made, name) for name in ("sid", "conversation_sid", "address", "pair")}
        return tuple((first | changed).values())

    with database:
        database.executemany(
            f"INSERT INTO {table} VALUES ({marks})", (row(index) for index in range(1, size))
        )
    database.close()
