"""Keys: RFC 4733 named events both ways, tones, and the in-band detector (Goertzel bins of 205 samples)."""

from __future__ import annotations

import struct
from collections import deque
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ringback.media import FRAME, RATE
from ringback.media.g711 import Pcm

KEYS: Final = "0123456789*#ABCD"
"""Keys in the order of their event codes (RFC 4733 §3.2)."""

PAUSES: Final = {"w": 0.5, "W": 1.0}
"""Seconds of pause in a string of digits to send (voice-calls.md §2, `SendDigits`)."""

TONE_SECONDS: Final = 0.1
GAP_SECONDS: Final = 0.1

_EVENT: Final = struct.Struct("!BBH")
_LONGEST_SEGMENT: Final = 0xFFFF
_SEGMENT: Final = 0xF000
"""Samples (7.7 s) of an event from which a new timestamp of its key is its next segment."""

_REPEATS: Final = 8
"""Packets after an end that are taken for repetitions with timestamps of their own."""
_LOW: Final = (697.0, 770.0, 852.0, 941.0)
_HIGH: Final = (1209.0, 1336.0, 1477.0, 1633.0)
_PAD: Final = ("123A", "456B", "789C", "*0#D")


class KeyPress(NamedTuple):
    """A key that was pressed, and for how many milliseconds."""

    key: str
    duration_ms: int


class EventReceiver:
    """RFC 4733 packets of one stream → each press once, whatever is repeated, reordered or lost (§2.5.2).

    A press is reported at its first end packet; when all end packets are lost, at the next event or after
    `quiet` calls of `tick` without a packet.

    No press of a key begins before the last one of that key is over. What claims to is the same press: its next
    segment (over 8.19 s, §2.5.1.3), or from a sender that gives its packets timestamps of their own. An honest sender
    leaves a gap, so nothing of it is lost.
    """

    __slots__ = (
        "_begun",
        "_done",
        "_duration",
        "_ended",
        "_idle",
        "_key",
        "_length",
        "_longer",
        "_timestamp",
    )

    quiet: Final = 6
    """Ticks (20 ms) without a packet of the event after which it counts as ended."""

    def __init__(self) -> None:
        self._done: deque[int] = deque(maxlen=16)
        self._timestamp = -1
        self._key = ""
        self._duration = 0
        self._idle = 0
        self._begun = self._length = 0
        """Timestamp of the segment's first packet, and samples to the end of the newest one."""
        self._longer = 0
        """Samples in segments before this one."""
        self._ended = 0
        """Packets of the press that may still come after its end with timestamps of their own."""

    @property
    def active(self) -> bool:
        """Whether a press has begun and not been reported."""
        return self._timestamp >= 0

    def push(self, timestamp: int, payload: bytes) -> list[KeyPress]:
        """Note one event packet; returns the presses that it ended (0, 1 or 2). Malformed payloads
        count for nothing."""
        if len(payload) < 4:
            return []
        code, flags, duration = _EVENT.unpack_from(payload)
        if code >= len(KEYS) or timestamp in self._done:
            return []
        pressed: list[KeyPress] = []
        if timestamp != self._timestamp and self._goes_on(KEYS[code], timestamp):
            elapsed = (timestamp - self._begun) & 0xFFFFFFFF
            self._length = max(self._length, elapsed + FRAME)
            if self._timestamp < 0:
                self._ended -= 1
                return []
            if elapsed >= _SEGMENT:
                self._longer += elapsed
                self._begun, self._duration, self._length = timestamp, 0, 0
            self._done.append(self._timestamp)
            self._timestamp = timestamp
        elif timestamp != self._timestamp:
            if self._timestamp >= 0:
                if ((timestamp - self._timestamp) & 0xFFFFFFFF) >= 0x80000000:
                    return []  # older than the event in progress, and never seen: too late to be of use
                pressed += self._finish()
            self._timestamp, self._key, self._duration = timestamp, KEYS[code], 0
            self._begun, self._length = timestamp, 0
            self._longer, self._ended = 0, _REPEATS
        self._duration = max(self._duration, duration)
        self._idle = 0
        if flags & 0x80:
            pressed += self._finish()
        return pressed

    def tick(self) -> list[KeyPress]:
        """20 ms passed; returns the press whose end packets were lost, if any."""
        if self._timestamp < 0:
            return []
        self._idle += 1
        return self._finish() if self._idle >= self.quiet else []

    def _goes_on(self, key: str, timestamp: int) -> bool:
        """Whether a packet with a new timestamp is of the newest press."""
        if key != self._key or (self._timestamp < 0 and not self._ended):
            return False
        lasts = max(self._duration, self._length, FRAME)
        return (timestamp - self._begun) & 0xFFFFFFFF < lasts + FRAME

    def _finish(self) -> list[KeyPress]:
        self._done.append(self._timestamp)
        pressed = [KeyPress(self._key, (self._longer + self._duration) * 1000 // RATE)]
        self._timestamp = -1
        return pressed


class EventPacket(NamedTuple):
    """One packet of a key to send: its payload, and whether it is the first (marker bit)."""

    payload: bytes
    marker: bool


def event_packets(key: str, duration: float = TONE_SECONDS) -> list[list[EventPacket]]:
    """Packets of one key, by 20 ms tick; all carry the timestamp of the first tick, the last tick
    holds three end packets.

    Raises ValueError for an unknown key; ``duration`` in seconds is cut to 8 s (RFC 4733 §2.3).
    """
    code = KEYS.index(key)
    ticks = max(2, min(round(duration * RATE / FRAME), _LONGEST_SEGMENT // FRAME))
    volume = 10
    packets = [[EventPacket(_EVENT.pack(code, volume, tick * FRAME), tick == 1)] for tick in range(1, ticks)]
    packets.append([EventPacket(_EVENT.pack(code, 0x80 | volume, ticks * FRAME), False)] * 3)
    return packets


def key_tone(key: str, seconds: float = TONE_SECONDS) -> Pcm:
    """The two sines of a key at −9 dBFS each (ITU-T Q.23); raises ValueError for an unknown key."""
    for row, keys in enumerate(_PAD):
        if key in keys:
            low, high = _LOW[row], _HIGH[keys.index(key)]
            break
    else:
        raise ValueError(f"no such key: {key!r}")
    time = np.arange(round(seconds * RATE)) / RATE
    wave = np.sin(2 * np.pi * low * time) + np.sin(2 * np.pi * high * time)
    return (wave * 11000).astype(np.int16)


WINDOW: Final = 205
"""Samples of one detector window: 39 Hz a bin, the classic choice for DTMF at 8 kHz."""


def _bins() -> NDArray[np.float32]:
    """Columns: cosine and sine of the 8 tones and of their 8 second harmonics (speech has those, keys
    do not)."""
    tones = np.array(_LOW + _HIGH)
    angle = 2 * np.pi * np.outer(np.arange(WINDOW), np.concatenate([tones, 2 * tones])) / RATE
    return np.concatenate([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)


_BINS: Final = _bins()
_KEY_OF: Final = np.array([list(row) for row in _PAD])
_LEAST_POWER: Final = np.float32(300.0**2)
"""Mean square below which a window holds no key (about −41 dBFS)."""


def detect(windows: NDArray[np.float32]) -> list[str]:
    """The key in each of n windows of 205 samples, or "" for none; one matrix product for all.

    Both groups need one strong tone; twist −8…+6 dB, 80 % of the energy in the two tones, weak
    neighbours and harmonics.
    """
    parts = windows @ _BINS
    count = 16
    power = (parts[:, :count] ** 2 + parts[:, count:] ** 2) * np.float32(2.0 / WINDOW**2)
    total = (windows**2).mean(axis=1)
    low, high = power[:, :4], power[:, 4:8]
    rows, columns = low.argmax(axis=1), high.argmax(axis=1)
    each = np.arange(len(windows))
    best_low, best_high = low[each, rows], high[each, columns]
    next_low = np.partition(low, 2, axis=1)[:, 2]
    next_high = np.partition(high, 2, axis=1)[:, 2]
    both = best_low + best_high
    found = (
        (total > _LEAST_POWER)
        & (both > 0.80 * total)
        & (best_high < 6.3 * best_low)
        & (best_low < 6.3 * best_high)
        & (next_low < 0.16 * best_low)
        & (next_high < 0.16 * best_high)
        & (power[each, 8 + rows] < 0.1 * best_low)
        & (power[each, 12 + columns] < 0.1 * best_high)
    )
    return [
        str(_KEY_OF[row, column]) if ok else "" for row, column, ok in zip(rows, columns, found, strict=True)
    ]


class ToneReceiver:
    """In-band keys of one stream: two equal windows in a row begin a press, two without it end it.

    The windows overlap (hop of 80 samples), so that any tone of 46 ms or more is found.
    """

    __slots__ = ("_candidate", "_key", "_length", "_misses", "_tail")

    hop: Final = FRAME // 2

    def __init__(self) -> None:
        self._tail = np.zeros(WINDOW - self.hop, dtype=np.float32)
        self._candidate = ""
        self._key = ""
        self._length = 0
        self._misses = 0

    def windows(self, frame: Pcm) -> NDArray[np.float32]:
        """The two windows (2, 205) that a frame of 160 samples completes; to be handed to `detect`."""
        sound = np.concatenate([self._tail, frame.astype(np.float32)])
        self._tail = sound[2 * self.hop :]
        return np.stack([sound[:WINDOW], sound[self.hop : self.hop + WINDOW]])

    def push(self, keys: list[str]) -> list[KeyPress]:
        """Note what `detect` found in the windows of one frame; returns the presses that ended."""
        pressed: list[KeyPress] = []
        for key in keys:
            if self._key:
                if key == self._key:
                    self._length += self.hop
                    self._misses = 0
                    continue
                self._misses += 1
                if self._misses < 2:
                    continue
                pressed.append(KeyPress(self._key, self._length * 1000 // RATE))
                self._key, self._candidate = "", key
            elif key and key == self._candidate:
                self._key, self._length, self._misses = key, WINDOW + self.hop, 0
            else:
                self._candidate = key
        return pressed
