"""A recording of a simulated call: what sounded when. ``wavefile.py`` makes the file of it."""

from __future__ import annotations

from typing import NamedTuple

from ringback.effects import RecordLeg
from ringback.kernel.clock import Alarm

MOST_SECONDS = 4 * 3600.0
MOST_SEGMENTS = 5000


class Segment(NamedTuple):
    """Something that sounded: seconds into the file, length, channel (0: the party, 1: we), and what."""

    start: float
    seconds: float
    channel: int
    kind: str
    """``speech``, ``file``, ``keys`` or ``tone``."""
    text: str


class Take:
    """One running recording."""

    __slots__ = ("alarm", "began", "effect", "paused_at", "quiet_since", "segments", "skip", "skipped")

    def __init__(self, effect: RecordLeg, began: float) -> None:
        self.effect = effect
        self.began = began
        self.segments: list[Segment] = []
        self.paused_at: float | None = None
        self.skip = False
        self.skipped = 0.0
        self.quiet_since = began
        self.alarm: Alarm | None = None

    def pause(self, now: float, *, skip: bool) -> None:
        """Stop taking sound; ``skip`` leaves the time out."""
        if self.paused_at is None:
            self.paused_at, self.skip = now, skip

    def resume(self, now: float) -> None:
        """Go on after a pause."""
        if self.paused_at is not None:
            if self.skip:
                self.skipped += now - self.paused_at
            self.paused_at = None

    def sound(self, now: float, seconds: float, channel: int, kind: str, text: str) -> None:
        """Something begins to sound; dropped during a pause or when its track is not wanted."""
        wanted = {"inbound": (0,), "outbound": (1,), "both": (0, 1)}[self.effect.track]
        if self.paused_at is None and channel in wanted and len(self.segments) < MOST_SEGMENTS:
            at = now - self.began - self.skipped
            self.segments.append(Segment(at, seconds, channel, kind, text))

    def words(self) -> str:
        """What the party said."""
        return " ".join(one.text for one in self.segments if one.kind == "speech" and one.channel == 0)

    def length(self, now: float) -> float:
        """Seconds of the file when it ends now."""
        self.resume(now)
        return min(MOST_SECONDS, max(0.0, now - self.began - self.skipped))


class Written(NamedTuple):
    """The finished file."""

    seconds: float
    silent: bool
    size: int
