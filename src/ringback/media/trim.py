"""Where in a recording somebody speaks, by the energy of 20 ms frames; used to trim and to call a
recording silent."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ringback.media import FRAME

FLOOR: Final = 130.0
"""Root mean square (0…32767) under which a frame is silence whatever the noise around it: about −48 dBFS."""

_ABOVE_NOISE: Final = 2.5
_MOST: Final = 800.0
_RUN: Final = 3
"""Frames in a row (60 ms) that make speech; shorter is a click."""

MARGIN: Final = 1600
"""Samples kept on either side of the speech (0.2 s), so that soft beginnings and ends survive."""


def frame_levels(samples: NDArray[np.int16]) -> NDArray[np.float64]:
    """Root mean square of each whole 160-sample frame; ``samples`` of shape (n,) or (n, channels), the
    loudest channel counts."""
    if samples.ndim == 1:
        samples = samples[:, None]
    count = len(samples) // FRAME
    framed = samples[: count * FRAME].astype(np.float64).reshape(count, FRAME, samples.shape[1])
    levels: NDArray[np.float64] = np.sqrt((framed**2).mean(axis=1))
    return levels.max(axis=1) if count else np.zeros(0)


def threshold(levels: NDArray[np.float64]) -> float:
    """The level from which a frame counts as sound: 8 dB above the quietest tenth, within fixed bounds."""
    if not len(levels):
        return FLOOR
    return float(np.clip(np.percentile(levels, 10) * _ABOVE_NOISE, FLOOR, _MOST))


def speech_bounds(samples: NDArray[np.int16]) -> tuple[int, int] | None:
    """First and one-past-last sample of the sound at 8 kHz, without margin; None when all is silence."""
    levels = frame_levels(samples)
    loud = (levels > threshold(levels)).astype(np.int8)
    if len(loud) < _RUN:
        return None
    runs = np.flatnonzero(np.convolve(loud, np.ones(_RUN, dtype=np.int8), mode="valid") == _RUN)
    if not len(runs):
        return None
    return int(runs[0]) * FRAME, (int(runs[-1]) + _RUN) * FRAME


def trimmed(samples: NDArray[np.int16]) -> NDArray[np.int16]:
    """``samples`` without leading and trailing silence; all silence becomes an empty array."""
    bounds = speech_bounds(samples)
    if bounds is None:
        return samples[:0]
    return samples[max(0, bounds[0] - MARGIN) : bounds[1] + MARGIN]
