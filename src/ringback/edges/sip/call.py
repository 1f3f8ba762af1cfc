"""One call: its life, and what the peer asks within it. Both directions share it.

The rest is in `inbound.py` and `outbound.py`; offers in `offers.py`, requests of ours in `peer.py`, 2xx that wait
for their ACK in `success.py`, the session timer in `session.py`.
"""

import logging
import secrets
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Literal

from ringback.edges.sip.arrival import CallRequest
from ringback.edges.sip.handler import EndedBy, FailedBy, Refusal, SipHandler
from ringback.edges.sip.offers import Offers
from ringback.edges.sip.peer import ALLOW, SUPPORTED, Peer
from ringback.edges.sip.session import SessionWatch
from ringback.edges.sip.stack import Hop, Stack
from ringback.edges.sip.success import Successes
from ringback.edges.sip.transport import Flow, Source
from ringback.sip.dialog import Dialog
from ringback.sip.info import TYPES as INFO_TYPES
from ringback.sip.message import Request, Response, plain_header, respond
from ringback.sip.refer import notified_code
from ringback.sip.transaction import Transaction
from ringback.sip.uri import BadAddress, parse_name_addr

log = logging.getLogger("ringback.sip")

MAX_REASON = 200
"Characters of a reason phrase that are passed on."


class CallState(StrEnum):
    """SETUP until a 2xx, ANSWERED until its ACK (inbound), TALKING, then OVER.

    CLOSING: hung up between our 2xx and its ACK. The end is reported; BYE has to wait for the ACK (RFC 3261
    section 15), and the 2xx is repeated until then: who never got it would ring for ever.
    """

    SETUP = "setup"
    ANSWERED = "answered"
    TALKING = "talking"
    CLOSING = "closing"
    OVER = "over"


#: the only ways through a call; leaving SETUP to OVER reports `failed`, `end` and `close` report `ended`
CALL_TABLE: dict[tuple[CallState, str], CallState] = {
    (CallState.SETUP, "answer"): CallState.ANSWERED,
    (CallState.SETUP, "connect"): CallState.TALKING,
    (CallState.SETUP, "fail"): CallState.OVER,
    (CallState.ANSWERED, "connect"): CallState.TALKING,
    (CallState.ANSWERED, "close"): CallState.CLOSING,
    (CallState.ANSWERED, "end"): CallState.OVER,
    (CallState.TALKING, "end"): CallState.OVER,
    (CallState.CLOSING, "closed"): CallState.OVER,
}


class SipCall:
    """A call in either direction. Commands are idempotent and never call the handler before they return."""

    direction: Literal["inbound", "outbound"]

    def __init__(
        self, stack: Stack, handler: "SipHandler[SipCall]", forget: Callable[["SipCall"], None], call_id: str
    ) -> None:
        self.id = secrets.token_hex(8)
        self.call_id = call_id
        self.local_tag = secrets.token_hex(6)
        self.context: Any = None
        self.remote_sdp: bytes | None = None
        self.local_sdp: bytes | None = None
        self.request: CallRequest | None = None
        self.dialog: Dialog | None = None
        self.state = CallState.SETUP
        self.peer_allows: list[str] = []
        self.stack = stack
        self.handler = handler
        self.peer = Peer(stack)
        self.watch = SessionWatch(stack, self._refresh, lambda: self.lost("timeout", "session expired"))
        self.offers = Offers(self)
        self._forget = forget
        self.successes = Successes(stack, self._never_acked)
        self._to_refer = ""

    # -- commands -----------------------------------------------------------------------------------------

    @property
    def source_host(self) -> str:
        """The address that the peer's signalling really comes from; empty before there is one."""
        return self.peer.hop.host if self.peer.hop else ""

    @property
    def behind_nat(self) -> bool:
        """Whether the peer's signalling shows a NAT between us."""
        return self.peer.hop is not None and self.peer.behind_nat(self.dialog)

    @property
    def over(self) -> bool:
        """Whether `failed` or `ended` was reported or is about to be."""
        return self.state in (CallState.OVER, CallState.CLOSING)

    def goes_through(self, flow: Flow) -> bool:
        """Whether its signalling needs this connection."""
        return self.peer.hop is not None and self.peer.hop.flow is flow

    def ring(self) -> None:
        """Inbound: send 180."""
        raise RuntimeError("only an inbound call can ring")

    def progress(self, sdp: bytes) -> None:
        """Inbound: send 183 with early media."""
        raise RuntimeError("only an inbound call can progress")

    def answer(self, sdp: bytes) -> None:
        """Inbound: send 200."""
        raise RuntimeError("only an inbound call can be answered")

    def reject(self, code: int, reason: str | None = None) -> None:
        """Inbound: send a final refusal 300..699."""
        raise RuntimeError("only an inbound call can be rejected")

    def hangup(self) -> None:
        """End the call whatever its state: BYE (once our 2xx has its ACK), CANCEL, or a refusal."""
        if self.state is CallState.ANSWERED:
            self._move("close")
            self.watch.stop()
            self.tell(self.handler.ended, self, "local", "hangup")
        elif self.state is CallState.TALKING:
            self._bye()
            self._end("local", "hangup")
        elif self.state is CallState.SETUP:
            self._abandon()

    def reinvite(self, sdp: bytes) -> None:
        """Offer again within the call; waits for a running offer. The result comes by `reanswered`."""
        if not self.over:
            self.offers.make(sdp)

    def refer(self, target: str) -> None:
        """Ask the peer to call `target` (a URI), once our 2xx has its ACK. Raises ValueError for one with line ends.

        `refer_answered` tells the final response, `refer_notified` each NOTIFY.
        """
        plain_header(target)
        if self.state is CallState.ANSWERED:
            self._to_refer = target
        elif self.state is CallState.TALKING and self.dialog is not None:
            self._refer(self.dialog, target)

    def _refer(self, dialog: Dialog, target: str) -> None:
        def answered(code: int) -> None:
            if not self.over:
                self.tell(self.handler.refer_answered, self, code)

        self.peer.ask(
            dialog,
            "REFER",
            lambda response: answered(response.code),
            lambda trouble: answered(408 if trouble == "timeout" else 503),
            headers=[
                ("Refer-To", f"<{target}>"),
                ("Referred-By", f"<{parse_name_addr(dialog.local).uri.text}>"),
            ],
        )

    def probe(self) -> bool:
        """Ask by OPTIONS whether the peer still has the dialog; if not, `ended` follows (RFC 3261 section 11).

        False: the call is not up, or a session timer (RFC 4028) watches over it. Any answer but 408 and 481
        is a sign of life.
        """
        if self.state is not CallState.TALKING or self.watch.running or self.dialog is None:
            return False

        def came(response: Response) -> None:
            if response.code in (408, 481):
                self.lost("remote", f"OPTIONS answered {response.code}")

        self.peer.ask(
            self.dialog, "OPTIONS", came, lambda trouble: self.lost("timeout", f"OPTIONS {trouble}")
        )
        return True

    def abandon(self) -> None:
        """The endpoint closes: report the end now, whatever the peer does."""
        self._close()
        self._fail(487, "Request Terminated", "local")
        self._end("local", "shutdown")

    # -- ends ---------------------------------------------------------------------------------------------

    def _move(self, event: str) -> bool:
        following = CALL_TABLE.get((self.state, event))
        if following is None:
            return False
        self.state = following
        return True

    def _fail(self, code: int, reason: str, source: FailedBy) -> None:
        if self._move("fail"):
            self._clear()
            self.tell(self.handler.failed, self, code, reason, source)

    def _end(self, by: EndedBy, reason: str) -> None:
        if self._move("end"):
            self._clear()
            self.tell(self.handler.ended, self, by, reason)

    def lost(self, by: EndedBy, reason: str) -> None:
        """The peer is gone: say BYE in case it is not, and end."""
        if self.state in (CallState.ANSWERED, CallState.TALKING):
            self._bye()
            self._end(by, reason)

    def _close(self, *, bye: bool = True) -> None:
        """CLOSING ends: the ACK came (or never will), or the peer was quicker with its BYE."""
        if self.state is CallState.CLOSING:
            if bye:
                self._bye()
            self._move("closed")
            self._clear()

    def _clear(self) -> None:
        self.successes.clear()
        self.watch.close()
        self.offers.clear()
        del self.offers  # it refers back to the call
        self._forget(self)

    def _abandon(self) -> None:
        raise NotImplementedError

    def _bye(self) -> None:
        assert self.dialog is not None
        self.peer.bye(self.dialog)

    def tell(self, function: Callable[..., None], *args: object) -> None:
        """Call the handler after the present step, and keep its bugs inside this call."""
        self.stack.defer(lambda: self.guard(function, *args))

    def guard(self, function: Callable[..., Any], *args: object) -> Any:
        """Call the handler now; a bug of it ends this call and counts as its refusal."""
        try:
            return function(*args)
        except Exception:
            self.stack.counters.handler_errors += 1
            log.exception("the SIP handler failed in call %s; the call is ended", self.call_id)
            self.hangup()
            return Refusal(500)

    # -- requests of the peer within the dialog -----------------------------------------------------------

    def on_request(self, request: Request, source: Source, transaction: Transaction) -> None:
        """An in-dialog request, already matched to this call; every path answers it."""
        dialog = self.dialog_of(request)
        if dialog is None or (self.over and request.method != "BYE"):
            self.reply(request, transaction, 481)
            return
        if not dialog.accepts(request):
            self.reply(request, transaction, 500)
            return
        if source.flow.reliable:
            self.peer.hop = Hop(source.transport, source.host, source.port, source.flow)
        step = _STEPS.get(request.method)
        if step is None:
            self.reply(request, transaction, 405, [("Allow", ALLOW)])
        else:
            step(self, request, transaction)

    def dialog_of(self, message: Request) -> Dialog | None:
        """The dialog an in-dialog request of the peer belongs to."""
        dialog = self.dialog
        return dialog if dialog is not None and dialog.remote_tag == message.from_.tag else None

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
        response = respond(request, code, reason, to_tag=self.local_tag)
        for name, value in headers or []:
            response.headers.add(name, value)
        if sdp:
            response.headers.set("Content-Type", "application/sdp")
            response.body = sdp
        self.stack.respond(transaction, response)

    def _on_bye(self, request: Request, transaction: Transaction) -> None:
        self.reply(request, transaction, 200)
        if self.state is CallState.SETUP:
            self._remote_gave_up()
        else:
            self._close(bye=False)
            self._end("remote", (request.headers.get("reason") or "BYE")[:MAX_REASON])

    def _remote_gave_up(self) -> None:
        raise NotImplementedError

    def _on_offer(self, request: Request, transaction: Transaction) -> None:
        self.offers.take(request, transaction)

    def _on_info(self, request: Request, transaction: Transaction) -> None:
        if request.body and request.content_type not in INFO_TYPES:
            self.reply(request, transaction, 415, [("Accept", ", ".join(INFO_TYPES))])
            return
        self.reply(request, transaction, 200)
        self.tell(self.handler.info, self, request.content_type, request.body)

    def _on_refer(self, request: Request, transaction: Transaction) -> None:
        try:
            target = parse_name_addr(request.headers.get("refer-to") or "").uri.text
        except BadAddress:
            self.reply(request, transaction, 400)
            return
        self.reply(request, transaction, 202, [self.own_contact(transaction)])
        self.notify_refer(100, "Trying")
        self.tell(self.handler.referred, self, target)

    def notify_refer(self, code: int, reason: str) -> None:
        """Tell the peer how its REFER goes (RFC 3515 section 2.4.4); a final code ends the subscription."""
        if self.over or self.dialog is None:
            return
        state = "active;expires=60" if code < 200 else "terminated;reason=noresource"
        self.peer.ask(
            self.dialog,
            "NOTIFY",
            lambda response: None,
            lambda trouble: None,
            headers=[("Event", "refer"), ("Subscription-State", state)],
            body=("message/sipfrag;version=2.0", f"SIP/2.0 {code} {plain_header(reason)}\r\n".encode()),
        )

    def _on_notify(self, request: Request, transaction: Transaction) -> None:
        self._on_simple(request, transaction)
        code = notified_code(request)
        if code is not None:
            self.tell(self.handler.refer_notified, self, code)

    def _on_simple(self, request: Request, transaction: Transaction) -> None:
        self.reply(request, transaction, 200, [("Allow", ALLOW), ("Supported", SUPPORTED)])

    def _on_prack(self, request: Request, transaction: Transaction) -> None:
        self.reply(request, transaction, 481)

    def own_contact(self, transaction: Transaction) -> tuple[str, str]:
        """Our Contact for a response."""
        flow, _ = transaction.flow
        return "Contact", self.stack.contact(flow)

    # -- our 2xx until its ACK ----------------------------------------------------------------------------

    def _never_acked(self) -> None:
        self._close()
        self.lost("timeout", "no ACK")

    def on_ack(self, request: Request) -> None:
        """An ACK for one of our 2xx."""
        offered = self.successes.acked(request.cseq[0])
        if offered is None:
            return
        if self.state is CallState.CLOSING:
            self._close()
            return
        if offered and request.sdp:
            self.remote_sdp = request.sdp
        if self.state is CallState.ANSWERED:
            self._move("connect")
            self.tell(self.handler.confirmed, self)
            if self._to_refer and self.dialog is not None:
                self._refer(self.dialog, self._to_refer)
        elif offered:
            self.tell(self.handler.reanswered, self, request.sdp or None)
        self.offers.go_on()

    # -- session timer ------------------------------------------------------------------------------------

    def _refresh(self) -> None:
        """Our turn (RFC 4028): UPDATE where the peer has it, else a re-INVITE with the same description."""
        if self.state is not CallState.TALKING or self.dialog is None:
            return
        if "update" not in self.peer_allows:
            if self.local_sdp is not None:
                self.reinvite(self.local_sdp)
            return
        self.peer.ask(
            self.dialog,
            "UPDATE",
            self._refreshed,
            lambda trouble: self.lost("timeout", "session refresh"),
            headers=[("Supported", SUPPORTED), *self.watch.header()],
        )

    def _refreshed(self, response: Response) -> None:
        if self.state is not CallState.TALKING:
            return
        if response.code < 300:
            self.offers.agreed(response)
        elif response.code in (408, 481):
            self.lost("remote", f"refresh answered {response.code}")
        elif response.code in (405, 501):
            self.peer_allows = []
            self._refresh()
        else:
            self.watch.refused(response)


_STEPS: dict[str, Callable[[Any, Request, Transaction], None]] = {
    "BYE": SipCall._on_bye,
    "INVITE": SipCall._on_offer,
    "UPDATE": SipCall._on_offer,
    "INFO": SipCall._on_info,
    "REFER": SipCall._on_refer,
    "NOTIFY": SipCall._on_notify,
    "OPTIONS": SipCall._on_simple,
    "PRACK": lambda call, request, transaction: call._on_prack(request, transaction),
}
