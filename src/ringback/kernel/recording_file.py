"""Where the sound of a recording is: a WAV file with its SID in one folder, and an MP3 beside it once asked for."""

from __future__ import annotations

from pathlib import Path


def recordings_folder(data_dir: Path) -> Path:
    """The folder of all recordings."""
    return data_dir / "recordings"


def wav_file(folder: Path, sid: str) -> Path:
    """The sound as it was recorded."""
    return folder / f"{sid}.wav"


def mp3_file(folder: Path, sid: str) -> Path:
    """The same, compressed; it can be made again from the other."""
    return folder / f"{sid}.mp3"


def remove_sound(folder: Path, sid: str) -> None:
    """Delete the files of a recording; those that are not there are fine."""
    for file in (wav_file(folder, sid), mp3_file(folder, sid)):
        file.unlink(missing_ok=True)
