"""The first INVITE of an inbound call, read for the application."""

from __future__ import annotations

from dataclasses import dataclass, field

from ringback.edges.sip.transport import Source
from ringback.sip.forwarding import forwarded_by
from ringback.sip.message import Request
from ringback.sip.privacy import asserted, wants_privacy
from ringback.sip.way import MAX_FORWARDS


@dataclass(frozen=True, slots=True)
class CallRequest:
    """The first INVITE, read for the application."""

    uri: str
    from_user: str
    from_host: str
    from_display: str
    to_user: str
    to_host: str
    "User and host of the Request-URI: what was dialled."
    source: tuple[str, int]
    "The address the INVITE really came from."
    transport: str
    headers: list[tuple[str, str]]
    x_headers: dict[str, str] = field(default_factory=dict)
    username: str = ""
    "The authenticated digest user, or empty."
    forwarded_from: tuple[str, str] | None = None
    "User and host of who has forwarded the call."
    private: bool = False
    "The caller asks that their address is not shown."
    asserted: tuple[str, str] | None = None
    "User and host of the caller by the word of a network; a phone that has proved its name cannot assert one."
    forwards: int = MAX_FORWARDS
    "Max-Forwards: how many more hops the call may take."

    @classmethod
    def read(cls, request: Request, source: Source, username: str = "") -> CallRequest:
        """From a parsed INVITE. Raises MalformedMessage."""
        from_, uri = request.from_, request.uri
        headers = request.headers.items()
        forwarder = forwarded_by(request)
        forwards = request.number("max-forwards")
        known = None if username else asserted(request)
        return cls(
            request.target,
            from_.uri.user,
            from_.uri.bare_host,
            from_.display,
            uri.user,
            uri.bare_host,
            (source.host, source.port),
            source.transport,
            headers,
            {name: value for name, value in headers if name[:2] in ("X-", "x-")},
            username,
            (forwarder.user, forwarder.bare_host) if forwarder is not None else None,
            wants_privacy(request),
            (known.user, known.bare_host) if known is not None else None,
            MAX_FORWARDS if forwards is None else min(forwards, MAX_FORWARDS),
        )
