"""HighRiskPrefix: a range that an account declares risky (call-outcomes.md §4.1)."""

from __future__ import annotations

import re

from ringback.kernel.resource import CRUD, Record, field, resource

_PREFIX = re.compile(r"\+[1-9][0-9]{1,14}\Z")


def prefix(text: str) -> str:
    """``+`` and 2 to 15 digits; blanks, dashes and brackets are taken out. Raises ``ValueError``."""
    tidy = re.sub(r"[\s().-]", "", text)
    if _PREFIX.match(tidy) is None:
        raise ValueError("must be + and 2 to 15 digits, beginning with a country code")
    return tidy


@resource(
    "/v1/DialingPermissions/HighRiskPrefixes",
    sid="DX",
    key="high_risk_prefixes",
    product="voice",
    can=CRUD,
    tag="High-risk prefixes of the account",
)
class HighRiskPrefix(Record):
    """A range of numbers that is riskier than its country. An extension: the original has a list of its own.

    The longest prefix of a number, of these and of the numbering plans, says what kind of number it is.
    """

    prefix: str = field(required=True, write="create", unique="account", filter=True, check=prefix)
    """E.164 digits with which the numbers begin: ``+1510720``."""
    kind: str = field("tollfraud", write=True, filter=True, choices=("special", "tollfraud", "low"))
    """``special``, ``tollfraud``, or ``low`` for a range that is no risk in spite of a shorter prefix."""
    friendly_name: str = field("", write=True, max_length=64, code=20002)
    """Why it is here."""
