"""Configuration: what an account's Conversations are set to (conversations.md §1)."""

from __future__ import annotations

from ringback.kernel.resource import Record, field, resource


@resource(
    "/v1/Configuration",
    product="conversations",
    sid="CJ",
    key="configuration",
    can=(),
    show={
        "account_sid": "account_sid",
        "default_chat_service_sid": "default_chat_service_sid",
        "default_messaging_service_sid": "default_messaging_service_sid",
        "default_inactive_timer": "default_inactive_timer",
        "default_closed_timer": "default_closed_timer",
    },
)
class Configuration(Record):
    """One record an account, made when it is first needed together with the default service."""

    default_chat_service_sid: str | None = field(None)
    """The service that the short paths mean."""
    default_messaging_service_sid: str | None = field(None)
    """The messaging service of conversations that name none."""
    default_inactive_timer: str | None = field(None)
    """ISO 8601 duration after which new conversations become inactive; null: never."""
    default_closed_timer: str | None = field(None)
    """ISO 8601 duration after which new conversations are closed; null: never."""

    owner: str = field("", hidden=True, unique="everywhere")
    """The account once more: there is one record of it, however many ask for it at once."""
