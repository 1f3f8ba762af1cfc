"""The default voice: hibari-tts, an English neural voice whose weights come in the wheel (speech.md)."""

from __future__ import annotations

import numpy as np

from ringback.edges.speech.engine import Samples


class Hibari:
    """US English; other languages are read with its accent (13512 is logged by the voice core)."""

    name = "hibari-0.2.1"
    rate = 24_000

    def __init__(self) -> None:
        import hibari

        self._voice = hibari.Hibari(threads=1)

    def say(self, sentence: str, language: str, speed: float) -> Samples:
        """Speak; the seed makes the same sentence sound the same."""
        parts = [np.asarray(part, dtype=np.float32) for part in self._voice.stream(sentence, speed, 1)]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.float32)
