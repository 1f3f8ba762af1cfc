"""The countries: all of the package, and whose a number is (call-outcomes.md §4.1)."""

from __future__ import annotations

import phonenumbers
import pytest

from ringback.outcomes.countries import countries, country_of


def test_the_countries_are_those_of_the_package() -> None:
    places = countries()
    assert set(places) == set(phonenumbers.SUPPORTED_REGIONS) | {"001"}
    assert (places["GB"].name, places["GB"].continent) == ("United Kingdom", "EUROPE")
    assert places["US"].country_codes == ("+1",)
    assert all(place.name and place.continent and place.country_codes for place in places.values())
    assert "+881" in places["001"].country_codes


@pytest.mark.parametrize(
    ("number", "country"),
    [
        ("+14155551212", "US"), ("+16045551212", "CA"), ("+18765551212", "JM"), ("+15550001111", "US"),
        ("+442079460018", "GB"), ("+441534123456", "JE"), ("+77012345678", "KZ"), ("+79161234567", "RU"),
        ("+33612345678", "FR"), ("+881612345678", "001"), ("+999123456", None), ("+1", "US"), ("+", None),
    ],
)  # fmt: skip
def test_the_country_of_a_number(number: str, country: str | None) -> None:
    assert country_of(number) == country
