"""A leg whose room is in another worker goes there, and its far side notices nothing but a new SSRC."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ringback.edges.media import protocol as p
from ringback.edges.media.client import MediaPool

from .rig import Phone, Rig, strength

TONES = {"A": 500, "B": 900, "C": 1300}


@pytest.fixture(params=["any port", "a range of ports"])
async def two(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    """A rig with two workers."""
    made = Rig(tmp_path)
    ports = range(0) if request.param == "any port" else range(18200, 18240)
    made.pool = MediaPool(
        workers=2, ports=ports, bind_host="127.0.0.1", on_report=made.take, data_dir=tmp_path
    )
    await made.pool.start()
    yield made
    for phone in made.phones:
        await phone.close()
    await made.pool.stop()


async def talkers(rig: Rig) -> dict[str, Phone]:
    """Three legs of three groups, so in two workers; each sends its own tone."""
    found = {}
    for leg, hertz in TONES.items():
        found[leg], address = await rig.call(leg, group=leg)
        found[leg].talk(hertz, address)
    await rig.wait(p.FirstPacket, 3)
    assert len({rig.pool._where[leg][0] for leg in TONES}) == 2
    return found


async def test_three_legs_of_two_workers_in_one_room(two: Rig, tmp_path: Path) -> None:
    phones = await talkers(two)
    for leg in TONES:
        two.pool.join(leg, "room")
    two.pool.record("B", "R", str(tmp_path / "r.wav"), track="inbound", max_seconds=0.4)
    for phone in phones.values():
        phone.drain()
    await asyncio.sleep(0.4)
    for phone in phones.values():
        phone.drain()
    heard = await asyncio.gather(*(phone.hear(25) for phone in phones.values()))
    loud = [[strength(each, hertz) > 4000 for hertz in TONES.values()] for each in heard]
    assert loud == [[False, True, True], [True, False, True], [True, True, False]]
    assert len({two.pool._where[leg][0] for leg in TONES}) == 1
    (stopped,) = await two.wait(p.RecordingStopped)
    assert (stopped.reason, stopped.silent) == ("max-length", False)
    assert not any(isinstance(one, p.CommandFailed | p.LegLost | p.OpenFailed) for one in two.reports)


async def test_what_plays_on_a_leg_that_moves_ends_and_is_told(two: Rig) -> None:
    await talkers(two)
    for leg in TONES:
        two.pool.play(leg, f"P{leg}", [p.Tone("ringback")], loop=0)
    for leg in TONES:
        two.pool.join(leg, "room")
    (done,) = await two.wait(p.PlaybackDone)
    assert (done.completed, done.error) == (False, None)
    two.pool.play(done.leg, "again", [p.Silence(0.1)])
    ended = (await two.wait(p.PlaybackDone, 2))[1]
    assert (ended.leg, ended.playback, ended.completed) == (done.leg, "again", True)


async def test_closed_on_its_way(two: Rig) -> None:
    await talkers(two)
    for leg in TONES:
        two.pool.join(leg, "room")
    for leg in TONES:
        two.pool.close(leg)
    assert (two.pool._moving, two.pool._where) == ({}, {})
    address = await two.pool.open("D", group="D")
    assert address[1] > 0
    await asyncio.sleep(0.1)
    assert not any(isinstance(one, p.LegLost | p.OpenFailed) for one in two.reports)


async def test_the_worker_that_it_leaves_dies(two: Rig) -> None:
    phones = await talkers(two)
    stay, go = two.pool._where["A"][0], two.pool._where["B"][0]
    assert stay is not go
    assert go.keeper.link is not None
    os.kill(go.keeper.link.process.pid, signal.SIGSTOP)
    two.pool.join("A", "room")
    two.pool.join("B", "room")
    os.kill(go.keeper.link.process.pid, signal.SIGKILL)
    while "B" in two.pool._moving:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.3)
    phones["B"].drain()
    assert strength(await phones["B"].hear(25), TONES["A"]) > 4000
    assert not [one for one in two.reports if isinstance(one, p.LegLost) and one.leg in "AB"]
