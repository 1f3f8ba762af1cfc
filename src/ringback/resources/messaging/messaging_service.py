"""MessagingService: a pool of senders, and what they have in common."""

from __future__ import annotations

from ringback.kernel.fields import callback_url, http_method, http_url
from ringback.kernel.resource import CRUD, Record, field, resource


@resource(
    "/v1/Services",
    product="messaging",
    sid="MG",
    key="services",
    can=CRUD,
    table="messaging_services",
    links=("phone_numbers", "alpha_senders"),
    tag="Service",
)
class MessagingService(Record):
    """Senders that write as one: which of them does is chosen for each recipient."""

    friendly_name: str = field(required=True, write=True, max_length=64, code=20002, missing_code=20002)
    """A name for people; at most 64 characters."""
    inbound_request_url: str | None = field(None, write=True, check=http_url, code=21402)
    """Asked when a message comes to one of the numbers, in place of the number's own URL."""
    inbound_method: str = field("POST", write=True, check=http_method, code=21403)
    """How it is asked."""
    fallback_url: str | None = field(None, write=True, check=http_url, code=21402)
    """Asked when the inbound URL fails."""
    fallback_method: str = field("POST", write=True, check=http_method, code=21403)
    """How the fallback is asked."""
    status_callback: str | None = field(None, write=True, check=callback_url, code=21609)
    """Told what becomes of a message that names no callback of its own."""
    sticky_sender: bool = field(True, write=True)
    """Whether a recipient is always written to by the same sender."""
    mms_converter: bool = field(True, write=True)
    """Kept; nothing is converted."""
    smart_encoding: bool = field(True, write=True)
    """Whether typographic characters become plain ones, when the text is shorter on the air then."""
    scan_message_content: str = field("inherit", write=True, choices=("inherit", "enable", "disable"))
    """Kept; nothing is scanned."""
    fallback_to_long_code: bool = field(True, write=True)
    """Kept: short codes are no senders here yet."""
    area_code_geomatch: bool = field(True, write=True)
    """Whether a number of the recipient's area code is preferred, in the US and Canada."""
    validity_period: int = field(36_000, write=True)
    """Seconds for which a message may wait to be sent; 1 to 36,000."""
    synchronous_validation: bool = field(False, write=True)
    """Kept; every message is checked at once."""
    usecase: str = field("undeclared", write=True, max_length=64)
    """Kept: notifications, marketing …"""
    us_app_to_person_registered: bool = field(False)
    """Always false."""
    use_inbound_webhook_on_number: bool = field(False, write=True)
    """Whether the number's own URL is asked, not the service's."""
