"""One running ``<Dial>``: its child legs, what they came to, and what its action request tells (twiml.md §5)."""

from __future__ import annotations

from ringback.effects import AnswerTransfer, Join, LeaveRoom, Post, RingLeg, StopAudio, StopRecording, Tone
from ringback.events import ChildChanged, ChildRequested, HangUpRequested, RecordingEnded, TimerFired
from ringback.voice.call.plan import RecordingPlan
from ringback.voice.dial import tie
from ringback.voice.dial.noun import TONES, Target
from ringback.voice.recording.status import RECORDING_WAIT
from ringback.voice.stage import Stage
from ringback.voice.steps import Goto, HungUp, Interrupted, Next, Outcome, Source, Steps
from ringback.voice.verb import Attributes

LIMIT = "dial-limit"
"""Timer of ``timeLimit``."""
FILE = "dial-recording"
"""Timer of the wait for the recording's file."""
_RANK = {"busy": 0, "no-answer": 1, "failed": 2, "canceled": 3}
"""Whose status wins when nobody answered."""


class Dialling:
    """One running Dial: its child legs and what became of them."""

    def __init__(self, attributes: Attributes, session: Stage, action: str | None) -> None:
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
        self.parameters: tuple[tuple[str, str], ...] = ()
        """What an application hands back."""
        self.transfer: Source | None = None
        """Where the caller goes on when the callee has them transferred (``referUrl``)."""
        self.seconds: int | None = None
        self.redirected = False
        self.ringback = ""
        self.recording = ""
        self.stopped = False
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
                        account_sid=target.account_sid or session.call.account_sid,
                        request=tie.request(
                            target.plan,
                            target.to,
                            target.from_,
                            target.whisper,
                            may_fail=target.whisper_may_fail,
                        ),
                    )
                )
            )

    def hang_up(self, sid: str, reason: str) -> None:
        """Ask one child to end; ``reason`` as in ``HangUpRequested``."""
        self.session.do(Post(HangUpRequested(call_sid=sid, reason=reason)))  # type: ignore[arg-type]

    def hang_up_all(self, reason: str, but: str | None = None) -> None:
        """Ask every child to end, except one."""
        for sid in self.live:
            if sid != but:
                self.hang_up(sid, reason)

    def join(self, sid: str) -> None:
        """Caller and child share the room named after the caller's leg."""
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
        """Start the recording when ``record`` begins with ``when`` and none runs."""
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
        """A child is over: the winner's facts count, else the best failure's (busy > no-answer > failed)."""
        target = self.live.pop(event.child_sid)
        self.parameters = event.parameters if target.plan.local else ()
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

    def hand_over(self, event: ChildChanged) -> None:
        """The callee asks for the caller to be transferred: ``referUrl`` says where they go on (13802 without it)."""
        session, attributes = self.session, self.attributes
        url = session.callback_url(attributes["referUrl"], 11100)
        made = url is not None and event.child_sid == self.winner
        session.do(AnswerTransfer(call_sid=event.child_sid, sip_code=200 if made else 603))
        if made:
            facts = [*event.parameters, ("DialCallSid", event.child_sid)]
            self.transfer = Source(url=url, method=attributes["referMethod"], params=facts)
            self.hang_up_all("parent-ended")

    def tidy(self) -> None:
        """Leave nothing running: timer, tone, room, recording."""
        session = self.session
        session.stop_timer(LIMIT)
        if self.ringback:
            session.do(StopAudio(call_sid=session.call.sid, playback=self.ringback))
            self.ringback = ""
        if self.joined:
            session.do(LeaveRoom(call_sid=session.call.sid))
        self.stop_recording()

    def stop_recording(self) -> None:
        """Finish the recording, once."""
        session = self.session
        if self.recording in session.recordings.live and not self.stopped:
            self.stopped = True
            session.do(StopRecording(call_sid=session.call.sid, recording_sid=self.recording))

    def file_ready(self, event: RecordingEnded) -> None:
        """Note the true length of the recording."""
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
        facts += self.parameters
        return Source(url=self.action, method=self.attributes["method"], params=facts)


def conduct(dialling: Dialling, talk: Steps[None]) -> Steps[Outcome]:
    """Run ``talk`` and what belongs around it: the recording's file, the request owed after a hang-up, the action."""
    session, action = dialling.session, dialling.action
    try:
        yield from talk
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
    if dialling.transfer is not None:
        return Goto(dialling.transfer)
    if action is None:
        return Next()
    source = dialling.source(dialling.status or "failed")
    source.params += dialling.recording_facts()
    return Goto(source)


def _file(dialling: Dialling) -> Steps[None]:
    """Let the recording be finished, so that the action tells its true length; but not for long."""
    session = dialling.session
    dialling.stop_recording()
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
