"""The speech process as its owner sees it: many sentences may wait in it, answers come by number."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import time
from collections.abc import Callable

from ringback.edges.child import end_soon, start_child

log = logging.getLogger("ringback.speech")

PATIENCE = 5.0
"""Seconds that a process without work may take to end; then it is killed."""


class SpeechError(Exception):
    """A sentence could not be spoken; the message says why."""


class SpeechProcess:
    """One run of ``ringback.edges.speech.worker``. When it ends, whatever waits for it fails."""

    def __init__(
        self, process: asyncio.subprocess.Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter,
        on_end: Callable[[SpeechProcess], None],
    ) -> None:  # fmt: skip
        self._process = process
        self._writer = writer
        self._on_end = on_end
        self._ids = itertools.count(1)
        self.jobs: dict[int, asyncio.Future[float]] = {}
        self._answered = time.monotonic()
        self._ending = False
        self.gone = asyncio.get_running_loop().create_task(self._serve(reader))
        """Reads its answers; done when the process has ended."""

    @classmethod
    async def start(cls, on_end: Callable[[SpeechProcess], None]) -> SpeechProcess:
        """Start it; raises :class:`SpeechError`. ``on_end`` is called when it takes no more work."""
        try:
            child = await start_child("ringback.edges.speech.worker")
        except OSError as error:
            raise SpeechError(f"the speech process cannot start: {error}") from error
        return cls(*child, on_end)

    async def ask(self, job: dict[str, str | float]) -> float:
        """Seconds of the sound that a job made; raises :class:`SpeechError`."""
        if self._ending:
            raise SpeechError("the speech process is ending")
        if not self.jobs:
            self._answered = time.monotonic()
        number = next(self._ids)
        future: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self.jobs[number] = future
        try:
            self._writer.write(json.dumps({"id": number, **job}).encode() + b"\n")
            return await future
        finally:
            self.jobs.pop(number, None)

    def kill_if_stuck(self, seconds: float) -> None:
        """End a process that has answered nothing for so long although it has work."""
        if not self._ending and time.monotonic() - self._answered >= seconds:
            log.error("the speech process has been silent for %.0f s: it is killed", seconds)
            self._stop()
            self._kill()

    async def end(self) -> None:
        """End it and wait until it is gone; jobs that wait fail."""
        self._stop()
        if self.jobs:
            self._kill()
        self._writer.close()
        await asyncio.shield(self.gone)

    async def _serve(self, reader: asyncio.StreamReader) -> None:
        try:
            while line := await reader.readline():
                self._take(line)
        except ConnectionError:
            pass  # it is gone: the same as the end of the stream
        except (ValueError, KeyError, TypeError) as error:
            log.error("the speech process does not speak our protocol: %r", error)
            self._kill()
        expected = self._ending
        self._stop()
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()
        status = await end_soon(self._process, PATIENCE)
        for future in self.jobs.values():
            if not future.done():
                future.set_exception(SpeechError(f"the speech process ended with status {status}"))
        if status and not expected:
            log.error("the speech process ended with status %s; it starts again when needed", status)

    def _take(self, line: bytes) -> None:
        answer = json.loads(line)
        self._answered = time.monotonic()
        future = self.jobs.get(answer["id"])
        if future is None or future.done():
            return
        if "error" in answer:
            future.set_exception(SpeechError(answer["error"]))
        else:
            future.set_result(float(answer["seconds"]))

    def _stop(self) -> None:
        """Take no more work."""
        if not self._ending:
            self._ending = True
            self._on_end(self)

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
