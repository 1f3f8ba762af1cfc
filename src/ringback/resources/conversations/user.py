"""User: somebody with an identity, in one service (conversations.md §1)."""

from __future__ import annotations

from ringback.kernel.fields import json_text
from ringback.kernel.resource import CRUD, Record, at, field, resource


@resource(
    "/v1/Services/{ChatServiceSid}/Users",
    product="conversations",
    sid="US",
    key="users",
    can=CRUD,
    links={"user_conversations": "/v1/Services/{chat_service_sid}/Users/{sid}/Conversations"},
    names="identity",
    also=(
        at(
            "/v1/Users",
            product="conversations",
            implied=("ChatServiceSid",),
            key="users",
            can=CRUD,
            links={"user_conversations": "/v1/Users/{sid}/Conversations"},
        ),
    ),
)
class User(Record):
    """Somebody who writes with an SDK: a worker, a web visitor. Made by the first conversation they join, too."""

    chat_service_sid: str = field("", index=True)
    """The service."""
    identity: str = field("", write="create", required=True, unique="chat_service_sid", max_length=256)
    """Their name in tokens."""
    friendly_name: str | None = field(None, write=True, max_length=256)
    """A name for people."""
    attributes: str = field("{}", write=True, max_length=4096, check=json_text)
    """JSON text of your own."""
    role_sid: str | None = field(None, write=True, index=True)
    """What they may do in the service."""
    is_online: bool | None = field(None)
    """Whether they are connected, where reachability is on."""
    is_notifiable: bool | None = field(None)
    """Whether they could be told by a push notification."""

    state: str = field("active", hidden=True)
    """Of a Frontline worker: active or deactivated (conversations.md §2). A web visitor's begins deactivated: they are
    no worker."""
    avatar: str | None = field(None, hidden=True)
    """Of a Frontline worker: URL of a picture."""
    is_available: bool = field(False, hidden=True)
    """Of a Frontline worker: takes part in pool routing."""
