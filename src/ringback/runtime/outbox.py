"""The outbox: webhooks that are owed, delivered at least once and in order per key (house.md, "One commit").

The accounts have their turns (``sharing/turns.py``): whoever's servers are slow holds up nobody else's webhooks.

A row is written in the transaction of the event that owes it, and removed once its delivery (with the
retries that its URL asks for) has ended. A crash in between repeats it with the same idempotency token.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Protocol

from ringback.kernel.answering import Answering, when_written
from ringback.kernel.clock import Alarm, Clock
from ringback.sharing.turns import Turns
from ringback.store.writes import Unavailable

log = logging.getLogger("ringback.outbox")

AGAIN = 5.0
"""Seconds after which it is tried again what the store could not do: to say who signs, to take a row out."""


class Owed(Protocol):
    """One row of a webhook."""

    @property
    def sid(self) -> str:
        """Sorts by the time at which the row was made."""

    @property
    def what(self) -> Any:
        """The webhook; deliveries of its ``key`` keep their order."""


class Outbox:
    """Performs the rows of the outbox: one at a time per key, ``parallel`` at a time in all, of which one account
    alone never has the last quarter."""

    def __init__(
        self,
        clock: Clock,
        deliver: Callable[[Any], Awaitable[Sequence[Any] | None]],
        done: Callable[[str, Sequence[Any]], Awaitable[None]],
        parallel: int = 1000,
    ) -> None:
        """``deliver(webhook)`` sends it and gives what is to be saved with its end (debugger entries, a last
        repetition); None: it is sent later, and :meth:`finish` called then. It raises only for bugs.
        ``done(sid, records)`` removes the row and saves the records in one transaction."""
        self._clock = clock
        self._deliver = deliver
        self._done = done
        self._lanes: dict[str, deque[Owed]] = {}
        self._ready: Turns[str] = Turns(parallel, reserve=parallel // 4)
        """Keys that have something to be sent, by account."""
        self._running: set[asyncio.Task[None]] = set()
        self._closing = False
        self._late: dict[str, str] = {}
        self._parked: dict[str, tuple[Owed, Alarm]] = {}
        self._answers: dict[str, list[Answering]] = {}
        """SID of a row → answers to be written before it leaves."""
        self.delivered = 0
        self.repeated = 0
        """Final notifications that were sent once more, after they had been given up."""

    @property
    def waiting(self) -> int:
        """Rows not yet done."""
        return sum(len(lane) for lane in self._lanes.values())

    @property
    def parked(self) -> int:
        """Final notifications that were given up and wait to be sent once more."""
        return len(self._parked)

    def add(self, rows: Sequence[Owed], answers: list[Answering] | None = None) -> None:
        """Take rows that have been committed, in the order of their SIDs; those with a time wait for it.

        ``answers``: to be written before they leave."""
        now = self._clock.now()
        if answers:
            self._answers.update((row.sid, answers) for row in rows)
        for row in rows:
            if row.what.not_before > now and row.sid not in self._parked:
                due = partial(self._unpark, row.sid)
                self._parked[row.sid] = row, self._clock.call_at(row.what.not_before, due, pulls=False)
                continue
            self.repeated += row.what.not_before > 0
            lane = self._lanes.get(row.what.key)
            if lane is None:
                self._lanes[row.what.key] = deque([row])
                self._ready.line_up(row.what.account_sid, row.what.key)
            else:
                lane.append(row)
        self._start()

    def send_parked(self) -> int:
        """Send what was given up now, not at its time; gives how many."""
        waiting = list(self._parked)
        for row_sid in waiting:
            self._unpark(row_sid)
        return len(waiting)

    def _unpark(self, row_sid: str) -> None:
        row, alarm = self._parked[row_sid]
        alarm.cancel()
        self.add([row])
        self._parked.pop(row_sid, None)

    async def finish(self, token: str, records: Sequence[Any]) -> None:
        """A webhook that ``deliver`` put off has been sent."""
        row_sid = self._late.pop(token, None)
        if row_sid is not None:
            await self._done(row_sid, records)
            self.delivered += 1

    async def settle(self, seconds: float) -> None:
        """Wait until nothing is owed, at most ``seconds`` (real time); the rest goes out after a restart."""
        try:
            async with asyncio.timeout(seconds):
                while self._running:
                    await asyncio.wait(set(self._running))
        except TimeoutError:
            log.warning("stopping with %d webhooks owed; they are sent after the next start", self.waiting)

    async def close(self) -> None:
        """Stop at once; rows stay."""
        self._closing = True
        for _, alarm in self._parked.values():
            alarm.cancel()
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(set(self._running))

    async def _end(self, row_sid: str, records: Sequence[Any]) -> None:
        """Remove a row: it was sent, so it must not stop the others of its key that this cannot be written now."""
        while True:
            try:
                await self._done(row_sid, records)
            except Unavailable:
                await asyncio.sleep(AGAIN)
            else:
                return

    def _start(self) -> None:
        while not self._closing and (taken := self._ready.take()) is not None:
            account, key = taken
            task = asyncio.get_running_loop().create_task(self._drain(key))
            self._running.add(task)
            task.add_done_callback(partial(self._ended, account))

    def _ended(self, account: str, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._ready.done(account)
        self._start()

    async def _answered(self, answers: list[Answering]) -> None:
        done = asyncio.Event()
        hold = self._clock.hold()
        try:
            when_written(answers, done.set)
            await done.wait()
        finally:
            hold.release()

    async def _drain(self, key: str) -> None:
        """Deliver what one key owes, then leave the slot to the next key.

        Whoever delivers holds the clock while a request is under way, but not while it waits for time to pass.
        """
        lane = self._lanes[key]
        try:
            while lane:
                row = lane[0]
                answers = self._answers.pop(row.sid, None)
                if answers:
                    await self._answered(answers)
                records: Sequence[Any] | None
                try:
                    records = await self._deliver(row.what)
                except Unavailable:  # who signs it cannot be looked up now: it is owed all the same
                    await asyncio.sleep(AGAIN)
                    continue
                except Exception:
                    log.exception("%s: the webhook to be sent could not even be tried; it is dropped", key)
                    records = ()
                if records is None:
                    self._late[row.what.token] = row.sid
                    lane.popleft()
                    continue
                hold = self._clock.hold()
                try:
                    await self._end(row.sid, records)
                finally:
                    hold.release()
                lane.popleft()
                self.delivered += 1
        finally:
            if not lane:
                del self._lanes[key]
