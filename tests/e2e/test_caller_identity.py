"""Who calls, over real SIP: what the application is told when the caller asks for privacy, or was forwarded."""

from __future__ import annotations

import asyncio

import pytest

from tests.e2e.site import Site
from tests.e2e.web import Params, Web
from tests.sip_peers import OFFER, Recorder, endpoint, port_of


async def asked(site: Site, web: Web, display: str | None, *headers: tuple[str, str]) -> Params:
    """A call with these headers; what the voice URL was asked with."""
    told: list[Params] = []

    def voice(facts: Params) -> str:
        told.append(facts)
        return "<Response><Reject/></Response>"

    web.documents["/voice"] = voice
    ours = await asyncio.to_thread(site.client.incoming_phone_numbers.list, phone_number="+15550143")
    for number in ours:
        await asyncio.to_thread(number.update, voice_url=f"{web.url}/voice")
    if not ours:
        await asyncio.to_thread(site.number, "+15550143", f"{web.url}/voice")
    peer = Recorder()
    agent = endpoint(peer)
    await agent.start()
    try:
        agent.invite(
            to=f"sip:+15550143@127.0.0.1:{site.sip_port}", from_uri="sip:+14155550100@127.0.0.1",
            from_display=display, sdp=OFFER, headers=list(headers),
        )  # fmt: skip
        await peer.until("failed")
    finally:
        await agent.stop()
    return told[0]


@pytest.mark.parametrize(
    "header", [("Privacy", "id"), ("Remote-Party-ID", "<sip:+14155550100@x>;party=calling;privacy=full")]
)
async def test_who_asks_for_privacy_is_told_to_nobody(
    shared: Site, web: Web, header: tuple[str, str]
) -> None:
    facts = await asked(
        shared, web, "Joan Doe", header, ("P-Asserted-Identity", "<sip:+14155550100@carrier.test>")
    )
    assert (facts["From"], facts["Caller"]) == ("anonymous", "anonymous")
    assert not [name for name, value in facts.items() if "4155550100" in value or "Joan" in value]


async def test_who_has_forwarded_the_call(shared: Site, web: Web) -> None:
    facts = await asked(
        shared, web, "Joan Doe", ("Diversion", "<sip:+15551110001@carrier.test>;reason=unconditional")
    )
    assert (facts["From"], facts["CallerName"], facts["ForwardedFrom"]) == (
        "+14155550100", "Joan Doe", "+15551110001",
    )  # fmt: skip
    history = "<sip:+15551110002@a?Reason=SIP%3Bcause%3D302>;index=1, <sip:+15550143@b>;index=1.1"
    facts = await asked(shared, web, None, ("History-Info", history))
    assert facts["ForwardedFrom"] == "+15551110002"


async def test_a_call_that_is_sent_on_has_fewer_hops_left(shared: Site, web: Web) -> None:
    """RFC 7332: what ``<Dial>`` sends on carries the caller's Max-Forwards, less one."""
    callee = Recorder(486)
    agent = endpoint(callee)
    await agent.start()
    try:
        uri = f"sip:joan@127.0.0.1:{port_of(agent)}"
        web.documents["/dial"] = f"<Response><Dial><Sip>{uri}</Sip></Dial></Response>"
        number = await asyncio.to_thread(shared.number, "+15550144", f"{web.url}/dial")
        caller = Recorder()
        calling = endpoint(caller)
        await calling.start()
        try:
            calling.invite(
                to=f"sip:{number}@127.0.0.1:{shared.sip_port}", from_uri="sip:+14155550100@127.0.0.1",
                from_display=None, sdp=OFFER, max_forwards=7,
            )  # fmt: skip
            await callee.until("incoming")
            ((_, facts),) = [entry for entry in callee.log if entry[0] == "incoming"]
            assert dict(facts.headers)["Max-Forwards"] == "6"
            await caller.until("ended")
        finally:
            await calling.stop()
    finally:
        await agent.stop()
