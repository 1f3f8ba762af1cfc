"""Jitter buffer of one G.711 stream, paced by the receiver's 20 ms ticks instead of a clock.

Packets are laid into a ring by their RTP timestamp, so reordering, duplicates and any packet length
need no special case.
`pull` takes one frame a tick. The delay adapts by what happens: a packet that comes after its turn
moves the play-out point
back (more delay, at most 200 ms); a second and a half in which a whole frame too much was always in
store moves it forward.
Missing sound is concealed by the last frame, fading over 60 ms.
"""

from __future__ import annotations

from typing import Final

from ringback.media import FRAME
from ringback.media.g711 import HALVE, SILENCE, Law, transcode

_SIZE: Final = 8192
"""Samples in the ring, about a second; a power of two that divides 2**32."""

_MIN_DELAY: Final = FRAME
MAX_DELAY: Final = 10 * FRAME
_OVERRUN: Final = 2 * MAX_DELAY
"""More than this in store (twice what is allowed, 400 ms) is a burst after a stall: jump to the newest sound."""

_JUMP: Final = _SIZE - _OVERRUN
"""A timestamp farther than this from the play-out point is a new stream."""

_SHRINK_AFTER: Final = 75
_FADE_FRAMES: Final = 3
_GIVE_UP: Final = 50
"""Ticks without sound after which the stream counts as stopped and the next packet starts it anew."""

_HAVE: Final = b"\x01" * FRAME
_NONE: Final = bytes(FRAME)


class JitterBuffer:
    """Reorders and times the incoming sound of one leg. All sizes are in samples at 8 kHz.

    ``law`` is the law of the frames that `pull` returns; payloads in the other law are translated.
    """

    def __init__(self, law: Law, most: int = MAX_DELAY) -> None:
        """``most``: to how much delay it may grow, in samples."""
        self.law: Law = law
        self._most = most
        self.late = 0
        """Packets that came after their turn."""
        self.concealed = 0
        """Frames made up for missing sound."""
        self.resets = 0
        """Times the stream began (anew): first packet, other SSRC, timestamp jump."""
        self._ring = bytearray(_SIZE)
        self._present = bytearray(_SIZE)
        self._ssrc = -1
        self._playing = False
        self._read = self._end = 0
        self._fill = 0
        self._last = b""
        self._missing = 0
        self._least = _OVERRUN
        self._observed = 0

    @property
    def stored(self) -> int:
        """Samples from the play-out point to the newest sound."""
        return _signed(self._end - self._read) if self._playing else 0

    def push(self, timestamp: int, ssrc: int, payload: bytes, law: Law) -> None:
        """Lay one packet into the ring; ``payload`` is G.711 of any length up to an Ethernet frame."""
        length = len(payload)
        ahead = _signed(timestamp - self._read)
        if not self._playing or ssrc != self._ssrc or not -_JUMP < ahead < _JUMP:
            self._begin(timestamp, ssrc)
            ahead = _MIN_DELAY
        elif ahead < 0:
            ahead = self._arrived_late(ahead, length)
            if ahead + length <= 0:
                return
            if ahead < 0:  # only the part whose turn is still to come
                payload, timestamp, length, ahead = payload[-ahead:], timestamp - ahead, length + ahead, 0
        if law != self.law:
            payload = transcode(payload, law, self.law)
        at = timestamp % _SIZE
        first = min(length, _SIZE - at)
        self._ring[at : at + first] = payload[:first]
        self._present[at : at + first] = b"\x01" * first
        if first < length:
            rest = length - first
            self._ring[:rest] = payload[first:]
            self._present[:rest] = b"\x01" * rest
        end = (timestamp + length) & 0xFFFFFFFF
        if _signed(end - self._end) > 0:
            self._end = end
        if ahead + FRAME > 2 * self._most:
            self._skip_to(self._end - max(length, min(2 * FRAME, self._most)))

    def pull(self) -> bytes | None:
        """One frame of 160 bytes in ``law``, or None when no stream is playing."""
        if not self._playing:
            return None
        at = self._read % _SIZE
        if at + FRAME <= _SIZE:
            present = self._present[at : at + FRAME]
            frame = bytes(self._ring[at : at + FRAME])
            self._present[at : at + FRAME] = _NONE
        else:
            first = _SIZE - at
            present = self._present[at:] + self._present[: FRAME - first]
            frame = bytes(self._ring[at:] + self._ring[: FRAME - first])
            self._present[at:] = bytes(first)
            self._present[: FRAME - first] = bytes(FRAME - first)
        self._read = (self._read + FRAME) & 0xFFFFFFFF
        if present == _HAVE:
            self._missing = 0
            self._last = frame
            self._adapt()
            return frame
        return self._conceal(frame, present)

    def bound(self, most: int) -> None:
        """Grow to no more than ``most`` samples from now on; what is in store beyond that is dropped."""
        self._most = most
        if self.stored > most + FRAME:
            self._skip_to(self._end - most)

    def reset(self) -> None:
        """Forget the stream; the next packet begins a new one."""
        self._playing = False

    def _begin(self, timestamp: int, ssrc: int) -> None:
        self.resets += 1
        self._present[:] = bytes(_SIZE)
        self._playing = True
        self._ssrc = ssrc
        # One frame of delay: the first pull comes a frame before the first sound.
        self._read = (timestamp - _MIN_DELAY) & 0xFFFFFFFF
        self._end = timestamp
        self._last = b""
        self._missing = 0
        self._least, self._observed = _OVERRUN, 0

    def _arrived_late(self, ahead: int, length: int) -> int:
        """Move the play-out point back for a packet after its turn; returns how far ahead it is then."""
        self.late += 1
        back = -(ahead // FRAME) * FRAME
        ended = _signed(self._end - self._read) <= 0
        if ended and _signed(self._end - self._read) + back + length <= self._most:
            # Only when everything older was played: going back must not repeat sound.
            self._read = (self._read - back) & 0xFFFFFFFF
            self._least, self._observed = _OVERRUN, 0
            return ahead + back
        return ahead

    def _skip_to(self, timestamp: int) -> None:
        """Drop everything before ``timestamp``."""
        distance = _signed(timestamp - self._read)
        for _ in range(0, distance, FRAME):
            self._wipe(self._read)
            self._read = (self._read + FRAME) & 0xFFFFFFFF
        self._least, self._observed = _OVERRUN, 0

    def _wipe(self, timestamp: int) -> None:
        at = timestamp % _SIZE
        first = min(FRAME, _SIZE - at)
        self._present[at : at + first] = bytes(first)
        if first < FRAME:
            self._present[: FRAME - first] = bytes(FRAME - first)

    def _adapt(self) -> None:
        """Give back delay that was not needed for a second and a half."""
        stored = _signed(self._end - self._read)
        if stored < self._least:
            self._least = stored
        self._observed += 1
        if self._observed >= _SHRINK_AFTER:
            if self._least >= 2 * FRAME:
                self._skip_to(self._read + FRAME)
            self._least, self._observed = _OVERRUN, 0

    def _conceal(self, frame: bytes, present: bytearray) -> bytes | None:
        """A frame in which some or all samples are missing."""
        silence = SILENCE[self.law] * FRAME
        if not self._last and not any(present):  # the lead-in before the first packet's sound
            return silence
        self._least, self._observed = _OVERRUN, 0
        self._missing = 0 if any(present) else self._missing + 1
        if self._missing > _GIVE_UP:
            self._playing = False
            return None
        self.concealed += 1
        if self._missing > _FADE_FRAMES or not self._last:
            cover = silence
        else:
            self._last = cover = self._last.translate(HALVE[self.law]) if self._missing > 1 else self._last
        if not any(present):
            return cover
        self._last = bytes(
            heard if there else made for heard, made, there in zip(frame, cover, present, strict=True)
        )
        return self._last


def _signed(difference: int) -> int:
    """A difference of 32-bit timestamps as a signed number of samples."""
    return ((difference + 0x80000000) & 0xFFFFFFFF) - 0x80000000
