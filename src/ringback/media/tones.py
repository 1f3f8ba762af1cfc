"""Call progress tones: beep, ringback of each country of TwiML's `ringTone`, busy (ITU-T E.180
supplement 2)."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from ringback.media import RATE
from ringback.media.g711 import Pcm


class Cadence(NamedTuple):
    """A tone: its frequencies in Hz, the (on, off) times in seconds of one period, and an optional
    modulating frequency."""

    frequencies: tuple[float, ...]
    times: tuple[tuple[float, float], ...]
    modulation: float = 0.0


_DOUBLE: Final = ((0.4, 0.2), (0.4, 2.0))

RINGBACK: Final[dict[str, Cadence]] = {
    "at": Cadence((420,), ((1, 5),)),
    "au": Cadence((413, 438), _DOUBLE),
    "be": Cadence((425,), ((1, 3),)),
    "bg": Cadence((425,), ((1, 4),)),
    "br": Cadence((425,), ((1, 4),)),
    "ch": Cadence((425,), ((1, 4),)),
    "cl": Cadence((400,), ((1, 3),)),
    "cn": Cadence((450,), ((1, 4),)),
    "cz": Cadence((425,), ((1, 4),)),
    "de": Cadence((425,), ((1, 4),)),
    "dk": Cadence((425,), ((1, 4),)),
    "ee": Cadence((425,), ((1, 4),)),
    "es": Cadence((425,), ((1.5, 3),)),
    "fi": Cadence((425,), ((1, 4),)),
    "fr": Cadence((440,), ((1.5, 3.5),)),
    "gr": Cadence((425,), ((1, 4),)),
    "hu": Cadence((425,), ((1.25, 3.75),)),
    "il": Cadence((400,), ((1, 3),)),
    "in": Cadence((400,), _DOUBLE, modulation=25),
    "it": Cadence((425,), ((1, 4),)),
    "jp": Cadence((400,), ((1, 2),), modulation=16),
    "lt": Cadence((425,), ((1, 4),)),
    "mx": Cadence((425,), ((1, 4),)),
    "my": Cadence((425,), _DOUBLE),
    "nl": Cadence((425,), ((1, 4),)),
    "no": Cadence((425,), ((1, 4),)),
    "nz": Cadence((400, 450), _DOUBLE),
    "ph": Cadence((425, 480), ((1, 4),)),
    "pl": Cadence((425,), ((1, 4),)),
    "pt": Cadence((425,), ((1, 5),)),
    "ru": Cadence((425,), ((0.8, 3.2),)),
    "se": Cadence((425,), ((1, 5),)),
    "sg": Cadence((425,), _DOUBLE, modulation=24),
    "th": Cadence((400,), ((1, 4),)),
    "tw": Cadence((440, 480), ((1, 2),)),
    "uk": Cadence((400, 450), _DOUBLE),
    "us": Cadence((440, 480), ((2, 4),)),
    "us-old": Cadence((420,), ((2, 4),), modulation=40),
    "ve": Cadence((425,), ((1, 4),)),
    "za": Cadence((400,), _DOUBLE, modulation=33),
}
"""Ringback by the country codes that TwiML names (twiml.md §5)."""

BUSY: Final[dict[str, Cadence]] = {
    "us": Cadence((480, 620), ((0.5, 0.5),)),
    "uk": Cadence((400,), ((0.375, 0.375),)),
    "de": Cadence((425,), ((0.48, 0.48),)),
    "fr": Cadence((440,), ((0.5, 0.5),)),
}
"""Busy tone by country."""

BEEP: Final = Cadence((1000,), ((0.5, 0.0),))
"""What a caller hears before `<Record>`: half a second of 1 kHz."""

_DEFAULT: Final = "us"
_LEVEL: Final = 9000
_RAMP: Final = 40
"""Samples (5 ms) over which a tone swells and fades, so that it does not click."""


def names() -> list[str]:
    """Every name that `tone` knows: ``beep``, ``ringback``, ``busy`` and these two with ``-COUNTRY``."""
    return [
        "beep",
        "hold-music",
        "ringback",
        "busy",
        *(f"ringback-{country}" for country in RINGBACK),
        *(f"busy-{country}" for country in BUSY),
    ]


def tone(name: str) -> Pcm:
    """One period of a tone at 8 kHz; raises KeyError for a name that `names` does not list."""
    if name == "beep":
        return _sound(BEEP)
    if name == "hold-music":
        return _hold_music()
    kind, _, country = name.partition("-")
    return _sound({"ringback": RINGBACK, "busy": BUSY}[kind][country or _DEFAULT])


_HOLD_CHORDS: Final = ((262, 330, 392, 523), (220, 262, 330, 440), (175, 220, 262, 349), (196, 247, 294, 392))
"""Four chords in Hz, each note by note up and down: an arpeggio of our own, free of anybody's rights."""


def _hold_music() -> Pcm:
    """Twelve seconds of soft plucked notes that loop without a seam."""
    length = round(0.375 * RATE)
    time = np.arange(length) / RATE
    swell = np.minimum(1, time / 0.01) * np.exp(-4 * time) * np.minimum(1, time[::-1] / 0.01)
    notes = [note for a, b, c, d in _HOLD_CHORDS for note in (a, b, c, d, c, b, c, b)]
    sound = np.concatenate([np.sin(2 * np.pi * note * time) * swell for note in notes])
    return (sound * 5000).astype(np.int16)


def sine(frequency: float, seconds: float, level: int = _LEVEL) -> Pcm:
    """A plain sine of peak ``level`` (0…32767)."""
    return (np.sin(2 * np.pi * frequency * np.arange(round(seconds * RATE)) / RATE) * level).astype(np.int16)


def _sound(cadence: Cadence) -> Pcm:
    parts: list[Pcm] = []
    for on, off in cadence.times:
        time = np.arange(round(on * RATE)) / RATE
        wave = sum((np.sin(2 * np.pi * f * time) for f in cadence.frequencies), np.zeros(len(time)))
        wave /= len(cadence.frequencies)
        if cadence.modulation:
            wave *= 0.5 + 0.5 * np.sin(2 * np.pi * cadence.modulation * time)
        wave[:_RAMP] *= np.linspace(0, 1, _RAMP)
        wave[-_RAMP:] *= np.linspace(1, 0, _RAMP)
        parts += [(wave * _LEVEL).astype(np.int16), np.zeros(round(off * RATE), dtype=np.int16)]
    return np.concatenate(parts)
