"""The pure part: laws, RTP reading, jitter, keys, mixing, trimming, WAV."""

from __future__ import annotations

import io
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.media import g711, rtp, tones, wav
from ringback.media.dtmf import KEYS, EventReceiver, ToneReceiver, detect, event_packets, key_tone
from ringback.media.jitter import JitterBuffer
from ringback.media.mix import mix_minus
from ringback.media.trim import speech_bounds


@pytest.mark.parametrize("law", ["PCMU", "PCMA"])
def test_every_code_survives_a_round_trip(law: g711.Law) -> None:
    codes = bytes(range(256))
    again = g711.decode(g711.encode(g711.decode(codes, law), law), law)
    assert np.array_equal(again, g711.decode(codes, law))


@given(st.binary(max_size=1600))
def test_any_datagram_is_read_or_refused(datagram: bytes) -> None:
    try:
        packet = rtp.parse(datagram)
    except rtp.BadRtpError:
        return
    assert 0 < len(packet.payload) <= len(datagram) - 12


def test_a_packet_reads_as_written() -> None:
    packet = rtp.parse(rtp.pack(8, 65537, 2**32 + 5, 9, b"abc", marker=True))
    assert packet == (8, True, 1, 5, 9, b"abc")


def test_jitter_buffer_puts_packets_in_order_and_covers_a_loss() -> None:
    buffer = JitterBuffer("PCMU")
    start = 2**32 - 480
    for step in (0, 2, 1, 1, 4):
        buffer.push((start + step * 160) % 2**32, 1, bytes([step + 1]) * 160, "PCMU")
    frames = [buffer.pull() for _ in range(6)]
    assert [frame[0] for frame in frames if frame] == [0xFF, 1, 2, 3, 3, 5]
    assert buffer.concealed == 1


def test_jitter_buffer_waits_longer_after_a_late_packet() -> None:
    buffer = JitterBuffer("PCMU")
    buffer.push(0, 1, b"\x01" * 160, "PCMU")
    assert [buffer.pull()[:1] for _ in range(2)] == [b"\xff", b"\x01"]
    buffer.pull()
    buffer.push(160, 1, b"\x02" * 160, "PCMU")
    assert buffer.pull() == b"\x02" * 160
    assert buffer.late == 1


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2), st.integers(1, 1488), st.booleans())))
def test_jitter_buffer_takes_anything(packets: list[tuple[int, int, int, bool]]) -> None:
    buffer = JitterBuffer("PCMA")
    for timestamp, ssrc, length, pull in packets:
        buffer.push(timestamp, ssrc, b"\x01" * length, "PCMU")
        assert buffer.stored <= 3200 + 1488
        if pull:
            assert len(buffer.pull() or bytes(160)) == 160


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.binary(max_size=8))))
def test_event_receiver_takes_anything(packets: list[tuple[int, bytes]]) -> None:
    receiver = EventReceiver()
    assert all(press.key in KEYS for at, data in packets for press in receiver.push(at, data))


def keys_of(packets: list[tuple[int, int, int, bool]], start: int = 2**32 - 1000) -> list[tuple[str, int]]:
    """What is told of (code, timestamp, duration, end) packets."""
    receiver, found = EventReceiver(), []
    for code, at, duration, end in packets:
        payload = bytes([code, 0x80 if end else 10, duration >> 8, duration & 0xFF])
        found += receiver.push((start + at) & 0xFFFFFFFF, payload)
    for _ in range(10):
        found += receiver.tick()
    return [(press.key, press.duration_ms) for press in found]


def honest(code: int, at: int, ticks: int) -> list[tuple[int, int, int, bool]]:
    return [(code, at, 160 * n, n == ticks) for n in (*range(1, ticks + 1), ticks, ticks)]


@pytest.mark.parametrize("gap", [160, 320, 800])
@pytest.mark.parametrize("kept", ["all", "ends", "first"])
def test_the_same_key_twice_by_an_honest_sender(gap: int, kept: str) -> None:
    presses = [honest(1, at, 5) for at in (0, 800 + gap, 2 * (800 + gap))]
    parts = {"all": slice(None), "ends": slice(4, None), "first": slice(0, 1)}
    assert [key for key, _ in keys_of([one for press in presses for one in press[parts[kept]]])] == ["1"] * 3


def test_a_key_in_two_segments_counts_once() -> None:
    """RFC 4733 §2.5.1.3: over 8.19 s the event goes on under a new timestamp, without an end in between."""
    first = [(5, 0, min(160 * n, 65535), False) for n in range(1, 411)]
    second = [(5, 65535, duration, end) for _, _, duration, end in honest(5, 0, 50)]
    assert keys_of([*first, *second, *honest(5, 65535 + 9000, 5)]) == [("5", 9191), ("5", 100)]


def test_senders_that_give_packets_timestamps_of_their_own() -> None:
    """End packets again under new ones, or every packet: a press counts once, and the next one too."""
    for again in (0, 5000):
        ends = [*honest(2, again, 5)[:5], *((2, again + 160 * n, 800, True) for n in (1, 2))]
        later = [*honest(2, again, 5)[:5], *((2, again + 800 + 160 * n, 800, True) for n in (0, 1))]
        growing = [(2, again + 160 * n, 160 * (n + 1), n > 4) for n in range(8)]
        equal = [(2, again + 160 * n, 160, n > 4) for n in range(8)]
        for packets in (ends, later, growing, equal):
            assert [key for key, _ in keys_of(packets)] == ["2"]
            twice = [*packets, *((code, at + 2400, length, end) for code, at, length, end in packets)]
            assert [key for key, _ in keys_of(twice)] == ["2", "2"]


def test_an_event_without_end_packets_is_told_after_a_while() -> None:
    receiver = EventReceiver()
    assert receiver.push(5, event_packets("7")[0][0].payload) == []
    assert [press.key for _ in range(10) for press in receiver.tick()] == ["7"]


def test_every_key_is_found_in_band_and_noise_is_none() -> None:
    receiver = ToneReceiver()
    gap = np.zeros(480, np.int16)
    sound = np.concatenate([part for key in KEYS for part in (key_tone(key, 0.06), gap)])
    noise = np.random.default_rng(1).normal(0, 3000, 16000).astype(np.int16)
    found = []
    for frame in np.concatenate([sound, noise]).reshape(-1, 160):
        found += receiver.push(detect(receiver.windows(frame)))
    assert "".join(press.key for press in found) == KEYS


def test_everybody_hears_the_others_and_the_coach_is_private() -> None:
    frames = np.array([[1], [10], [100], [1000]], np.int16)
    assert mix_minus(frames)[:, 0].tolist() == [1110, 1101, 1011, 111]
    assert mix_minus(frames, [(3, 0)])[:, 0].tolist() == [1110, 101, 11, 111]
    assert mix_minus(np.full((4, 1), 30000, np.int16))[0, 0] == 32767


def test_speech_is_found_between_silences() -> None:
    quiet = np.zeros(8000, np.int16)
    assert speech_bounds(np.concatenate([quiet, tones.sine(400, 1), quiet])) == (8000, 16000)
    assert speech_bounds(quiet) is None


@pytest.mark.parametrize("name", tones.names())
def test_every_tone_sounds(name: str) -> None:
    sound = tones.tone(name)
    assert 3000 < np.abs(sound.astype(int)).max() < 20000


def test_a_flushed_file_is_whole() -> None:
    file = io.BytesIO()
    writer = wav.WavWriter(file, 2)
    sound = np.arange(320, dtype=np.int16).reshape(-1, 2)
    writer.write(sound)
    writer.flush()
    assert np.array_equal(wav.read(file.getvalue()), sound)
    assert len(wav.read(file.getvalue()[:-100])) == 135


@given(st.binary(max_size=80))
def test_any_file_is_read_or_refused(data: bytes) -> None:
    try:
        wav.read(data)
    except wav.BadWavError:
        return


def late_by(frames: int, most: int | None) -> list[int]:
    """First samples of what is heard of a stream whose packets come together, ``frames`` at a time."""
    buffer = JitterBuffer("PCMU")
    if most is not None:
        buffer.bound(most)
    heard = []
    for burst in range(20):
        for number in range(frames):
            at = burst * frames + number
            buffer.push(at * 160, 1, bytes([at + 1]) * 160, "PCMU")
        heard += [(buffer.pull() or b"\xff")[0] for _ in range(frames)]
    return heard[-10 * frames :]


def test_jitter_buffer_grows_to_its_bound_only() -> None:
    """Bursts of five need 100 ms; less loses frames, but the newest are always heard."""
    heard = late_by(5, None)
    assert [later - one for one, later in itertools.pairwise(heard)] == [1] * (len(heard) - 1)
    short = late_by(5, 160)
    assert len(set(short)) < 0.8 * len(short)
    assert max(short) >= 100


def test_jitter_buffer_drops_what_a_new_bound_does_not_hold() -> None:
    buffer = JitterBuffer("PCMU")
    for number in range(8):
        buffer.push(number * 160, 1, bytes([number + 1]) * 160, "PCMU")
    buffer.bound(320)
    assert buffer.stored == 320
    assert (buffer.pull() or b"")[:1] == b"\x07"
