"""ServiceConfiguration: what one service gives to whom it does not say otherwise (conversations.md §1)."""

from __future__ import annotations

from ringback.kernel.fields import sid_of
from ringback.kernel.resource import Record, field, resource

_SHOWN = (
    "chat_service_sid", "default_conversation_creator_role_sid", "default_conversation_role_sid",
    "default_chat_service_role_sid", "reachability_enabled",
)  # fmt: skip


def configuration_sid(chat_service_sid: str) -> str:
    """The SID of a service's configuration: it is found without a search."""
    return f"SC{chat_service_sid[2:]}"


@resource(
    "/v1/Services/{ChatServiceSid}/Configuration",
    product="conversations",
    sid="SC",
    key="configuration",
    table="conversations_service_configurations",
    can=(),
    show=dict(zip(_SHOWN, _SHOWN, strict=True)),
    links={
        "notifications": "/v1/Services/{chat_service_sid}/Configuration/Notifications",
        "webhooks": "/v1/Services/{chat_service_sid}/Configuration/Webhooks",
    },
    tag="Service configuration",
)
class ServiceConfiguration(Record):
    """One a service, made with it."""

    chat_service_sid: str = ""
    """The service."""
    default_conversation_creator_role_sid: str = field("", write="update", check=sid_of("RL"))
    """The role, in a conversation, of whoever makes it by an SDK."""
    default_conversation_role_sid: str = field("", write="update", check=sid_of("RL"))
    """The role of a new participant with an identity."""
    default_chat_service_role_sid: str = field("", write="update", check=sid_of("RL"))
    """The role of a new user."""
    reachability_enabled: bool = field(False, write="update")
    """Whether it is shown who is online."""
