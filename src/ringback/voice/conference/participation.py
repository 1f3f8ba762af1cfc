"""One leg's part in a conference: what it hears, how it takes part, and when it leaves (twiml.md §5.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, Literal

from ringback.effects import Join, LeaveRoom, StopAudio, Tone
from ringback.effects.conferences import BoundDelay, WatchSpeech
from ringback.events import DigitPressed, Event, PlaybackEnded, TimerFired
from ringback.events.conferences import (
    ParticipantTold,
    SpeechChanged,
)
from ringback.events.writes import WriteRequested
from ringback.kernel.errors import Refused
from ringback.resources.api.participant import Participant
from ringback.voice.call import task_leg
from ringback.voice.conference import announcement
from ringback.voice.conference.live import Entry
from ringback.voice.form import Form
from ringback.voice.params import Params
from ringback.voice.stage import Stage
from ringback.voice.steps import HungUp, Interrupted, Redirected, Source, Steps
from ringback.voice.wait import loop

VERBS: Final = frozenset({"Play", "Say", "Pause", "Redirect"})
"""What documents of waitUrl and holdUrl may hold; anything else is 13238."""
MUSIC: Final = (Tone("hold-music"),)
RINGING: Final = (Tone("ringback-us"),)
DELAYS: Final = {"off": 20, "small": 60, "medium": 120, "large": None}
"""``jitterBufferSize`` → milliseconds to which the leg's jitter buffer may grow; None: as far as it ever does. It
adapts within that, and a stream cannot be mixed with less than one frame in store: that is ``off``."""
LIMIT: Final = "conference-limit"
"""Timer of the Dial's ``timeLimit``."""

Hears = Literal["wait", "ringing", "early", "hold", "talk", "announcement"]
"""``ringing``: that somebody's phone rings; ``early``: that call itself, before it is answered."""


class _Over(Interrupted):
    """What sounds is not wanted any more."""


def take_part(session: Stage, attributes: dict[str, Any]) -> Steps[str]:
    """Take part until the leg leaves; gives why: ``failed`` (it never came in), ``ended``, ``kicked``,
    ``star`` or ``time-limit``.

    ``attributes``: those of ``<Conference>`` by their TwiML names, read, URLs absolute, and ``name``; of the
    Dial around it ``hangupOnStar`` and ``timeLimit`` (seconds). The leg is answered. A hang-up or a
    redirection leaves the conference and passes.
    """
    conferences = session.board.conferences
    try:
        entry = conferences.enter(
            session.call.sid, session.call.account_sid, attributes, session.now, session.call.queue_time
        )
    except Refused as refusal:
        session.warn(refusal.code, refusal.message)
        session.out += conferences.gone(session.call.sid, session.now, "failed")
        return "failed"
    part = Participation(session, attributes, entry)
    session.keep(part)
    task_leg.joined(session, entry.room.sid, entry.room.record.friendly_name)
    try:
        part.begin(entry)
        while not (why := part.take((yield))):
            pass
        part.leave(
            "participant_updated_via_api" if why == "kicked" else "participant_hung_up", why == "kicked"
        )
        return why
    except HungUp:
        part.leave("participant_hung_up")
        raise
    except Redirected:
        part.leave("participant_updated_via_api")
        raise
    finally:
        session.drop(Participation)


class Participation:
    """A leg that is in a conference."""

    def __init__(self, session: Stage, attributes: dict[str, Any], entry: Entry) -> None:
        self.session, self.room, self.seat = session, entry.room, entry.seat
        self._star = bool(attributes.get("hangupOnStar"))
        self._limit: int | None = attributes.get("timeLimit")
        self._delay = DELAYS[attributes.get("jitterBufferSize") or "large"]
        self._watched = self._speaking = False
        """Whether it is followed when this leg speaks, and whether it does."""
        self._hears: Hears | None = None
        self._in_early = False
        """In the room before the start, with a call that is not answered."""
        self._loop: Steps[Any] | None = None
        """The wait or hold experience, while it runs."""
        self._announcement = ""
        """The playback of an announcement."""
        self._reporting: str | None = None
        """The AnnounceUrl whose end this leg reports."""
        self._held = False
        """A transfer has put it on hold, and nobody has said anything else since."""
        self._ends: bool | None = None
        """Whether the conference is to end with it once the transfer is off; None: there is no transfer, or somebody
        has said since what is to happen."""

    # --- coming and going ---------------------------------------------------------------------------

    def begin(self, entry: Entry) -> None:
        """Into the room, or into the wait experience."""
        session = self.session
        if self._limit is not None:
            session.timer(LIMIT, self._limit, pulls=False)
        if self._delay is not None:
            session.do(BoundDelay(call_sid=session.call.sid, milliseconds=self._delay))
        if self.room.started:
            self._join()
        session.out += entry.effects
        self._settle()

    def leave(self, reason: str, kicked: bool = False) -> None:
        """Out of everything; ``reason`` is told of, unless the conference was over before."""
        session = self.session
        session.stop_timer(LIMIT)
        self._hush()
        if self._watched:
            session.do(WatchSpeech(call_sid=session.call.sid, on=False))
        if self._delay is not None:
            session.do(BoundDelay(call_sid=session.call.sid, milliseconds=None))
        session.do(LeaveRoom(call_sid=session.call.sid))
        self._report()
        session.out += session.board.conferences.leave(
            session.call.sid, session.now, reason, session.call.status, kicked=kicked
        )

    # --- events ----------------------------------------------------------------------------------------

    def take(self, event: Event) -> str:
        """One event of the call; gives why the leg is to leave, or nothing."""
        here = self.room.sid
        if isinstance(event, ParticipantTold):
            return self._told(event) if event.conference_sid == here else ""
        if isinstance(event, WriteRequested):  # its removal; changes do not come this way
            return "kicked" if event.parent_sid in ("", here) else ""
        if isinstance(event, SpeechChanged):
            self._speech(event.speaking)
            return ""
        if isinstance(event, DigitPressed) and event.digit == "*" and self._star:
            return "star"
        if isinstance(event, TimerFired) and event.name == LIMIT:
            self.session.warn(32015, f"Dial lasted its timeLimit of {self._limit} seconds")
            return "time-limit"
        if isinstance(event, PlaybackEnded) and event.playback == self._announcement:
            self._announcement = ""
            self._report()
            self._settle()
        elif self._loop is not None:
            loop = self._loop
            self._step(lambda: loop.send(event))
        return ""

    def _told(self, event: ParticipantTold) -> str:
        if event.change == "ended":
            return "ended"
        if event.change == "started":
            self._join()
            self._settle()
        elif event.change == "ringing":
            self._settle()
        elif event.change == "watched":
            self._watch()
        elif event.announcement is None:
            if self._hears == "talk":
                self.session.start_audio(event.sounds)
        else:
            self._hush()
            self._report()
            self._hears = "announcement"
            self._announcement = self.session.start_audio(event.sounds)
            self._reporting = event.announcement if event.reports else None
        return ""

    def _report(self) -> None:
        """The announcement that this leg reports is over, to its end or not."""
        if self._reporting is None:
            return
        url, self._reporting = self._reporting, None
        if self.room.record.status != "completed":
            facts = [("AnnounceUrl", url)]
            self.session.out += self.room.tell("announcement-end", self.session.now, None, facts)

    # --- what the leg hears --------------------------------------------------------------------------

    def _join(self) -> None:
        seat = self.seat
        self.session.do(
            Join(
                call_sid=seat.call_sid, room=self.room.sid, muted=seat.muted, hold=seat.hold,
                coach=seat.call_sid_to_coach if seat.coaching else None,
            )
        )  # fmt: skip
        self._watch()

    def _watch(self) -> None:
        """Have it reported when this leg speaks, if anybody wants to know."""
        if not self._watched and self.room.started and self.room.tells_speech:
            self._watched = True
            self.session.do(WatchSpeech(call_sid=self.seat.call_sid, on=True))

    def _speech(self, speaking: bool) -> None:
        """This leg begins to speak, or has ceased to."""
        if not self._watched or speaking == self._speaking or self.room.record.status == "completed":
            return  # of an earlier stay, or crossed by the end of the conference
        self._speaking, now = speaking, self.session.now
        event = "participant-speech-start" if speaking else "participant-speech-stop"
        self.session.out += [*self.room.tell(event, now, self.seat), self.room.save(now)]

    def _settle(self, afresh: bool = False) -> None:
        """Let the leg hear what belongs to its state; an announcement is not interrupted."""
        if self._announcement:
            return
        wanted = self._wanted()
        if wanted == self._hears and not afresh:
            return
        self._hush()
        if self._in_early and wanted not in ("early", "talk", "hold"):
            self._in_early = False
            self.session.do(LeaveRoom(call_sid=self.seat.call_sid))
        self._hears = wanted
        if wanted == "hold":
            self._run(self.seat.hold_url, self.seat.hold_method)
        elif wanted == "wait":
            self._run(self.seat.wait_url, self.seat.wait_method)
        elif wanted == "ringing":
            self._run(None, "POST", RINGING)
        elif wanted == "early":
            self._in_early = True
            self._join()

    def _wanted(self) -> Hears:
        room = self.room
        if self.seat.hold:
            return "hold"
        if room.started:
            return "talk"
        return "early" if room.early else "ringing" if room.ringing else "wait"

    def _run(self, url: str | None, method: str, default: tuple[Tone, ...] = MUSIC) -> None:
        source = None if url is None else Source(url=url, method=method)
        steps = self._loop = loop(self.session, source, self._facts, verbs=VERBS, code=13238, default=default)
        self._step(lambda: next(steps))

    def _step(self, move: Callable[[], None]) -> None:
        """Move the wait or hold experience on; should its document be bad, music takes its place."""
        url = self.seat.hold_url if self._hears == "hold" else self.seat.wait_url
        try:
            move()
        except StopIteration:
            self._loop = None
            if url is not None:
                self._run(None, "POST")

    def _hush(self) -> None:
        """Stop what only this leg hears."""
        session = self.session
        if self._announcement:
            session.do(StopAudio(call_sid=session.call.sid, playback=self._announcement))
            self._announcement = ""
        steps, self._loop = self._loop, None
        if steps is None:
            return
        try:
            steps.throw(_Over())
        except (_Over, StopIteration):
            return
        steps.close()  # it waits although it was interrupted: it has no say any more

    def _facts(self) -> Params:
        record = self.room.record
        return [("ConferenceSid", record.sid), ("FriendlyName", record.friendly_name)]

    # --- REST ------------------------------------------------------------------------------------------

    def change(self, params: dict[str, list[str]]) -> Participant:
        """POST Participants/{CallSid}: everything is checked before anything is changed."""
        seat, session = self.seat, self.session
        form = Form(params)
        held = self._held and "Hold" not in params
        ends = self._ends if "EndConferenceOnExit" not in params else None
        wanted = _read(form, seat, silence="WaitUrl" in params)
        announce, announce_method = form.url("AnnounceUrl", 21205), form.method("AnnounceMethod")
        if wanted.coaching and wanted.call_sid_to_coach != seat.call_sid_to_coach:
            self.room.check_coach(wanted.call_sid_to_coach, seat.call_sid)
        announcing = []
        if announce is not None:
            announcing = announcement.ask(self.room, announce, announce_method, seat.call_sid)
        before, now = seat.copy(), session.now
        self._held, self._ends = held, ends
        for name in _CHANGEABLE:
            setattr(seat, name, getattr(wanted, name))
        events = []
        if seat.muted != before.muted:
            events.append("participant-mute" if seat.muted else "participant-unmute")
        if seat.hold != before.hold:
            events.append("participant-hold" if seat.hold else "participant-unhold")
        if any(getattr(seat, name) != getattr(before, name) for name in _MODIFIES):
            events.append("participant-modify")
        if events or seat != before:
            seat.date_updated = now
        heard = any(getattr(seat, name) != getattr(before, name) for name in _HEARD)
        if heard and (self.room.started or self._in_early):
            self._join()
        sounds = ("hold_url", "hold_method") if seat.hold else ("wait_url", "wait_method")
        changed = any(getattr(seat, name) != getattr(before, name) for name in sounds)
        self._settle(afresh=changed and self._hears in ("hold", "wait"))
        for event in events:
            session.out += self.room.tell(event, now, seat)
        if events:
            session.do(self.room.save(now))
        session.out += announcing
        return seat.copy()

    def transferred(self, change: str) -> None:
        """What a transfer does to this leg (``TransferTold``): as by REST, and told as such."""
        seat = self.seat
        if change == "hold" and not seat.hold:
            self.change({"Hold": ["true"]})
            self._held = True
        elif seat.hold and (change == "talk" or (change == "unhold" and self._held)):
            self.change({"Hold": ["false"]})
        elif change == "outlive" and seat.end_conference_on_exit:
            self.change({"EndConferenceOnExit": ["false"]})
            self._ends = True
        elif change == "restore" and self._ends:
            self.change({"EndConferenceOnExit": ["true"]})


_HEARD: Final = ("muted", "hold", "coaching", "call_sid_to_coach")
_MODIFIES: Final = (
    "coaching",
    "call_sid_to_coach",
    "end_conference_on_exit",
    "beep",
    "wait_url",
    "wait_method",
)
_CHANGEABLE: Final = ("muted", "hold", "hold_url", "hold_method", *_MODIFIES)


def _read(form: Form, seat: Participant, *, silence: bool) -> Participant:
    """The participant as the request wants it; raises :class:`Refused`. ``silence``: WaitUrl was given."""
    wanted = replace(
        seat,
        muted=form.boolean("Muted", seat.muted),
        hold=form.boolean("Hold", seat.hold),
        end_conference_on_exit=form.boolean("EndConferenceOnExit", seat.end_conference_on_exit),
        coaching=form.boolean("Coaching", seat.coaching),
    )
    wanted.hold_url = form.url("HoldUrl", 21205) or wanted.hold_url
    wanted.hold_method = form.method("HoldMethod", wanted.hold_method)
    if silence:
        wanted.wait_url = form.url("WaitUrl", 21205) or ""
    wanted.wait_method = form.method("WaitMethod", wanted.wait_method)
    enters = seat.beep in ("true", "onEnter")
    exits = form.boolean("BeepOnExit", seat.beep in ("true", "onExit"))
    wanted.beep = {(True, True): "true", (True, False): "onEnter", (False, True): "onExit"}.get(
        (enters, exits), "false"
    )
    wanted.call_sid_to_coach = form.get("CallSidToCoach") or wanted.call_sid_to_coach
    if form.get("CallSidToCoach") and not form.get("Coaching"):
        wanted.coaching = True
    if wanted.coaching and not wanted.call_sid_to_coach:
        raise form.refuse(20001, "Coaching needs CallSidToCoach: who is coached?")
    if not wanted.coaching:
        wanted.call_sid_to_coach = None
    return wanted
