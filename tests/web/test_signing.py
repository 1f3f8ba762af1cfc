"""Signatures: the vectors of the webhooks sheet, section 3.6, and agreement with the official validator."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from ringback.web.signing import body_sha256, sign, signed_url, verify, with_body_sha256

TOKEN = "ringback-test-token"
FORM = [
    ("CallSid", "CA00000000000000000000000000000001"),
    ("From", "+15005550006"),
    ("To", "+15005550001"),
    ("CallStatus", "ringing"),
    ("Digits", ""),
]
FORM_URL = "https://app.example.test/voice?lang=en&x=1"


@pytest.mark.parametrize(
    ("url", "params", "signature"),
    [
        (FORM_URL, FORM, "H1EH0IYMHHp5hFm+S6BFesg9hv0="),
        ("https://app.example.test:443/voice?lang=en&x=1", FORM, "QFNkOMVTbhDBzH6kqZ73bC8bsH8="),
        (
            "https://app.example.test/voice?CallSid=CA1&From=%2B15005550006",
            [],
            "mHNTtgNQiIDw5RsL/3Unt2ETmJ0=",
        ),
        (
            "https://app.example.test/m",
            [("Tag", "b"), ("Tag", "a"), ("Tag", "b"), ("X", "1")],
            "2x7L2UCHktRE7M3rDTgRe76Iyw4=",
        ),
        ("http://app.example.test:8080/voice", [("A", "1")], "VsSNC6NfEU29ObnKnhLJ1MFSCTA="),
    ],
)
def test_vectors(url: str, params: list[tuple[str, str]], signature: str) -> None:
    assert sign(TOKEN, url, params) == signature
    assert sign(TOKEN, url, reversed(params)) == signature
    assert verify(TOKEN, url, signature, params)
    assert not verify(TOKEN + "x", url, signature, params)
    assert not verify(TOKEN, url, signature[:-2], params)


def test_json_vector() -> None:
    body = b'{"a":1}'
    digest = "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"
    url = with_body_sha256("https://app.example.test/json", body)
    assert body_sha256(body) == digest
    assert url == f"https://app.example.test/json?bodySHA256={digest}"
    signature = sign(TOKEN, url)
    assert signature == "/u1CFIPr4+c3vDYwvJHRi3eYqkc="
    assert verify(TOKEN, url, signature, body=body)
    assert not verify(TOKEN, url, signature, body=b'{"a":2}')


def test_sha256_vector() -> None:
    signature = sign(TOKEN, FORM_URL, FORM, algorithm="HMAC_SHA256")
    assert signature == "qpq9UeTt8SAFLTEa4nSNYKe30JuZwdy04UXl2wb2qg8="
    assert verify(TOKEN, FORM_URL, signature, FORM, algorithm="HMAC_SHA256")
    assert not verify(TOKEN, FORM_URL, signature, FORM, algorithm="HMAC_MD5")


def test_both_port_forms_are_accepted() -> None:
    assert verify(
        TOKEN, "https://app.example.test:443/voice?lang=en&x=1", "H1EH0IYMHHp5hFm+S6BFesg9hv0=", FORM
    )
    assert verify(TOKEN, FORM_URL, "QFNkOMVTbhDBzH6kqZ73bC8bsH8=", FORM)


@pytest.mark.parametrize(
    ("configured", "signed"),
    [
        ("https://u:p@Host.test:443/a?b=%2f#ct=1", "https://Host.test/a?b=%2f"),
        ("http://h.test:80", "http://h.test/"),
        ("http://h.test:8080/x y?q=ü", "http://h.test:8080/x%20y?q=%C3%BC"),
        ("http://[::1]:9/", "http://[::1]:9/"),
        ("http://bücher.test/100%", "http://xn--bcher-kva.test/100%25"),
    ],
)
def test_what_is_signed(configured: str, signed: str) -> None:
    assert signed_url(configured) == signed


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(st.dictionaries(TEXT, TEXT, max_size=6), st.sampled_from(["", ":443", ":8443"]), TEXT)
def test_the_official_validator_agrees(params: dict[str, str], port: str, token: str) -> None:
    url = signed_url(f"https://app.example.test{port}/voice?x=1#rc=2")
    official = RequestValidator(token)
    signature = sign(token, url, params.items())
    assert official.compute_signature(url, params) == signature
    assert official.validate(url, params, signature)
    assert verify(token, url, signature, params.items())
