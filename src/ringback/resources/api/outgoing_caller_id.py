"""OutgoingCallerId: a foreign number that may be shown as caller (rest-conventions.md §3)."""

from __future__ import annotations

from ringback.kernel.resource import CRUD, Record, field, resource
from ringback.numbers.written import e164


@resource(
    "/2010-04-01/Accounts/{AccountSid}/OutgoingCallerIds",
    sid="PN",
    key="outgoing_caller_ids",
    can=CRUD,
    created=200,
    takes={
        "create": {
            "CallDelay": "Seconds until the number is called, 0 to 60. Default 0.",
            "Extension": "Keys to press after the answer: 0-9 * # w W, at most 32.",
            "StatusCallback": "Is told whether the number was verified.",
            "StatusCallbackMethod": "GET or POST. Default POST.",
        }
    },
)
class OutgoingCallerId(Record):
    """A verified number: it may be shown as caller, and a trial account may call it."""

    phone_number: str = field(
        "", write="create", filter=True, unique="account", check=e164, code=21401, missing_code=21401
    )
    friendly_name: str = field("", write=True, filter=True, max_length=64, code=20002)
