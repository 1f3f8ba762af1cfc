"""One live conference: who is in it, who is told of it, and its recording (twiml.md §5.3). Pure state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from ringback.effects import Effect, FetchDocument, Save, SendWebhook, StopRecording
from ringback.effects.conferences import RecordRoom
from ringback.events import RecordingEnded
from ringback.kernel.errors import Refused
from ringback.kernel.lane import Lane
from ringback.kernel.sid import is_sid
from ringback.resources.api.conference import Conference
from ringback.resources.api.participant import Participant
from ringback.resources.api.recording import Recording
from ringback.voice.call.plan import RecordingPlan
from ringback.voice.params import Params, rfc2822
from ringback.voice.recording.status import settle, status_webhook

STEPS: Final = {
    ("init", "start"): "in-progress",
    ("init", "end"): "completed",
    ("in-progress", "end"): "completed",
}
"""(status, what happens) → status; everything else is a bug."""

GROUPS: Final = ("start", "end", "join", "leave", "mute", "hold", "modify", "speaker", "announcement")
"""What ``statusCallbackEvent`` may name."""
GROUP_OF: Final = {
    "conference-start": "start",
    "conference-end": "end",
    "participant-join": "join",
    "participant-leave": "leave",
    "participant-mute": "mute",
    "participant-unmute": "mute",
    "participant-hold": "hold",
    "participant-unhold": "hold",
    "participant-modify": "modify",
    "participant-speech-start": "speaker",
    "participant-speech-stop": "speaker",
    "announcement-end": "announcement",
    "announcement-fail": "announcement",
}
"""Event of a callback → what has to be subscribed. Who leaves while speaking ends the speech without a
``participant-speech-stop``."""
LABEL_LIMIT: Final = 128


@dataclass(slots=True, kw_only=True)
class Makers:
    """Where fresh names come from."""

    new_sid: Callable[[str], str]
    new_token: Callable[[], str]
    api_base: str


@dataclass(frozen=True, slots=True)
class Asked:
    """An announcement whose document is being fetched."""

    announce_url: str
    request: FetchDocument
    to: str | None
    """Call SID of the one who is to hear it; None: everybody."""
    hops: int = 0


@dataclass(slots=True)
class Room:
    """A conference that is not over. ``record`` is saved with every change."""

    record: Conference
    make: Makers
    limit: int = 250
    seats: dict[str, Participant] = field(default_factory=dict)
    """Those who are in it, by the SID of their call, in the order in which they came."""
    expected: dict[str, Participant] = field(default_factory=dict)
    """Those who are being called."""
    ringing: set[str] = field(default_factory=set)
    """Calls whose ringing those who wait for the start hear."""
    early: str = ""
    """The one of them that is heard itself (early media)."""
    recording: Recording | None = None
    """While it runs."""
    wanted: RecordingPlan | None = None
    """How to record it; None: not."""
    announcing: dict[str, Asked] = field(default_factory=dict)
    """By the id of the request."""
    announced: int = 0
    """Requests for announcements so far."""

    @property
    def sid(self) -> str:
        """Of the conference; the name of the media room too."""
        return self.record.sid

    @property
    def started(self) -> bool:
        """Whether the participants talk; before that they hear the wait experience."""
        return self.record.status == "in-progress"

    @property
    def tells_speech(self) -> bool:
        """Whether somebody wants to know who speaks."""
        return self.record.status_callback is not None and "speaker" in self.record.status_callback_event

    @property
    def everybody(self) -> list[Participant]:
        """Participants and those being called."""
        return [*self.seats.values(), *self.expected.values()]

    def find(self, word: str) -> Participant | None:
        """A participant by call SID or label."""
        known = self.seats.get(word) or self.expected.get(word)
        return known or next((one for one in self.everybody if one.label == word), None)

    def step(self, what: str, now: float) -> None:
        """Go to another status; raises ``KeyError`` for a step that the table does not have."""
        self.record.status = STEPS[self.record.status, what]
        self.record.date_updated = now

    def save(self, now: float) -> Save:
        """The record as it is now."""
        self.record.date_updated = now
        return Save(self.record.copy())

    # --- who may come in -------------------------------------------------------------------------

    def check_label(self, label: str | None, call_sid: str) -> None:
        """Raises :class:`Refused` for a label that is bad (16023, 16024) or taken (16025)."""
        if label is None:
            return
        if not 1 <= len(label) <= LABEL_LIMIT or "/" in label:
            raise Refused(
                16023, f"A participant's label has 1 to {LABEL_LIMIT} characters, none of them a slash"
            )
        if is_sid(label, "CA"):
            raise Refused(16024, "A participant's label must not look like the SID of a call")
        if any(one.label == label and one.call_sid != call_sid for one in self.everybody):
            raise Refused(16025, f"The label {label!r} is in use in this conference")

    def check_coach(self, coached: str | None, call_sid: str) -> None:
        """Raises :class:`Refused` when the coached party is absent (16028) or on hold (16027)."""
        if coached is None:
            return
        party = self.seats.get(coached)
        if party is None or coached == call_sid:
            raise Refused(16028, f"{coached}, who is to be coached, is not in the conference")
        if party.hold:
            raise Refused(16027, f"{coached}, who is to be coached, is on hold")

    def check_space(self, limit: int, call_sid: str) -> None:
        """Raises :class:`Refused` (16020) when there is no seat left: for what the first one, or this one, says."""
        if len(self.seats) >= min(self.limit, limit):
            raise Refused(16020, f"The conference {self.record.friendly_name!r} is full")

    # --- who is told -------------------------------------------------------------------------------

    def subscribe(self, attributes: dict[str, Any]) -> None:
        """The first one who names a callback, or wants a recording, decides for the conference."""
        record = self.record
        if attributes.get("statusCallback") and record.status_callback is None:
            record.status_callback = attributes["statusCallback"]
            record.status_callback_method = attributes.get("statusCallbackMethod") or "POST"
            record.status_callback_event = list(attributes.get("statusCallbackEvent") or ())
        if attributes.get("record") in ("record-from-start", "true", True) and self.wanted is None:
            self.wanted = RecordingPlan(
                source="Conference",
                trim=attributes.get("trim", "trim-silence") == "trim-silence",
                callback=attributes.get("recordingStatusCallback"),
                callback_method=attributes.get("recordingStatusCallbackMethod") or "POST",
                callback_events=attributes.get("recordingStatusCallbackEvent") or ["completed"],
            )

    def tell(
        self, event: str, now: float, seat: Participant | None = None, facts: Params | None = None
    ) -> list[Effect]:
        """The callback of an event, when it was subscribed; SequenceNumber counts what is sent, from 1."""
        return told(self.record, event, now, self.make.new_token(), seat, facts or [])

    # --- the recording ------------------------------------------------------------------------------

    def record_now(self, leg: str, now: float) -> list[Effect]:
        """Start the recording that somebody wants, once the conference runs; ``leg`` is in the media room."""
        if self.wanted is None or self.recording is not None or not self.started:
            return []
        plan = self.wanted
        self.recording = Recording(
            sid=self.make.new_sid("RE"),
            account_sid=self.record.account_sid,
            date_created=now,
            date_updated=now,
            conference_sid=self.sid,
            leg_sid=leg,
            start_time=now,
            source=plan.source,
            status_callback=plan.callback,
            status_callback_method=plan.callback_method,
            status_callback_event=list(plan.callback_events),
            trim=plan.trim,
        )
        effect = RecordRoom(
            call_sid=leg,
            room=self.sid,
            owner=Lane("conference", self.sid),
            recording_sid=self.recording.sid,
            trim=plan.trim,
        )
        return [Save(self.recording.copy()), effect, *recording_told(self.recording, self.make)]

    @property
    def recording_leg(self) -> str:
        """A leg whose carrier makes the file: the one that it began with, or another that is still here."""
        first = (self.recording.leg_sid if self.recording is not None else None) or ""
        return first if first in self.seats else next(iter(self.seats), "")

    def stop_recording(self, leg: str) -> list[Effect]:
        """Finish it; its file is reported later. ``leg`` has, or had last, the same carrier."""
        if self.recording is None:
            return []
        return [StopRecording(call_sid=leg, recording_sid=self.recording.sid)]


def told(
    record: Conference, event: str, now: float, token: str, seat: Participant | None, facts: Params
) -> list[Effect]:
    """One callback of a conference (twiml.md §5.3), or nothing when nobody subscribed to it."""
    if record.status_callback is None or GROUP_OF[event] not in record.status_callback_event:
        return []
    params: Params = [
        ("ConferenceSid", record.sid),
        ("FriendlyName", record.friendly_name),
        ("AccountSid", record.account_sid),
        ("SequenceNumber", str(record.sequence)),
        ("Timestamp", rfc2822(now)),
        ("StatusCallbackEvent", event),
    ]
    if seat is not None:
        params += seat_facts(seat)
    record.sequence += 1
    return [
        SendWebhook(
            key=record.sid, account_sid=record.account_sid, url=record.status_callback,
            method=record.status_callback_method, params=[*params, *facts], token=token, failure_code=16011,
        )
    ]  # fmt: skip


def seat_facts(seat: Participant) -> Params:
    """What the callbacks say of a participant."""
    facts: Params = [
        ("CallSid", seat.call_sid),
        *(
            (name, "true" if value else "false")
            for name, value in (
                ("Muted", seat.muted),
                ("Hold", seat.hold),
                ("Coaching", seat.coaching),
                ("EndConferenceOnExit", seat.end_conference_on_exit),
                ("StartConferenceOnEnter", seat.start_conference_on_enter),
            )
        ),
    ]
    return [*facts, ("ParticipantLabel", seat.label)] if seat.label else facts


def recording_told(recording: Recording, make: Makers) -> list[Effect]:
    """The recording's own callback for the status that it has, when it was subscribed."""
    hook = status_webhook(recording, recording.status, make.api_base, make.new_token())
    return [hook] if hook is not None else []


def recording_over(recording: Recording, event: RecordingEnded, make: Makers, now: float) -> list[Effect]:
    """The file is there: the record's last status, and its callback."""
    settle(recording, event.seconds, event.silent, event.size, now)
    return [Save(recording.copy()), *recording_told(recording, make)]
