"""Conferences: what REST asks of them, and what a conference tells its legs (twiml.md §5.3)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from ringback.events import CallEvent, Event
from ringback.kernel.lane import Lane


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantTold(CallEvent):
    """A conference tells ``call_sid``, one of its legs, what happened to all of them."""

    conference_sid: str
    change: Literal["started", "ended", "sound", "ringing", "watched"]
    """``started``: the talk begins; ``ended``: the leg is a participant no more; ``sound``: play something;
    ``ringing``: a party's phone rings, or does so no more; ``watched``: somebody wants to know who speaks."""
    sounds: tuple[Any, ...] = ()
    """Audio items of effects, for ``sound``."""
    announcement: str | None = None
    """The AnnounceUrl that the sounds come from; None: a beep, which only those who talk hear."""
    reports: bool = False
    """Whether this leg tells the conference that the announcement is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechChanged(CallEvent):
    """A leg that is watched (``WatchSpeech``) begins to be heard in its room, or has ceased to be."""

    outside: ClassVar[bool] = True

    speaking: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantRequested(CallEvent):
    """POST Participants: call somebody into a conference (``call_sid`` is the new call)."""

    account_sid: str
    conference_sid: str
    """The conference, or the SID that a new one is to have."""
    fresh: bool = False
    """Whether it is to be made, unless there is one of that name by now."""
    name: str
    """The conference's name."""
    params: dict[str, list[str]]
    """The form as received."""
    caller_number_sid: str | None = None
    """SID of our number or verified caller id that ``From`` is; None when it is neither."""
    trial_callee_verified: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantUpdateRequested(CallEvent):
    """POST Participants/{CallSid}: mute, hold, coach, announce … (``call_sid`` is the participant)."""

    conference_sid: str
    """Empty: whichever it takes part in (TaskRouter knows legs, not conferences)."""
    params: dict[str, list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantRemovalRequested(CallEvent):
    """DELETE Participants/{CallSid}: out of the conference; the call goes on with its document."""

    conference_sid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConferenceUpdateRequested(Event):
    """POST Conferences/{CF}: end it, or announce something."""

    conference_sid: str
    params: dict[str, list[str]] = field(default_factory=dict)

    @property
    def lane(self) -> Lane:
        """The conference's."""
        return Lane("conference", self.conference_sid)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConferenceLost(Event):
    """After a restart: the conference was not completed."""

    conference: Any
    """The stored Conference record."""

    @property
    def lane(self) -> Lane:
        """The conference's."""
        return Lane("conference", self.conference.sid)
