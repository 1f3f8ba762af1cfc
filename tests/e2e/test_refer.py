"""``<Refer>`` over real SIP: a caller's own equipment is asked to call somebody else, and says how that goes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from ringback.edges.sip.call import SipCall
from ringback.edges.sip.endpoint import SipEndpoint
from tests.e2e.site import Site
from tests.e2e.web import Params, Web
from tests.sip_peers import OFFER, Recorder, endpoint, port_of

TARGET = "sip:desk@phones.test"


class Peer(Recorder):
    """A caller that follows a REFER by the book, or does what its test wants."""

    def __init__(self, *notifies: int, hang_up: bool = False) -> None:
        super().__init__("ring")
        self.notifies, self.hang_up = notifies, hang_up

    def referred(self, call: SipCall, refer_to: str) -> None:
        super().referred(call, refer_to)
        for code in self.notifies:
            call.notify_refer(code, "As it is")
        if self.hang_up:
            call.hangup()


@pytest.fixture
async def agents() -> AsyncIterator[list[SipEndpoint]]:
    """Endpoints that end with the test."""
    started: list[SipEndpoint] = []
    yield started
    for each in started:
        await each.stop()


async def dial(site: Site, peer: Peer, agents: list[SipEndpoint]) -> SipCall:
    """The peer calls the site's number, and is up."""
    agent = endpoint(peer)
    await agent.start()
    agents.append(agent)
    call = agent.invite(
        to=f"sip:+15550142@127.0.0.1:{site.sip_port}", from_uri="sip:+15551230001@127.0.0.1",
        from_display=None, sdp=OFFER,
    )  # fmt: skip
    await peer.until("answered")
    return call


async def first(told: list[Params]) -> Params:
    """What the action is told."""
    async with asyncio.timeout(10):
        while not told:
            await asyncio.sleep(0.05)
    return told[0]


@pytest.mark.parametrize(
    ("notifies", "hang_up", "result"),
    [
        ((180, 200), False, ("in-progress", "202", "200")),
        ((486,), False, ("busy", "202", "486")),
        ((180,), True, ("canceled", "202", "180")),
    ],
)
async def test_a_transfer_and_what_the_action_is_told(
    shared: Site, web: Web, agents: list[SipEndpoint], notifies: tuple[int, ...], hang_up: bool,
    result: tuple[str, ...],
) -> None:  # fmt: skip
    told = await asyncio.to_thread(number, shared, web)
    peer = Peer(*notifies, hang_up=hang_up)
    call = await dial(shared, peer, agents)
    await peer.until("referred")
    assert [entry[1] for entry in peer.log if entry[0] == "referred"] == [TARGET]
    facts = await first(told)
    assert (facts["ReferCallStatus"], facts["ReferSipResponseCode"], facts["NotifySipResponseCode"]) == result
    call.hangup()
    assert await asyncio.to_thread(shared.ended, facts["CallSid"]) == "completed"


def number(site: Site, web: Web) -> list[Params]:
    """A number whose first verb is the transfer (REFER waits for the ACK of the answer); what its action is told."""
    told: list[Params] = []

    def after(facts: Params) -> str:
        told.append(facts)
        return "<Response><Hangup/></Response>"

    web.documents["/after"] = after
    web.documents["/voice"] = f"<Response><Refer action='/after'><Sip>{TARGET}</Sip></Refer></Response>"
    ours = site.client.incoming_phone_numbers.list(phone_number="+15550142")
    if ours:
        ours[0].update(voice_url=f"{web.url}/voice")
    else:
        site.number("+15550142", f"{web.url}/voice")
    return told


async def test_a_phone_that_asks_for_a_transfer_is_told_no(
    shared: Site, web: Web, agents: list[SipEndpoint]
) -> None:
    """Without ``referUrl`` (13802): the subscription ends with a refusal, not in silence."""
    await asyncio.to_thread(number, shared, web)
    web.documents["/voice"] = "<Response><Pause length='90'/></Response>"
    peer = Peer()
    call = await dial(shared, peer, agents)
    call.refer(TARGET)
    await peer.until("refer_notified", 2)
    assert [entry[1] for entry in peer.log if entry[0] in ("refer_answered", "refer_notified")] in (
        [202, 100, 603], [100, 202, 603], [100, 603, 202],
    )  # fmt: skip
    entries = await asyncio.to_thread(shared.client.notifications.list)
    assert "13802" in {entry.error_code for entry in entries}
    call.hangup()


async def called(site: Site, web: Web, peer: Peer, agents: list[SipEndpoint], document: str) -> list[Params]:
    """A call to somebody simulated, whose document dials the peer; what ``/refer`` is told."""
    told: list[Params] = []

    def refer(facts: Params) -> str:
        told.append(facts)
        return "<Response><Hangup/></Response>"

    agent = endpoint(peer)
    await agent.start()
    agents.append(agent)
    web.documents |= {"/refer": refer, "/voice": document.format(f"sip:joan@127.0.0.1:{port_of(agent)}")}
    await asyncio.to_thread(
        site.client.calls.create, to="+15557770001", from_="+15550100", url=f"{web.url}/voice"
    )
    await peer.until("confirmed")
    return told


async def test_a_callee_has_the_caller_transferred(shared: Site, web: Web, agents: list[SipEndpoint]) -> None:
    """``referUrl`` of ``<Dial>``: REFER, 202, NOTIFY 200, BYE; and the caller goes on by the document."""
    peer = Peer()
    peer.inbound = "answer"
    document = "<Response><Dial referUrl='/refer'><Sip>{}</Sip></Dial></Response>"
    told = await called(shared, web, peer, agents, document)
    peer.calls[0].refer(TARGET)
    facts = await first(told)
    assert facts["ReferTransferTarget"] == TARGET
    await peer.until("ended")
    said = [entry[1] for entry in peer.log if entry[0] in ("refer_answered", "refer_notified")]
    assert sorted(said) == [100, 200, 202]
    assert await asyncio.to_thread(shared.ended, facts["CallSid"]) == "completed"


async def test_a_call_that_we_placed_is_referred(shared: Site, web: Web, agents: list[SipEndpoint]) -> None:
    peer = Peer(200)
    peer.inbound = "answer"
    told = await asyncio.to_thread(number, shared, web)
    agent = endpoint(peer)
    await agent.start()
    agents.append(agent)
    call = await asyncio.to_thread(
        shared.client.calls.create, to=f"sip:joan@127.0.0.1:{port_of(agent)}", from_="+15550100",
        url=f"{web.url}/voice",
    )  # fmt: skip
    facts = await first(told)
    assert (facts["CallSid"], facts["ReferCallStatus"]) == (call.sid, "in-progress")
    assert await asyncio.to_thread(shared.ended, str(call.sid)) == "completed"
