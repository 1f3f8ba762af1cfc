"""Mixing: every party hears the sum of the others (mix-minus), summed in int32 and clipped once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ringback.media.g711 import Pcm


def mix_minus(frames: NDArray[np.int16], private: Sequence[tuple[int, int]] = ()) -> NDArray[np.int16]:
    """What each of n parties hears, given what each says: both of shape (n, samples).

    ``private`` lists ``(speaker, hearer)`` rows: a speaker named there is heard by that hearer alone
    (coaching).
    """
    said = frames.astype(np.int32)
    public = said
    if private:
        public = said.copy()
        for speaker, _ in private:
            public[speaker] = 0
    heard = public.sum(axis=0, dtype=np.int32) - public
    for speaker, hearer in private:
        if speaker != hearer:
            heard[hearer] += said[speaker]
    return clip(heard)


def clip(total: NDArray[np.int32]) -> NDArray[np.int16]:
    """int32 sums → int16, saturating."""
    return np.clip(total, -32768, 32767).astype(np.int16)


def add(one: Pcm, other: Pcm) -> Pcm:
    """The clipped sum of two pieces of equal length."""
    return clip(one.astype(np.int32) + other)
