"""Sample values: what stands in examples where a reader would put something of their own.

By the name of a parameter; what has no entry gets a value of its kind. Numbers are those that are reserved for fiction.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from ringback.kernel.resource import Field

X: Final = "X" * 32

PARTS: Final = {
    "PhoneNumber": "+14155550101",
    "CountryCode": "US",
    "IsoCode": "US",
    "Field": "line_type_intelligence",
}
"""Parts of paths that are no SIDs."""

VALUES: Final = {
    "To": "+15551230001",
    "From": "+15550100",
    "Twiml": "<Response><Say>Hello from Ringback</Say></Response>",
    "Url": "https://example.com/voice",
    "VoiceUrl": "https://example.com/voice",
    "StatusCallback": "https://example.com/status",
    "FriendlyName": "Support",
    "UniqueName": "support",
    "PhoneNumber": "+15551239999",
    "AreaCode": "555",
    "Attributes": '{"language": "en"}',
    "Configuration": '{"task_routing": {"filters": [], "default_filter": {"queue": "WQ' + X + '"}}}',
    "TargetWorkers": "1==1",
    "Capacity": "2",
    "Prefix": "+4490",
    "Muted": "true",
    "ReservationStatus": "accepted",
    "Available": "true",
    "Identity": "alice",
    "MaxSize": "100",
    "IsoCode": "US",
    "Reason": "The caller rang off",
    "UpdateRequest": '[{"iso_code": "CH", "low_risk_numbers_enabled": "true"}]',
    "DialingPermissionsInheritance": "false",
    "line_type": "mobile",
    "reason": "They told us",
    "phone_numbers": '[{"phone_number": "+14155550101"}]',
    "QueueSids": "WQ" + X,
    "Source": "CA" + X,
    "token": "eyJhbGciOi…",
    "Method": "POST",
}
"""Parameters of forms."""

AT: Final = {"IncomingPhoneNumbers/TollFree": {"PhoneNumber": "+18005550199"}}
"""Part of a path → parameters of forms that are others there."""

PREFERRED: Final = (
    "Twiml", "WorkflowSid", "AreaCode", "PhoneNumber", "Attributes", "FriendlyName", "VoiceUrl",
    "ReservationStatus", "Muted", "Capacity", "Status", "Url",
)  # fmt: skip
"""Which parameter an example of an update shows, and which ones an example of a create where few are required."""


def path_value(name: str, prefixes: Mapping[str, str]) -> str:
    """What stands for a part of a path: ``WSXXXX…`` for a SID; no record has it. ``prefixes``: by the part's name."""
    return PARTS.get(name) or prefixes.get(name, name[:2].upper()) + X


def form_value(
    name: str,
    prefixes: Mapping[str, str],
    field: Field | None = None,
    choices: tuple[str, ...] = (),
    doc: str = "",
) -> str:
    """A value that a parameter may have; a documentation that begins with the words allowed gives the first one."""
    if name in VALUES:
        return VALUES[name]
    if choices:
        return choices[0]
    if name.endswith("Sid"):
        return path_value(name, prefixes)
    allowed = re.match(r"(?:``)?([a-z][\w-]*)(?:``)?(?=:|,| or )", doc)
    if allowed is not None:
        return allowed[1]
    kind = field.kind if field is not None else "str"
    return {"int": "1", "float": "1", "bool": "true", "json": "{}"}.get(kind, "example")


def field_value(field: Field, prefixes: Mapping[str, str]) -> Any:
    """The value of a record's field in a sample answer, where the default would tell nothing; None: leave it."""
    if field.kind != "str" or field.optional or field.hidden or field.initial() not in ("", None):
        return None
    if field.param in VALUES:
        return VALUES[field.param]
    if field.name.endswith("_sid"):
        return path_value(field.param, prefixes)
    return field.choices[0] if field.choices else ""
