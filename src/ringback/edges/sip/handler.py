"""What the product implements: the SipHandler protocol, and the answers that it gives."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

from ringback.edges.sip.transport import Source
from ringback.sip.message import Request

EndedBy = Literal["remote", "local", "timeout"]
FailedBy = Literal["remote", "local", "timeout", "transport"]

Call = TypeVar("Call", contravariant=True)
"""The call as the product sees it: `SipCall`, which knows its handler and so cannot be named here."""


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


class SipHandler(Protocol[Call]):
    """The application. Called on the event loop; must not block. Every call ends with one `failed` or one `ended`."""

    def authorize(self, request: Request, source: Source) -> Authorization:
        """Whether an INVITE or REGISTER from `source` may pass."""

    def incoming(self, call: Call) -> None:
        """A new INVITE passed authorisation."""

    def early(self, call: Call, code: int, sdp: bytes | None) -> None:
        """Outbound: 101 to 199 came."""

    def answered(self, call: Call, sdp: bytes | None) -> None:
        """Outbound: 2xx came; the ACK is sent by the stack."""

    def confirmed(self, call: Call) -> None:
        """Inbound: the ACK for our 2xx came."""

    def failed(self, call: Call, code: int, reason: str, source: FailedBy) -> None:
        """The INVITE ended without an answer, in either direction."""

    def ended(self, call: Call, by: EndedBy, reason: str) -> None:
        """An answered call is over."""

    def reoffer(self, call: Call, sdp: bytes | None) -> bytes | Refusal:
        """The peer offers again (None: wants our offer); returns our SDP."""

    def reanswered(self, call: Call, sdp: bytes | None) -> None:
        """The peer's answer to our re-INVITE, or None if it refused."""

    def info(self, call: Call, content_type: str, body: bytes) -> None:
        """INFO within the call, with a key (`ringback.sip.info`) or empty; answered 200 by the stack."""

    def referred(self, call: Call, refer_to: str) -> None:
        """REFER within the call; answered 202 by the stack."""

    def refer_answered(self, call: Call, code: int) -> None:
        """The final response to a REFER of ours; 408 or 503 when none came."""

    def refer_notified(self, call: Call, code: int) -> None:
        """NOTIFY: how the call goes that our REFER asked for."""
