"""One room of twenty parties who all talk, in a media worker by itself: its CPU, and how late its packets are."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import uvloop

from benchmarks.__main__ import Figure
from benchmarks.peers.audio import AudioEnds, lateness, quantile
from ringback.edges.media.client import MediaPool

PARTIES = 20


def measure(quick: bool) -> list[Figure]:
    """CPU of the worker in % of a core; lateness of its packets at the receiver; packets that never came."""
    return uvloop.run(_measure(5 if quick else 20))


async def _measure(seconds: int) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="ringback-room-") as folder:
        pool = MediaPool(
            workers=1, ports=range(0), bind_host="127.0.0.1", on_report=lambda report: None,
            data_dir=Path(folder),
        )  # fmt: skip
        await pool.start()
        try:
            with AudioEnds(1, numbered=False) as ends:
                for party in range(PARTIES):
                    leg = f"leg{party}"
                    await pool.open(leg, group="room")
                    pool.connect(leg, ("127.0.0.1", ends.ports[0]), "PCMU", 0, 101, True, True)
                    pool.join(leg, "room")
                await asyncio.sleep(2)
                (before,) = await pool.worker_stats()
                ends.begin()
                await asyncio.sleep(seconds)
                (after,) = await pool.worker_stats()
                streams = await asyncio.to_thread(ends.finish)
        finally:
            await pool.stop()
    ticks = after.ticks - before.ticks
    late = lateness(ends.packets)
    # What arrived during half a second more than the window belongs to the measurement, too.
    expected = PARTIES * (seconds + 0.5) * 50
    return [
        Figure(
            f"{PARTIES} parties, all talking",
            f"{100 * (after.cpu_seconds - before.cpu_seconds) / (ticks * 0.020):.1f}",
            "% of a core",
            "wanted: 20",
        ),
        Figure(
            "lateness of its packets",
            f"p99 {quantile(late, 0.99):.1f}, worst {quantile(late, 1):.1f}",
            "ms",
            "a packet is due every 20 ms",
        ),
        Figure(
            "packets heard",
            f"{len(ends.packets)} of about {expected:.0f}; {len(streams)} of {PARTIES} parties",
            "",
            "wanted: all",
        ),
    ]
