"""Reconciling 100,000 calls that only the database still calls live, while others talk: how long, and how much the
event loop is held up (what a live call would feel)."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from pathlib import Path

import uvloop

from benchmarks.__main__ import Figure
from benchmarks.peers.audio import quantile
from ringback.app import Ringback, build
from ringback.effects import Save
from ringback.resources.api.call import Call
from ringback.serve import _spare_the_collector as spare_the_collector
from ringback.settings import Settings
from ringback.settings import load as settings

BATCH = 1000
TICK = 0.005


def measure(quick: bool) -> list[Figure]:
    """Seconds for all repairs, for a round that finds nothing wrong, and the loop's lateness meanwhile."""
    return uvloop.run(run(10_000 if quick else 100_000))


async def run(count: int) -> list[Figure]:
    """One product on an empty database."""
    with tempfile.TemporaryDirectory() as folder:
        flags = {"data_dir": folder, "http": "127.0.0.1:0", "sip": "off", "reconcile_every": "0"}
        product = await build(load_flags(folder, flags))
        await product.start()
        try:
            await _lost_calls(product, count)
            spare_the_collector()  # as the server does once it is ready
            late: list[float] = []
            watch = asyncio.get_running_loop().create_task(_watch(late))
            report = await product.reconciler.run()
            again = await product.reconciler.run()
            watch.cancel()
            assert (report.checked, report.repaired, again.checked) == (count, count, 0), report.to_json()
        finally:
            await product.stop()
    return [
        Figure(f"{count} lost calls ended", f"{report.seconds:.1f}", "s", "100,000 in 60 s (issue 5)"),
        Figure("calls a second", f"{count / report.seconds:.0f}", "1/s", "1,667"),
        Figure("event loop late, p99", f"{quantile(sorted(late), 0.99) * 1000:.1f}", "ms", "live calls go on"),
        Figure("event loop late, most", f"{max(late) * 1000:.1f}", "ms", "as above"),
    ]  # fmt: skip


def load_flags(folder: str, flags: dict[str, str]) -> Settings:
    """Settings without the environment and the file."""
    return settings(environ={}, file=Path(os.devnull), flags=flags)


async def _lost_calls(product: Ringback, count: int) -> None:
    before = product.clock.now() - 3600
    for start in range(0, count, BATCH):
        await product.store.commit(
            [
                Save(
                    Call(
                        sid=product.new_sid("CA"), account_sid=product.account_sid, date_created=before,
                        date_updated=before, start_time=before, answered_at=before if number % 2 else None,
                        status="in-progress" if number % 2 else "ringing", to="+15557770001",
                        from_="+15550100", direction="outbound-api", plan={"twiml": "<Response/>"},
                    )
                )
                for number in range(start, start + BATCH)
            ]
        )  # fmt: skip


async def _watch(late: list[float]) -> None:
    """How late the loop comes back from a short sleep."""
    while True:
        began = time.monotonic()
        await asyncio.sleep(TICK)
        late.append(max(0.0, time.monotonic() - began - TICK))
