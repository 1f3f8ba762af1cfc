"""Which recordings are written down, and what their callback tells (twiml.md §4).

A Transcription is saved as ``in-progress`` in the commit that completes its recording, together with a
deadline that is already due: whatever was not finished when the process died is begun again by the next start.
Its later events have a lane of their own, the Transcription's SID, because the call is usually over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from ringback.effects import Answer, ClearDeadline, Effect, Save, SendWebhook, SetDeadline
from ringback.effects.transcription import Transcribe
from ringback.events import CallLost, DeadlineReached
from ringback.events.transcription import TranscriptionEnded
from ringback.kernel.errors import Refused
from ringback.kernel.lane import Lane
from ringback.resources.api.call import Call
from ringback.resources.api.recording import Recording
from ringback.resources.api.transcription import Transcription
from ringback.voice.alerts import alert

SHORTEST: Final = 2.0
LONGEST: Final = 120.0
"""Seconds: a recording is longer than the one and shorter than the other (13617)."""
CRASHES: Final = 3
"""Worker processes that one recording may cost."""
DEADLINE: Final = "transcribe"
"""Name of the durable timer that is there as long as the work is not finished."""
OVERDUE: Final = 0.0
"""When it is due: always already, whatever the next start's clock says."""
KEY: Final = "transcribe"
"""Where ``Recording.plan`` keeps what was ordered."""

TRANSITIONS: Final = {("in-progress", "heard"): "completed", ("in-progress", "given up"): "failed"}
"""Status and what happened → status; nothing else ever happens."""

NewSid = Callable[[str], str]
Handler = Callable[[Any, float], Sequence[Effect]]


def order(call: Call, recording_url: str, recording_sid: str, callback: str | None) -> dict[str, Any]:
    """For ``Recording.plan``: write it down when it is complete, and tell ``callback`` (None: nobody)."""
    facts = [
        ("RecordingSid", recording_sid),
        ("RecordingUrl", recording_url),
        ("CallSid", call.sid),
        ("AccountSid", call.account_sid),
        ("From", call.from_),
        ("To", call.to),
        ("Caller", call.from_),
        ("Called", call.to),
        ("ApiVersion", call.api_version),
        ("Direction", call.direction),
    ]
    if call.forwarded_from:
        facts.append(("ForwardedFrom", call.forwarded_from))
    return {KEY: {"callback": callback, "facts": [list(pair) for pair in facts]}}


def begin(recording: Recording, seconds: float, new_sid: NewSid, now: float) -> list[Effect]:
    """A recording is settled with a file of ``seconds``: the work, a warning (13617), or nothing was ordered."""
    ordered = recording.plan.get(KEY)
    if ordered is None:
        return []
    if not SHORTEST < seconds < LONGEST:
        text = f"Recording {recording.sid} has {seconds:.1f} s; between {SHORTEST:g} and {LONGEST:g} s are needed"
        call_sid = dict(ordered["facts"])["CallSid"]
        return [
            alert(
                new_sid, now, account_sid=recording.account_sid, call_sid=call_sid, code=13617, text=text,
                resource_sid=recording.sid,
            )
        ]  # fmt: skip
    record = Transcription(
        sid=new_sid("TR"),
        account_sid=recording.account_sid,
        date_created=now,
        date_updated=now,
        recording_sid=recording.sid,
        duration=recording.duration,
        plan=ordered,
    )
    return [
        Save(record),
        SetDeadline(lane=Lane("transcription", record.sid), name=DEADLINE, at=OVERDUE),
        Transcribe(transcription_sid=record.sid),
    ]


class Transcripts:
    """The core of transcriptions: what their lanes are told."""

    def __init__(self, new_sid: NewSid) -> None:
        self._new_sid = new_sid

    def step(
        self, record: Transcription | None, event: Any, now: float
    ) -> tuple[Transcription | None, list[Effect]]:
        """One event. Raises ``Refused`` (20009) for the removal of one in progress (as voice-calls.md §9.2)."""
        if isinstance(event, DeadlineReached):  # not finished yet: begin (again)
            return record, [Transcribe(transcription_sid=event.lane.sid)]
        if isinstance(event, TranscriptionEnded):
            return self._ended(record, event, now)
        if record is not None and record.status == "in-progress":
            raise Refused(20009, "Cannot delete this resource before it is complete", 400)
        return None, []

    def _ended(
        self, record: Transcription | None, event: TranscriptionEnded, now: float
    ) -> tuple[Transcription | None, list[Effect]]:
        """Settle it and owe the callback, once; or try again after a crash."""
        finished = ClearDeadline(lane=event.lane, name=DEADLINE)
        if record is None or record.status != "in-progress":
            return record, [finished]
        problem = event.problem
        if event.recording is None or event.recording.deleted_at is not None:
            problem = "the recording was deleted before it was written down"
        elif event.crashed:
            record = replace(record, crashes=record.crashes + 1, date_updated=now)
            if record.crashes < CRASHES:
                return record, [Transcribe(transcription_sid=record.sid)]
            problem = f"{CRASHES} worker processes died of it; the last: {problem}"
        record = replace(
            record,
            status=TRANSITIONS[record.status, "given up" if problem else "heard"],
            transcription_text="" if problem else event.text,
            date_updated=now,
        )
        effects: list[Effect] = [finished]
        if problem:
            effects.append(self._warning(record, problem, now))
        hook = callback(record, event.call)
        if hook is not None:
            effects += [hook] * event.copies
        return record, [*effects, Answer(value=record)]

    def rescued(self, handle: Handler) -> Handler:
        """The handler of ``CallLost``: recordings that the crash interrupted are written down like others."""

        def lost(event: CallLost, now: float) -> Sequence[Effect]:
            effects = list(handle(event, now))
            saved = [each.record for each in effects if isinstance(each, Save)]
            settled = {record.sid: record for record in saved if isinstance(record, Recording)}
            for one in event.recordings:
                if one.recording.sid in settled:
                    effects += begin(settled[one.recording.sid], one.seconds, self._new_sid, now)
            return effects

        return lost

    def _warning(self, record: Transcription, problem: str, now: float) -> Save:
        return alert(
            self._new_sid,
            now,
            account_sid=record.account_sid,
            call_sid=dict(record.plan["facts"])["CallSid"],
            code=13620,
            text=f"Transcription {record.sid} failed: {problem}",
            resource_sid=record.sid,
        )


def callback(record: Transcription, call: Call | None) -> SendWebhook | None:
    """What ``transcribeCallback`` is told, by POST; None: nobody wants to know. ``call``: as it is now.

    The SID is the idempotency token: however often it is delivered, it is one transcription.
    """
    url = record.plan["callback"]
    if not url:
        return None
    facts = dict(record.plan["facts"])
    params = [
        ("TranscriptionSid", record.sid),
        ("TranscriptionText", record.transcription_text),
        ("TranscriptionStatus", record.status),
        ("TranscriptionUrl", f"{facts['RecordingUrl']}/Transcriptions/{record.sid}"),
        *facts.items(),
        ("CallStatus", call.status if call is not None else "completed"),
    ]
    return SendWebhook(
        key=facts["CallSid"],
        call_sid=facts["CallSid"],
        account_sid=record.account_sid,
        url=url,
        method="POST",
        params=params,
        token=record.sid,
        resource_sid=record.sid,
    )
