"""Offers and answers of one call, after the first ones: re-INVITE and UPDATE both ways, and what happens when they
cross (the table is `ringback.sip.offer`)."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, Literal, Protocol

from ringback.edges.sip.handler import EndedBy, Refusal
from ringback.edges.sip.peer import ALLOW, SUPPORTED, Peer, contact_of
from ringback.edges.sip.session import SessionWatch
from ringback.edges.sip.stack import Stack
from ringback.edges.sip.success import Successes
from ringback.sip.dialog import Dialog
from ringback.sip.message import Request, Response
from ringback.sip.offer import GLARE, LATER, TAKE, VERDICTS, Asked, Exchange
from ringback.sip.session_timer import agree_as_uac, agree_as_uas, too_small
from ringback.sip.transaction import Transaction


class Talk(Protocol):
    """The call of which the offers are, as far as they need it."""

    @property
    def state(self) -> str:
        """`setup`, `talking` … (`call.CallState`)."""

    direction: Literal["inbound", "outbound"]
    local_sdp: bytes | None
    remote_sdp: bytes | None
    dialog: Dialog | None
    stack: Stack
    peer: Peer
    watch: SessionWatch
    successes: Successes

    @property
    def handler(self) -> Any:
        """The product's `SipHandler`; it is handed the call itself."""

    @property
    def over(self) -> bool:
        """Whether the call has ended."""

    def lost(self, by: EndedBy, reason: str) -> None:
        """End the call: the peer is not there any more."""

    def tell(self, function: Callable[..., None], *args: object) -> None:
        """Call the handler after the present step."""

    def guard(self, function: Callable[..., Any], *args: object) -> Any:
        """Call the handler now."""

    def reply(
        self,
        request: Request,
        transaction: Transaction,
        code: int,
        headers: list[tuple[str, str]] | None = None,
        sdp: bytes = b"",
        reason: str | None = None,
    ) -> None:
        """Answer a request of this call."""

    def own_contact(self, transaction: Transaction) -> tuple[str, str]:
        """The Contact header of our answers."""


class Offers:
    """What is being offered within a call. At most one offer of ours is out; the newest of the others waits."""

    def __init__(self, call: Talk) -> None:
        self._call = call
        self._out = False
        self._queued: bytes | None = None

    def clear(self) -> None:
        """The call is over."""
        self._queued = None

    @property
    def exchange(self) -> Exchange:
        """How far offer and answer are."""
        call = self._call
        if self._out:
            return Exchange.OURS
        if call.state == "setup":
            if call.direction == "outbound":
                return Exchange.SETTLED if call.remote_sdp is not None else Exchange.OURS
            return Exchange.SETTLED if call.local_sdp is not None else Exchange.THEIRS
        if call.successes.answer_in_ack:
            return Exchange.OURS_IN_2XX
        return Exchange.UNACKED if call.successes.unacked else Exchange.SETTLED

    # -- ours ---------------------------------------------------------------------------------------------

    def make(self, sdp: bytes) -> None:
        """Offer by re-INVITE, now or when the running exchange is settled."""
        call = self._call
        if call.state != "talking" or call.dialog is None:
            return
        if self.exchange is not Exchange.SETTLED:
            self._queued = sdp
            return
        self._out = True
        call.local_sdp = sdp
        call.peer.ask(
            call.dialog,
            "INVITE",
            self._answered,
            lambda trouble: call.lost("timeout", f"re-INVITE {trouble}"),
            headers=[("Allow", ALLOW), ("Supported", SUPPORTED), *call.watch.header()],
            body=("application/sdp", sdp),
        )

    def _answered(self, response: Response) -> None:
        call = self._call
        if call.state != "talking" or not self._out:
            return  # over, or a repeated 2xx
        self._out = False
        if response.code < 300:
            self.agreed(response)
            if response.sdp:
                call.remote_sdp = response.sdp
            call.tell(call.handler.reanswered, call, response.sdp or None)
        elif response.code in (408, 481):
            call.lost("remote", f"re-INVITE answered {response.code}")
            return
        elif response.code == GLARE:
            again, self._queued = self._queued or call.local_sdp, None
            if again is not None:
                offer = again
                call.stack.after(self._pause(), lambda: self.make(offer))
            return
        else:
            call.watch.refused(response)
            call.tell(call.handler.reanswered, call, None)
        self.go_on()

    def _pause(self) -> float:
        """Seconds after a 491: who made the Call-ID waits longer (section 14.1)."""
        if self._call.direction == "outbound":
            return 2.1 + secrets.randbelow(190) / 100
        return secrets.randbelow(200) / 100

    def go_on(self) -> None:
        """Something has been settled: make the offer that waited."""
        queued, self._queued = self._queued, None
        if queued is not None:
            self.make(queued)

    def agreed(self, response: Response) -> None:
        """Take the session timer of a 2xx to our INVITE or UPDATE."""
        self._call.watch.run(agree_as_uac(response))

    # -- theirs -------------------------------------------------------------------------------------------

    def take(self, request: Request, transaction: Transaction) -> None:
        """re-INVITE and UPDATE (RFC 3261 section 14.2, RFC 3311)."""
        call = self._call
        invite = request.method == "INVITE"
        asked = Asked.INVITE if invite else Asked.UPDATE if request.sdp else Asked.REFRESH
        verdict = LATER if invite and call.state == "setup" else VERDICTS[self.exchange, asked]
        if verdict != TAKE:
            call.reply(request, transaction, verdict, [("Retry-After", "1")] if verdict == LATER else None)
            return
        if too_small(request):
            call.reply(request, transaction, 422, [("Min-SE", "90")])
            return
        if request.body and not request.sdp:
            call.reply(request, transaction, 415, [("Accept", "application/sdp")])
            return
        answer: bytes | Refusal = b""
        if asked is not Asked.REFRESH:
            answer = call.guard(call.handler.reoffer, call, request.sdp or None)
        if isinstance(answer, Refusal):
            call.reply(request, transaction, answer.code, reason=answer.reason)
            return
        if call.over:
            call.reply(request, transaction, 481)
            return
        assert call.dialog is not None
        call.dialog.refresh_target(contact_of(request))
        if request.sdp:
            call.remote_sdp = request.sdp
        if answer:
            call.local_sdp = answer
        session, value = agree_as_uas(request)
        call.watch.run(session)
        headers = [call.own_contact(transaction), ("Allow", ALLOW), ("Supported", SUPPORTED)]
        if session is not None and value:
            headers.append(("Session-Expires", value))
            if not session.we_refresh:
                headers.append(("Require", "timer"))
        call.reply(request, transaction, 200, headers, answer)
        if invite:
            call.successes.repeat(request.cseq[0], transaction, offered=not request.sdp)
