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
    api_version: str = field("2010-04-01", write=True, choices=("2010-04-01", "2008-08-01"))
    voice_url: str | None = field(None, write=True, check=http_url, code=21402)
    voice_method: str = field("POST", write=True, check=http_method, code=21403)
    voice_fallback_url: str | None = field(None, write=True, check=http_url, code=21402)
    voice_fallback_method: str = field("POST", write=True, check=http_method, code=21403)
    voice_application_sid: str | None = field(None, write=True, check=sid_of("AP"), code=21420)
    """Wins over the voice URLs."""
    voice_caller_id_lookup: bool = field(False, write=True)
    voice_receive_mode: str = field("voice", write=True, choices=("voice", "fax"))
    trunk_sid: str | None = field(None, write=True, check=sid_of("TK"))
    """Wins over application and URLs; setting one of application and trunk clears the other."""
    status_callback: str | None = field(None, write=True, check=callback_url, code=21402)
    status_callback_method: str = field("POST", write=True, check=http_method, code=21403)
    sms_url: str | None = field(None, write=True, check=http_url, code=21402)
    sms_method: str = field("POST", write=True, check=http_method, code=21403)
    sms_fallback_url: str | None = field(None, write=True, check=http_url, code=21402)
    sms_fallback_method: str = field("POST", write=True, check=http_method, code=21403)
    sms_application_sid: str | None = field(None, write=True, check=sid_of("AP"), code=21420)
    address_sid: str | None = field(None, write=True, check=sid_of("AD"))
    address_requirements: str = field("none")
    identity_sid: str | None = field(None, write=True)
    bundle_sid: str | None = field(None, write=True)
    emergency_status: str = field("Inactive", write=True, choices=("Active", "Inactive"))
    emergency_address_sid: str | None = field(None, write=True, check=sid_of("AD"))
    emergency_address_status: str = field("unregistered")
    origin: str = field("twilio", filter=True)
    """Where the number comes from; the value that clients of the original expect."""
    beta: bool = field(False, filter=True)
    status: str = field("in-use")
    type: str = field("local")
    """local, mobile or toll-free."""
    capabilities: dict[str, Any] = field(_capabilities)
