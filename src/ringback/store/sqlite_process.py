"""The main process' end of the SQLite writer: hands over writes in order, once for each turn of the event loop.

What is not answered yet is kept. A writer that dies is started again and told all of it once more: every write
sets whole rows or deletes by key, so the second time does what the first did.
"""

from __future__ import annotations

import asyncio
import marshal
from collections import deque
from collections.abc import Sequence
from typing import Final

from ringback.processes.keeper import Keeper, Restarts
from ringback.processes.link import Link, start
from ringback.store import sqlite_writer
from ringback.store.engine import settle
from ringback.store.sql import Statement
from ringback.store.sqlite_writer import Job
from ringback.store.writes import Conflict, Stale

_RESTARTS: Final = Restarts(pause=0.02, longest=1.0, tries=5)
"""Five deaths without one answer between them: what it is told kills it, or the machine is in no state to go on."""
_START: Final = 20.0
"""Seconds that a start may take, besides the patience for the lock."""

_Pending = tuple[Job, "asyncio.Future[None] | None"]


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
        self._pending: deque[_Pending] = deque()
        self._unsent: list[Job] = []
        self._number = 0
        self._written: asyncio.Future[None] | None = None
        """Somebody waits until nothing is pending."""
        self.keeper = Keeper(
            self._start, _RESTARTS, on_up=self._up, on_down=self._down, on_given_up=self._give_up
        )

    async def start(self) -> None:
        """Start the process. Raises ``OSError`` when it cannot open the file or another process writes to it."""
        await self.keeper.start()

    def put(self, statements: Sequence[Statement], future: asyncio.Future[None] | None) -> None:
        """Hand in one all-or-nothing write; ``future`` is told when it is on disk, or why it is not."""
        if self.keeper.given_up or self.keeper.stopping:
            settle(future, WriterLost("the process that writes to the database is not there any more"))
            return
        self._number += 1
        job = self._number, [(self._text(each.sql), each.params) for each in statements]
        self._pending.append((job, future))
        self._unsent.append(job)
        if len(self._unsent) == 1:
            asyncio.get_running_loop().call_soon(self._flush)

    async def stop(self) -> None:
        """Let the process write what was handed in, and end."""
        if self._pending:
            self._written = asyncio.get_running_loop().create_future()
            await self._written
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
        self._told = 0
        self._unsent = [job for job, _ in self._pending]
        self._flush()

    def _down(self) -> None:
        if self.keeper.stopping:
            self._give_up()  # nothing is left after an orderly end

    def _flush(self) -> None:
        if not self.keeper.up or not self._unsent:
            return
        jobs, self._unsent = self._unsent, []
        new: dict[int, str] = {}
        if len(self._texts) > self._told:
            new = {number: sql for sql, number in self._texts.items() if number >= self._told}
            self._told = len(self._texts)
        self.keeper.send(marshal.dumps((new, jobs)))

    def _answered(self, body: bytes) -> None:
        last, errors = marshal.loads(body)  # noqa: S302 - from our own process
        self.keeper.worked()
        while self._pending and self._pending[0][0][0] <= last:
            (number, _), future = self._pending.popleft()
            found = errors.get(number)
            settle(future, None if found is None else _error(*found))
        self._tell_written()

    def _give_up(self) -> None:
        while self._pending:
            _, future = self._pending.popleft()
            settle(future, WriterLost("the process that writes to the database ended"))
        self._tell_written()

    def _tell_written(self) -> None:
        if self._written is not None and not self._pending and not self._written.done():
            self._written.set_result(None)


def _error(kind: str, text: str) -> Exception:
    return {"conflict": Conflict, "stale": Stale}.get(kind, WriteFailed)(text)
