"""LineTypeOverride: a line type that the account knows better than the numbering plan (call-outcomes.md §2.3)."""

from __future__ import annotations

from ringback.kernel.resource import Record, field, resource

LINE_TYPES = (
    "mobile", "landline", "fixedVoip", "nonFixedVoip", "personal", "tollFree", "premium", "sharedCost", "uan",
    "voicemail", "pager", "unknown",
)  # fmt: skip


@resource(
    "/v2/PhoneNumbers/{PhoneNumber}/Overrides",
    sid="LO",
    key="overrides",
    product="lookups",
    can=(),
    show={
        "phone_number": "phone_number",
        "original_line_type": "original_line_type",
        "overridden_line_type": "overridden_line_type",
        "override_reason": "override_reason",
        "override_timestamp": "date_updated",
        "overridden_by_account_sid": "account_sid",
    },
    tag="Line type overrides",
)
class LineTypeOverride(Record):
    """Replaces the line type of a number: GET, POST, PUT and DELETE of ``…/Overrides/line_type``."""

    phone_number: str = field("", unique="account")
    """E.164."""
    original_line_type: str | None = field(None)
    """What the numbering plan says."""
    overridden_line_type: str = field("unknown", choices=LINE_TYPES)
    """What is answered instead."""
    override_reason: str | None = field(None)
    """Why, in the words of the request."""
