"""Binding: a device that wants push notifications (conversations.md §1)."""

from __future__ import annotations

from ringback.kernel.resource import Record, at, field, resource

_LIST = {
    "BindingType": "Only of these types (repeat it): apn, gcm or fcm.",
    "Identity": "Only of these identities (repeat it).",
}


@resource(
    "/v1/Services/{ChatServiceSid}/Bindings",
    product="conversations",
    sid="BS",
    key="bindings",
    can=("list", "fetch", "delete"),
    takes={"list": _LIST},
    also=(
        at(
            "/v1/Bindings",
            product="conversations",
            key="bindings",
            can=("list", "fetch", "delete"),
            takes={"list": _LIST},
            implied=("ChatServiceSid",),
        ),
    ),
)
class Binding(Record):
    """One device of a user, which an SDK registered. It is kept; nothing is pushed yet."""

    chat_service_sid: str = field("", index=True)
    """The service."""
    credential_sid: str = field("", index=True)
    """What it is pushed with."""
    endpoint: str = field("")
    """The device, as the SDK calls it."""
    identity: str = field("", index=True)
    """Whose it is."""
    binding_type: str = field("fcm")
    """apn, gcm or fcm."""
    message_types: list[str] = field(list)
    """new_message, added_to_conversation, removed_from_conversation."""

    device: str | None = field(None, hidden=True, unique="chat_service_sid")
    """``identity|endpoint|type``: one device is registered once."""
