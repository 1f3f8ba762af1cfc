"""How long a deleted recording is remembered (voice-calls.md §9.2): its audio goes now, its metadata later."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from ringback.effects import Answer, ClearDeadline, Delete, Effect, Save, SetDeadline
from ringback.kernel.errors import Refused
from ringback.kernel.lane import Lane
from ringback.resources.api.recording import Recording

KEPT_DAYS: Final = 40
PURGE: Final = "purge"
UNFINISHED: Final = ("in-progress", "paused", "stopped", "processing")


def remove(event: Any, now: float) -> list[Effect]:
    """``RecordingRemovalRequested``: mark it, and set the day that forgets it. Refuses 20009 for a live one."""
    if event.recording.status in UNFINISHED:
        raise Refused(20009, "Cannot delete this resource before it is complete", 400)
    gone = replace(event.recording, status="deleted", deleted_at=now, date_updated=now)
    return [
        Save(gone),
        SetDeadline(lane=Lane("recording", gone.sid), name=PURGE, at=now + KEPT_DAYS * 86_400),
        Answer(value=gone),
    ]


def due(event: Any, now: float) -> list[Effect]:
    """``DeadlineReached``: the metadata goes too."""
    return [
        Delete(Recording(sid=event.lane.sid, account_sid="")),
        ClearDeadline(lane=event.lane, name=PURGE),
    ]
