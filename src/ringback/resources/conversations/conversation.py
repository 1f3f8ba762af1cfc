"""Conversation: a thread with participants (conversations.md §1)."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypedDict

from ringback.kernel.resource import CRUD, Record, at, field, resource

State = Literal["initializing", "active", "inactive", "closed"]


class Timers(TypedDict, total=False):
    """When it goes to sleep by itself."""

    date_inactive: Annotated[str | None, field(None)]
    """When it becomes inactive unless something happens."""
    date_closed: Annotated[str | None, field(None)]
    """When it is closed unless something happens."""


_LINKS = ("participants", "messages", "webhooks")


@resource(
    "/v1/Services/{ChatServiceSid}/Conversations",
    product="conversations",
    sid="CH",
    key="conversations",
    can=CRUD,
    live=("create", "update", "delete"),
    links=_LINKS,
    names="unique_name",
    also=(
        at(
            "/v1/Conversations",
            product="conversations",
            implied=("ChatServiceSid",),
            key="conversations",
            can=CRUD,
            live=("create", "update", "delete"),
            links=_LINKS,
        ),
    ),
)
class Conversation(Record):
    """A thread between people who write, or speak, to each other."""

    chat_service_sid: str = field("", index=True)
    """The service that it belongs to."""
    messaging_service_sid: str | None = field(None)
    """The messaging service that its texts are sent by."""
    friendly_name: str | None = field(None)
    """A name for people."""
    unique_name: str | None = field(None, unique="chat_service_sid")
    """May stand for the SID in paths."""
    attributes: str = field("{}")
    """JSON text of your own."""
    state: str = field("active", index=True)
    """initializing, active, inactive or closed (which is final)."""
    timers: Timers = field(dict)
    """When it becomes inactive or closed by itself."""
    bindings: dict[str, Any] = field(dict)
    """Of channels that bind whole conversations (email)."""

    created_by: str = field("system", hidden=True)
    """Who made it: an identity, or ``system``."""
    next_index: int = field(0, hidden=True)
    """Of the next message."""
    inactive_after: float | None = field(None, hidden=True)
    """Seconds without activity after which it is inactive; None: never."""
    closed_after: float | None = field(None, hidden=True)
    """Seconds of inactivity after which it is closed; None: never."""
    waiting_calls: list[str] = field(list, hidden=True)
    """Calls that wait for its first worker (connect-conversation.md §10)."""
