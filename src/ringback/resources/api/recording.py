"""Recording: the audio of a call (voice-calls.md §9)."""

from __future__ import annotations

from typing import Any

from ringback.kernel.resource import Record, at, field, resource

_DATES = {
    "DateCreated": "date_created day",
    "DateCreated>": "date_created >=",
    "DateCreated<": "date_created midnight",
}
_CREATE = {
    "RecordingChannels": "mono or dual. Default mono.",
    "RecordingTrack": "inbound, outbound or both. Default both.",
    "RecordingStatusCallback": "Is told when the recording is ready.",
    "RecordingStatusCallbackMethod": "GET or POST. Default POST.",
    "RecordingStatusCallbackEvent": "in-progress, completed, absent, separated by spaces. Default completed.",
    "Trim": "trim-silence or do-not-trim. Default do-not-trim.",
}
_UPDATE = {
    "Status": "Required. paused, in-progress (goes on) or stopped. The recording may be named Twilio.CURRENT.",
    "PauseBehavior": "With paused: silence (default), or skip: the file leaves the time out.",
}


@resource(
    "/2010-04-01/Accounts/{AccountSid}/Recordings",
    sid="RE",
    key="recordings",
    can=("list", "fetch", "delete"),
    live=("delete",),
    links=("add_on_results", "transcriptions"),
    filters=_DATES,
    takes={"list": {"IncludeSoftDeleted": "true: those too that were deleted less than 40 days ago."}},
    also=(
        at(
            "/2010-04-01/Accounts/{AccountSid}/Calls/{CallSid}/Recordings",
            key="recordings",
            can=("list", "create", "fetch", "update", "delete"),
            live=("create", "update", "delete"),
            takes={"create": _CREATE, "update": _UPDATE},
            filters=_DATES,
            tag="Call recording",
        ),
        at(
            "/2010-04-01/Accounts/{AccountSid}/Conferences/{ConferenceSid}/Recordings",
            key="recordings",
            can=("list", "fetch", "update", "delete"),
            live=("update", "delete"),
            takes={"update": _UPDATE},
            filters=_DATES,
            tag="Conference recording",
        ),
    ),
)
class Recording(Record):
    """The audio of a call. The file lies in the data directory, named after the SID."""

    call_sid: str | None = field(None, filter=True, index=True)
    """The parent leg of the recorded call."""
    conference_sid: str | None = field(None, filter=True)
    api_version: str = field("2010-04-01")
    channels: int = field(1)
    """1, or 2: channel 1 is then the parent leg and channel 2 the other side."""
    start_time: float | None = field(None, wire="date")
    duration: int | None = field(None, wire="string")
    """Seconds; null while it is being made."""
    price: str | None = field(None)
    price_unit: str = field("USD")
    status: str = field("in-progress", index=True)
    """in-progress, paused, stopped, processing, completed, absent, deleted."""
    source: str = field("")
    """RecordVerb, DialVerb, OutboundAPI, StartCallRecordingAPI, Conference … (§9.1)."""
    track: str = field("both")
    """inbound, outbound or both."""
    error_code: int | None = field(None)
    """Only when absent: 16101 too short, 16102 silent."""
    encryption_details: str | None = field(None)

    status_callback: str | None = field(None, hidden=True)
    status_callback_method: str = field("POST", hidden=True)
    status_callback_event: list[str] = field(list, hidden=True)
    trim: bool = field(False, hidden=True)
    silent: bool = field(False, hidden=True)
    size: int = field(0, hidden=True)
    """Bytes of the file."""
    leg_sid: str | None = field(None, hidden=True)
    """The leg whose carrier makes the file, when it is not ``call_sid``."""
    deleted_at: float | None = field(None, hidden=True)
    """Metadata is kept for 40 days after the deletion (§9.2)."""
    plan: dict[str, Any] = field(dict, hidden=True)
    """What the voice core remembers for its callbacks, as JSON."""
