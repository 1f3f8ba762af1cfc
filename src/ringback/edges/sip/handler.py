"""What the product implements and configures: the SipHandler protocol, listeners, TLS files, authorization."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from ringback.sip.message import Request

if TYPE_CHECKING:
    from ringback.edges.sip.call import SipCall
    from ringback.edges.sip.transport import Source

Transport = Literal["udp", "tcp", "tls"]
EndedBy = Literal["remote", "local", "timeout"]
FailedBy = Literal["remote", "local", "timeout", "transport"]


@dataclass(frozen=True, slots=True)
class Listener:
    """Where to listen; port 0 lets the system choose. `advertise` replaces the host in Via and Contact."""

    transport: Transport
    host: str = "127.0.0.1"
    port: int = 0
    advertise: str | None = None


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files of the TLS listener; `ca` is what outbound connections trust (None: the system's)."""

    certificate: str
    key: str
    ca: str | None = None


@dataclass(frozen=True, slots=True)
class Authorization:
    """The application's verdict on an INVITE or REGISTER. `digest` needs `realm` and `password`."""

    verdict: Literal["trusted", "digest", "refused"]
    realm: str = "ringback"
    password: Callable[[str], str | None] = lambda username: None
    code: int = 403


@dataclass(frozen=True, slots=True)
class Refusal:
    """A re-offer that the application does not take."""

    code: int = 488
    reason: str | None = None


class SipHandler(Protocol):
    """The application. Called on the event loop; must not block. Every call ends with one `failed` or one `ended`."""

    def authorize(self, request: Request, source: "Source") -> Authorization:
        """Whether an INVITE or REGISTER from `source` may pass."""

    def incoming(self, call: "SipCall") -> None:
        """A new INVITE passed authorisation."""

    def early(self, call: "SipCall", code: int, sdp: bytes | None) -> None:
        """Outbound: 101 to 199 came."""

    def answered(self, call: "SipCall", sdp: bytes | None) -> None:
        """Outbound: 2xx came; the ACK is sent by the stack."""

    def confirmed(self, call: "SipCall") -> None:
        """Inbound: the ACK for our 2xx came."""

    def failed(self, call: "SipCall", code: int, reason: str, source: FailedBy) -> None:
        """The INVITE ended without an answer, in either direction."""

    def ended(self, call: "SipCall", by: EndedBy, reason: str) -> None:
        """An answered call is over."""

    def reoffer(self, call: "SipCall", sdp: bytes | None) -> bytes | Refusal:
        """The peer offers again (None: wants our offer); returns our SDP."""

    def reanswered(self, call: "SipCall", sdp: bytes | None) -> None:
        """The peer's answer to our re-INVITE, or None if it refused."""

    def info(self, call: "SipCall", content_type: str, body: bytes) -> None:
        """INFO within the call; answered 200 by the stack."""

    def referred(self, call: "SipCall", refer_to: str) -> None:
        """REFER within the call; answered 202 by the stack."""
