"""Participant: who takes part in a conversation (conversations.md §1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypedDict

from ringback.kernel.resource import CRUD, Operation, Record, at, field, resource


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
_BOTH = {
    "Attributes": "JSON text of at most 16 KB.",
    "RoleSid": "What they may do.",
    "MessagingBinding.ProxyAddress": "Our address, which they write to.",
    "MessagingBinding.ProjectedAddress": "Our address that stands for an identity in group texts.",
    "DateCreated": "Of what is brought from elsewhere.",
    "DateUpdated": "Of what is brought from elsewhere.",
}
_TAKES: dict[Operation, dict[str, str]] = {
    "create": {
        "Identity": "Of somebody who writes with an SDK; or",
        "MessagingBinding.Address": "theirs, together with ProxyAddress.",
        **_BOTH,
    },
    "update": {
        "Identity": "Of a participant of a group text who has none yet.",
        "LastReadMessageIndex": "The last message that they have read.",
        "LastReadTimestamp": "When they read it, ISO 8601.",
        **_BOTH,
    },
}
_REFUSES: dict[Operation, tuple[int, ...]] = {
    "create": (50377, 50407, 50408, 50409, 50412, 50414, 50416, 50417, 50420, 50422, 50433),
    "update": (50377, 50408, 50409, 50414, 50416),
}


@resource(
    f"/v1/Services/{{ChatServiceSid}}/{_PATH}",
    product="conversations",
    sid="MB",
    key="participants",
    can=CRUD,
    live=("create", "update", "delete"),
    takes=_TAKES,
    refuses=_REFUSES,
    largest=100,
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
            takes=_TAKES,
            refuses=_REFUSES,
            largest=100,
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


def pair_of(account_sid: str, address: str, proxy_address: str) -> str:
    """``Participant.pair``."""
    return f"{account_sid}|{address}|{proxy_address}"


def wanted_pair(account_sid: str, values: Mapping[str, Any]) -> str:
    """The pair that a new participant's values ask for; empty: none."""
    address, proxy = values.get("address"), values.get("proxy_address")
    return pair_of(account_sid, str(address).strip(), str(proxy).strip()) if address and proxy else ""
