"""Session timers (RFC 4028): what both ends agree on, and when to act."""

from dataclasses import dataclass
from typing import Literal

from ringback.sip.message import Message, Request

MIN_SE = 90
Refresher = Literal["uac", "uas"]


@dataclass(frozen=True, slots=True)
class SessionTimer:
    """An agreed interval in seconds, and whether this side refreshes."""

    interval: int
    we_refresh: bool

    def act_after(self) -> float:
        """Seconds until we refresh (half), or until we give the peer up (section 10)."""
        if self.we_refresh:
            return self.interval / 2
        return self.interval - min(32.0, self.interval / 3)


def read_session_expires(message: Message) -> tuple[int | None, Refresher | None]:
    """(seconds, refresher) of Session-Expires; (None, None) if absent or unreadable."""
    seconds = message.number("session-expires")
    if seconds is None:
        return None, None
    params = (message.headers.get("session-expires") or "").lower().replace(" ", "")
    if ";refresher=uac" in params:
        return seconds, "uac"
    if ";refresher=uas" in params:
        return seconds, "uas"
    return seconds, None


def too_small(request: Request) -> bool:
    """Whether a request must be refused with 422 and our Min-SE (section 9)."""
    seconds, _ = read_session_expires(request)
    return seconds is not None and seconds < MIN_SE and "timer" in request.headers.tokens("supported")


def agree_as_uas(request: Request) -> tuple[SessionTimer | None, str | None]:
    """Our timer and the Session-Expires of our 2xx (section 9); (None, None) if the peer does not want one."""
    seconds, refresher = read_session_expires(request)
    if seconds is None:
        return None, None
    interval = max(seconds, request.number("min-se") or 0, MIN_SE)
    if "timer" not in request.headers.tokens("supported"):
        return SessionTimer(interval, True), f"{interval};refresher=uas"
    who: Refresher = refresher or "uac"
    return SessionTimer(interval, who == "uas"), f"{interval};refresher={who}"


def agree_as_uac(response: Message) -> SessionTimer | None:
    """Our timer after a 2xx to our INVITE or UPDATE (section 7.2)."""
    seconds, refresher = read_session_expires(response)
    if seconds is None or seconds < 1:
        return None
    return SessionTimer(max(seconds, MIN_SE), refresher != "uas")
