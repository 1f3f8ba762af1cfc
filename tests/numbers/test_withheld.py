"""Every form in which a caller's number is withheld, and those in which it is not."""

from __future__ import annotations

import pytest

from ringback.numbers.withheld import is_withheld


@pytest.mark.parametrize(
    "address",
    [
        "", " ", "anonymous", "Anonymous", "Restricted", "unavailable", "UNKNOWN", "private", "+266696687", "266696687",
        "+7378742833", "+8656696", "+86282452253", "+12562533", "sip:anonymous@anonymous.invalid",
        "<sip:anonymous@anonymous.invalid>", "sip:4155550100@anonymous.invalid:5060", "sip:restricted@10.0.0.1",
        "sip:@example.test", "sip:example.test", "SIPS:Anonymous@example.test;user=phone",
    ],
)  # fmt: skip
def test_withheld(address: str) -> None:
    assert is_withheld(address)


@pytest.mark.parametrize(
    "address",
    ["+14155550100", "+26669668712", "sip:bob@example.test", "client:anonymous-2", "client:bob", "112"],
)
def test_a_number_or_an_address(address: str) -> None:
    assert not is_withheld(address)
