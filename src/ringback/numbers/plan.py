"""What a number is, by the numbering plan alone (call-outcomes.md §2.1, §2.2); nothing is asked of a network."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType, ValidationResult

DEFAULT_REGION: Final = "US"
"""National numbers without a country are +1 (§2)."""
TEXT_LIMIT: Final = 250
"""Characters; longer texts are no number (libphonenumber has the same limit)."""
_BEGINS: Final = re.compile(r"(tel:)?[+\uff0b(\[\s]*\d", re.IGNORECASE)
"""A number begins so; libphonenumber would also find one in the middle of a sentence."""
_PARSE_ERRORS: Final = {
    NumberParseException.INVALID_COUNTRY_CODE: "INVALID_COUNTRY_CODE",
    NumberParseException.NOT_A_NUMBER: "NOT_A_NUMBER",
    NumberParseException.TOO_SHORT_AFTER_IDD: "TOO_SHORT",
    NumberParseException.TOO_SHORT_NSN: "TOO_SHORT",
    NumberParseException.TOO_LONG: "TOO_LONG",
}
_REASONS: Final = {
    ValidationResult.INVALID_COUNTRY_CODE: "INVALID_COUNTRY_CODE",
    ValidationResult.TOO_SHORT: "TOO_SHORT",
    ValidationResult.INVALID_LENGTH: "INVALID_LENGTH",
    ValidationResult.TOO_LONG: "TOO_LONG",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "TOO_SHORT",  # an area code is missing
}
LINE_TYPES: Final = {
    PhoneNumberType.FIXED_LINE: "landline",
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "unknown",
    PhoneNumberType.TOLL_FREE: "tollFree",
    PhoneNumberType.PREMIUM_RATE: "premium",
    PhoneNumberType.SHARED_COST: "sharedCost",
    PhoneNumberType.VOIP: "nonFixedVoip",
    PhoneNumberType.PERSONAL_NUMBER: "personal",
    PhoneNumberType.PAGER: "pager",
    PhoneNumberType.UAN: "uan",
    PhoneNumberType.VOICEMAIL: "voicemail",
}
"""libphonenumber's types → the enumeration of §2.3."""


@dataclass(frozen=True, slots=True)
class Number:
    """What the numbering plan says of a text."""

    phone_number: str
    """E.164; the text itself when it is not valid."""
    valid: bool = False
    """Whether a carrier may assign it to a subscriber; not whether the line exists."""
    errors: tuple[str, ...] = field(default=())
    """Why not (§2.2); empty for valid numbers."""
    calling_country_code: str | None = None
    country_code: str | None = None
    """ISO-2; None also for numbers of no country (+800 …)."""
    national_format: str | None = None
    line_type: str | None = None
    """One of the values of :data:`LINE_TYPES`; None for invalid numbers."""


def check(text: str, region: str | None = None) -> Number:
    """Read a number in E.164, with or without ``+``, or in the national form of ``region`` (ISO-2).

    Never raises: what cannot be read is an invalid number.
    """
    given = text.strip()
    if region:
        return _checked(text, given, region.upper())
    found = _checked(text, given, DEFAULT_REGION)
    if not found.valid and given[:1].isdigit():  # E.164 whose + got lost
        other = _checked(text, "+" + given, None)
        return other if other.valid else found
    return found


def _checked(text: str, given: str, region: str | None) -> Number:
    if not _BEGINS.match(given):
        return Number(text, errors=("NOT_A_NUMBER",))
    if len(given) > TEXT_LIMIT:
        return Number(text, errors=("TOO_LONG",))
    try:
        number = phonenumbers.parse(given, region)
    except NumberParseException as error:
        return Number(text, errors=(_PARSE_ERRORS[error.error_type],))
    if not phonenumbers.is_valid_number(number):
        reason = phonenumbers.is_possible_number_with_reason(number)
        return Number(text, errors=(_REASONS.get(reason, "INVALID_BUT_POSSIBLE"),))
    country = phonenumbers.region_code_for_number(number)
    return Number(
        phonenumbers.format_number(number, PhoneNumberFormat.E164),
        valid=True,
        calling_country_code=str(number.country_code),
        country_code=country if country and country.isalpha() else None,
        national_format=phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL),
        line_type=LINE_TYPES.get(phonenumbers.number_type(number), "unknown"),
    )


def possible(e164: str) -> bool:
    """Whether a network could have assigned the number, by its country and length.

    Fictitious ranges (555 …) count: test numbers must be diallable.
    """
    if e164.startswith("+1"):  # the commonest case, without the metadata
        return len(e164) == 12
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(e164, None))
    except NumberParseException:
        return False


def region_of(e164: str) -> str | None:
    """The ISO code of the country whose range the number is in; None: it is in nobody's."""
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(e164, None))
    except NumberParseException:
        return None


def carrier_name(e164: str) -> str | None:
    """The carrier to which the range of a mobile number was given first; None when the metadata has none."""
    from phonenumbers import carrier  # its tables are large: only when somebody asks

    try:
        return carrier.name_for_number(phonenumbers.parse(e164, None), "en") or None
    except NumberParseException:
        return None


def v1_type(line_type: str | None) -> str | None:
    """The type as Lookup v1 tells it (§3): landline, mobile, voip or None."""
    if line_type in ("fixedVoip", "nonFixedVoip"):
        return "voip"
    return line_type if line_type in ("landline", "mobile") else None
