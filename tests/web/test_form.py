"""The same bytes as the standard library's, whatever is written."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from hypothesis import given
from hypothesis import strategies as st

from ringback.web.form import encode, encode_query

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(st.lists(st.tuples(TEXT, TEXT), max_size=8))
def test_it_writes_what_urlencode_writes(pairs: list[tuple[str, str]]) -> None:
    assert encode(pairs) == urlencode(pairs)
    assert encode_query(pairs) == urlencode(pairs, quote_via=quote)


def test_what_calls_carry() -> None:
    pairs = [("To", "+1 555~_.-"), ("Attributes", '{"a": "ü&="}'), ("Empty", ""), ("Line", "a\nb")]
    assert encode(pairs) == urlencode(pairs)
