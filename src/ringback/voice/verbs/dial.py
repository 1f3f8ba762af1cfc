"""``<Dial>``: calls somebody else and joins the two (twiml.md §5). Nouns are read in ``voice/noun.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringback.effects import (
    AnswerLeg,
    CheckCallerId,
    Join,
    LeaveRoom,
    Post,
    RingLeg,
    StopAudio,
    StopRecording,
    Tone,
)
from ringback.events import (
    CallerIdChecked,
    ChildChanged,
    ChildRequested,
    DigitPressed,
    HangUpRequested,
    LegAnswered,
    RecordingEnded,
    TimerFired,
)
from ringback.voice import child
from ringback.voice.noun import TONES, Target, targets
from ringback.voice.numbers import is_client, is_sip, normal
from ringback.voice.plan import RecordingPlan
from ringback.voice.recordings import RECORDING_WAIT
from ringback.voice.twiml import Element
from ringback.voice.verb import (
    Attribute,
    Attributes,
    Goto,
    HungUp,
    Interrupted,
    Next,
    Outcome,
    Source,
    Steps,
    Verb,
    boolean,
    choice,
    method,
    recording_callback,
    text,
    whole,
)

if TYPE_CHECKING:
    from ringback.voice.session import Session

LIMIT = "dial-limit"
FILE = "dial-recording"
CALLER_ID_LIMIT = 255
_RANK = {"busy": 0, "no-answer": 1, "failed": 2, "canceled": 3}
"""Whose status wins when nobody answered."""


class _Dialling:
    """One running Dial: its child legs and what became of them."""

    def __init__(self, attributes: Attributes, session: Session, action: str | None) -> None:
        self.attributes, self.session, self.action = attributes, session, action
        self.waiting: list[Target] = []
        self.live: dict[str, Target] = {}
        self.winner: str | None = None
        self.joined: str | None = None
        """The child that shares a room with the caller (early media counts)."""
        self.last: tuple[str, Target] | None = None
        self.status = ""
        self.code: int | None = None
        self.sip: tuple[str, tuple[tuple[str, str], ...]] = ("", ())
        """Call-ID and headers of the leg that the action tells of."""
        self.seconds: int | None = None
        self.redirected = False
        self.ringback = ""
        self.recording = ""
        self.recorded: float | None = None
        """Seconds of the recording's file, once it is finished."""

    def ring_the_caller(self) -> None:
        """An answered caller hears a ringing tone; an unanswered one rings by signalling."""
        session = self.session
        if session.answered:
            tone = Tone(TONES.get(self.attributes["ringTone"], "ringback-us"))
            self.ringback = session.start_audio((tone,), 0)
        else:
            session.do(RingLeg(call_sid=session.call.sid))

    def ring_next(self) -> None:
        """Start the next leg, or all of them."""
        count = 1 if self.attributes["sequential"] else len(self.waiting)
        ready, self.waiting = self.waiting[:count], self.waiting[count:]
        self.ring(ready)

    def ring(self, ready: list[Target]) -> None:
        """Make a leg for each target."""
        session = self.session
        for target in ready:
            sid = session.board.new_sid("CA")
            self.live[sid] = target
            session.do(
                Post(
                    ChildRequested(
                        call_sid=sid,
                        parent_sid=session.call.sid,
                        account_sid=session.call.account_sid,
                        request=child.request(target.plan, target.to, target.from_, target.whisper),
                    )
                )
            )

    def hang_up(self, sid: str, reason: str) -> None:
        self.session.do(Post(HangUpRequested(call_sid=sid, reason=reason)))  # type: ignore[arg-type]

    def hang_up_all(self, reason: str, but: str | None = None) -> None:
        for sid in self.live:
            if sid != but:
                self.hang_up(sid, reason)

    def join(self, sid: str) -> None:
        session = self.session
        if self.ringback:
            session.do(StopAudio(call_sid=session.call.sid, playback=self.ringback))
            self.ringback = ""
        if self.joined == sid:
            return
        room = session.call.sid
        session.do(Join(call_sid=session.call.sid, room=room))
        session.do(Join(call_sid=sid, room=room))
        self.joined = sid

    def record(self, when: str) -> None:
        wanted = self.attributes["record"]
        if self.recording or not wanted.startswith(when):
            return
        attributes = self.attributes
        self.recording = self.session.recordings.start(
            RecordingPlan(
                source="DialVerb",
                channels=2 if wanted.endswith("dual") else 1,
                track=attributes["recordingTrack"],
                trim=attributes["trim"] == "trim-silence",
                callback=self.session.callback_url(attributes["recordingStatusCallback"], 13256),
                callback_method=attributes["recordingStatusCallbackMethod"],
                callback_events=attributes["recordingStatusCallbackEvent"],
            )
        )

    def ended(self, event: ChildChanged) -> None:
        target = self.live.pop(event.child_sid)
        if event.child_sid == self.winner:
            self.status, self.seconds = "completed", event.seconds
            self.redirected = event.redirected
            self.last, self.code = (event.child_sid, target), event.sip_code
            self.sip = (event.sip_call_id, event.headers)
            return
        status = "no-answer" if event.status == "completed" else event.status
        if status == "failed" and target.instead and not self.winner:
            # Not reachable there: its next address, before anybody hears of the failure.
            following, *rest = target.instead
            following.instead = rest
            self.ring([following])
        if self.joined == event.child_sid:  # early media of a leg that was not answered
            self.joined = None
            session = self.session
            session.do(LeaveRoom(call_sid=session.call.sid))
            if (self.live or self.waiting) and not self.winner:
                self.ring_the_caller()
        if not self.status or _RANK.get(status, 9) <= _RANK.get(self.status, 9):
            self.status, self.code = status, event.sip_code
            self.last = (event.child_sid, target)
            self.sip = (event.sip_call_id, event.headers)

    def tidy(self) -> None:
        session = self.session
        session.stop_timer(LIMIT)
        if self.ringback:
            session.do(StopAudio(call_sid=session.call.sid, playback=self.ringback))
            self.ringback = ""
        if self.joined:
            session.do(LeaveRoom(call_sid=session.call.sid))
        started = session.recordings.live.get(self.recording)
        if started is not None and started.status != "processing":
            session.do(StopRecording(call_sid=session.call.sid, recording_sid=self.recording))

    def file_ready(self, event: RecordingEnded) -> None:
        if event.recording_sid == self.recording:
            self.recorded = event.seconds

    def recording_facts(self) -> list[tuple[str, str]]:
        """Of the recording: the length of its file, or what it must come to while the file is not ready."""
        if not self.recording:
            return []
        record = self.session.recordings
        started = record.live.get(self.recording)
        length = self.recorded
        if length is None:
            length = self.session.now - (started.start_time or 0.0) if started else float(self.seconds or 0)
        return record.facts(self.recording, length)

    def source(self, status: str) -> Source:
        """The action request, without what it says of the recording."""
        facts = [("DialCallStatus", status)]
        sid, target = self.last or (next(iter(self.live), ""), None)
        if self.winner and self.winner in self.live:
            sid = self.winner
        if sid:
            facts.append(("DialCallSid", sid))
        if not self.redirected:
            facts.append(("DialCallDuration", str(self.seconds or 0)))
        facts.append(("DialBridged", "true" if self.winner else "false"))
        if target is not None and target.to.startswith(("sip:", "sips:")):
            call_id, headers = self.sip
            if call_id:
                facts.append(("DialSipCallId", call_id))
            if self.code is not None:
                facts.append(("DialSipResponseCode", str(self.code)))
            facts += [(f"DialSipHeader_{name}", value[:1024]) for name, value in headers[:32]]
        return Source(url=self.action, method=self.attributes["method"], params=facts)


def run(element: Element, attributes: Attributes, session: Session) -> Steps[Outcome]:
    """Dial, join, and go on when it is over."""
    action = session.resolve(attributes["action"], 15004) if attributes["action"] else None
    attributes["record"] = {"true": "record-from-answer", "false": "do-not-record"}.get(
        attributes["record"], attributes["record"]
    )
    dialling = _Dialling(attributes, session, action)
    from_ = yield from _caller_id(attributes, session)
    if from_ is None:
        dialling.status = "failed"
    else:
        dialling.waiting = targets(element, attributes, session, from_)
        if not dialling.waiting:
            dialling.status = "failed"
    try:
        if dialling.waiting:
            yield from _ring_and_talk(dialling)
        if action is not None and dialling.recording in session.recordings.live:
            yield from _file(dialling)
    except Interrupted as interruption:
        dialling.hang_up_all("parent-ended")
        if isinstance(interruption, HungUp) and action is not None:
            owed = dialling.source("completed" if dialling.winner else "canceled")
            if dialling.recording in session.recordings.live:
                session.owe_recording(dialling.recording, owed)
            else:
                owed.params += dialling.recording_facts()
                session.owe(owed)
        raise
    finally:
        dialling.tidy()
    if action is None:
        return Next()
    source = dialling.source(dialling.status or "failed")
    source.params += dialling.recording_facts()
    return Goto(source)


def _file(dialling: _Dialling) -> Steps[None]:
    """Let the recording be finished, so that the action tells its true length; but not for long."""
    session = dialling.session
    session.do(StopRecording(call_sid=session.call.sid, recording_sid=dialling.recording))
    session.timer(FILE, RECORDING_WAIT)
    try:
        while dialling.recorded is None:
            event = yield
            if isinstance(event, RecordingEnded):
                dialling.file_ready(event)
            elif isinstance(event, TimerFired) and event.name == FILE:
                return
    finally:
        session.stop_timer(FILE)


def _ring_and_talk(dialling: _Dialling) -> Steps[None]:
    session, attributes = dialling.session, dialling.attributes
    dialling.ring_the_caller()
    dialling.ring_next()
    while True:
        event = yield
        if isinstance(event, ChildChanged) and event.child_sid in dialling.live:
            yield from _child_changed(dialling, event)
            if not dialling.live or (dialling.winner and dialling.winner not in dialling.live):
                return
        elif isinstance(event, DigitPressed) and event.digit == "*" and attributes["hangupOnStar"]:
            dialling.hang_up_all("star")
            if not dialling.winner:
                dialling.waiting.clear()
        elif isinstance(event, TimerFired) and event.name == LIMIT:
            session.warn(32015, f"Dial lasted its timeLimit of {attributes['timeLimit']} seconds")
            dialling.hang_up_all("time-limit")
        elif isinstance(event, RecordingEnded):
            dialling.file_ready(event)


def _child_changed(dialling: _Dialling, event: ChildChanged) -> Steps[None]:
    session, sid = dialling.session, event.child_sid
    if event.change == "ringing":
        if event.early_media and session.answered and len(dialling.live) == 1:
            dialling.join(sid)
        if session.answered:
            dialling.record("record-from-ringing")
    elif event.change == "ended":
        dialling.ended(event)
        if not dialling.live and dialling.waiting and not dialling.winner:
            dialling.ring_next()
    elif event.change == "ready":
        if dialling.winner:
            dialling.hang_up(sid, "other-answered")
            return
        dialling.winner = sid
        dialling.hang_up_all("other-answered", but=sid)
        if not session.answered:
            session.do(AnswerLeg(call_sid=session.call.sid))
            yield from _answered(dialling)
        if sid in dialling.live:
            dialling.join(sid)
            dialling.record("record-from-")
            session.timer(LIMIT, dialling.attributes["timeLimit"], pulls=False)


def _answered(dialling: _Dialling) -> Steps[None]:
    """Until our own answer is effective; the child may be gone by then."""
    while True:
        event = yield
        if isinstance(event, LegAnswered):
            return
        if isinstance(event, ChildChanged) and event.change == "ended" and event.child_sid in dialling.live:
            dialling.ended(event)


def _caller_id(attributes: Attributes, session: Session) -> Steps[str | None]:
    """The number to show: the caller's own, or one that the account may use (13247)."""
    call = session.call
    own = call.to if call.direction == "outbound-api" else call.from_
    wanted = attributes["callerId"]
    if not wanted:
        return own
    if len(wanted) > CALLER_ID_LIMIT:
        session.warn(13248, f"callerId has more than {CALLER_ID_LIMIT} characters; {own} is shown")
        return own
    number = normal(wanted) or wanted
    by_sip = call.direction == "inbound" and call.from_.startswith(("sip:", "sips:"))
    if number.startswith("client:") or (number in (call.to, call.from_) and not by_sip):
        return number
    request = session.fresh("callerid")
    session.do(CheckCallerId(call_sid=call.sid, account_sid=call.account_sid, request=request, number=number))
    while True:
        event = yield
        if isinstance(event, CallerIdChecked) and event.request == request:
            break
    if event.allowed:
        return number
    session.warn(13247, f"callerId {wanted[:60]!r} is neither yours nor verified")
    return None


def caller_id(value: str) -> str:
    """A number, a client or a SIP address. Length is told of separately (13248)."""
    known = normal(value) is not None or is_client(value) or is_sip(value)
    if len(value) <= CALLER_ID_LIMIT and not known:
        raise ValueError(value)
    return value


_METHODLESS = {
    "callReason": Attribute(text),
    "referUrl": Attribute(text),
    "referMethod": method(12200),
    "events": Attribute(text),
    "passports": Attribute(text),
}

VERB = Verb(
    tag="Dial",
    run=run,
    attributes={
        "action": Attribute(text),
        "method": method(13210),
        "timeout": Attribute(whole(1, 600), 30, 13212),
        "timeLimit": Attribute(whole(1, 86400), 14400, 13216),
        "hangupOnStar": Attribute(boolean, False, 13213),
        "callerId": Attribute(caller_id, None, 13214),
        "answerOnBridge": Attribute(boolean, False, 13219),
        "ringTone": Attribute(choice(*TONES), None, 13220),
        "record": Attribute(
            choice(
                "do-not-record", "record-from-answer", "record-from-ringing", "record-from-answer-dual",
                "record-from-ringing-dual", "true", "false",
            ),
            "do-not-record",
            13217,
        ),
        "trim": Attribute(choice("trim-silence", "do-not-trim"), "do-not-trim", 13699),
        "recordingTrack": Attribute(choice("both", "inbound", "outbound"), "both", 13622),
        "sequential": Attribute(boolean, False, 13218),
        **recording_callback(),
        **_METHODLESS,
    },
    children=frozenset({"Number", "Sip", "Client"}),
    child_code=13215,
    needs_media=lambda attributes: not attributes["answerOnBridge"],
    whisper=False,
)  # fmt: skip
