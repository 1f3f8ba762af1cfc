"""Peers for SIP tests: SIPp processes, a recording handler, and a lossy UDP proxy."""

import asyncio
import random
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from ringback.edges.sip.call import SipCall
from ringback.edges.sip.endpoint import SipEndpoint
from ringback.edges.sip.handler import Authorization, Refusal
from ringback.edges.sip.listener import Listener, TlsFiles
from ringback.edges.sip.transport import Source
from ringback.sip.message import Request
from ringback.sip.sdp import answer_offer, write_offer

OFFER = write_offer("127.0.0.1", 40000, session_id=1)


class Recorder:
    """A SipHandler that answers (`answer`), rings only (`ring`) or refuses (a code), and counts what it is told."""

    def __init__(self, inbound: str | int = "answer") -> None:
        self.inbound = inbound
        self.verdict = Authorization("trusted")
        self.counts: Counter[str] = Counter()
        self.log: list[tuple[Any, ...]] = []
        self.calls: list[SipCall] = []
        self.per_call: dict[str, Counter[str]] = {}
        self.hang_up_after_answer = False
        self.changed = asyncio.Event()

    def note(self, call: SipCall | None, what: str, *details: Any) -> None:
        """Count and wake whoever waits."""
        self.counts[what] += 1
        self.log.append((what, *details))
        if call is not None:
            self.per_call.setdefault(call.id, Counter())[what] += 1
        self.changed.set()

    async def until(self, what: str, count: int = 1, seconds: float = 20.0) -> None:
        """Wait until `what` has been told `count` times."""
        async with asyncio.timeout(seconds):
            while self.counts[what] < count:
                self.changed.clear()
                await self.changed.wait()

    def authorize(self, request: Request, source: Source) -> Authorization:
        return self.verdict

    def incoming(self, call: SipCall) -> None:
        self.calls.append(call)
        self.note(call, "incoming", call.request)
        if isinstance(self.inbound, int):
            call.reject(self.inbound)
        elif self.inbound == "ring":
            call.ring()
        elif self.inbound == "answer":
            call.ring()
            body = call.remote_sdp
            call.answer(answer_offer(body, "127.0.0.1", 40000, session_id=2)[0] if body else OFFER)

    def early(self, call: SipCall, code: int, sdp: bytes | None) -> None:
        self.note(call, "early", code, sdp)

    def answered(self, call: SipCall, sdp: bytes | None) -> None:
        self.note(call, "answered", sdp)
        if self.hang_up_after_answer:
            call.hangup()

    def confirmed(self, call: SipCall) -> None:
        self.note(call, "confirmed")

    def failed(self, call: SipCall, code: int, reason: str, source: str) -> None:
        self.note(call, "failed", code, reason, source)

    def ended(self, call: SipCall, by: str, reason: str) -> None:
        self.note(call, "ended", by, reason)

    def reoffer(self, call: SipCall, sdp: bytes | None) -> bytes | Refusal:
        self.note(call, "reoffer", sdp)
        return answer_offer(sdp, "127.0.0.1", 40000, session_id=2, version=2)[0] if sdp else OFFER

    def reanswered(self, call: SipCall, sdp: bytes | None) -> None:
        self.note(call, "reanswered", sdp)

    def info(self, call: SipCall, content_type: str, body: bytes) -> None:
        self.note(call, "info", content_type, body)

    def referred(self, call: SipCall, refer_to: str) -> None:
        self.note(call, "referred", refer_to)

    def refer_answered(self, call: SipCall, code: int) -> None:
        self.note(call, "refer_answered", code)

    def refer_notified(self, call: SipCall, code: int) -> None:
        self.note(call, "refer_notified", code)


def endpoint(handler: Recorder, *transports: str, tls: TlsFiles | None = None, **more: Any) -> SipEndpoint:
    """An endpoint on 127.0.0.1 with ports chosen by the system."""
    return SipEndpoint(
        listeners=[Listener(name) for name in transports or ("udp",)],  # type: ignore[arg-type]
        user_agent="ringback-test",
        handler=handler,
        clock=time.monotonic,
        tls=tls,
        **more,
    )


def port_of(agent: SipEndpoint, transport: str = "udp") -> int:
    """The port a listener was given."""
    return next(port for name, _, port in agent.addresses if name == transport)


async def sipp(*arguments: str, scenario: str | None = None, seconds: float = 60.0) -> tuple[int, str]:
    """Run SIPp to its end: (exit code, screen output). Fails clearly when SIPp is missing."""
    program = shutil.which("sipp")
    assert program is not None, "these tests need SIPp: apt-get install sip-tester"
    with tempfile.TemporaryDirectory(prefix="sipp") as folder:
        extra = []
        if scenario is not None:
            file = Path(folder) / "scenario.xml"
            file.write_text(scenario)
            extra = ["-sf", str(file)]
        process = await asyncio.create_subprocess_exec(
            program,
            *arguments,
            *extra,
            "-nostdin",
            "-i",
            "127.0.0.1",
            "-timeout",
            f"{seconds:.0f}s",
            "-timeout_error",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=folder,
        )
        try:
            out, _ = await asyncio.wait_for(process.communicate(), seconds + 10)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    return process.returncode or 0, out.decode("utf-8", "replace")[-4000:]


class LossyProxy:
    """A UDP relay between many clients and one server that loses, repeats and reorders datagrams by a seed."""

    def __init__(
        self, server: tuple[str, int], *, loss: float, duplicate: float, reorder: float, seed: int
    ) -> None:
        self.server = server
        self.dropped = self.duplicated = self.reordered = 0
        self._odds = (loss, duplicate, reorder)
        self._random = random.Random(seed)
        self._back: dict[tuple[str, int], asyncio.DatagramTransport] = {}
        self._front: asyncio.DatagramTransport | None = None
        self.port = 0

    async def start(self) -> None:
        """Bind the side that clients see."""
        loop = asyncio.get_running_loop()
        self._front, _ = await loop.create_datagram_endpoint(
            lambda: _Relay(self._from_client), local_addr=("127.0.0.1", 0)
        )
        self.port = self._front.get_extra_info("sockname")[1]

    def stop(self) -> None:
        """Close every socket."""
        if self._front is not None:
            self._front.close()
        for back in self._back.values():
            back.close()

    def _from_client(self, data: bytes, client: tuple[str, int]) -> None:
        back = self._back.get(client)
        if back is None:
            asyncio.get_running_loop().create_task(self._open(data, client))
        else:
            self._pass(back, data, self.server)

    async def _open(self, data: bytes, client: tuple[str, int]) -> None:
        front = self._front
        assert front is not None
        if client not in self._back:
            back, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: _Relay(lambda answer, _: self._pass(front, answer, client)),
                local_addr=("127.0.0.1", 0),
            )
            if client in self._back:
                back.close()
            else:
                self._back[client] = back
        self._pass(self._back[client], data, self.server)

    def _pass(self, out: asyncio.DatagramTransport, data: bytes, to: tuple[str, int]) -> None:
        loss, duplicate, reorder = self._odds
        chance = self._random.random
        if chance() < loss:
            self.dropped += 1
            return
        if chance() < duplicate:
            self.duplicated += 1
            asyncio.get_running_loop().call_later(chance() * 0.05, _send, out, data, to)
        if chance() < reorder:
            self.reordered += 1
            asyncio.get_running_loop().call_later(0.01 + chance() * 0.05, _send, out, data, to)
        else:
            _send(out, data, to)


def _send(out: asyncio.DatagramTransport, data: bytes, to: tuple[str, int]) -> None:
    if not out.is_closing():
        out.sendto(data, to)


class _Relay(asyncio.DatagramProtocol):
    def __init__(self, take: Any) -> None:
        self._take = take

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._take(data, addr)
