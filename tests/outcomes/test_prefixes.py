"""Prefixes read off the numbering plans' patterns."""

from __future__ import annotations

import re

import phonenumbers
import pytest
from phonenumbers import PhoneNumberType

from ringback.outcomes import prefixes
from ringback.outcomes.countries import countries


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        (r"900\d{6}", ["900"]),
        (r"900[2-4]\d{6}", ["9002", "9003", "9004"]),
        (r"9(?:0[01]|8)\d{7}", ["900", "901", "98"]),
        (r"8(?:4[2-5]|7)\d{7}|845464\d", ["842", "843", "844", "845", "87"]),
        (r"12?3\d\d", ["123", "13"]),
        (r"90\d{4}(?:\d{3})?", ["90"]),
        (r"1{2,3}5\d", ["1115", "115"]),
        (r"\d{5}", []),
    ],
)
def test_prefixes_of_a_pattern(pattern: str, found: list[str]) -> None:
    assert prefixes.of_pattern(pattern) == found


@pytest.mark.parametrize("pattern", [r"1(?:2|\d3)4\d", r"(?:5|67?)8{1,2}[13]", r"2(?:\d\d)?9\d"])
def test_prefixes_mean_what_the_pattern_means(pattern: str) -> None:
    """Every match begins with a prefix, and every prefix begins a match."""
    made = prefixes.of_pattern(pattern)
    matching = [str(number) for number in range(100, 100_000) if re.fullmatch(pattern, str(number))]
    assert matching
    assert all(any(one.startswith(prefix) for prefix in made) for one in matching)
    assert all(any(one.startswith(prefix) for one in matching) for prefix in made)


@pytest.mark.parametrize("pattern", ["9.+", "9(?=1)", "(?:90", "90)", "9*"])
def test_an_unknown_construct_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="'"):
        prefixes.of_pattern(pattern)


def test_every_premium_and_shared_cost_number_has_a_prefix() -> None:
    """Over all countries of the package; a newer package with unknown constructs fails here."""
    total = examples = 0
    for iso_code in countries():
        plan = prefixes.of_country(iso_code)
        total += len(plan)
        if iso_code == "001":
            continue
        for kind in (PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST):
            example = phonenumbers.example_number_for_type(iso_code, kind)
            if example is not None:
                e164 = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
                assert prefixes.longest(e164, plan), e164
                examples += 1
    assert examples > 150
    assert 500 < total < 5_000


def test_the_longest_prefix_wins() -> None:
    table = {"+44": "a", "+4490": "b", "+44901": "c"}
    assert [prefixes.longest(one, table) for one in ("+449012", "+449022", "+4420", "+33", "+", "")] == [
        "+44901", "+4490", "+44", None, None, None,
    ]  # fmt: skip
