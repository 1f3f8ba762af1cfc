"""What is asked of a conference and its participants by REST, and what is reported to the conference's own lane."""

from __future__ import annotations

from typing import Final

from ringback.effects import Answer, Effect
from ringback.events import DocumentFetched, Event, RecordingEnded, TimerFired
from ringback.events.conferences import ConferenceLost, TransferTold
from ringback.events.writes import WriteRequested
from ringback.resources.api.participant import Participant
from ringback.voice.conference import announcement
from ringback.voice.conference.live import FILE, Conferences, lost
from ringback.voice.conference.participation import Participation
from ringback.voice.form import Form
from ringback.voice.stage import Stage

PARAMETERS: Final = frozenset(
    "Muted Hold HoldUrl HoldMethod AnnounceUrl AnnounceMethod WaitUrl WaitMethod BeepOnExit "
    "EndConferenceOnExit Coaching CallSidToCoach".split()
)
"""Of POST Participants/{CallSid}."""


def handle(conferences: Conferences, event: Event, now: float) -> list[Effect]:
    """An event in the lane of a conference; one that concerns nobody any more has no effects."""
    if isinstance(event, WriteRequested):
        recording = event.noun == "Recording"
        return conferences.change_recording(event, now) if recording else _update(conferences, event, now)
    if isinstance(event, ConferenceLost):
        return lost(event.conference, now, conferences.make)
    if isinstance(event, DocumentFetched):
        room = conferences.room(event.lane.sid)
        return [] if room is None else announcement.fetched(room, event, now)
    if isinstance(event, RecordingEnded):
        return conferences.recorded(event, now)
    if isinstance(event, TimerFired) and event.name.startswith(FILE):
        sid = event.name.removeprefix(FILE)
        given_up = RecordingEnded(lane=event.lane, recording_sid=sid, seconds=0.0, silent=False)
        return conferences.recorded(given_up, now)
    return []


def crashed(conferences: Conferences, sid: str, now: float) -> list[Effect]:
    """After a bug in its lane: everybody is out, and it is completed."""
    room = conferences.room(sid)
    return [] if room is None else conferences.end(room, now, "last-participant-left")


def _update(conferences: Conferences, event: WriteRequested, now: float) -> list[Effect]:
    room = conferences.room(event.sid)
    form = Form(event.params)
    status, announce = form.get("Status"), form.url("AnnounceUrl", 21205)
    method = form.method("AnnounceMethod")
    if status not in ("", "completed"):
        raise form.refuse(16099, f"Status {status[:40]!r} is not completed")
    if room is None:
        if announce is not None:
            raise form.refuse(16022, "The conference is over")
        return []  # no Answer: the record is as stored
    effects: list[Effect] = []
    if status:
        effects += conferences.end(room, now, "conference-ended-via-api")
    elif announce is not None:
        effects += announcement.ask(room, announce, method, None)
    return [*effects, Answer(value=room.record.copy())]


def update_participant(session: Stage, event: WriteRequested) -> Participant:
    """POST Participants/{CallSid}; raises :class:`Refused`, 16001 for one who is still being called."""
    form = Form(event.params)
    part = session.part(Participation)
    if part is None or event.parent_sid not in ("", part.room.sid):
        raise form.refuse(16001, "The call is not in the conference (any more, or yet)")
    for code, text in form.unknown(PARAMETERS):
        session.warn(code, text)
    return part.change(event.params)


def transferred(session: Stage, event: TransferTold) -> None:
    """A transfer of the task that the call belongs to; one that is in no conference has nothing to do with it."""
    part = session.part(Participation)
    if part is not None:
        part.transferred(event.change)


def remove_participant(session: Stage, event: WriteRequested) -> None:
    """DELETE Participants/{CallSid}: out of the conference; one who is still being called is hung up."""
    if session.part(Participation) is not None:
        session.feed(event)
        return
    room = session.board.conferences.of(session.call.sid)
    if room is not None and event.parent_sid in ("", room.sid):
        session.hang_up("api")
