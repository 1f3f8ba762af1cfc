"""``RINGBACK_TRANSCRIPTION=script``: the words that a simulated party really said, instead of an engine.

For tests: exact, and in no time. What was said is kept in a file of its own until its transcription is settled,
so that it is there after a crash too.
"""

from __future__ import annotations

from pathlib import Path

from ringback.edges.transcription.client import Heard


class Spoken:
    """The texts of recordings of simulated calls."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def note(self, recording_sid: str, text: str) -> None:
        """Keep what a recording says. Blocking: belongs in a thread; raises ``OSError``."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file(recording_sid).write_text(text, "utf-8")

    async def transcribe(self, path: Path, account: str = "") -> Heard:
        """What was said in the recording of this name."""
        try:
            return Heard(text=self._file(path.stem).read_text("utf-8"))
        except OSError:
            return Heard(problem="no simulated party made this recording")

    def forget(self, recording_sid: str) -> None:
        """It is settled; one that was never noted is fine."""
        self._file(recording_sid).unlink(missing_ok=True)

    def _file(self, recording_sid: str) -> Path:
        return self._folder / f"{recording_sid}.txt"
