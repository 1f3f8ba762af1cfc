"""Participant: who takes part in a conversation (conversations.md §1)."""

from __future__ import annotations

from typing import Annotated, TypedDict

from ringback.kernel.resource import CRUD, Record, at, field, resource


class MessagingBinding(TypedDict, total=False):
    """Where somebody without an identity is reached."""

    type: Annotated[str | None, field(None)]
    """sms, whatsapp, chat …"""
    address: Annotated[str | None, field(None)]
    """Theirs."""
    proxy_address: Annotated[str | None, field(None)]
    """Ours, which they write to."""
    projected_address: Annotated[str | None, field(None)]
    """Ours, which stands for a participant with an identity."""
    level: Annotated[str | None, field(None)]
    """Of e-mail: to or cc."""
    name: Annotated[str | None, field(None)]
    """Of e-mail: what to call them."""


_PATH = "Conversations/{ConversationSid}/Participants"


@resource(
    f"/v1/Services/{{ChatServiceSid}}/{_PATH}",
    product="conversations",
    sid="MB",
    key="participants",
    can=CRUD,
    live=("create", "update", "delete"),
    names="identity",
    sort="date_created asc",
    table="conversations_participants",
    also=(
        at(
            f"/v1/{_PATH}",
            product="conversations",
            implied=("ChatServiceSid",),
            key="participants",
            can=CRUD,
            live=("create", "update", "delete"),
            sort="date_created asc",
        ),
    ),
)
class Participant(Record):
    """One side of a conversation: an identity (chat), or an address and our proxy address (SMS and the like)."""

    chat_service_sid: str = field("")
    """The conversation's service."""
    conversation_sid: str = field("", index=True)
    """The conversation."""
    identity: str | None = field(None, unique="conversation_sid", index=True)
    """Of a participant who writes with an SDK: a worker, a web visitor."""
    messaging_binding: MessagingBinding | None = field(None)
    """Of a participant who is reached by a carrier."""
    role_sid: str | None = field(None, index=True)
    """What they may do."""
    attributes: str = field("{}")
    """JSON text of your own."""
    last_read_message_index: int | None = field(None)
    """The last message that they have read."""
    last_read_timestamp: float | None = field(None, wire="date")
    """When they read it."""

    notification_level: str = field("default", hidden=True)
    """Whether it may disturb them: ``default`` or ``muted``."""
    address: str | None = field(None, hidden=True, index=True)
    """The binding's address, for look-ups."""
    pair: str | None = field(None, hidden=True, unique="everywhere")
    """``account|address|proxy_address`` while the conversation is not closed: one pair is in one open conversation
    only (§1.1); a database constraint, so that two calls at once cannot make two conversations."""
