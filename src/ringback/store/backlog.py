"""What was handed in to be written and has not been answered yet; it is kept while the database cannot be written.

A full disk, a locked file, a server that is away: none of them is a reason to forget anything. Writes wait in their
order and are tried again until they take place. Who waits for one chooses: to wait as long as it takes; to go on and
be told later (``told``: calls, which must not stand still); or to hear :class:`Unavailable` (``hurried``: requests,
whose caller can come again). Memory is bounded: above ``KEPT_BYTES`` nothing more is taken.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from ringback.store.writes import Unavailable

log = logging.getLogger("ringback.store")

SLOW: Final = 1.4
"""Seconds without an answer after which the database counts as away; with a probe each ``QUIET`` s, ``/ready`` knows
within 2 s."""
QUIET: Final = 0.3
"""Seconds without a write after which one that writes nothing asks whether it could be done."""
TICK: Final = 0.2
"""Seconds between two looks at the watch."""
HURRY: Final = 3.0
"""Seconds of trouble that a request sits out before it is told to come again: a restart of the database is shorter."""
ATTEMPT: Final = 2.0
"""Seconds more that it waits for the end of a try: better a clear answer than a doubtful one."""
KEPT_BYTES: Final = 256 * 1024 * 1024
"""Of writes that wait, roughly: hours of the records of a busy installation."""
SAY_AGAIN: Final = 60.0
"""Seconds between two lines of the log about the same trouble."""

DOUBT: Final = "whether it was carried out is not known yet: look before you repeat it"


@dataclass(slots=True, eq=False)
class Job:
    """One all-or-nothing write."""

    statements: Any
    """As its engine sends it."""
    future: asyncio.Future[bool] | None
    """Told True: it is on disk; False: it is kept, ``told`` hears the end. None: nobody waits."""
    told: Callable[[Exception | None], None] | None = None
    """The caller goes on while the database is away, and hears the end from this."""
    hurried: bool = False
    """The caller would rather hear that nothing was written than wait."""
    since: float = 0.0
    """When it was handed in, by the loop's clock."""
    sent: bool = False
    """It may have been written: no answer has come."""
    gone: bool = False
    """Withdrawn: its caller was told that it did not take place."""
    size: int = 0
    """Bytes, counted only while the database is away."""


class Backlog:
    """The jobs of one database, in order, and how the database is."""

    def __init__(self, name: str, weigh: Callable[[Any], int]) -> None:
        """``name`` for messages; ``weigh`` gives the bytes of a job's statements, roughly."""
        self._name, self._weigh = name, weigh
        self.jobs: deque[Job] = deque()
        self.why = ""
        """Why nothing can be written at the moment; empty: it can, as far as is known."""
        self.since = 0.0
        """When that began, by the loop's clock."""
        self.answered_at = 0.0
        """When the last answer came."""
        self.bytes = 0
        """Of what is kept."""
        self.troubles = 0
        """Times that it could not be written, since the start."""
        self.kept = 0
        """Writes that were kept and then written, since the start."""
        self.refused = 0
        """Writes that were not taken because too much was kept already."""
        self.watchers: list[Callable[[str, float, bool], None]] = []
        """Told of the begin (the reason, 0, …) and the end (empty, seconds that it took, whether the log has it) of
        trouble."""
        self._said = 0.0
        """When the log was told of it; 0: not yet. A busy disk that is slow for a moment is not worth a line."""

    @property
    def refusing(self) -> bool:
        """Whether who is in a hurry is told at once to come again."""
        return bool(self.why) and asyncio.get_running_loop().time() - self.since >= HURRY

    def put(self, job: Job) -> None:
        """Take a job. Raises :class:`Unavailable` when it cannot wait, or too much waits already."""
        job.since = asyncio.get_running_loop().time()
        if self.why:
            if job.hurried and job.since - self.since >= HURRY:
                raise Unavailable(self.why)
            self._keep(job)
        self.jobs.append(job)

    def _keep(self, job: Job) -> None:
        job.size = self._weigh(job.statements)
        if self.bytes + job.size > KEPT_BYTES:
            self.refused += 1
            raise Unavailable(f"{self.why}; {self.bytes >> 20} MB wait to be written, and no more is taken")
        self.bytes += job.size
        if job.told is not None and job.future is not None:
            job.future.set_result(False)

    def ill(self, why: str, *, say: bool = True) -> None:
        """It cannot be written now. Those who go on meanwhile are let go. ``say``: the log shall have it."""
        now = asyncio.get_running_loop().time()
        if self.why:
            self.why = why
            if say and (not self._said or now - self._said >= SAY_AGAIN):
                self._say(now)
            return
        self.why, self.since, self._said = why, now, 0.0
        self.troubles += 1
        for job in self.jobs:
            job.size = self._weigh(job.statements)
            self.bytes += job.size
            if job.told is not None and job.future is not None and not job.future.done():
                job.future.set_result(False)
        if say:
            self._say(now)
        for each in self.watchers:
            each(why, 0.0, say)

    def _say(self, now: float) -> None:
        self._said = now
        log.error(
            "the database cannot be written (%s): %d writes wait for %.0f s, %.1f MB; they are tried again",
            self.why, len(self.jobs), now - self.since, self.bytes / 1e6,
        )  # fmt: skip

    def answered(self, job: Job, error: Exception | None) -> None:
        """The first job has ended (and is taken out): tell whoever waits."""
        assert self.jobs[0] is job
        self.jobs.popleft()
        self.bytes -= job.size
        self.kept += bool(job.size) and error is None
        settle(job, error)

    def well(self) -> None:
        """An answer came. The trouble is over when nothing old waits any more."""
        now = self.answered_at = asyncio.get_running_loop().time()
        if self.why and (not self.jobs or now - self.jobs[0].since < SLOW):
            seconds, said = now - self.since, bool(self._said)
            self.why = ""
            log.log(
                logging.WARNING if said else logging.INFO,
                "the database can be written again, after %.1f s",
                seconds,
            )
            for each in self.watchers:
                each("", seconds, said)

    def tick(self) -> None:
        """Look at the clock: an answer that does not come is trouble, and who is in a hurry is told."""
        now = asyncio.get_running_loop().time()
        if self.jobs and not self.why:
            oldest = max(self.jobs[0].since, self.answered_at)
            if now - oldest >= SLOW:
                self.ill(f"it has not answered for {now - oldest:.1f} s", say=False)
        if self.why and now - self.since >= HURRY:
            if not self._said:
                self._say(now)
            self._let_go(now)

    def _let_go(self, now: float) -> None:
        for job in self.jobs:
            if job.hurried and job.future is not None and not job.future.done():
                if job.sent and now - self.since < HURRY + ATTEMPT:
                    continue  # the answer to this try may say that nothing was written
                job.gone = not job.sent
                job.future.set_exception(Unavailable(self.why if job.gone else f"{self.why}; {DOUBT}"))

    def fail(self, error: Exception) -> None:
        """Nothing that waits will be written any more."""
        while self.jobs:
            self.answered(self.jobs[0], error)


def settle(job: Job, error: Exception | None) -> None:
    """Tell the caller of a write how it ended, if anybody waits; else only a failure is worth a line."""
    if job.future is not None and not job.future.done():
        if error is None:
            job.future.set_result(True)
        else:
            job.future.set_exception(error)
    elif job.told is not None:
        job.told(error)
    elif error is not None and not job.hurried and not isinstance(error, Unavailable):
        log.error("a write that nobody waited for failed: %r", error)


def weight(values: Any) -> int:
    """Bytes of a row's values in memory, roughly."""
    return sum(64 + len(each) if isinstance(each, str | bytes) else 64 for each in values)
