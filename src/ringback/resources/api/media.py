"""Media: a file of a message, of a text and of a conversation alike; its bytes are in the data directory."""

from __future__ import annotations

from typing import Literal

from ringback.kernel.resource import Record, field, resource

Category = Literal["media", "body", "history"]


@resource(
    "/2010-04-01/Accounts/{AccountSid}/Messages/{MessageSid}/Media",
    sid="ME",
    key="media_list",
    table="media",
    can=("list", "fetch", "delete"),
    show={
        "sid": "sid", "account_sid": "account_sid", "parent_sid": "message_sid", "content_type": "content_type",
        "date_created": "date_created", "date_updated": "date_updated",
    },
    filters={
        "DateCreated": "date_created day", "DateCreated>": "date_created >=", "DateCreated<": "date_created <",
    },
)  # fmt: skip
class Media(Record):
    """A file of a message. ``media`` is its product's name in conversations; there it is served by ``/mcs``."""

    message_sid: str = field("", index=True)
    """The message that it belongs to: ``SM…`` of a text, ``IM…`` of a conversation. Empty: an upload that waits for
    one."""
    content_type: str = field("application/octet-stream")
    """What it is, read from its first bytes; what they do not tell is believed."""

    chat_service_sid: str = field("", hidden=True)
    """The conversation's service; empty: it came with a text."""
    conversation_sid: str = field("", hidden=True)
    """The conversation; empty: none."""
    filename: str | None = field(None, hidden=True)
    """What its sender called it: for people, never a path here."""
    size: int = field(0, hidden=True)
    """Bytes."""
    category: Category = field("media", hidden=True)
    """``media``, or of an e-mail its ``body`` or ``history``."""
    author: str = field("system", hidden=True)
    """Identity of who uploaded it; ``system`` with an account's credentials."""
