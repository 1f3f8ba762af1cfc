"""What is reported about transcriptions."""

from __future__ import annotations

from typing import Any

from ringback.events import Event
from ringback.kernel.lane import Lane


class TranscriptionEnded(Event, frozen=True, kw_only=True):
    """A try to write a recording down is over, well or not.

    The two records are filled in from the store when the event's turn has come, so that they are the newest ones.
    """

    transcription_sid: str
    text: str = ""
    """What was said; empty when nobody spoke."""
    problem: str = ""
    """Why there is no text, in words; empty: all is well."""
    crashed: bool = False
    """The worker process died of it: it is tried again, not for ever."""
    copies: int = 1
    """How many times the callback is sent (a tester may order two)."""
    recording_sid: str = ""
    call_sid: str = ""
    """Of the recording's call; empty, like the recording's: the transcription was settled already, or is gone."""
    recording: Any = None
    call: Any = None

    @property
    def lane(self) -> Lane:
        """The transcription's own, because the call is usually over."""
        return Lane("transcription", self.transcription_sid)
