"""AlphaSender: a name that a messaging service writes by."""

from __future__ import annotations

import re

from ringback.kernel.resource import Record, field, resource

_NAME = re.compile(r"(?=[A-Za-z0-9 +\-_&]*[A-Za-z])[A-Za-z0-9 +\-_&]{1,11}\Z")


def _name(text: str) -> str:
    if not _NAME.match(text.strip()):
        raise ValueError("must be at most 11 letters, digits and blanks, with one letter at least")
    return text.strip()


@resource(
    "/v1/Services/{MessagingServiceSid}/AlphaSenders",
    product="messaging",
    sid="AI",
    key="alpha_senders",
    can=("list", "create", "fetch", "delete"),
    table="messaging_alpha_senders",
    tag="Alpha sender",
)
class AlphaSender(Record):
    """A name that recipients see in place of a number, where networks show one; it cannot be answered."""

    messaging_service_sid: str = field("", name="service_sid", index=True)
    """The service."""
    alpha_sender: str = field(
        "", required=True, check=_name, code=21709, missing_code=21709, unique="messaging_service_sid"
    )
    """The name."""
    capabilities: list[str] = field(list)
    """``SMS``."""
