"""Account: whom everything else belongs to."""

from __future__ import annotations

from ringback.kernel.resource import Record, field, resource


@resource(
    "/2010-04-01/Accounts",
    sid="AC",
    key="accounts",
    can=("list", "create", "fetch", "update"),
    show={
        "sid": "sid", "auth_token": "auth_token", "date_created": "date_created",
        "date_updated": "date_updated", "friendly_name": "friendly_name",
        "owner_account_sid": "account_sid", "status": "status", "type": "type",
    },
    links=(
        "available_phone_numbers", "calls", "conferences", "incoming_phone_numbers", "notifications",
        "outgoing_caller_ids", "recordings", "transcriptions", "addresses", "signing_keys", "connect_apps",
        "sip", "authorized_connect_apps", "usage", "keys", "applications", "short_codes", "queues",
        "messages", "balance",
    ),
)  # fmt: skip
class Account(Record):
    """Whom all else belongs to. ``account_sid`` is its owner: itself, or the parent of a subaccount."""

    friendly_name: str = field("", write=True, filter=True, max_length=64, code=20002)
    """A name for people; at most 64 characters."""
    status: str = field(
        "active", write="update", filter=True, choices=("active", "suspended", "closed"), code=20001
    )
    """A suspended account may only be read and woken; a closed one is gone."""
    type: str = field("Full")
    """``Full`` or ``Trial``."""
    auth_token: str = field("")
    """The password of the account, and the secret of its webhook signatures."""
