"""How long a deleted recording is remembered (voice-calls.md §9.2): its audio goes now, its metadata later."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from ringback.effects import Answer, ClearDeadline, Effect, SetDeadline
from ringback.events import DeadlineReached
from ringback.kernel.errors import Refused
from ringback.resources.api.recording import Recording

KEPT_DAYS: Final = 40
PURGE: Final = "purge"
UNFINISHED: Final = ("in-progress", "paused", "stopped", "processing")


def step(record: Recording | None, event: Any, now: float) -> tuple[Recording | None, list[Effect]]:
    """What a recording's own lane is told. Refuses 20009 for the removal of a live one."""
    if isinstance(event, DeadlineReached):
        return None, [ClearDeadline(lane=event.lane, name=PURGE)]
    if record is None:
        raise Refused(20404, f"The recording {event.lane.sid} was not found", 404)
    if record.status in UNFINISHED:
        raise Refused(20009, "Cannot delete this resource before it is complete", 400)
    gone = replace(record, status="deleted", size=0, deleted_at=now, date_updated=now)
    purge = SetDeadline(lane=event.lane, name=PURGE, at=now + KEPT_DAYS * 86_400)
    return gone, [purge, Answer(value=gone)]
