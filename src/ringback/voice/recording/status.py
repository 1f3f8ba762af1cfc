"""The record of a recording: its length, its last status, its address and its callback (voice-calls.md §9)."""

from __future__ import annotations

from ringback.effects import SendWebhook
from ringback.resources.api.recording import Recording
from ringback.voice.params import rfc2822

RECORDING_WAIT = 2.0
"""Seconds that an action request waits at most for its recording's file; then the length is computed."""
TOO_SHORT = 0.05
"""Seconds below which a recording holds nothing."""


def recording_url(api_base: str, recording: Recording) -> str:
    """Where its audio is fetched; no extension (§9.3)."""
    return f"{api_base}/2010-04-01/Accounts/{recording.account_sid}/Recordings/{recording.sid}"


def whole_seconds(seconds: float) -> int:
    """A recording's length as the API tells it: rounded, at least 1 when there is something."""
    return max(1, round(seconds)) if seconds >= TOO_SHORT else 0


def settle(record: Recording, seconds: float, silent: bool, size: int, now: float) -> None:
    """Give a record its final status: completed, or absent with the reason."""
    record.date_updated = now
    record.duration = whole_seconds(seconds)
    record.silent = silent
    record.size = size
    record.status = "completed"
    if seconds < TOO_SHORT:
        record.status, record.error_code = "absent", 16102 if silent and size > 44 else 16101


def status_webhook(record: Recording, status: str, api_base: str, token: str) -> SendWebhook | None:
    """The RecordingStatusCallback for ``status``, when somebody asked for it (§9.3)."""
    if not record.status_callback or status not in record.status_callback_event:
        return None
    params = [
        ("AccountSid", record.account_sid),
        ("ConferenceSid", record.conference_sid)
        if record.conference_sid
        else ("CallSid", record.call_sid or ""),
        ("RecordingSid", record.sid),
        ("RecordingUrl", recording_url(api_base, record)),
        ("RecordingStatus", status),
        ("RecordingChannels", str(record.channels)),
        ("RecordingStartTime", rfc2822(record.start_time or record.date_created)),
        ("RecordingSource", record.source),
        ("RecordingTrack", record.track),
    ]
    if status != "in-progress":
        params.append(("RecordingDuration", str(record.duration or 0)))
    if record.error_code is not None:
        params.append(("ErrorCode", str(record.error_code)))
    return SendWebhook(
        key=record.conference_sid or record.call_sid or record.sid,
        call_sid=None if record.conference_sid else record.call_sid,
        account_sid=record.account_sid,
        url=record.status_callback,
        method=record.status_callback_method,
        params=params,
        token=token,
        resource_sid=record.sid,
    )
