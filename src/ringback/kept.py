"""What is kept, and for how long: the rules of retention from the settings, on one page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from ringback.resources.api.alert import Alert
from ringback.resources.api.call import Call
from ringback.resources.api.conference import Conference
from ringback.resources.api.recording import Recording
from ringback.resources.api.transcription import Transcription
from ringback.resources.monitor.audit_event import AuditEvent
from ringback.resources.taskrouter.event import Event
from ringback.runtime.retention import Rule
from ringback.settings import Settings
from ringback.store import Condition

CALL_OVER = (Condition("status", "in", ("completed", "busy", "no-answer", "failed", "canceled")),)
CONFERENCE_OVER = (Condition("status", "=", "completed"),)
RECORDING_OVER = (Condition("status", "in", ("completed", "absent")), Condition("deleted_at", "=", None))
TRANSCRIPTION_OVER = (Condition("status", "in", ("completed", "failed")),)


def kept(settings: Settings, forget_recording: Callable[[Any], Awaitable[None]]) -> list[Rule]:
    """The rules. What is not over is never removed; ended tasks go with their reservations (``task_retention``)."""
    most = settings.account_records
    return [
        Rule(
            record=Recording, days=settings.keep_recordings_days, only=RECORDING_OVER, remove=forget_recording,
            size="size", most_bytes=int(settings.account_recordings_megabytes * 1e6),
        ),
        Rule(record=Transcription, days=settings.keep_transcriptions_days, only=TRANSCRIPTION_OVER),
        Rule(record=Call, days=settings.keep_calls_days, only=CALL_OVER, most=most),
        Rule(record=Conference, days=settings.keep_calls_days, only=CONFERENCE_OVER, most=most),
        Rule(record=Alert, days=settings.keep_alerts_days, most=most),
        Rule(record=Event, days=settings.keep_events_days, most=most),
        Rule(record=AuditEvent, days=settings.keep_events_days, most=most),
    ]  # fmt: skip


def told(settings: Settings) -> str:
    """The same for people (``ringback doctor``)."""

    def days(value: float) -> str:
        return f"{value:g} days" if value > 0 else "for ever"

    size = f" or {settings.requests_megabytes:g} MB" if settings.requests_megabytes else ""
    return (
        f"calls {days(settings.keep_calls_days)}, recordings {days(settings.keep_recordings_days)}, transcriptions "
        f"{days(settings.keep_transcriptions_days)}, alerts {days(settings.keep_alerts_days)}, events "
        f"{days(settings.keep_events_days)}, requests to applications {days(settings.keep_requests_days)}{size}"
    )
