"""Application: TwiML instructions to be used by name (voice-calls.md §13)."""

from __future__ import annotations

from ringback.kernel.fields import callback_url, http_method, http_url
from ringback.kernel.resource import CRUD, Record, field, resource


@resource("/2010-04-01/Accounts/{AccountSid}/Applications", sid="AP", key="applications", can=CRUD)
class Application(Record):
    """A set of URLs that calls and messages may name in place of their own."""

    friendly_name: str = field("", write=True, filter=True, index=True, max_length=64, code=20002)
    """A name for people; at most 64 characters."""
    api_version: str = field("2010-04-01", write=True, choices=("2010-04-01", "2008-08-01"))
    """``2010-04-01``."""
    voice_url: str | None = field(None, write=True, check=http_url, code=21402)
    """Asked for instructions when a call arrives."""
    voice_method: str = field("POST", write=True, check=http_method, code=21403)
    """How the voice URL is asked."""
    voice_fallback_url: str | None = field(None, write=True, check=http_url, code=21402)
    """Asked when the voice URL fails."""
    voice_fallback_method: str = field("POST", write=True, check=http_method, code=21403)
    """How the fallback is asked."""
    voice_caller_id_lookup: bool = field(False, write=True)
    """Kept; the caller's name is told when the network tells it."""
    status_callback: str | None = field(None, write=True, check=callback_url, code=21402)
    """Told of the end of a call."""
    status_callback_method: str = field("POST", write=True, check=http_method, code=21403)
    """How the status callback is asked."""
    sms_url: str | None = field(None, write=True, check=http_url, code=21402)
    """Asked when a message comes to a number that names it."""
    sms_method: str = field("POST", write=True, check=http_method, code=21403)
    """How the SMS URL is asked."""
    sms_fallback_url: str | None = field(None, write=True, check=http_url, code=21402)
    """Asked when the SMS URL fails."""
    sms_fallback_method: str = field("POST", write=True, check=http_method, code=21403)
    """How that fallback is asked."""
    sms_status_callback: str | None = field(None, write=True, check=callback_url, code=21402)
    """The older name of the message status callback; that one wins."""
    message_status_callback: str | None = field(None, write=True, check=callback_url, code=21402)
    """Told what becomes of messages that name this application."""
    public_application_connect_enabled: bool = field(False, write=True)
    """Kept."""
