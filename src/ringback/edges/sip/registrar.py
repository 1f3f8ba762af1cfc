"""The registrar's table (RFC 3261 section 10.3): contacts by phone, bounded, expiry by the time passed in.

It says what must be stored so that nothing it promised is forgotten; who stores it is `phones.py`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from ringback.edges.sip.transport import Flow, Source
from ringback.sip.message import MalformedMessage, Request
from ringback.sip.uri import NameAddr, host_port

MAX_CONTACTS = 10
MAX_USERS = 100_000
MIN_EXPIRES = 60
MAX_EXPIRES = 3600
DEFAULT_EXPIRES = 300
MOST_AHEAD = 300.0


@dataclass(frozen=True, slots=True)
class Binding:
    """One contact of a phone. `next_hop` is the host:port it was really heard from; `expires_at` on our clock.

    `kept_until` is what the store says of it, on the same clock; 0: it is not in the store. `heard_at` is when the
    phone last said that it is there; 0: not since the start.
    """

    contact: str
    next_hop: str
    transport: str
    expires_at: float
    quality: float
    call_id: str
    cseq: int
    flow: Flow | None = None
    kept_until: float = 0.0
    heard_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Registered:
    """What came of a REGISTER: the response, and what the store must know before it is sent."""

    code: int
    headers: tuple[tuple[str, str], ...] = ()
    save: tuple[Binding, ...] = ()
    drop: tuple[tuple[str, Binding], ...] = ()
    "(user, binding): not only of this user, and perhaps with a successor in `save`."


class Registrar:
    """Bindings by user.

    Bindings over UDP survive a restart in the store; `kept_until` goes beyond `expires_at` by as much again (at
    most `MOST_AHEAD` seconds), so that of the refreshes that keep a binding alive only some are written. What is
    promised to a phone never reaches beyond it. Over a stream a binding lives as long as its connection
    (RFC 5626 section 5.3 by analogy: nobody else can open it), and so is never stored.
    """

    def __init__(self) -> None:
        self._users: dict[str, dict[str, Binding]] = {}
        self._outlived: list[tuple[str, Binding]] = []
        "Stored bindings that ended without a REGISTER: dropped with the next write."
        self._flows: dict[Flow, set[str]] = {}
        "Open connection → users that have registered through it."
        self._now = 0.0

    def register(self, request: Request, source: Source, now: float) -> Registered:
        """Apply an authorised REGISTER, all of it or (code 300 and above) nothing."""
        self._now = now
        user = request.to.uri.user
        if not user:
            return Registered(404)
        raw = [value.strip() for value in request.headers.all("contact")]
        try:
            contacts = request.addresses("contact")
        except MalformedMessage:
            return Registered(400)
        if any(contact.uri.scheme not in ("sip", "sips") for contact in contacts):
            return Registered(416)
        current = {binding.contact: binding for binding in self.lookup(user, now)}
        changed = dict(current)
        if "*" in raw:
            if len(raw) > 1 or request.number("expires") != 0:
                return Registered(400)
            changed.clear()
        for contact in contacts:
            seconds = _seconds(request, contact)
            if 0 < seconds < MIN_EXPIRES:
                return Registered(423, (("Min-Expires", str(MIN_EXPIRES)),))
            uri = contact.uri.text
            known = changed.get(uri)
            if known and known.call_id == request.call_id and request.cseq[0] <= known.cseq:
                return Registered(500)
            if seconds == 0:
                changed.pop(uri, None)
            else:
                changed[uri] = _bind(request, source, contact, known, now, min(seconds, MAX_EXPIRES))
        if len(changed) > MAX_CONTACTS or (user not in self._users and len(self._users) >= MAX_USERS):
            return Registered(403)
        self._put(user, changed)
        promised = tuple(
            ("Contact", f"<{each.contact}>;expires={max(1, round(each.expires_at - now))}")
            for each in changed.values()
        )
        return Registered(200, promised, *self._to_store(user, current, changed))

    def _to_store(
        self, user: str, before: dict[str, Binding], after: dict[str, Binding]
    ) -> tuple[tuple[Binding, ...], tuple[tuple[str, Binding], ...]]:
        save = tuple(
            each
            for uri, each in after.items()
            if each.kept_until and (uri not in before or before[uri].kept_until != each.kept_until)
        )
        gone = [
            (user, each)
            for uri, each in before.items()
            if each.kept_until and (uri not in after or not after[uri].kept_until)
        ]
        saved = {(user, each.contact) for each in save}
        gone += [(who, each) for who, each in self._outlived if (who, each.contact) not in saved]
        self._outlived.clear()
        return save, tuple(gone)

    def not_stored(self, user: str, bindings: Iterable[Binding]) -> None:
        """Writing these has failed: the next refresh writes them."""
        known = self._users.get(user, {})
        for each in bindings:
            current = known.get(each.contact)
            if current is not None and current.kept_until == each.kept_until:
                known[each.contact] = replace(current, kept_until=0.0)

    def lookup(self, user: str, now: float | None = None) -> list[Binding]:
        """The live bindings of a user, best first. `now` defaults to the newest time this registrar has seen.

        Of the same quality the phone that was heard last is best. (Not the one that lives longest: one from before a
        restart lives as long as the store says, and may be gone.)
        """
        self._now = now if now is not None else self._now
        self._keep_if(user, lambda binding: binding.expires_at > self._now)
        bindings = self._users.get(user, {}).values()
        return sorted(
            bindings, key=lambda binding: (-binding.quality, -binding.heard_at, -binding.expires_at)
        )

    def flow_lost(self, flow: Flow) -> None:
        """A connection has closed: what was registered through it cannot be reached any more."""
        for user in self._flows.pop(flow, ()):
            self._keep_if(user, lambda binding: binding.flow is not flow)

    def needs(self, flow: Flow, now: float) -> bool:
        """Whether a phone can be reached through this connection only, so that it must stay open."""
        users = tuple(self._flows.get(flow, ()))
        return any(binding.flow is flow for user in users for binding in self.lookup(user, now))

    def restore(self, user: str, binding: Binding) -> bool:
        """Put a stored binding back after a restart; False: the limits do not allow it."""
        known = self._users.get(user)
        if len(self._users) >= MAX_USERS if known is None else len(known) >= MAX_CONTACTS:
            return False
        self._users.setdefault(user, {})[binding.contact] = binding
        return True

    @property
    def users(self) -> int:
        """How many have bindings."""
        return len(self._users)

    def _keep_if(self, user: str, wanted: Callable[[Binding], bool]) -> None:
        bindings = self._users.get(user)
        if bindings is None or all(map(wanted, bindings.values())):
            return
        self._outlived += [(user, b) for b in bindings.values() if b.kept_until and not wanted(b)]
        self._put(user, {uri: binding for uri, binding in bindings.items() if wanted(binding)})

    def _put(self, user: str, bindings: dict[str, Binding]) -> None:
        if bindings:
            self._users[user] = bindings
            for binding in bindings.values():
                if binding.flow is not None:
                    self._flows.setdefault(binding.flow, set()).add(user)
        else:
            self._users.pop(user, None)


def _bind(
    request: Request, source: Source, contact: NameAddr, known: Binding | None, now: float, seconds: int
) -> Binding:
    """The new state of a binding. What the store says of `known` stays while it reaches far enough."""
    expires_at = now + seconds
    made = Binding(
        contact.uri.text,
        host_port(source.host, source.port),
        source.transport,
        expires_at,
        _quality(contact),
        request.call_id,
        request.cseq[0],
        source.flow if source.flow.reliable else None,
        heard_at=now,
    )
    if source.flow.reliable:
        return made
    same = known is not None and (known.next_hop, known.transport, known.quality) == (
        made.next_hop,
        made.transport,
        made.quality,
    )
    if same and known is not None and known.kept_until >= expires_at:
        return replace(made, kept_until=known.kept_until)
    return replace(made, kept_until=expires_at + min(seconds, MOST_AHEAD))


def _seconds(request: Request, contact: NameAddr) -> int:
    text = contact.params.get("expires") or ""
    if text.isascii() and text.isdigit() and len(text) <= 10:
        return int(text)
    header = request.number("expires")
    return DEFAULT_EXPIRES if header is None else header


def _quality(contact: NameAddr) -> float:
    try:
        value = float(contact.params.get("q") or "1")
    except ValueError:
        return 1.0
    return value if 0.0 <= value <= 1.0 else 1.0
