"""How long a deleted recording is remembered (voice-calls.md §9.2): its audio goes now, its metadata later."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from ringback.effects import Answer, ClearDeadline, Delete, Effect, Save, SetDeadline
from ringback.kernel.errors import Refused
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
        SetDeadline(call_sid=gone.sid, name=PURGE, at=now + KEPT_DAYS * 86_400),
        Answer(value=gone),
    ]


def deadlines(
    others: Callable[[Any, float], Sequence[Effect]],
) -> Callable[[Any, float], Sequence[Effect]]:
    """The handler of ``DeadlineReached``: those of recordings end here, ``others`` has the rest."""

    def handle(event: Any, now: float) -> Sequence[Effect]:
        if event.name != PURGE:
            return others(event, now)
        return [
            Delete(Recording(sid=event.call_sid, account_sid="")),
            ClearDeadline(call_sid=event.call_sid, name=PURGE),
        ]

    return handle
