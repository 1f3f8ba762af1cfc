"""ServiceNotification: which push notifications a service sends, and what they say (conversations.md §1)."""

from __future__ import annotations

from typing import Annotated, TypedDict

from ringback.kernel.resource import Record, field, resource

_LONGEST = 4096
"""Characters of a text."""


class WithMedia(TypedDict, total=False):
    """Of a message with files."""

    enabled: Annotated[bool, field(False)]
    """Whether such a message has a text of its own."""
    template: Annotated[str | None, field(None, max_length=_LONGEST)]
    """The text."""


class NewMessage(TypedDict, total=False):
    """Of a new message."""

    enabled: Annotated[bool, field(False)]
    """Whether it is sent."""
    template: Annotated[str | None, field(None, max_length=_LONGEST)]
    """Its text."""
    sound: Annotated[str | None, field(None, max_length=256)]
    """Its sound."""
    badge_count_enabled: Annotated[bool, field(False)]
    """Whether it tells the number of unread conversations."""
    with_media: WithMedia


class Membership(TypedDict, total=False):
    """Of being added to, or removed from, a conversation."""

    enabled: Annotated[bool, field(False)]
    """Whether it is sent."""
    template: Annotated[str | None, field(None, max_length=_LONGEST)]
    """Its text."""
    sound: Annotated[str | None, field(None, max_length=256)]
    """Its sound."""


_SHOWN = (
    "account_sid", "chat_service_sid", "new_message", "added_to_conversation", "removed_from_conversation",
    "log_enabled",
)  # fmt: skip


def notification_sid(chat_service_sid: str) -> str:
    """The SID of a service's notifications: they are found without a search."""
    return f"SN{chat_service_sid[2:]}"


@resource(
    "/v1/Services/{ChatServiceSid}/Configuration/Notifications",
    product="conversations",
    sid="SN",
    key="notifications",
    table="conversations_service_notifications",
    can=(),
    show=dict(zip(_SHOWN, _SHOWN, strict=True)),
    tag="Service notifications",
)
class ServiceNotification(Record):
    """One a service, made when it is first changed. It is kept and shown; nothing is pushed yet."""

    chat_service_sid: str = ""
    """The service."""
    new_message: NewMessage = field(dict, write="update")
    """Of a new message."""
    added_to_conversation: Membership = field(dict, write="update")
    """Of being added to a conversation."""
    removed_from_conversation: Membership = field(dict, write="update")
    """Of being removed from one."""
    log_enabled: bool = field(False, write="update")
    """Whether notifications are logged."""
