"""A call that we make: INVITE, one digest round, forked early dialogs, PRACK, CANCEL, ACK."""

import secrets
from collections.abc import Callable

from ringback.edges.sip.call import MAX_REASON, CallState, SipCall
from ringback.edges.sip.handler import SipHandler
from ringback.edges.sip.peer import ALLOW, SUPPORTED, contact_of, is_stale
from ringback.edges.sip.stack import Hop, Stack, Trouble
from ringback.sip.dialog import Dialog, DialogState
from ringback.sip.message import Headers, Request, Response, plain_header
from ringback.sip.session_timer import MIN_SE, agree_as_uac
from ringback.sip.timer import Deadline
from ringback.sip.transaction import T1, Transaction
from ringback.sip.uri import is_token, parse_uri, quote_string
from ringback.sip.way import MAX_FORWARDS

MAX_FORKS = 10
_OWN = frozenset(
    [
        "via",
        "from",
        "to",
        "call-id",
        "cseq",
        "contact",
        "max-forwards",
        "content-length",
        "content-type",
        "route",
        "record-route",
    ]
)


class OutboundCall(SipCall):
    """See the module."""

    direction = "outbound"

    def __init__(
        self,
        stack: Stack,
        handler: SipHandler[SipCall],
        forget: Callable[[SipCall], None],
        *,
        to: str,
        from_uri: str,
        from_display: str | None,
        sdp: bytes,
        headers: list[tuple[str, str]],
        credentials: tuple[str, str] | None,
        session_expires: int | None,
        call_id: str | None = None,
        max_forwards: int = MAX_FORWARDS,
    ) -> None:
        """Raises ValueError (BadAddress) for addresses or headers that must not go on the wire."""
        super().__init__(stack, handler, forget, call_id or f"{secrets.token_hex(12)}@ringback")
        uri = parse_uri(to)
        parse_uri(from_uri)
        name = f"{quote_string(plain_header(from_display))} " if from_display else ""
        for key, value in headers:
            plain_header(value)
            if not is_token(key) or key.lower() in _OWN:
                raise ValueError(f"header {key!r} cannot be set")
        self.peer.credentials = credentials
        self.local_sdp = sdp
        self._extra = headers
        self._max_forwards = max_forwards
        self._target = uri.without_headers()
        self._from = f"{name}<{from_uri}>;tag={self.local_tag}"
        self._session_expires = session_expires
        self._min_se = MIN_SE
        self._cseq = 0
        self._auth_rounds = 0
        self._transaction: Transaction | None = None
        self._early: dict[str, Dialog] = {}
        self._rseq: dict[str, int] = {}
        self._acked: dict[str, Callable[[], None]] = {}
        self._provisional_seen = False
        self._canceling = False
        self._give_up: Deadline | None = None

    def start(self, hop: Hop | None) -> None:
        """Send the INVITE to the resolved hop; None: the name could not be resolved."""
        if self.over:
            return
        if hop is None:
            self._fail(503, "Host not found", "transport")
        else:
            self.peer.hop = hop
            self.peer.names(parse_uri(self._target).bare_host)
            self._send_invite()

    def _send_invite(self, authorization: tuple[str, str] | None = None) -> None:
        assert self.peer.hop is not None
        self._cseq += 1
        self._provisional_seen = False
        headers = Headers([("From", self._from), ("To", f"<{self._target}>")])
        headers.set("Call-ID", self.call_id)
        headers.set("CSeq", f"{self._cseq} INVITE")
        headers.set("Max-Forwards", str(self._max_forwards))
        headers.set("Allow", ALLOW)
        headers.set("Supported", SUPPORTED)
        if self._session_expires:
            headers.set("Session-Expires", str(max(self._session_expires, self._min_se)))
            headers.set("Min-SE", str(self._min_se))
        if authorization is not None:
            headers.set(*authorization)
        for name, value in self._extra:
            headers.add(name, value)
        headers.set("Content-Type", "application/sdp")
        request = Request("INVITE", self._target, headers, self.local_sdp or b"")
        self._transaction = self.stack.request(request, self.peer.hop, self._came, self._trouble)
        self._sent = request

    def _trouble(self, trouble: Trouble) -> None:
        if trouble == "timeout":
            self._fail(408, "Request Timeout", "timeout")
        else:
            self._fail(503, "Service Unavailable", "transport")

    def _abandon(self) -> None:
        """The attempt is over at once, also where the callee is silent; what still comes is cancelled or ended.

        Before a provisional response CANCEL must wait (RFC 3261 section 9.1); the INVITE is not repeated any more.
        """
        self._canceling = True
        if self._provisional_seen:
            self._send_cancel()
        elif self._transaction is not None:
            self.stack.give_up(self._transaction)
        self._fail(487, "Request Terminated", "local")

    def _send_cancel(self) -> None:
        if self._transaction is not None:
            self.stack.cancel(self._transaction)
            self._give_up = self.stack.after(64 * T1, self._never_came)

    def _never_came(self) -> None:
        """No final response 64*T1 after the CANCEL: wait no longer (RFC 3261 section 9.1)."""
        if self._transaction is not None:
            self.stack.give_up(self._transaction)

    def _remote_gave_up(self) -> None:
        """BYE before a final response: a callee may not (section 15), but it means what it says."""
        self._canceling = True
        self._send_cancel()
        self._fail(487, "Request Terminated", "remote")

    # -- responses to the INVITE --------------------------------------------------------------------------

    def _came(self, response: Response) -> None:
        if response.cseq[0] != self._cseq:
            return
        if response.code < 200:
            self._came_provisional(response)
            return
        if self._give_up is not None:
            self._give_up.cancel()
        if response.code < 300:
            self._came_success(response)
        elif self.state is CallState.SETUP:
            self._came_refusal(response)

    def _came_provisional(self, response: Response) -> None:
        first, self._provisional_seen = not self._provisional_seen, True
        if self._canceling and first:
            self._send_cancel()
        if self.state is not CallState.SETUP:
            return
        tag = response.to.tag
        if response.code == 100:
            return
        if tag:
            dialog = self._early.get(tag)
            if dialog is None:
                if len(self._early) >= MAX_FORKS:
                    return
                dialog = self._early[tag] = Dialog.from_response(self._sent, response)
            if "100rel" in response.headers.tokens("require") and not self._prack(dialog, response):
                return
            self.dialog = dialog
        self.remote_sdp = response.sdp or self.remote_sdp
        self.tell(self.handler.early, self, response.code, response.sdp or None)

    def _prack(self, dialog: Dialog, response: Response) -> bool:
        """Acknowledge a reliable 1xx; False for one that is repeated or out of order (RFC 3262 section 4)."""
        rseq = response.number("rseq")
        last = self._rseq.get(dialog.remote_tag)
        if rseq is None or (last is not None and rseq != last + 1):
            return False
        self._rseq[dialog.remote_tag] = rseq
        headers = [("RAck", f"{rseq} {response.cseq[0]} INVITE")]
        self.peer.ask(dialog, "PRACK", lambda answer: None, lambda trouble: None, headers=headers)
        return True

    def _came_success(self, response: Response) -> None:
        tag = response.to.tag
        if tag in self._acked:
            self._acked[tag]()
            return
        if len(self._acked) >= MAX_FORKS:
            return
        dialog = self._early.get(tag)
        if dialog is None:
            dialog = Dialog.from_response(self._sent, response)
        else:
            dialog.refresh_target(contact_of(response))
            fresh = Dialog.from_response(self._sent, response)
            dialog.routes = fresh.routes
        dialog.state = DialogState.CONFIRMED
        self._acked[tag] = self.peer.ack(dialog, self._sent)
        if self.state is not CallState.SETUP:
            # a second branch of a fork, or a call that we had given up: taken (section 13.2.2.4) and ended
            self.peer.bye(dialog)
            return
        self.dialog = dialog
        self._move("connect")
        self._early.clear()
        self.peer_allows = response.headers.tokens("allow")
        self.remote_sdp = response.sdp or self.remote_sdp
        self.watch.run(agree_as_uac(response))
        self.tell(self.handler.answered, self, response.sdp or None)

    def _came_refusal(self, response: Response) -> None:
        code = response.code
        if code in (401, 407) and self._auth_rounds < (2 if is_stale(response) else 1):
            answer = self.peer.credentials_for(response, "INVITE", self._target)
            if answer is not None:
                self._auth_rounds += 1
                self._send_invite(answer)
                return
        smallest = response.number("min-se") or 0
        if code == 422 and self._min_se == MIN_SE < smallest <= 86_400:
            # once; the new INVITE may be challenged again
            self._min_se, self._auth_rounds = smallest, 0
            self._send_invite()
            return
        self._fail(code, response.reason[:MAX_REASON], "remote")
