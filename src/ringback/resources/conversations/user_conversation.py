"""UserConversation: one conversation as one of its users sees it (conversations.md §1)."""

from __future__ import annotations

from typing import Any

from ringback.kernel.resource import Record, at, field, resource
from ringback.resources.conversations.conversation import Timers

_SHOWN = (
    "account_sid", "chat_service_sid", "conversation_sid", "unread_messages_count", "last_read_message_index",
    "participant_sid", "user_sid", "friendly_name", "conversation_state", "timers", "attributes", "date_created",
    "date_updated", "created_by", "notification_level", "unique_name",
)  # fmt: skip
_TAKES = {
    "update": {
        "NotificationLevel": "default or muted.",
        "LastReadMessageIndex": "The last message that they have read; empty: none.",
        "LastReadTimestamp": "When they read it; now, when it is left out.",
    }
}


def _links(path: str) -> dict[str, str]:
    return {
        "participant": f"{path}Conversations/{{conversation_sid}}/Participants/{{participant_sid}}",
        "conversation": f"{path}Conversations/{{conversation_sid}}",
    }


_COMMON: dict[str, Any] = {
    "product": "conversations", "key": "conversations", "can": ("list", "fetch", "update", "delete"),
    "live": ("update", "delete"), "takes": _TAKES, "show": dict(zip(_SHOWN, _SHOWN, strict=True)),
}  # fmt: skip


@resource(
    "/v1/Services/{ChatServiceSid}/Users/{UserSid}/Conversations",
    sid="CH",
    stored=False,
    names="unique_name",
    table="conversations_user_conversations",
    tag="User conversation",
    links=_links("/v1/Services/{chat_service_sid}/"),
    also=(
        at("/v1/Users/{UserSid}/Conversations", implied=("ChatServiceSid",), links=_links("/v1/"), **_COMMON),
    ),
    **_COMMON,
)
class UserConversation(Record):
    """What a user has read of a conversation, and whether it may disturb them. Its SID is the conversation's."""

    chat_service_sid: str = ""
    """The service."""
    conversation_sid: str = ""
    """The conversation."""
    unread_messages_count: int | None = None
    """Messages after the last one that they have read; null while they have read none."""
    last_read_message_index: int | None = None
    """The last message that they have read; null: none."""
    participant_sid: str = ""
    """They as a participant."""
    user_sid: str = ""
    """The user."""
    friendly_name: str | None = None
    """The conversation's name."""
    conversation_state: str = "active"
    """The conversation's state."""
    timers: Timers = field(dict)
    """When the conversation becomes inactive or closed."""
    attributes: str = "{}"
    """The conversation's attributes."""
    created_by: str = ""
    """Who made the conversation."""
    notification_level: str = "default"
    """``default`` or ``muted``."""
    unique_name: str | None = field(None, unique="chat_service_sid")
    """The conversation's unique name."""
