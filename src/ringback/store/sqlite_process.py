"""The main process' end of the SQLite writer: hands over writes in order, once for each turn of the event loop.

What is not answered yet is kept (``backlog.py``). A writer that dies is started again and told all of it once more:
every write sets whole rows or deletes by key, so the second time does what the first did. While the file cannot be
written, the first of what waits is sent again and again, and the rest when that took place.
"""

from __future__ import annotations

import asyncio
import logging
import marshal
import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from ringback.processes.keeper import Keeper, Restarts
from ringback.processes.link import Link, start
from ringback.store import sqlite_writer
from ringback.store.backlog import Backlog, Job, weight
from ringback.store.sql import Statement
from ringback.store.sqlite_writer import GROUP_LIMIT
from ringback.store.writes import Conflict, Stale, Unavailable

log = logging.getLogger("ringback.store")

_RESTARTS: Final = Restarts(pause=0.02, longest=1.0, tries=5)
"""Five deaths without one answer between them: what it is told kills it, or the machine is in no state to go on."""
_START: Final = 20.0
"""Seconds that a start may take, besides the patience for the lock."""

_AGAIN: Final = (0.1, 0.25, 0.5, 1.0)
"""Seconds before the first tries to write again; the last one repeats."""
_STOP: Final = 5.0
"""Seconds that a stop waits for a file that cannot be written."""


class WriterLost(Exception):
    """The process that writes to the database cannot be kept running; whether the write took place is open."""


class WriteFailed(Exception):
    """The database refused a write, for another reason than a unique key; nothing of it was written."""


class WriterProcess:
    """One process that writes to one database file."""

    def __init__(self, path: str, synchronous: str, patience: float) -> None:
        """``patience``: seconds to wait for a file that another process writes to."""
        self._arguments = path, synchronous, str(patience)
        self._patience = patience
        self._texts: dict[str, int] = {}
        self._told = 0
        """Texts that the process knows."""
        self.backlog = Backlog(path, _weigh)
        self._unsent: list[Job] = []
        self._number = 0
        self._tries = 0
        """To write again, in a row."""
        self._again: asyncio.TimerHandle | None = None
        """When the next is due; nothing is sent before."""
        self._written: asyncio.Future[None] | None = None
        """Somebody waits until nothing is pending."""
        self.keeper = Keeper(
            self._start, _RESTARTS, on_up=self._up, on_down=self._down, on_given_up=self._give_up
        )

    async def start(self) -> None:
        """Start the process. Raises ``OSError`` when it cannot open the file or another process writes to it."""
        await self.keeper.start()

    def put(
        self,
        statements: Sequence[Statement],
        future: asyncio.Future[bool] | None,
        told: Callable[[Exception | None], None] | None = None,
        hurried: bool = False,
    ) -> None:
        """Hand in one all-or-nothing write (:class:`Job` says what the rest means). Raises ``Unavailable``, and
        :class:`WriterLost` when there is no process any more."""
        if self.keeper.given_up or self.keeper.stopping:
            raise WriterLost("the process that writes to the database is not there any more")
        self._number += 1
        texts = [(self._text(each.sql), each.params) for each in statements]
        job = Job((self._number, texts), future, told, hurried)
        self.backlog.put(job)
        self._unsent.append(job)
        if len(self._unsent) == 1:
            asyncio.get_running_loop().call_soon(self._flush)

    async def stop(self) -> None:
        """Let the process write what was handed in, and end."""
        if self.backlog.jobs and not self.keeper.given_up:
            self._written = asyncio.get_running_loop().create_future()
            await asyncio.wait([self._written], timeout=_STOP)
        if self.backlog.jobs:
            log.critical(
                "%d writes are lost: %s",
                len(self.backlog.jobs),
                self.backlog.why or "the writer does not answer",
            )
            self.backlog.fail(Unavailable("the server stopped before it could be written"))
        if self._again is not None:
            self._again.cancel()
        await self.keeper.stop()

    def _text(self, sql: str) -> int:
        return self._texts.setdefault(sql, len(self._texts))

    async def _start(self) -> Link:
        try:
            return await start(
                "the process that writes to the database", ("-I", "-S", sqlite_writer.__file__),
                self._arguments, self._answered, ready=self._patience + _START,
            )  # fmt: skip
        except OSError as error:
            raise OSError(
                f"the database {self._arguments[0]}: {error}"
            ) from error  # without a number: our own words

    def _up(self, link: Link) -> None:
        self._told, self._tries = 0, 0
        if self._again is not None:
            self._again.cancel()
            self._again = None
        self._send_all(self.backlog.jobs)

    def _send_all(self, jobs: Iterable[Job]) -> None:
        self._unsent = [job for job in jobs if not job.gone]
        self._flush()

    def _down(self) -> None:
        if self.keeper.stopping:
            self._give_up()  # nothing is left after an orderly end

    def _flush(self, again: bool = False) -> None:
        if not self.keeper.up or (self._again is not None and not again):
            return
        jobs = [job for job in self._unsent if not job.gone]
        self._unsent = []
        for first in range(0, len(jobs), GROUP_LIMIT):
            part = jobs[first : first + GROUP_LIMIT]
            new: dict[int, str] = {}
            if len(self._texts) > self._told:
                new = {number: sql for sql, number in self._texts.items() if number >= self._told}
                self._told = len(self._texts)
            for job in part:
                job.sent = True
            self.keeper.send(marshal.dumps((new, [job.statements for job in part], again)))

    def _answered(self, body: bytes) -> None:
        last, errors, trouble = marshal.loads(body)  # noqa: S302 - from our own process
        self.keeper.worked()
        backlog = self.backlog
        while backlog.jobs and (backlog.jobs[0].gone or backlog.jobs[0].statements[0] <= last):
            found = errors.get(backlog.jobs[0].statements[0])
            backlog.answered(backlog.jobs[0], None if found is None else _error(*found))
        if trouble:
            self._stalled(trouble)
        elif self._again is not None:
            self._again.cancel()
            self._again, self._tries = None, 0
            self._send_all([job for job in backlog.jobs if not job.sent])
        if not trouble:
            backlog.well()
        self._tell_written()

    def _stalled(self, why: str) -> None:
        """Nothing that was sent and not answered has been written: try again in a moment, the first of it alone."""
        for job in self.backlog.jobs:
            job.sent = False
        self._unsent = []
        self.backlog.ill(why)
        pause = _AGAIN[min(self._tries, len(_AGAIN) - 1)] * random.uniform(0.8, 1.2)  # noqa: S311 - jitter
        self._tries += 1
        self._again = asyncio.get_running_loop().call_later(pause, self._try_again)

    def _try_again(self) -> None:
        backlog = self.backlog
        while backlog.jobs and backlog.jobs[0].gone:
            backlog.answered(backlog.jobs[0], None)
        self._unsent = [job for job in backlog.jobs if not job.gone][:GROUP_LIMIT]
        if self._unsent:
            self._flush(again=True)
        else:
            self.probe(again=True)

    def probe(self, again: bool = False) -> None:
        """Ask whether something could be written, by writing nothing."""
        if self._again is not None and not again:
            return
        self._number += 1
        job = Job((self._number, []), None)
        self.backlog.put(job)
        self._unsent.append(job)
        self._flush(again)

    def _give_up(self) -> None:
        self.backlog.fail(WriterLost("the process that writes to the database ended"))
        self._tell_written()

    def _tell_written(self) -> None:
        if self._written is not None and not self.backlog.jobs and not self._written.done():
            self._written.set_result(None)


def _weigh(statements: tuple[int, list[tuple[int, tuple[Any, ...]]]]) -> int:
    return sum(weight(params) for _, params in statements[1]) or 64


def _error(kind: str, text: str) -> Exception:
    return {"conflict": Conflict, "stale": Stale}.get(kind, WriteFailed)(text)
