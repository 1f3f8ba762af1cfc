"""Numbers in every shape: validity, errors, national format, type (call-outcomes.md §2.1–§2.3)."""

from __future__ import annotations

import phonenumbers
import pytest
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from ringback.numbers import plan

SHAPES = [
    # text, region, E.164
    ("+14159929960", None, "+14159929960"),
    ("14159929960", None, "+14159929960"),
    ("4159929960", None, "+14159929960"),
    (" (415) 992-9960 ", None, "+14159929960"),
    ("+1 (415) 992.9960", None, "+14159929960"),
    ("tel:+1-415-992-9960", None, "+14159929960"),
    ("+14159929960;ext=12", None, "+14159929960"),
    ("\uff0b\uff11 \uff14\uff11\uff15 992 9960", None, "+14159929960"),
    ("+\u0661\u0664\u0661\u0665\u0669\u0669\u0662\u0669\u0669\u0666\u0660", None, "+14159929960"),
    ("020 7946 0018", "GB", "+442079460018"),
    ("020 7946 0018", "gb", "+442079460018"),
    ("+442079460018", "US", "+442079460018"),
    ("442079460018", None, "+442079460018"),
    ("0041 44 668 18 00", "DE", "+41446681800"),
    ("06 12 34 56 78", "FR", "+33612345678"),
    ("1-800-FLOWERS", "US", "+18003569377"),
]


@pytest.mark.parametrize(("text", "region", "e164"), SHAPES)
def test_one_number_in_many_shapes(text: str, region: str | None, e164: str) -> None:
    found = plan.check(text, region)
    assert (found.phone_number, found.valid, found.errors) == (e164, True, ())
    assert e164.startswith("+" + str(found.calling_country_code))


BAD = [
    ("+141599299600", None, "TOO_LONG"),
    ("+1415992", None, "TOO_SHORT"),
    ("+12", None, "NOT_A_NUMBER"),
    ("5551234", None, "TOO_SHORT"),
    ("+4912", None, "TOO_SHORT"),
    ("+999123456789", None, "INVALID_COUNTRY_CODE"),
    ("0207946001", "ZZ", "INVALID_COUNTRY_CODE"),
    ("+15551234567", None, "INVALID_BUT_POSSIBLE"),
    ("+1" + "4" * 400, None, "TOO_LONG"),
    ("", None, "NOT_A_NUMBER"),
    ("+", None, "NOT_A_NUMBER"),
    ("abc", None, "NOT_A_NUMBER"),
    ("call me at +14159929960", None, "NOT_A_NUMBER"),
    ("\u202e+14159929960", None, "NOT_A_NUMBER"),
    ("+1\u00004159929960", None, "NOT_A_NUMBER"),
    ("\U0001f4de", None, "NOT_A_NUMBER"),
    ("sip:bob@example.com", None, "NOT_A_NUMBER"),
    ("'; DROP TABLE calls; --", None, "NOT_A_NUMBER"),
    ("911", None, "TOO_SHORT"),
]


@pytest.mark.parametrize(("text", "region", "error"), BAD)
def test_why_a_number_is_not_valid(text: str, region: str | None, error: str) -> None:
    found = plan.check(text, region)
    assert (found.valid, found.errors, found.phone_number) == (False, (error,), text)
    assert (found.calling_country_code, found.country_code, found.national_format) == (None, None, None)


def test_a_length_between_two_that_exist_is_an_invalid_length() -> None:
    """Regions with gaps between their lengths: the package's own verdict is found and told."""
    seen = set()
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        lengths = phonenumbers.PhoneMetadata.metadata_for_region(region).general_desc.possible_length
        code = phonenumbers.country_code_for_region(region)
        for size in set(range(min(lengths), max(lengths))) - set(lengths):
            seen |= set(plan.check(f"+{code}{'2' * size}").errors)
    assert "INVALID_LENGTH" in seen


TYPES = {
    PhoneNumberType.FIXED_LINE: {"landline", "unknown"},  # unknown: fixed line or mobile
    PhoneNumberType.MOBILE: {"mobile", "unknown"},
    PhoneNumberType.TOLL_FREE: {"tollFree"},
    PhoneNumberType.PREMIUM_RATE: {"premium"},
    PhoneNumberType.SHARED_COST: {"sharedCost"},
    PhoneNumberType.VOIP: {"nonFixedVoip"},
    PhoneNumberType.PERSONAL_NUMBER: {"personal"},
    PhoneNumberType.PAGER: {"pager"},
    PhoneNumberType.UAN: {"uan"},
    PhoneNumberType.VOICEMAIL: {"voicemail"},
}


def test_every_example_number_of_the_package() -> None:
    """All regions, all types: E.164 and national form are read back, and the type is the one it stands for.

    A few examples lie in ranges of two types; libphonenumber's own verdict decides there.
    """
    checked = 0
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind, names in TYPES.items():
            example = phonenumbers.example_number_for_type(region, kind)
            if example is None or not phonenumbers.is_valid_number(example):
                continue
            e164 = phonenumbers.format_number(example, PhoneNumberFormat.E164)
            found = plan.check(e164)
            assert (found.phone_number, found.valid) == (e164, True)
            if phonenumbers.number_type(example) == kind:
                assert found.line_type in names, e164
            national = phonenumbers.format_number(example, PhoneNumberFormat.NATIONAL)
            assert found.national_format == national
            assert plan.check(national, region).valid, (national, region)
            checked += 1
    assert checked > 1000


def test_numbers_of_no_country() -> None:
    found = plan.check("+80012345678")
    assert (found.valid, found.country_code, found.line_type) == (True, None, "tollFree")


def test_carrier_and_v1_type() -> None:
    assert plan.carrier_name("+447400123456")
    assert plan.carrier_name("+14155551212") is None
    assert plan.carrier_name("nonsense") is None
    shown = [plan.v1_type(one) for one in ("mobile", "landline", "nonFixedVoip", "fixedVoip", "uan", None)]
    assert shown == ["mobile", "landline", "voip", "voip", None, None]


@pytest.mark.parametrize(
    ("e164", "may"),
    [
        ("+15551234567", True), ("+441632960001", True), ("+4930901820", True), ("+10155551234", False),
        ("+1415555", False), ("+4416329", False), ("+999123456789", False), ("+112", False),
    ],
)  # fmt: skip
def test_what_a_network_could_have_assigned(e164: str, may: bool) -> None:
    """An area code belongs to it: without one nobody abroad can call."""
    assert plan.possible(e164) == may


@pytest.mark.parametrize(
    ("called", "region"),
    [("+14155550100", "US"), ("+15550100", "US"), ("+16045550100", "CA"), ("+442079460018", "GB"),
     ("+80012345678", None), ("sip:bob@example.test", None), ("", None)],
)  # fmt: skip
def test_the_region_that_was_dialled(called: str, region: str | None) -> None:
    assert plan.dialled_region(called) == region
