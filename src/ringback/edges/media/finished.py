"""Recordings that have ended: what a lost worker left behind, and trimming in place."""

from __future__ import annotations

from pathlib import Path

from ringback.edges.media import protocol as p
from ringback.media.trim import trimmed
from ringback.media.wav import BadWavError, header, read, read_header


def lost_recording(leg: str, recording: str, path: str) -> p.RecordingStopped:
    """What is left of a recording whose worker died, by the header of its file."""
    try:
        with Path(path).open("rb") as file:
            info = read_header(file.read(44))
    except (OSError, BadWavError) as error:
        return p.RecordingStopped(leg, recording, "lost", 0.0, 0, True, None, str(error))
    seconds = info.data_bytes / (2 * info.channels * info.rate)
    return p.RecordingStopped(leg, recording, "lost", seconds, info.data_bytes, False, None)


def trim_recording(path: str) -> float:
    """Cut leading and trailing silence off a finished WAV file, in place; returns the new length in seconds.

    Reads the whole file: call it in a thread. Raises OSError, or `BadWavError` for a file that is not ours.
    """
    file = Path(path)
    data = file.read_bytes()
    info = read_header(data)
    kept = trimmed(read(data))
    fresh = file.with_name(file.name + ".trim")
    fresh.write_bytes(header(info.channels, kept.nbytes) + kept.tobytes())
    fresh.replace(file)
    return len(kept) / info.rate
