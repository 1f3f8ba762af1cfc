"""Alphabets and parts: what is written is read again, by us and by another library, and nothing is cut in two."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smpplib import gsm

from ringback.smpp.alphabet import BASIC, EXTENSION, from_septets, septets, split
from ringback.smpp.parts import Place, header, segment, without_header
from ringback.smpp.text import UDHI, NotText, pieces, read

GSM = st.text(st.sampled_from(sorted((set(BASIC) - {"\x1b"}) | set(EXTENSION.values()))))
WHOLE = st.text(st.characters(exclude_categories=["Cs"]))


@given(GSM)
def test_the_gsm_alphabet_comes_back(text: str) -> None:
    codes = septets(text)
    assert codes is not None
    assert from_septets(codes) == text
    plain = text.translate({ord("§"): None, ord("\f"): None})  # the other library's table has neither
    assert gsm.gsm_encode(plain) == septets(plain)


@given(st.binary())
def test_any_octets_are_some_text(octets: bytes) -> None:
    assert "\x1b" not in from_septets(octets)


def test_escapes_at_the_end_and_before_nothing() -> None:
    assert from_septets(b"a\x1b") == "a"
    assert from_septets(b"\x1bA\x1b\x1b") == "A "
    assert septets("a漢") is None


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", 1), ("a" * 160, 1), ("a" * 161, 2), ("a" * 306, 2), ("a" * 307, 3), ("€" * 80, 1), ("€" * 81, 2),
        ("a" * 152 + "€" + "a" * 100, 2), ("漢" * 70, 1), ("漢" * 71, 2), ("😀" * 35, 1), ("😀" * 36, 2),
        ("漢" * 66 + "😀" + "漢" * 10, 2),
    ],
)  # fmt: skip
def test_how_many_parts(text: str, parts: int) -> None:
    assert len(split(text).parts) == parts


@given(
    st.one_of(GSM, WHOLE, GSM.map(lambda text: text * 20), WHOLE.map(lambda text: text * 15)), st.booleans()
)
def test_parts_are_the_whole_and_fit(text: str, wide: bool) -> None:
    if len(split(text, 7).parts) > 255:
        return
    made = pieces(text, 0xABCD, wide=wide)
    back = ""
    for number, piece in enumerate(made, 1):
        octets = piece.octets
        if len(made) > 1:
            assert piece.esm_class == UDHI
            octets, place = without_header(octets)
            assert place == Place("16:43981" if wide else "8:205", len(made), number)
        else:
            assert piece.esm_class == 0
        head = len(piece.octets) - len(octets)
        assert head + (len(octets) * 7 / 8 if piece.data_coding == 0 else len(octets)) <= 140
        back += read(octets, piece.data_coding)  # a pair of surrogates, an escape: never in two parts
    assert back == text


def test_more_than_255_parts_are_refused() -> None:
    with pytest.raises(ValueError, match="parts"):
        pieces("a" * 153 * 256, 1)


def test_another_default_alphabet() -> None:
    (one,) = pieces("Grüße", 1, default="latin-1")
    assert (one.octets, one.data_coding) == ("Grüße".encode("latin-1"), 0)
    assert read(one.octets, 0, "latin-1") == "Grüße"
    (euro,) = pieces("5 €", 1, default="latin-1")  # GSM has it, Latin-1 has not
    assert (euro.octets, euro.data_coding) == ("5 €".encode("utf-16-be"), 8)


@pytest.mark.parametrize("coding", [2, 4, 9, 0x14, 0xF4, 0x0B, 0x80])
def test_binary_and_unknown_alphabets_are_no_text(coding: int) -> None:
    with pytest.raises(NotText):
        read(b"abc", coding)


@pytest.mark.parametrize("coding", [0, 0x10, 0xC8, 0xD0, 0xF0, 0xF1])
def test_codings_of_the_gsm_alphabet(coding: int) -> None:
    assert read(b"\x00\x1be", coding) == "@€"


@given(st.binary(max_size=200), st.integers(0, 255))
def test_reading_never_breaks(octets: bytes, coding: int) -> None:
    with contextlib.suppress(NotText):
        read(octets, coding)


@given(st.binary(max_size=200))
def test_headers_never_break(octets: bytes) -> None:
    rest, place = without_header(octets)
    assert octets.endswith(rest)
    assert place is None or 1 <= place.number <= place.total <= 255


@pytest.mark.parametrize(("total", "number"), [(0, 1), (0, 0), (2, 0), (2, 3), (1, 1)])
def test_counts_that_cannot_be_are_ignored(total: int, number: int) -> None:
    assert without_header(header(7, total, number) + b"text") == (b"text", None)
    tags = {0x020C: b"\0\7", 0x020E: bytes([total]), 0x020F: bytes([number])}
    assert segment(tags) is None


def test_a_header_beside_others_and_a_header_longer_than_the_message() -> None:
    ports = bytes([5, 4, 0x0B, 0x84, 0, 0])
    both = bytes([11]) + ports + bytes([0, 3, 9, 2, 1])
    assert without_header(both + b"x") == (b"x", Place("8:9", 2, 1))
    assert without_header(b"\x40abc") == (b"\x40abc", None)
    assert without_header(b"") == (b"", None)
