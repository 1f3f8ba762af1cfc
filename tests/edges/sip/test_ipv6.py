"""IPv6: listeners, Via and Contact, registrations, addresses in settings and in descriptions."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from tests.sip_peers import Recorder

from ringback.edges.sip.address import host_of, trunk_route, within_uri
from ringback.edges.sip.endpoint import SipEndpoint
from ringback.edges.sip.listener import Listener
from ringback.edges.sip.registrar import Binding
from ringback.edges.sip.route import Router, Unreachable
from ringback.effects import DialLeg
from ringback.settings import Phone, Settings, Trunk
from ringback.sip.sdp import BadSdp, answer_offer, read_answer, write_offer

OFFER6 = write_offer("::1", 40000, session_id=1)


def endpoint6(handler: Recorder) -> SipEndpoint:
    return SipEndpoint(
        listeners=[Listener("udp", "::1"), Listener("tcp", "::1")],
        user_agent="test",
        handler=handler,
        clock=time.monotonic,
    )


class Recorder6(Recorder):
    """Answers with an IPv6 description."""

    def incoming(self, call) -> None:  # type: ignore[no-untyped-def]
        self.calls.append(call)
        self.note(call, "incoming", call.request)
        call.answer(answer_offer(call.remote_sdp, "::1", 40002, session_id=2)[0])


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_call_and_a_registration_over_ipv6(transport: str) -> None:
    there, here = Recorder6(), Recorder6()
    uas, uac = endpoint6(there), endpoint6(here)
    await uas.start()
    await uac.start()
    try:
        port = next(port for name, _, port in uas.addresses if name == transport)
        registration = uac.register(
            registrar=f"[::1]:{port}", username="alice", password="", transport=transport
        )
        async with asyncio.timeout(5):
            while registration.state == "registering":
                await asyncio.sleep(0.01)
        assert registration.state == "registered"
        (binding,) = uas.registrar.lookup("alice")
        assert binding.next_hop.startswith("[::1]:")
        call = uas.invite(
            to=binding.contact, from_uri="sip:bob@[::1]", from_display=None, sdp=OFFER6,
            next_hop=binding.next_hop, transport=binding.transport,
        )  # fmt: skip
        await here.until("confirmed")
        await there.until("answered")
        assert read_answer(there.log[-1][1]).remote_host == "::1"
        here.calls[0].hangup()
        await there.until("ended")
        assert call.over
    finally:
        await uac.stop()
        await uas.stop()


async def test_a_family_that_nobody_listens_for_is_told() -> None:
    here = Recorder()
    agent = endpoint6(here)
    await agent.start()
    agent.invite(to="sip:a@127.0.0.1:9", from_uri="sip:b@[::1]", from_display=None, sdp=OFFER6)
    await here.until("failed")
    assert here.log[-1] == ("failed", 503, "Service Unavailable", "transport")
    await agent.stop()


async def test_both_families_on_one_port() -> None:
    """`udp:0.0.0.0:5060,udp:[::]:5060`: each has its own socket."""
    first = SipEndpoint(
        listeners=[Listener("udp", "0.0.0.0")], user_agent="t", handler=Recorder(), clock=time.monotonic
    )
    await first.start()
    port = first.addresses[0][2]
    second = SipEndpoint(
        listeners=[Listener("udp", "::", port)], user_agent="t", handler=Recorder(), clock=time.monotonic
    )
    await second.start()
    assert second._stack.transports.reaches("udp", "::1")
    assert not second._stack.transports.reaches("udp", "127.0.0.1")
    await second.stop()
    await first.stop()


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("[2001:db8::1]:5060", "2001:db8::1"),
        ("[::1]", "::1"),
        ("192.0.2.1:5060", "192.0.2.1"),
        ("sip.example.com", "sip.example.com"),
        ("not an address", "not an address"),
    ],
)
def test_hosts(address: str, host: str) -> None:
    assert host_of(address) == host


def test_routes_over_ipv6(tmp_path: Path) -> None:
    trunk = Trunk(name="t", host="[2001:db8::1]:5060", username="me", password="x", register=True)
    assert (
        trunk_route(trunk, "+15550100", "+15550101", "2001:db8::9").from_uri == "sip:+15550101@[2001:db8::1]"
    )
    open_trunk = Trunk(name="t", host="[2001:db8::1]:5060", prefixes=("*",))
    route = trunk_route(open_trunk, "+15550100", "+15550101", "2001:db8::9")
    assert (route.uri, route.from_uri) == ("sip:+15550100@[2001:db8::1]:5060", "sip:+15550101@[2001:db8::9]")
    assert within_uri("192.0.2.1") == "192.0.2.1"
    bound = Binding("sip:alice@[2001:db8::4]", "[2001:db8::4]:40000", "udp", 1.0, 1.0, "c", 1)
    settings = Settings(
        data_dir=tmp_path, trunks=(open_trunk,), phones=(Phone(name="alice", password="x"),),
        sip_external_host="2001:db8::9",
    )  # fmt: skip
    router = Router(settings, lambda user: [bound] if user == "alice" else [])
    effect = DialLeg(call_sid="CA1", account_sid="AC1", to="sip:alice@[2001:db8::9]:5060", from_="+15550101")
    way = router.route(effect, "2001:db8::9")
    assert (way.peer, way.route.next_hop) == ("2001:db8::4", "[2001:db8::4]:40000")
    assert way.route.from_uri == "sip:+15550101@[2001:db8::9]"
    assert (
        router.route(
            DialLeg(call_sid="CA1", account_sid="AC1", to="+15550102", from_="+15550101"), "::1"
        ).peer
        == "2001:db8::1"
    )
    with pytest.raises(Unreachable, match="no phone"):
        router.route(
            DialLeg(call_sid="CA1", account_sid="AC1", to="sip:bob@ringback", from_="+15550101"), "::1"
        )


def test_descriptions_of_the_other_family_are_refused() -> None:
    """Our audio has one address family: an answer that the peer cannot reach would be silence."""
    with pytest.raises(BadSdp):
        answer_offer(OFFER6, "192.0.2.1", 40000, session_id=1)
    with pytest.raises(BadSdp):
        answer_offer(write_offer("192.0.2.7", 4, session_id=1), "2001:db8::1", 40000, session_id=1)
    answer, audio = answer_offer(OFFER6, "2001:db8::1", 40000, session_id=1)
    assert (audio.remote_host, b"c=IN IP6 2001:db8::1" in answer) == ("::1", True)
    # a name of ours (RINGBACK_SIP_EXTERNAL_HOST) says nothing of the family
    assert answer_offer(OFFER6, "pbx.example.com", 40000, session_id=1)[1].remote_host == "::1"


@pytest.mark.parametrize("host", ["slow.example.com", "localhost", "127.1", "0x7f000001", "-"])
def test_audio_to_a_name_is_refused(host: str) -> None:
    """Whoever sends a packet every 20 ms must not look a stranger's name up."""
    with pytest.raises(BadSdp):
        read_answer(write_offer(host, 40000, session_id=1))
