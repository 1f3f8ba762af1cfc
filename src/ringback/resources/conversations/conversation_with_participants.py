"""ConversationWithParticipants: a conversation and who is in it, by one request (conversations.md §1)."""

from __future__ import annotations

from typing import Any

from ringback.kernel.resource import Record, at, field, resource
from ringback.resources.conversations.conversation import Timers

TAKES = {
    "create": {
        "FriendlyName": "A name for people.",
        "UniqueName": "May stand for the SID in paths.",
        "Attributes": "JSON text of your own.",
        "MessagingServiceSid": "The messaging service that its texts are sent by.",
        "State": "active or inactive.",
        "Timers.Inactive": "ISO 8601 duration after which it becomes inactive.",
        "Timers.Closed": "ISO 8601 duration after which it is closed.",
        "Bindings.Email.Address": "Of e-mail.",
        "Bindings.Email.Name": "Of e-mail.",
        "DateCreated": "Of one that is imported: when it was created.",
        "DateUpdated": "Of one that is imported: when it last changed.",
        "Participant": "JSON of one participant (repeat it, ten at most): ``identity``, or ``messaging_binding`` with "
        "``address`` and ``proxy_address``; ``role_sid``, ``attributes``.",
    }
}


def _links(path: str) -> dict[str, str]:
    below = f"{path}Conversations/{{sid}}"
    return {name: f"{below}/{name.title()}" for name in ("participants", "messages", "webhooks")}


_COMMON: dict[str, Any] = {
    "product": "conversations", "key": "conversations", "can": ("create",), "live": ("create",), "takes": TAKES,
}  # fmt: skip


@resource(
    "/v1/Services/{ChatServiceSid}/ConversationWithParticipants",
    sid="CH",
    stored=False,
    table="conversations_with_participants",
    tag="Conversation with participants",
    links=_links("/v1/Services/{chat_service_sid}/"),
    also=(
        at("/v1/ConversationWithParticipants", implied=("ChatServiceSid",), links=_links("/v1/"), **_COMMON),
    ),
    **_COMMON,
)
class ConversationWithParticipants(Record):
    """A conversation that is made with its participants: with all of them, or not at all."""

    chat_service_sid: str = ""
    """The service that it belongs to."""
    messaging_service_sid: str | None = None
    """The messaging service that its texts are sent by."""
    friendly_name: str | None = None
    """A name for people."""
    unique_name: str | None = None
    """May stand for the SID in paths."""
    attributes: str = "{}"
    """JSON text of your own."""
    state: str = "active"
    """active or inactive."""
    timers: Timers = field(dict)
    """When it becomes inactive or closed by itself."""
    bindings: dict[str, Any] = field(dict)
    """Of channels that bind whole conversations (email)."""
