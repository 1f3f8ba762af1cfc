"""The registrar for phones (RFC 3261 section 10.3): in memory, bounded, expiry by the time passed in."""

from collections.abc import Callable
from dataclasses import dataclass

from ringback.edges.sip.transport import Flow, Source
from ringback.sip.message import MalformedMessage, Request
from ringback.sip.uri import NameAddr, host_port

MAX_CONTACTS = 10
MAX_USERS = 100_000
MIN_EXPIRES = 60
MAX_EXPIRES = 3600
DEFAULT_EXPIRES = 300


@dataclass(frozen=True, slots=True)
class Binding:
    """One contact of a phone. `next_hop` is the host:port it was really heard from; `expires_at` on our clock."""

    contact: str
    next_hop: str
    transport: str
    expires_at: float
    quality: float
    call_id: str
    cseq: int
    flow: Flow | None = None


class Registrar:
    """Bindings by user. `on_change(user, bindings)` is called after each change, so that they can be stored."""

    def __init__(self, on_change: Callable[[str, list[Binding]], None] | None = None) -> None:
        self._on_change = on_change
        self._users: dict[str, dict[str, Binding]] = {}
        self._now = 0.0

    def register(self, request: Request, source: Source, now: float) -> tuple[int, list[tuple[str, str]]]:
        """Apply an authorised REGISTER; the code and headers of the response."""
        self._now = now
        user = request.to.uri.user
        if not user:
            return 404, []
        raw = [value.strip() for value in request.headers.all("contact")]
        try:
            contacts = request.addresses("contact")
        except MalformedMessage:
            return 400, []
        current = {binding.contact: binding for binding in self.lookup(user, now)}
        changed = dict(current)
        if "*" in raw:
            if len(raw) > 1 or request.number("expires") != 0:
                return 400, []
            changed.clear()
        for contact in contacts:
            seconds = _seconds(request, contact)
            if 0 < seconds < MIN_EXPIRES:
                return 423, [("Min-Expires", str(MIN_EXPIRES))]
            uri = contact.uri.text
            known = changed.get(uri)
            if known and known.call_id == request.call_id and request.cseq[0] <= known.cseq:
                return 500, []
            if seconds == 0:
                changed.pop(uri, None)
                continue
            changed[uri] = Binding(
                uri,
                host_port(source.host, source.port),
                source.transport,
                now + min(seconds, MAX_EXPIRES),
                _quality(contact),
                request.call_id,
                request.cseq[0],
                source.flow if source.flow.reliable else None,
            )
        if len(changed) > MAX_CONTACTS or (user not in self._users and len(self._users) >= MAX_USERS):
            return 403, []
        if changed != current:
            if changed:
                self._users[user] = changed
            else:
                self._users.pop(user, None)
            if self._on_change is not None:
                self._on_change(user, list(changed.values()))
        return 200, [
            ("Contact", f"<{b.contact}>;expires={max(1, round(b.expires_at - now))}")
            for b in changed.values()
        ]

    def lookup(self, user: str, now: float | None = None) -> list[Binding]:
        """The live bindings of a user, best first. `now` defaults to the newest time this registrar has seen."""
        self._now = now if now is not None else self._now
        bindings = self._users.get(user)
        if not bindings:
            return []
        live = {uri: binding for uri, binding in bindings.items() if binding.expires_at > self._now}
        if len(live) != len(bindings):
            if live:
                self._users[user] = live
            else:
                del self._users[user]
        return sorted(live.values(), key=lambda binding: (-binding.quality, -binding.expires_at))

    def restore(self, user: str, bindings: list[Binding]) -> None:
        """Put stored bindings back after a restart."""
        self._users[user] = {binding.contact: binding for binding in bindings[:MAX_CONTACTS]}


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
