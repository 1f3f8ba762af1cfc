"""Conversation: a thread with participants (conversations.md §1)."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypedDict

from ringback.kernel.resource import CRUD, Operation, Record, at, field, resource

State = Literal["initializing", "active", "inactive", "closed"]


class Timers(TypedDict, total=False):
    """When it goes to sleep by itself."""

    date_inactive: Annotated[str | None, field(None)]
    """When it becomes inactive unless something happens."""
    date_closed: Annotated[str | None, field(None)]
    """When it is closed unless something happens."""


_TAKES: dict[Operation, dict[str, str]] = {
    each: {
        "FriendlyName": "A name for people; at most 256 characters.",
        "UniqueName": "May stand for the SID in paths; at most 256 characters.",
        "Attributes": "JSON text of at most 16 KB.",
        "MessagingServiceSid": "The messaging service that its texts are sent by.",
        "State": "active, inactive or closed (which is final).",
        "Timers.Inactive": "ISO 8601 duration (PT10M) of silence until it is inactive; at least a minute, PT0S: never.",
        "Timers.Closed": "ISO 8601 duration of silence until it is closed; at least ten minutes, PT0S: never.",
        "Bindings.Email.Address": "E-mail address of the conversation.",
        "Bindings.Email.Name": "Its name.",
        "DateCreated": "Of what is brought from elsewhere.",
        "DateUpdated": "Of what is brought from elsewhere.",
    }
    for each in ("create", "update")
}
_TIMERS = (50375, 50376, 50379, 50380)
_REFUSES: dict[Operation, tuple[int, ...]] = {
    "create": (50353, *_TIMERS, 50382, 50384, 50390),
    "update": (50353, *_TIMERS, 50377, 50390),
}
_FILTERS = {"StartDate": "date_created >=", "EndDate": "date_created <=", "State": "state ="}
_LINKS = ("participants", "messages", "webhooks")


@resource(
    "/v1/Services/{ChatServiceSid}/Conversations",
    product="conversations",
    sid="CH",
    key="conversations",
    can=CRUD,
    live=("create", "update", "delete"),
    takes=_TAKES,
    refuses=_REFUSES,
    filters=_FILTERS,
    largest=100,
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
            takes=_TAKES,
            refuses=_REFUSES,
            filters=_FILTERS,
            largest=100,
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
