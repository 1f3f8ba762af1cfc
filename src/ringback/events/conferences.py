"""What a conference tells its legs (twiml.md §5.3)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from ringback.events import CallEvent, Event
from ringback.kernel.lane import Lane


class ParticipantTold(CallEvent, frozen=True, kw_only=True):
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


class TransferTold(CallEvent, frozen=True, kw_only=True):
    """TaskRouter transfers a task: what becomes of one of its legs in the conference that it is in, if any."""

    change: Literal["hold", "unhold", "talk", "outlive", "restore"]
    """``hold``: put on hold, unless it is; ``unhold``: that hold ends, one that somebody else has asked for does not;
    ``talk``: every hold ends; ``outlive``: the conference does not end with this leg, whatever was said;
    ``restore``: as it was said."""


class SpeechChanged(CallEvent, frozen=True, kw_only=True):
    """A leg that is watched (``WatchSpeech``) begins to be heard in its room, or has ceased to be."""

    outside: ClassVar[bool] = True

    speaking: bool


class ConferenceLost(Event, frozen=True, kw_only=True):
    """After a restart: the conference was not completed."""

    conference: Any
    """The stored Conference record."""

    @property
    def lane(self) -> Lane:
        """The conference's."""
        return Lane("conference", self.conference.sid)
