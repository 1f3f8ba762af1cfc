"""AddressConfiguration: what a message to one of our addresses makes when no conversation knows its sender
(conversations.md §1.3)."""

from __future__ import annotations

from typing import Annotated, Final, TypedDict

from ringback.kernel.fields import http_url, sid_of
from ringback.kernel.resource import CRUD, Record, field, resource

TYPES: Final = ("sms", "whatsapp", "messenger", "gbm", "email", "rcs", "apple", "chat")
"""What an address may be of."""
FILTERS: Final = (
    "onMessageAdded", "onMessageUpdated", "onMessageRemoved", "onConversationUpdated",
    "onConversationStateUpdated", "onConversationRemoved", "onParticipantAdded", "onParticipantUpdated",
    "onParticipantRemoved", "onDeliveryUpdated",
)  # fmt: skip
"""The events that the webhook of one conversation may ask for."""


def method(text: str) -> str:
    """``GET`` or ``POST``; the official libraries write them in lower case."""
    if text.upper() not in ("GET", "POST"):
        raise ValueError("must be get or post")
    return text.upper()


class AutoCreation(TypedDict, total=False):
    """What is made of the first message of somebody unknown."""

    enabled: Annotated[bool, field(False)]
    """Whether a conversation is made."""
    type: Annotated[str | None, field(None, choices=("webhook", "studio", "default"))]
    """What is attached to it: a webhook, a Studio flow, or nothing (``default``)."""
    conversation_service_sid: Annotated[str | None, field(None, check=sid_of("IS"))]
    """The service that it is made in; null: the default one."""
    webhook_url: Annotated[str | None, field(None, check=http_url)]
    """Of ``webhook``: what is asked."""
    webhook_method: Annotated[str | None, field(None, check=method)]
    """Of ``webhook``: GET or POST."""
    webhook_filters: Annotated[list[str], field(list)]
    """Of ``webhook``: the events that it hears of."""
    studio_flow_sid: Annotated[str | None, field(None, check=sid_of("FW"))]
    """Of ``studio``: the flow."""
    studio_retry_count: Annotated[int | None, field(None)]
    """Of ``studio``: how often a failed request is made again, 0 to 3."""


def country(text: str) -> str:
    """An ISO 3166-1 alpha-2 code."""
    if len(text) != 2 or not text.isascii() or not text.isalpha():
        raise ValueError("must be the two letters of a country")
    return text.upper()


@resource(
    "/v1/Configuration/Addresses",
    product="conversations",
    sid="IG",
    key="address_configurations",
    can=CRUD,
)
class AddressConfiguration(Record):
    """What is made of a message to one of our addresses whose sender is in no open conversation."""

    type: str = field("", write="create", required=True, filter=True, choices=TYPES)
    """sms, whatsapp, messenger, gbm, email, rcs, apple or chat."""
    address: str = field("", write="create", required=True, max_length=256)
    """The address: a number (E.164) of ours; one of WhatsApp begins with ``whatsapp:``."""
    friendly_name: str | None = field(None, write=True, max_length=256)
    """A name for people."""
    auto_creation: AutoCreation = field(dict, write=True)
    """What is made."""
    address_country: str | None = field(None, write="create", check=country)
    """The country of a short code: two letters."""

    key: str | None = field(None, hidden=True, unique="account")
    """``type|address``: an address has one configuration."""
