"""Dialogs (RFC 3261 section 12): identity, route set, CSeq order and in-dialog requests."""

from dataclasses import dataclass, field
from enum import StrEnum

from ringback.sip.message import Headers, MalformedMessage, Request, Response
from ringback.sip.transaction import T1, T2
from ringback.sip.uri import BadAddress, NameAddr, Uri, parse_name_addr, split_outside_quotes


class DialogState(StrEnum):
    """EARLY after a tagged 1xx, CONFIRMED after 2xx, TERMINATED after BYE or a final refusal."""

    EARLY = "early"
    CONFIRMED = "confirmed"
    TERMINATED = "terminated"


@dataclass(slots=True)
class Dialog:
    """One side's view of a dialog. Header texts are kept as sent, so that they are repeated exactly."""

    call_id: str
    local: str
    "From of our requests, with our tag."
    remote: str
    "To of our requests, with the peer's tag."
    local_tag: str
    remote_tag: str
    target: Uri
    "Remote target: the Request-URI of our requests."
    routes: list[str] = field(default_factory=list)
    local_cseq: int = 0
    remote_cseq: int = -1
    state: DialogState = DialogState.EARLY

    @classmethod
    def from_request(cls, request: Request, local_tag: str) -> "Dialog":
        """The UAS's dialog (section 12.1.1). Raises MalformedMessage."""
        to = request.headers.get("to") or ""
        target = request.contact.uri if request.contact else request.from_.uri
        return cls(
            request.call_id,
            to if request.to.tag else f"{to};tag={local_tag}",
            request.headers.get("from") or "",
            local_tag,
            request.from_.tag,
            target,
            _values(request.headers, "record-route"),
            remote_cseq=request.cseq[0],
        )

    @classmethod
    def from_response(cls, request: Request, response: Response) -> "Dialog":
        """The UAC's dialog (section 12.1.2); the route set is reversed."""
        try:
            contact = response.contact
        except MalformedMessage:
            contact = None  # the call is up all the same: what goes to the address that was called reaches it
        try:
            routes = _values(response.headers, "record-route")[::-1]
        except MalformedMessage:
            routes = []
        return cls(
            response.call_id,
            request.headers.get("from") or "",
            response.headers.get("to") or "",
            request.from_.tag,
            response.to.tag,
            contact.uri if contact else request.uri,
            routes,
            local_cseq=request.cseq[0],
        )

    def request(self, method: str, *, cseq: int | None = None) -> Request:
        """An in-dialog request without Via, Contact and Max-Forwards (section 12.2.1.1).

        `cseq` is given for ACK (the INVITE's) only; else the local number goes up by one.
        """
        if cseq is None:
            self.local_cseq += 1
            cseq = self.local_cseq
        target = self.target.without_headers()
        routes = list(self.routes)
        if routes and (strict := _strict(routes[0])):
            # a strict router (section 12.2.1.1): it becomes the Request-URI, the target the last route
            routes, target = [*routes[1:], f"<{target}>"], strict
        headers = Headers()
        if routes:
            headers.set_all("Route", routes)
        headers.set("From", self.local)
        headers.set("To", self.remote)
        headers.set("Call-ID", self.call_id)
        headers.set("CSeq", f"{cseq} {method}")
        return Request(method, target, headers)

    def accepts(self, request: Request) -> bool:
        """Whether an in-dialog request is in order (section 12.2.2); its number is remembered. Not for ACK."""
        number = request.cseq[0]
        if number <= self.remote_cseq:
            return False
        self.remote_cseq = number
        return True

    def refresh_target(self, contact: NameAddr | None) -> None:
        """A target refresh request or response carried a new Contact."""
        if contact is not None:
            self.target = contact.uri


def _strict(route: str) -> str:
    """The URI of a route without the parameter `lr`; empty for a loose one, and for one that cannot be read."""
    try:
        found = parse_name_addr(route)
    except BadAddress:
        return ""
    # some write the URI without angle brackets, and so its parameter as one of the header
    return "" if "lr" in found.uri.params or "lr" in found.params else found.uri.without_headers()


def _values(headers: Headers, name: str) -> list[str]:
    try:
        return [
            part.strip()
            for value in headers.all(name)
            for part in split_outside_quotes(value, ",")
            if part.strip()
        ]
    except BadAddress as error:
        raise MalformedMessage(name) from error


@dataclass(slots=True)
class Repeats:
    """When a 2xx (section 13.3.1.4) or a reliable 1xx (RFC 3262 section 3) is sent again, and when to give up.

    `cap` is T2 for a 2xx and unlimited for a reliable 1xx. Seconds.
    """

    started: float
    interval: float = T1
    cap: float = T2

    def next_at(self, now: float) -> float | None:
        """The next deadline after `now`, or None when 64*T1 have passed."""
        if now >= self.started + 64 * T1 - 1e-6:
            return None
        at = min(now + self.interval, self.started + 64 * T1)
        self.interval = min(self.interval * 2, self.cap)
        return at
