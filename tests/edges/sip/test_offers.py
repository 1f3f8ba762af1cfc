"""Offers that cross, and session timers (the tables: tests/sip/test_offer.py)."""

from __future__ import annotations

import asyncio

import pytest
from tests.edges.sip.conftest import Start
from tests.edges.sip.test_protocol import Raw, raw
from tests.edges.sip.wire import HOLD, wire, within
from tests.sip_peers import OFFER

from ringback.sip.message import Request

__all__ = ["raw"]


# --- re-INVITE ------------------------------------------------------------------------------------------------


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
