"""Message: what is said in a conversation (conversations.md §1), and its receipts."""

from __future__ import annotations

from typing import Any

from ringback.kernel.resource import CRUD, Operation, Record, at, field, resource

_PATH = "Conversations/{ConversationSid}/Messages"
_BOTH = {
    "Author": "Identity or address; default: system.",
    "Body": "The text; at most 1600 characters.",
    "Attributes": "JSON text of at most 16 KB.",
    "DateCreated": "Of what is brought from elsewhere.",
    "DateUpdated": "Of what is brought from elsewhere.",
}
_TAKES: dict[Operation, dict[str, str]] = {
    "create": {
        **_BOTH,
        "MediaSid": "A file of the media store; repeated.",
        "ContentSid": "A template.",
        "ContentVariables": "JSON text: what is put into the template.",
        "Subject": "Of an e-mail.",
    },
    "update": {**_BOTH, "Subject": "Of an e-mail."},
}
_REFUSES: dict[Operation, tuple[int, ...]] = {"create": (50377, 50504), "update": (50377, 50504)}


@resource(
    f"/v1/Services/{{ChatServiceSid}}/{_PATH}",
    product="conversations",
    sid="IM",
    key="messages",
    can=CRUD,
    live=("create", "update", "delete"),
    takes=_TAKES,
    refuses=_REFUSES,
    largest=100,
    sort="index asc|desc",
    links={"delivery_receipts": "Receipts"},
    also=(
        at(
            f"/v1/{_PATH}",
            product="conversations",
            implied=("ChatServiceSid",),
            key="messages",
            can=CRUD,
            live=("create", "update", "delete"),
            takes=_TAKES,
            refuses=_REFUSES,
            largest=100,
            sort="index asc|desc",
            links={"delivery_receipts": "Receipts"},
        ),
    ),
)
class Message(Record):
    """One message of a conversation."""

    chat_service_sid: str = field("")
    """The conversation's service."""
    conversation_sid: str = field("")
    """The conversation."""
    index: int = field(0, index="conversation_sid")
    """Its place in the conversation: from 0, rising, perhaps with gaps."""
    author: str = field("system")
    """Identity or address of who wrote it."""
    body: str | None = field(None)
    """The text."""
    media: list[dict[str, Any]] | None = field(None)
    """Files: ``sid``, ``content_type``, ``filename``, ``size``, ``category``."""
    attributes: str = field("{}")
    """JSON text of your own."""
    participant_sid: str | None = field(None)
    """The author as a participant; null when the author is none."""
    delivery: dict[str, Any] | None = field(None)
    """How far it got, for those who are reached by a carrier: total, sent, delivered, read, failed, undelivered."""
    content_sid: str | None = field(None)
    """A template that it was made from."""

    carrier_key: str | None = field(None, hidden=True, unique="everywhere")
    """SID of the inbound message (``SM…``) that it was, or what stands for the id that a page gave it: the same one
    never comes twice."""


@resource(
    f"/v1/Services/{{ChatServiceSid}}/{_PATH}/{{MessageSid}}/Receipts",
    product="conversations",
    sid="DY",
    key="delivery_receipts",
    can=("list", "fetch"),
    largest=50,
    also=(
        at(
            f"/v1/{_PATH}/{{MessageSid}}/Receipts",
            product="conversations",
            implied=("ChatServiceSid",),
            key="delivery_receipts",
            can=("list", "fetch"),
            largest=50,
        ),
    ),
)
class Receipt(Record):
    """What became of a message for one participant who is reached by a carrier."""

    chat_service_sid: str = field("")
    """The conversation's service."""
    conversation_sid: str = field("")
    """The conversation."""
    message_sid: str = field("", index=True)
    """The message."""
    channel_message_sid: str = field("", index=True)
    """The carrier's message (``SM…``)."""
    participant_sid: str = field("")
    """To whom."""
    status: str = field("sent")
    """sent, delivered, read, undelivered or failed."""
    error_code: int | None = field(None)
    """Why not; null: no trouble."""
