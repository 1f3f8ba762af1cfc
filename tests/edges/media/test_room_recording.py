"""Recordings of whole rooms: who is in them, and that they outlive the leg that began them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Literal

from ringback.edges.media import protocol as p
from ringback.media.wav import read

from .rig import Rig, strength

TONES = {"A": 500, "B": 900, "C": 1300, "D": 1700}
PAUSES: dict[str, Literal["skip", "silence"]] = {"skipped": "skip", "blank": "silence"}
"""Recording → what its pause does."""


async def talk(rig: Rig, legs: str) -> None:
    """Each leg of ``legs`` sends its own tone."""
    for leg in legs:
        phone, address = await rig.call(leg, law="PCMA" if leg == "B" else "PCMU")
        phone.talk(TONES[leg], address)
    await rig.wait(p.FirstPacket, len(legs))


async def test_everybody_is_in_it_but_the_muted_the_held_and_the_coach(rig: Rig, tmp_path: Path) -> None:
    await talk(rig, "ABCD")
    rig.pool.join("A", "room")
    rig.pool.join("B", "room")
    rig.pool.join("C", "room", muted=True)
    rig.pool.join("D", "room", coach="A")
    rig.pool.record_room("A", "room", "R", str(tmp_path / "r.wav"), "CF1")
    await asyncio.sleep(0.6)
    rig.pool.join("B", "room", hold=True)
    rig.pool.leave("A")  # who began it
    rig.pool.join("C", "room")
    await asyncio.sleep(0.6)
    rig.pool.stop_recording("R")
    (stopped,) = await rig.wait(p.RecordingStopped)
    assert (stopped.leg, stopped.reason, stopped.silent) == ("CF1", "stopped", False)
    (started,) = await rig.wait(p.RecordingStarted)
    assert started.leg == "CF1"
    sound = read((tmp_path / "r.wav").read_bytes()).reshape(-1)
    assert 1.0 < len(sound) / 8000 < 1.5
    early, late = sound[1600:4000], sound[-3200:-400]
    assert [strength(early, TONES[leg]) > 4000 for leg in "ABCD"] == [True, True, False, False]
    assert [strength(late, TONES[leg]) > 4000 for leg in "ABCD"] == [False, False, True, False]
    assert max(strength(early, TONES[leg]) for leg in "CD") < 200
    assert rig.pool._recordings == {}


async def test_a_pause_leaves_the_time_out_or_blank(rig: Rig, tmp_path: Path) -> None:
    await talk(rig, "A")
    rig.pool.join("A", "room")
    for name, behavior in PAUSES.items():
        rig.pool.record_room("A", "room", name, str(tmp_path / f"{name}.wav"), "CF1")
        rig.pool.pause_recording(name, behavior)
    await rig.wait(p.RecordingStarted, 2)
    await asyncio.sleep(0.8)
    for name in PAUSES:
        rig.pool.resume_recording(name)
    await asyncio.sleep(0.4)
    for name in PAUSES:
        rig.pool.stop_recording(name)
    await rig.wait(p.RecordingStopped, 2)
    skipped, blank = [read((tmp_path / f"{name}.wav").read_bytes()).reshape(-1) for name in PAUSES]
    assert len(blank) - len(skipped) > 8000 * 0.6
    assert abs(blank[1600:4800]).max() < 100
    for sound in (skipped, blank):
        assert strength(sound[-2400:-400], TONES["A"]) > 4000


async def test_it_ends_with_the_room(rig: Rig, tmp_path: Path) -> None:
    await talk(rig, "A")
    rig.pool.join("A", "room")
    rig.pool.record_room("A", "room", "R", str(tmp_path / "r.wav"), "CF1")
    await rig.wait(p.RecordingStarted)
    rig.pool.close("A")
    (stopped,) = await rig.wait(p.RecordingStopped)
    assert (stopped.leg, stopped.reason) == ("CF1", "closed")
    rig.pool.stop_recording("R")  # too late: nothing to stop
    await rig.call("B")
    assert len(await rig.wait(p.RecordingStopped)) == 1
    assert not any(isinstance(report, p.CommandFailed) for report in rig.reports)


async def test_nobody_is_there(rig: Rig, tmp_path: Path) -> None:
    await rig.call("A")
    rig.pool.record_room("A", "room", "R", str(tmp_path / "r.wav"), "CF1")
    (stopped,) = await rig.wait(p.RecordingStopped)
    assert (stopped.leg, stopped.seconds, stopped.error) == ("CF1", 0.0, "no such room")
