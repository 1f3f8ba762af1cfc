"""What crosses on the wire: hangups, CANCEL, forks."""

from __future__ import annotations

import asyncio

import pytest
from tests.edges.sip.conftest import Start
from tests.edges.sip.test_protocol import Raw, raw
from tests.edges.sip.wire import Wire, wire
from tests.sip_peers import OFFER

from ringback.edges.sip.call import SipCall
from ringback.sip.message import Request, Response, respond

__all__ = ["raw"]


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


async def test_a_reinvite_that_overtakes_the_ack(start: Start, raw: Raw) -> None:
    """Taken when all is agreed; 491 when our own offer in the 200 waits for its answer (RFC 3261 §14.2)."""
    on = await wire(start, raw)
    ok = await raw.ask(raw.build("INVITE", body=OFFER))
    raw.send(raw.build("INVITE", to_tag=ok.to.tag, cseq=2, body=OFFER))
    assert (await on.response(200, "INVITE")).cseq[0] in (1, 2)
    for cseq in (2, 1):
        raw.send(raw.build("ACK", to_tag=ok.to.tag, cseq=cseq))
    await on.handler.until("confirmed")
    on.push(33.0)
    assert on.handler.counts == {"incoming": 1, "reoffer": 1, "confirmed": 1}
    late = (await raw.ask(raw.build("INVITE").replace(b"Call-ID: ", b"Call-ID: x"))).to.tag
    again = raw.build("INVITE", to_tag=late, cseq=2, body=OFFER).replace(b"Call-ID: ", b"Call-ID: x")
    raw.send(again)
    await on.response(491, "INVITE")


@pytest.mark.parametrize("inbound", ["ring", "answer"])
async def test_the_answers_to_invite_and_cancel_have_one_tag(start: Start, raw: Raw, inbound: str) -> None:
    on = await wire(start, raw, inbound)
    raw.send(raw.build("INVITE", branch="z9hG4bKtag", body=OFFER))
    tag = (await on.response(180, "INVITE")).to.tag
    raw.send(raw.build("CANCEL", branch="z9hG4bKtag"))
    assert (await on.response(200, "CANCEL")).to.tag == tag
    if inbound == "ring":
        assert (await on.response(487, "INVITE")).to.tag == tag


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


@pytest.mark.parametrize("provisional", [None, 100, 180])
async def test_a_hangup_ends_the_attempt_whatever_the_callee_does(
    start: Start, raw: Raw, provisional: int | None
) -> None:
    """Timer B and the wait after CANCEL are the transport's: nobody who has hung up waits 32 s for them."""
    on = await wire(start, raw)
    call = on.call()
    invite = await on.request("INVITE")
    if provisional:
        on.answer(invite, provisional)
        async with asyncio.timeout(5):
            while not call._provisional_seen:  # type: ignore[attr-defined]
                await asyncio.sleep(0)
    call.hangup()
    await on.handler.until("failed", seconds=1)
    assert on.handler.log[-1] == ("failed", 487, "Request Terminated", "local")
    assert not on.agent._calls
    on.push(31.0)
    methods = [each.method for each in await on.quiet() if isinstance(each, Request)]
    assert "INVITE" not in methods, "an INVITE that nobody waits for is not repeated"
    assert ("CANCEL" in methods) is (provisional is not None)
    on.push(33.0)
    assert not on.agent._stack._client


async def test_a_200_to_an_attempt_that_was_over_before_any_response_is_ended(start: Start, raw: Raw) -> None:
    on = await wire(start, raw)
    call = on.call()
    invite = await on.request("INVITE")
    call.hangup()
    await on.handler.until("failed")
    on.answer(invite, 200, body=OFFER)
    await on.request("ACK")
    await on.request("BYE")
    assert on.handler.counts == {"failed": 1}


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
    response.headers.set("Record-Route", '"<sip:10.0.0.1;lr>')
    response.headers.set("Content-Type", "application/sdp")
    response.body = OFFER
    raw.send(response.to_bytes())
    ack = await on.request("ACK")
    assert ack.target == invite.target
    await on.handler.until("answered")
