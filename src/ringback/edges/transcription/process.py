"""A worker process as its owner sees it: one recording at a time."""

from __future__ import annotations

import asyncio
import contextlib
import json
from pathlib import Path
from typing import Any

from ringback.edges.child import end_soon, start_child

START_LIMIT = 120.0
"""Seconds for loading the engine; three on a machine with nothing else to do."""
TIME_LIMIT = 600.0
"""Seconds for one recording: five times the longest one, 25 times what it takes alone."""
PATIENCE = 5.0
"""Seconds that a process may take to end; then it is killed."""
LINE_LIMIT = 1 << 20
"""Bytes of one answer."""


class EngineMissing(Exception):
    """No worker process, or no engine in it; the message says why."""


class WorkerLost(Exception):
    """The process ended, or was silent for too long, while it had work."""


class WorkerProcess:
    """One run of ``ringback.edges.transcription.worker``."""

    def __init__(
        self, process: asyncio.subprocess.Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer

    @classmethod
    async def start(cls, engine: str) -> WorkerProcess:
        """Start it and wait for its engine; raises :class:`EngineMissing`."""
        try:
            child = await start_child(
                "ringback.edges.transcription.worker", engine, limit=LINE_LIMIT,
                HF_HUB_OFFLINE="1",  # the model is in a wheel: nothing is ever downloaded
            )  # fmt: skip
        except OSError as error:
            raise EngineMissing(f"the transcription process cannot start: {error}") from error
        worker = cls(*child)
        try:
            answer = await worker._answer(START_LIMIT)
        except WorkerLost as lost:
            raise EngineMissing(f"the engine does not start: {lost}") from lost
        except BaseException:
            await worker.end()
            raise
        if "ready" not in answer:
            await worker.end()
            raise EngineMissing(f"the engine does not start: {answer.get('error')}")
        return worker

    async def transcribe(self, path: Path) -> dict[str, Any]:
        """``{"text"}`` or ``{"error"}`` of a recording; raises :class:`WorkerLost`, and then it has ended."""
        self._writer.write(json.dumps({"path": str(path)}).encode() + b"\n")
        return await self._answer(TIME_LIMIT)

    async def end(self) -> None:
        """End it, working or not, and wait until it is gone; canceled, it is gone all the same."""
        self._writer.close()
        await end_soon(self._process, PATIENCE)
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    def kill(self) -> None:
        """End it at once; whoever waits for it gets :class:`WorkerLost`."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def _answer(self, seconds: float) -> dict[str, Any]:
        problem = ""
        try:
            async with asyncio.timeout(seconds):
                line = await self._reader.readline()
            answer = json.loads(line) if line else None
            if isinstance(answer, dict):
                return answer
            problem = "it does not speak our protocol" if line else ""
        except TimeoutError:
            problem = f"silent for {seconds:.0f} s"
        except OSError:
            pass  # it is gone: the same as the end of the stream
        except ValueError:  # no JSON, or a line without an end
            problem = "it does not speak our protocol"
        if problem:
            self.kill()
        await self.end()
        raise WorkerLost(problem or f"the process ended with status {self._process.returncode}")
