"""How long a voice waits in a leg: with packets that come early in the 20 ms, with late ones, with jitter."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from ringback.edges.media import protocol as p
from ringback.edges.media.leg import Leg
from ringback.media.rtp import pack

FAR = ("127.0.0.1", 4000)


class Stream:
    """A far end whose nth frame consists of the byte n; one tick is one packet and one frame heard."""

    def __init__(self, *, room: bool = True, frames: int = 1) -> None:
        self.leg = Leg("A", socket.socket(socket.AF_INET, socket.SOCK_DGRAM), None)
        self.leg.connect(p.Connect("A", FAR, "PCMU", 0, None, True, True, True, False), 0)
        self.leg.room = "R" if room else None
        self.leg.listening = True
        self.frames = frames
        self.tick = self.sent = 0

    def send(self, *, early: bool) -> None:
        """The next packet."""
        payload = b"".join(bytes([(self.sent + at) % 250 + 1]) * 160 for at in range(self.frames))
        packet = pack(0, self.sent, 160 * self.sent, 7, payload)
        self.leg.receive(packet, FAR, self.tick, early=early)
        self.sent += self.frames

    def hear(self) -> int:
        """Number of the frame heard in this tick; 0: something else (the lead-in)."""
        self.tick += 1
        frame = self.leg.jitter.pull()
        assert frame is not None
        return frame[0] if frame != bytes([0xFF]) * 160 else 0

    def run(self, packets: int, *, early: bool) -> list[int]:
        """What is heard while so many packets come, one before each of its ticks."""
        heard = []
        for _ in range(packets):
            self.send(early=early)
            heard += [self.hear() for _ in range(self.frames)]
        return heard


@pytest.fixture
def streams() -> Iterator[list[Stream]]:
    """Put what must be closed here."""
    made: list[Stream] = []
    yield made
    for one in made:
        one.leg.close()


def test_in_a_room_an_early_packet_goes_on_with_the_next_tick(streams: list[Stream]) -> None:
    streams.append(stream := Stream())
    assert stream.run(4, early=True) == [1, 2, 3, 4]


def test_a_packet_just_before_the_tick_keeps_a_frame_against_jitter(streams: list[Stream]) -> None:
    streams.append(stream := Stream())
    assert stream.run(4, early=False) == [0, 1, 2, 3]


def test_outside_a_room_delay_harms_nobody(streams: list[Stream]) -> None:
    streams.append(stream := Stream(room=False))
    assert stream.run(200, early=True)[:4] == [0, 1, 2, 3]
    assert stream.leg.jitter.stored == 160


def test_jitter_brings_the_frame_back_and_three_steady_seconds_take_it_away(streams: list[Stream]) -> None:
    streams.append(stream := Stream())
    assert stream.run(3, early=True) == [1, 2, 3]
    assert stream.hear() == 3  # nothing came in time: the last frame covers
    stream.send(early=False)
    assert stream.run(3, early=True) == [4, 5, 6]
    assert stream.leg.jitter.stored == 160
    stream.run(146, early=True)
    assert stream.leg.jitter.stored == 160
    stream.run(1, early=True)
    assert stream.leg.jitter.stored == 0
    at = stream.sent % 250
    assert stream.run(2, early=True) == [at + 1, at + 2]
    assert stream.leg.jitter.concealed == 1


def test_longer_packets_are_not_taken_for_store(streams: list[Stream]) -> None:
    streams.append(stream := Stream(frames=3))
    heard = stream.run(400, early=True)
    assert heard == [at % 250 + 1 for at in range(1200)]
    assert stream.leg.jitter.concealed == 0
