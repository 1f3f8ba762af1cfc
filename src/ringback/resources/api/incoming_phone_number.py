"""IncomingPhoneNumber: a number at which we can be called (voice-calls.md §13)."""

from __future__ import annotations

from typing import Any

from ringback.kernel.fields import callback_url, http_method, http_url, sid_of
from ringback.kernel.resource import CRUD, Record, at, field, resource
from ringback.numbers.written import e164

KINDS = {"Local": "local", "Mobile": "mobile", "TollFree": "toll-free"}
"""Kind of a path below the list → ``type`` of its numbers."""


def _capabilities() -> dict[str, Any]:
    return {"voice": True, "sms": True, "mms": True, "fax": False}


@resource(
    "/2010-04-01/Accounts/{AccountSid}/IncomingPhoneNumbers",
    sid="PN",
    key="incoming_phone_numbers",
    can=CRUD,
    takes={
        "create": {
            "AreaCode": "In place of PhoneNumber: the first free number of a US or Canadian area code."
        }
    },
    links=("assigned_add_ons",),
    also=tuple(
        at(
            f"/2010-04-01/Accounts/{{AccountSid}}/IncomingPhoneNumbers/{kind}",
            key="incoming_phone_numbers",
            can=("list", "create"),
            tag=f"{kind} number",
        )
        for kind in KINDS
    ),
)
class IncomingPhoneNumber(Record):
    """A number at which we can be called, and what then happens."""

    phone_number: str = field(
        "",
        write="create",
        filter="part",
        unique="everywhere",
        check=e164,
        code=21421,
        missing_code=21421,
    )
    """E.164. One number belongs to one account. As a filter: a part of it, with ``*`` for any digit."""
    friendly_name: str = field("", write=True, filter=True, max_length=64, code=20002)
    """A name for people; the number itself when none is given."""
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
    voice_application_sid: str | None = field(None, write=True, check=sid_of("AP"), code=21420)
    """Wins over the voice URLs."""
    voice_caller_id_lookup: bool = field(False, write=True)
    """Kept; the caller's name is told when the network tells it."""
    voice_receive_mode: str = field("voice", write=True, choices=("voice", "fax"))
    """``voice``."""
    trunk_sid: str | None = field(None, write=True, check=sid_of("TK"))
    """Wins over application and URLs; setting one of application and trunk clears the other."""
    status_callback: str | None = field(None, write=True, check=callback_url, code=21402)
    """Told of the end of a call."""
    status_callback_method: str = field("POST", write=True, check=http_method, code=21403)
    """How the status callback is asked."""
    sms_url: str | None = field(None, write=True, check=http_url, code=21402)
    """Asked when a message comes to it, unless a conversation has it."""
    sms_method: str = field("POST", write=True, check=http_method, code=21403)
    """How the SMS URL is asked."""
    sms_fallback_url: str | None = field(None, write=True, check=http_url, code=21402)
    """Asked when the SMS URL fails."""
    sms_fallback_method: str = field("POST", write=True, check=http_method, code=21403)
    """How that fallback is asked."""
    sms_application_sid: str | None = field(None, write=True, check=sid_of("AP"), code=21420)
    """Wins over the SMS URLs."""
    address_sid: str | None = field(None, write=True, check=sid_of("AD"))
    """Kept."""
    address_requirements: str = field("none")
    """``none``."""
    identity_sid: str | None = field(None, write=True)
    """Kept."""
    bundle_sid: str | None = field(None, write=True)
    """Kept."""
    emergency_status: str = field("Inactive", write=True, choices=("Active", "Inactive"))
    """Kept; no emergency calls are placed."""
    emergency_address_sid: str | None = field(None, write=True, check=sid_of("AD"))
    """Kept."""
    emergency_address_status: str = field("unregistered")
    """Kept."""
    origin: str = field("twilio", filter=True)
    """Where the number comes from; the value that clients of the original expect."""
    beta: bool = field(False, filter=True)
    """Always false."""
    status: str = field("in-use")
    """``in-use``."""
    type: str = field("local")
    """``local``, ``mobile`` or ``toll-free``."""
    capabilities: dict[str, Any] = field(_capabilities)
    """What the number can do: ``voice``, ``sms``, ``mms``, ``fax``."""
