"""What a conference asks of the carrier that has its legs."""

from __future__ import annotations

from ringback.effects import LegEffect
from ringback.kernel.lane import Lane


class RecordRoom(LegEffect, frozen=True, kw_only=True):
    """Record what is said in a room: everybody who is heard there, mixed into one channel.

    ``call_sid`` is a leg that is in the room: its carrier makes the file. The recording goes on when that leg
    leaves, and ends by ``StopRecording`` or when the room is empty. Who is muted, held or coaching is not in
    it. ``RecordingBegan`` and ``RecordingEnded`` are reported to ``owner``.
    """

    room: str
    owner: Lane
    """Who gets the reports: the conference."""
    recording_sid: str
    trim: bool = False
    """Cut leading and trailing silence off the finished file."""


class WatchSpeech(LegEffect, frozen=True, kw_only=True):
    """Report ``SpeechChanged`` when this leg begins and ceases to be heard in its room; or do so no more.

    It costs work for every frame, so it is asked for only where a conference tells of it.
    """

    on: bool


class BoundDelay(LegEffect, frozen=True, kw_only=True):
    """To how much delay the leg's jitter buffer may grow (``jitterBufferSize``)."""

    milliseconds: int | None
    """None: as much as it may by itself."""
