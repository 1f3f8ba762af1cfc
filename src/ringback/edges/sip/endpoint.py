"""`SipEndpoint`: the user agent that the rest of the product uses."""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Sequence

from ringback.edges.sip.call import SipCall
from ringback.edges.sip.counters import SipCounters
from ringback.edges.sip.failures import Failures
from ringback.edges.sip.handler import Authorization, SipHandler
from ringback.edges.sip.inbound import InboundCall
from ringback.edges.sip.listener import Listener, StreamLimits, TlsFiles
from ringback.edges.sip.outbound import OutboundCall
from ringback.edges.sip.peer import ALLOW, SUPPORTED
from ringback.edges.sip.phones import Kept, Phones
from ringback.edges.sip.registrar import Registrar
from ringback.edges.sip.registration import Registration
from ringback.edges.sip.stack import Hop, Stack
from ringback.edges.sip.transport import Flow, Source
from ringback.sip.digest import NonceMint, parse_digest
from ringback.sip.message import MalformedMessage, Request, parse_message, respond
from ringback.sip.session_timer import too_small
from ringback.sip.transaction import Transaction
from ringback.sip.uri import parse_name_addr, parse_uri, split_host_port
from ringback.sip.way import MAX_FORWARDS

log = logging.getLogger("ringback.sip")

_EXTENSIONS = frozenset(("100rel", "timer"))
_KNOWN_METHODS = frozenset(
    ["INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "INFO", "UPDATE", "PRACK", "REFER", "NOTIFY", "REGISTER"]
)
_UNSUPPORTED_METHODS = frozenset(["SUBSCRIBE", "MESSAGE", "PUBLISH"])
_STOP_SECONDS = 2.0


class SipEndpoint:
    """Listens, makes and takes calls, keeps registrations of phones and of ours. `limits`: of TCP and TLS.

    `clock` gives monotonic seconds. `max_transactions` bounds the server transactions; above it 503 is sent.
    `registrar` holds the phones that registered, `registrations` keeps them over a restart, for those users that
    `may_register` still names; `counters` is for /metrics.
    """

    def __init__(
        self,
        *,
        listeners: list[Listener],
        user_agent: str,
        handler: SipHandler[SipCall],
        clock: Callable[[], float],
        tls: TlsFiles | None = None,
        registrar: Registrar | None = None,
        registrations: Kept | None = None,
        may_register: Callable[[str], bool] = lambda user: True,
        max_transactions: int = 200_000,
        limits: StreamLimits | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._handler = handler
        self._wall = wall
        self.registrar = registrar or Registrar()
        self._phones = Phones(self.registrar, registrations, clock=clock, wall=wall, allowed=may_register)
        self._stack = Stack(
            listeners,
            tls,
            user_agent=user_agent,
            clock=clock,
            on_request=self._on_request,
            on_ack=self._on_ack,
            on_flow_lost=self.registrar.flow_lost,
            flow_needed=self._needs,
            max_transactions=max_transactions,
            limits=limits,
        )
        self._mint = NonceMint(secrets.token_bytes(32))
        self._failures = Failures(lambda: self._stack.clock(), self._stack.after)
        self._calls: dict[tuple[str, str], SipCall] = {}
        self._registrations: list[Registration] = []
        self._stopping = False

    @property
    def addresses(self) -> list[tuple[str, str, int]]:
        """(transport, host, port) as really bound, in the order of the listeners."""
        return self._stack.transports.addresses

    @property
    def counters(self) -> SipCounters:
        """Totals for /metrics."""
        return self._stack.counters

    @property
    def calls(self) -> list[SipCall]:
        """The live calls."""
        return [call for call in self._calls.values() if not call.over]

    async def start(self) -> None:
        """Read which phones are registered, then bind. Raises OSError when an address is taken."""
        await self._phones.load()
        await self._stack.start()

    async def stop(self) -> None:
        """Hang up what lives, give the goodbyes a moment, close."""
        self._stopping = True
        for registration in self._registrations:
            registration.stop()
        for call in self.calls:
            call.hangup()
        deadline = asyncio.get_running_loop().time() + _STOP_SECONDS
        while (self._stack.waiting or self._calls) and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.02)
        for call in list(self._calls.values()):
            call.abandon()
        await self._phones.close()
        await asyncio.sleep(0)
        await self._stack.stop()

    # -- asking -------------------------------------------------------------------------------------------

    def invite(
        self,
        *,
        to: str,
        from_uri: str,
        from_display: str | None,
        sdp: bytes,
        transport: str | None = None,
        next_hop: str | None = None,
        credentials: tuple[str, str] | None = None,
        headers: list[tuple[str, str]] | None = None,
        session_expires: int | None = 1800,
        call_id: str | None = None,
        max_forwards: int = MAX_FORWARDS,
    ) -> SipCall:
        """Call `to`. `next_hop` is `host` or `host:port` or a sip: URI and replaces the address in `to`.

        `call_id` must never have been used before; None makes one.

        Raises ValueError for addresses or headers that cannot be sent; everything later comes by the handler.
        """
        call = OutboundCall(
            self._stack,
            self._handler,
            self._forget,
            to=to,
            from_uri=from_uri,
            from_display=from_display,
            sdp=sdp,
            headers=headers or [],
            credentials=credentials,
            session_expires=session_expires,
            call_id=call_id,
            max_forwards=max_forwards,
        )
        hop = hop_of(next_hop or to, transport or (None if next_hop else parse_uri(to).transport))
        self._calls[(call.call_id, call.local_tag)] = call
        self.counters.calls_out += 1
        self.counters.live_calls = len(self._calls)
        # later, so that the caller can set `context` before anything is reported
        self._stack.defer(lambda: self._stack.resolve(hop, call.start))
        return call

    def register(
        self,
        *,
        registrar: str,
        username: str,
        password: str,
        transport: str | None = None,
        expires: int = 300,
    ) -> Registration:
        """Keep `username` registered at a trunk (`host` or `host:port`) until `stop`; see Registration.state."""
        registration = Registration(
            self._stack, hop_of(registrar, transport), registrar, username, password, expires=expires
        )
        self._registrations.append(registration)
        registration.start()
        return registration

    # -- requests -----------------------------------------------------------------------------------------

    def _needs(self, flow: Flow) -> bool:
        """Whether a quiet connection must stay open: a phone or a call could not be reached without it."""
        return self.registrar.needs(flow, self._stack.clock()) or any(
            call.goes_through(flow) for call in self._calls.values()
        )

    def _on_ack(self, request: Request, source: Source) -> None:
        call = self._calls.get((request.call_id, request.to.tag))
        if call is not None and call.dialog_of(request) is not None:
            call.on_ack(request)

    def _on_request(self, request: Request, source: Source, transaction: Transaction) -> None:
        method = request.method
        if method == "CANCEL":
            self._on_cancel(request, transaction)
            return
        if method not in _KNOWN_METHODS:
            code = 405 if method in _UNSUPPORTED_METHODS else 501
            self._reply(request, transaction, code, [("Allow", ALLOW)])
            return
        unknown = [token for token in request.headers.tokens("require") if token not in _EXTENSIONS]
        if unknown:
            self._reply(request, transaction, 420, [("Unsupported", ", ".join(unknown)[:500])])
            return
        if request.to.tag:
            call = self._calls.get((request.call_id, request.to.tag))
            if call is None:
                self._reply(
                    request, transaction, 481
                )  # also OPTIONS: whoever asks learns that the call is gone
            else:
                try:
                    call.on_request(request, source, transaction)
                except MalformedMessage as problem:
                    self._reply(request, transaction, problem.status)
            return
        if method == "INVITE":
            self._on_invite(request, source, transaction)
        elif method == "REGISTER":
            self._on_register(request, source, transaction)
        elif method == "OPTIONS":
            headers = [("Allow", ALLOW), ("Accept", "application/sdp"), ("Supported", SUPPORTED)]
            self._reply(request, transaction, 200, headers)
        else:
            self._reply(request, transaction, 481)

    def _on_cancel(self, request: Request, transaction: Transaction) -> None:
        invite = self._stack.canceled(request)
        if invite is None:
            self._reply(request, transaction, 481)
            return
        # the tag of the INVITE's responses (RFC 3261 section 9.2); one that is answered has it in its last response
        call = invite.user
        tag = call.local_tag if isinstance(call, InboundCall) else parse_message(invite.last).to.tag
        self._stack.respond(transaction, respond(request, 200, to_tag=tag))
        if isinstance(call, InboundCall):
            call.canceled()

    def _on_invite(self, request: Request, source: Source, transaction: Transaction) -> None:
        if self._stopping:
            self._reply(request, transaction, 503, [("Retry-After", "30")])
            return
        problem = _invite_problem(request)
        if problem is not None:
            self._reply(request, transaction, *problem)
            return
        username = self._authorized(request, source, transaction)
        if username is None:
            return
        try:
            call = InboundCall(
                self._stack, self._handler, self._forget, request, source, transaction, username
            )
        except MalformedMessage:
            self._reply(request, transaction, 400)
            return
        self._calls[(call.call_id, call.local_tag)] = call
        self.counters.calls_in += 1
        self.counters.live_calls = len(self._calls)
        try:
            self._handler.incoming(call)
        except Exception:
            self.counters.handler_errors += 1
            log.exception("the SIP handler refused call %s by a bug", call.call_id)
            call.reject(500)
        call.trying()

    def _on_register(self, request: Request, source: Source, transaction: Transaction) -> None:
        if request.uri.scheme not in ("sip", "sips"):
            self._reply(request, transaction, 416)
            return
        username = self._authorized(request, source, transaction)
        if username is None:
            return
        if username and request.to.uri.user != username:
            self._reply(request, transaction, 403)
            return
        self._phones.register(
            request, source, lambda code, headers: self._reply(request, transaction, code, headers)
        )

    def _authorized(self, request: Request, source: Source, transaction: Transaction) -> str | None:
        """The digest user, an empty string for the trusted, or None: it was refused and answered."""
        try:
            verdict: Authorization = self._handler.authorize(request, source)
        except Exception:
            self.counters.handler_errors += 1
            log.exception("authorize failed")
            self._reply(request, transaction, 500)
            return None
        if verdict.verdict == "trusted":
            return ""
        if verdict.verdict == "refused":
            self.counters.auth_refused += 1
            self._stack.turn_away(request, transaction, verdict.code)
            return None
        headers = request.headers.all("authorization")[:4]
        if headers and (seconds := self._failures.wait(source.host)):
            self.counters.auth_slowed += 1
            self._stack.turn_away(request, transaction, 503, [("Retry-After", str(seconds))])
            return None
        stale = False
        for header in headers:
            result = self._mint.verify(
                header,
                method=request.method,
                target=request.target,
                source=source.host,
                realm=verdict.realm,
                password=verdict.password,
                now=self._wall(),
            )
            if result == "ok":
                sent = parse_digest(header)
                return sent["username"] if sent else None
            stale = stale or result == "stale"
            if result != "stale":
                self._failures.note(request.method, source.host, source.port)
        self.counters.auth_refused += 1
        # MD5 only: libre 1.x (baresip as Debian 12 ships it) fails on a second challenge that it does not know,
        # wherever it stands; whoever can do SHA-256 can do MD5 as well.
        challenges = self._mint.challenges(verdict.realm, source.host, self._wall(), stale=stale)[:1]
        self._stack.turn_away(request, transaction, 401, [("WWW-Authenticate", text) for text in challenges])
        return None

    def _reply(
        self,
        request: Request,
        transaction: Transaction,
        code: int,
        headers: Sequence[tuple[str, str]] = (),
    ) -> None:
        response = respond(request, code, to_tag=secrets.token_hex(6))
        for name, value in headers:
            response.headers.add(name, value)
        self._stack.respond(transaction, response)

    def _forget(self, call: SipCall) -> None:
        # an outbound call stays findable in its transaction, which repeats ACK and declines late forks
        self._calls.pop((call.call_id, call.local_tag), None)
        self.counters.live_calls = len(self._calls)


def _invite_problem(request: Request) -> tuple[int, list[tuple[str, str]]] | None:
    """Why an INVITE is refused before anyone is asked (RFC 3261 section 8.2)."""
    if request.uri.scheme not in ("sip", "sips", "tel"):
        return 416, []
    if request.body and not request.sdp:
        return 415, [("Accept", "application/sdp")]
    if request.headers.get("content-encoding") not in (None, "identity", ""):
        return 415, [("Accept-Encoding", "identity")]
    if too_small(request):
        return 422, [("Min-SE", "90")]
    try:
        if request.contact is None:
            return 400, []
    except MalformedMessage:
        return 400, []
    return None


def hop_of(text: str, transport: str | None) -> Hop:
    """A hop from `host`, `host:port` or a sip: URI. Raises BadAddress."""
    if text.lower().startswith(("sip:", "sips:", "<")):
        uri = parse_name_addr(text).uri if text.startswith("<") else parse_uri(text)
        chosen = transport or uri.transport
        host, port = uri.bare_host, uri.port
    else:
        named, port = split_host_port(text)
        host = named.strip("[]")
        chosen = transport or "udp"
    return Hop(chosen.lower(), host, port or (5061 if chosen == "tls" else 5060))
