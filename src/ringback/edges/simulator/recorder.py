"""Recordings of simulated legs: begin, silence, pause, end, and the file written in a thread."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

from ringback.edges.simulator.party import Party
from ringback.edges.simulator.take import Take
from ringback.effects import PauseRecording, RecordLeg, ResumeRecording
from ringback.effects.conferences import RecordRoom
from ringback.events import Event, RecordingBegan, RecordingEnded, RecordingSilent
from ringback.kernel.clock import Clock
from ringback.kernel.lane import Lane
from ringback.kernel.recording_file import wav_file

log = logging.getLogger("ringback.simulated")


class Recorder:
    """Performs the recording effects; ``RecordingEnded`` follows every ``RecordingBegan`` exactly once."""

    def __init__(
        self,
        *,
        clock: Clock,
        post: Callable[[Event], None],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
        render: Callable[[str], Awaitable[Path]] | None,
        recordings: Path,
        note: Callable[[str, str], None] | None = None,
    ) -> None:
        """``note(recording_sid, words)`` keeps what was said in a recording that will be written down (blocking)."""
        self._clock = clock
        self._post = post
        self._spawn = spawn
        self._render = render
        self._recordings = recordings
        self._note = note
        self._rooms: dict[str, dict[str, tuple[Lane, Take]]] = {}
        """Recordings of whole rooms, and whose they are."""

    def begin(self, party: Party, effect: RecordLeg) -> None:
        """Start a recording."""
        if party.over or effect.recording_sid in party.takes:
            return
        take = Take(effect, self._clock.now())
        party.takes[effect.recording_sid] = take
        self._post(RecordingBegan(lane=Lane("call", party.sid), recording_sid=effect.recording_sid))
        self._listen_for_silence(party, take)

    def sound(self, party: Party, channel: int, seconds: float, kind: str, text: str) -> None:
        """Something begins to sound on a leg (channel 0: its party, 1: what it hears)."""
        now = self._clock.now()
        for take in party.takes.values():
            take.sound(now, seconds, channel, kind, text)
            if channel == 0:
                take.quiet_since = now + seconds
                self._listen_for_silence(party, take)

    def pause(self, party: Party, effect: PauseRecording) -> None:
        """Pause; an unknown recording is fine."""
        take = self._take(party, effect.recording_sid)
        if take is not None:
            take.pause(self._clock.now(), skip=effect.behavior == "skip")

    def resume(self, party: Party, effect: ResumeRecording) -> None:
        """Go on; an unknown recording is fine."""
        take = self._take(party, effect.recording_sid)
        if take is not None:
            take.resume(self._clock.now())

    def _take(self, party: Party, recording_sid: str) -> Take | None:
        """A running recording, of the leg or of a room."""
        rooms = (takes.get(recording_sid, (None, None))[1] for takes in self._rooms.values())
        return party.takes.get(recording_sid) or next((take for take in rooms if take is not None), None)

    def stop(self, party: Party, recording_sid: str) -> None:
        """Finish one recording; an unknown one is fine."""
        take = party.takes.pop(recording_sid, None)
        if take is None:
            self.stop_room(recording_sid)
            return
        if take.alarm is not None:
            take.alarm.cancel()
        self._spawn(self._finish(Lane("call", party.sid), take, take.length(self._clock.now())))

    def close(self, party: Party) -> None:
        """The leg is over: its recordings end."""
        for recording_sid in list(party.takes):
            self.stop(party, recording_sid)

    # --- rooms ----------------------------------------------------------------------------------------

    def begin_room(self, effect: RecordRoom) -> None:
        """Start a recording of everybody in a room; a second start of the same one is fine."""
        takes = self._rooms.setdefault(effect.room, {})
        if effect.recording_sid in takes:
            return
        mixed = RecordLeg(call_sid=effect.call_sid, recording_sid=effect.recording_sid, trim=effect.trim)
        takes[effect.recording_sid] = effect.owner, Take(mixed, self._clock.now())
        self._post(RecordingBegan(lane=effect.owner, recording_sid=effect.recording_sid))

    def room_sound(self, room: str, seconds: float, kind: str, text: str) -> None:
        """Somebody whom the whole room hears begins to speak."""
        for _, take in self._rooms.get(room, {}).values():
            take.sound(self._clock.now(), seconds, 0, kind, text)

    def stop_room(self, recording_sid: str) -> None:
        """Finish one recording of a room; an unknown one is fine."""
        for takes in self._rooms.values():
            found = takes.pop(recording_sid, None)
            if found is not None:
                owner, take = found
                self._spawn(self._finish(owner, take, take.length(self._clock.now())))

    def close_room(self, room: str) -> None:
        """The room is empty: its recordings end."""
        for recording_sid in list(self._rooms.get(room, {})):
            self.stop_room(recording_sid)
        self._rooms.pop(room, None)

    def _listen_for_silence(self, party: Party, take: Take) -> None:
        timeout = take.effect.silence_timeout
        if timeout is None:
            return
        if take.alarm is not None:
            take.alarm.cancel()
        sid = take.effect.recording_sid
        take.alarm = self._clock.call_at(
            take.quiet_since + timeout,
            lambda: self._post(RecordingSilent(lane=Lane("call", party.sid), recording_sid=sid)),
        )

    async def _finish(self, lane: Lane, take: Take, length: float) -> None:
        from ringback.edges.simulator.wavefile import write_take

        sid = take.effect.recording_sid
        path = wav_file(self._recordings, sid)
        problem = ""
        try:
            spoken = await self._rendered(take)
            written = await asyncio.to_thread(write_take, take, length, spoken, path)
            seconds, silent, size = written
            if take.effect.transcribe and self._note is not None:
                await asyncio.to_thread(self._note, sid, take.words())
        except (OSError, ValueError) as error:
            seconds, silent, size, problem = 0.0, True, 0, str(error)
        self._post(
            RecordingEnded(
                lane=lane, recording_sid=sid, seconds=seconds, silent=silent, size=size, problem=problem
            )
        )

    async def _rendered(self, take: Take) -> dict[str, Path]:
        """Files of what the party said; a text that cannot be rendered becomes a tone."""
        spoken: dict[str, Path] = {}
        texts = {
            segment.text for segment in take.segments if segment.kind == "speech" and segment.channel == 0
        }
        for text in texts if self._render is not None else ():
            assert self._render is not None
            try:
                spoken[text] = await self._render(text)
            except Exception as error:  # noqa: BLE001 - a recording with a tone is better than none
                log.warning("speech for a simulated caller could not be rendered: %s", error)
        return spoken
