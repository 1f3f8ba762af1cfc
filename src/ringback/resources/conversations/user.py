"""User: somebody with an identity, in one service (conversations.md §1)."""

from __future__ import annotations

from ringback.kernel.resource import CRUD, Record, at, field, resource


@resource(
    "/v1/Services/{ChatServiceSid}/Users",
    product="conversations",
    sid="US",
    key="users",
    can=CRUD,
    links=("user_conversations",),
    names="identity",
    also=(
        at(
            "/v1/Users",
            product="conversations",
            implied=("ChatServiceSid",),
            key="users",
            can=CRUD,
            links=("user_conversations",),
        ),
    ),
)
class User(Record):
    """Somebody who writes with an SDK: a worker, a web visitor. Made by the first conversation they join, too."""

    chat_service_sid: str = field("", index=True)
    """The service."""
    identity: str = field("", write="create", required=True, unique="chat_service_sid", max_length=256)
    """Their name in tokens."""
    friendly_name: str | None = field(None, write=True)
    """A name for people."""
    attributes: str = field("{}", write=True)
    """JSON text of your own."""
    role_sid: str | None = field(None, write=True)
    """What they may do in the service."""
    is_online: bool | None = field(None)
    """Whether they are connected, where reachability is on."""
    is_notifiable: bool | None = field(None)
    """Whether they could be told by a push notification."""

    state: str = field("active", hidden=True)
    """Of a Frontline worker: active or deactivated (conversations.md §2)."""
    avatar: str | None = field(None, hidden=True)
    """Of a Frontline worker: URL of a picture."""
    is_available: bool = field(False, hidden=True)
    """Of a Frontline worker: takes part in pool routing."""
    assigned_at: float = field(0.0, hidden=True)
    """When pool routing last chose them (Unix seconds); the one longest without is next."""
