"""What an engine is: text in, samples out. One file an engine (``hibari.py``, ``espeak.py``)."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]


class Engine(Protocol):
    """A voice."""

    name: str
    rate: int
    """Samples per second of what it makes."""

    def say(self, sentence: str, language: str, speed: float) -> Samples:
        """Speak one sentence; floats between -1 and 1, empty for text without a sound. Blocking."""
