"""All live conferences of the process: coming, going, starting and ending (twiml.md §5.3).

One synchronous object, hung on the switchboard. Each method answers with the effects that belong into
the commit of the leg (or the request) that caused the change; other legs are told by ``ParticipantTold``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from ringback.effects import Answer, Effect, LeaveRoom, Post, Save, StartTimer, StopTimer, Tone
from ringback.events import HangUpRequested, RecordingEnded
from ringback.events.conferences import ParticipantTold
from ringback.events.writes import WriteRequested
from ringback.kernel.errors import Refused
from ringback.kernel.lane import Lane
from ringback.resources.api.conference import Conference
from ringback.resources.api.participant import Participant
from ringback.resources.api.recording import Recording
from ringback.voice.conference.room import Makers, Room, recording_over, told
from ringback.voice.params import Params
from ringback.voice.recording import change

NAME_LIMIT: Final = 128
BEEP: Final = (Tone("beep"),)
_ENTERS, _EXITS = ("true", "onEnter"), ("true", "onExit")
FILE = "file "
"""Timer of a recording whose conference is over: after it the file is given up."""
FILE_WAIT = 120.0


@dataclass(slots=True)
class Entry:
    """A leg has come in."""

    room: Room
    seat: Participant
    effects: list[Effect]


class Conferences:
    """Every conference that is not over, by account and name, by SID, and by the calls in it."""

    def __init__(self, make: Makers) -> None:
        self.make = make
        self._by_name: dict[tuple[str, str], Room] = {}
        self._by_sid: dict[str, Room] = {}
        self._of_call: dict[str, Room] = {}
        self._ringing: dict[str, Room] = {}
        """Who hears a call ring."""
        self._finishing: dict[str, Recording] = {}
        """Recordings whose file is not reported yet, also of conferences that are over."""

    # --- looking -------------------------------------------------------------------------------------

    def room(self, sid: str) -> Room | None:
        """A live conference by its SID."""
        return self._by_sid.get(sid)

    def named(self, account_sid: str, name: str) -> Room | None:
        """A live conference by its name."""
        return self._by_name.get((account_sid, name))

    def of(self, call_sid: str) -> Room | None:
        """The conference that a call is in, or is being called into."""
        return self._of_call.get(call_sid)

    @property
    def live(self) -> int:
        """Conferences that are not over."""
        return len(self._by_sid)

    # --- coming ----------------------------------------------------------------------------------------

    def _open(self, account_sid: str, name: str, now: float, region: str, limit: int, sid: str) -> Room:
        record = Conference(
            sid=sid or self.make.new_sid("CF"), account_sid=account_sid, date_created=now, date_updated=now,
            friendly_name=name, region=region,
        )  # fmt: skip
        return Room(record, self.make, limit)

    def _keep(self, room: Room, call_sid: str) -> None:
        self._by_sid[room.sid] = room
        self._by_name[room.record.account_sid, room.record.friendly_name] = room
        self._of_call[call_sid] = room

    def _find(self, account_sid: str, attributes: dict[str, Any], now: float, sid: str = "") -> Room:
        name, limit = attributes["name"], attributes.get("maxParticipants") or 250
        if not name or len(name) > NAME_LIMIT:
            raise Refused(13237, f"A conference's name has 1 to {NAME_LIMIT} characters")
        region = attributes.get("region") or "us1"
        return self.named(account_sid, name) or self._open(account_sid, name, now, region, limit, sid)

    def enter(
        self, call_sid: str, account_sid: str, attributes: dict[str, Any], now: float, queue_time: int = 0
    ) -> Entry:
        """A leg comes in; starts the conference when it is the one that was missing.

        ``attributes``: those of ``<Conference>`` by their TwiML names, and ``name``; URLs are absolute.
        ``queue_time``: milliseconds that the call was queued. Raises :class:`Refused`; nothing is changed then.
        """
        room = self._find(account_sid, attributes, now)
        room.check_space(attributes.get("maxParticipants") or 250, call_sid)
        label, coach = attributes.get("participantLabel"), attributes.get("coach")
        room.check_label(label, call_sid)
        room.check_coach(coach, call_sid)
        seat = seat_of(room.sid, call_sid, account_sid, attributes, now)
        seat.queue_time = queue_time
        elsewhere = self._of_call.get(call_sid)
        away = [] if elsewhere in (None, room) else self.gone(call_sid, now, "failed")
        room.expected.pop(call_sid, None)
        self._keep(room, call_sid)
        room.seats[call_sid] = seat
        effects = self._subscribe(room, attributes)
        early = room.early == call_sid
        effects += self._rings_no_more(call_sid)
        effects += room.tell("participant-join", now, seat)
        was = room.started
        ready = len(room.seats) > 1 and any(one.start_conference_on_enter for one in room.seats.values())
        if not was and ready:
            room.step("start", now)
            effects += room.tell("conference-start", now)
            effects += _post(room, "started", but=call_sid)
        if early and not room.started:
            effects.append(LeaveRoom(call_sid=call_sid))  # it was heard while it rang; now it waits as well
        if room.started and seat.beep in _ENTERS:
            effects += _post(room, "sound", but="", sounds=BEEP)
        if room.started:
            effects += self._record(room, call_sid, now)
        return Entry(room, seat, [*away, room.save(now), *effects])

    def _subscribe(self, room: Room, attributes: dict[str, Any]) -> list[Effect]:
        """The callbacks that it names; should it be the first to ask who speaks, those who talk are watched."""
        before = room.tells_speech
        room.subscribe(attributes)
        return _post(room, "watched", but="") if room.started and room.tells_speech and not before else []

    def rings(self, room: Room, call_sid: str) -> list[Effect]:
        """A call that is to come into the room rings: those who wait there hear it."""
        room.ringing.add(call_sid)
        self._ringing[call_sid] = room
        return _post(room, "ringing", but="")

    def _rings_no_more(self, call_sid: str) -> list[Effect]:
        room = self._ringing.pop(call_sid, None)
        if room is None:
            return []
        room.ringing.discard(call_sid)
        room.early = "" if room.early == call_sid else room.early
        return [] if room.started else _post(room, "ringing", but=call_sid)

    def _record(self, room: Room, leg: str, now: float) -> list[Effect]:
        effects = room.record_now(leg, now)
        if room.recording is not None:
            self._finishing[room.recording.sid] = room.recording
        return effects

    def expect(
        self,
        sid: str,
        call_sid: str,
        account_sid: str,
        attributes: dict[str, Any],
        now: float,
        *,
        fresh: bool = True,
    ) -> Entry:
        """Somebody is being called into a conference; a fresh one is made when there is none of that name.

        Raises :class:`Refused` (16022 for one that is over); nothing is changed then.
        """
        if not fresh and sid not in self._by_sid:
            raise Refused(16022, "The conference is over")
        room = self._find(account_sid, attributes, now, sid)
        room.check_label(attributes.get("participantLabel"), call_sid)
        room.check_coach(attributes.get("coach"), call_sid)
        if len(room.everybody) >= min(room.limit, attributes.get("maxParticipants") or 250):
            raise Refused(16020, f"The conference {room.record.friendly_name!r} is full")
        seat = seat_of(room.sid, call_sid, account_sid, attributes, now)
        seat.status = "queued"
        self._keep(room, call_sid)
        room.expected[call_sid] = seat
        return Entry(room, seat, [*self._subscribe(room, attributes), room.save(now)])

    # --- going ------------------------------------------------------------------------------------------

    def leave(
        self, call_sid: str, now: float, reason: str, call_status: str, *, kicked: bool = False
    ) -> list[Effect]:
        """A leg goes; with it, perhaps, the conference. None of them is fine: it was ended before."""
        room = self._of_call.pop(call_sid, None)
        if room is None:
            return []
        seat = room.seats.pop(call_sid, None)
        if seat is None:
            room.expected.pop(call_sid)
            return [] if room.everybody else self.end(room, now, "last-participant-left", call_sid)
        gone = [("ParticipantCallStatus", call_status), ("ReasonParticipantLeft", reason)]
        effects = room.tell("participant-leave", now, seat, gone)
        how = "kicked" if kicked else "left"
        if seat.end_conference_on_exit:
            why = f"participant-with-end-conference-on-exit-{how}"
            return effects + self.end(room, now, why, call_sid, seat.label)
        if not room.everybody:
            return effects + self.end(room, now, f"last-participant-{how}", call_sid, seat.label)
        if room.started and seat.beep in _EXITS:
            effects += _post(room, "sound", but="", sounds=BEEP)
        return [*effects, room.save(now)]

    def gone(self, call_sid: str, now: float, call_status: str) -> list[Effect]:
        """A call is over, however that came: nothing of it stays behind."""
        quiet = self._rings_no_more(call_sid)
        if quiet:
            quiet.append(LeaveRoom(call_sid=call_sid))
        room = self._of_call.get(call_sid)
        if room is None:
            return quiet
        seat = room.expected.get(call_sid)
        if seat is None:
            return quiet + self.leave(call_sid, now, "participant_hung_up", call_status)
        seat.status = "failed"
        facts = [
            ("ParticipantCallStatus", call_status),
            ("ReasonParticipantLeft", "participant_add_failed"),
        ]
        told_of = room.tell("participant-leave", now, seat, facts)
        return [*quiet, *told_of, *self.leave(call_sid, now, "", "")]

    def end(
        self, room: Room, now: float, why: str, call_sid: str = "", label: str | None = None
    ) -> list[Effect]:
        """Everybody is out at once, and the conference completed, all in this commit."""
        record = room.record
        left = (
            "conference_ended_via_api" if why == "conference-ended-via-api" else "moderator_ended_conference"
        )
        effects: list[Effect] = list(room.stop_recording(room.recording_leg or call_sid))
        if room.recording is not None:
            name = FILE + room.recording.sid
            effects.append(
                StartTimer(lane=Lane("conference", record.sid), name=name, seconds=FILE_WAIT, pulls=False)
            )
        for sid, seat in room.seats.items():
            facts = [("ParticipantCallStatus", "in-progress"), ("ReasonParticipantLeft", left)]
            effects += room.tell("participant-leave", now, seat, facts)
            effects.append(Post(ParticipantTold(call_sid=sid, conference_sid=record.sid, change="ended")))
        effects += [Post(HangUpRequested(call_sid=sid, reason="api")) for sid in room.expected]
        for sid in (*room.seats, *room.expected):
            self._of_call.pop(sid, None)
        for sid in room.ringing:
            self._ringing.pop(sid, None)
        room.seats.clear()
        room.expected.clear()
        self._by_sid.pop(record.sid, None)
        self._by_name.pop((record.account_sid, record.friendly_name), None)
        room.announcing.clear()
        room.step("end", now)
        record.reason_conference_ended = why
        record.call_sid_ending_conference = call_sid or None
        effects += room.tell("conference-end", now, None, _end_facts(why, call_sid, label))
        return [*effects, room.save(now)]

    def change_recording(self, event: WriteRequested, now: float) -> list[Effect]:
        """POST Recordings/{sid} of the conference: pause, resume, stop. Raises :class:`Refused`."""
        room = self._by_sid.get(event.lane.sid)
        running = room.recording if room is not None else None
        record = running if running is not None and running.sid == event.sid else None
        leg = "" if room is None else room.recording_leg
        wanted = change.read(record, event.params, leg)
        assert record is not None
        shown = change.changed(record, wanted, now)
        return [wanted.effect, Save(record.copy()), Answer(value=shown)]

    def recorded(self, event: RecordingEnded, now: float) -> list[Effect]:
        """The file of a recording is there, or given up."""
        recording = self._finishing.pop(event.recording_sid, None)
        if recording is None:
            return []
        room = self._by_sid.get(event.lane.sid)
        if room is not None and room.recording is recording:
            room.recording = room.wanted = None
        guard = StopTimer(lane=event.lane, name=FILE + recording.sid)
        return [guard, *recording_over(recording, event, self.make, now)]


def seat_of(
    conference_sid: str, call_sid: str, account_sid: str, attributes: dict[str, Any], now: float
) -> Participant:
    """A participant as the attributes describe it; what they leave out has TwiML's default."""
    coach = attributes.get("coach")
    start = attributes.get("startConferenceOnEnter")
    return Participant(
        sid=call_sid,
        account_sid=account_sid,
        date_created=now,
        date_updated=now,
        conference_sid=conference_sid,
        call_sid=call_sid,
        label=attributes.get("participantLabel"),
        muted=bool(attributes.get("muted")),
        coaching=coach is not None,
        call_sid_to_coach=coach,
        start_conference_on_enter=True if start is None else bool(start),
        end_conference_on_exit=bool(attributes.get("endConferenceOnExit")),
        beep=attributes.get("beep") or "true",
        wait_url=attributes.get("waitUrl"),
        wait_method=attributes.get("waitMethod") or "POST",
    )


def lost(record: Conference, now: float, make: Makers) -> list[Effect]:
    """After a restart: nobody is in it any more. Its legs were lost with the process."""
    if record.status == "completed":
        return []
    why = record.reason_conference_ended = "last-participant-left"
    record.status, record.date_updated = "completed", now
    hooks = told(record, "conference-end", now, make.new_token(), None, _end_facts(why, "", None))
    return [*hooks, Save(record.copy())]


def _end_facts(why: str, call_sid: str, label: str | None) -> Params:
    facts: Params = [("ReasonConferenceEnded", why), ("Reason", why.replace("-", " ").capitalize())]
    if call_sid:
        facts.append(("CallSidEndingConference", call_sid))
    if label:
        facts.append(("ParticipantLabelEndingConference", label))
    return facts


def _post(room: Room, change: Any, *, but: str, sounds: Iterable[Any] = ()) -> list[Effect]:
    return [
        Post(ParticipantTold(call_sid=sid, conference_sid=room.sid, change=change, sounds=tuple(sounds)))
        for sid in room.seats
        if sid != but
    ]
