"""Effects of transcription (twiml.md §4)."""

from __future__ import annotations

from ringback.effects import Effect


class Transcribe(Effect, frozen=True, kw_only=True):
    """Write down what the recording of this Transcription says; ``TranscriptionEnded`` follows.

    Live: what makes it durable is the record with status ``in-progress`` and its deadline. One that is under
    way already is not begun twice.
    """

    transcription_sid: str
