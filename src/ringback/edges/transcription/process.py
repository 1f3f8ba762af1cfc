"""A worker process as its owner sees it: one recording at a time."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from ringback.processes.link import Link, start

START_LIMIT = 120.0
"""Seconds for loading the engine; three on a machine with nothing else to do."""
TIME_LIMIT = 600.0
"""Seconds for one recording: five times the longest one, 25 times what it takes alone."""


class EngineMissing(Exception):
    """No worker process, or no engine in it; the message says why."""


class WorkerLost(Exception):
    """The process ended, or was silent for too long, while it had work."""


class WorkerProcess:
    """One run of ``ringback.edges.transcription.worker``."""

    def __init__(self) -> None:
        self.link: Link
        self._answer: asyncio.Future[dict[str, Any]] | None = None

    @classmethod
    async def start(cls, engine: str) -> WorkerProcess:
        """Start it and wait for its engine; raises :class:`EngineMissing`."""
        worker = cls()
        try:
            worker.link = await start(
                "the transcription process", ("-m", "ringback.edges.transcription.worker"), (engine,),
                worker._take, ready=START_LIMIT,
                HF_HUB_OFFLINE="1",  # the model is in a wheel: nothing is ever downloaded
            )  # fmt: skip
        except OSError as error:
            raise EngineMissing(f"the engine does not start: {error}") from error
        return worker

    async def transcribe(self, path: Path) -> dict[str, Any]:
        """``{"text"}`` or ``{"error"}`` of a recording; raises :class:`WorkerLost`, and then it has ended."""
        self._answer = asyncio.get_running_loop().create_future()
        self.link.send(json.dumps({"path": str(path)}).encode())
        either: list[asyncio.Future[Any]] = [self._answer, self.link.gone]
        await asyncio.wait(either, timeout=TIME_LIMIT, return_when=asyncio.FIRST_COMPLETED)
        if self._answer.done():
            return self._answer.result()
        if not self.link.gone.done():
            self.link.kill(f"silent for {TIME_LIMIT:.0f} s")
        status = await self.link.wait()
        raise WorkerLost(self.link.problem or f"the process ended with status {status}")

    async def end(self) -> None:
        """End it, working or not, and wait until it is gone; canceled, it is gone all the same."""
        self.link.close()
        await self.link.wait()

    def kill(self) -> None:
        """End it at once; whoever waits for it gets :class:`WorkerLost`."""
        self.link.kill()

    def _take(self, body: bytes) -> None:
        answer = json.loads(body)
        if not isinstance(answer, dict):
            raise TypeError(f"{type(answer).__name__} is no answer")
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(answer)
