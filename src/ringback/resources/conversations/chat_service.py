"""ChatService: an instance of Conversations, which keeps its conversations, users and roles apart from others'."""

from __future__ import annotations

from ringback.kernel.resource import Record, field, resource


@resource(
    "/v1/Services",
    product="conversations",
    sid="IS",
    key="services",
    can=("list", "create", "fetch", "delete"),
    links=(
        "conversations",
        "users",
        "roles",
        "bindings",
        "configuration",
        "participant_conversations",
        "conversation_with_participants",
    ),
    tag="Service",
)
class ChatService(Record):
    """A world of conversations of its own. One of an account's services is its default: the short paths mean it."""

    friendly_name: str = field(required=True, write="create", max_length=256)
    """A name for people."""

    removed: bool = field(False, hidden=True, index=True)
    """It is gone for everybody; what was in it is being removed (``runtime/emptying.py``)."""
