"""One call: what both directions share. The rest is in `inbound.py` and `outbound.py`."""

import ipaddress
import logging
import secrets
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Literal

from ringback.edges.sip.arrival import CallRequest
from ringback.edges.sip.handler import EndedBy, FailedBy, Refusal, SipHandler
from ringback.edges.sip.stack import Hop, Stack, Trouble
from ringback.edges.sip.transport import Source
from ringback.sip.dialog import Dialog, Repeats
from ringback.sip.digest import answer_challenge, parse_digest
from ringback.sip.message import MalformedMessage, Request, Response, plain_header, respond
from ringback.sip.session_timer import SessionTimer, agree_as_uac, agree_as_uas, too_small
from ringback.sip.timer import Deadline
from ringback.sip.transaction import Transaction
from ringback.sip.uri import BadAddress, is_address, parse_name_addr

log = logging.getLogger("ringback.sip")

ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REFER, NOTIFY, REGISTER"
SUPPORTED = "100rel, timer"


class CallState(StrEnum):
    """SETUP until a 2xx, ANSWERED until its ACK (inbound), TALKING, then OVER."""

    SETUP = "setup"
    ANSWERED = "answered"
    TALKING = "talking"
    OVER = "over"


#: the only ways through a call; leaving SETUP to OVER reports `failed`, later states report `ended`
CALL_TABLE: dict[tuple[CallState, str], CallState] = {
    (CallState.SETUP, "answer"): CallState.ANSWERED,
    (CallState.SETUP, "connect"): CallState.TALKING,
    (CallState.SETUP, "fail"): CallState.OVER,
    (CallState.ANSWERED, "connect"): CallState.TALKING,
    (CallState.ANSWERED, "end"): CallState.OVER,
    (CallState.TALKING, "end"): CallState.OVER,
}


class SipCall:
    """A call in either direction. Commands are idempotent and never call the handler before they return."""

    direction: Literal["inbound", "outbound"]

    def __init__(
        self, stack: Stack, handler: SipHandler, forget: Callable[["SipCall"], None], call_id: str
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
        self.credentials: tuple[str, str] | None = None
        self._stack = stack
        self._handler = handler
        self._forget = forget
        self._hop: Hop | None = None
        self._acks: dict[int, tuple[Deadline, bool]] = {}
        "CSeq of our unacknowledged 2xx → (next repetition, whether the ACK carries the answer)"
        self._offering = False
        self._queued_offer: bytes | None = None
        self._answering: int | None = None
        self._session: Deadline | None = None
        self._peer_allows: list[str] = []

    # -- commands -----------------------------------------------------------------------------------------

    @property
    def source_host(self) -> str:
        """The address that the peer's signalling really comes from; empty before there is one."""
        return self._hop.host if self._hop else ""

    @property
    def over(self) -> bool:
        """Whether `failed` or `ended` was reported or is about to be."""
        return self.state is CallState.OVER

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
        """End the call whatever its state: BYE, CANCEL, or a refusal."""
        if self.state in (CallState.ANSWERED, CallState.TALKING):
            self._bye()
            self._end("local", "hangup")
        elif self.state is CallState.SETUP:
            self._abandon()

    def reinvite(self, sdp: bytes) -> None:
        """Offer again within the call; waits for a running offer. The result comes by `reanswered`."""
        if self.state is not CallState.TALKING:
            return
        if self._offering or self._answering is not None:
            self._queued_offer = sdp
            return
        self._offering = True
        self.local_sdp = sdp
        self._ask(
            "INVITE",
            self._reanswered,
            lambda trouble: self._lost("timeout", f"re-INVITE {trouble}"),
            headers=[("Allow", ALLOW), ("Supported", SUPPORTED)],
            body=("application/sdp", sdp),
        )

    def refer(self, target: str) -> None:
        """Ask the peer to call `target` (a URI). Raises ValueError for a target with line ends."""
        plain_header(target)
        if self.state is CallState.TALKING:
            headers = [
                ("Refer-To", f"<{target}>"),
                ("Referred-By", (self.dialog.local if self.dialog else "")),
            ]
            self._ask("REFER", lambda response: None, lambda trouble: None, headers=headers)

    def probe(self) -> bool:
        """Ask by OPTIONS whether the peer still has the dialog; if not, `ended` follows (RFC 3261 section 11).

        False: the call is not up, or a session timer (RFC 4028) watches over it. Any answer but 408 and 481
        is a sign of life.
        """
        if self.state is not CallState.TALKING or self._session is not None:
            return False

        def came(response: Response) -> None:
            if response.code in (408, 481):
                self._lost("remote", f"OPTIONS answered {response.code}")

        self._ask("OPTIONS", came, lambda trouble: self._lost("timeout", f"OPTIONS {trouble}"))
        return True

    def abandon(self) -> None:
        """The endpoint closes: report the end now, whatever the peer does."""
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
            self._tell(self._handler.failed, self, code, reason, source)

    def _end(self, by: EndedBy, reason: str) -> None:
        if self._move("end"):
            self._clear()
            self._tell(self._handler.ended, self, by, reason)

    def _lost(self, by: EndedBy, reason: str) -> None:
        """The peer is gone: say BYE in case it is not, and end."""
        if self.state in (CallState.ANSWERED, CallState.TALKING):
            self._bye()
            self._end(by, reason)

    def _clear(self) -> None:
        for entry, _ in self._acks.values():
            entry.cancel()
        self._acks.clear()
        if self._session is not None:
            self._session.cancel()
        self._queued_offer = None
        self._forget(self)

    def _abandon(self) -> None:
        raise NotImplementedError

    def _bye(self) -> None:
        self._ask("BYE", lambda response: None, lambda trouble: None)

    def _tell(self, function: Callable[..., None], *args: object) -> None:
        """Call the handler after the present step, and keep its bugs inside this call."""
        self._stack.defer(lambda: self._guard(function, *args))

    def _guard(self, function: Callable[..., Any], *args: object) -> Any:
        try:
            return function(*args)
        except Exception:
            self._stack.counters.handler_errors += 1
            log.exception("the SIP handler failed in call %s; the call is ended", self.call_id)
            self.hangup()
            return Refusal(500)

    # -- requests of ours within the dialog ---------------------------------------------------------------

    def _peer(self) -> Hop:
        """Where in-dialog requests go: the route or target, or the address really used if that is private."""
        assert self._hop is not None
        assert self.dialog is not None
        uri = self.dialog.target
        if self.dialog.routes:
            try:
                uri = parse_name_addr(self.dialog.routes[0]).uri
            except BadAddress:
                return self._hop
        elif self._hop.transport != "udp":
            return self._hop
        host = uri.bare_host
        if not is_address(host) or (host != self._hop.host and _unroutable(host)):
            return self._hop
        transport = uri.transport
        flow = (
            self._hop.flow
            if transport == self._hop.transport and (transport == "udp" or host == self._hop.host)
            else None
        )
        return Hop(transport, host, uri.port or (5061 if transport == "tls" else 5060), flow)

    def _ask(
        self,
        method: str,
        on_final: Callable[[Response], None],
        on_trouble: Callable[[Trouble], None],
        *,
        headers: list[tuple[str, str]] | None = None,
        body: tuple[str, bytes] | None = None,
        authorization: tuple[str, str] | None = None,
    ) -> None:
        assert self.dialog is not None
        request = self.dialog.request(method)
        for name, value in headers or []:
            request.headers.add(name, value)
        if authorization is not None:
            request.headers.set(*authorization)
        if body is not None:
            request.headers.set("Content-Type", body[0])
            request.body = body[1]

        def came(response: Response) -> None:
            if response.code < 200:
                return
            if response.code in (401, 407) and authorization is None:
                answer = self.credentials_for(response, method, request.target)
                if answer is not None:
                    self._ask(method, on_final, on_trouble, headers=headers, body=body, authorization=answer)
                    return
            on_final(response)

        self._stack.request(request, self._peer(), came, on_trouble)

    def credentials_for(self, response: Response, method: str, target: str) -> tuple[str, str] | None:
        """The (header, value) that answers a 401 or 407, or None."""
        if self.credentials is None:
            return None
        proxy = response.code == 407
        challenges = response.headers.all("proxy-authenticate" if proxy else "www-authenticate")
        user, password = self.credentials
        value = answer_challenge(
            challenges,
            method=method,
            uri=target,
            username=user,
            password=password,
            cnonce=secrets.token_hex(8),
        )
        return ("Proxy-Authorization" if proxy else "Authorization", value) if value else None

    def _reanswered(self, response: Response) -> None:
        if self.dialog is None:
            return
        if response.code < 300:
            # this also runs for a repeated 2xx, whose ACK was lost
            self.dialog.refresh_target(_contact(response))
            self._stack.send_ack(self.dialog.request("ACK", cseq=response.cseq[0]), self._peer())
        if self.state is not CallState.TALKING or not self._offering:
            return
        self._offering = False
        if response.code < 300:
            self._run_session(agree_as_uac(response))
            self._take_sdp(response.body)
            self._tell(self._handler.reanswered, self, response.body or None)
        elif response.code in (408, 481):
            self._lost("remote", f"re-INVITE answered {response.code}")
            return
        elif response.code == 491:
            wait = (
                2.1 + secrets.randbelow(190) / 100
                if self.direction == "outbound"
                else secrets.randbelow(200) / 100
            )
            again = self._queued_offer or self.local_sdp
            self._queued_offer = None
            if again is not None:
                self._stack.after(wait, lambda: self.reinvite(again))
            return
        else:
            self._tell(self._handler.reanswered, self, None)
        self._next_offer()

    def _next_offer(self) -> None:
        queued, self._queued_offer = self._queued_offer, None
        if queued is not None:
            self.reinvite(queued)

    def _take_sdp(self, body: bytes) -> None:
        if body:
            self.remote_sdp = body

    # -- requests of the peer within the dialog -----------------------------------------------------------

    def on_request(self, request: Request, source: Source, transaction: Transaction) -> None:
        """An in-dialog request, already matched to this call; every path answers it."""
        dialog = self.dialog_of(request)
        if dialog is None or self.over:
            self._reply(request, transaction, 481)
            return
        if not dialog.accepts(request):
            self._reply(request, transaction, 500)
            return
        if source.flow.reliable:
            self._hop = Hop(source.transport, source.host, source.port, source.flow)
        step = _STEPS.get(request.method)
        if step is None:
            self._reply(request, transaction, 405, [("Allow", ALLOW)])
        else:
            step(self, request, transaction)

    def dialog_of(self, message: Request) -> Dialog | None:
        """The dialog an in-dialog request of the peer belongs to."""
        dialog = self.dialog
        return dialog if dialog is not None and dialog.remote_tag == message.from_.tag else None

    def on_ack(self, request: Request) -> None:
        """An ACK for one of our 2xx."""
        waiting = self._acks.pop(request.cseq[0], None)
        if waiting is None:
            return
        waiting[0].cancel()
        if self._answering == request.cseq[0]:
            self._answering = None
        if waiting[1]:
            self._take_sdp(request.body)
        if self.state is CallState.ANSWERED:
            self._move("connect")
            self._tell(self._handler.confirmed, self)
        elif waiting[1]:
            self._tell(self._handler.reanswered, self, request.body or None)
        self._next_offer()

    def _reply(
        self,
        request: Request,
        transaction: Transaction,
        code: int,
        headers: list[tuple[str, str]] | None = None,
        sdp: bytes = b"",
        reason: str | None = None,
    ) -> None:
        response = respond(request, code, reason, to_tag=self.local_tag)
        for name, value in headers or []:
            response.headers.add(name, value)
        if sdp:
            response.headers.set("Content-Type", "application/sdp")
            response.body = sdp
        self._stack.respond(transaction, response)

    def _on_bye(self, request: Request, transaction: Transaction) -> None:
        self._reply(request, transaction, 200)
        if self.state is CallState.SETUP:
            self._remote_gave_up()
        else:
            self._end("remote", request.headers.get("reason") or "BYE")

    def _remote_gave_up(self) -> None:
        self._fail(487, "Request Terminated", "remote")

    def _on_offer(self, request: Request, transaction: Transaction) -> None:
        """re-INVITE and UPDATE (RFC 3261 section 14.2, RFC 3311)."""
        invite = request.method == "INVITE"
        if invite and self.state is not CallState.TALKING:
            headers = [("Retry-After", "1")]
            self._reply(request, transaction, 500, headers)
            return
        if self._offering and (invite or request.body):
            self._reply(request, transaction, 491)
            return
        if self._answering is not None and (invite or request.body):
            self._reply(request, transaction, 500, [("Retry-After", "1")])
            return
        if too_small(request):
            self._reply(request, transaction, 422, [("Min-SE", "90")])
            return
        if request.body and request.content_type != "application/sdp":
            self._reply(request, transaction, 415, [("Accept", "application/sdp")])
            return
        answer: bytes | Refusal = b""
        if invite or request.body:
            answer = self._guard(self._handler.reoffer, self, request.body or None)
        if isinstance(answer, Refusal):
            self._reply(request, transaction, answer.code, reason=answer.reason)
            return
        if self.over:
            self._reply(request, transaction, 481)
            return
        assert self.dialog is not None
        self.dialog.refresh_target(_contact(request))
        self._take_sdp(request.body)
        if answer:
            self.local_sdp = answer
        session, value = agree_as_uas(request)
        self._run_session(session)
        headers = [self._own_contact(transaction), ("Allow", ALLOW), ("Supported", SUPPORTED)]
        if value:
            headers += [("Session-Expires", value), ("Require", "timer")]
        self._reply(request, transaction, 200, headers, answer)
        if invite:
            self._answering = request.cseq[0]
            self._await_ack(request.cseq[0], transaction, offered=not request.body)

    def _on_info(self, request: Request, transaction: Transaction) -> None:
        self._reply(request, transaction, 200)
        self._tell(self._handler.info, self, request.content_type, request.body)

    def _on_refer(self, request: Request, transaction: Transaction) -> None:
        try:
            target = parse_name_addr(request.headers.get("refer-to") or "").uri.text
        except BadAddress:
            self._reply(request, transaction, 400)
            return
        self._reply(request, transaction, 202, [self._own_contact(transaction)])
        self.notify_refer(100, "Trying")
        self._tell(self._handler.referred, self, target)

    def notify_refer(self, code: int, reason: str) -> None:
        """Tell the peer how its REFER goes (RFC 3515 section 2.4.4); a final code ends the subscription."""
        if self.over:
            return
        state = "active;expires=60" if code < 200 else "terminated;reason=noresource"
        self._ask(
            "NOTIFY",
            lambda response: None,
            lambda trouble: None,
            headers=[("Event", "refer"), ("Subscription-State", state)],
            body=("message/sipfrag;version=2.0", f"SIP/2.0 {code} {plain_header(reason)}\r\n".encode()),
        )

    def _on_simple(self, request: Request, transaction: Transaction) -> None:
        self._reply(request, transaction, 200, [("Allow", ALLOW), ("Supported", SUPPORTED)])

    def _on_prack(self, request: Request, transaction: Transaction) -> None:
        self._reply(request, transaction, 481)

    def _own_contact(self, transaction: Transaction) -> tuple[str, str]:
        flow, _ = transaction.flow
        return "Contact", self._stack.contact(flow)

    # -- 2xx until ACK, session timer ---------------------------------------------------------------------

    def _await_ack(self, cseq: int, transaction: Transaction, *, offered: bool) -> None:
        """Repeat our 2xx until its ACK comes; hang up when it does not (RFC 3261 section 13.3.1.4)."""
        repeats = Repeats(self._stack.clock())

        def wait() -> None:
            now = self._stack.clock()
            at = repeats.next_at(now)
            if at is None:
                self._acks.pop(cseq, None)
                self._lost("timeout", "no ACK")
                return
            self._acks[cseq] = (self._stack.after(at - now, again), offered)

        def again() -> None:
            self._stack.repeat_success(transaction)
            wait()

        wait()

    def _run_session(self, timer: SessionTimer | None) -> None:
        if self._session is not None:
            self._session.cancel()
            self._session = None
        if timer is not None:
            action = self._refresh if timer.we_refresh else (lambda: self._lost("timeout", "session expired"))
            self._interval = timer.interval
            self._session = self._stack.after(timer.act_after(), action)

    def _refresh(self) -> None:
        if self.state is not CallState.TALKING:
            return
        self._session = self._stack.after(
            self._interval / 2, lambda: self._lost("timeout", "session expired")
        )
        if "update" not in self._peer_allows:
            if self.local_sdp is not None:
                self.reinvite(self.local_sdp)
            return
        who = "uac"
        headers = [("Supported", SUPPORTED), ("Session-Expires", f"{self._interval};refresher={who}")]
        self._ask(
            "UPDATE",
            self._refreshed,
            lambda trouble: self._lost("timeout", "session refresh"),
            headers=headers,
        )

    def _refreshed(self, response: Response) -> None:
        if response.code < 300:
            self._run_session(agree_as_uac(response))
        elif response.code in (408, 481):
            self._lost("remote", f"refresh answered {response.code}")


_STEPS: dict[str, Callable[[Any, Request, Transaction], None]] = {
    "BYE": SipCall._on_bye,
    "INVITE": SipCall._on_offer,
    "UPDATE": SipCall._on_offer,
    "INFO": SipCall._on_info,
    "REFER": SipCall._on_refer,
    "NOTIFY": SipCall._on_simple,
    "OPTIONS": SipCall._on_simple,
    "PRACK": lambda call, request, transaction: call._on_prack(request, transaction),
}


def is_stale(response: Response) -> bool:
    """Whether a challenge only says that our nonce was too old."""
    for text in (*response.headers.all("www-authenticate"), *response.headers.all("proxy-authenticate")):
        asked = parse_digest(text)
        if asked is not None and asked["stale"].lower() == "true":
            return True
    return False


def _contact(message: Request | Response) -> Any:
    try:
        return message.contact
    except MalformedMessage:
        return None


def _unroutable(host: str) -> bool:
    address = ipaddress.ip_address(host)
    return address.is_private or address.is_unspecified or address.is_link_local
