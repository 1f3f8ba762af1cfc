"""The speech process as its owner sees it: many sentences may wait in it, answers come by number."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import time

from ringback.processes.link import Link, start

log = logging.getLogger("ringback.speech")


class SpeechError(Exception):
    """A sentence could not be spoken; the message says why."""


class SpeechProcess:
    """One run of ``ringback.edges.speech.worker``. When it ends, whatever waits for it fails."""

    def __init__(self) -> None:
        self.link: Link
        self.ended: asyncio.Task[None]
        """Done when the process is gone and what waited for it has been told."""
        self._ids = itertools.count(1)
        self._jobs: dict[int, asyncio.Future[float]] = {}
        self._answered = time.monotonic()
        self._ending = False

    @classmethod
    async def start(cls) -> SpeechProcess:
        """Start it; raises :class:`SpeechError`."""
        made = cls()
        try:
            made.link = await start(
                "the speech process", ("-m", "ringback.edges.speech.worker"), (), made._take
            )
        except OSError as error:
            raise SpeechError(f"the speech process cannot start: {error}") from error
        made.ended = asyncio.get_running_loop().create_task(made._fail_in_the_end())
        return made

    async def ask(self, job: dict[str, str | float]) -> float:
        """Seconds of the sound that a job made; raises :class:`SpeechError`."""
        if not self.link.open:
            raise SpeechError("the speech process is ending")
        if not self._jobs:
            self._answered = time.monotonic()
        number = next(self._ids)
        future: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._jobs[number] = future
        try:
            self.link.send(json.dumps({"id": number, **job}).encode())
            return await future
        finally:
            self._jobs.pop(number, None)

    def kill_if_stuck(self, seconds: float) -> None:
        """End a process that has answered nothing for so long although it has work."""
        if self.link.open and time.monotonic() - self._answered >= seconds:
            self.link.kill(f"silent for {seconds:.0f} s")

    async def end(self) -> None:
        """End it and wait until it is gone; jobs that wait fail."""
        self._ending = True
        if self._jobs:
            self.link.kill()
        self.link.close()
        await asyncio.shield(self.ended)

    def _take(self, body: bytes) -> None:
        answer = json.loads(body)
        self._answered = time.monotonic()
        future = self._jobs.get(answer["id"])
        if future is None or future.done():
            return
        if "error" in answer:
            future.set_exception(SpeechError(answer["error"]))
        else:
            future.set_result(float(answer["seconds"]))

    async def _fail_in_the_end(self) -> None:
        status = await self.link.wait()
        if status and not self._ending and not self.link.problem:
            log.error("the speech process ended with status %s; it starts again when needed", status)
        for future in self._jobs.values():
            if not future.done():
                future.set_exception(SpeechError(f"the speech process ended with status {status}"))
