"""What INFO and the headers of a forwarded call say."""

import pytest

from ringback.sip.forwarding import forwarded_by
from ringback.sip.info import key_of
from ringback.sip.message import Request, Response, parse_message

RELAY = "application/dtmf-relay"


@pytest.mark.parametrize(
    ("kind", "body", "key"),
    [
        (RELAY, "Signal=5\r\nDuration=160\r\n", "5"),
        (RELAY, "Duration=160\nsignal = 10", "*"),
        (RELAY, "Signal=11", "#"),
        (RELAY, "Signal=*", "*"),
        (RELAY, "Signal=d", "D"),
        (RELAY, "Signal=15", "D"),
        (RELAY, "Signal=16", ""),
        (RELAY, "Duration=160", ""),
        ("application/dtmf", " 10\r\n", "*"),
        ("application/dtmf", "7", "7"),
        ("application/dtmf", "77", ""),
    ],
)
def test_keys_of_info(kind: str, body: str, key: str) -> None:
    assert key_of(kind, body.encode()) == key


@pytest.mark.parametrize(
    ("lines", "user"),
    [
        (["Diversion: <sip:+15551110001@a;user=phone>;reason=unconditional, <sip:+15551110000@b>;reason=no-answer"],
         "+15551110001"),
        (["Diversion: \"Hall, B\" <tel:+15551110001>;counter=1", "Diversion: <sip:x@b>"], "+15551110001"),
        (["History-Info: <sip:+15551110001@a?Reason=SIP%3Bcause%3D302>;index=1, <sip:+15551110002@a>;index=1.1"],
         "+15551110001"),
        (["History-Info: <sip:1@a>;index=1", "History-Info: <sip:2@a>;index=1.1;mp=1"], "1"),
        (["History-Info: <sip:1@a>;index=1, <sip:1@b>;index=1.1;np=1"], None),
        (["History-Info: <sip:1@a?Reason=SIP>;index=1"], None),
        (["Diversion: <<rubbish"], None),
        ([], None),
    ],
)  # fmt: skip
def test_who_has_forwarded(lines: list[str], user: str | None) -> None:
    head = [
        "INVITE sip:a@b SIP/2.0", "Via: SIP/2.0/UDP h;branch=z9hG4bK1", "From: <sip:f@h>;tag=1", "To: <sip:a@b>",
        "Call-ID: i", "CSeq: 1 INVITE", *lines,
    ]  # fmt: skip
    request = parse_message(("\r\n".join(head) + "\r\n\r\n").encode())
    assert isinstance(request, Request)
    found = forwarded_by(request)
    assert (found.user if found is not None else None) == user


def test_the_version_in_any_case() -> None:
    lines = [
        "Via: sip/2.0/udp h;branch=z9hG4bK1",
        "From: <sip:f@h>;tag=1",
        "To: <sip:a@b>",
        "Call-ID: i",
        "CSeq: 1 BYE",
    ]
    rest = "\r\n".join(lines) + "\r\n\r\n"
    request = parse_message(f"BYE sip:a@b sip/2.0\r\n{rest}".encode())
    assert isinstance(request, Request)
    assert (request.via.transport, "_version" in request.__dict__) == ("UDP", False)
    assert isinstance(parse_message(f"Sip/2.0 200 OK\r\n{rest}".encode()), Response)
