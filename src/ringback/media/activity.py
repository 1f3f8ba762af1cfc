"""Who speaks: voice activity of one stream by the level of its 20 ms frames, with hysteresis. Pure."""

from __future__ import annotations

from typing import Final

import numpy as np

from ringback.media.g711 import Law, decode
from ringback.media.trim import FLOOR

START: Final = 10
"""Frames (200 ms) that must be loud, not counting those that quiet ones take back, until somebody speaks."""
STOP: Final = 35
"""Quiet frames (700 ms), clicks among them not counted, after which nobody speaks any more: a breath between two
sentences is no end."""
RUN: Final = 3
"""Loud frames in a row (60 ms) that count as sound within a silence; shorter is a click."""
ABOVE_NOISE: Final = 2.5
"""How much louder than the noise of the line a frame must be (8 dB)."""
MOST: Final = 800.0
"""A frame of this level is loud whatever the noise."""
_RISE: Final = 1.005
"""The noise is the quietest of late: it is taken to rise by so much a frame (28 % a second)."""

_SQUARES: Final = {law: decode(bytes(range(256)), law).astype(np.float64) ** 2 for law in ("PCMU", "PCMA")}
"""Each code's power, so that a frame need not be decoded."""


def level(frame: bytes, law: Law) -> float:
    """Root mean square (0…32767) of a frame in G.711."""
    return float(np.sqrt(_SQUARES[law][np.frombuffer(frame, dtype=np.uint8)].mean()))


class Activity:
    """Whether somebody speaks. One :meth:`hear` for each frame of 20 ms."""

    __slots__ = ("_loud", "_noise", "_quiet", "_run", "speaking")

    def __init__(self) -> None:
        self.speaking = False
        self._noise = FLOOR / ABOVE_NOISE
        self._loud = self._quiet = self._run = 0

    def hear(self, level: float) -> bool | None:
        """A frame's root mean square (0 for one that is missing); True: speech begins, False: it ends."""
        loud = level > min(MOST, max(FLOOR, self._noise * ABOVE_NOISE))
        self._noise = max(1.0, min(level, self._noise * _RISE))
        self._run = self._run + 1 if loud else 0
        if not self.speaking:
            self._loud = self._loud + 1 if loud else max(0, self._loud - 1)
            if self._loud < START:
                return None
            self.speaking, self._quiet = True, 0
            return True
        if self._run >= RUN:
            self._quiet = 0
        elif not loud:
            self._quiet += 1
        return self.hush() if self._quiet >= STOP else None

    def hush(self) -> bool | None:
        """What is said is not heard any more (muted, on hold): False when that ends a speech."""
        was, self.speaking = self.speaking, False
        self._loud = self._quiet = self._run = 0
        return False if was else None
