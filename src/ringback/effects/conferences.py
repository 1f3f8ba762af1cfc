"""What a conference asks of the carrier that has its legs."""

from __future__ import annotations

from dataclasses import dataclass

from ringback.effects import LegEffect


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRoom(LegEffect):
    """Record what is said in a room: everybody who is heard there, mixed into one channel.

    ``call_sid`` is a leg that is in the room: its carrier makes the file. The recording goes on when that leg
    leaves, and ends by ``StopRecording`` or when the room is empty. Who is muted, held or coaching is not in
    it. ``RecordingBegan`` and ``RecordingEnded`` are reported to the lane ``owner``.
    """

    room: str
    owner: str
    """SID whose lane gets the reports: the conference's."""
    recording_sid: str
    trim: bool = False
    """Cut leading and trailing silence off the finished file."""
