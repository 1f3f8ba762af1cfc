"""ParticipantConversation: where somebody takes part (conversations.md §1)."""

from __future__ import annotations

from typing import Any

from ringback.kernel.resource import Record, at, field, resource
from ringback.resources.conversations.conversation import Timers
from ringback.resources.conversations.participant import MessagingBinding

_SHOWN = (
    "account_sid", "chat_service_sid", "participant_sid", "participant_user_sid", "participant_identity",
    "participant_messaging_binding", "conversation_sid", "conversation_unique_name", "conversation_friendly_name",
    "conversation_attributes", "conversation_date_created", "conversation_date_updated", "conversation_created_by",
    "conversation_state", "conversation_timers",
)  # fmt: skip
_TAKES = {
    "list": {
        "Identity": "Whose conversations; this or ``Address`` must be given.",
        "Address": "At which address they are reached.",
    }
}


def _links(path: str) -> dict[str, str]:
    return {
        "participant": f"{path}Conversations/{{conversation_sid}}/Participants/{{participant_sid}}",
        "conversation": f"{path}Conversations/{{conversation_sid}}",
    }


_COMMON: dict[str, Any] = {
    "product": "conversations", "key": "conversations", "can": ("list",), "takes": _TAKES,
    "show": dict(zip(_SHOWN, _SHOWN, strict=True)),
}  # fmt: skip


@resource(
    "/v1/Services/{ChatServiceSid}/ParticipantConversations",
    sid="MB",
    stored=False,
    table="conversations_participant_conversations",
    tag="Participant conversation",
    links=_links("/v1/Services/{chat_service_sid}/"),
    also=(at("/v1/ParticipantConversations", implied=("ChatServiceSid",), links=_links("/v1/"), **_COMMON),),
    **_COMMON,
)
class ParticipantConversation(Record):
    """One conversation of somebody, who is named by identity or address, with what they are in it."""

    chat_service_sid: str = ""
    """The service."""
    participant_sid: str = ""
    """They as a participant."""
    participant_user_sid: str | None = None
    """They as a user; null without an identity."""
    participant_identity: str | None = None
    """Their identity; null when they are reached by a carrier."""
    participant_messaging_binding: MessagingBinding | None = None
    """How they are reached by a carrier; null with an identity."""
    conversation_sid: str = ""
    """The conversation."""
    conversation_unique_name: str | None = None
    """Its unique name."""
    conversation_friendly_name: str | None = None
    """Its name."""
    conversation_attributes: str = "{}"
    """Its attributes."""
    conversation_date_created: float | None = field(None, wire="date")
    """When it was made."""
    conversation_date_updated: float | None = field(None, wire="date")
    """When it last changed."""
    conversation_created_by: str = ""
    """Who made it."""
    conversation_state: str = "active"
    """Its state."""
    conversation_timers: Timers = field(dict)
    """When it becomes inactive or closed."""
