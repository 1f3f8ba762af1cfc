"""Key: an API key, a user name and password that can be withdrawn (rest-conventions.md §1)."""

from __future__ import annotations

from ringback.kernel.resource import CRUD, Record, field, resource


@resource(
    "/2010-04-01/Accounts/{AccountSid}/Keys",
    sid="SK",
    key="keys",
    can=CRUD,
    show={
        "sid": "sid", "friendly_name": "friendly_name", "date_created": "date_created",
        "date_updated": "date_updated",
    },
)  # fmt: skip
class Key(Record):
    """An API key. Its secret is shown once, in the answer to its creation."""

    friendly_name: str = field("", write=True, max_length=64, code=20002)
    """A name for people; at most 64 characters."""
    secret: str = field("", hidden=True)
    """Kept in clear, because it is also the HMAC key of access tokens."""
    main: bool = field(False, hidden=True)
    """A main key may manage accounts and keys; a standard one may not."""
