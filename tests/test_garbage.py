"""A call that is over is freed at once: garbage waits for a full collection, and that stops every other call."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from typing import Any

import pytest

from ringback.edges.sip.call import SipCall
from ringback.edges.sip.offers import Offers
from ringback.edges.sip.session import SessionWatch
from ringback.edges.sip.success import Successes
from ringback.testing.world import World
from ringback.voice.call.session import Session
from ringback.voice.steps import Interrupted
from tests.edges.sip.conftest import Start, start
from tests.sip_peers import OFFER, Recorder, port_of

__all__ = ["start"]

CALLS = 5


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Nothing is collected but by reference counts."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def alive(*kinds: type[Any]) -> list[str]:
    """What is still there of these kinds."""
    return [type(each).__name__ for each in gc.get_objects() if isinstance(each, kinds)]


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize(
    "document",
    [
        "<Say>Hello</Say>",
        "<Gather numDigits='1' action='/voice'><Say>Press</Say></Gather><Hangup/>",
        "<Enqueue waitUrl=''>support</Enqueue>",
        "<Dial><Number>+15559990001</Number></Dial>",
        "<Dial><Conference>room</Conference></Dial>",
        "<Record/>",
        "<Say",
    ],
)
async def test_sessions(ringback: World, document: str) -> None:
    before = len(alive(Session))
    ringback.app("/voice", f"<Response>{document}</Response>")
    await ringback.number("+15550100", voice="/voice")
    for _ in range(CALLS):
        caller = await ringback.call("+15550100", script=[{"wait": 5}, {"hangup": True}])
        await caller.ends()
    await ringback.settled()
    assert len(alive(Session)) == before
    assert not alive(Interrupted)


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("who", ["caller", "callee"])
async def test_sip_calls(start: Start, who: str) -> None:
    answering, calling = Recorder("answer"), Recorder("answer")
    callee, caller = await start(answering, "udp"), await start(calling, "udp")
    port = port_of(callee)
    for number in range(CALLS):
        call = caller.invite(
            to=f"sip:1@127.0.0.1:{port}", from_uri="sip:2@127.0.0.1", from_display=None, sdp=OFFER
        )
        await calling.until("answered", number + 1)
        await answering.until("confirmed", number + 1)
        (call if who == "caller" else answering.calls[-1]).hangup()
        await calling.until("ended", number + 1)
        await answering.until("ended", number + 1)
        del call
    for recorder in (answering, calling):
        recorder.calls.clear()
        recorder.log.clear()
    for agent in (callee, caller):
        await agent.stop()
    await asyncio.sleep(0)
    assert not alive(SipCall, Offers, SessionWatch, Successes)
