"""Our 2xx to INVITEs, each repeated until its ACK comes (RFC 3261 section 13.3.1.4)."""

from collections.abc import Callable

from ringback.edges.sip.stack import Stack
from ringback.sip.dialog import Repeats
from ringback.sip.timer import Deadline
from ringback.sip.transaction import Transaction


class Successes:
    """The unacknowledged 2xx of one call, by CSeq; `never()` is called for one that no ACK came for."""

    def __init__(self, stack: Stack, never: Callable[[], None]) -> None:
        self._stack = stack
        self._never: Callable[[], None] | None = never
        self._waiting: dict[int, tuple[Deadline, bool]] = {}

    @property
    def unacked(self) -> bool:
        """Whether an ACK is still to come."""
        return bool(self._waiting)

    @property
    def answer_in_ack(self) -> bool:
        """Whether such an ACK will bring the answer to our offer."""
        return any(offered for _, offered in self._waiting.values())

    def repeat(self, cseq: int, transaction: Transaction, *, offered: bool) -> None:
        """A 2xx went out; `offered`: with our offer."""
        self._wait(cseq, transaction, offered, Repeats(self._stack.clock()))

    def _wait(self, cseq: int, transaction: Transaction, offered: bool, repeats: Repeats) -> None:
        now = self._stack.clock()
        at = repeats.next_at(now)
        if at is None:
            self._waiting.pop(cseq, None)
            if self._never is not None:
                self._never()
            return

        def again() -> None:
            self._stack.repeat_success(transaction)
            self._wait(cseq, transaction, offered, repeats)

        self._waiting[cseq] = (self._stack.after(at - now, again), offered)

    def acked(self, cseq: int) -> bool | None:
        """An ACK came: None if it is none of ours or came before, else whether it brings an answer."""
        waiting = self._waiting.pop(cseq, None)
        if waiting is None:
            return None
        waiting[0].cancel()
        return waiting[1]

    def clear(self) -> None:
        """The call is over: repeat none any more, and keep nothing of it (see `SessionWatch.close`)."""
        for deadline, _ in self._waiting.values():
            deadline.cancel()
        self._waiting.clear()
        self._never = None
