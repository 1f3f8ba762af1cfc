"""Dialling permissions: the table that the voice core asks (call-outcomes.md §4, §4.1)."""

from __future__ import annotations

from typing import Any

import pytest

from ringback.numbers.emergency import is_emergency
from ringback.outcomes.permissions import Permissions
from ringback.resources.api.account import Account
from ringback.resources.voice.blocked_number import BlockedNumber
from ringback.resources.voice.country import Country
from ringback.resources.voice.dialing_settings import DialingSettings
from ringback.resources.voice.high_risk_prefix import HighRiskPrefix

MAIN, SUB = "AC" + "1" * 32, "AC" + "2" * 32
US, UK, FRANCE = "+14155551212", "+442079460018", "+33612345678"
UK_PREMIUM, DE_SHARED, SATELLITE = "+449012345678", "+491801234567", "+881612345678"


def country(iso_code: str, account: str = MAIN, low: bool = True, **flags: bool) -> Country:
    names = {"special": "high_risk_special_numbers_enabled", "toll": "high_risk_tollfraud_numbers_enabled"}
    options: dict[str, Any] = {names[name]: value for name, value in flags.items()}
    return Country(
        sid=f"DC{iso_code}", account_sid=account, iso_code=iso_code, low_risk_numbers_enabled=low, **options
    )


def table(*records: Any, **options: Any) -> Permissions:
    made = Permissions(**options)
    made.follow(Account(sid=SUB, account_sid=MAIN))
    for record in records:
        made.follow(record)
    return made


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (US, None), (UK, None), ("+15557770001", None), (UK_PREMIUM, 21202), ("+19002345678", 21202),
        (DE_SHARED, 21215), (SATELLITE, 21215), ("+97912345", 21202), ("+999123456", 21214),
        ("+37618001234", None),  # toll-free; begins like a premium number that is shorter
        ("911", 21214), ("112", 21214), ("999", 21214), ("123", 21211), ("12345678", 21211),
        ("sip:911@trunk", None), ("client:bob", None), ("", None), ("+", 21214),
        ("+\u0661\u0664\u0661", 21214), ("\u0669\u0661\u0661", None),
    ],
)  # fmt: skip
def test_what_holds_when_nothing_is_said(number: str, code: int | None) -> None:
    assert table().refuse(number, MAIN) == code


def test_home_country_only() -> None:
    rights = table(default="home", home="GB")
    assert [rights.refuse(one, MAIN) for one in (UK, US, FRANCE, UK_PREMIUM)] == [None, 21215, 21215, 21202]
    rights.follow(country("FR"))
    assert rights.refuse(FRANCE, MAIN) is None


def test_a_country_is_switched_off_and_on() -> None:
    rights = table(country("GB", low=False))
    assert [rights.refuse(one, MAIN) for one in (UK, UK_PREMIUM, FRANCE)] == [21215, 21215, None]
    rights.follow(country("GB", low=False, special=True))
    assert [rights.refuse(one, MAIN) for one in (UK, UK_PREMIUM)] == [21215, None]
    rights.follow(country("GB"), gone=True)
    assert rights.refuse(UK, MAIN) is None


def test_the_longest_prefix_decides_before_the_country() -> None:
    rights = table(
        HighRiskPrefix(sid="DX1", account_sid=MAIN, prefix="+4420", kind="tollfraud"),
        HighRiskPrefix(sid="DX2", account_sid=MAIN, prefix="+44207946", kind="low"),
        HighRiskPrefix(sid="DX3", account_sid=MAIN, prefix="+4490123", kind="low"),
    )
    numbers = ("+442079460018", "+442012345678", "+449012345678", "+449019345678")
    assert [rights.refuse(one, MAIN) for one in numbers] == [None, 21215, None, 21202]
    rights.follow(country("GB", toll=True))
    assert rights.refuse("+442012345678", MAIN) is None
    rights.follow(HighRiskPrefix(sid="DX2", account_sid=MAIN, prefix="+44207946"), gone=True)
    rights.follow(country("GB"))
    assert rights.refuse("+442079460018", MAIN) == 21215


def test_blocked_numbers_and_the_order_of_codes() -> None:
    rights = table(
        *(
            BlockedNumber(sid=f"DB{index}", account_sid=MAIN, phone_number=number)
            for index, number in enumerate((US, UK_PREMIUM, FRANCE))
        ),
        country("FR", low=False),
    )
    assert [rights.refuse(one, MAIN) for one in (US, UK_PREMIUM, FRANCE)] == [21216, 21216, 21215]
    assert rights.refuse(US, SUB) == 21216  # the main account's entries hold below it
    rights.follow(BlockedNumber(sid="DB0", account_sid=MAIN, phone_number=US), gone=True)
    assert rights.refuse(US, MAIN) is None


def test_a_subaccount_inherits_until_it_says_otherwise() -> None:
    rights = table(country("GB", low=False), country("FR", account=SUB, low=False))
    assert (rights.inherits(SUB), rights.inherits(MAIN)) == (True, False)
    assert [rights.refuse(one, SUB) for one in (UK, FRANCE)] == [21215, None]
    rights.follow(DialingSettings(sid="DT1", account_sid=SUB, dialing_permissions_inheritance=False))
    assert rights.inherits(SUB) is False
    assert [rights.refuse(one, SUB) for one in (UK, FRANCE)] == [None, 21215]
    assert rights.refuse(UK, MAIN) == 21215


def test_emergency_numbers_only_where_configured() -> None:
    rights = table(emergency_numbers=("112",), home="DE")
    assert [rights.refuse(one, MAIN) for one in ("112", "911", "110")] == [None, 21214, 21214]
    assert is_emergency("15", "FR")
    assert not is_emergency("15", "US")
    assert not is_emergency("1" * 30, "US")
    assert not is_emergency("\u0661\u0661\u0662", "US")


def test_countries_as_they_are_shown() -> None:
    rights = table(country("GB", low=False, special=True))
    shown = rights.country(MAIN, "GB")
    assert shown is not None
    flags = (shown.low_risk_numbers_enabled, shown.high_risk_special_numbers_enabled)
    assert (shown.name, shown.country_codes, flags) == ("United Kingdom", ["+44"], (False, True))
    assert rights.country(MAIN, "ZZ") is None
    every = rights.countries(MAIN)
    assert len({one.sid for one in every}) == len(every) > 240
    assert sum(one.low_risk_numbers_enabled for one in every) == len(every) - 1


def test_special_prefixes_with_the_accounts_own() -> None:
    rights = table()
    assert "+4490" in rights.special_prefixes(MAIN, "GB")
    rights.follow(HighRiskPrefix(sid="DX1", account_sid=MAIN, prefix="+4490", kind="low"))
    rights.follow(HighRiskPrefix(sid="DX2", account_sid=MAIN, prefix="+442099", kind="special"))
    found = rights.special_prefixes(MAIN, "GB")
    assert ("+4490" in found, "+442099" in found) == (False, True)
    assert found == sorted(found)
