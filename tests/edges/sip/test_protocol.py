"""Single packets against the endpoint: what a peer that keeps or breaks the rules gets back."""

import asyncio
import ssl
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.edges.sip.conftest import Start
from tests.edges.sip.test_endpoint import invite
from tests.sip.torture import TORTURE
from tests.sip_peers import OFFER, Recorder, port_of

from ringback.edges.sip.endpoint import SipEndpoint
from ringback.edges.sip.listener import TlsFiles
from ringback.sip.message import Request, Response, parse_message


class Raw(asyncio.DatagramProtocol):
    """A UDP peer that sends exactly what it is told."""

    def __init__(self) -> None:
        self.inbox: asyncio.Queue[bytes] = asyncio.Queue()
        self.socket: Any = None
        self.to = ("127.0.0.1", 0)
        self.branch = 0

    def connection_made(self, transport: Any) -> None:
        self.socket = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.inbox.put_nowait(data)

    @property
    def port(self) -> int:
        return int(self.socket.get_extra_info("sockname")[1])

    def build(
        self, method: str, *extra: str, branch: str = "", to_tag: str = "", cseq: int = 1, body: bytes = b""
    ) -> bytes:
        """A request with a new branch unless one is given."""
        self.branch += 1
        head = [
            f"{method} sip:a@127.0.0.1 SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};rport;branch={branch or f'z9hG4bKraw{self.branch}'}",
            "From: <sip:raw@127.0.0.1>;tag=raw",
            "To: <sip:a@127.0.0.1>" + (f";tag={to_tag}" if to_tag else ""),
            f"Call-ID: {self.port}",
            f"CSeq: {cseq} {method}",
            f"Contact: <sip:raw@127.0.0.1:{self.port}>",
            *extra,
        ]
        if body and not any(line.startswith("Content-Type") for line in extra):
            head.append("Content-Type: application/sdp")
        return ("\r\n".join(head) + f"\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body

    def send(self, data: bytes) -> None:
        self.socket.sendto(data, self.to)

    async def receive(self) -> Request | Response:
        async with asyncio.timeout(5):
            return parse_message(await self.inbox.get())

    async def final(self) -> Response:
        """The next final response."""
        while True:
            got = await self.receive()
            if isinstance(got, Response) and got.code >= 200:
                return got

    async def ask(self, data: bytes) -> Response:
        self.send(data)
        return await self.final()


@pytest.fixture
async def raw() -> AsyncIterator[Raw]:
    _, peer = await asyncio.get_running_loop().create_datagram_endpoint(Raw, local_addr=("127.0.0.1", 0))
    yield peer
    peer.socket.close()


async def listening(
    start: Start, raw: Raw, inbound: str | int = "answer", **more: Any
) -> tuple[SipEndpoint, Recorder]:
    handler = Recorder(inbound)
    agent = await start(handler, "udp", **more)
    raw.to = ("127.0.0.1", port_of(agent))
    return agent, handler


async def test_refusals_before_a_call_exists(start: Start, raw: Raw) -> None:
    _, handler = await listening(start, raw)
    assert (await raw.ask(raw.build("OPTIONS"))).headers.tokens("allow")[0] == "invite"
    assert (await raw.ask(raw.build("MESSAGE"))).code == 405
    assert (await raw.ask(raw.build("WHATEVER"))).code == 501
    assert (await raw.ask(raw.build("BYE", to_tag="none"))).code == 481
    assert (await raw.ask(raw.build("CANCEL"))).code == 481
    bad = await raw.ask(raw.build("INVITE", "Require: path, 100rel, x-new", cseq=2, body=OFFER))
    assert (bad.code, bad.headers.get("unsupported")) == (420, "path, x-new")
    raw_body = raw.build("INVITE", "Content-Type: text/plain", cseq=3, body=b"hi")
    assert (await raw.ask(raw_body)).code == 415
    assert (await raw.ask(raw.build("INVITE", "Supported: timer", "Session-Expires: 30", cseq=4))).code == 422
    assert handler.counts["incoming"] == 0


async def test_duplicated_invite_and_bye_reach_the_application_once(start: Start, raw: Raw) -> None:
    agent, handler = await listening(start, raw)
    first = raw.build("INVITE", body=OFFER)
    for _ in range(3):
        raw.send(first)
    ok = await raw.final()
    raw.send(raw.build("ACK", to_tag=ok.to.tag))
    raw.send(raw.build("ACK", to_tag=ok.to.tag))
    await handler.until("confirmed")
    bye = raw.build("BYE", to_tag=ok.to.tag, cseq=2)
    assert [(await raw.ask(bye)).code for _ in range(3)] == [200, 200, 200]
    late = raw.build("BYE", to_tag=ok.to.tag, cseq=3)
    assert (await raw.ask(late)).code == 481
    assert handler.counts == {"incoming": 1, "confirmed": 1, "ended": 1}
    assert not agent.calls


async def test_merged_invite_is_a_loop(start: Start, raw: Raw) -> None:
    _, handler = await listening(start, raw, "ring")
    raw.send(raw.build("INVITE", body=OFFER))
    await handler.until("incoming")
    assert (await raw.ask(raw.build("INVITE", body=OFFER))).code == 482
    assert handler.counts["incoming"] == 1


async def test_old_cseq_and_second_offer(start: Start, raw: Raw) -> None:
    _, handler = await listening(start, raw)
    ok = await raw.ask(raw.build("INVITE", cseq=5, body=OFFER))
    raw.send(raw.build("ACK", to_tag=ok.to.tag, cseq=5))
    await handler.until("confirmed")
    assert (await raw.ask(raw.build("INFO", to_tag=ok.to.tag, cseq=4))).code == 500
    info = raw.build(
        "INFO", "Content-Type: application/dtmf-relay", to_tag=ok.to.tag, cseq=6, body=b"Signal=5\r\n"
    )
    assert (await raw.ask(info)).code == 200
    await handler.until("info")
    assert handler.log[-1] == ("info", "application/dtmf-relay", b"Signal=5\r\n")
    other = raw.build(
        "INFO", "Content-Type: application/media_control+xml", to_tag=ok.to.tag, cseq=7, body=b"<x/>"
    )
    refused = await raw.ask(other)
    assert (refused.code, refused.headers.tokens("accept")) == (
        415,
        ["application/dtmf-relay", "application/dtmf"],
    )
    assert (await raw.ask(raw.build("INVITE", to_tag=ok.to.tag, cseq=8, body=OFFER))).code == 200
    assert (await raw.ask(raw.build("INVITE", to_tag=ok.to.tag, cseq=9, body=OFFER))).code == 200
    assert (await raw.ask(raw.build("UPDATE", to_tag=ok.to.tag, cseq=10))).code == 200
    refer = await raw.ask(raw.build("REFER", "Refer-To: <sip:b@127.0.0.1>", to_tag=ok.to.tag, cseq=11))
    assert refer.code == 202
    await handler.until("referred")
    assert handler.counts["reoffer"] == 2


async def test_reliable_ringing_and_prack(start: Start, raw: Raw) -> None:
    _, handler = await listening(start, raw)
    raw.send(raw.build("INVITE", "Require: 100rel", body=OFFER))
    ringing = await raw.receive()
    while isinstance(ringing, Response) and ringing.code == 100:
        ringing = await raw.receive()
    assert isinstance(ringing, Response)
    assert (ringing.code, ringing.headers.get("require"), ringing.headers.get("rseq")) == (180, "100rel", "1")
    wrong = raw.build("PRACK", "RAck: 9 1 INVITE", to_tag=ringing.to.tag, cseq=2)
    assert (await raw.ask(wrong)).code == 481
    raw.send(raw.build("PRACK", "RAck: 1 1 INVITE", to_tag=ringing.to.tag, cseq=3))
    finals = {(await raw.final()).cseq[1] for _ in range(2)}
    assert finals == {"PRACK", "INVITE"}
    raw.send(raw.build("ACK", to_tag=ringing.to.tag))
    await handler.until("confirmed")


async def test_overload_is_told(start: Start, raw: Raw) -> None:
    agent, _ = await listening(start, raw, max_transactions=1)
    assert (await raw.ask(raw.build("OPTIONS"))).code == 200
    busy = await raw.ask(raw.build("OPTIONS", cseq=2))
    assert (busy.code, busy.headers.get("retry-after")) == (503, "5")
    assert agent.counters.overload == 1


async def test_torture_leaves_the_endpoint_alive(start: Start, raw: Raw) -> None:
    agent, _ = await listening(start, raw, 486)
    for data, _ in TORTURE.values():
        raw.send(data)
    raw.send(b"\r\n\r\n")
    while not raw.inbox.empty():
        raw.inbox.get_nowait()
    async with asyncio.timeout(5):
        raw.send(raw.build("OPTIONS"))
        while (await raw.final()).call_id != str(raw.port):
            pass
    assert agent.counters.handler_errors == 0
    assert sum(agent.counters.dropped.values()) > 10
    assert not agent.calls


class Clock:
    """Monotonic time that can be pushed forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead


async def test_answer_without_ack_is_hung_up(start: Start, raw: Raw) -> None:
    clock = Clock()
    agent, handler = await listening(start, raw)
    agent._stack.clock = clock
    ok = await raw.ask(raw.build("INVITE", body=OFFER))
    for _ in range(20):
        clock.ahead += 4.0
        agent._stack._tick()
        if handler.counts["ended"]:
            break
        await asyncio.sleep(0)
    await handler.until("ended")
    assert handler.log[-1] == ("ended", "timeout", "no ACK")
    repeats = 0
    while isinstance(got := await raw.receive(), Response):
        repeats += got.code == 200 and got.to.tag == ok.to.tag
    assert repeats >= 5
    assert got.method == "BYE"
    raw.send(raw.build("ACK", to_tag=ok.to.tag))
    await asyncio.sleep(0.05)
    assert handler.counts == {"incoming": 1, "ended": 1}


@pytest.mark.parametrize("refresher", ["uac", "uas"])
async def test_session_timer(start: Start, raw: Raw, refresher: str) -> None:
    clock = Clock()
    agent, handler = await listening(start, raw)
    agent._stack.clock = clock
    wanted = f"Session-Expires: 90;refresher={refresher}"
    ok = await raw.ask(raw.build("INVITE", "Supported: timer", "Allow: UPDATE", wanted, body=OFFER))
    assert ok.headers.get("session-expires") == f"90;refresher={refresher}"
    raw.send(raw.build("ACK", to_tag=ok.to.tag))
    await handler.until("confirmed")
    clock.ahead += 46.0 if refresher == "uas" else 61.0
    agent._stack._tick()
    got = await raw.receive()
    while isinstance(got, Response):
        got = await raw.receive()
    assert got.method == ("UPDATE" if refresher == "uas" else "BYE")
    if refresher == "uac":
        await handler.until("ended")
        assert handler.log[-1] == ("ended", "timeout", "session expired")


async def test_a_handler_bug_ends_that_call_alone(start: Start, raw: Raw) -> None:
    _, handler = await listening(start, raw)
    handler.incoming = lambda call: 1 / 0  # type: ignore[assignment,return-value]
    assert (await raw.ask(raw.build("INVITE", body=OFFER))).code == 500
    assert (await raw.ask(raw.build("OPTIONS", cseq=2))).code == 200


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> TlsFiles:
    folder: Path = tmp_path_factory.mktemp("tls")
    names = str(folder / "cert.pem"), str(folder / "key.pem")
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
    ]
    command += [
        "-subj",
        "/CN=127.0.0.1",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-out",
        names[0],
        "-keyout",
        names[1],
    ]
    subprocess.run(command, check=True, capture_output=True)
    return TlsFiles(*names, ca=names[0])


async def test_calls_over_tls(start: Start, certificate: TlsFiles) -> None:
    there, here = Recorder(), Recorder()
    uas, uac = await start(there, "tls", tls=certificate), await start(here, "tls", tls=certificate)
    call = invite(uac, port_of(uas, "tls"), transport="tls")
    await there.until("confirmed")
    there.calls[0].hangup()
    await here.until("ended")
    assert here.log[-1][1] == "remote"
    assert call.over


async def test_an_untrusted_certificate_is_not_called(start: Start, certificate: TlsFiles) -> None:
    here = Recorder()
    uas = await start(Recorder(), "tls", tls=certificate)
    uac = await start(here, "tls", tls=TlsFiles(certificate.certificate, certificate.key))
    invite(uac, port_of(uas, "tls"), transport="tls")
    await here.until("failed")
    assert here.log[-1][1:] == (503, "Service Unavailable", "transport")


async def test_a_program_with_its_own_ssl(start: Start, certificate: TlsFiles) -> None:
    agent = await start(Recorder(), "tls", tls=certificate)
    context = ssl.create_default_context(cafile=certificate.ca)
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(agent, "tls"), ssl=context)
    writer.write(b"\r\n\r\n")
    assert await reader.readexactly(2) == b"\r\n"
    data = Raw.build(_Named(), "OPTIONS").replace(b"/UDP", b"/TLS")  # type: ignore[arg-type]
    writer.write(data[:50])
    await writer.drain()
    writer.write(data[50:])
    assert (await reader.readline()).startswith(b"SIP/2.0 200")
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    await reader.read()
    assert agent.counters.dropped["stream-content-length"] == 1
    writer.close()


class _Named:
    branch = 0
    port = 5061
