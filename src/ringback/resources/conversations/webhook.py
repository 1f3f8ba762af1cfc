"""Webhooks: who is told, and asked, of what happens in conversations (conversations.md §1.4)."""

from __future__ import annotations

from typing import Annotated, TypedDict

from ringback.kernel.resource import CRUD, Operation, Record, at, field, resource

PRE_EVENTS = (
    "onConversationAdd", "onConversationUpdate", "onConversationRemove", "onMessageAdd", "onMessageUpdate",
    "onMessageRemove", "onParticipantAdd", "onParticipantUpdate", "onParticipantRemove", "onUserUpdate",
)  # fmt: skip
"""Asked before it happens; the answer may change or refuse it."""
POST_EVENTS = (
    "onConversationAdded", "onConversationUpdated", "onConversationRemoved", "onConversationStateUpdated",
    "onMessageAdded", "onMessageUpdated", "onMessageRemoved", "onParticipantAdded", "onParticipantUpdated",
    "onParticipantRemoved", "onUserAdded", "onUserUpdated", "onDeliveryUpdated",
)  # fmt: skip
"""Told afterwards."""


class WebhookTarget(TypedDict, total=False):
    """Where a webhook leads, and when."""

    url: Annotated[str | None, field(None)]
    """Absolute URL."""
    method: Annotated[str | None, field(None)]
    """GET or POST."""
    filters: Annotated[list[str] | None, field(None)]
    """Post-events that are told."""
    triggers: Annotated[list[str] | None, field(None)]
    """Words in a message that are told of."""
    flow_sid: Annotated[str | None, field(None)]
    """Studio flow."""
    replay_after: Annotated[int | None, field(None)]
    """Index of a message: those after it are told at once."""


_PATH = "Conversations/{ConversationSid}/Webhooks"
_TARGET = {
    "Configuration.Url": "Absolute URL, for webhook and trigger.",
    "Configuration.Method": "GET or POST (default).",
    "Configuration.Filters": "Post-events to be told of; repeated.",
    "Configuration.Triggers": "Words to be told of, for trigger; repeated, at most 5.",
    "Configuration.FlowSid": "Flow, for studio.",
}
_TAKES: dict[Operation, dict[str, str]] = {
    "create": {
        "Target": "Required. webhook, trigger or studio.",
        **_TARGET,
        "Configuration.ReplayAfter": "Index of a message: those after it are told at once.",
    },
    "update": _TARGET,
}
_REFUSES: dict[Operation, tuple[int, ...]] = {
    "create": (50361, 50362, 50364, 50365, 50366, 50367, 50369, 50371, 50372, 50377),
    "update": (50362, 50365, 50366, 50367, 50372),
}


@resource(
    f"/v1/Services/{{ChatServiceSid}}/{_PATH}",
    product="conversations",
    sid="WH",
    key="webhooks",
    can=CRUD,
    live=("create", "update", "delete"),
    takes=_TAKES,
    refuses=_REFUSES,
    largest=5,
    also=(
        at(
            f"/v1/{_PATH}",
            product="conversations",
            implied=("ChatServiceSid",),
            key="webhooks",
            can=CRUD,
            live=("create", "update", "delete"),
            takes=_TAKES,
            refuses=_REFUSES,
            largest=5,
        ),
    ),
    show={
        "sid": "sid",
        "account_sid": "account_sid",
        "conversation_sid": "conversation_sid",
        "target": "target",
        "configuration": "configuration",
        "date_created": "date_created",
        "date_updated": "date_updated",
    },
    tag="Conversation webhook",
)
class Webhook(Record):
    """Told of what happens in one conversation; at most five of them."""

    chat_service_sid: str = field("", hidden=True)
    """The conversation's service."""
    conversation_sid: str = field("", index=True)
    """The conversation."""
    target: str = field("webhook")
    """webhook, trigger or studio."""
    configuration: WebhookTarget = field(dict)
    """Where it leads, and when."""


@resource(
    "/v1/Configuration/Webhooks",
    product="conversations",
    sid="CX",
    key="webhooks",
    table="conversations_webhook_settings",
    can=(),
    show={
        "account_sid": "account_sid",
        "method": "method",
        "filters": "filters",
        "pre_webhook_url": "pre_webhook_url",
        "post_webhook_url": "post_webhook_url",
        "target": "target",
    },
    tag="Conversations webhook settings",
)
class WebhookSettings(Record):
    """Webhooks of all conversations: of an account, or of one service."""

    method: str = field("POST", write="update", choices=("GET", "POST"))
    """GET or POST."""
    filters: list[str] = field(list, write="update")
    """Events, of both kinds, that are told or asked; empty: none."""
    pre_webhook_url: str | None = field(None, write="update", max_length=512)
    """Asked before."""
    post_webhook_url: str | None = field(None, write="update", max_length=512)
    """Told afterwards."""
    target: str = field("webhook", write="update", choices=("webhook", "flex"))
    """webhook, or flex."""

    owner: str = field("", hidden=True, unique="everywhere")
    """The account or service whose they are."""
