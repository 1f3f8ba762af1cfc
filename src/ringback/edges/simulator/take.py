"""A recording of a simulated call: what sounded when, and the WAV file made of it at the end."""

from __future__ import annotations

import wave
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ringback.effects import RecordLeg
from ringback.kernel.clock import Alarm
from ringback.media import RATE
from ringback.media.tones import sine, tone
from ringback.media.trim import speech_bounds, trimmed
from ringback.media.wav import WavWriter

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

    def length(self, now: float) -> float:
        """Seconds of the file when it ends now."""
        self.resume(now)
        return min(MOST_SECONDS, max(0.0, now - self.began - self.skipped))


class Written(NamedTuple):
    """The finished file."""

    seconds: float
    silent: bool
    size: int


def write_take(take: Take, length: float, spoken: Mapping[str, Path], path: Path) -> Written:
    """Write the WAV file; ``spoken`` maps texts to rendered WAV files. Blocking: belongs in a thread."""
    channels = 2 if take.effect.channels == 2 else 1
    samples = np.zeros((round(length * RATE), channels), dtype=np.int16)
    for segment in take.segments:
        first = round(segment.start * RATE)
        sound = _samples(segment, spoken)[: max(0, len(samples) - first)]
        column = samples[first : first + len(sound), min(segment.channel, channels - 1)]
        column[:] = np.clip(column.astype(np.int32) + sound, -32768, 32767)
    silent = speech_bounds(samples) is None
    if take.effect.trim:
        samples = trimmed(samples)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        writer = WavWriter(file, channels)
        writer.write(samples)
        writer.flush()
    return Written(len(samples) / RATE, silent, path.stat().st_size)


def _samples(segment: Segment, spoken: Mapping[str, Path]) -> NDArray[np.int16]:
    count = round(segment.seconds * RATE)
    if segment.kind == "keys":
        return tone("beep")[:count]
    file = Path(segment.text) if segment.kind == "file" else spoken.get(segment.text)
    if file is not None:
        return read_wav(file)[:count]
    return sine(440 if segment.channel == 0 else 300, segment.seconds, 6000)


def read_wav(path: Path) -> NDArray[np.int16]:
    """Mono samples at 8 kHz of a 16-bit WAV file; raises ``wave.Error``, ``OSError`` or ``ValueError``."""
    import soxr

    with wave.open(str(path), "rb") as file:
        if file.getsampwidth() != 2:
            raise ValueError(f"{path.name}: not 16-bit")
        rate, channels = file.getframerate(), file.getnchannels()
        raw = np.frombuffer(file.readframes(min(file.getnframes(), rate * 600)), dtype="<i2")
    mono = raw.reshape(-1, channels)[:, 0]
    if rate != RATE:
        mono = soxr.resample(mono, rate, RATE)
    return np.asarray(mono, dtype=np.int16)
