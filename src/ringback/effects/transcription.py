"""Effects of transcription (twiml.md §4)."""

from __future__ import annotations

from dataclasses import dataclass

from ringback.effects import Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcribe(Effect):
    """Write down what the recording of this Transcription says; ``TranscriptionEnded`` follows.

    Live: what makes it durable is the record with status ``in-progress`` and its deadline. One that is under
    way already is not begun twice.
    """

    transcription_sid: str
