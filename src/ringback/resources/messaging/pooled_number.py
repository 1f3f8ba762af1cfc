"""PooledNumber: a number of ours that a messaging service writes by."""

from __future__ import annotations

from ringback.kernel.resource import Record, field, resource


@resource(
    "/v1/Services/{MessagingServiceSid}/PhoneNumbers",
    product="messaging",
    sid="PN",
    key="phone_numbers",
    can=("list", "create", "fetch", "delete"),
    table="messaging_phone_numbers",
    takes={
        "create": {
            "PhoneNumberSid": "Required. The number, one of the account's; it is in one service at most."
        }
    },
    refuses={"create": (21701, 21710, 21712)},
    tag="Phone number",
)
class PooledNumber(Record):
    """A number in the pool of a messaging service. It has the SID of the number."""

    messaging_service_sid: str = field("", name="service_sid", index=True)
    """The service."""
    phone_number: str = field("", index=True)
    """E.164."""
    country_code: str = field("")
    """Of its country, ISO-2."""
    capabilities: list[str] = field(list)
    """``SMS``, ``MMS``, ``Voice``."""
