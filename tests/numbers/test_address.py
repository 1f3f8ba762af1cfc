"""One form for an address, however it is written."""

from __future__ import annotations

import pytest

from ringback.numbers.address import WITHHELD, normal


@pytest.mark.parametrize("text", [
    "+15551230001", "tel:+15551230001", "TEL:+1-555-123-0001;phone-context=x", " +1 (555) 123-0001 ", "15551230001",
    "5551230001", "+1\u2011555\u2011123\u20110001",
])  # fmt: skip
def test_a_number_has_one_form(text: str) -> None:
    assert normal(text) == "+15551230001"


@pytest.mark.parametrize(("text", "form"), [
    ("whatsapp:+1 555 123 0001", "whatsapp:+15551230001"), ("WhatsApp:15551230001", "whatsapp:+15551230001"),
    ("messenger:12345678901234", "messenger:12345678901234"), ("chat:Alice", "chat:Alice"), ("12345", "12345"),
    ("ACME", "ACME"), ("client:alice", "client:alice"),
    ("sip:alice@Example.COM:5060;transport=tcp", "sip:alice@example.com"),
    ("<SIP:alice@example.com>", "sip:alice@example.com"), ("sip:Alice@[2001:db8::1]:5060", "sip:Alice@[2001:db8::1]"),
])  # fmt: skip
def test_other_addresses(text: str, form: str) -> None:
    assert normal(text) == form
    assert normal(form) == form


@pytest.mark.parametrize(
    "text", ["", "anonymous", "Restricted", "+266696687", "sip:anonymous@anonymous.invalid"]
)
def test_who_withholds_their_number(text: str) -> None:
    assert normal(text) == WITHHELD
