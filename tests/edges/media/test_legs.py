"""What a leg does on the wire: laws, latching, directions, open playbacks, silence."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from ringback.edges.media import protocol as p
from ringback.edges.media.finished import trim_recording
from ringback.media.g711 import encode
from ringback.media.tones import sine
from ringback.media.wav import BadWavError, header, read

from .rig import Rig, strength


def beep_file(tmp_path: Path, frequency: float, seconds: float) -> p.AudioFile:
    path = tmp_path / f"{frequency}.ul"
    path.write_bytes(encode(sine(frequency, seconds), "PCMU"))
    return p.AudioFile(str(path))


async def test_a_law_on_the_wire_both_ways(rig: Rig, tmp_path: Path) -> None:
    phone, address = await rig.call("A", law="PCMA")
    phone.talk(700, address)
    await rig.wait(p.FirstPacket)
    rig.pool.record("A", "R", str(tmp_path / "r.wav"), channels=2, max_seconds=0.6)
    rig.pool.play("A", "P", [p.Tone("ringback-us")])
    packets = await phone.packets(10)
    assert {(one.payload_type, len(one.payload)) for one in packets} == {(8, 160)}
    heard = await phone.hear(20)
    assert strength(heard, 440) > 3000
    (stopped,) = await rig.wait(p.RecordingStopped)
    sound = read((tmp_path / "r.wav").read_bytes())
    assert (stopped.silent, strength(sound[1600:, 0], 700) > 6000) == (False, True)
    assert strength(sound[1600:, 1], 440) > 3000


async def test_a_room_joins_the_two_laws(rig: Rig) -> None:
    first, to_first = await rig.call("A", law="PCMA")
    second, to_second = await rig.call("B", law="PCMU")
    first.talk(500, to_first)
    second.talk(900, to_second)
    await rig.wait(p.FirstPacket, 2)
    for leg in "AB":
        rig.pool.join(leg, "room")
    await asyncio.gather(first.hear(20), second.hear(20))
    heard = await asyncio.gather(first.hear(25), second.hear(25))
    assert strength(heard[0], 900) > 6000
    assert strength(heard[1], 500) > 6000


async def test_recordings_of_a_leg_that_changes_its_law(rig: Rig, tmp_path: Path) -> None:
    phone, _ = await rig.call("A")
    rig.pool.play("A", "P", [p.Tone("busy-de"), p.Silence(0)], loop=0)
    rig.pool.record("A", "R1", str(tmp_path / "1.wav"), track="outbound")
    await rig.wait(p.RecordingStarted)
    rig.pool.connect("A", phone.address, "PCMA", 8, 101, True, True)
    rig.pool.record("A", "R2", str(tmp_path / "2.wav"), track="outbound")
    await rig.wait(p.RecordingStarted, 2)
    await phone.packets(30)
    for recording in ("R1", "R2"):
        rig.pool.stop_recording(recording)
    await rig.wait(p.RecordingStopped, 2)
    first, second = (read((tmp_path / name).read_bytes())[:, 0] for name in ("1.wav", "2.wav"))
    # The same sound in both, whichever law each was begun in.
    assert abs(int(np.abs(first.astype(int)).max()) - int(np.abs(second.astype(int)).max())) < 600
    assert np.abs(first.astype(int)).max() < 12000


async def test_hold_sends_nothing_and_hears_nothing(rig: Rig, tmp_path: Path) -> None:
    phone, address = await rig.call("A")
    other, _ = await rig.call("B")
    phone.talk(700, address)
    await rig.wait(p.FirstPacket)
    for leg in "AB":
        rig.pool.join(leg, "room")
    rig.pool.connect("A", phone.address, "PCMU", 0, 101, False, False)
    await rig.pool.leg_stats("A")
    phone.drain()
    await other.packets(50)
    with pytest.raises(BlockingIOError):
        phone.socket.recv(2048)
    assert strength(await other.hear(20), 700) < 300
    rig.pool.connect("A", phone.address, "PCMU", 0, 101, True, True)
    await phone.packets(20)
    other.drain()
    await other.packets(10)
    assert strength(await other.hear(25), 700) > 6000


async def test_an_open_playback_waits_for_more_and_joins_without_a_gap(rig: Rig, tmp_path: Path) -> None:
    phone, _ = await rig.call("A")
    rig.pool.play("A", "P", [beep_file(tmp_path, 500, 0.25)], last=False)
    await phone.packets(30)
    assert not [one for one in rig.reports if isinstance(one, p.PlaybackDone)]
    rig.pool.enqueue("A", "P", [beep_file(tmp_path, 900, 0.25)], last=False)
    rig.pool.enqueue("A", "P", [], last=True)
    rig.pool.enqueue("A", "other", [p.Tone("beep")], last=True)
    assert strength((await phone.hear(12)), 900) > 3000
    (done,) = await rig.wait(p.PlaybackDone)
    assert (done.completed, done.position_seconds >= 0.7) == (True, True)


async def test_an_open_playback_ends_with_an_item_that_cannot_be_played(rig: Rig) -> None:
    await rig.call("A")
    rig.pool.play("A", "P", [p.Silence(0.1)], last=False)
    rig.pool.enqueue("A", "P", [p.AudioFile("/nowhere/x.ul")], last=True)
    (done,) = await rig.wait(p.PlaybackDone)
    assert (done.completed, "nowhere" in done.error) == (False, True)


async def test_stop_and_replace_are_each_told_once(rig: Rig) -> None:
    await rig.call("A")
    rig.pool.play("A", "P", [p.Silence(60)])
    rig.pool.play("A", "Q", [p.Silence(60)])
    rig.pool.stop_playback("A", "P")
    rig.pool.stop_playback("A", "Q")
    rig.pool.stop_playback("A", "Q")
    await rig.pool.leg_stats("A")
    done = await rig.wait(p.PlaybackDone, 2)
    assert [(one.playback, one.completed) for one in done] == [("P", False), ("Q", False)]


async def test_silence_is_told_once_and_again_after_a_sound(rig: Rig, tmp_path: Path) -> None:
    phone, address = await rig.call("A")
    rig.pool.record("A", "R", str(tmp_path / "r.wav"), track="inbound", silence_timeout=0.6)
    (quiet,) = await rig.wait(p.RecordingSilence)
    assert 0.6 <= quiet.seconds < 0.8
    phone.talk(700, address)
    await phone.packets(40)
    assert phone.talking is not None
    phone.talking.cancel()
    await rig.wait(p.RecordingSilence, 2)
    rig.pool.stop_recording("R")
    (stopped,) = await rig.wait(p.RecordingStopped)
    assert len([one for one in rig.reports if isinstance(one, p.RecordingSilence)]) == 2
    assert stopped.reason == "stopped"
    assert stopped.speech_bounds is not None
    assert 0.4 <= stopped.speech_bounds[0] < stopped.speech_bounds[1] < stopped.seconds


async def test_silence_can_end_a_recording(rig: Rig, tmp_path: Path) -> None:
    await rig.call("A")
    rig.pool.record("A", "R", str(tmp_path / "r.wav"), silence_timeout=0.4, finish_on_silence=True)
    (stopped,) = await rig.wait(p.RecordingStopped)
    assert (stopped.reason, stopped.silent) == ("silence", True)


async def test_what_cannot_be_done_is_told_and_the_worker_goes_on(rig: Rig, tmp_path: Path) -> None:
    await rig.call("A")
    rig.pool.connect("A", ("far.example", 4000), "PCMU", 0, None, True, True)
    (failed,) = await rig.wait(p.CommandFailed)
    assert (failed.command, failed.subject) == ("Connect", "A")
    (tmp_path / "file").write_bytes(b"")
    rig.pool.record("A", "R", str(tmp_path / "file" / "r.wav"))
    rig.pool.stop_recording("R")
    (stopped,) = await rig.wait(p.RecordingStopped)
    assert stopped.reason == "disk"
    assert (await rig.pool.worker_stats())[0].legs == 1


@pytest.mark.parametrize("channels", [1, 2])
def test_trimming_a_recording(tmp_path: Path, channels: int) -> None:
    quiet = np.zeros(16000, np.int16)
    sound = np.concatenate([quiet, sine(400, 1.0), quiet])
    samples = np.stack([sound] * channels, axis=1)
    path = tmp_path / "r.wav"
    path.write_bytes(header(channels, samples.nbytes) + samples.tobytes())
    assert trim_recording(str(path)) == pytest.approx(1.4, abs=0.05)
    assert read(path.read_bytes()).shape == (pytest.approx(11_200, abs=400), channels)
    path.write_bytes(header(1, quiet.nbytes) + quiet.tobytes())
    assert trim_recording(str(path)) == 0.0
    assert list(tmp_path.iterdir()) == [path]


def test_trimming_what_is_no_recording(tmp_path: Path) -> None:
    (tmp_path / "r.wav").write_bytes(b"not sound")
    with pytest.raises(BadWavError):
        trim_recording(str(tmp_path / "r.wav"))
    with pytest.raises(OSError, match="No such file"):
        trim_recording(str(tmp_path / "none.wav"))
