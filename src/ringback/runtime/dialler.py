"""The dialler: lets queued outbound calls go at the account's rate (voice-calls.md §2.2).

The queue is durable: each dial is a row of the outbox until the commit that claims it. Besides the
rate there is one bound for everybody: calls being *set up* at the same time, so that a burst of requests waits here
and not in timeouts further on.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable

from ringback.effects import QueueDial, ReleaseCall
from ringback.events import DialStarted, Event
from ringback.kernel.answering import Answering, when_written
from ringback.kernel.clock import Alarm, Clock

SETTING_UP = 200
"""Calls that may be between DialStarted and their first carrier report at once."""


class Dialler:
    """One FIFO an account, one token bucket an account (a bucket holds one second's calls)."""

    def __init__(self, clock: Clock, post: Callable[[Event], None], calls_per_second: float) -> None:
        self._clock = clock
        self._post = post
        self._rate = calls_per_second
        self._queues: OrderedDict[str, deque[str]] = OrderedDict()
        self._next: dict[str, float] = {}
        self._alarm: Alarm | None = None
        self._starting: set[str] = set()
        self._shut = False

    def shut(self) -> None:
        """Let nothing go until :meth:`open`: at a restart a call is not dialled before its lane has heard whether it is
        still wanted."""
        self._shut = True

    def open(self) -> None:
        """Let calls go (again)."""
        self._shut = False
        self._pump()

    @property
    def waiting(self) -> int:
        """Calls in all queues."""
        return sum(len(queue) for queue in self._queues.values())

    def queue(self, effect: QueueDial, answers: list[Answering] | None = None) -> None:
        """Put a call at the end of its account's queue, when its time has come, and ``answers`` are written: what the
        call tells of itself comes after the answer to the request that made it."""
        if answers:
            hold = self._clock.hold()

            def go() -> None:
                self.queue(effect)
                hold.release()

            when_written(answers, go)
            return
        if effect.not_before > self._clock.now():
            self._clock.call_at(effect.not_before, lambda: self.queue(effect), pulls=False)
            return
        self._queues.setdefault(effect.account_sid, deque()).append(effect.call_sid)
        self._pump()

    def release(self, effect: ReleaseCall) -> None:
        """The call is over."""
        self.started(effect.call_sid)

    def started(self, call_sid: str) -> None:
        """A call's set-up is over (it rings, is answered, failed, was cancelled): room for another."""
        if call_sid in self._starting:
            self._starting.discard(call_sid)
            self._pump()

    def _pump(self) -> None:
        now = self._clock.now()
        earliest: float | None = None
        progress = not self._shut
        while progress and len(self._starting) < SETTING_UP:
            progress = False
            for account, queue in list(self._queues.items()):
                if not queue:
                    del self._queues[account]
                    continue
                due = self._next.get(account, 0.0) if self._rate > 0 else 0.0
                if due > now:
                    earliest = due if earliest is None else min(earliest, due)
                    continue
                if self._rate > 0:
                    self._next[account] = max(due, now) + 1.0 / self._rate
                call_sid = queue.popleft()
                self._starting.add(call_sid)
                self._post(DialStarted(call_sid=call_sid))
                progress = True
                if len(self._starting) >= SETTING_UP:
                    break
        if earliest is not None and self._alarm is None:
            self._alarm = self._clock.call_at(earliest, self._wake, pulls=True)

    def _wake(self) -> None:
        self._alarm = None
        self._pump()
