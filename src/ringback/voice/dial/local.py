"""Legs without a carrier: an application that was dialled is heard on its caller's leg (Asterisk's local channel).

What such a leg asks of a carrier is asked for the leg that has the audio; what that leg reports of it comes back. So
the application's documents may use every verb, and no sound passes through here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import structs

from ringback.effects import (
    AnswerLeg,
    DialLeg,
    Effect,
    HangUpLeg,
    Join,
    LegEffect,
    PlayAudio,
    Post,
    RecordLeg,
    RejectLeg,
    ReleaseCall,
    RingLeg,
    StopAudio,
)
from ringback.events import (
    ChildChanged,
    Event,
    LegEnded,
    PlaybackEnded,
    RecordingBegan,
    RecordingEnded,
    RecordingSilent,
)
from ringback.kernel.lane import Lane

_NOBODYS: Final = (DialLeg, RingLeg, RejectLeg)
"""Orders that mean nothing without a carrier."""


class LocalLegs:
    """The local legs that are live, each with the leg that has its audio."""

    def __init__(self) -> None:
        self._audio: dict[str, str] = {}
        self._parents: dict[str, str] = {}
        self._recordings: dict[str, str] = {}
        """Unfinished recordings that local legs ordered, with who did."""

    def open(self, call_sid: str, parent_sid: str) -> None:
        """A leg that is heard on its parent's; which may be a local one, too."""
        self._audio[call_sid] = self._audio.get(parent_sid, parent_sid)
        self._parents[call_sid] = parent_sid

    def inward(self, event: Event) -> Event | None:
        """A report about the leg that has the audio, as it is for the local leg that it concerns; None: for none."""
        if isinstance(event, PlaybackEnded):
            owner, _, name = event.playback.partition(" ")
            return structs.replace(event, call_sid=owner, playback=name) if owner in self._audio else None
        if isinstance(event, RecordingBegan | RecordingSilent | RecordingEnded) and self._recordings:
            owner = self._recordings.get(event.recording_sid, "")
            if isinstance(event, RecordingEnded):
                self._recordings.pop(event.recording_sid, None)
            return structs.replace(event, lane=Lane("call", owner)) if owner else None
        return None

    def outward(self, effects: Sequence[Effect]) -> Sequence[Effect]:
        """Effects in which every local leg is replaced by the one that has its audio."""
        return [*self._outward(effects)] if self._audio else effects

    def _outward(self, effects: Iterable[Effect]) -> Iterator[Effect]:
        for effect in effects:
            if isinstance(effect, ReleaseCall):
                self._audio.pop(effect.call_sid, None)
                self._parents.pop(effect.call_sid, None)
            if isinstance(effect, Join) and effect.coach in self._audio:
                effect = structs.replace(effect, coach=self._audio[effect.coach])
            if not isinstance(effect, LegEffect) or effect.call_sid not in self._audio:
                yield effect
            elif isinstance(effect, AnswerLeg):
                parent = self._parents[effect.call_sid]
                yield Post(ChildChanged(call_sid=parent, child_sid=effect.call_sid, change="answering"))
            elif isinstance(effect, HangUpLeg):
                yield Post(LegEnded(call_sid=effect.call_sid, by="local"))
            elif not isinstance(effect, _NOBODYS):
                yield self._moved(effect)

    def _moved(self, effect: LegEffect) -> LegEffect:
        own, audio = effect.call_sid, self._audio[effect.call_sid]
        if isinstance(effect, PlayAudio | StopAudio):
            return structs.replace(effect, call_sid=audio, playback=f"{own} {effect.playback}")
        if isinstance(effect, RecordLeg):
            self._recordings[effect.recording_sid] = own
        return structs.replace(effect, call_sid=audio)
