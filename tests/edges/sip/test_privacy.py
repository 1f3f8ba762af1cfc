"""Who calls, and whether it may be told: From, Privacy, P-Asserted-Identity, Remote-Party-ID; who has forwarded."""

from __future__ import annotations

import pytest

from ringback.edges.sip.address import caller_of, shown_caller
from ringback.edges.sip.arrival import CallRequest
from ringback.edges.sip.transport import Source
from ringback.sip.message import Request, parse_message

REAL = "<sip:+14155550100@carrier.test>"
NOBODY = '"Anonymous" <sip:anonymous@anonymous.invalid>'


def arrived(from_: str, *headers: str, username: str = "") -> CallRequest:
    """An INVITE, read."""
    text = "\r\n".join(
        [
            "INVITE sip:+15550100@us.test SIP/2.0", "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKx", f"From: {from_};tag=a",
            "To: <sip:+15550100@us.test>",
            "Call-ID: x", "CSeq: 1 INVITE", "Contact: <sip:a@10.0.0.1>", *headers, "", "",
        ]
    )  # fmt: skip
    request = parse_message(text.encode())
    assert isinstance(request, Request)
    return CallRequest.read(request, Source("udp", "10.0.0.1", 5060, None), username)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("from_", "headers", "shown"),
    [
        (REAL, (), "+14155550100"),
        (REAL, ("Privacy: id",), "anonymous"),
        (REAL, ("Privacy: user;id;critical",), "anonymous"),
        (REAL, ("Privacy: HEADER",), "anonymous"),
        (REAL, ("Privacy: none",), "+14155550100"),
        (REAL, ("Privacy: session;critical",), "+14155550100"),
        (REAL, ("Privacy: id", "P-Asserted-Identity: <sip:+14155550199@carrier.test>"), "anonymous"),
        (NOBODY, ("Privacy: id", "P-Asserted-Identity: <sip:+14155550199@carrier.test>"), "anonymous"),
        (NOBODY, ("P-Asserted-Identity: <sip:+14155550199@carrier.test>",), "+14155550199"),
        (NOBODY, ("P-Asserted-Identity: <sip:bob@x.test>, <tel:+14155550199>",), "+14155550199"),
        (NOBODY, ("P-Asserted-Identity: <<rubbish",), "anonymous"),
        (REAL, ("P-Asserted-Identity: <sip:+14155550199@carrier.test>",), "+14155550100"),
        (REAL, (f"Remote-Party-ID: {REAL};party=calling;screen=yes;privacy=full",), "anonymous"),
        (REAL, (f"Remote-Party-ID: {REAL};party=called;privacy=full",), "+14155550100"),
        (REAL, (f"Remote-Party-ID: {REAL};privacy=off",), "+14155550100"),
        (NOBODY, (), "anonymous"),
    ],
)  # fmt: skip
def test_who_is_shown(from_: str, headers: tuple[str, ...], shown: str) -> None:
    assert shown_caller(arrived(from_, *headers)) == shown


def test_a_phone_cannot_assert_another_identity() -> None:
    """RFC 3325: only a network that is trusted does; who has come by digest is a user."""
    facts = arrived(NOBODY, "P-Asserted-Identity: <sip:+14155550199@carrier.test>", username="alice")
    assert shown_caller(facts) == "anonymous"


@pytest.mark.parametrize(
    ("user", "host", "shown"),
    [
        ("Restricted", "carrier.test", "restricted"), ("private", "carrier.test", "private"),
        ("blocked", "carrier.test", "blocked"), ("withheld", "x.test", "withheld"),
        ("+266696687", "x.test", "anonymous"),
        ("4155550100", "anonymous.invalid", "anonymous"), ("", "carrier.test", "anonymous"),
        ("bob", "pbx.test", "sip:bob@pbx.test"), ("+14155550100", "x.test", "+14155550100"),
    ],
)  # fmt: skip
def test_the_products_list_of_withheld_words_holds_for_sip(user: str, host: str, shown: str) -> None:
    assert caller_of(user, host, "") == shown


@pytest.mark.parametrize(
    ("header", "forwarder"),
    [
        ("Diversion: <sip:+15551110001@a>;reason=no-answer", ("+15551110001", "a")),
        ("History-Info: <sip:+15551110001@a?Reason=SIP%3Bcause%3D302>;index=1, <sip:+15550100@b>;index=1.1",
         ("+15551110001", "a")),
        ("Diversion: <sip:anonymous@anonymous.invalid>", ("anonymous", "anonymous.invalid")),
    ],
)  # fmt: skip
def test_who_has_forwarded(header: str, forwarder: tuple[str, str]) -> None:
    assert arrived(REAL, header).forwarded_from == forwarder


@pytest.mark.parametrize(
    ("header", "left"), [((), 70), (("Max-Forwards: 12",), 12), (("Max-Forwards: 255",), 70)]
)
def test_how_many_hops_the_call_may_still_take(header: tuple[str, ...], left: int) -> None:
    assert arrived(REAL, *header).forwards == left
