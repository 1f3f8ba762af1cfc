"""Recordings as MP3: made when first asked for, kept beside the WAV file."""

from __future__ import annotations

from pathlib import Path

from ringback.edges.sounds.decode import to_mp3
from ringback.kernel.recording_file import mp3_file


def encode_mp3(wav: Path) -> Path:
    """The MP3 of a WAV file. Blocking: the REST layer calls it in a thread. Raises ``Undecodable``."""
    mp3 = mp3_file(wav.parent, wav.stem)
    if not mp3.exists() or mp3.stat().st_mtime < wav.stat().st_mtime:
        to_mp3(str(wav), str(mp3))
    return mp3
