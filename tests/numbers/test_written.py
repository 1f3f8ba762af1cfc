"""The texts of people, applications and trunks in E.164."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.numbers.written import e164, readings, shown, to_call

RULES = {
    "a form": lambda text: e164(text),
    "a document": lambda text: e164(text, plus_lost=False),
    "a keypad": lambda text: to_call(text, "US"),
    "Germany": lambda text: to_call(text, "DE"),
}


@pytest.mark.parametrize(
    ("text", "form", "document", "keypad"),
    [
        ("+14155551212", *["+14155551212"] * 3),
        ("+1 (415) 555-12.12", *["+14155551212"] * 3),
        ("+44 20 7946 0018", *["+442079460018"] * 3),
        ("(415) 555-1212", *["+14155551212"] * 3),
        ("14155551212", *["+14155551212"] * 3),
        ("442079460018", "+442079460018", "", "+442079460018"),
        ("5551212", "+5551212", "", ""),
        ("4155550100", *["+14155550100"] * 3),
        ("+44 (0)1632 960001", *["+441632960001"] * 3),
        ("011 44 1632 960001", "", "", "+441632960001"),
        (" 15551230001", *["+15551230001"] * 3),
        ("5551230001", *["+15551230001"] * 3),
        ("+39 06 6982", *["+39066982"] * 3),
        ("+12", "+12", "+12", ""),
        ("\u202a+1 415\u2011555\u20110100\u202c", *["+14155550100"] * 3),
        ("+1\u00a0415\u2013555\u20130100", *["+14155550100"] * 3),
        ("\uff0b\uff11\uff14155550100", *["+14155550100"] * 3),
        ("tel:+1-415-555-0100", *["+14155550100"] * 3),
        ("TEL:+14155550100;isub=1", *["+14155550100"] * 3),
        *(
            (text, "", "", "")
            for text in ("+14155550100 ext. 5", "+14155550100,,1#", "1-800-FLOWERS", "++14155550100")
        ),
        *((text, "", "", "") for text in ("0114416329", "0015551230001", "+0123456789", "112", "911")),
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
            with pytest.raises(ValueError, match="number"):
                RULES[rule](text)


def test_the_national_form_of_a_region() -> None:
    assert RULES["Germany"]("030 / 901820") == "+4930901820"
    assert RULES["Germany"]("+14155551212") == "+14155551212"
    assert RULES["Germany"]("14155551212") == "+14155551212", "the + got lost"
    assert RULES["Germany"]("0014155551212") == "+14155551212"
    assert to_call("01632 960001", "GB") == "+441632960001", "possible, though nobody's"
    assert to_call("(604) 555-0100", "CA") == "+16045550100"
    with pytest.raises(ValueError, match="phone number"):
        RULES["Germany"]("030")
    for number, region in (("112", "DE"), ("110", "DE"), ("999", "GB"), ("+911", "US"), ("000", "AU")):
        with pytest.raises(ValueError, match="emergency"):
            to_call(number, region)


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
