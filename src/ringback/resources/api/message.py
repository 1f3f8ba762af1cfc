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
    links=("media", "feedback"),
    takes={
        "create": {
            "To": "Required. Who gets it: E.164, or how people write it; ``whatsapp:+…`` for another channel.",
            "From": "Who sends it: a number of the account, or an alpha sender. Or MessagingServiceSid.",
            "MessagingServiceSid": "Its sender is chosen from the pool of this messaging service.",
            "Body": "The text, at most 1,600 characters.",
            "MediaUrl": "A file that goes with it; at most ten.",
            "StatusCallback": "URL that is told of every further status.",
            "ApplicationSid": "An application whose message status callback is told, unless StatusCallback is given.",
            "ValidityPeriod": "Seconds for which it may wait to be sent: 1 to 36,000.",
            "ScheduleType": "``fixed``: it is sent at SendAt, by a messaging service.",
            "SendAt": "When: 5 minutes to 35 days from now, ISO 8601.",
            "SmartEncoded": "true: typographic characters become plain ones, when the text is shorter on the air then.",
            "ProvideFeedback": "Accepted.",
            "ForceDelivery": "Accepted.",
            "Attempt": "Accepted.",
            "MaxPrice": "Accepted.",
            "ContentRetention": "Accepted.",
            "AddressRetention": "Accepted.",
            "PersistentAction": "Accepted.",
            "TrafficType": "Accepted.",
            "ShortenUrls": "Accepted; URLs are sent as they are.",
            "SendAsMms": "Accepted.",
            "RiskCheck": "Accepted.",
            "ContentSid": "Refused: there are no content templates.",
            "ContentVariables": "Accepted.",
        },
        "update": {
            "Body": "Empty: the text is taken away, once it has been sent.",
            "Status": "canceled: it is not sent, when it has not been yet.",
        },
    },
    refuses={
        "create": (
            21211, 21212, 21266, 21408, 21420, 21602, 21603, 21604, 21606, 21608, 21609, 21610, 21611, 21612, 21614,
            21617, 21619, 21620, 21623, 21624, 21655, 21701, 21703, 21704, 21705, 21711, 35111, 35115, 35118,
        ),
        "update": (20009, 30409),
        "delete": (20009,),
    },
)  # fmt: skip
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
    """``channel|id|hash of From and To`` of an inbound message whose carrier gives ids: the same one never comes
    twice."""
    media: list[dict[str, Any]] = field(list, hidden=True)
    """``url`` or ``sid``, ``content_type`` of each file."""
    plan: dict[str, Any] = field(dict, hidden=True)
    """What is still to be done with it: status callback, validity, the conversation that it comes from."""
