"""Bridged SIP calls at once: caller → number → ``<Dial><Sip>`` → agent, with sound both ways.

Both ends send numbered frames; the delay is from a frame's sending to its arrival at the other end, the waiting for
the 20 ms tick of the media worker and its jitter buffer included (`peers/audio.py`).
"""

from __future__ import annotations

import asyncio
import time

import psutil
import uvloop

from benchmarks import sipp
from benchmarks.__main__ import Figure
from benchmarks.peers.answering import Answering
from benchmarks.peers.application import Answer, Form, serve
from benchmarks.peers.audio import AudioEnds, passage, quantile
from benchmarks.server import Server

NUMBER = "+15550126"
RATE = 50
"""New calls a second until all are up."""


def measure(quick: bool) -> list[Figure]:
    """For each number of calls: CPU of the main process and of the media worker, delay, losses, failures."""
    return uvloop.run(_measure(4 if quick else 12))


async def _measure(hold: int) -> list[Figure]:
    figures = []
    with Server() as server:
        for calls in (50, 100, 150, 200):
            # Its own ends for every run: the last run's streams are gone for certain.
            with AudioEnds(2, numbered=True) as ends, Answering(ends.ports[1]) as agents:
                document = f"<Response><Dial><Sip>sip:agent@127.0.0.1:{agents.port}</Sip></Dial></Response>"

                def answer(path: str, form: Form, document: str = document) -> Answer:
                    return "text/xml", document

                web, base = await serve(answer)
                number = server.form("IncomingPhoneNumbers.json", PhoneNumber=NUMBER, VoiceUrl=f"{base}/dial")
                figures.append(await _at(server, ends, calls, hold))
                server.request("DELETE", number["uri"])
                web.close()
    return figures


async def _at(server: Server, ends: AudioEnds, calls: int, hold: int) -> Figure:
    ramp = calls / RATE
    # Every call lasts until the last one has been measured.
    work = asyncio.create_task(
        asyncio.to_thread(
            sipp.run, number=NUMBER, port=server.sip_port, rate=RATE, calls=calls, limit=calls,
            media_port=ends.ports[0], hold=int(1000 * (ramp + hold + 7)),
        )
    )  # fmt: skip
    await asyncio.sleep(ramp + 5)
    before, started = _cpu(server), time.perf_counter()
    ends.begin()
    await asyncio.sleep(hold)
    used = {name: now - before.get(name, 0.0) for name, now in _cpu(server).items()}
    wall = time.perf_counter() - started
    streams = await asyncio.to_thread(ends.finish)
    came = passage(streams, ends.packets)
    result = await work
    unbridged = 2 * calls - len({one.stream for one in ends.packets if one.stream >= 0})
    return Figure(
        f"{calls} bridged calls",
        f"main {100 * used.get('main', 0) / wall:.0f} %, media worker {100 * used.get('media', 0) / wall:.0f} % "
        f"of a core; delay p50 {quantile(came.delays, 0.5):.1f} ms, p99 {quantile(came.delays, 0.99):.1f} ms, "
        f"worst {quantile(came.delays, 1):.1f} ms; {came.lost} lost and {came.repeated} repeated of {came.sent} "
        f"packets; {unbridged} directions unheard, {result.failed} calls failed; "
        f"our own sending late by {1000 * ends.worst_own[0]:.0f} ms at worst",
        "",
        "wanted: 150 at once on 2 cores, delay p99 40 ms, none failed",
    )


def _cpu(server: Server) -> dict[str, float]:
    """CPU seconds used so far by the main process and by the media workers."""
    used: dict[str, float] = {}
    for process in server.processes():
        name = "main" if process.pid == server.process.pid else "other"
        try:
            if any("edges.media.worker" in word for word in process.cmdline()):
                name = "media"
            used[name] = used.get(name, 0.0) + sum(process.cpu_times()[:2])
        except psutil.NoSuchProcess:  # a helper process that has ended since it was listed
            continue
    return used
