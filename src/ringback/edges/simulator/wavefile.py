"""The WAV file of a simulated recording. Imported when one ends: numpy is not needed before."""

from __future__ import annotations

import wave
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ringback.edges.simulator.take import Segment, Take, Written
from ringback.media import RATE
from ringback.media.tones import sine, tone
from ringback.media.trim import speech_bounds, trimmed
from ringback.media.wav import WavWriter


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
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
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
