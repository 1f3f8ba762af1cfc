"""Connection overrides (webhooks sheet, sections 4 and 5)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.web.webhooks.overrides import DEFAULTS, RANGES, parse_overrides


def test_all_keys() -> None:
    found, troubles = parse_overrides(
        "https://h/x?y=1#ct=2000&rt=3000&tt=4000&rc=2&rp=ct,5xx&sni=n&e=a,b&zz=1"
    )
    assert troubles == ()
    assert (found.connect_ms, found.read_ms, found.total_ms, found.retries) == (2000, 3000, 4000, 2)
    assert found.retry_on == {"ct", "5xx"}
    assert (found.sni, found.edges) == (False, ("a", "b"))
    assert found.retries_after("5xx")
    assert not found.retries_after("rt")


@pytest.mark.parametrize(
    "pair", ["ct=99", "ct=10001", "rt=15001", "tt=0", "rc=6", "rc=-1", "rp=3xx", "rc=²", "sni=x"]
)
def test_bad_values_warn_and_keep_the_default(pair: str) -> None:
    found, troubles = parse_overrides(f"https://h/#{pair}")
    assert found == DEFAULTS
    assert [trouble.code for trouble in troubles] == [11243]


@given(st.text(max_size=80))
def test_any_fragment_is_read_within_the_ranges(fragment: str) -> None:
    found, _ = parse_overrides("https://h/#" + fragment)
    assert RANGES["ct"][0] <= found.connect_ms <= RANGES["ct"][1]
    assert RANGES["tt"][0] <= found.total_ms <= RANGES["tt"][1]
    assert RANGES["rc"][0] <= found.retries <= RANGES["rc"][1]
