"""What is kept for a while only: what is too old, or too much, is removed in small pieces: nobody waits for it.

It looks at every start and then again and again, so a clock that a restart forgets does not matter. A piece is one
short transaction that shares its commit with whatever else is written; between two pieces others have their turn.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ringback.effects import Delete
from ringback.kernel.clock import Alarm, Clock
from ringback.kernel.resource import Record
from ringback.resources.api.account import Account
from ringback.store import Condition, Query, Store, Unavailable

log = logging.getLogger("ringback.retention")

DAY: Final = 86_400.0
EVERY: Final = 3600.0
"""Seconds between two looks at the ledger of requests, which grows fastest."""
SELDOM: Final = 6
"""Every so many looks are at everything."""
SLICE: Final = 100
"""Rows of one transaction."""
LARGEST: Final = 4_000
"""Bytes of a packed entry of the ledger, hardly ever exceeded: with fewer entries its size need not be looked at."""
PAUSE: Final = 0.02
"""Seconds between two pieces (real time): a day's calls of a busy installation go within minutes."""
MESSAGE_DAYS: Final = 30.0
"""Messages that broke their lane are kept that long for people to look at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How long the records of a noun are kept."""

    record: type[Record]
    days: float
    """Since they were made; 0: for ever."""
    since: str = "date_created"
    """The column from which its days count, when that is a later one (Unix seconds)."""
    over: Callable[[Any], bool] = lambda record: True
    """Whether a record is over; others stay."""
    most: int = 0
    """Records that one account may have; older ones go, whatever their age. 0: no limit."""
    size: str = ""
    """The column with the bytes of what belongs to a record …"""
    most_bytes: int = 0
    """… of which one account may have so many; the oldest go. 0: no limit."""
    remove: Callable[[Any], Awaitable[None]] | None = None
    """How one is removed that is more than its row; raises what it cannot help."""


@dataclass(slots=True)
class Removed:
    """What has been removed since the start."""

    rows: dict[str, int] = field(default_factory=dict)
    """By table."""
    longest: float = 0.0
    """Seconds that the longest piece took from its begin to its commit."""


class Retention:
    """See the module."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        sid_at: Callable[[str, float], str],
        rules: Sequence[Rule],
        *,
        ledger_days: float = 30.0,
        ledger_bytes: int = 0,
        every: Sequence[Callable[[], Awaitable[None]]] = (),
    ) -> None:
        """``sid_at(prefix, time)`` gives the first SID of a moment. Of the ledger of requests what is older than
        ``ledger_days``, and the oldest above ``ledger_bytes`` (0: no limit), goes. ``every``: what else is to be done
        at each look."""
        self._store, self._clock, self._sid_at, self._rules = store, clock, sid_at, tuple(rules)
        self._ledger_days, self._ledger_bytes, self._every = ledger_days, ledger_bytes, tuple(every)
        self._alarm: Alarm | None = None
        self._task: asyncio.Task[None] | None = None
        self._looks = 0
        self.done = Removed()

    @property
    def removed(self) -> int:
        """Rows removed so far."""
        return sum(self.done.rows.values())

    def start(self) -> None:
        """Look at everything now, then every sixth hour, and at the ledger every hour."""
        self._alarm = None
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._look())
        self._alarm = self._clock.call_at(self._clock.now() + EVERY, self.start, pulls=False)

    async def close(self) -> None:
        """Stop; a look under way is given up between two pieces."""
        if self._alarm is not None:
            self._alarm.cancel()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def figures(self) -> dict[str, float]:
        """For ``/metrics``."""
        return {
            "retention_removed_total": float(self.removed),
            "retention_longest_seconds": self.done.longest,
        }

    async def _look(self) -> None:
        hold = self._clock.hold()
        try:
            await self.look(everything=self._looks % SELDOM == 0)
            self._looks += 1
        except Unavailable as trouble:
            log.info("nothing is removed now: %s", trouble)
        except Exception:
            log.exception("what is too old could not be removed; the next look comes in %.0f s", EVERY)
        finally:
            hold.release()

    async def look(self, *, everything: bool = True) -> None:
        """Remove everything that is too old or too much now; or of the ledger alone."""
        before = self.removed
        await self._ledger(everything)
        if everything:
            for rule in self._rules:
                await self._too_old(rule)
                if rule.most or rule.most_bytes:
                    await self._too_much(rule)
            await self._store.pruning.forget_messages(
                self._sid_at("MG", self._clock.now() - MESSAGE_DAYS * DAY)
            )
            for each in self._every:
                await each()
        if self.removed > before:
            log.info("%d rows were removed: too old, or too much", self.removed - before)
            await self._shrink()

    async def _too_old(self, rule: Rule) -> None:
        """From the oldest on, in the order of the primary key: no index on anything else would find them sooner."""
        if rule.days <= 0:
            return
        before = self._clock.now() - rule.days * DAY
        bound = self._sid_at(rule.record.__noun__.prefix, before)
        after = ""
        while True:
            page = await self._store.page(rule.record, Query(limit=SLICE, after=after, ascending=True))
            old = [record for record in page.records if record.sid < bound]
            over = [record for record in old if getattr(record, rule.since) < before and rule.over(record)]
            await self._remove(rule, over)
            if len(old) < SLICE:
                return
            after = old[-1].sid

    async def _too_much(self, rule: Rule) -> None:
        after = ""
        while True:
            accounts = await self._store.sids(Account, Query(limit=SLICE, after=after))
            for sid in accounts:
                await self._too_many(rule, sid)
            if len(accounts) < SLICE:
                return
            after = accounts[-1]

    async def _too_many(self, rule: Rule, account_sid: str) -> None:
        """The oldest of one account go until the rest is within its limits."""
        over = (
            max(0, await self._store.count(rule.record, account_sid=account_sid) - rule.most)
            if rule.most
            else 0
        )
        left = await self._bytes(rule, account_sid) - rule.most_bytes if rule.most_bytes else 0
        own = [Condition("account_sid", "=", account_sid)]
        after = ""
        while over > 0 or left > 0:
            query = Query(conditions=own, limit=SLICE, after=after, ascending=True)
            page = await self._store.page(rule.record, query)
            going = []
            for record in filter(rule.over, page.records):
                if over <= 0 and left <= 0:
                    break
                over, left = over - 1, left - (getattr(record, rule.size) if rule.size else 0)
                going.append(record)
            await self._remove(rule, going)
            if len(page.records) < SLICE:
                return
            after = page.records[-1].sid

    async def _bytes(self, rule: Rule, account_sid: str) -> int:
        return await self._store.total(rule.record, account_sid, rule.size)

    async def _remove(self, rule: Rule, records: Sequence[Any]) -> None:
        clock = asyncio.get_running_loop().time
        if not records:
            return
        began = clock()
        if rule.remove is None:
            await self._store.commit([Delete(each) for each in records])
        else:
            for each in records:
                await rule.remove(each)
        self._note(rule.record.__noun__.table, len(records), clock() - began)
        await asyncio.sleep(PAUSE)

    def _note(self, table: str, rows: int, seconds: float) -> None:
        self.done.rows[table] = self.done.rows.get(table, 0) + rows
        self.done.longest = max(self.done.longest, seconds)

    async def _ledger(self, everything: bool) -> None:
        pruning = self._store.pruning
        if not everything and await pruning.entries() * LARGEST <= (self._ledger_bytes or math.inf):
            return
        entries, size = await pruning.ledger()
        over = 0
        if self._ledger_bytes and size > self._ledger_bytes:
            over = math.ceil(entries * (1 - self._ledger_bytes / size))
        before = self._clock.now() - self._ledger_days * DAY if self._ledger_days > 0 else -math.inf
        clock = asyncio.get_running_loop().time
        while entries:
            began = clock()
            gone = await pruning.forget_requests(before, over, 5 * SLICE)
            if not gone:
                return
            over -= gone
            self._note("http_events", gone, clock() - began)
            await asyncio.sleep(PAUSE)

    async def _shrink(self) -> None:
        """Give free pages back until a tenth of the file is free: some are used again at once."""
        pruning = self._store.pruning
        free = await pruning.free_bytes()
        while free > max(4_000_000, await pruning.bytes() // 10):
            await pruning.give_back()
            left = await pruning.free_bytes()
            if left >= free:
                return  # a file of before that cannot shrink: its pages are used again
            free = left
            await asyncio.sleep(PAUSE)
