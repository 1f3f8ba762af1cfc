"""The session timer of one call (RFC 4028): refreshes it or gives it up, at the times of `sip/session_timer.py`."""

from collections.abc import Callable

from ringback.edges.sip.stack import Stack
from ringback.sip.message import Response
from ringback.sip.session_timer import SessionTimer
from ringback.sip.timer import Deadline

_SOONEST = 2.0


class SessionWatch:
    """`refresh()` is called when it is our turn, `lost()` when the session ran out without a refresh."""

    def __init__(self, stack: Stack, refresh: Callable[[], None], lost: Callable[[], None]) -> None:
        self._stack = stack
        self._refresh: Callable[[], None] | None = refresh
        self._lost: Callable[[], None] | None = lost
        self._timer: SessionTimer | None = None
        self._next: Deadline | None = None
        self._end: Deadline | None = None

    @property
    def running(self) -> bool:
        """Whether a timer was agreed on."""
        return self._timer is not None

    def header(self) -> list[tuple[str, str]]:
        """Session-Expires for a request of ours that is to keep the agreement (section 7.4)."""
        if self._timer is None:
            return []
        who = "uac" if self._timer.we_refresh else "uas"
        return [("Session-Expires", f"{self._timer.interval};refresher={who}")]

    def run(self, timer: SessionTimer | None) -> None:
        """Begin anew with what a 2xx agreed on; None: no timer any more."""
        self.stop()
        if timer is None or self._refresh is None or self._lost is None:
            return
        self._timer = timer
        if timer.we_refresh:
            self._next = self._stack.after(timer.act_after(), self._refresh)
            self._end = self._stack.after(timer.interval, self._lost)
        else:
            self._end = self._stack.after(timer.act_after(), self._lost)

    def refused(self, response: Response) -> None:
        """Our refresh was refused, but the dialog lives: try again while the session lasts (section 7.4)."""
        timer = self._timer
        if timer is None or not timer.we_refresh or self._refresh is None:
            return
        smallest = response.number("min-se") or 0
        if response.code == 422 and timer.interval < smallest <= 86_400:
            self._timer = timer = SessionTimer(smallest, timer.we_refresh)
        if self._next is not None:
            self._next.cancel()
        self._next = self._stack.after(max(_SOONEST, timer.interval / 8), self._refresh)

    def stop(self) -> None:
        """No timer any more."""
        self._timer = None
        for deadline in (self._next, self._end):
            if deadline is not None:
                deadline.cancel()
        self._next = self._end = None

    def close(self) -> None:
        """The call is over: keep nothing of it, so that it is freed without a collection of garbage."""
        self.stop()
        self._refresh = self._lost = None
