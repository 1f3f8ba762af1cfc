"""Pause, resume and stop of a running recording by REST, of a call's as of a conference's (voice-calls.md §9.2)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ringback.effects import LegEffect, PauseRecording, ResumeRecording, StopRecording
from ringback.kernel.errors import Refused
from ringback.resources.api.recording import Recording
from ringback.voice.form import Form

NOT_RUNNING = "The recording is not running any more"


@dataclass(frozen=True, slots=True)
class Change:
    """What a good request asks for."""

    effect: LegEffect
    status: str
    """The recording's status from now on."""
    told: str
    """The status of the answer: ``stopped`` is told once, while the file is being finished."""


def read(record: Recording | None, params: dict[str, list[str]], leg: str) -> Change:
    """Read POST Recordings/{sid}; ``leg`` is a call whose carrier makes the file, ``record`` None is not running.

    Raises :class:`Refused`: 20001 for values that do not exist, 16114 for what its status does not allow.
    """
    form = Form(params)
    status = form.get("Status")
    behavior = form.choice("PauseBehavior", "silence", ("skip", "silence"))
    if status not in ("paused", "in-progress", "stopped"):
        raise form.refuse(20001, "Status must be in-progress, paused or stopped")
    if record is None:
        raise form.refuse(16114, NOT_RUNNING)
    sid = record.sid
    if status == "paused" and record.status == "in-progress":
        skip = behavior == "skip"
        pause = PauseRecording(call_sid=leg, recording_sid=sid, behavior="skip" if skip else "silence")
        return Change(pause, "paused", "paused")
    if status == "in-progress" and record.status == "paused":
        return Change(ResumeRecording(call_sid=leg, recording_sid=sid), "in-progress", "in-progress")
    if status == "stopped" and record.status in ("in-progress", "paused"):
        return Change(StopRecording(call_sid=leg, recording_sid=sid), "processing", "stopped")
    raise Refused(16114, f"A recording that is {record.status} cannot become {status}")


def changed(record: Recording, change: Change, now: float) -> Recording:
    """Give a running recording its new status; what the answer shows."""
    record.status, record.date_updated = change.status, now
    return replace(record, status=change.told)
