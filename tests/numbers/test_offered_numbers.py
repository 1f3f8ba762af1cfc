"""The simulator's number plan: what is offered, by country and kind (voice-calls.md §13)."""

from __future__ import annotations

from itertools import islice

import pytest

from ringback.numbers import offer, plan


def first(region: str, kind: str, count: int = 3, **wanted: str) -> list[str]:
    return list(islice(offer.candidates(region, kind, **wanted), count))


def test_the_us_begins_with_its_placeless_area() -> None:
    assert first("US", "Local") == ["+15005550100", "+15005550101", "+15005550102"]
    assert first("US", "TollFree", 1) == ["+18005550100"]
    assert first("US", "Local", 1, area="415") == ["+14155550100"]
    assert first("CA", "Local", 1, area="416") == ["+14165550100"]
    assert first("US", "Local", 1, area="416") == []
    assert offer.kinds_of("US") == ("Local", "TollFree", "Mobile")


@pytest.mark.parametrize(
    ("written", "wanted", "found"),
    [
        ("0150", "0150", "+15005550150"),
        ("555 77**", "55577**", "+15005557700"),
        ("+1 (628) 5", "+16285", "+16285550100"),
        ("2015550", "2015550", "+12015550100"),
        ("HELP", "4357", "+15005554357"),
        ("******", "******", "+15005550100"),
        ("*99", "*99", "+15005550199"),
    ],
)
def test_a_pattern_is_found_wherever_the_plan_has_it(written: str, wanted: str, found: str) -> None:
    assert offer.pattern(written) == wanted
    assert found in first("US", "Local", 2000, wanted=wanted)
    assert all(len(one) == 12 for one in first("US", "Local", 50, wanted=wanted))


@pytest.mark.parametrize("text", ["%", "a;b", "4" * 21, "1+1"])
def test_what_is_no_pattern_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="takes digits"):
        offer.pattern(text)


@pytest.mark.parametrize("region", ["GB", "DE", "FR", "CH", "BR", "JP", "AU", "IN"])
def test_other_countries_offer_what_their_numbering_plan_allows_for(region: str) -> None:
    kinds = offer.kinds_of(region)
    assert {"Local", "Mobile", "TollFree"} <= set(kinds)
    for kind in kinds:
        for number in first(region, kind):
            found = plan.check(number)
            assert (found.valid, found.country_code) == (True, region), (kind, number)
            assert offer.kind_of(number) in (kind, "Local")


def test_what_does_not_exist_has_nothing() -> None:
    assert offer.kinds_of("XX") == ()
    assert first("XX", "Local") == []
    assert first("GB", "MachineToMachine") == []
    assert first("US", "Local", 5, wanted="+2") == []


def test_an_answer_is_bounded() -> None:
    assert len(list(offer.candidates("GB", "Local"))) <= offer.MOST_ASKED
    assert len(list(offer.candidates("US", "Local", wanted="*"))) <= offer.MOST_TRIED
