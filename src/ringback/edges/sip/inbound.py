"""A call that came to us: provisional responses (also reliable ones, RFC 3262), 200, refusal, CANCEL."""

from collections.abc import Callable

from ringback.edges.sip.arrival import CallRequest
from ringback.edges.sip.call import CallState, SipCall
from ringback.edges.sip.handler import SipHandler
from ringback.edges.sip.peer import ALLOW, SUPPORTED
from ringback.edges.sip.stack import Hop, Stack
from ringback.edges.sip.transport import Source
from ringback.sip.dialog import Dialog, Repeats
from ringback.sip.message import Request, plain_header, respond
from ringback.sip.session_timer import agree_as_uas
from ringback.sip.timer import Deadline
from ringback.sip.transaction import Transaction


class InboundCall(SipCall):
    """See the module."""

    direction = "inbound"

    def __init__(
        self,
        stack: Stack,
        handler: SipHandler[SipCall],
        forget: Callable[[SipCall], None],
        request: Request,
        source: Source,
        transaction: Transaction,
        username: str,
    ) -> None:
        super().__init__(stack, handler, forget, request.call_id)
        self.request = CallRequest.read(request, source, username)
        self.dialog = Dialog.from_request(request, self.local_tag)
        self.remote_sdp = request.sdp or None
        self._invite: Request | None = request
        self._transaction: Transaction | None = transaction
        self.peer.hop = Hop(source.transport, source.host, source.port, source.flow)
        self.peer.names(request.via.host.strip("[]"))
        self.peer_allows = request.headers.tokens("allow")
        self._wants_prack = "100rel" in request.headers.tokens("require")
        self._takes_prack = self._wants_prack or "100rel" in request.headers.tokens("supported")
        self._rseq = 0
        self._unpracked: tuple[int, Deadline] | None = None
        self._after_prack: list[Callable[[], None]] = []
        transaction.user = self

    def trying(self) -> None:
        """Send 100 unless the application has responded already."""
        transaction = self._transaction
        if self._invite is not None and transaction is not None and not transaction.last:
            self.stack.respond(transaction, respond(self._invite, 100))

    def ring(self) -> None:
        """Send 180."""
        self._provisional(180, b"")

    def progress(self, sdp: bytes) -> None:
        """Send 183 with early media; reliably when the peer can (RFC 3262)."""
        self.local_sdp = sdp
        self._provisional(183, sdp)

    def answer(self, sdp: bytes) -> None:
        """Send 200, repeated until the ACK; waits for an outstanding PRACK (RFC 3262 section 3)."""
        if self.state is not CallState.SETUP:
            return
        if self._unpracked is not None:
            self._after_prack.append(lambda: self.answer(sdp))
            return
        invite, transaction = self._invite, self._transaction
        assert invite is not None
        assert transaction is not None
        self._move("answer")
        self.local_sdp = sdp
        session, value = agree_as_uas(invite)
        headers = [self.own_contact(transaction), ("Allow", ALLOW), ("Supported", SUPPORTED)]
        headers += [("Record-Route", route) for route in invite.headers.all("record-route")]
        if value:
            headers.append(("Session-Expires", value))
            if session is not None and not session.we_refresh:
                headers.append(("Require", "timer"))
        self.reply(invite, transaction, 200, headers, sdp)
        self.successes.repeat(invite.cseq[0], transaction, offered=not invite.sdp)
        self.watch.run(session)
        self._release()

    def reject(self, code: int, reason: str | None = None) -> None:
        """Send a final refusal 300..699."""
        if not 300 <= code <= 699:
            raise ValueError(f"{code} is not a refusal")
        text = plain_header(reason) if reason is not None else None
        if self._refuse(code, text):
            self._fail(code, text or "", "local")

    def canceled(self) -> None:
        """The peer sent CANCEL; the endpoint has answered it."""
        if self._refuse(487, None):
            self._fail(487, "Request Terminated", "remote")

    def _remote_gave_up(self) -> None:
        self.canceled()

    def _abandon(self) -> None:
        self.reject(480)

    def _refuse(self, code: int, reason: str | None) -> bool:
        if self.state is not CallState.SETUP or self._invite is None or self._transaction is None:
            return False
        self.reply(self._invite, self._transaction, code, reason=reason)
        self._release()
        return True

    def _release(self) -> None:
        """The INVITE is answered: keep nothing of it."""
        if self._unpracked is not None:
            self._unpracked[1].cancel()
            self._unpracked = None
        self._after_prack.clear()
        if self._transaction is not None:
            self._transaction.user = None
        self._invite = None

    def _clear(self) -> None:
        super()._clear()
        self._transaction = None

    # -- provisional --------------------------------------------------------------------------------------

    def _provisional(self, code: int, sdp: bytes) -> None:
        invite, transaction = self._invite, self._transaction
        if self.state is not CallState.SETUP or invite is None or transaction is None:
            return
        reliable = self._wants_prack or (self._takes_prack and bool(sdp))
        if reliable and self._unpracked is not None:
            self._after_prack.append(lambda: self._provisional(code, sdp))
            return
        response = respond(invite, code, to_tag=self.local_tag)
        response.headers.add(*self.own_contact(transaction))
        for route in invite.headers.all("record-route"):
            response.headers.add("Record-Route", route)
        if sdp:
            response.headers.set("Content-Type", "application/sdp")
            response.body = sdp
        if reliable:
            self._rseq += 1
            response.headers.set("Require", "100rel")
            response.headers.set("RSeq", str(self._rseq))
        self.stack.respond(transaction, response)
        if reliable:
            self._await_prack(self._rseq, transaction, transaction.last)

    def _await_prack(self, rseq: int, transaction: Transaction, data: bytes) -> None:
        repeats = Repeats(self.stack.clock(), cap=float("inf"))

        def wait() -> None:
            now = self.stack.clock()
            at = repeats.next_at(now)
            if at is None:
                self._unpracked = None
                if self._refuse(504, None):
                    self._fail(504, "no PRACK", "timeout")
                return
            self._unpracked = (rseq, self.stack.after(at - now, again))

        def again() -> None:
            if self.stack.repeat_provisional(transaction, data):
                wait()

        wait()

    def _on_prack(self, request: Request, transaction: Transaction) -> None:
        rack = (request.headers.get("rack") or "").split()
        waiting = self._unpracked
        cseq = str(self._invite.cseq[0]) if self._invite is not None else ""
        if waiting is None or rack != [str(waiting[0]), cseq, "INVITE"]:
            self.reply(request, transaction, 481)
            return
        waiting[1].cancel()
        self._unpracked = None
        if request.sdp and self.remote_sdp is None:
            self.remote_sdp = request.sdp
        self.reply(request, transaction, 200)
        queued, self._after_prack = self._after_prack, []
        for action in queued:
            action()
