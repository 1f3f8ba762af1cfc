"""The sender: lets queued messages go, one pair of addresses after the other, at the account's rate.

The queue is durable: each message is a row of the outbox until the commit that claims it. The accounts take turns, and
one alone never has the last quarter of the seats. Messages of one pair of addresses never overtake each other: the next
one goes when the carrier has taken, or refused, the one before.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from typing import Any

from ringback.effects.messaging import QueueSend
from ringback.events import Event
from ringback.events.messaging import SendStarted
from ringback.kernel.answering import Answering, when_written
from ringback.kernel.clock import Alarm, Clock
from ringback.sharing.turns import Turns

log = logging.getLogger("ringback.sender")

AT_ONCE = 200
"""Messages that may be on their way to carriers at once."""
Pair = tuple[str, str, str]
"""Account, sender, recipient."""


class Sender:
    """Lines of pairs, turns of accounts, and the rate of each."""

    def __init__(
        self, clock: Clock, ask: Callable[[Event], Awaitable[Any]], per_second: float, at_once: int = AT_ONCE
    ) -> None:
        """``ask`` hands ``SendStarted`` in; its answer says whether the message is sent. ``per_second``: messages of
        one account; 0: no limit."""
        self._clock = clock
        self._ask = ask
        self._rate = per_second
        self._lines: dict[Pair, deque[str]] = {}
        """Messages of each pair, in order; the first may be under way."""
        self._ready: Turns[Pair] = Turns(at_once, reserve=at_once // 4)
        self._of_sender: Counter[str] = Counter()
        self._going: dict[str, Pair] = {}
        """Messages that are under way."""
        self._next: dict[str, float] = {}
        self._resting: dict[str, deque[Pair]] = {}
        """Pairs whose account has to wait for its rate."""
        self._alarm: Alarm | None = None
        self._shut = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._known: set[str] = set()

    def shut(self) -> None:
        """Let nothing go until :meth:`open`: at a restart a message is not sent before its lane has heard whether it
        is still wanted."""
        self._shut = True

    def open(self) -> None:
        """Let messages go (again)."""
        self._shut = False
        self._pump()

    @property
    def waiting(self) -> int:
        """Messages in line."""
        return len(self._known) - len(self._going)

    @property
    def going(self) -> int:
        """Messages that are under way."""
        return len(self._going)

    def waiting_of(self, sender: str) -> int:
        """Messages of one of our addresses that are in line or under way."""
        return self._of_sender[sender]

    def queue(self, effect: QueueSend, answers: list[Answering] | None = None) -> None:
        """Put a message at the end of its pair's line, once ``answers`` are written: what it tells of itself comes
        after the answer to the request that made it."""
        if answers:
            hold = self._clock.hold()

            def go() -> None:
                self.queue(effect)
                hold.release()

            when_written(answers, go)
            return
        if effect.message_sid in self._known:
            return
        self._known.add(effect.message_sid)
        self._of_sender[effect.sender] += 1
        pair = (effect.account_sid, effect.sender, effect.recipient)
        line = self._lines.get(pair)
        if line is not None:
            line.append(effect.message_sid)
            return
        self._lines[pair] = deque([effect.message_sid])
        self._ready.line_up(effect.account_sid, pair)
        self._pump()

    def done(self, message_sid: str) -> None:
        """The carrier has answered, or nobody will: the next of the pair may go."""
        pair = self._going.pop(message_sid, None)
        if pair is None:
            return
        self._known.discard(message_sid)
        self._of_sender[pair[1]] -= 1
        if not self._of_sender[pair[1]]:
            del self._of_sender[pair[1]]
        line = self._lines[pair]
        line.popleft()
        self._ready.done(pair[0])
        if line:
            self._ready.line_up(pair[0], pair)
        else:
            del self._lines[pair]
        self._pump()

    async def close(self) -> None:
        """Let nothing more go; wait for what is being claimed."""
        self._shut = True
        if self._alarm is not None:
            self._alarm.cancel()
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    def _pump(self) -> None:
        while not self._shut and (taken := self._ready.take()) is not None:
            account, pair = taken
            due = self._next.get(account, 0.0) if self._rate > 0 else 0.0
            if due > self._clock.now():
                self._ready.done(account)
                self._resting.setdefault(account, deque()).append(pair)
                self._wake_at(due)
                continue
            if self._rate > 0:
                self._next[account] = max(due, self._clock.now()) + 1.0 / self._rate
            message_sid = self._lines[pair][0]
            self._going[message_sid] = pair
            task = asyncio.get_running_loop().create_task(self._begin(message_sid))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _begin(self, message_sid: str) -> None:
        hold = self._clock.hold()
        try:
            begun = await self._ask(SendStarted(message_sid=message_sid))
        except Exception:
            log.exception("message %s could not be begun", message_sid)
            begun = False
        finally:
            hold.release()
        if not begun:
            self.done(message_sid)

    def _wake_at(self, due: float) -> None:
        if self._alarm is None:
            self._alarm = self._clock.call_at(due, self._wake, pulls=True)

    def _wake(self) -> None:
        self._alarm = None
        resting, self._resting = self._resting, {}
        now, soonest = self._clock.now(), None
        for account, pairs in resting.items():
            due = self._next.get(account, 0.0)
            if due > now:
                self._resting[account] = pairs
                soonest = due if soonest is None else min(soonest, due)
                continue
            self._ready.line_up(account, pairs.popleft())
            if pairs:  # one goes now; the others as the rate allows
                self._resting[account] = pairs
                later = now + 1.0 / self._rate
                soonest = later if soonest is None else min(soonest, later)
        self._pump()
        if soonest is not None:
            self._wake_at(soonest)
