"""The hold music of the wait experience: half a minute of soft chords, computed (callback-voicemail.md §5)."""

from __future__ import annotations

import array
import io
import math
import wave

RATE = 8000
SECONDS = 30
CHORDS = ((220.0, 277.18, 329.63), (196.0, 246.94, 293.66), (174.61, 220.0, 261.63), (196.0, 246.94, 329.63))
"""Hz; each sounds for three seconds."""
LENGTH = 3
LOUDNESS = 2600.0
"""Peak of one voice, of 32767."""


def music() -> bytes:
    """A WAV file: 8 kHz, mono, 16 bit. Takes a tenth of a second: belongs in a thread."""
    sounds = [_chord(chord).tobytes() for chord in CHORDS]
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(b"".join(sounds[number % len(sounds)] for number in range(SECONDS // LENGTH)))
    return out.getvalue()


def _chord(notes: tuple[float, ...]) -> array.array[int]:
    """One chord, its notes one after the other as on a harp; it swells and dies away."""
    span = RATE * LENGTH
    samples = array.array("h", bytes(2 * span))
    for place, frequency in enumerate(notes):
        turn = 2 * math.pi * frequency / RATE
        begin = place * RATE // 4
        for t in range(begin, span):
            swell = min(1.0, (t - begin) / 800, (span - t) / 4000)
            samples[t] += int(LOUDNESS * swell * math.sin(turn * t))
    return samples
