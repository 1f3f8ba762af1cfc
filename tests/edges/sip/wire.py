"""A raw peer, an endpoint, and a clock that is pushed: for tests that say exactly which packets cross."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.edges.sip.conftest import Start
from tests.edges.sip.test_protocol import Clock, Raw, listening, raw
from tests.sip_peers import OFFER, Recorder

from ringback.edges.sip.call import SipCall
from ringback.edges.sip.endpoint import SipEndpoint
from ringback.sip.message import Request, Response, respond

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


def within(on: Wire, call: SipCall, method: str, *extra: str, cseq: int, body: bytes = b"") -> bytes:
    """A request of the peer within an outbound call."""
    data = on.peer.build(method, *extra, to_tag=call.local_tag, cseq=cseq, body=body)
    return data.replace(b"tag=raw", b"tag=uas").replace(
        f"Call-ID: {on.peer.port}".encode(), f"Call-ID: {call.call_id}".encode()
    )
