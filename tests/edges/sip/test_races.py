"""What crosses on the wire: a peer that sends exactly the packets of the race, and a clock that is pushed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.edges.sip.conftest import Start
from tests.edges.sip.test_protocol import Clock, Raw, listening, raw
from tests.sip_peers import OFFER, Recorder

from ringback.edges.sip.call import SipCall
from ringback.edges.sip.endpoint import SipEndpoint
from ringback.edges.sip.handler import Authorization
from ringback.sip.message import Request, Response, respond
from ringback.sip.uri import parse_name_addr

__all__ = ["raw"]

HOLD = OFFER.replace(b"sendrecv", b"sendonly")


class Wire:
    """An endpoint, a raw peer, and time."""

    def __init__(self, agent: SipEndpoint, handler: Recorder, peer: Raw) -> None:
        self.agent, self.handler, self.peer, self.clock = agent, handler, peer, Clock()
        agent._stack.clock = self.clock
        self.seen: set[tuple[str, str]] = set()

    def push(self, seconds: float) -> None:
        """Let time pass, in steps of half a second."""
        for _ in range(int(seconds * 2)):
            self.clock.ahead += 0.5
            self.agent._stack._tick()

    async def request(self, method: str) -> Request:
        """The next new request of a method (ACKs also again); whatever else comes is skipped."""
        while True:
            got = await self.peer.receive()
            if isinstance(got, Request) and got.method == method:
                key = (method, got.via.branch)
                if method != "ACK" and key in self.seen:
                    continue
                self.seen.add(key)
                return got

    async def response(self, code: int, method: str) -> Response:
        """The next response of that kind."""
        while True:
            got = await self.peer.receive()
            if isinstance(got, Response) and (got.code, got.cseq[1]) == (code, method):
                return got

    async def quiet(self) -> list[Any]:
        """What has come by now."""
        await asyncio.sleep(0.05)
        found = []
        while not self.peer.inbox.empty():
            found.append(await self.peer.receive())
        return found

    def answer(
        self, request: Request, code: int, *extra: tuple[str, str], tag: str = "uas", body: bytes = b""
    ) -> None:
        """Send a response to one of the endpoint's requests."""
        response = respond(request, code, to_tag=tag)
        response.headers.set("Contact", f"<sip:raw@127.0.0.1:{self.peer.port}>")
        for name, value in extra:
            response.headers.add(name, value)
        if body:
            response.headers.set("Content-Type", "application/sdp")
            response.body = body
        self.peer.send(response.to_bytes())

    def call(self, **more: Any) -> SipCall:
        """The endpoint calls the peer."""
        return self.agent.invite(
            to=f"sip:a@127.0.0.1:{self.peer.port}", from_uri="sip:b@127.0.0.1", from_display=None, sdp=OFFER, **more
        )  # fmt: skip

    async def talking(self, *extra: tuple[str, str], **more: Any) -> SipCall:
        """An outbound call that the peer has answered."""
        call = self.call(**more)
        self.answer(await self.request("INVITE"), 200, *extra, body=OFFER)
        await self.request("ACK")
        await self.handler.until("answered")
        return call


async def wire(start: Start, peer: Raw, inbound: str | int = "answer") -> Wire:
    agent, handler = await listening(start, peer, inbound)
    return Wire(agent, handler, peer)


# --- hanging up before the ACK (RFC 3261 §15: the callee may not say BYE before it) ---------------------------


async def answered(on: Wire) -> tuple[Response, SipCall]:
    """An inbound call with our 200 on the wire and no ACK."""
    on.peer.send(on.peer.build("INVITE", body=OFFER))
    ok = await on.response(200, "INVITE")
    return ok, on.handler.calls[0]


async def test_a_hangup_before_the_ack_waits_for_it(start: Start, raw: Raw) -> None:
    on = await wire(start, raw)
    ok, call = await answered(on)
    call.hangup()
    call.hangup()
    await on.handler.until("ended")
    assert on.handler.log[-1] == ("ended", "local", "hangup"), "who hung up knows at once"
    assert not on.agent.calls
    on.push(2.0)
    assert {(each.code, each.cseq[1]) for each in await on.quiet()} == {(200, "INVITE")}, (
        "repeated, no BYE yet"
    )
    raw.send(raw.build("ACK", to_tag=ok.to.tag))
    bye = await on.request("BYE")
    assert bye.from_.tag == ok.to.tag
    on.answer(bye, 200)
    await on.quiet()
    assert on.handler.counts == {"incoming": 1, "ended": 1}
    assert not on.agent._calls


async def test_a_hangup_whose_ack_never_comes(start: Start, raw: Raw) -> None:
    on = await wire(start, raw)
    _, call = await answered(on)
    call.hangup()
    on.push(33.0)
    await on.request("BYE")
    assert not on.agent._calls
    assert on.handler.counts["ended"] == 1


async def test_the_peers_bye_crosses_a_hangup_before_the_ack(start: Start, raw: Raw) -> None:
    on = await wire(start, raw)
    ok, call = await answered(on)
    call.hangup()
    assert (await raw.ask(raw.build("BYE", to_tag=ok.to.tag, cseq=2))).cseq[1] in ("INVITE", "BYE")
    on.push(5.0)
    later = await on.quiet()
    assert not [each for each in later if isinstance(each, Request)], "nobody is told BYE who has said it"
    assert not on.agent._calls
    assert on.handler.counts["ended"] == 1


async def test_bye_of_the_caller_before_its_ack(start: Start, raw: Raw) -> None:
    """BYE overtakes ACK: the call ends once, the late ACK is no error."""
    on = await wire(start, raw)
    ok, _ = await answered(on)
    raw.send(raw.build("BYE", to_tag=ok.to.tag, cseq=2))
    await on.response(200, "BYE")
    raw.send(raw.build("ACK", to_tag=ok.to.tag))
    on.push(40.0)
    assert not [each for each in await on.quiet() if isinstance(each, Request)]
    assert on.handler.counts == {"incoming": 1, "ended": 1}


async def test_both_say_bye(start: Start, raw: Raw) -> None:
    on = await wire(start, raw)
    call = await on.talking()
    call.hangup()
    bye = await on.request("BYE")
    theirs = raw.build("BYE", to_tag=call.local_tag).replace(
        f"Call-ID: {raw.port}".encode(), f"Call-ID: {call.call_id}".encode()
    )
    assert (await raw.ask(theirs)).code == 481, "gone already, which ends their side as well (§15.1.1)"
    on.answer(bye, 481)
    await on.quiet()
    assert on.handler.counts["ended"] == 1


# --- CANCEL and 200 -------------------------------------------------------------------------------------------


async def test_cancel_after_our_200_changes_nothing(start: Start, raw: Raw) -> None:
    on = await wire(start, raw)
    raw.send(raw.build("INVITE", branch="z9hG4bKrace", body=OFFER))
    ok = await on.response(200, "INVITE")
    raw.send(raw.build("CANCEL", branch="z9hG4bKrace"))
    await on.response(200, "CANCEL")
    raw.send(raw.build("ACK", to_tag=ok.to.tag))
    await on.handler.until("confirmed")
    assert (await raw.ask(raw.build("BYE", to_tag=ok.to.tag, cseq=2))).code == 200
    assert on.handler.counts == {"incoming": 1, "confirmed": 1, "ended": 1}


async def test_a_200_that_crosses_our_cancel_is_taken_and_ended(start: Start, raw: Raw) -> None:
    on = await wire(start, raw)
    call = on.call()
    invite = await on.request("INVITE")
    on.answer(invite, 180)
    await on.handler.until("early")
    call.hangup()
    cancel = await on.request("CANCEL")
    assert cancel.via.branch == invite.via.branch
    on.answer(invite, 200, body=OFFER)
    assert (await on.request("ACK")).cseq == (1, "ACK")
    assert (await on.request("BYE")).to.tag == "uas"
    await on.handler.until("failed")
    assert on.handler.log[-1] == ("failed", 487, "Request Terminated", "local")
    on.answer(invite, 200, body=OFFER)
    assert (await on.request("ACK")).cseq == (1, "ACK"), "a repeated 200 has its ACK too"
    assert "answered" not in on.handler.counts


async def test_a_cancel_that_nobody_answers_is_forgotten(start: Start, raw: Raw) -> None:
    """64*T1 after CANCEL the INVITE counts as ended (§9.1): neither call nor transaction stays behind."""
    on = await wire(start, raw)
    call = on.call()
    on.answer(await on.request("INVITE"), 180)
    await on.handler.until("early")
    call.hangup()
    await on.request("CANCEL")
    on.push(33.0)
    await on.handler.until("failed")
    assert not on.agent._stack._client
    assert not on.agent._calls


async def test_a_hangup_before_any_response_cancels_at_the_first_one(start: Start, raw: Raw) -> None:
    on = await wire(start, raw)
    call = on.call()
    invite = await on.request("INVITE")
    call.hangup()
    assert not [each for each in await on.quiet() if each.method == "CANCEL"]
    on.answer(invite, 100)
    await on.request("CANCEL")
    on.answer(invite, 487)
    await on.handler.until("failed")
    assert on.handler.log[-1][1:] == (487, "Request Terminated", "local")


async def test_bye_within_an_early_dialog_of_ours_leaves_nothing(start: Start, raw: Raw) -> None:
    """A callee may not, but it means what it says; other branches of a fork are cancelled."""
    on = await wire(start, raw)
    call = on.call()
    on.answer(await on.request("INVITE"), 180)
    await on.handler.until("early")
    bye = raw.build("BYE", to_tag=call.local_tag).replace(b"tag=raw", b"tag=uas")
    raw.send(bye.replace(f"Call-ID: {raw.port}".encode(), f"Call-ID: {call.call_id}".encode()))
    await on.request("CANCEL")
    await on.handler.until("failed")
    on.push(33.0)
    assert not on.agent._stack._client


# --- forks ----------------------------------------------------------------------------------------------------


async def test_the_second_200_of_a_fork_is_taken_and_ended(start: Start, raw: Raw) -> None:
    on = await wire(start, raw)
    call = on.call()
    invite = await on.request("INVITE")
    for tag in ("one", "two"):
        on.answer(invite, 180, tag=tag)
    on.answer(invite, 200, tag="one", body=OFFER)
    assert (await on.request("ACK")).to.tag == "one"
    on.answer(invite, 200, tag="two", body=OFFER)
    assert (await on.request("ACK")).to.tag == "two"
    bye = await on.request("BYE")
    assert bye.to.tag == "two"
    on.answer(bye, 200)
    on.answer(invite, 200, tag="two", body=OFFER)
    assert (await on.request("ACK")).to.tag == "two"
    assert not [each for each in await on.quiet() if each.method == "BYE"], "one BYE a branch"
    assert on.handler.counts["answered"] == 1
    assert call.dialog is not None
    assert call.dialog.remote_tag == "one"
    call.hangup()
    assert (await on.request("BYE")).to.tag == "one"


async def test_a_contact_that_cannot_be_read_does_not_stop_the_ack(start: Start, raw: Raw) -> None:
    on = await wire(start, raw)
    on.call()
    invite = await on.request("INVITE")
    response = respond(invite, 200, to_tag="uas")
    response.headers.set("Contact", "<sip:a@127.0.0.1:99999>")
    response.headers.set("Content-Type", "application/sdp")
    response.body = OFFER
    raw.send(response.to_bytes())
    ack = await on.request("ACK")
    assert ack.target == invite.target
    await on.handler.until("answered")


# --- re-INVITE ------------------------------------------------------------------------------------------------


def within(on: Wire, call: SipCall, method: str, *extra: str, cseq: int, body: bytes = b"") -> bytes:
    """A request of the peer within an outbound call."""
    data = on.peer.build(method, *extra, to_tag=call.local_tag, cseq=cseq, body=body)
    return data.replace(b"tag=raw", b"tag=uas").replace(
        f"Call-ID: {on.peer.port}".encode(), f"Call-ID: {call.call_id}".encode()
    )


async def test_glare(start: Start, raw: Raw) -> None:
    """Both offer at once: we answer 491, take theirs for ours, and offer again after our pause."""
    on = await wire(start, raw)
    call = await on.talking()
    call.reinvite(HOLD)
    ours = await on.request("INVITE")
    raw.send(within(on, call, "INVITE", cseq=5, body=OFFER))
    assert (await on.response(491, "INVITE")).cseq[0] == 5
    raw.send(within(on, call, "UPDATE", cseq=6, body=OFFER))
    assert (await on.response(491, "UPDATE")).cseq[0] == 6
    on.answer(ours, 491)
    await on.request("ACK")
    on.push(2.0)
    assert not [each for each in await on.quiet() if isinstance(each, Request)], (
        "2.1 to 4 s: it is our Call-ID"
    )
    on.push(2.5)
    again = await on.request("INVITE")
    assert (again.body, again.cseq[0] > ours.cseq[0]) == (HOLD, True)
    on.answer(again, 200, body=OFFER)
    await on.request("ACK")
    await on.handler.until("reanswered")
    assert "reoffer" not in on.handler.counts
    on.answer(again, 200, body=OFFER)
    assert (await on.request("ACK")).cseq[0] == again.cseq[0], "repeated 2xx, repeated ACK"
    assert on.handler.counts["reanswered"] == 1


async def test_a_reinvite_of_theirs_without_ack_ends_the_call(start: Start, raw: Raw) -> None:
    on = await wire(start, raw)
    call = await on.talking()
    raw.send(within(on, call, "INVITE", cseq=5, body=HOLD))
    await on.response(200, "INVITE")
    on.push(33.0)
    await on.request("BYE")
    await on.handler.until("ended")
    assert on.handler.log[-1] == ("ended", "timeout", "no ACK")


async def test_update_before_the_first_answer(start: Start, raw: Raw) -> None:
    """Their first offer has no answer yet: another one is too early (RFC 3311 §5.2)."""
    on = await wire(start, raw, "ring")
    raw.send(raw.build("INVITE", body=OFFER))
    ringing = await on.response(180, "INVITE")
    early = await raw.ask(raw.build("UPDATE", to_tag=ringing.to.tag, cseq=2, body=OFFER))
    assert (early.code, early.headers.get("retry-after")) == (500, "1")
    assert "reoffer" not in on.handler.counts


# --- session timer --------------------------------------------------------------------------------------------

TIMER = ("Session-Expires", "90;refresher=uac")


async def test_a_refused_refresh_is_tried_again_while_the_session_lasts(start: Start, raw: Raw) -> None:
    on = await wire(start, raw)
    await on.talking(TIMER, ("Allow", "INVITE, ACK, BYE, UPDATE"))
    on.push(46.0)
    first = await on.request("UPDATE")
    assert first.headers.get("session-expires") == "90;refresher=uac"
    on.answer(first, 503)
    await asyncio.sleep(0.05)
    on.push(12.0)
    second = await on.request("UPDATE")
    on.answer(second, 422, ("Min-SE", "200"))
    await asyncio.sleep(0.05)
    on.push(26.0)
    third = await on.request("UPDATE")
    assert third.headers.get("session-expires") == "200;refresher=uac"
    on.answer(third, 200, ("Session-Expires", "200;refresher=uac"))
    await asyncio.sleep(0.05)
    on.push(90.0)
    assert "ended" not in on.handler.counts
    on.push(20.0)
    on.answer(await on.request("UPDATE"), 481)
    await on.handler.until("ended")


async def test_a_peer_without_update_is_refreshed_by_invite(start: Start, raw: Raw) -> None:
    """Also one that said that it had it; the re-INVITE keeps the timer running, and refusals do not end it."""
    on = await wire(start, raw)
    await on.talking(TIMER, ("Allow", "INVITE, ACK, BYE, UPDATE"))
    on.push(46.0)
    on.answer(await on.request("UPDATE"), 501)
    again = await on.request("INVITE")
    assert (again.headers.get("session-expires"), again.body) == ("90;refresher=uac", OFFER)
    on.answer(again, 500)
    await on.handler.until("reanswered")
    on.push(12.0)
    once_more = await on.request("INVITE")
    on.answer(once_more, 200, TIMER, body=OFFER)
    await on.request("ACK")
    await on.handler.until("reanswered", 2)
    on.push(40.0)
    assert "ended" not in on.handler.counts


async def test_a_session_that_nobody_can_refresh_ends(start: Start, raw: Raw) -> None:
    on = await wire(start, raw)
    await on.talking(TIMER, ("Allow", "INVITE, ACK, BYE, UPDATE"))
    for _ in range(5):
        on.push(20.0)
        for each in await on.quiet():
            if isinstance(each, Request) and each.method == "UPDATE":
                on.answer(each, 503)
        await asyncio.sleep(0.02)
    await on.handler.until("ended")
    assert on.handler.log[-1][1] == "timeout"


@pytest.mark.parametrize("knows", [True, False])
async def test_require_timer_only_for_who_knows_it(start: Start, raw: Raw, knows: bool) -> None:
    on = await wire(start, raw)
    call = await on.talking()
    extra = ["Session-Expires: 120", *(["Supported: timer"] if knows else [])]
    raw.send(within(on, call, "UPDATE", *extra, cseq=5))
    ok = await on.response(200, "UPDATE")
    expected = ("120;refresher=uac", "timer") if knows else ("120;refresher=uas", None)
    assert (ok.headers.get("session-expires"), ok.headers.get("require")) == expected


# --- the rest -------------------------------------------------------------------------------------------------


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
