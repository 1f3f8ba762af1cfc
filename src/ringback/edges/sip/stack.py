"""The transaction layer over the sockets: matches, repeats and times out; the one real timer lives here."""

import asyncio
import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ringback.edges.sip.counters import SipCounters
from ringback.edges.sip.listener import Listener, StreamLimits, TlsFiles
from ringback.edges.sip.names import Names
from ringback.edges.sip.transport import Flow, Source, Transports
from ringback.sip.message import Headers, MalformedMessage, Request, Response, parse_message, respond
from ringback.sip.timer import Deadline, TimerQueue
from ringback.sip.transaction import (
    CLIENT_INVITE,
    CLIENT_OTHER,
    MAGIC_COOKIE,
    SERVER_INVITE,
    SERVER_OTHER,
    Do,
    Event,
    State,
    Transaction,
    canceled_key,
    response_event,
    server_key,
)
from ringback.sip.uri import host_port, is_address
from ringback.sip.way import MAX_FORWARDS, ack_of, fix_via, same_tag

log = logging.getLogger("ringback.sip")

Trouble = Literal["timeout", "transport"]


@dataclass(frozen=True, slots=True)
class Hop:
    """Where a request goes; with `flow` through that connection while it lives."""

    transport: str
    host: str
    port: int
    flow: Flow | None = None


@dataclass(slots=True)
class Asked:
    """The user of a client transaction."""

    request: Request
    hop: Hop
    on_response: Callable[[Response], None]
    on_trouble: Callable[[Trouble], None]


class Stack:
    """Client and server transactions. `on_request` gets each request once, with its server transaction."""

    def __init__(
        self,
        listeners: list[Listener],
        tls: TlsFiles | None,
        *,
        user_agent: str,
        clock: Callable[[], float],
        on_request: Callable[[Request, Source, Transaction], None],
        on_ack: Callable[[Request, Source], None],
        on_flow_lost: Callable[[Flow], None],
        flow_needed: Callable[[Flow], bool],
        max_transactions: int,
        limits: StreamLimits | None = None,
    ) -> None:
        self.counters = SipCounters()
        self.clock = clock
        self.user_agent = user_agent
        self.transports = Transports(
            listeners,
            tls,
            self.counters,
            self._receive,
            self._flow_lost,
            self._flow_in_use,
            limits or StreamLimits(),
        )
        self._on_request = on_request
        self._on_ack = on_ack
        self._on_flow_lost = on_flow_lost
        self._flow_needed = flow_needed
        self._max = max_transactions
        self._server: dict[object, Transaction] = {}
        self._client: dict[object, Transaction] = {}
        self._merge: dict[tuple[str, str, str], Transaction] = {}
        self._timers = TimerQueue()
        self._armed: asyncio.TimerHandle | None = None
        self._armed_at = 0.0
        self._names = Names(clock, self.counters)
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self) -> None:
        """Bind the listeners."""
        self._loop = asyncio.get_running_loop()
        await self.transports.start()

    async def stop(self) -> None:
        """Drop every transaction and close the sockets."""
        await self._names.close()
        if self._armed is not None:
            self._armed.cancel()
        for transaction in [*self._server.values(), *self._client.values()]:
            self._forget(transaction)
        await self.transports.stop()

    @property
    def waiting(self) -> bool:
        """Whether one of our requests still waits for its final response."""
        pending = (State.CALLING, State.TRYING, State.PROCEEDING)
        return any(transaction.state in pending for transaction in self._client.values())

    # -- time ---------------------------------------------------------------------------------------------

    def after(self, seconds: float, action: Callable[[], None]) -> Deadline:
        """Run `action` once after `seconds`; cancel with the returned deadline."""
        entry = self._timers.at(self.clock() + seconds, action)
        self._arm()
        return entry

    def defer(self, action: Callable[[], object]) -> None:
        """Run `action` after the present step."""
        assert self._loop is not None
        self._loop.call_soon(action)

    def _arm(self) -> None:
        at = self._timers.next_at()
        if at is None or self._loop is None:
            return
        if self._armed is not None:
            if self._armed_at <= at:
                return
            self._armed.cancel()
        self._armed_at = at
        self._armed = self._loop.call_later(max(0.0, at - self.clock()), self._tick)

    def _tick(self) -> None:
        self._armed = None
        for action in self._timers.due(self.clock() + 0.001):
            try:
                action()
            except Exception:
                self.counters.handler_errors += 1
                log.exception("a SIP timer failed")
        self._arm()

    def _schedule(self, transaction: Transaction) -> None:
        at = transaction.deadline
        if at is not None:
            self._timers.at(at, lambda: self._expire(transaction))
            self._arm()

    def _expire(self, transaction: Transaction) -> None:
        now = self.clock() + 0.001
        at = transaction.deadline
        if at is None or at > now:
            return  # stopped or restarted meanwhile: the newer deadline has its own entry
        do = transaction.expire(now)
        if Do.SEND in do:
            self.counters.retransmissions_sent += 1
        self._perform(transaction, do)
        self._schedule(transaction)

    # -- receiving ----------------------------------------------------------------------------------------

    def _receive(self, data: bytes, source: Source) -> None:
        self.counters.received += 1
        try:
            message = parse_message(data, stream=source.flow.reliable)
            if isinstance(message, Response):
                self._response(message)
            else:
                self._request(message, source)
        except MalformedMessage as problem:
            self.counters.dropped[problem.reason] += 1
            if problem.request is not None:
                self.respond_statelessly(problem.request, problem.status, source)
        except Exception:
            self.counters.handler_errors += 1
            log.exception("a SIP message from %s failed", source.host)

    def _response(self, response: Response) -> None:
        if len(response.headers.all("via")) != 1 or "," in response.headers.all("via")[0]:
            self.counters.dropped["response-vias"] += 1
            return
        transaction = self._client.get((response.via.branch, response.cseq[1]))
        if transaction is None:
            self.counters.dropped["stray-response"] += 1
            return
        asked = transaction.user
        assert isinstance(asked, Asked)
        if transaction.table is CLIENT_INVITE and response.code >= 300 and not transaction.ack:
            transaction.ack = ack_of(asked.request, response).to_bytes()
        do = transaction.fire(response_event(response.code), self.clock())
        self._perform(transaction, do, response)
        if do and response.code >= 200:
            self._schedule(transaction)

    def _request(self, request: Request, source: Source) -> None:
        key = server_key(request)
        transaction = self._server.get(key)
        if request.method == "ACK":
            if transaction is not None:
                do = transaction.fire(Event.ACK, self.clock())
                if Do.DELIVER in do:
                    self._on_ack(request, source)
                self._perform(transaction, tuple(step for step in do if step is not Do.DELIVER))
                self._schedule(transaction)
            else:
                self._on_ack(request, source)
            return
        if transaction is not None:
            self.counters.retransmissions_received += 1
            self._perform(transaction, transaction.fire(Event.REQUEST, self.clock()))
            return
        if len(self._server) >= self._max:
            self.counters.overload += 1
            response = respond(request, 503)
            response.headers.set("Retry-After", "5")
            self._send(response.to_bytes(), *self._way_back(request, source))
            return
        fix_via(request, source.host, source.port)
        merge = (request.call_id, request.from_.tag, request.headers.get("cseq") or "")
        if not request.to.tag and request.method not in ("CANCEL", "ACK") and merge in self._merge:
            self.respond_statelessly(request, 482, source)
            return
        table = SERVER_INVITE if request.method == "INVITE" else SERVER_OTHER
        transaction = Transaction(table, key, reliable=source.flow.reliable, now=self.clock())
        transaction.flow = self._way_back(request, source)
        self._server[key] = transaction
        if not request.to.tag and request.method != "CANCEL":
            transaction.merge = merge
            self._merge[merge] = transaction
        try:
            self._on_request(request, source, transaction)
        except MalformedMessage as problem:
            self.counters.dropped[problem.reason] += 1
            self._excuse(request, transaction, problem.status)
        except Exception:
            self.counters.handler_errors += 1
            log.exception("a SIP %s from %s failed", request.method, source.host)
            self._excuse(request, transaction, 500)

    def _excuse(self, request: Request, transaction: Transaction, code: int) -> None:
        """Answer what failed half way, unless it was answered: nobody else will end the transaction."""
        if not transaction.last:
            self.turn_away(request, transaction, code)

    def canceled(self, request: Request) -> Transaction | None:
        """The INVITE transaction that a CANCEL is for."""
        return self._server.get(canceled_key(request))

    # -- answering ----------------------------------------------------------------------------------------

    def respond(self, transaction: Transaction, response: Response) -> None:
        """Send a response through its server transaction, which repeats it where needed."""
        response.headers.set("Server", self.user_agent)
        transaction.last = response.to_bytes()
        self._perform(transaction, transaction.fire(response_event(response.code), self.clock()))
        if response.code >= 200:
            if transaction.table is SERVER_OTHER or response.code >= 300:
                transaction.user = None
            self._schedule(transaction)

    def repeat_success(self, transaction: Transaction) -> bool:
        """Send a 2xx to INVITE again; False when the transaction is over."""
        if transaction.state is not State.ACCEPTED:
            return False
        self.counters.retransmissions_sent += 1
        self._perform(transaction, transaction.fire(Event.R2XX, self.clock()))
        return True

    def repeat_provisional(self, transaction: Transaction, data: bytes) -> bool:
        """Send a reliable 1xx again; False when a final response went out."""
        if transaction.state is not State.PROCEEDING:
            return False
        transaction.last = data
        self.counters.retransmissions_sent += 1
        self._perform(transaction, transaction.fire(Event.R1XX, self.clock()))
        return True

    def turn_away(
        self, request: Request, transaction: Transaction, code: int, headers: Sequence[tuple[str, str]] = ()
    ) -> None:
        """Answer a stranger once and keep nothing of the request (RFC 3261 sections 8.2.7 and 26.3.2.4).

        Its address may be forged: a refusal that is repeated until the ACK would multiply what it costs to send,
        and a transaction for each would let strangers use up the room of those who are known.
        """
        response = respond(request, code, to_tag=same_tag(request))
        for name, value in headers:
            response.headers.add(name, value)
        response.headers.set("Server", self.user_agent)
        self._send(response.to_bytes(), *transaction.flow)
        self._forget(transaction)

    def respond_statelessly(self, request: Request, code: int, source: Source) -> None:
        """Answer without a transaction: for what is malformed, merged or too much."""
        if request.method == "ACK":
            return
        response = respond(request, code, to_tag=same_tag(request))
        response.headers.set("Server", self.user_agent)
        flow, address = self._way_back(request, source)
        self._send(response.to_bytes(), flow, address)

    def _way_back(self, request: Request, source: Source) -> tuple[Flow, tuple[str, int]]:
        """RFC 3261 section 18.2.2 and RFC 3581: streams by their connection, datagrams to the real source."""
        if source.flow.reliable or "rport" in request.via.params:
            return source.flow, (source.host, source.port)
        return source.flow, (source.host, request.via.port or 5060)

    # -- asking -------------------------------------------------------------------------------------------

    def request(
        self,
        request: Request,
        hop: Hop,
        on_response: Callable[[Response], None],
        on_trouble: Callable[[Trouble], None],
        *,
        branch: str | None = None,
    ) -> Transaction | None:
        """Send a request in a new client transaction; None after a transport error, which is told later."""
        assert self._loop is not None
        try:
            flow = self.flow(hop)
        except ConnectionError:
            self._loop.call_soon(on_trouble, "transport")
            return None
        branch = branch or self.branch()
        self._prepare(request, flow, branch)
        table = CLIENT_INVITE if request.method == "INVITE" else CLIENT_OTHER
        transaction = Transaction(table, (branch, request.method), reliable=flow.reliable, now=self.clock())
        transaction.user = Asked(request, hop, on_response, on_trouble)
        transaction.flow = (flow, (hop.host, hop.port))
        transaction.last = request.to_bytes()
        self._client[transaction.key] = transaction
        if not self._send(transaction.last, flow, (hop.host, hop.port)):
            self._loop.call_soon(self._break, transaction)
        self._schedule(transaction)
        return transaction

    def cancel(self, invite: Transaction) -> None:
        """Send CANCEL for an INVITE that got a provisional response (RFC 3261 section 9.1)."""
        asked = invite.user
        if not isinstance(asked, Asked):
            return
        source = asked.request
        headers = Headers()
        for name in ("Route", "From", "To", "Call-ID"):
            if values := source.headers.all(name.lower()):
                headers.set_all(name, list(values))
        headers.set("CSeq", f"{source.cseq[0]} CANCEL")
        request = Request("CANCEL", source.target, headers)
        key = invite.key
        assert isinstance(key, tuple)
        self.request(request, asked.hop, lambda response: None, lambda trouble: None, branch=key[0])

    def give_up(self, transaction: Transaction) -> None:
        """Expect no final response any more: forgotten after a provisional one, before it just not repeated."""
        self._perform(transaction, transaction.fire(Event.ABANDON, self.clock()))
        self._schedule(transaction)

    def send_ack(self, request: Request, hop: Hop) -> Callable[[], None]:
        """Send the ACK of a 2xx; calling the result sends it again."""
        try:
            flow = self.flow(hop)
        except ConnectionError:
            self.counters.dropped["ack-unsendable"] += 1
            return lambda: None
        self._prepare(request, flow, self.branch())
        data = request.to_bytes()
        address = (hop.host, hop.port)
        self._send(data, flow, address)

        def again() -> None:
            self._send(data, flow, address)

        return again

    def flow(self, hop: Hop) -> Flow:
        """The flow of a hop: its own while open, else one to its address. Raises ConnectionError."""
        flow = hop.flow
        if flow is not None and getattr(flow, "open", True):
            return flow
        return self.transports.flow_to(hop.transport, hop.host, hop.port)

    def contact(self, flow: Flow) -> str:
        """Our Contact as peers on this flow reach it."""
        tail = "" if flow.transport == "udp" else f";transport={flow.transport}"
        return f"<sip:{host_port(*flow.local)}{tail}>"

    @staticmethod
    def branch() -> str:
        """A new branch."""
        return MAGIC_COOKIE + secrets.token_hex(8)

    def _prepare(self, request: Request, flow: Flow, branch: str) -> None:
        old = request.headers
        name = flow.transport.upper()
        via = f"SIP/2.0/{name} {host_port(*flow.local)};branch={branch};rport"
        request.headers = Headers([("Via", via)])
        request.__dict__.pop("via", None)
        request.headers.set("Max-Forwards", old.get("max-forwards") or str(MAX_FORWARDS))
        for key, value in old.items():
            if key not in ("Via", "Max-Forwards"):
                request.headers.add(key, value)
        request.headers.set("User-Agent", self.user_agent)
        if request.method in ("INVITE", "UPDATE", "REFER", "SUBSCRIBE"):
            request.headers.set("Contact", self.contact(flow))

    def resolve(self, hop: Hop, then: Callable[[Hop | None], None]) -> None:
        """Call `then` with a hop whose host is an address (at once if it is one), or None."""
        if is_address(hop.host.strip("[]")):
            then(replace(hop, host=hop.host.strip("[]")))
            return

        def found(address: str | None) -> None:
            then(None if address is None else replace(hop, host=address, flow=None))

        self._names.look_up(
            hop.host, hop.port, lambda each: self.transports.reaches(hop.transport, each), found
        )

    # -- doing --------------------------------------------------------------------------------------------

    def _perform(
        self, transaction: Transaction, do: tuple[Do, ...], response: Response | None = None
    ) -> None:
        asked = transaction.user
        for step in do:
            if step is Do.SEND or step is Do.ACK:
                data = transaction.ack if step is Do.ACK else transaction.last
                flow, address = transaction.flow
                if data and not self._send(data, flow, address):
                    assert self._loop is not None
                    self._loop.call_soon(self._break, transaction)
            elif step is Do.DONE:
                self._forget(transaction)
            elif isinstance(asked, Asked):
                if step is Do.DELIVER and response is not None:
                    asked.on_response(response)
                elif step is Do.TIMEOUT:
                    asked.on_trouble("timeout")
                elif step is Do.BROKEN:
                    asked.on_trouble("transport")

    def _send(self, data: bytes, flow: Flow, address: tuple[str, int]) -> bool:
        self.counters.sent += 1
        return flow.send(data, address)

    def _break(self, transaction: Transaction) -> None:
        self._perform(transaction, transaction.fire(Event.BROKEN, self.clock()))

    def _forget(self, transaction: Transaction) -> None:
        server = transaction.table in (SERVER_INVITE, SERVER_OTHER)
        table = self._server if server else self._client
        table.pop(transaction.key, None)
        merge = transaction.merge
        if merge is not None and self._merge.get(merge) is transaction:
            del self._merge[merge]
        self.counters.live_transactions = len(self._server) + len(self._client)
        transaction.last = transaction.ack = b""
        transaction.user = None  # a call refers to its transaction and this to the call

    def _flow_lost(self, flow: Flow) -> None:
        self._on_flow_lost(flow)
        for transaction in [t for t in self._client.values() if t.flow[0] is flow]:
            self._break(transaction)

    def _flow_in_use(self, flow: Flow) -> bool:
        return self._flow_needed(flow) or any(t.flow[0] is flow for t in self._client.values())
