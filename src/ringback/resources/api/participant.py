"""Participant: a call in a conference, while it is in it (voice-calls.md §13; twiml.md §5.3)."""

from __future__ import annotations

from ringback.kernel.resource import Record, field, resource

_CHANGE = {
    "Muted": "true: hears, and is not heard.",
    "EndConferenceOnExit": "true: the conference ends when this participant leaves.",
    "WaitUrl": "What is heard before the conference starts; empty: silence.",
    "WaitMethod": "GET or POST, for WaitUrl. Default POST.",
    "Coaching": "true: only CallSidToCoach hears this participant.",
    "CallSidToCoach": "The call that is coached.",
}
_CREATE = {
    "From": "Required. A number of the account, a verified caller id, or a client.",
    "To": "Required. An E.164 number, a sip: URI or client:identity.",
    "Label": "A name for this participant, at most 128 characters, unique in the conference.",
    **_CHANGE,
    "StartConferenceOnEnter": "false: the conference does not start for this participant. Default true.",
    "Beep": "true, false, onEnter or onExit. Default true.",
    "MaxParticipants": "2 to 250. Default 250.",
    "EarlyMedia": "true (default): who waits in the conference hears the call ring, and what the network says.",
    "JitterBufferSize": "off, small, medium or large (default): at most 20, 60, 120 or 200 ms of delay.",
    "Region": "Taken and shown.",
    "Timeout": "Seconds to let it ring, 5 to 600. Default 60.",
    "TimeLimit": "Longest answered call in seconds.",
    "StatusCallback": "Is told how the call goes.",
    "StatusCallbackMethod": "GET or POST. Default POST.",
    "StatusCallbackEvent": "initiated, ringing, answered, completed; repeat the parameter. Default completed.",
    "ConferenceStatusCallback": "Is told how the conference goes, unless the conference has one already.",
    "ConferenceStatusCallbackMethod": "GET or POST. Default POST.",
    "ConferenceStatusCallbackEvent": (
        "start, end, join, leave, mute, hold, modify, speaker, announcement. Default start and end."
    ),
    "ConferenceRecord": "true or record-from-start: record the conference.",
    "ConferenceTrim": "trim-silence or do-not-trim. Default trim-silence.",
    "ConferenceRecordingStatusCallback": "Is told when the conference's recording is ready.",
    "ConferenceRecordingStatusCallbackMethod": "GET or POST. Default POST.",
    "ConferenceRecordingStatusCallbackEvent": "in-progress, completed, absent. Default completed.",
    "Record": "true: record this call.",
    "RecordingChannels": "mono or dual. Default mono.",
    "RecordingTrack": "inbound, outbound or both. Default both.",
    "RecordingStatusCallback": "Is told when the call's recording is ready.",
    "RecordingStatusCallbackMethod": "GET or POST. Default POST.",
    "RecordingStatusCallbackEvent": "in-progress, completed, absent, separated by spaces. Default completed.",
    "Trim": "trim-silence or do-not-trim, for the call's recording. Default trim-silence.",
    "CallerId": "What the callee is shown in place of From.",
    "CallerDisplayName": "The name that the callee is shown.",
    "CallReason": "At most 50 characters; kept.",
    "SipAuthUsername": "For sip: targets that ask for it.",
    "SipAuthPassword": "For sip: targets that ask for it.",
    "MachineDetection": "Enable or DetectMessageEnd; checked, and every answer is reported as unknown.",
}
_UPDATE = {
    **_CHANGE,
    "Hold": "true: neither hears nor is heard; HoldUrl or music is played.",
    "HoldUrl": "A sound, or a document of Say, Play, Pause and Redirect. Default: music.",
    "HoldMethod": "GET or POST, for HoldUrl. Default POST.",
    "AnnounceUrl": "The same, played to this participant now.",
    "AnnounceMethod": "GET or POST, for AnnounceUrl. Default POST.",
    "BeepOnExit": "true: the others hear a beep when this participant leaves.",
}


@resource(
    "/2010-04-01/Accounts/{AccountSid}/Conferences/{ConferenceSid}/Participants",
    sid="CA",
    key="participants",
    can=("list", "create", "fetch", "update", "delete"),
    live=("create", "update", "delete"),
    takes={"create": _CREATE, "update": _UPDATE},
    stored=False,
    show={
        key: key
        for key in (
            "account_sid", "conference_sid", "call_sid", "label", "muted", "hold", "hold_url", "coaching",
            "call_sid_to_coach", "start_conference_on_enter", "end_conference_on_exit", "status",
            "queue_time", "date_created", "date_updated",
        )
    },
)  # fmt: skip
class Participant(Record):
    """A call in a conference, or on its way there. It lives in memory, with the call; its SID is the call's."""

    conference_sid: str = field("")
    call_sid: str = field("")
    label: str | None = field(None)
    """Names the participant in the path, in place of the call's SID."""
    muted: bool = field(False, filter=True)
    hold: bool = field(False, filter=True)
    coaching: bool = field(False, filter=True)
    call_sid_to_coach: str | None = field(None)
    start_conference_on_enter: bool = field(True)
    end_conference_on_exit: bool = field(False)
    status: str = field("connected")
    """queued, connecting, ringing, connected; complete and failed are the ends, and such a one is shown no more."""
    queue_time: int = field(0, wire="string")

    beep: str = field("true", hidden=True)
    """true, false, onEnter or onExit."""
    wait_url: str | None = field(None, hidden=True)
    """None: music; empty: silence."""
    wait_method: str = field("POST", hidden=True)
    hold_url: str | None = field(None)
    """What is heard on hold; null: music."""
    hold_method: str = field("POST", hidden=True)
