"""BlockedNumber: a number that an account never calls (call-outcomes.md §4)."""

from __future__ import annotations

from ringback.kernel.resource import CRUD, Record, field, resource
from ringback.numbers.written import e164


@resource(
    "/v1/DialingPermissions/BlockedNumbers",
    sid="DB",
    key="blocked_numbers",
    product="voice",
    can=CRUD,
    tag="Blocked numbers",
)
class BlockedNumber(Record):
    """A number that is never called: calls to it are refused with 21216, in ``<Dial>`` with 13225. An extension.

    A main account's entries hold for its subaccounts too.
    """

    phone_number: str = field(
        required=True, write="create", unique="account", filter=True, check=e164, code=21211
    )
    """E.164."""
    friendly_name: str = field("", write=True, max_length=64, code=20002)
    """Why it is blocked."""
