"""Configuration: what an account's Conversations are set to (conversations.md §1)."""

from __future__ import annotations

from ringback.kernel.duration import seconds
from ringback.kernel.fields import sid_of
from ringback.kernel.resource import Record, field, resource


def duration(text: str) -> str:
    """An ISO 8601 duration, as it was written."""
    seconds(text)
    return text


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
    links={
        "service": "/v1/Services/{default_chat_service_sid}/Configuration",
        "webhooks": "/v1/Configuration/Webhooks",
    },
)
class Configuration(Record):
    """One record an account, made when it is first needed together with the default service."""

    default_chat_service_sid: str | None = field(None, write="update", check=sid_of("IS"))
    """The service that the short paths mean."""
    default_messaging_service_sid: str | None = field(None, write="update", check=sid_of("MG"))
    """The messaging service of conversations that name none."""
    default_inactive_timer: str | None = field(None, write="update", check=duration, code=50379)
    """ISO 8601 duration after which new conversations become inactive; null: never."""
    default_closed_timer: str | None = field(None, write="update", check=duration, code=50380)
    """ISO 8601 duration after which new conversations are closed; null: never."""

    owner: str = field("", hidden=True, unique="everywhere")
    """The account once more: there is one record of it, however many ask for it at once."""
