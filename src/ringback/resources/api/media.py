"""Media: a file of a message (2010 API)."""

from __future__ import annotations

from ringback.kernel.resource import Record, field, resource


@resource(
    "/2010-04-01/Accounts/{AccountSid}/Messages/{MessageSid}/Media",
    sid="ME",
    key="media_list",
    can=("list", "fetch", "delete"),
    table="media",
    show={
        "sid": "sid", "account_sid": "account_sid", "parent_sid": "message_sid", "content_type": "content_type",
        "date_created": "date_created", "date_updated": "date_updated",
    },
)  # fmt: skip
class Media(Record):
    """A picture, sound or other file that came or went with a message. Its path without ``.json`` leads to the file."""

    message_sid: str = field("", name="parent_sid", index=True)
    """The message."""
    content_type: str = field("")
    """MIME type, when it is known."""

    url: str = field("", hidden=True)
    """Where it is fetched."""
    store_sid: str = field("", hidden=True)
    """Its SID in the media store; empty: it is not there."""
