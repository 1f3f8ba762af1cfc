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
_ZERO: Final = re.compile(r"\+[1-9][0-9]{0,2}0")
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
    """Whether a network could have assigned the number, by its country and length, with its area code.

    Fictitious ranges (555 …) count: test numbers must be diallable.
    """
    if e164.startswith("+1"):  # the commonest case, without the metadata
        return len(e164) == 12 and e164[2] not in "01"
    number = _parsed(e164, None)
    return number is not None and _assignable(number)


def understood(digits: str, region: str) -> str | None:
    """What a person in ``region`` (ISO-2) means by digits, with or without a ``+``, in E.164; None: nothing possible.

    Ten digits of a country of +1 are its national form, eleven from a 1 have the country code: no other reading is
    tried. Elsewhere the national form comes before a country code without its ``+``, and a number that may be
    assigned before one that only has the length of such.
    """
    if digits[0] != "+" and phonenumbers.country_code_for_region(region) == 1:
        if len(digits) == 10 and digits[0] not in "01":
            digits = "+1" + digits
        elif len(digits) == 11 and digits[0] == "1":
            digits = "+" + digits
    texts = [digits] if digits[0] in "+0" else [digits, "+" + digits]
    read = [number for number in (_parsed(text, region) for text in texts) if number is not None]
    for judge in (phonenumbers.is_valid_number, _assignable):
        for number in read:
            if judge(number):
                return phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return None


def _parsed(text: str, region: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region)
    except NumberParseException:
        return None


def _assignable(number: phonenumbers.PhoneNumber) -> bool:
    """By its length, with the area code; those of +1 begin with 2 to 9."""
    if phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        return False
    return number.country_code != 1 or phonenumbers.national_significant_number(number)[0] not in "01"


def without_trunk_zero(e164: str) -> str:
    """``+44 (0)1632 …`` as ``+441632 …``: where the 0 is only dialled within the country, it goes."""
    if not _ZERO.match(e164):  # nearly all: without the metadata
        return e164
    number = _parsed(e164, None)
    if number is None or not phonenumbers.is_possible_number(number):
        return e164
    code, found = f"+{number.country_code}", phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return found if e164 == f"{code}0{found.removeprefix(code)}" else e164


def dialled_region(e164: str) -> str | None:
    """The ISO code of the country of a number that need not be assigned: by its range, else by its country code."""
    number = _parsed(e164, None)
    if number is None:
        return None
    found = region_of(e164) or phonenumbers.region_code_for_country_code(number.country_code or 0)
    return found if found.isalpha() and found != "ZZ" else None


def region_of(e164: str) -> str | None:
    """The ISO code of the country whose range the number is in; None: it is in nobody's."""
    number = _parsed(e164, None)
    return None if number is None else phonenumbers.region_code_for_number(number)


def carrier_name(e164: str) -> str | None:
    """The carrier to which the range of a mobile number was given first; None when the metadata has none."""
    from phonenumbers import carrier  # its tables are large: only when somebody asks

    number = _parsed(e164, None)
    return None if number is None else carrier.name_for_number(number, "en") or None


def v1_type(line_type: str | None) -> str | None:
    """The type as Lookup v1 tells it (§3): landline, mobile, voip or None."""
    if line_type in ("fixedVoip", "nonFixedVoip"):
        return "voip"
    return line_type if line_type in ("landline", "mobile") else None
