"""What is kept, and for how long: the rules of retention from the settings, on one page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from ringback.kernel.resource import Record
from ringback.resources.api.alert import Alert
from ringback.resources.api.call import Call
from ringback.resources.api.conference import Conference
from ringback.resources.api.media import Media
from ringback.resources.api.message import Message
from ringback.resources.api.recording import Recording
from ringback.resources.api.transcription import Transcription
from ringback.resources.conversations.conversation import Conversation
from ringback.resources.frontline.pool_turn import PoolTurn
from ringback.resources.mcs.media_file import MediaFile
from ringback.resources.monitor.audit_event import AuditEvent
from ringback.resources.taskrouter.event import Event
from ringback.runtime.retention import Rule
from ringback.settings import Settings

OVER: dict[type[Record], frozenset[str]] = {
    Call: frozenset({"completed", "busy", "no-answer", "failed", "canceled"}),
    Conference: frozenset({"completed"}),
    Message: frozenset({"sent", "delivered", "undelivered", "failed", "read", "received", "canceled"}),
    Conversation: frozenset({"closed"}),
    Recording: frozenset(
        {"completed", "absent"}
    ),  # a deleted one goes forty days later, by a deadline of its own
    Transcription: frozenset({"completed", "failed"}),
}
"""The statuses of what is over."""


def over(record: Record) -> bool:
    """Whether a record may go when its time has come."""
    statuses = OVER.get(type(record))
    status = record.state if isinstance(record, Conversation) else getattr(record, "status", "")
    return statuses is None or status in statuses


def kept(
    settings: Settings,
    forget_recording: Callable[[Any], Awaitable[None]],
    forget_media: Callable[[Any], Awaitable[None]],
    forget_conversation: Callable[[Any], Awaitable[None]],
) -> list[Rule]:
    """The rules. What is not over is never removed; ended tasks go with their reservations (``task_retention``). Who
    has opted out stays so for ever; users are their service's."""
    most = settings.account_records
    return [
        Rule(
            record=Recording, days=settings.keep_recordings_days, over=over, remove=forget_recording,
            size="size", most_bytes=int(settings.account_recordings_megabytes * 1e6),
        ),
        Rule(record=MediaFile, days=settings.keep_media_days, remove=forget_media),
        Rule(record=Transcription, days=settings.keep_transcriptions_days, over=over),
        Rule(record=Call, days=settings.keep_calls_days, over=over, most=most),
        Rule(record=Conference, days=settings.keep_calls_days, over=over, most=most),
        Rule(record=Message, days=settings.keep_messages_days, over=over, most=most),
        # With its participants, messages, receipts and webhooks, in its own lane. Turns in a pool of long ago, also of
        # workers who are gone: who has had none since is next anyhow.
        Rule(
            record=Conversation, days=settings.keep_conversations_days, since="date_updated", over=over,
            remove=forget_conversation,
        ),
        Rule(record=PoolTurn, days=settings.keep_conversations_days, since="assigned_at"),
        Rule(record=Media, days=settings.keep_messages_days, most=most),
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
        f"calls {days(settings.keep_calls_days)}, messages {days(settings.keep_messages_days)}, "
        f"closed conversations {days(settings.keep_conversations_days)}, "
        f"recordings {days(settings.keep_recordings_days)}, transcriptions "
        f"{days(settings.keep_transcriptions_days)}, media {days(settings.keep_media_days)}, "
        f"alerts {days(settings.keep_alerts_days)}, events "
        f"{days(settings.keep_events_days)}, requests to applications {days(settings.keep_requests_days)}{size}"
    )
