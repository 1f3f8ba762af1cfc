"""Transcription for the rest of the product: a bounded line of each account in front of a few worker processes.

The accounts have their turns (``sharing/turns.py``): a thousand recordings of one delay another's by one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ringback.edges.transcription.process import EngineMissing, WorkerLost, WorkerProcess
from ringback.sharing.turns import Full, Turns

log = logging.getLogger("ringback.transcription")

LONGEST_TEXT = 20_000
"""Characters; two minutes of the fastest speech are a quarter of it."""


class Heard(NamedTuple):
    """What came of a recording."""

    text: str = ""
    problem: str = ""
    """Why there is no text; empty: all is well."""
    crashed: bool = False
    """The worker process died of it."""


class _Job(NamedTuple):
    path: Path
    heard: asyncio.Future[Heard]


class Transcriber:
    """Starts a worker process when one is needed, at most ``workers``; an idle one ends after a while."""

    def __init__(
        self, *, engine: str, workers: int = 1, longest_queue: int = 1000, idle_seconds: float = 600.0
    ) -> None:
        """``engine``: see engine.py; ``longest_queue``: recordings of one account that may wait; ``idle_seconds`` 0:
        a process never ends for want of work."""
        self._engine = engine
        self._workers = workers
        self._idle_seconds = idle_seconds
        self._turns: Turns[_Job] = Turns(workers, longest=longest_queue)
        self._idle: list[asyncio.Future[None]] = []
        self._runners: set[asyncio.Task[None]] = set()
        """Those that take recordings."""
        self._tasks: set[asyncio.Task[None]] = set()
        """The same, and those that only wait until their process is gone."""
        self._processes: set[WorkerProcess] = set()
        self._closed = False
        self._crashes = 0

    @property
    def waiting(self) -> int:
        """Recordings that no process has begun."""
        return self._turns.waiting

    @property
    def processes(self) -> int:
        """Worker processes that are there."""
        return len(self._processes)

    def figures(self) -> Mapping[str, float]:
        """For ``/metrics``."""
        return {
            "transcriptions_waiting": float(self.waiting),
            "transcription_processes": float(self.processes),
            "transcription_crashes_total": float(self._crashes),
        }

    async def transcribe(self, path: Path, account: str = "") -> Heard:
        """Write a recording down. At once with a problem when the account's line is full; never raises for the work."""
        if self._closed:
            return Heard(problem="transcription is closed")
        job = _Job(path, asyncio.get_running_loop().create_future())
        try:
            self._turns.line_up(account, job)
        except Full as full:
            return Heard(problem=f"recordings of this account: {full} (RINGBACK_TRANSCRIPTION_QUEUE)")
        self._wake()
        try:
            return await job.heard
        except asyncio.CancelledError:
            self._turns.leave(account, job)
            raise

    async def close(self) -> None:
        """End the processes; what waits gets a problem."""
        self._closed = True
        for process in self._processes:
            process.kill()
        for rest in self._idle:
            rest.cancel()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for job in self._turns.drain():
            _tell(job, Heard(problem="transcription is closed"))

    def _wake(self) -> None:
        while self._idle:
            rest = self._idle.pop()
            if not rest.done():
                rest.set_result(None)
                return
        if len(self._runners) < self._workers:
            runner = asyncio.get_running_loop().create_task(self._serve())
            for tasks in (self._runners, self._tasks):
                tasks.add(runner)
                runner.add_done_callback(tasks.discard)

    async def _serve(self) -> None:
        """One process after the other: take a recording, have it written down, rest."""
        process: WorkerProcess | None = None
        try:
            while self._turns.waiting or await self._rest():
                taken = self._turns.take()
                if taken is None:
                    continue  # another runner was faster
                account, job = taken
                try:
                    if process is None:
                        process = await self._started(job)
                    if process is not None and not await self._worked(job, process):
                        process = None
                except BaseException:
                    _tell(job, Heard(problem="transcription is closed"))
                    raise
                finally:
                    self._turns.done(account)
        finally:
            task = asyncio.current_task()
            assert task is not None
            self._runners.discard(task)  # a recording that comes while the process ends gets a new runner
            if process is not None:
                try:
                    await process.end()
                finally:
                    self._processes.discard(process)

    async def _started(self, job: _Job) -> WorkerProcess | None:
        """A process with its engine; None: there is none, and the recording has been told."""
        try:
            process = await WorkerProcess.start(self._engine)
        except EngineMissing as missing:
            log.error("transcription does not work: %s", missing)
            _tell(job, Heard(problem=str(missing)))
            return None
        self._processes.add(process)
        return process

    async def _worked(self, job: _Job, process: WorkerProcess) -> bool:
        """Write one recording down; False: the process is gone."""
        try:
            answer = await process.transcribe(job.path)
        except WorkerLost as lost:
            self._processes.discard(process)
            self._crashes += 1
            log.error("%s: the transcription process was lost: %s", job.path.stem, lost)
            _tell(job, Heard(problem=str(lost), crashed=True))
            return False
        if "text" in answer:
            _tell(job, Heard(text=str(answer["text"])[:LONGEST_TEXT]))
        else:
            _tell(job, Heard(problem=str(answer.get("error"))))
        return True

    async def _rest(self) -> bool:
        """Wait for work; False when none came for long enough to end."""
        rest: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._idle.append(rest)
        done, _ = await asyncio.wait([rest], timeout=self._idle_seconds or None)
        if done:
            return not rest.cancelled()
        self._idle.remove(rest)
        return False


def _tell(job: _Job, heard: Heard) -> None:
    if not job.heard.done():
        job.heard.set_result(heard)
