"""The texts of people, applications and trunks in E.164."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.numbers.written import e164, readings, shown

RULES = {
    "a form": lambda text: e164(text),
    "a document": lambda text: e164(text, plus_lost=False),
    "a keypad": lambda text: e164(text, None),
    "Germany": lambda text: e164(text, "DE"),
}


@pytest.mark.parametrize(
    ("text", "form", "document", "keypad"),
    [
        ("+14155551212", *["+14155551212"] * 3),
        ("+1 (415) 555-12.12", *["+14155551212"] * 3),
        ("+44 20 7946 0018", *["+442079460018"] * 3),
        ("(415) 555-1212", "+14155551212", "+14155551212", "+4155551212"),
        ("14155551212", *["+14155551212"] * 3),
        ("442079460018", "+442079460018", "", "+442079460018"),
        ("5551212", "+5551212", "", "+5551212"),
        *(
            (text, "", "", "")
            for text in ("", "+", "0415555121", "+0415", "1" * 16, "+1415x", "anonymous", "+١٢٣")
        ),
    ],
)
def test_what_is_understood_where(text: str, form: str, document: str, keypad: str) -> None:
    for rule, number in (("a form", form), ("a document", document), ("a keypad", keypad)):
        if number:
            assert RULES[rule](text) == number, rule
        else:
            with pytest.raises(ValueError, match="phone number"):
                RULES[rule](text)


def test_the_national_form_of_a_region() -> None:
    assert RULES["Germany"]("030 / 901820".replace("/", "")) == "+4930901820"
    assert RULES["Germany"]("+14155551212") == "+14155551212"
    with pytest.raises(ValueError, match="of DE: TOO_SHORT"):
        RULES["Germany"]("030")


def test_how_trunks_write_the_called_number() -> None:
    assert readings("4155551212") == ["4155551212", "+4155551212", "+14155551212"]
    assert readings("+4155551212") == ["+4155551212"]
    assert readings("sip:bob@example.test") == ["sip:bob@example.test"]


def test_what_is_shown() -> None:
    assert [shown(each) for each in ("+14155551212", "+442079460018", "client:bob")] == [
        "(415) 555-1212", "+442079460018", "client:bob",
    ]  # fmt: skip


@given(st.text())
def test_nothing_but_value_errors(text: str) -> None:
    for rule in RULES.values():
        with contextlib.suppress(ValueError):
            assert rule(text).startswith("+")
