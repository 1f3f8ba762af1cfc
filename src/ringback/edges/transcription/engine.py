"""What an engine is: a recording in, words out. ``whisper.py`` is the default one.

A better one is plugged in by ``RINGBACK_TRANSCRIPTION_ENGINE=package.module:Class``: the worker process imports
it and calls it without arguments.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

DEFAULT = "ringback.edges.transcription.whisper:Whisper"


class Engine(Protocol):
    """Writes recordings down. It is made, and works, in a worker process: it may block."""

    name: str

    def transcribe(self, path: Path) -> str:
        """What a recording says (a WAV file, 16 bit, 8 kHz, one or two channels); empty when nobody speaks."""
