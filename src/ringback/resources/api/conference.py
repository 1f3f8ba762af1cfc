"""Conference: a room in which calls talk to each other (twiml.md §5.3; voice-calls.md §13)."""

from __future__ import annotations

from ringback.kernel.resource import Record, field, resource

_ANNOUNCE = {
    "AnnounceUrl": "A sound, or a document of Say, Play, Pause and Redirect, played to everybody now.",
    "AnnounceMethod": "GET or POST, for AnnounceUrl. Default POST.",
}


@resource(
    "/2010-04-01/Accounts/{AccountSid}/Conferences",
    sid="CF",
    key="conferences",
    can=("list", "fetch", "update"),
    live=("update",),
    takes={"update": {"Status": "completed: end the conference.", **_ANNOUNCE}},
    links=("participants", "recordings"),
    filters={
        "DateCreated": "date_created day",
        "DateCreated>": "date_created >=",
        "DateCreated<": "date_created midnight",
        "DateUpdated": "date_updated day",
        "DateUpdated>": "date_updated >=",
        "DateUpdated<": "date_updated midnight",
    },
)
class Conference(Record):
    """A room with a name. It begins with its first participant and ends with its last."""

    api_version: str = field("2010-04-01")
    friendly_name: str = field("", filter=True, index=True)
    """The name in the document; an account has one live conference of a name."""
    region: str = field("us1")
    """As the first participant asked; the audio is mixed in this server whatever it says."""
    status: str = field("init", filter=True, index=True)
    """init, in-progress, completed."""
    reason_conference_ended: str | None = field(None)
    """conference-ended-via-api, last-participant-left, last-participant-kicked,
    participant-with-end-conference-on-exit-left or participant-with-end-conference-on-exit-kicked."""
    call_sid_ending_conference: str | None = field(None)
    """The call whose leaving ended it."""

    status_callback: str | None = field(None, hidden=True)
    status_callback_method: str = field("POST", hidden=True)
    status_callback_event: list[str] = field(list, hidden=True)
    """start, end, join, leave, mute, hold, modify, speaker, announcement."""
    sequence: int = field(1, hidden=True)
    """SequenceNumber of the next callback."""
