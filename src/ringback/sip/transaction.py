"""Transactions as tables (RFC 3261 section 17 with the corrections of RFC 6026).

A transaction is fed events and answers with things to do; it owns no socket and no clock. Its deadlines
are data: the shell keeps one timer for all of them and calls `expire`.
"""

from enum import StrEnum
from typing import Any, NamedTuple

from ringback.sip.message import Request

T1 = 0.5
T2 = 4.0
T4 = 5.0
MAGIC_COOKIE = "z9hG4bK"


class State(StrEnum):
    """States of RFC 3261 figures 5 to 8 and RFC 6026 figures 3 and 5."""

    CALLING = "calling"
    TRYING = "trying"
    PROCEEDING = "proceeding"
    ACCEPTED = "accepted"
    COMPLETED = "completed"
    CONFIRMED = "confirmed"
    TERMINATED = "terminated"


class Event(StrEnum):
    """What can happen to a transaction; `timer_x` are the expiries."""

    REQUEST = "request"
    ACK = "ack"
    R1XX = "1xx"
    R2XX = "2xx"
    R3XX = "3xx-6xx"
    BROKEN = "broken"
    ABANDON = "abandon"
    A = "timer_a"
    B = "timer_b"
    D = "timer_d"
    E = "timer_e"
    F = "timer_f"
    G = "timer_g"
    H = "timer_h"
    I = "timer_i"  # noqa: E741 - the RFC's name
    J = "timer_j"
    K = "timer_k"
    L = "timer_l"
    M = "timer_m"


class Do(StrEnum):
    """What the shell must do, in order."""

    SEND = "send"
    "Send `last` (the request of a client, the latest response of a server)."
    ACK = "ack"
    "Send the ACK of a non-2xx final response."
    DELIVER = "deliver"
    "Give the message to the transaction user."
    TIMEOUT = "timeout"
    BROKEN = "broken"
    DONE = "done"
    "Forget the transaction."


class Row(NamedTuple):
    """One transition: next state, timers started, timers stopped, things to do."""

    state: State
    start: tuple[Event, ...] = ()
    stop: tuple[Event, ...] = ()
    do: tuple[Do, ...] = ()


Table = dict[tuple[State, Event], Row]
_S, _E = State, Event
_END = Row(_S.TERMINATED, do=(Do.DONE,))
_TIMED_OUT = Row(_S.TERMINATED, do=(Do.TIMEOUT, Do.DONE))
_BROKEN = Row(_S.TERMINATED, do=(Do.BROKEN, Do.DONE))

CLIENT_INVITE: Table = {
    (_S.CALLING, _E.A): Row(_S.CALLING, (_E.A,), (), (Do.SEND,)),
    (_S.CALLING, _E.B): _TIMED_OUT,
    (_S.CALLING, _E.BROKEN): _BROKEN,
    # nobody waits for it any more: it is not repeated, but what still comes is taken until timer B
    (_S.CALLING, _E.ABANDON): Row(_S.CALLING, (), (_E.A,)),
    (_S.CALLING, _E.R1XX): Row(_S.PROCEEDING, (), (_E.A, _E.B), (Do.DELIVER,)),
    (_S.CALLING, _E.R2XX): Row(_S.ACCEPTED, (_E.M,), (_E.A, _E.B), (Do.DELIVER,)),
    (_S.CALLING, _E.R3XX): Row(_S.COMPLETED, (_E.D,), (_E.A, _E.B), (Do.ACK, Do.DELIVER)),
    (_S.PROCEEDING, _E.R1XX): Row(_S.PROCEEDING, do=(Do.DELIVER,)),
    (_S.PROCEEDING, _E.R2XX): Row(_S.ACCEPTED, (_E.M,), (), (Do.DELIVER,)),
    (_S.PROCEEDING, _E.R3XX): Row(_S.COMPLETED, (_E.D,), (), (Do.ACK, Do.DELIVER)),
    (_S.PROCEEDING, _E.BROKEN): _BROKEN,
    (_S.PROCEEDING, _E.ABANDON): _END,
    (_S.ACCEPTED, _E.R2XX): Row(_S.ACCEPTED, do=(Do.DELIVER,)),
    (_S.ACCEPTED, _E.M): _END,
    (_S.COMPLETED, _E.R3XX): Row(_S.COMPLETED, do=(Do.ACK,)),
    (_S.COMPLETED, _E.BROKEN): _BROKEN,
    (_S.COMPLETED, _E.D): _END,
}
CLIENT_OTHER: Table = {
    (_S.TRYING, _E.E): Row(_S.TRYING, (_E.E,), (), (Do.SEND,)),
    (_S.TRYING, _E.F): _TIMED_OUT,
    (_S.TRYING, _E.BROKEN): _BROKEN,
    (_S.TRYING, _E.R1XX): Row(_S.PROCEEDING, do=(Do.DELIVER,)),
    (_S.TRYING, _E.R2XX): Row(_S.COMPLETED, (_E.K,), (_E.E, _E.F), (Do.DELIVER,)),
    (_S.TRYING, _E.R3XX): Row(_S.COMPLETED, (_E.K,), (_E.E, _E.F), (Do.DELIVER,)),
    (_S.PROCEEDING, _E.E): Row(_S.PROCEEDING, (_E.E,), (), (Do.SEND,)),
    (_S.PROCEEDING, _E.F): _TIMED_OUT,
    (_S.PROCEEDING, _E.BROKEN): _BROKEN,
    (_S.PROCEEDING, _E.R1XX): Row(_S.PROCEEDING, do=(Do.DELIVER,)),
    (_S.PROCEEDING, _E.R2XX): Row(_S.COMPLETED, (_E.K,), (_E.E, _E.F), (Do.DELIVER,)),
    (_S.PROCEEDING, _E.R3XX): Row(_S.COMPLETED, (_E.K,), (_E.E, _E.F), (Do.DELIVER,)),
    (_S.COMPLETED, _E.K): _END,
}
SERVER_INVITE: Table = {
    (_S.PROCEEDING, _E.REQUEST): Row(_S.PROCEEDING, do=(Do.SEND,)),
    (_S.PROCEEDING, _E.R1XX): Row(_S.PROCEEDING, do=(Do.SEND,)),
    (_S.PROCEEDING, _E.R2XX): Row(_S.ACCEPTED, (_E.L,), (), (Do.SEND,)),
    (_S.PROCEEDING, _E.R3XX): Row(_S.COMPLETED, (_E.G, _E.H), (), (Do.SEND,)),
    (_S.PROCEEDING, _E.BROKEN): _BROKEN,
    # the transaction user repeats its 2xx itself (RFC 6026 section 7.1)
    (_S.ACCEPTED, _E.REQUEST): Row(_S.ACCEPTED),
    (_S.ACCEPTED, _E.R2XX): Row(_S.ACCEPTED, do=(Do.SEND,)),
    (_S.ACCEPTED, _E.ACK): Row(_S.ACCEPTED, do=(Do.DELIVER,)),
    (_S.ACCEPTED, _E.L): _END,
    (_S.COMPLETED, _E.REQUEST): Row(_S.COMPLETED, do=(Do.SEND,)),
    (_S.COMPLETED, _E.G): Row(_S.COMPLETED, (_E.G,), (), (Do.SEND,)),
    (_S.COMPLETED, _E.ACK): Row(_S.CONFIRMED, (_E.I,), (_E.G, _E.H)),
    (_S.COMPLETED, _E.H): _TIMED_OUT,
    (_S.COMPLETED, _E.BROKEN): _BROKEN,
    (_S.CONFIRMED, _E.REQUEST): Row(_S.CONFIRMED),
    (_S.CONFIRMED, _E.ACK): Row(_S.CONFIRMED),
    (_S.CONFIRMED, _E.I): _END,
}
SERVER_OTHER: Table = {
    (_S.TRYING, _E.REQUEST): Row(_S.TRYING),
    (_S.TRYING, _E.R1XX): Row(_S.PROCEEDING, do=(Do.SEND,)),
    (_S.TRYING, _E.R2XX): Row(_S.COMPLETED, (_E.J,), (), (Do.SEND,)),
    (_S.TRYING, _E.R3XX): Row(_S.COMPLETED, (_E.J,), (), (Do.SEND,)),
    (_S.TRYING, _E.BROKEN): _BROKEN,
    (_S.PROCEEDING, _E.REQUEST): Row(_S.PROCEEDING, do=(Do.SEND,)),
    (_S.PROCEEDING, _E.R1XX): Row(_S.PROCEEDING, do=(Do.SEND,)),
    (_S.PROCEEDING, _E.R2XX): Row(_S.COMPLETED, (_E.J,), (), (Do.SEND,)),
    (_S.PROCEEDING, _E.R3XX): Row(_S.COMPLETED, (_E.J,), (), (Do.SEND,)),
    (_S.PROCEEDING, _E.BROKEN): _BROKEN,
    (_S.COMPLETED, _E.REQUEST): Row(_S.COMPLETED, do=(Do.SEND,)),
    (_S.COMPLETED, _E.J): _END,
}

#: seconds on unreliable and on reliable transports; None: the timer does not run there
DURATIONS: dict[Event, tuple[float, float | None]] = {
    _E.A: (T1, None),
    _E.B: (64 * T1, 64 * T1),
    _E.D: (32.0, 0.0),
    _E.E: (T1, None),
    _E.F: (64 * T1, 64 * T1),
    _E.G: (T1, None),
    _E.H: (64 * T1, 64 * T1),
    _E.I: (T4, 0.0),
    _E.J: (64 * T1, 0.0),
    _E.K: (T4, 0.0),
    _E.L: (64 * T1, 64 * T1),
    _E.M: (64 * T1, 64 * T1),
}
_GROWTH: dict[Event, float] = {_E.A: float("inf"), _E.E: T2, _E.G: T2}
_NOTHING: tuple[Do, ...] = ()


class Transaction:
    """One transaction of any of the four kinds.

    `last` is what a retransmission sends. `user` and `flow` are free slots of the shell.
    """

    __slots__ = (
        "ack",
        "deadlines",
        "flow",
        "interval",
        "key",
        "last",
        "merge",
        "reliable",
        "state",
        "table",
        "user",
    )

    def __init__(self, table: Table, key: object, *, reliable: bool, now: float) -> None:
        self.table = table
        self.key = key
        self.reliable = reliable
        self.last = b""
        self.ack = b""
        self.user: object = None
        self.flow: Any = None
        self.merge: Any = None
        self.interval: dict[Event, float] = {}
        self.deadlines: dict[Event, float] = {}
        if table is CLIENT_INVITE:
            self.state = State.CALLING
            self._start(Event.A, now)
            self._start(Event.B, now)
        elif table is SERVER_INVITE:
            self.state = State.PROCEEDING
        else:
            self.state = State.TRYING
            if table is CLIENT_OTHER:
                self._start(Event.E, now)
                self._start(Event.F, now)

    @property
    def deadline(self) -> float | None:
        """When the earliest timer expires, or None."""
        return min(self.deadlines.values()) if self.deadlines else None

    def fire(self, event: Event, now: float) -> tuple[Do, ...]:
        """Take one event; an event that the state does not know changes nothing (stray packets are normal)."""
        row = self.table.get((self.state, event))
        if row is None:
            return _NOTHING
        for timer in row.stop:
            self.deadlines.pop(timer, None)
        if row.state is State.PROCEEDING and event is Event.R1XX and Event.E in self.deadlines:
            self.interval[Event.E] = T2
        self.state = row.state
        if row.state is State.TERMINATED:
            self.deadlines.clear()
            return row.do
        do = row.do
        for timer in row.start:
            if self._start(timer, now):
                do += self.fire(timer, now)
        return do

    def expire(self, now: float) -> tuple[Do, ...]:
        """Fire every timer that is due."""
        do: tuple[Do, ...] = ()
        for timer in sorted(self.deadlines, key=self.deadlines.__getitem__):
            if self.deadlines.get(timer, now + 1) <= now:
                del self.deadlines[timer]
                do += self.fire(timer, now)
        return do

    def _start(self, timer: Event, now: float) -> bool:
        """Arm a timer; True if it is zero here and must fire at once."""
        unreliable, reliable = DURATIONS[timer]
        if self.reliable:
            if reliable is None:
                return False
            if reliable == 0.0:
                return True
            self.deadlines[timer] = now + reliable
            return False
        seconds = unreliable
        limit = _GROWTH.get(timer)
        if limit is not None:
            seconds = self.interval.get(timer, unreliable)
            self.interval[timer] = min(seconds * 2, limit)
        self.deadlines[timer] = now + seconds
        return False


def response_event(code: int) -> Event:
    """The event of a response of this class."""
    if code < 200:
        return Event.R1XX
    return Event.R2XX if code < 300 else Event.R3XX


def server_key(request: Request) -> tuple[str, ...]:
    """The key that finds the server transaction of a request (RFC 3261 section 17.2.3).

    ACK has the key of its INVITE. CANCEL has its own: see `canceled_key`. A request from an RFC 2543 peer has no
    magic cookie; then the fields named there are compared.
    """
    method = "INVITE" if request.method == "ACK" else request.method
    via = request.via
    if via.branch.startswith(MAGIC_COOKIE) and len(via.branch) > len(MAGIC_COOKIE):
        return via.branch, via.sent_by, method
    number = str(request.cseq[0])
    # the To tag is left out: the ACK carries ours, the INVITE did not
    return request.target, request.from_.tag, request.call_id, number, request.headers.all("via")[0], method


def canceled_key(request: Request) -> tuple[str, ...]:
    """The key of the INVITE that a CANCEL is for (RFC 3261 section 9.2)."""
    return (*server_key(request)[:-1], "INVITE")
