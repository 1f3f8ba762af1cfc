"""Call: one leg of a telephone conversation (voice-calls.md §3)."""

from __future__ import annotations

from typing import Any

from ringback.kernel.resource import Operation, Record, field, resource

_CONTROL = {
    "Url": "Where the instructions come from (absolute http or https URL).",
    "Method": "GET or POST, for Url. Default POST.",
    "Twiml": "The instructions themselves, at most 4000 characters. Url wins over it.",
    "FallbackUrl": "Asked when Url fails; is told ErrorCode and ErrorUrl.",
    "FallbackMethod": "GET or POST. Default POST.",
    "StatusCallback": "Is told how the call goes.",
    "StatusCallbackMethod": "GET or POST. Default POST.",
    "TimeLimit": "Longest answered call in seconds.",
}
_CREATE = {
    "To": "Required. An E.164 number, a sip: URI or client:identity.",
    "From": "Required. A number of the account, a verified caller id, or a client.",
    **_CONTROL,
    "ApplicationSid": "An application whose voice URLs are used; it wins over Url.",
    "StatusCallbackEvent": "initiated, ringing, answered, completed; repeat the parameter. Default completed.",
    "Timeout": "Seconds to let it ring, 1 to 600. Default 60.",
    "SendDigits": "Keys to press after the answer: 0-9 A-D # * w W, at most 32.",
    "Record": "true: record the whole call.",
    "RecordingChannels": "mono or dual. Default mono.",
    "RecordingTrack": "inbound, outbound or both. Default both.",
    "RecordingStatusCallback": "Is told when the recording is ready.",
    "RecordingStatusCallbackMethod": "GET or POST. Default POST.",
    "RecordingStatusCallbackEvent": "in-progress, completed, absent, separated by spaces. Default completed.",
    "Trim": "trim-silence or do-not-trim. Default trim-silence.",
    "CallerId": "What the callee is shown in place of From.",
    "SipAuthUsername": "For sip: targets that ask for it.",
    "SipAuthPassword": "For sip: targets that ask for it.",
    "CallReason": "At most 50 characters; kept.",
    "CallToken": "Taken and not used.",
    "MachineDetection": "Enable or DetectMessageEnd; checked, and every answer is reported as unknown.",
}


REFUSES: dict[Operation, tuple[int, ...]] = {
    "create": (
        21201, 21202, 21205, 21206, 21208, 21209, 21210, 21211, 21212, 21213, 21214, 21215, 21216, 21217, 21218, 21219,
        21221, 21222, 21223, 21224, 21225, 21227, 21228, 21229, 21234, 21300, 21609, 21626, 32018,
    ),
    "update": (20001, 21205, 21208, 21209, 21220, 32018),
}  # fmt: skip
"""What creating and changing a call may be refused with; ``tests/web/docs/test_pages.py`` compares it with the core."""


@resource(
    "/2010-04-01/Accounts/{AccountSid}/Calls",
    sid="CA",
    key="calls",
    can=("list", "create", "fetch", "update", "delete"),
    live=("create", "update", "delete"),
    takes={
        "create": _CREATE,
        "update": {"Status": "canceled or completed: end the call.", **_CONTROL},
    },
    refuses=REFUSES,
    links=(
        "notifications", "recordings", "payments", "events", "siprec", "streams", "transcriptions",
        "user_defined_message_subscriptions", "user_defined_messages",
    ),
)  # fmt: skip
class Call(Record):
    """One leg of a telephone conversation. Writes become events; the voice core alone edits it."""

    parent_call_sid: str | None = field(None, filter=True, index=True)
    """The call whose ``<Dial>`` made this one."""
    phone_number_sid: str | None = field(None)
    """Our number that was called, or that calls."""
    to: str = field("", filter=True, index=True)
    """Who is called: E.164, a SIP address or ``client:…``."""
    to_formatted: str = field("")
    """The same as people write it."""
    from_: str = field("", name="from", filter=True, index=True)
    """Who calls."""
    from_formatted: str = field("")
    """The same as people write it."""
    status: str = field("queued", filter=True, index=True, wire={"initiated": "queued"})
    """queued, initiated, ringing, in-progress or terminal; REST shows ``initiated`` as ``queued`` (§3)."""
    direction: str = field("inbound")
    """``inbound``, ``outbound-api`` or ``outbound-dial``."""
    start_time: float | None = field(None, wire="date", filter="date", index=True)
    """When it was answered."""
    end_time: float | None = field(None, wire="date", filter="date")
    """When it ended."""
    duration: int | None = field(None, wire="string")
    """Seconds from the answer to the end."""
    price: str | None = field(None)
    """Always null: nothing is charged."""
    price_unit: str = field("USD")
    """``USD``."""
    answered_by: str | None = field(None)
    """What machine detection said; null without it."""
    api_version: str = field("2010-04-01")
    """``2010-04-01``."""
    forwarded_from: str | None = field(None)
    """Who forwarded the call, when the network said so."""
    caller_name: str | None = field(None)
    """The caller's name, when the network told it."""
    group_sid: str | None = field(None)
    """Always null."""
    trunk_sid: str | None = field(None)
    """Always null."""
    queue_time: int = field(0, wire="string")
    """Milliseconds that it waited before it was dialled."""
    error_code: int | None = field(None)
    """Why it failed: a code of the error pages."""
    error_message: str | None = field(None)
    """The same in words."""

    # Hidden: what the voice core needs and nobody is shown.
    answered_at: float | None = field(None, hidden=True)
    sip_code: int | None = field(None, hidden=True)
    carrier: str = field("", hidden=True)
    sequence: int = field(0, hidden=True)
    """SequenceNumber of the next status callback."""
    plan: dict[str, Any] = field(dict, hidden=True)
    """Everything the creation said: instruction source, callbacks, limits (voice/call/plan.py), as JSON."""
