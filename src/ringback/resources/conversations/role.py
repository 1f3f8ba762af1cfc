"""Role: what somebody may do in a service or in a conversation (conversations.md §1.5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

from ringback.kernel.resource import CRUD, Record, at, field, resource

RoleType = Literal["conversation", "service"]

CONVERSATION: Final = (
    "addParticipant", "removeParticipant", "sendMessage", "sendMediaMessage", "leaveConversation",
    "deleteConversation", "editConversationName", "editConversationAttributes", "editNotificationLevel",
    "editOwnMessage", "editOwnMessageAttributes", "deleteOwnMessage", "editAnyMessage",
    "editAnyMessageAttributes", "deleteAnyMessage", "editAnyParticipantAttributes",
)  # fmt: skip
"""What a role of a conversation may allow."""
SERVICE: Final = (
    "createConversation", "joinConversation", "addParticipant", "removeParticipant", "deleteConversation",
    "editConversationName", "editConversationAttributes", "editOwnUserInfo", "editAnyUserInfo",
    "editAnyMessage", "editAnyMessageAttributes", "deleteAnyMessage",
)  # fmt: skip
"""What a role of a service may allow: in all its conversations."""
PERMISSIONS: Final[dict[str, tuple[str, ...]]] = {"conversation": CONVERSATION, "service": SERVICE}
"""Type of a role → the permissions that it may have, in the order in which they are shown."""

DEFAULTS: Final[dict[str, tuple[RoleType, tuple[str, ...]]]] = {
    "channel admin": ("conversation", CONVERSATION),
    "channel user": (
        "conversation",
        (
            "sendMessage", "sendMediaMessage", "leaveConversation", "editNotificationLevel",
            "editOwnMessage", "editOwnMessageAttributes", "deleteOwnMessage",
        ),
    ),
    "service admin": ("service", SERVICE),
    "service user": ("service", ("createConversation", "joinConversation", "editOwnUserInfo")),
}  # fmt: skip
"""Name → type and permissions of the roles that every service begins with."""


@resource(
    "/v1/Services/{ChatServiceSid}/Roles",
    product="conversations",
    sid="RL",
    key="roles",
    can=CRUD,
    also=(at("/v1/Roles", product="conversations", key="roles", can=CRUD, implied=("ChatServiceSid",)),),
)
class Role(Record):
    """What somebody may do: a user everywhere in a service, a participant in one conversation."""

    chat_service_sid: str = field("", index=True)
    """The service."""
    friendly_name: str = field("", write="create", required=True, max_length=256)
    """A name for people."""
    type: str = field("", write="create", required=True, choices=("conversation", "service"), code=50105)
    """``conversation``: of a participant; ``service``: of a user."""
    permissions: list[str] = field(list, param="Permission", write=True, code=50104)
    """What it allows: names, in the order of the documentation."""


def default_roles(
    chat_service_sid: str, account_sid: str, new_sid: Callable[[str], str], now: float
) -> dict[str, Role]:
    """The roles of a new service, by name."""
    return {
        name: Role(
            sid=new_sid("RL"), account_sid=account_sid, chat_service_sid=chat_service_sid, friendly_name=name,
            type=kind, permissions=list(permissions), date_created=now, date_updated=now,
        )
        for name, (kind, permissions) in DEFAULTS.items()
    }  # fmt: skip
