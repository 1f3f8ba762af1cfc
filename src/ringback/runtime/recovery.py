"""After a start: what was live when the process died becomes terminal, everything else goes on."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ringback.effects import QueueDial
from ringback.events import CallLost, CallResumed, LostRecording
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


class Recovered(NamedTuple):
    """What there was when the process died."""

    waiting: list[CallResumed]
    """Calls that were still to be dialled, in their order: they go on."""
    lost: list[CallLost | ConferenceLost]
    """What was live: it becomes terminal."""


async def recover(store: Store, recordings: Path, dials: Sequence[QueueDial]) -> Recovered:
    """Read every call that is not terminal, and every conference, before anything new begins: what this run makes
    is not taken for lost. ``dials``: those that wait in the outbox, in their order.

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
    lost: list[CallLost | ConferenceLost] = [
        CallLost(call_sid=call.sid, call=call, recordings=tuple(unfinished.get(call.sid, ())))
        for call in sorted(live.values(), key=lambda one: one.sid)
    ]
    conferences = await store.find(Conference, status=("init", "in-progress"), limit=1_000_000)
    lost += [ConferenceLost(conference=conference) for conference in conferences]
    waiting: list[CallResumed] = []
    for dial in dials:
        call = await store.get(Call, dial.call_sid)
        if call is not None:
            waiting.append(CallResumed(call_sid=call.sid, call=call, not_before=dial.not_before))
    if live or waiting:
        log.warning("after the restart: %d calls were lost, %d queued calls go on", len(live), len(waiting))
    return Recovered(waiting, lost)


def _look(recording: Recording, folder: Path) -> LostRecording:
    """What the file of an unfinished recording says; the writer keeps its header right each second."""
    path = wav_file(folder, recording.sid)
    size = path.stat().st_size if path.exists() else 0
    seconds = max(0, size - HEADER) / (8000 * 2 * max(1, recording.channels))
    return LostRecording(recording, seconds, size)
