"""Carries out ``Transcribe``: finds the recording, has it written down, reports."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from msgspec import structs

from ringback.effects.transcription import Transcribe
from ringback.events import Event
from ringback.events.transcription import TranscriptionEnded
from ringback.kernel.clock import Clock
from ringback.kernel.recording_file import wav_file
from ringback.resources.api.call import Call
from ringback.resources.api.recording import Recording
from ringback.resources.api.transcription import Transcription
from ringback.store.store import Store

log = logging.getLogger("ringback.transcription")

OFF = "transcription is off (RINGBACK_TRANSCRIPTION, RINGBACK_TRANSCRIPTION_WORKERS)"


class Heard(Protocol):
    """What came of a recording."""

    @property
    def text(self) -> str:
        """What was said."""

    @property
    def problem(self) -> str:
        """Why there is no text; empty: all is well."""

    @property
    def crashed(self) -> bool:
        """The worker process died of it."""


class Listener(Protocol):
    """Who writes recordings down (edges/transcription)."""

    async def transcribe(self, path: Path, account: str) -> Heard:
        """Write a WAV file of an account down; whatever goes wrong is told in what it gives."""


class FaultBook(Protocol):
    """Faults that a tester ordered (``/sim/v1/Faults``)."""

    def take(self, kind: str, facts: dict[str, str]) -> Any:
        """The fault to apply now, counted down; None when there is none."""


class Transcriptions:
    """The work under way, and its figures."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        ask: Callable[[Event], Awaitable[Any]],
        listener: Listener | None,
        recordings: Path,
        finished: Callable[[str], None] | None = None,
        faults: FaultBook | None = None,
    ) -> None:
        """``listener`` None: everything fails at once; ``finished`` is told the recording of whatever is
        settled and committed."""
        self._store = store
        self._clock = clock
        self._ask = ask
        self._listener = listener
        self._recordings = recordings
        self._finished = finished
        self._faults = faults
        self._under_way: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._counts = {"completed": 0, "failed": 0}
        self._late = self._latest = 0.0

    @property
    def in_flight(self) -> int:
        """Transcriptions that are waiting or being made."""
        return len(self._tasks)

    def figures(self) -> Mapping[str, float]:
        """For ``/metrics``; the lateness is the time from the recording's end to its text, in seconds."""
        return {
            "transcriptions_in_flight": float(self.in_flight),
            "transcriptions_completed_total": float(self._counts["completed"]),
            "transcriptions_failed_total": float(self._counts["failed"]),
            "transcription_lateness_seconds": self._late,
            "transcription_lateness_max_seconds": self._latest,
        }

    def start(self, effect: Transcribe) -> None:
        """Perform ``Transcribe``; one that is under way already is left alone."""
        if effect.transcription_sid in self._under_way:
            return
        self._under_way.add(effect.transcription_sid)
        task = asyncio.get_running_loop().create_task(self._run(effect.transcription_sid))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def prepare(self, event: TranscriptionEnded) -> Event:
        """Fill in the newest records that it is about."""
        if not event.recording_sid:
            return event
        return structs.replace(
            event,
            recording=await self._store.get(Recording, event.recording_sid),
            call=await self._store.get(Call, event.call_sid),
        )

    async def close(self) -> None:
        """Stop at once; what is not finished is begun again by the next start."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, sid: str) -> None:
        """One try. Whatever ends without a report (a defect, or as ordered) stays in progress, and stays among
        those under way so that its deadline does not begin it again: the next start does."""
        hold = self._clock.hold()
        try:
            record = await self._store.get(Transcription, sid)
            if record is None or record.status != "in-progress":
                event = TranscriptionEnded(
                    transcription_sid=sid
                )  # nothing is left to be done, but for the deadline
            else:
                late = self._fault("late_transcription", record)
                if late is not None:
                    hold.release()
                    await self._sleep(late.seconds)
                    hold = self._clock.hold()
                if self._fault("no_transcription", record) is not None:
                    return
                event = await self._listen(record)
            self._under_way.discard(sid)  # before the report: its answer may be another try
            settled = await self._ask(event)
            if settled is not None:
                self._count(settled)
                if self._finished is not None:
                    self._finished(settled.recording_sid)
        except Exception:
            log.exception("%s: it stays in progress until the next start", sid)
        finally:
            hold.release()

    async def _listen(self, record: Transcription) -> TranscriptionEnded:
        ended = TranscriptionEnded(
            transcription_sid=record.sid,
            recording_sid=record.recording_sid,
            call_sid=dict(record.plan["facts"])["CallSid"],
        )
        if self._fault("duplicate_transcription", record) is not None:
            ended = structs.replace(ended, copies=2)
        if self._fault("failed_transcription", record) is not None:
            return structs.replace(ended, problem="a tester ordered it to fail")
        if self._listener is None:
            return structs.replace(ended, problem=OFF)
        path = wav_file(self._recordings, record.recording_sid)
        if not path.is_file():
            return structs.replace(ended, problem="the recording's audio is not there any more")
        heard = await self._listener.transcribe(path, record.account_sid)
        return structs.replace(ended, text=heard.text, problem=heard.problem, crashed=heard.crashed)

    def _fault(self, kind: str, record: Transcription) -> Any:
        if self._faults is None:
            return None
        facts = {**dict(record.plan["facts"]), "TranscriptionSid": record.sid}
        return self._faults.take(kind, facts)

    def _count(self, record: Transcription) -> None:
        self._counts[record.status] += 1
        self._late = max(0.0, self._clock.now() - record.date_created)
        self._latest = max(self._latest, self._late)

    async def _sleep(self, seconds: float) -> None:
        done = asyncio.get_running_loop().create_future()
        alarm = self._clock.call_at(
            self._clock.now() + seconds, lambda: None if done.done() else done.set_result(None)
        )
        try:
            await done
        finally:
            alarm.cancel()
