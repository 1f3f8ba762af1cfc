"""Call: one leg of a telephone conversation (voice-calls.md §3)."""

from __future__ import annotations

from typing import Any

from ringback.kernel.resource import Record, field, resource


@resource(
    "/2010-04-01/Accounts/{AccountSid}/Calls",
    sid="CA",
    key="calls",
    can=("list", "create", "fetch", "update", "delete"),
    live=("create", "update", "delete"),
    links=(
        "notifications", "recordings", "payments", "events", "siprec", "streams", "transcriptions",
        "user_defined_message_subscriptions", "user_defined_messages",
    ),
)  # fmt: skip
class Call(Record):
    """One leg of a telephone conversation. Writes become events; the voice core alone edits it."""

    parent_call_sid: str | None = field(None, filter=True, index=True)
    phone_number_sid: str | None = field(None)
    to: str = field("", filter=True, index=True)
    to_formatted: str = field("")
    from_: str = field("", name="from", filter=True, index=True)
    from_formatted: str = field("")
    status: str = field("queued", filter=True, index=True, wire={"initiated": "queued"})
    """queued, initiated, ringing, in-progress or terminal; REST shows ``initiated`` as ``queued`` (§3)."""
    direction: str = field("inbound")
    start_time: float | None = field(None, wire="date", filter="date", index=True)
    end_time: float | None = field(None, wire="date", filter="date")
    duration: int | None = field(None, wire="string")
    price: str | None = field(None)
    price_unit: str = field("USD")
    answered_by: str | None = field(None)
    api_version: str = field("2010-04-01")
    forwarded_from: str | None = field(None)
    caller_name: str | None = field(None)
    group_sid: str | None = field(None)
    trunk_sid: str | None = field(None)
    queue_time: int = field(0, wire="string")
    error_code: int | None = field(None)
    error_message: str | None = field(None)

    # Hidden: what the voice core needs and nobody is shown.
    answered_at: float | None = field(None, hidden=True)
    sip_code: int | None = field(None, hidden=True)
    carrier: str = field("", hidden=True)
    sequence: int = field(0, hidden=True)
    """SequenceNumber of the next status callback."""
    plan: dict[str, Any] = field(dict, hidden=True)
    """Everything the creation said: instruction source, callbacks, limits (voice/plan.py), as JSON."""
