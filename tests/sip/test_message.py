"""The reader: RFC 4475, hostile sizes, fuzzing, and sipmessage as an independent opinion."""

import pytest
import sipmessage
from hypothesis import given
from hypothesis import strategies as st
from tests.sip.torture import TORTURE, message

from ringback.sip.framing import StreamFramer
from ringback.sip.message import (
    MalformedMessage,
    Request,
    Response,
    parse_message,
    plain_header,
    respond,
)
from ringback.sip.uri import BadAddress, parse_name_addr, parse_uri

INVITE = message("INVITE sip:user@example.com SIP/2.0", body="v=0\r\n")


def outcome(data: bytes) -> str | int:
    """`ok`, the status of the answer, or `drop`."""
    try:
        parse_message(data)
    except MalformedMessage as problem:
        return problem.status if problem.request is not None else "drop"
    return "ok"


@pytest.mark.parametrize("name", TORTURE)
def test_torture(name: str) -> None:
    data, expected = TORTURE[name]
    assert outcome(data) == expected


@pytest.mark.parametrize("name", [name for name, (_, verdict) in TORTURE.items() if isinstance(verdict, int)])
def test_refused_torture_can_be_answered(name: str) -> None:
    with pytest.raises(MalformedMessage) as caught:
        parse_message(TORTURE[name][0])
    request = caught.value.request
    if request is not None:
        data = respond(request, caught.value.status, to_tag="t").to_bytes()
        assert data.startswith(b"SIP/2.0 %d " % caught.value.status)


def test_folded_and_compact_headers_are_read() -> None:
    request = parse_message(TORTURE["wsinv"][0])
    assert isinstance(request, Request)
    assert request.to.tag == "1918181833n"
    assert request.from_.display == 'J Rosenberg \\"'
    assert request.cseq == (9, "INVITE")
    assert request.number("max-forwards") == 68
    assert [address.uri.user for address in request.addresses("contact")] == ["jdrosen"]
    assert request.body == b"v=0\n"


def test_a_second_request_in_a_datagram_is_dropped() -> None:
    request = parse_message(TORTURE["dblreq"][0])
    assert isinstance(request, Request)
    assert request.method == "OPTIONS"
    assert request.body == b""


def test_sipmessage_reads_what_we_write() -> None:
    request = parse_message(INVITE)
    assert isinstance(request, Request)
    for written in (request.to_bytes(), respond(request, 486, to_tag="abc").to_bytes()):
        theirs, ours = sipmessage.Message.parse(written), parse_message(written)
        assert theirs.call_id == ours.call_id
        assert theirs.cseq.sequence == ours.cseq[0]
        assert theirs.to_address.parameters.get("tag", "") == ours.to.tag
        assert theirs.via[0].parameters["branch"] == ours.via.branch


def test_unreadable_bytes_survive_a_copy() -> None:
    data = message("INVITE sip:u@example.com SIP/2.0").replace(
        b"<sip:user@example.com>", b'"\xff\xfe" <sip:u@e.com>'
    )
    request = parse_message(data)
    assert isinstance(request, Request)
    assert b'"\xff\xfe" <sip:u@e.com>' in respond(request, 200).to_bytes()


@pytest.mark.parametrize(
    "text",
    [
        "tel:" + "1" * 2_000_000 + "x",
        "sip:" + "a-" * 500_000 + "!",
        "sip:a@" + "a." * 500_000 + "!",
        "sip:" + ";=" * 500_000,
    ],
    ids=["tel", "user", "host", "parameters"],
)
def test_no_quadratic_uri(text: str) -> None:
    """In the square of its length each would take hours: the limit of every test ends it."""
    with pytest.raises(ValueError, match=r"\w"):
        parse_uri(text)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no-end-of-headers"),
        (b"INVITE sip:a@b SIP/2.0\r\n" + b"A: b\r\n" * 300 + b"\r\n", "too-many-headers"),
        (b"X" * 40_000 + b"\r\n\r\n", "headers-too-large"),
        (INVITE.replace(b"Max-Forwards: 70", b"X-A: a\nX-B: b"), "control-character"),
        (INVITE.replace(b"Max-Forwards: 70", b"X-A: a\0"), "control-character"),
        (INVITE.replace(b"Max-Forwards", b"Max Forwards"), "header-line"),
    ],
)
def test_limits(data: bytes, reason: str) -> None:
    with pytest.raises(MalformedMessage) as caught:
        parse_message(data)
    assert caught.value.reason == reason


def test_no_header_smuggling() -> None:
    with pytest.raises(ValueError, match="line ends"):
        plain_header("a\r\nVia: b")


def test_an_address_without_brackets_and_brackets_in_its_parameters() -> None:
    """RFC 5626 contacts as addr-spec: the bracket is in a quoted value, the parameters are the header's."""
    text = 'sip:a@192.0.2.7:5062;ob;+sip.instance="<urn:uuid:0000;1>";reg-id=1'
    contact = parse_name_addr(text)
    assert (contact.uri.text, contact.display) == ("sip:a@192.0.2.7:5062", "")
    assert contact.params["+sip.instance"] == "<urn:uuid:0000;1>"
    assert parse_name_addr(f'"a;b" <{text.partition(";")[0]}>;+sip.instance="<urn:x>"').uri == contact.uri
    with pytest.raises(BadAddress):
        parse_name_addr('a "b" <sip:c@d>')


def test_name_addr_forms() -> None:
    address = parse_name_addr('"A \\"q\\" B" <sip:a;x=1@h:5070;transport=tcp?h=1>;tag=9;q=0.5')
    assert address.display == 'A "q" B'
    assert (address.uri.user, address.uri.host, address.uri.port) == ("a;x=1", "h", 5070)
    assert address.uri.transport == "tcp"
    assert address.uri.without_headers().endswith("transport=tcp")
    assert address.tag == "9"
    assert parse_name_addr("sip:a@h;tag=1").tag == "1"
    assert parse_uri("sip:a@[::1]:5060").bare_host == "::1"
    assert parse_uri("tel:+1555;ext=1").user == "+1555"


def _read_everything(data: bytes) -> None:
    try:
        read = parse_message(data)
        _ = read.contact, read.content_type, read.number("expires"), read.headers.tokens("require")
        if isinstance(read, Request):
            _ = read.uri
            again = parse_message(respond(read, 200, to_tag="x").to_bytes())
            assert isinstance(again, Response)
    except MalformedMessage:
        pass


@given(st.binary(max_size=600))
def test_fuzz_bytes(data: bytes) -> None:
    _read_everything(data)
    _read_everything(b"INVITE sip:a@b SIP/2.0\r\n" + data + b"\r\n\r\n")


NASTY = st.sampled_from([b"", b'"', b"<", b"\r\n", b";", b"\xff", b"\0", b"9" * 30, b","])


@given(st.sampled_from(sorted(TORTURE)), st.lists(st.tuples(st.integers(0, 2000), NASTY), max_size=6))
def test_fuzz_mutations(name: str, edits: list[tuple[int, bytes]]) -> None:
    data = TORTURE[name][0]
    for at, new in edits:
        at %= len(data)
        data = data[:at] + new + data[at + 1 :]
    _read_everything(data)


def test_a_ping_in_pieces() -> None:
    """RFC 5626 §3.5.1: a double CRLF gets its answer however it is cut; a single one is nobody's."""
    for pieces in ([b"\r\n", b"\r\n"], [b"\r", b"\n\r", b"\n"], [b"\r\n\r", b"\n"], [b"\r\n\r\n"]):
        framer = StreamFramer()
        for piece in pieces:
            assert framer.pings == 0
            assert framer.feed(piece) == []
        assert framer.pings == 1
    framer = StreamFramer()
    message = b"BYE sip:a@b SIP/2.0\r\nContent-Length: 0\r\n\r\n"
    assert [*framer.feed(b"\r\n"), *framer.feed(message)] == [message]
    assert framer.pings == 0


@given(st.lists(st.integers(1, 60), max_size=40))
def test_stream_framing_in_any_pieces(cuts: list[int]) -> None:
    stream = b"\r\n\r\n" + INVITE + b"\r\n\r\n" + TORTURE["zeromf"][0] + INVITE
    framer, got, at = StreamFramer(), [], 0
    for cut in [*cuts, len(stream)]:
        got += framer.feed(stream[at : at + cut])
        at += cut
    assert got == [INVITE, TORTURE["zeromf"][0], INVITE]


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"A" * 40_000,
        b"A: b\r\nContent-Length: 9999999\r\n\r\n",
        b"A: b\r\nl: 1\r\nContent-Length: 2\r\n\r\n",
    ],
)
def test_stream_that_cannot_be_framed(data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        StreamFramer().feed(data)
