"""The user agent against SIPp and against itself, on real sockets."""

import asyncio

import pytest
from tests.edges.sip.conftest import Start
from tests.sip_peers import OFFER, LossyProxy, Recorder, port_of, sipp

from ringback.edges.sip.endpoint import SipEndpoint
from ringback.edges.sip.handler import Authorization


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_hundred_simultaneous_calls_from_sipp(start: Start, transport: str) -> None:
    handler = Recorder()
    agent = await start(handler, "udp", "tcp")
    mode = {"udp": "u1", "tcp": "t1"}[transport]
    code, output = await sipp(
        f"127.0.0.1:{port_of(agent, transport)}",
        "-sn",
        "uac",
        "-t",
        mode,
        "-m",
        "100",
        "-r",
        "100",
        "-l",
        "100",
        "-d",
        "300",
    )
    assert code == 0, output
    assert handler.counts["incoming"] == handler.counts["confirmed"] == handler.counts["ended"] == 100
    assert not agent.calls


async def test_outbound_call_to_a_sipp_uas(start: Start) -> None:
    handler = Recorder()
    agent = await start(handler)
    port = await free_port()
    peer = asyncio.create_task(sipp("-sn", "uas", "-p", str(port), "-m", "1", seconds=10))
    call = await dial_until_up(agent, handler, port)
    assert handler.counts["early"] == 1
    call.hangup()
    await handler.until("ended")
    assert handler.log[-1] == ("ended", "local", "hangup")
    code, output = await peer
    assert code == 0, output


async def test_calls_between_two_endpoints(start: Start) -> None:
    there, here = Recorder(), Recorder()
    uas = await start(there, "udp", "tcp")
    uac = await start(here, "udp", "tcp")
    for transport in ("udp", "tcp"):
        call = invite(uac, port_of(uas, transport), transport=transport)
        await there.until("confirmed", {"udp": 1, "tcp": 2}[transport])
        call.hangup()
        call.hangup()
    await there.until("ended", 2)
    await here.until("ended", 2)
    assert there.counts["incoming"] == here.counts["answered"] == 2
    assert not uas.calls
    assert not uac.calls


async def test_cancel_while_ringing(start: Start) -> None:
    there, here = Recorder("ring"), Recorder()
    uas, uac = await start(there), await start(here)
    call = invite(uac, port_of(uas))
    await here.until("early")
    call.hangup()
    await here.until("failed")
    await there.until("failed")
    assert here.log[-1] == ("failed", 487, "Request Terminated", "local")
    assert there.log[-1] == ("failed", 487, "Request Terminated", "remote")


@pytest.mark.parametrize("code", [404, 486, 603])
async def test_refusals_reach_the_caller(start: Start, code: int) -> None:
    there, here = Recorder(code), Recorder()
    uas, uac = await start(there), await start(here)
    invite(uac, port_of(uas))
    await here.until("failed")
    assert here.log[-1][1] == code
    assert here.log[-1][3] == "remote"
    assert there.log[-1][3] == "local"


async def test_digest_both_ways(start: Start) -> None:
    there, here = Recorder(), Recorder()
    there.verdict = Authorization("digest", realm="ringback", password={"alice": "secret"}.get)
    uas, uac = await start(there), await start(here)
    invite(uac, port_of(uas), credentials=("alice", "wrong"))
    await here.until("failed")
    assert here.log[-1][1] == 401
    assert there.counts["incoming"] == 0
    call = invite(uac, port_of(uas), credentials=("alice", "secret"))
    await there.until("confirmed")
    assert there.calls[0].request is not None
    assert there.calls[0].request.username == "alice"
    call.hangup()
    await there.until("ended")


async def test_hold_by_reinvite_both_ways_and_glare(start: Start) -> None:
    there, here = Recorder(), Recorder()
    uas, uac = await start(there), await start(here)
    call = invite(uac, port_of(uas))
    await there.until("confirmed")
    call.reinvite(OFFER.replace(b"sendrecv", b"sendonly"))
    await here.until("reanswered")
    assert b"a=recvonly" in here.log[-1][1]
    there.calls[0].reinvite(OFFER)
    await there.until("reanswered")
    call.reinvite(OFFER)
    there.calls[0].reinvite(OFFER)
    await here.until("reanswered", 2)
    await there.until("reanswered", 2)
    call.hangup()
    await there.until("ended")


async def test_register_and_unregister(start: Start) -> None:
    there, here = Recorder(), Recorder()
    there.verdict = Authorization("digest", realm="ringback", password={"alice": "secret"}.get)
    uas, uac = await start(there), await start(here)
    registration = uac.register(registrar=f"127.0.0.1:{port_of(uas)}", username="alice", password="secret")
    async with asyncio.timeout(5):
        while registration.state != "registered":
            await asyncio.sleep(0.01)
    (binding,) = uas.registrar.lookup("alice")
    assert binding.next_hop == f"127.0.0.1:{port_of(uac)}"
    await uac.stop()
    assert uas.registrar.lookup("alice") == []


async def test_nothing_listens(start: Start) -> None:
    here = Recorder()
    uac = await start(here, "udp", "tcp")
    invite(uac, await free_port(), transport="tcp")
    await here.until("failed")
    assert here.log[-1] == ("failed", 503, "Service Unavailable", "transport")


async def test_two_hundred_calls_through_loss_duplicates_and_reordering(start: Start) -> None:
    there, here = Recorder(), Recorder()
    here.hang_up_after_answer = True
    uas, uac = await start(there), await start(here)
    proxy = LossyProxy(("127.0.0.1", port_of(uas)), loss=0.02, duplicate=0.02, reorder=0.02, seed=7)
    await proxy.start()
    for _ in range(200):
        invite(uac, proxy.port)
        await asyncio.sleep(0.005)
    await here.until("ended", 200, 45)
    await there.until("ended", 200, 45)
    proxy.stop()
    assert proxy.dropped > 10
    assert proxy.duplicated > 10
    assert proxy.reordered > 10
    assert len(there.per_call) == len(here.per_call) == 200
    for seen in there.per_call.values():
        assert seen["incoming"] == 1
        assert seen["ended"] == 1
        assert seen["failed"] == 0
        assert seen["confirmed"] <= 1
    for seen in here.per_call.values():
        assert seen["answered"] == seen["ended"] == 1
    assert uas.counters.retransmissions_received > 0


def invite(
    agent: SipEndpoint, port: int, *, transport: str = "udp", credentials: tuple[str, str] | None = None
):  # type: ignore[no-untyped-def]
    """Call sip:service on a local port."""
    return agent.invite(
        to=f"sip:service@127.0.0.1:{port}",
        from_uri="sip:+15550100@127.0.0.1",
        from_display="Test",
        sdp=OFFER,
        transport=transport,
        credentials=credentials,
    )


async def dial_until_up(agent: SipEndpoint, handler: Recorder, port: int):  # type: ignore[no-untyped-def]
    """Call a peer process that is still starting; UDP repeats the INVITE until it is there."""
    call = invite(agent, port)
    await handler.until("answered")
    return call


async def free_port() -> int:
    """A UDP port that was free a moment ago."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    transport.close()
    await asyncio.sleep(0)
    return int(port)


UAC_CANCEL = """<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="cancel">
  <send retrans="500"><![CDATA[
INVITE sip:a@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:sipp@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:a@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:sipp@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Length: 0

]]></send>
  <recv response="100" optional="true"/>
  <recv response="180"/>
  <send retrans="500"><![CDATA[
CANCEL sip:a@[remote_ip]:[remote_port] SIP/2.0
[last_Via:]
From: <sip:sipp@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:a@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 CANCEL
Max-Forwards: 70
Content-Length: 0

]]></send>
  <recv response="200"/>
  <recv response="487"/>
  <send><![CDATA[
ACK sip:a@[remote_ip]:[remote_port] SIP/2.0
[last_Via:]
From: <sip:sipp@[local_ip]:[local_port]>;tag=[call_number]
[last_To:]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
</scenario>
"""

REGISTER_AUTH = """<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="register">
  <send retrans="500"><![CDATA[
REGISTER sip:[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:alice@[remote_ip]>;tag=[call_number]
To: <sip:alice@[remote_ip]>
Call-ID: [call_id]
CSeq: 1 REGISTER
Contact: <sip:alice@[local_ip]:[local_port]>
Expires: 120
Max-Forwards: 70
Content-Length: 0

]]></send>
  <recv response="401" auth="true"/>
  <send retrans="500"><![CDATA[
REGISTER sip:[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:alice@[remote_ip]>;tag=[call_number]
To: <sip:alice@[remote_ip]>
Call-ID: [call_id]
CSeq: 2 REGISTER
Contact: <sip:alice@[local_ip]:[local_port]>
[authentication username=alice password=secret]
Expires: 120
Max-Forwards: 70
Content-Length: 0

]]></send>
  <recv response="200"/>
</scenario>
"""


async def test_sipp_cancels(start: Start) -> None:
    handler = Recorder("ring")
    agent = await start(handler)
    code, output = await sipp(
        f"127.0.0.1:{port_of(agent)}", "-m", "20", "-r", "50", scenario=UAC_CANCEL, seconds=15
    )
    assert code == 0, output
    assert handler.counts["failed"] == 20
    assert not agent.calls


async def test_sipp_registers_with_digest(start: Start) -> None:
    handler = Recorder()
    handler.verdict = Authorization("digest", realm="ringback", password={"alice": "secret"}.get)
    agent = await start(handler)
    code, output = await sipp(f"127.0.0.1:{port_of(agent)}", "-m", "1", scenario=REGISTER_AUTH, seconds=15)
    assert code == 0, output
    assert len(agent.registrar.lookup("alice")) == 1
