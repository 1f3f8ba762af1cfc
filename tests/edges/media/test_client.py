"""The pool and a real worker over loopback sockets."""

from __future__ import annotations

import asyncio
import itertools
import struct
from pathlib import Path

import numpy as np
import pytest

from ringback.edges.media import protocol as p
from ringback.media.g711 import decode, encode
from ringback.media.tones import sine
from ringback.media.wav import read

from .rig import Phone, Rig, strength


async def test_a_file_is_heard_and_done_is_told_once(rig: Rig, tmp_path: Path) -> None:
    (tmp_path / "a.ulaw").write_bytes(encode(sine(1000, 0.5), "PCMU"))
    phone, _ = await rig.call("A")
    rig.pool.play("A", "P", [p.AudioFile(str(tmp_path / "a.ulaw"))])
    packets = await phone.packets(40)
    heard = np.concatenate([decode(one.payload, "PCMU") for one in packets])
    loud = heard[np.abs(heard) > 100]
    assert len(loud) == 3000  # a quarter of the samples of 1 kHz at 8 kHz is zero
    assert strength(heard, 1000) > 2500
    assert strength(heard, 1300) < 300
    steps = {(b.timestamp - a.timestamp) & 0xFFFFFFFF for a, b in itertools.pairwise(packets)}
    assert steps == {160}
    (done,) = await rig.wait(p.PlaybackDone)
    assert (done.completed, round(done.position_seconds, 2), done.error) == (True, 0.5, None)


async def test_a_missing_file_is_an_error(rig: Rig) -> None:
    await rig.call("A")
    rig.pool.play("A", "P", [p.AudioFile("/nowhere/a.ulaw")])
    (done,) = await rig.wait(p.PlaybackDone)
    assert not done.completed
    assert "nowhere" in done.error


async def test_recording_holds_the_far_side_and_a_skip_is_left_out(rig: Rig, tmp_path: Path) -> None:
    phone, address = await rig.call("A")
    phone.talk(700, address)
    await rig.wait(p.FirstPacket)
    rig.pool.play("A", "P", [p.Tone("beep")], loop=0)
    rig.pool.record("A", "R", str(tmp_path / "r.wav"), channels=2, max_seconds=1.0)
    (stopped,) = await rig.wait(p.RecordingStopped)
    sound = read((tmp_path / "r.wav").read_bytes())
    assert (stopped.reason, stopped.seconds, stopped.silent, sound.shape) == (
        "max-length",
        1.0,
        False,
        (8000, 2),
    )
    assert strength(sound[800:, 0], 700) > 6000
    assert strength(sound[800:, 1], 1000) > 6000
    assert strength(sound[800:, 0], 1000) < 300


@pytest.mark.parametrize("behavior", ["skip", "silence"])
async def test_pause(rig: Rig, tmp_path: Path, behavior: str) -> None:
    phone, address = await rig.call("A")
    rig.pool.record("A", "R", str(tmp_path / "r.wav"))
    await rig.wait(p.RecordingStarted)
    await phone.packets(25)
    rig.pool.pause_recording("R", behavior)  # type: ignore[arg-type]
    phone.talk(700, address)
    await phone.packets(25)
    rig.pool.stop_recording("R")
    (stopped,) = await rig.wait(p.RecordingStopped)
    sound = read((tmp_path / "r.wav").read_bytes())
    assert stopped.silent
    assert np.abs(sound).max() < 100
    assert (stopped.seconds < 0.8) == (behavior == "skip")


async def test_keys_arrive_once_in_spite_of_copies_and_losses(rig: Rig) -> None:
    phone, address = await rig.call("A")
    for at, (key, ends) in enumerate([(5, 3), (11, 0), (5, 1)]):
        for duration in (160, 320, 480):
            phone.send(struct.pack("!BBH", key, 10, duration), address, 101, 1000 + at * 2000)
        for _ in range(ends):
            phone.send(struct.pack("!BBH", key, 0x8A, 640), address, 101, 1000 + at * 2000)
    digits = await rig.wait(p.Digit, 3)
    assert [d.digit for d in digits] == ["5", "#", "5"]
    assert {d.via for d in digits} == {"rfc4733"}


async def test_keys_are_sent_as_events_and_found_as_tones(rig: Rig) -> None:
    phone, _ = await rig.call("A")
    rig.pool.play("A", "P", [p.Digits("1#")])
    packets = [one for one in await phone.packets(40) if one.payload_type == 101]
    assert [one.payload[0] for one in packets if one.payload[1] & 0x80] == [1, 1, 1, 11, 11, 11]
    assert len({one.timestamp for one in packets}) == 2
    # The other way, in band: leg B plays tones to leg C's port, which looks for them.
    first = await rig.pool.open("B", group="g")
    second = await rig.pool.open("C", group="g")
    rig.pool.connect("C", first, "PCMU", 0, None, True, True)
    rig.pool.connect("B", second, "PCMU", 0, None, True, True)
    rig.pool.play("B", "Q", [p.Digits("90*")])
    digits = await rig.wait(p.Digit, 3)
    assert [(d.leg, d.digit, d.via) for d in digits] == [("C", k, "inband") for k in "90*"]


async def test_room_of_two_and_of_three(rig: Rig) -> None:
    calls = {leg: await rig.call(leg) for leg in "ABC"}
    tones = dict(zip("ABC", (500, 900, 1700), strict=True))
    for leg, (phone, address) in calls.items():
        phone.talk(tones[leg], address)
    await rig.wait(p.FirstPacket, 3)
    for members in ("AB", "ABC"):
        for leg in members:
            rig.pool.join(leg, "room")
        await rig.pool.leg_stats("A")
        await asyncio.gather(*(phone.hear(25) for phone, _ in calls.values()))
        heard = dict(zip("ABC", await asyncio.gather(*(c[0].hear(25) for c in calls.values())), strict=True))
        for hearer in members:
            for speaker in "ABC":
                audible = strength(heard[hearer], tones[speaker]) > 4000
                assert audible == (speaker in members and speaker != hearer), (members, hearer, speaker)


async def test_a_dead_worker_is_reported_and_replaced(rig: Rig, tmp_path: Path) -> None:
    phone, address = await rig.call("A")
    phone.talk(700, address)
    rig.pool.play("A", "P", [p.Silence(60)])
    rig.pool.record("A", "R", str(tmp_path / "r.wav"))
    await phone.packets(60)
    (stats,) = await rig.pool.worker_stats()
    import os
    import signal

    os.kill(stats.pid, signal.SIGKILL)
    assert (await rig.wait(p.LegLost))[0].leg == "A"
    assert not (await rig.wait(p.PlaybackDone))[0].completed
    stopped = (await rig.wait(p.RecordingStopped))[0]
    assert stopped.reason == "lost"
    assert stopped.seconds >= 0.7
    assert len(read((tmp_path / "r.wav").read_bytes())) == stopped.seconds * 8000
    async with asyncio.timeout(20):
        while not await rig.pool.worker_stats():
            await asyncio.sleep(0.02)
    await rig.call("B")


async def test_hostile_datagrams_are_counted_and_foreign_ones_refused(rig: Rig) -> None:
    phone, address = await rig.call("A")
    phone.send(b"\xff" * 160, address)
    await rig.wait(p.FirstPacket)
    foreign = Phone()
    rig.phones.append(foreign)
    for junk in (b"", b"\x80", b"\x00" * 172, b"\x80\x00" + bytes(2000), b"\x9f\x00" + bytes(20)):
        phone.socket.sendto(junk, address)
    foreign.send(b"\xff" * 160, address)
    await phone.packets(8)
    stats = await rig.pool.leg_stats("A")
    assert (stats.packets, stats.ignored) == (1, 6)
