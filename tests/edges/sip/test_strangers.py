"""Peers that are forged, broken or behind something: what goes where, what is kept of it."""

from __future__ import annotations

import asyncio

import pytest
from tests.edges.sip.conftest import Start
from tests.edges.sip.test_endpoint import invite
from tests.edges.sip.test_protocol import Raw, raw
from tests.edges.sip.wire import wire
from tests.sip_peers import OFFER, Recorder, port_of

from ringback.edges.sip.handler import Authorization
from ringback.sip.digest import answer_challenge
from ringback.sip.message import respond
from ringback.sip.uri import parse_name_addr

__all__ = ["raw"]


async def test_the_ack_carries_the_credentials_of_its_invite(start: Start, raw: Raw) -> None:
    """RFC 3261 §22.1: proxies that check ACKs drop those without."""
    on = await wire(start, raw)
    on.call(credentials=("alice", "secret"))
    first = await on.request("INVITE")
    on.answer(first, 407, ("Proxy-Authenticate", 'Digest realm="x", nonce="n", algorithm=MD5'))
    await on.request("ACK")
    second = await on.request("INVITE")
    assert parse_name_addr(second.headers.get("to") or "").tag == ""
    on.answer(second, 200, body=OFFER)
    ack = await on.request("ACK")
    assert ack.headers.get("proxy-authorization") == second.headers.get("proxy-authorization") is not None


@pytest.mark.parametrize(
    "contact",
    ["sip:a@127.0.0.1:{port};transport=sctp", "sip:a@[2001:db8::1]", "sip:a@10.9.8.7", "sip:a@no.such.host"],
)
async def test_a_contact_that_we_cannot_reach_is_not_used(start: Start, raw: Raw, contact: str) -> None:
    """Requests go where the call has gone so far; the contact stays their Request-URI."""
    on = await wire(start, raw)
    call = on.call()
    invite = await on.request("INVITE")
    response = respond(invite, 200, to_tag="uas")
    response.headers.set("Contact", f"<{contact.format(port=raw.port)}>")
    response.headers.set("Content-Type", "application/sdp")
    response.body = OFFER
    raw.send(response.to_bytes())
    assert (await on.request("ACK")).target == contact.format(port=raw.port)
    call.hangup()
    await on.request("BYE")


async def test_a_multipart_invite_and_a_contact_without_brackets(start: Start, raw: Raw) -> None:
    """ISUP beside the SDP (SIP-T), and a contact as RFC 5626 phones write it: it is the remote target."""
    on = await wire(start, raw)
    kind, isup = (
        "Content-Type: multipart/mixed;boundary=b",
        b"--b\r\nContent-Type: application/isup\r\n\r\n\x01\r\n",
    )
    assert (await raw.ask(raw.build("INVITE", kind, body=isup + b"--b--"))).code == 415
    body = isup + b"--b\r\nContent-Type: application/sdp\r\n\r\n" + OFFER + b"\r\n--b--"
    contact = f"sip:raw@127.0.0.1:{raw.port}"
    bare = f'{contact};+sip.instance="<urn:uuid:1>"'.encode()
    raw.send(raw.build("INVITE", kind, cseq=2, body=body).replace(f"<{contact}>".encode(), bare))
    ok = await on.response(200, "INVITE")
    assert ok.sdp.startswith(b"v=0")
    raw.send(raw.build("ACK", to_tag=ok.to.tag, cseq=2))
    await on.handler.until("confirmed")
    on.handler.calls[0].hangup()
    assert (await on.request("BYE")).target == contact


@pytest.mark.parametrize("method", ["INVITE", "REGISTER"])
async def test_strangers_are_told_once_and_forgotten(start: Start, raw: Raw, method: str) -> None:
    """A forged sender is not sent a refusal ten times over; a repeated request is answered alike."""
    on = await wire(start, raw)
    on.handler.verdict = Authorization("digest", realm="x", password={"alice": "secret"}.get)
    request = raw.build(method, body=OFFER if method == "INVITE" else b"")
    first = await raw.ask(request)
    on.push(33.0)
    assert await on.quiet() == []
    assert not on.agent._stack._server
    assert not on.agent._stack._merge
    again = await raw.ask(request)
    assert (first.code, again.code, again.to.tag) == (401, 401, first.to.tag)
    raw.send(raw.build("ACK", to_tag=first.to.tag))
    on.handler.verdict = Authorization("refused")
    assert (await raw.ask(request)).code == 403
    assert not on.agent._stack._server


async def test_requests_that_fail_half_way_are_answered_and_forgotten(start: Start, raw: Raw) -> None:
    """Whatever the mistake, theirs or ours: an answer, and no transaction that nobody would end."""
    on = await wire(start, raw)
    bad = raw.build("INVITE", 'Record-Route: "<sip:10.0.0.1;lr>', body=OFFER)
    assert (await raw.ask(bad)).code == 400
    on.agent._stack._on_request = lambda *request: 1 / 0  # type: ignore[assignment,return-value]
    assert (await raw.ask(raw.build("OPTIONS", cseq=2))).code == 500
    assert on.agent.counters.handler_errors == 1
    on.push(38.0)
    assert not on.agent._stack._server
    assert not on.agent._calls


async def test_a_trunk_cannot_lead_us_on_for_ever(start: Start, raw: Raw) -> None:
    """422 with another Min-SE each time: one is followed, also when the new INVITE is challenged again."""
    on = await wire(start, raw)
    on.call(credentials=("alice", "secret"))
    challenge = ("WWW-Authenticate", 'Digest realm="x", nonce="n", algorithm=MD5')
    expires = []
    for code, extra in (
        (401, challenge),
        (422, ("Min-SE", "2000")),
        (401, challenge),
        (422, ("Min-SE", "3000")),
    ):
        invite = await on.request("INVITE")
        expires.append(invite.headers.get("session-expires"))
        on.answer(invite, code, extra)
        await on.request("ACK")
    await on.handler.until("failed")
    assert on.handler.log[-1][1] == 422
    assert expires == ["1800", "1800", "2000", "2000"]


async def test_a_bye_finds_its_way_when_the_connection_has_closed(start: Start) -> None:
    """A caller whose TCP connection broke is reached at its Contact (RFC 3261 section 18.1.1)."""
    there, here = Recorder(), Recorder()
    uas, uac = await start(there, "tcp"), await start(here, "tcp")
    call = invite(uac, port_of(uas, "tcp"), transport="tcp")
    await there.until("confirmed")
    for stream in list(uac._stack.transports._streams.values()):
        stream.abort()
    (theirs,) = uas.calls
    async with asyncio.timeout(5):
        while uas._stack.transports._streams:
            await asyncio.sleep(0.01)
    theirs.hangup()
    await here.until("ended")
    assert here.log[-1][1] == "remote"
    assert call.over


def signed(challenge: str, method: str, password: str = "secret") -> str:
    value = answer_challenge(
        [challenge], method=method, uri="sip:a@127.0.0.1", username="a", password=password, cnonce="c"
    )
    return f"Authorization: {value}"


@pytest.mark.parametrize("method", ["INVITE", "REGISTER"])
async def test_what_was_heard_cannot_be_sent_again(start: Start, raw: Raw, method: str) -> None:
    """Neither from the same address nor from another one; the honest one is asked anew (stale)."""
    on = await wire(start, raw, 486)
    on.handler.verdict = Authorization("digest", realm="x", password={"a": "secret"}.get)
    body = OFFER if method == "INVITE" else b""
    asked = (await raw.ask(raw.build(method, body=body))).headers.get("www-authenticate") or ""
    right = signed(asked, method)
    assert (await raw.ask(raw.build(method, right, cseq=2, body=body))).code == (486 if body else 200)
    again = raw.build(method, right, cseq=3, body=body).replace(b"Call-ID: ", b"Call-ID: x")
    refused = await raw.ask(again)
    assert refused.code == 401
    assert "stale=true" in (refused.headers.get("www-authenticate") or "")
    _, thief = await asyncio.get_running_loop().create_datagram_endpoint(Raw, local_addr=("127.0.0.2", 0))
    thief.to = raw.to
    fresh = (await raw.ask(raw.build(method, cseq=4, body=body))).headers.get("www-authenticate") or ""
    stolen = await thief.ask(thief.build(method, signed(fresh, method), cseq=5, body=body))
    thief.socket.close()
    assert stolen.code == 401
    assert on.handler.counts["incoming"] == (1 if body else 0)


async def test_guessing_passwords_is_slow_and_the_log_short(
    start: Start, raw: Raw, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "ringback.sip")
    on = await wire(start, raw)
    on.handler.verdict = Authorization("digest", realm="x", password={"a": "secret"}.get)

    async def guess(number: int, password: str = "guess") -> int:
        asked = (await raw.ask(raw.build("REGISTER", cseq=2 * number + 1))).headers.get("www-authenticate")
        line = signed(asked or "", "REGISTER", password)
        return (await raw.ask(raw.build("REGISTER", line, cseq=2 * number + 2))).code

    codes = [await guess(number) for number in range(30)]
    assert codes == [401] * 20 + [503] * 10
    assert await guess(30, "secret") == 503, "not looked at"
    on.push(2.0)
    assert [await guess(number) for number in (31, 32)] == [401, 503]
    on.push(2.0)
    assert await guess(33, "secret") == 200
    on.push(60.0)
    assert on.agent.counters.auth_slowed == 12
    told = [each.message for each in caplog.records if "credentials" in each.message]
    assert told == [
        f"REGISTER from 127.0.0.1:{raw.port} with bad credentials",
        "127.0.0.1: 20 more with bad credentials in 60 s",
    ]
    on.push(120.0)
    assert not on.agent._failures._sources
