"""Recordings of SIP legs: the beep before, the media worker's file, the silence cut off after."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from ringback.edges.media import protocol as media
from ringback.edges.media.client import MediaPool
from ringback.effects import RecordLeg, StopRecording
from ringback.effects.conferences import RecordRoom
from ringback.events import Event, RecordingBegan, RecordingEnded, RecordingSilent
from ringback.kernel.lane import Lane
from ringback.kernel.recording_file import wav_file

log = logging.getLogger("ringback.sip")


class Recordings:
    """Performs RecordLeg and StopRecording; ``RecordingEnded`` follows each RecordLeg exactly once."""

    def __init__(
        self,
        *,
        pool: MediaPool,
        folder: Path,
        post: Callable[[Event], None],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        """``spawn`` runs what must not hold up the event loop."""
        self._pool = pool
        self._folder = folder
        self._post = post
        self._spawn = spawn
        self._trims: set[str] = set()
        """Recordings whose silence is to be cut off at the end."""
        self._beeps: dict[str, RecordLeg] = {}
        """Recordings that begin when their beep has been heard, by the beep's playback."""
        self._owners: dict[str, Lane] = {}
        """Who gets the reports of a room's recording; those of a leg's go to its call."""

    def record(self, effect: RecordLeg) -> None:
        """Start a recording, after its beep if it wants one."""
        if effect.beep_first:
            self._beeps[_beep(effect.recording_sid)] = effect
            self._pool.play(effect.call_sid, _beep(effect.recording_sid), [media.Tone(name="beep")])
        else:
            self._begin(effect)

    def record_room(self, effect: RecordRoom) -> None:
        """Start a recording of everybody in a room."""
        if effect.trim:
            self._trims.add(effect.recording_sid)
        path = str(wav_file(self._folder, effect.recording_sid))
        self._owners[effect.recording_sid] = effect.owner
        self._pool.record_room(effect.call_sid, effect.room, effect.recording_sid, path, effect.owner.sid)

    def stop(self, effect: StopRecording) -> None:
        """Finish a recording; one that still beeps ends empty."""
        if self._beeps.pop(_beep(effect.recording_sid), None) is None:
            self._pool.stop_recording(effect.recording_sid)
            return
        self._pool.stop_playback(effect.call_sid, _beep(effect.recording_sid))
        self._post(
            RecordingEnded(
                lane=Lane("call", effect.call_sid),
                recording_sid=effect.recording_sid,
                seconds=0.0,
                silent=True,
            )
        )

    def take(self, report: Any) -> bool:
        """Take a media worker's report; False when it is not about a recording."""
        if isinstance(report, media.PlaybackDone) and report.playback in self._beeps:
            # A leg that ended during the beep has no worker any more: the pool then reports an empty recording.
            self._begin(self._beeps.pop(report.playback))
        elif isinstance(report, media.RecordingStarted):
            self._post(RecordingBegan(lane=self._owner(report), recording_sid=report.recording))
        elif isinstance(report, media.RecordingSilence):
            self._post(RecordingSilent(lane=self._owner(report), recording_sid=report.recording))
        elif isinstance(report, media.RecordingStopped):
            self._spawn(self._finish(report))
        else:
            return False
        return True

    def _begin(self, effect: RecordLeg) -> None:
        if effect.trim:
            self._trims.add(effect.recording_sid)
        self._pool.record(
            effect.call_sid,
            effect.recording_sid,
            str(wav_file(self._folder, effect.recording_sid)),
            channels=2 if effect.channels == 2 else 1,
            track=effect.track,
            silence_timeout=effect.silence_timeout,
        )

    def _owner(self, report: Any) -> Lane:
        return self._owners.get(report.recording) or Lane("call", report.leg)

    async def _finish(self, report: media.RecordingStopped) -> None:
        path = wav_file(self._folder, report.recording)
        seconds = report.seconds
        if report.recording in self._trims:
            self._trims.discard(report.recording)
            try:
                seconds = await asyncio.to_thread(_trim, path)
            except (OSError, ValueError) as error:
                log.error("%s: recording %s stays untrimmed: %s", report.leg, report.recording, error)
        size = path.stat().st_size if path.exists() else 0
        lane = self._owner(report)
        self._owners.pop(report.recording, None)
        self._post(
            RecordingEnded(
                lane=lane,
                recording_sid=report.recording,
                seconds=seconds,
                silent=report.silent,
                size=size,
                problem=(report.error or "the disk takes nothing") if report.reason == "disk" else "",
            )
        )


def _beep(recording_sid: str) -> str:
    """The name of a recording's beep among the playbacks."""
    return f"beep {recording_sid}"


def _trim(path: Path) -> float:
    """Cut the silence off a finished recording; gives its new length in seconds. Blocking."""
    from ringback.edges.media.finished import trim_recording  # numpy, only when a recording ends

    return trim_recording(str(path))
