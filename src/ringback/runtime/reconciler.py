"""The reconciler: looks, again and again, for calls that would never end, and ends them (call-outcomes.md §1).

It works in small slices and hands every doubtful call to the runtime as an event of that call's own lane, where it is
looked at once more: what was reported meanwhile wins, and live calls wait for a slice at most.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from msgspec import structs

from ringback.events import Event
from ringback.events.outcomes import CallDoubted, Finding, Repair, TrunkRecordFound
from ringback.kernel.clock import Alarm, Clock
from ringback.resources.api.call import Call
from ringback.store import Condition, Query, Store, Unavailable

log = logging.getLogger("ringback.reconcile")

LIVE = ("queued", "initiated", "ringing", "in-progress")
SLICE = 25
"""Calls that are looked at before others have their turn."""
PAGE = 10_000
"""SIDs that are read at once."""
LINES = 1000
"""Repairs that a report tells one by one; the rest is counted."""
PRESUMED = 15000
"""Error code of calls whose end could only be presumed: a trunk's record may correct them."""
PRESUMED_MOST = 200_000
"""Such calls that are searched for the Call-ID of a caller."""


class Carriers(Protocol):
    """What the exchange tells of legs."""

    def sids(self) -> Sequence[str]:
        """Calls that have a leg."""

    def knows(self, call_sid: str) -> bool:
        """Whether a carrier still has it."""

    def probe(self, call_sid: str) -> bool:
        """Have the far end asked; an ending follows as an event."""


class Examine(Protocol):
    """The rules (``outcomes/reconcile.py``), with their limits."""

    def __call__(self, call: Call, *, session: str | None, leg: bool, now: float) -> Finding | None:
        """What is wrong with a stored call; None: nothing."""


@dataclass(slots=True)
class Report:
    """What one round found and did."""

    started_at: float
    seconds: float = 0.0
    checked: int = 0
    """Calls that were not over, or rows of a trunk's file."""
    probed: int = 0
    """Far ends that were asked whether their call still exists."""
    resent: int = 0
    """Final callbacks that nobody had taken, on their way once more."""
    unknown: int = 0
    """Rows of a trunk's file that are about no call that could be corrected."""
    bad: int = 0
    """Rows that could not be read, and repairs that failed (see the log)."""
    counts: Counter[str] = field(default_factory=Counter)
    """Repairs by what was wrong."""
    lines: list[Repair] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def note(self, repair: Repair | None) -> None:
        """Count one repair."""
        if repair is not None:
            self.counts[repair.finding] += 1
            if len(self.lines) < LINES:
                self.lines.append(repair)

    def complain(self, text: str) -> None:
        """Count something that could not be read or done."""
        self.bad += 1
        if len(self.complaints) < 100:
            self.complaints.append(text)

    @property
    def repaired(self) -> int:
        """All repairs."""
        return self.counts.total()

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            **{name: getattr(self, name) for name in ("started_at", "seconds", "checked", "probed", "resent")},
            "unknown": self.unknown, "bad": self.bad, "repaired": self.repaired, "counts": dict(self.counts),
            "repairs": [structs.asdict(line) for line in self.lines], "left_out": self.repaired - len(self.lines),
            "complaints": list(self.complaints),
        }  # fmt: skip


class Reconciler:
    """See the module. One round at a time."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        ask: Callable[[Event], Awaitable[Any]],
        examine: Examine,
        session: Callable[[str], str | None],
        carriers: Carriers,
        hang_up: Callable[[str], None],
        resend: Callable[[], int],
        every: float = 60.0,
        grace: float = 30.0,
        probe_after: float = 300.0,
        trouble: Callable[[], str] = lambda: "",
    ) -> None:
        """``session(sid)``: status of a live call; ``hang_up(sid)`` ends a leg that no call owns; ``resend()``
        sends the final callbacks that were given up and gives their number. ``trouble()``: why the database cannot be
        written now. Seconds: ``every`` round (0: only
        on demand), ``grace`` as in the rules, ``probe_after`` without news of an answered call (0: never)."""
        self._store = store
        self._clock = clock
        self._ask = ask
        self._examine = examine
        self._session = session
        self._carriers = carriers
        self._hang_up = hang_up
        self._resend = resend
        self._trouble = trouble
        self._every, self._grace, self._probe_after = every, grace, probe_after
        self._alarm: Alarm | None = None
        self._task: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        self._orphans: dict[str, float] = {}
        self._probed: dict[str, float] = {}
        self._totals: Counter[str] = Counter()
        self.last: Report | None = None
        """The last round's report."""

    # --- the periodic job -----------------------------------------------------------------------------

    def start(self) -> None:
        """Begin with the rounds."""
        if self._every > 0:
            self._alarm = self._clock.call_at(self._clock.now() + self._every, self._fire, pulls=False)

    async def stop(self) -> None:
        """No further round; one that runs is abandoned (every repair is a transaction of its own)."""
        if self._alarm is not None:
            self._alarm.cancel()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    def _fire(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._periodic())

    async def _periodic(self) -> None:
        try:
            if not self._trouble():  # nothing could be repaired: the next round comes soon enough
                await self.run(resend=False)
        except Unavailable as trouble:
            log.info("a round of the reconciler was broken off: %s", trouble)
        except Exception:
            self._totals["failed"] += 1
            log.exception("a round of the reconciler failed; the next one comes in %g s", self._every)
        self.start()

    # --- a round --------------------------------------------------------------------------------------

    async def run(self, since: float = 0.0, *, resend: bool = True) -> Report:
        """Look at every call that is not over and was created at ``since`` (Unix seconds) or later.

        ``resend``: final callbacks that were given up are not left to their time.
        """
        async with self._turn:
            hold = self._clock.hold()
            try:
                report = Report(self._clock.now())
                clock = asyncio.get_running_loop().time
                began = clock()
                await self._calls(report, since)
                self._legs(report)
                if resend:
                    report.resent = self._resend()
                report.seconds = clock() - began
            finally:
                hold.release()
            return self._told(report)

    def _told(self, report: Report) -> Report:
        self.last = report
        self._totals["rounds"] += 1
        self._totals["checked"] += report.checked
        self._totals["probed"] += report.probed
        self._totals["failed"] += report.bad
        self._totals.update({f"repaired_{name}": number for name, number in report.counts.items()})
        if report.repaired:
            log.warning("reconciled %d calls: %s", report.repaired, dict(report.counts))
        return report

    async def _calls(self, report: Report, since: float) -> None:
        conditions = [Condition("status", "in", LIVE)]
        if since:
            conditions.append(Condition("date_created", ">=", since))
        probed: dict[str, float] = {}
        after = ""
        while sids := await self._store.sids(Call, Query(conditions=conditions, limit=PAGE, after=after)):
            for start in range(0, len(sids), SLICE):
                await self._slice(sids[start : start + SLICE], probed, report)
                await asyncio.sleep(0)
            after = sids[-1]
        if not since:
            self._probed = probed

    async def _slice(self, sids: Sequence[str], probed: dict[str, float], report: Report) -> None:
        doubtful = []
        for sid in sids:
            # Who has no session is looked at in its own lane only; the others are read here.
            call = await self._store.get(Call, sid) if self._session(sid) is not None else None
            if call is None or self._finding(call) is not None:
                doubtful.append(CallDoubted(call_sid=sid))
            elif call.status == "in-progress":
                self._ask_far_end(call, probed, report)
        report.checked += len(sids)
        await self._all(doubtful, report)

    async def _all(self, events: Sequence[Event], report: Report) -> None:
        answers = await asyncio.gather(*map(self._ask, events), return_exceptions=True)
        for event, answer in zip(events, answers, strict=True):
            if isinstance(answer, BaseException):
                log.error("%s: could not be reconciled: %r", event.lane, answer)
                report.complain(f"{event.lane}: {answer!r}")
            else:
                report.note(answer)

    def _finding(self, call: Call) -> Finding | None:
        return self._examine(
            call,
            session=self._session(call.sid),
            leg=self._carriers.knows(call.sid),
            now=self._clock.now(),
        )

    def _ask_far_end(self, call: Call, probed: dict[str, float], report: Report) -> None:
        now = self._clock.now()
        last = max(self._probed.get(call.sid, 0.0), call.date_updated)
        if self._probe_after and now - last >= self._probe_after:
            report.probed += self._carriers.probe(call.sid)
            last = now
        probed[call.sid] = last

    def _legs(self, report: Report) -> None:
        """Legs that no session owns, and have not for a while."""
        now = self._clock.now()
        seen = {
            sid: self._orphans.get(sid, now) for sid in self._carriers.sids() if self._session(sid) is None
        }
        for sid in [sid for sid, since in seen.items() if now - since >= max(self._grace, 1.0)]:
            del seen[sid]
            self._hang_up(sid)
            report.note(Repair(sid, "orphan", "", "a leg that no call owned was hung up"))
        self._orphans = seen

    # --- what the events need in their lanes -------------------------------------------------------------

    async def prepare(self, event: CallDoubted) -> Event:
        """The call as it is now, and what is wrong with it now."""
        call = await self._store.get(Call, event.call_sid)
        return structs.replace(event, call=call, finding=None if call is None else self._finding(call))

    async def prepare_record(self, event: TrunkRecordFound) -> Event:
        """The call as it is now."""
        return structs.replace(event, call=await self._store.get(Call, event.call_sid))

    # --- trunk records --------------------------------------------------------------------------------

    async def records(self, rows: Iterable[Any]) -> Report:
        """Import a trunk's records (``outcomes/cdr.py``: entries, and complaints with ``line`` and ``why``).

        Raises whatever ``rows`` raises; what was read before holds.
        """
        async with self._turn:
            report = Report(self._clock.now())
            clock = asyncio.get_running_loop().time
            began = clock()
            foreign: dict[str, str] | None = None
            events: list[Event] = []
            for row in rows:
                report.checked += 1
                if not hasattr(row, "call_id"):
                    report.complain(f"line {row.line}: {row.why}")
                    continue
                sid = row.call_sid
                if sid is None:
                    foreign = await self._presumed() if foreign is None else foreign
                    sid = foreign.get(row.call_id)
                if sid is None:
                    report.unknown += 1
                    continue
                events.append(
                    TrunkRecordFound(
                        call_sid=sid, started_at=row.start, ended_at=row.end, sip_code=row.sip_code
                    )
                )
                if len(events) == SLICE:
                    await self._records(events, report)
                    events = []
            await self._records(events, report)
            report.seconds = clock() - began
            return self._told(report)

    async def _records(self, events: Sequence[Event], report: Report) -> None:
        before, bad = report.repaired, report.bad
        await self._all(events, report)
        report.unknown += len(events) - (report.repaired - before) - (report.bad - bad)
        await asyncio.sleep(0)

    async def _presumed(self) -> dict[str, str]:
        """Call-ID of the caller → SID, for the calls whose end is only presumed."""
        found: dict[str, str] = {}
        after = ""
        while len(found) < PRESUMED_MOST:
            query = Query(conditions=[Condition("error_code", "=", PRESUMED)], limit=200, after=after)
            page = await self._store.page(Call, query)
            for call in page.records:
                for name, value in call.plan.get("extra") or ():
                    if name == "SipCallId":
                        found[value] = call.sid
            if not page.more_after:
                break
            after = page.records[-1].sid
        return found

    def figures(self) -> dict[str, float]:
        """Numbers for ``/metrics``."""
        found = {f"reconcile_{name}_total": float(number) for name, number in self._totals.items()}
        for name in ("rounds", "checked", "probed", "failed"):
            found.setdefault(f"reconcile_{name}_total", 0.0)
        found["reconcile_last_seconds"] = self.last.seconds if self.last is not None else 0.0
        return found
