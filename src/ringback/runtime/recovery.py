"""After a start: what was live when the process died becomes terminal, everything else goes on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from ringback.effects import QueueDial
from ringback.events import CallLost, CallResumed, Event, LostRecording
from ringback.events.conferences import ConferenceLost
from ringback.kernel.recording_file import wav_file
from ringback.resources.api.call import Call
from ringback.resources.api.conference import Conference
from ringback.resources.api.recording import Recording
from ringback.store.store import Store

log = logging.getLogger("ringback.recovery")

LIVE = ("initiated", "ringing", "in-progress")
UNFINISHED = ("in-progress", "paused", "processing")
HEADER = 44
"""Bytes of a RIFF/WAVE header as media/wav.py writes it."""


async def recover(
    store: Store, post: Callable[[Event], None], recordings: Path, dials: Sequence[QueueDial]
) -> tuple[int, int]:
    """Post ``CallLost`` or ``CallResumed`` for every call that is not terminal; gives how many of each.
    ``dials``: those that wait in the outbox, in their order.

    Unfinished recordings go with their call; those whose call had already ended come as a ``CallLost`` too,
    whose handler leaves the terminal call alone and settles the recordings.
    """
    unfinished: dict[str, list[LostRecording]] = {}
    for recording in await store.find(Recording, status=UNFINISHED, limit=1_000_000):
        owner = recording.leg_sid or recording.call_sid or ""
        unfinished.setdefault(owner, []).append(_look(recording, recordings))
    live = {call.sid: call for call in await store.find(Call, status=LIVE, limit=1_000_000)}
    for sid in unfinished:
        if sid not in live:
            call = await store.get(Call, sid)
            if call is not None:
                live[sid] = call
    for call in sorted(live.values(), key=lambda one: one.sid):
        post(
            CallLost(call_sid=call.sid, call=call, recordings=tuple(unfinished.get(call.sid, ()))),
        )
    conferences = await store.find(Conference, status=("init", "in-progress"), limit=1_000_000)
    for conference in conferences:
        post(ConferenceLost(conference=conference))
    queued = 0
    for dial in dials:
        call = await store.get(Call, dial.call_sid)
        if call is not None:
            queued += 1
            post(CallResumed(call_sid=call.sid, call=call, not_before=dial.not_before))
    if live or queued:
        log.warning("after the restart: %d calls were lost, %d queued calls go on", len(live), queued)
    return len(live), queued


def _look(recording: Recording, folder: Path) -> LostRecording:
    """What the file of an unfinished recording says; the writer keeps its header right each second."""
    path = wav_file(folder, recording.sid)
    size = path.stat().st_size if path.exists() else 0
    seconds = max(0, size - HEADER) / (8000 * 2 * max(1, recording.channels))
    return LostRecording(recording, seconds, size)
