"""Digest and Basic answers: the examples of RFC 7616 §3.9.1 and RFC 2617 §3.5."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ringback.web.webhooks.auth import answer, read_challenge

CHALLENGES = [
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
    'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"',
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=MD5, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
    'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"',
]
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
URL = "http://www.example.org/dir/index.html"


def test_rfc_7616_sha256_is_preferred() -> None:
    challenge = read_challenge([*reversed(CHALLENGES), 'Basic realm="x"'])
    assert challenge is not None
    got = answer(challenge, "Mufasa", "Circle of Life", "GET", URL, CNONCE)
    assert 'response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"' in got


def test_rfc_7616_md5() -> None:
    challenge = read_challenge(CHALLENGES[1:])
    assert challenge is not None
    got = answer(challenge, "Mufasa", "Circle of Life", "GET", URL, CNONCE)
    assert 'response="8ca523f5e9506fed4657c9700eebdbec"' in got
    assert "nc=00000001" in got
    assert "nc=00000002" in answer(challenge, "Mufasa", "Circle of Life", "GET", URL, CNONCE)


def test_what_cannot_be_answered() -> None:
    assert read_challenge(['Digest realm="x", algorithm=MD5-sess, nonce="a"']) is None
    assert read_challenge(['Digest realm="x", qop="auth-int", nonce="a"']) is None
    assert read_challenge(["Bearer"]) is None


@given(st.text(max_size=200))
def test_any_challenge_is_read(text: str) -> None:
    found = read_challenge(["Digest " + text, text])
    assert found is None or "\n" not in answer(found, "u", "p", "GET", URL, "c")
