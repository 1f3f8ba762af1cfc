"""Both ends of the audio of many calls: one thread, one socket a side, numbered frames sent every 20 ms.

A far end is learnt by hearing from it: whoever sends to a side's port is sent a stream of its own in return.
The frames carry their number and the time of sending, which a bridge that forwards G.711 leaves as they are;
the time of arrival is the kernel's, so a receiver that is slow to read adds nothing to the figure.
"""

from __future__ import annotations

import array
import gc
import math
import secrets
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from typing import Final

from ringback.media.g711 import encode

TICK: Final = 0.020
SLOTS: Final = 20
"""The streams are spread over so many instants of the 20 ms: real callers are not in step with us."""

_TIMESTAMP: Final = 35
"""SO_TIMESTAMPNS of Linux."""
_HEADER: Final = struct.Struct("!BBHII")
_MARK: Final = struct.Struct("!4sIIQ")
_MAGIC: Final = b"\x91\x3a\xc5\x66"
_KERNEL_TIME: Final = struct.Struct("qq")
_GONE: Final = 0.3
"""Seconds of silence after which a far end counts as gone and is sent nothing more."""


@dataclass(slots=True)
class Packet:
    """One packet that arrived while measuring. Times in ns since the epoch."""

    source: tuple[int, int]
    """Our side, port of the sender."""
    timestamp: int
    """RTP timestamp in samples."""
    arrived: int
    stream: int
    """Whose numbered frame it is, as in `Stream.mark`; -1: the frame bears no number."""
    number: int
    sent: int


@dataclass(slots=True)
class Stream:
    """What one far end is sent."""

    side: int
    target: tuple[str, int]
    mark: int
    ssrc: int = field(default_factory=lambda: secrets.randbits(32))
    number: int = 0
    heard: float = 0.0
    window: tuple[int, int] = (0, 0)
    """Numbers sent while measuring: first, and one past the last."""


def tone(hertz: float = 440.0, amplitude: int = 3000) -> bytes:
    """One frame of G.711 µ-law; whole periods of 50 Hz and its multiples join without a click."""
    import numpy as np

    times = np.arange(160) / 8000
    return encode((amplitude * np.sin(2 * math.pi * hertz * times)).astype(np.int16), "PCMU")


class AudioEnds(threading.Thread):
    """Sends to and hears from every far end of ``sides`` ports. ``numbered``: frames carry their number.

    Use as a context manager; `begin` and `finish` bound the measurement.
    """

    def __init__(self, sides: int, *, numbered: bool) -> None:
        super().__init__(daemon=True, name="audio ends")
        self.sockets = [_bound() for _ in range(sides)]
        self.ports: list[int] = [one.getsockname()[1] for one in self.sockets]
        self.packets: list[Packet] = []
        self.streams: dict[tuple[int, int], Stream] = {}
        self.worst_own = array.array("d", [0.0])
        """Seconds that our own sending was late at worst while measuring."""
        self._slots: list[list[Stream]] = [[] for _ in range(SLOTS)]
        self._numbered = numbered
        self._fill = tone()
        self._measuring = False
        self._going = True

    def __enter__(self) -> AudioEnds:
        gc.collect()
        gc.disable()  # a collection would hold up the sender
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._going = False
        self.join()
        gc.enable()
        for one in self.sockets:
            one.close()

    def live(self) -> list[Stream]:
        """The far ends that are heard now."""
        now = time.monotonic()
        return [one for one in list(self.streams.values()) if now - one.heard < _GONE]

    def begin(self) -> None:
        """Start measuring."""
        self.packets.clear()
        self.worst_own[0] = 0.0
        for one in self.live():
            one.window = (one.number, one.number)
        self._measuring = True

    def finish(self) -> list[Stream]:
        """Stop measuring; what is under way still arrives. Gives the streams that were sent throughout."""
        found = [one for one in self.live() if one.window[0]]
        for one in found:
            one.window = (one.window[0], one.number)
        time.sleep(0.5)
        self._measuring = False
        return found

    def run(self) -> None:
        """One slot a millisecond, by an absolute clock; a slot that is late is sent late, never skipped."""
        due, slot = time.monotonic(), 0
        while self._going:
            due += TICK / SLOTS
            # No waiting on the sockets: to be woken by every packet would cost the worker that sends it.
            if (rest := due - time.monotonic()) > 0:
                time.sleep(rest)
            for side in range(len(self.sockets)):
                self._drain(side)
            now = time.monotonic()
            if self._measuring:
                self.worst_own[0] = max(self.worst_own[0], now - due)
            slot = (slot + 1) % SLOTS
            for stream in self._slots[slot]:
                if now - stream.heard < _GONE:
                    self._send(stream)

    def _send(self, stream: Stream) -> None:
        number = stream.number
        stream.number = number + 1
        payload = self._fill
        header = _HEADER.pack(0x80, 0, number & 0xFFFF, 160 * number & 0xFFFFFFFF, stream.ssrc)
        if self._numbered:
            payload = _MARK.pack(_MAGIC, stream.mark, number, time.time_ns()) + payload[_MARK.size :]
        self.sockets[stream.side].sendto(header + payload, stream.target)

    def _drain(self, side: int) -> None:
        """Read what is there, but not for longer than a few slots: the senders are waiting."""
        own = self.sockets[side]
        now = time.monotonic()
        for _ in range(200):
            try:
                data, extra, _flags, source = own.recvmsg(400, 64)
            except BlockingIOError:
                return
            key = side, source[1]
            stream = self.streams.get(key)
            if stream is None:
                stream = self.streams[key] = Stream(side, source[:2], side << 16 | source[1])
                self._slots[len(self.streams) * 7 % SLOTS].append(stream)
            stream.heard = now
            if not self._measuring or len(data) < 12:
                continue
            seconds, nanoseconds = _KERNEL_TIME.unpack(extra[0][2])
            mark, number, sent = -1, 0, 0
            if data[12:16] == _MAGIC and len(data) == 172:
                _, mark, number, sent = _MARK.unpack_from(data, 12)
            self.packets.append(
                Packet(
                    key, int.from_bytes(data[4:8], "big"), seconds * 1_000_000_000 + nanoseconds,
                    mark, number, sent,
                )
            )  # fmt: skip


def _bound() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    made.setsockopt(socket.SOL_SOCKET, _TIMESTAMP, 1)
    made.bind(("127.0.0.1", 0))
    made.setblocking(False)
    return made


@dataclass(frozen=True, slots=True)
class Passage:
    """How numbered frames came through."""

    delays: list[float]
    """ms from sending to arrival, ascending, first arrivals only."""
    sent: int
    lost: int
    """Frames sent while measuring that never arrived."""
    repeated: int
    """Frames that arrived twice: the receiver's cover for one that was missing."""


def passage(streams: list[Stream], packets: list[Packet]) -> Passage:
    """Match what was sent with what arrived."""
    arrived: dict[int, dict[int, float]] = {one.mark: {} for one in streams}
    windows = {one.mark: one.window for one in streams}
    repeated = 0
    for packet in packets:
        window = windows.get(packet.stream)
        if window is None or not window[0] <= packet.number < window[1]:
            continue
        known = arrived[packet.stream]
        if packet.number in known:
            repeated += 1
        else:
            known[packet.number] = (packet.arrived - packet.sent) / 1e6
    sent = sum(last - first for first, last in windows.values())
    delays = sorted(delay for known in arrived.values() for delay in known.values())
    return Passage(delays, sent, sent - len(delays), repeated)


def lateness(packets: list[Packet]) -> list[float]:
    """ms by which each packet came after the earliest time that its stream's clock allows, ascending."""
    dues: dict[tuple[int, int], list[float]] = {}
    for packet in packets:
        dues.setdefault(packet.source, []).append(packet.arrived / 1e6 - packet.timestamp / 8)
    return sorted(due - min(all_) for all_ in dues.values() for due in all_)


def quantile(ordered: list[float], part: float) -> float:
    """The value that ``part`` (0…1) of an ascending list does not exceed; NaN for an empty one."""
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else math.nan
