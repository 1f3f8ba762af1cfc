"""SDP in bodies of all kinds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.sip.body import session_of

SDP = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n"
ISUP = (
    b"--x y\r\nContent-Type: application/isup;version=itu-t92+\r\nContent-Disposition: signal\r\n\r\n"
    b"\x01\0\r\n\r\n"
)


def mixed(*parts: bytes, end: bytes = b"\r\n--x y--\r\n") -> bytes:
    return b"\r\n".join(parts) + end


PART = b"--x y\r\nContent-Type: application/sdp\r\n\r\n" + SDP
NESTED = (
    b"--x y\r\nContent-Type: multipart/alternative;\r\n boundary=in\r\n\r\n"
    b"--in\r\ncontent-type : Application/SDP;charset=utf-8\r\n\r\n" + SDP + b"\r\n--in--"
)


@pytest.mark.parametrize(
    "body",
    [
        mixed(PART),
        mixed(PART, ISUP),
        mixed(ISUP, PART),
        mixed(b"preamble\r\n" + ISUP, PART),
        mixed(PART, end=b""),
        mixed(PART).replace(b"--x y\r\n", b"--x y \t\r\n"),
        mixed(NESTED),
        mixed(ISUP, PART).replace(b"\r\n", b"\n"),
        mixed(b"--x y\r\n\r\nplain text", PART),
    ],
)
def test_the_description_is_found(body: bytes) -> None:
    found = session_of('Multipart/Mixed; boundary="x y"', body)
    assert found.replace(b"\r\n", b"\n").strip() == SDP.replace(b"\r\n", b"\n").strip()


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/mixed", mixed(PART)),
        ("multipart/mixed;boundary=other", mixed(PART)),
        ('multipart/mixed;boundary="x y', mixed(PART)),
        ('multipart/mixed;boundary="x y"', mixed(ISUP)),
        ('multipart/mixed;boundary="x y"', PART.replace(b"\r\n\r\n", b"\r\n")),
        ("text/plain", SDP),
        ("", b"hello"),
    ],
)
def test_there_is_none(kind: str, body: bytes) -> None:
    assert session_of(kind, body) == b""


def test_alone() -> None:
    assert session_of("APPLICATION/sdp ;x=1", b"anything") == b"anything"
    assert session_of("", SDP) == SDP


@given(st.text(max_size=80), st.binary(max_size=300))
def test_fuzz(kind: str, body: bytes) -> None:
    session_of(kind, body)
    session_of('multipart/mixed;boundary="x y"', b"--x y\r\n" + body)
