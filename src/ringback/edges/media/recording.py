"""Recordings: the tick only collects frames; a thread turns them into WAV files and syncs them."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final, Literal

import numpy as np

from ringback.edges.media.protocol import CommandFailed, Record_, RecordingStarted, RecordingStopped, Report
from ringback.media import FRAME, FRAME_SECONDS
from ringback.media.g711 import DECODE, SILENCE, Law, Pcm, rms
from ringback.media.mix import add
from ringback.media.trim import FLOOR
from ringback.media.wav import WavWriter

Reason = Literal["stopped", "max-length", "silence", "closed", "disk", "lost"]

_FLUSH_TICKS: Final = 40
"""Ticks (0.8 s) of sound handed to the disk at once: a crash costs less than a second."""

_LISTEN_TICKS: Final = 10
_MOST_WAITING: Final = 20_000
"""Chunks waiting for the disk (hundreds of MB of sound) above which recordings are given up."""


class Recording:
    """The tick's side of one recording: collects frames, listens for silence, hands chunks to the `Disk`."""

    def __init__(self, command: Record_, law: Law) -> None:
        self.command = command
        self.paused: Literal["", "skip", "silence"] = ""
        self.law: Law = law
        self.ticks = 0
        self.first_sound: int | None = None
        self.last_sound = 0
        self.told_silence = False
        self._inbound: list[bytes] = []
        self._outbound: list[bytes] = []

    def note(self, inbound: bytes | None, outbound: bytes | None) -> bool:
        """Collect one tick, frames of 160 bytes in the leg's law (None: nothing); True when a chunk is
        due."""
        if self.paused == "skip":
            return False
        quiet = SILENCE[self.law] * FRAME
        blank = self.paused == "silence"
        self._inbound.append(quiet if blank or inbound is None else inbound)
        self._outbound.append(quiet if blank or outbound is None else outbound)
        self.ticks += 1
        if self.ticks % _LISTEN_TICKS == 0:
            self._listen()
        return len(self._inbound) >= _FLUSH_TICKS

    @property
    def seconds(self) -> float:
        """Length so far."""
        return self.ticks * FRAME_SECONDS

    @property
    def silence(self) -> float:
        """Seconds since something was heard last."""
        return (self.ticks - self.last_sound) * FRAME_SECONDS

    @property
    def bounds(self) -> tuple[float, float] | None:
        """First and last second with sound, to a fifth of a second."""
        if self.first_sound is None:
            return None
        return self.first_sound * FRAME_SECONDS, self.last_sound * FRAME_SECONDS

    def take(self) -> tuple[bytes, bytes]:
        """What was collected since the last call: inbound and outbound, equally long."""
        chunk = b"".join(self._inbound), b"".join(self._outbound)
        self._inbound.clear()
        self._outbound.clear()
        return chunk

    def _listen(self) -> None:
        track = self.command.track
        heard = track != "outbound" and any(
            rms(f, self.law) > FLOOR for f in self._inbound[-_LISTEN_TICKS::3]
        )
        heard = heard or (
            track != "inbound" and any(rms(f, self.law) > FLOOR for f in self._outbound[-_LISTEN_TICKS::3])
        )
        if heard:
            if self.first_sound is None:
                self.first_sound = self.ticks - _LISTEN_TICKS
            self.last_sound = self.ticks
            self.told_silence = False


def _samples(command: Record_, law: Law, inbound: bytes, outbound: bytes) -> Pcm:
    """PCM of a chunk as the file wants it: shape (n,) or (n, 2)."""
    table = DECODE[law]
    said = table.take(np.frombuffer(inbound, np.uint8))
    heard = table.take(np.frombuffer(outbound, np.uint8))
    if command.channels == 2:
        return np.stack(
            [
                said if command.track != "outbound" else said * 0,
                heard if command.track != "inbound" else heard * 0,
            ],
            axis=1,
        )
    if command.track == "both":
        return add(said, heard)
    return said if command.track == "inbound" else heard


class Disk:
    """The thread that owns the files. Its reports are handed to ``report``, which must be safe from a
    thread."""

    def __init__(self, report: Callable[[Report], None]) -> None:
        self._report = report
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._files: dict[str, tuple[BinaryIO, WavWriter]] = {}
        self._errors: dict[str, str] = {}
        self._thread = threading.Thread(target=self._run, name="disk", daemon=True)
        self._thread.start()

    def open(self, recording: Recording) -> None:
        """Create the file; a failure is reported and remembered until `finish`."""
        self._work.put(lambda: self._open(recording.command))

    def append(self, recording: Recording) -> None:
        """Write what was collected, and mend the header."""
        if self._work.qsize() > _MOST_WAITING:
            name = recording.command.recording
            self._errors.setdefault(name, "the disk is too slow")
            recording.take()
            return
        inbound, outbound = recording.take()
        self._work.put(lambda: self._append(recording.command, recording.law, inbound, outbound))

    def finish(self, recording: Recording, reason: Reason) -> None:
        """Write the rest, sync, close, and report `RecordingStopped`."""
        self.append(recording)
        bounds = recording.bounds
        self._work.put(lambda: self._finish(recording.command, reason, bounds))

    def stop(self) -> None:
        """Finish the work that waits, then end the thread; waits up to 10 s."""
        self._work.put(None)
        self._thread.join(10)

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            work()

    def _open(self, command: Record_) -> None:
        try:
            Path(command.path).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = Path(command.path).open("wb")  # noqa: SIM115 - closed by _finish
            self._files[command.recording] = file, WavWriter(file, command.channels)
            file.flush()
        except (OSError, ValueError) as error:  # ValueError: a path with a NUL
            self._errors[command.recording] = str(error)
            self._report(CommandFailed("Record", command.recording, str(error)))
        else:
            self._report(RecordingStarted(command.leg, command.recording))

    def _append(self, command: Record_, law: Law, inbound: bytes, outbound: bytes) -> None:
        if command.recording in self._errors or not inbound:
            return
        writer = self._files[command.recording][1]
        try:
            writer.write(_samples(command, law, inbound, outbound))
            writer.flush()
        except (OSError, ValueError) as error:
            self._errors[command.recording] = str(error)

    def _finish(self, command: Record_, reason: Reason, bounds: tuple[float, float] | None) -> None:
        name = command.recording
        entry = self._files.pop(name, None)
        seconds, size = 0.0, 0
        if entry is not None:
            file, writer = entry
            seconds, size = writer.seconds, writer.data_bytes
            try:
                writer.flush()
                os.fsync(file.fileno())
            except OSError as error:
                self._errors[name] = str(error)
            try:
                file.close()
            except OSError as error:
                self._errors[name] = str(error)
        problem = self._errors.pop(name, None)
        self._report(
            RecordingStopped(
                command.leg,
                name,
                "disk" if problem else reason,
                seconds,
                size,
                bounds is None,
                bounds,
                problem,
            )
        )
