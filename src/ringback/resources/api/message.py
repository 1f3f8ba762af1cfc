"""Message: one SMS, MMS or message of another carrier (2010 API)."""

from __future__ import annotations

from typing import Any

from ringback.kernel.resource import Record, field, resource


@resource(
    "/2010-04-01/Accounts/{AccountSid}/Messages",
    sid="SM",
    key="messages",
    table="texts",
    can=("list", "create", "fetch", "update", "delete"),
    live=("create", "update", "delete"),
    links=("media",),
)
class Message(Record):
    """A text to or from a carrier."""

    to: str = field("", filter=True, index=True)
    """Who gets it."""
    from_: str = field("", name="from", param="From", filter=True, index=True)
    """Who sent it."""
    body: str = field("")
    """The text."""
    status: str = field("queued", index=True)
    """queued, scheduled, accepted, sending, sent, delivered, undelivered, failed, receiving, received, read or
    canceled."""
    direction: str = field("outbound-api")
    """inbound, outbound-api, outbound-call or outbound-reply."""
    num_segments: int = field(1, wire="string")
    """Parts that it takes on the air."""
    num_media: int = field(0, wire="string")
    """Files that go with it."""
    date_sent: float | None = field(None, wire="date", filter="date")
    """When it went to the carrier, or came from it."""
    messaging_service_sid: str | None = field(None)
    """The messaging service that it was sent by."""
    error_code: int | None = field(None)
    """Why it did not arrive."""
    error_message: str | None = field(None)
    """The same in words."""
    price: str | None = field(None)
    """Always null: nothing is charged."""
    price_unit: str = field("USD")
    """``USD``."""
    api_version: str = field("2010-04-01")
    """``2010-04-01``."""

    channel: str = field("", hidden=True)
    """Which channel has it: ``simulated``, ``smpp:NAME`` …"""
    carrier_id: str | None = field(None, hidden=True, index=True)
    """The carrier's own id: its receipts name it."""
    carrier_key: str | None = field(None, hidden=True, unique="everywhere")
    """``channel|id`` of an inbound message whose carrier gives ids: the same one never comes twice."""
    media: list[dict[str, Any]] = field(list, hidden=True)
    """``url`` or ``sid``, ``content_type`` of each file."""
    plan: dict[str, Any] = field(dict, hidden=True)
    """What is still to be done with it: status callback, validity, the conversation that it comes from."""
