"""Legs without a carrier: an application that was dialled is heard on its caller's leg (Asterisk's local channel).

What such a leg asks of a carrier is asked for the leg that has the audio; what that leg reports of it comes back. So
the application's documents may use every verb, and no sound passes through here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from msgspec import structs

from ringback.effects import (
    AnswerLeg,
    DialLeg,
    EchoLeg,
    Effect,
    HangUpLeg,
    Join,
    LeaveRoom,
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


@dataclass(slots=True)
class _Local:
    """One local leg."""

    parent: str
    audio: str
    """The leg that has its audio."""
    playing: str = ""
    joined: bool = False
    echoes: bool = False


class LocalLegs:
    """The local legs that are live."""

    def __init__(self) -> None:
        self._legs: dict[str, _Local] = {}
        self._recordings: dict[str, str] = {}
        """Unfinished recordings that local legs ordered, with who did."""

    def open(self, call_sid: str, parent_sid: str) -> None:
        """A leg that is heard on its parent's; which may be a local one, too."""
        parent = self._legs.get(parent_sid)
        self._legs[call_sid] = _Local(parent_sid, parent_sid if parent is None else parent.audio)

    def inward(self, event: Event) -> Event | None:
        """A report about the leg that has the audio, as it is for the local leg that it concerns; None: for none."""
        if isinstance(event, PlaybackEnded):
            owner, _, name = event.playback.partition(" ")
            leg = self._legs.get(owner)
            if leg is None:
                return None
            leg.playing = "" if leg.playing == event.playback else leg.playing
            return structs.replace(event, call_sid=owner, playback=name)
        if isinstance(event, RecordingBegan | RecordingSilent | RecordingEnded) and self._recordings:
            owner = self._recordings.get(event.recording_sid, "")
            if isinstance(event, RecordingEnded):
                self._recordings.pop(event.recording_sid, None)
            return structs.replace(event, lane=Lane("call", owner)) if owner else None
        return None

    def outward(self, effects: Sequence[Effect]) -> Sequence[Effect]:
        """Effects in which every local leg is replaced by the one that has its audio."""
        return [*self._outward(effects)] if self._legs else effects

    def _outward(self, effects: Iterable[Effect]) -> Iterator[Effect]:
        for effect in effects:
            if isinstance(effect, ReleaseCall):
                yield from self._close(effect.call_sid)
            if isinstance(effect, Join) and (coached := self._legs.get(effect.coach or "")) is not None:
                effect = structs.replace(effect, coach=coached.audio)
            if isinstance(effect, DialLeg) and (caller := self._legs.get(effect.group)) is not None:
                effect = structs.replace(
                    effect, group=caller.audio
                )  # that is whom its callee will be heard by
            leg = self._legs.get(effect.call_sid) if isinstance(effect, LegEffect) else None
            if leg is None or not isinstance(effect, LegEffect):
                yield effect
            elif isinstance(effect, AnswerLeg):
                yield Post(ChildChanged(call_sid=leg.parent, child_sid=effect.call_sid, change="answering"))
            elif isinstance(effect, HangUpLeg):
                yield Post(LegEnded(call_sid=effect.call_sid, by="local"))
            elif not isinstance(effect, _NOBODYS):
                yield self._moved(effect, leg)

    def _moved(self, effect: LegEffect, leg: _Local) -> LegEffect:
        own = effect.call_sid
        if isinstance(effect, PlayAudio | StopAudio):
            name = f"{own} {effect.playback}"
            leg.playing = name if isinstance(effect, PlayAudio) else leg.playing
            return structs.replace(effect, call_sid=leg.audio, playback=name)
        if isinstance(effect, RecordLeg):
            self._recordings[effect.recording_sid] = own
        elif isinstance(effect, Join | LeaveRoom):
            leg.joined = isinstance(effect, Join)
        elif isinstance(effect, EchoLeg):
            leg.echoes = effect.on
        return structs.replace(effect, call_sid=leg.audio)

    def _close(self, call_sid: str) -> Iterator[Effect]:
        """The leg is over: what it has left on the other one goes with it, should it have ended by a bug."""
        leg = self._legs.pop(call_sid, None)
        if leg is None:
            return
        self._recordings = {sid: owner for sid, owner in self._recordings.items() if owner != call_sid}
        if leg.playing:
            yield StopAudio(call_sid=leg.audio, playback=leg.playing)
        if leg.joined:
            yield LeaveRoom(call_sid=leg.audio)
        if leg.echoes:
            yield EchoLeg(call_sid=leg.audio, on=False)
