"""OutgoingCallerId: a foreign number that may be shown as caller (rest-conventions.md §3)."""

from __future__ import annotations

from ringback.kernel.fields import phone_number
from ringback.kernel.resource import CRUD, Record, field, resource


@resource(
    "/2010-04-01/Accounts/{AccountSid}/OutgoingCallerIds",
    sid="PN",
    key="outgoing_caller_ids",
    can=CRUD,
    created=200,
)
class OutgoingCallerId(Record):
    """A verified number: it may be shown as caller, and a trial account may call it."""

    phone_number: str = field(
        "", write="create", filter=True, unique="account", check=phone_number, code=21401, missing_code=21401
    )
    friendly_name: str = field("", write=True, filter=True, max_length=64, code=20002)
