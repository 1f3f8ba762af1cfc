"""Alphabets and parts at their edges (3GPP TS 23.038, TS 23.040)."""

from __future__ import annotations

import pytest

from ringback.messaging.segments import segment


@pytest.mark.parametrize(
    ("body", "encoding", "parts"),
    [
        ("", "GSM-7", 1),
        ("a" * 160, "GSM-7", 1),
        ("a" * 161, "GSM-7", 2),
        ("a" * 306, "GSM-7", 2),
        ("a" * 307, "GSM-7", 3),
        ("€" * 80, "GSM-7", 1),
        ("€" * 81, "GSM-7", 2),
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 3),  # the escape is not cut off: one septet stays empty
        ("ä" * 160, "GSM-7", 1),
        ("ç", "UCS-2", 1),
        ("\u0416" * 70, "UCS-2", 1),
        ("\u0416" * 71, "UCS-2", 2),
        ("\u0416" * 134, "UCS-2", 2),
        ("\u0416" * 135, "UCS-2", 3),
        ("\U0001f600" * 35, "UCS-2", 1),
        ("\u0416" * 66 + "\U0001f600" + "\u0416" * 66, "UCS-2", 3),  # nor is a surrogate pair
    ],
)
def test_parts(body: str, encoding: str, parts: int) -> None:
    found = segment(body)
    assert (found.encoding, found.segments) == (encoding, parts)


def test_smart_encoding_only_where_it_helps() -> None:
    found = segment("\u201cHi\u201d \u2014 it\u2019s \u2026", smart=True)
    assert (found.body, found.encoding) == ('"Hi" - it\'s ...', "GSM-7")
    assert segment("\u201c\u0416\u201d", smart=True).body == "\u201c\u0416\u201d"
    assert segment("\u201cHi\u201d").encoding == "UCS-2"
