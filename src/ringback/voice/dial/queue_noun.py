"""``<Dial><Queue>``: talks to the front of a queue, or to the caller of a reservation (twiml.md §5.2)."""

from __future__ import annotations

from typing import Literal

from ringback.effects import AnswerLeg, Join, Post, StopAudio
from ringback.effects.queues import ClaimReservation
from ringback.events import DigitPressed, Event, RecordingEnded, TimerFired
from ringback.events.queues import BridgeEnded, MemberReady, QueueStirred, QueueTaken, ReservationClaimed
from ringback.kernel.sid import is_sid
from ringback.resources.api.queue import NAME_LIMIT
from ringback.voice.call import task_leg
from ringback.voice.dial.dialling import LIMIT, Dialling, conduct
from ringback.voice.queue.live import CallQueue, Claim, Member, Partner
from ringback.voice.stage import Stage
from ringback.voice.steps import Outcome, Source, Steps
from ringback.voice.twiml import Element
from ringback.voice.verb import Attribute, Attributes, method, read_attributes, text

WAIT = "dial-queue"
"""Timer of Dial's ``timeout``: until there is a member."""

NOUN = {
    "url": Attribute(text),
    "method": method(14210),
    "reservationSid": Attribute(text, None, 14215),
    "postWorkActivitySid": Attribute(text, None, 14218),
}


class QueueDialling(Dialling):
    """One running ``<Dial><Queue>``: in place of child legs there is the member that was taken."""

    def __init__(self, attributes: Attributes, session: Stage, action: str | None, own: Attributes) -> None:
        super().__init__(attributes, session, action)
        self.whisper = session.callback_url(own["url"], 14211)
        self.whisper_method: str = own["method"]
        self.member: Member | None = None
        """Taken, and not yet let go."""
        self.room = ""
        self._facts: list[tuple[str, str]] = []
        self._began: float | None = None

    def fresh_room(self) -> str:
        """A room for the next bridge; its name is used once."""
        self.room = f"{self.session.call.sid}.{self.session.fresh('bridge')}"
        return self.room

    def took(self, member: Member) -> None:
        """A member is ours: it runs the whisper, then it joins the room."""
        session = self.session
        self.member = member
        session.keep(Partner(member.call_sid))
        session.stop_timer(WAIT)
        self._facts = [
            ("DialCallSid", member.call_sid),
            ("QueueSid", member.queue.sid),
            ("QueueTime", str(member.seconds(session.now))),
            ("DequeingCallSid", session.call.sid),
        ]
        session.do(
            Post(
                QueueTaken(
                    call_sid=member.call_sid,
                    by=session.call.sid,
                    room=self.room,
                    whisper_url=self.whisper,
                    whisper_method=self.whisper_method,
                )
            )
        )

    def connect(self, member: Member) -> None:
        """Both are in the room."""
        session = self.session
        if self.ringback:
            session.do(StopAudio(call_sid=session.call.sid, playback=self.ringback))
            self.ringback = ""
        session.do(Join(call_sid=session.call.sid, room=self.room))
        self.joined = self.winner = member.call_sid
        self._began = session.now
        self.record("record-from-")
        session.timer(LIMIT, self.attributes["timeLimit"], pulls=False)
        task_leg.tell(session, "bridged")

    def over(self, *, redirected: bool = False) -> None:
        """The bridge is over, whoever ended it."""
        self.status, self.redirected = "completed", redirected
        self.seconds = self.talked()
        self._gone()

    def lost(self) -> None:
        """The member has gone before it was ready."""
        self._facts = []
        self._gone()

    def hang_up_all(self, reason: str, but: str | None = None) -> None:
        """Let the member go: its own document goes on, or it waits on when the bridge had not begun."""
        if self.member is None:
            return
        told: Literal["hangup", "failed"] = "failed" if self._began is None else "hangup"
        self.session.do(
            Post(
                BridgeEnded(
                    call_sid=self.member.call_sid,
                    other_sid=self.session.call.sid,
                    reason=told,
                    seconds=self.talked(),
                )
            )
        )
        if self._began is not None:
            self.seconds = self.talked()
        self._gone()

    def talked(self) -> int:
        """Whole seconds of the bridge so far."""
        return 0 if self._began is None else max(0, round(self.session.now - self._began))

    def tidy(self) -> None:
        """Leave nothing running, and no place in the line."""
        session = self.session
        session.stop_timer(WAIT)
        queue = session.board.queues.withdraw(session.call.sid)
        turn = queue.turn() if queue is not None else None
        if turn is not None:
            session.do(Post(QueueStirred(call_sid=turn)))
        super().tidy()

    def source(self, status: str) -> Source:
        """The action request, without what it says of the recording."""
        facts = [("DialCallStatus", status)]
        if not self.redirected:
            facts.append(("DialCallDuration", str(self.seconds or 0)))
        facts += [("DialBridged", "true" if self.winner else "false"), *self._facts]
        return Source(url=self.action, method=self.attributes["method"], params=facts)

    def _gone(self) -> None:
        if self._began is not None:
            task_leg.tell(self.session, "unbridged")
        self.member = None
        self.session.drop(Partner)


def run(noun: Element, attributes: Attributes, session: Stage, action: str | None) -> Steps[Outcome]:
    """Talk to a member of a queue, and go on when it is over."""
    own = read_attributes(noun, NOUN, session.warn)
    dialling = QueueDialling(attributes, session, action, own)
    if own["reservationSid"] is not None:
        return (yield from conduct(dialling, _reserved(dialling, own)))
    return (yield from conduct(dialling, _front(dialling, noun)))


def _front(dialling: QueueDialling, noun: Element) -> Steps[None]:
    """The front of the named queue; while it is empty, the first to come (first come, first served)."""
    session = dialling.session
    queues = session.board.queues
    queue = _named(noun, session)
    if queue is None:
        dialling.status = "failed"
        return
    _ring(dialling)
    while True:
        queues.stand(queue, session.call.sid)
        session.timer(WAIT, dialling.attributes["timeout"], pulls=False)
        member = queues.take_front(session.call.sid, dialling.fresh_room())
        while member is None:
            event = yield
            if isinstance(event, QueueStirred):
                member = queues.take_front(session.call.sid, dialling.room)
            elif _gives_up(event, dialling) or (isinstance(event, TimerFired) and event.name == WAIT):
                dialling.status = "no-answer"
                return
        if (yield from _bridge(dialling, member)):
            return


def _named(noun: Element, session: Stage) -> CallQueue | None:
    name = noun.text
    if not name:
        session.warn(14212, f"{noun.place}: <Queue> has no name")
    elif len(name) > NAME_LIMIT:
        session.warn(14213, f"{noun.place}: a queue's name has at most {NAME_LIMIT} characters")
    else:
        return session.board.queues.named(session.call.account_sid, name)
    return None


def _reserved(dialling: QueueDialling, own: Attributes) -> Steps[None]:
    """Accept the reservation; then its caller, wherever it stands in its queue."""
    session, sid = dialling.session, dialling.session.call.sid
    reservation, activity = own["reservationSid"], own["postWorkActivitySid"]
    dialling.status = "failed"
    if not is_sid(reservation, "WR"):
        session.warn(14215, f"reservationSid {reservation[:40]!r} is no SID of a reservation")
        return
    if activity is not None and not is_sid(activity, "WA"):
        session.warn(14218, f"postWorkActivitySid {activity[:40]!r} is no SID of an activity; it is ignored")
        activity = None
    _ring(dialling)
    session.timer(WAIT, dialling.attributes["timeout"], pulls=False)
    request = session.fresh("claim")
    session.do(
        ClaimReservation(
            call_sid=sid,
            account_sid=session.call.account_sid,
            request=request,
            reservation_sid=reservation,
            post_work_activity_sid=activity,
        )
    )
    while True:
        event = yield
        if isinstance(event, ReservationClaimed) and event.request == request:
            break
        if _gives_up(event, dialling) or (isinstance(event, TimerFired) and event.name == WAIT):
            dialling.status = "no-answer"
            return
    if event.error_code is not None:
        session.warn(event.error_code, event.error_text or f"Reservation {reservation} cannot be accepted")
        return
    task_leg.claimed(session, event)
    member = session.board.queues.claim(event.member_sid, Claim(sid, dialling.fresh_room()))
    if member is None or not (yield from _bridge(dialling, member)):
        session.warn(14215, f"The caller of reservation {reservation} does not wait any more")
        dialling.status = "no-answer"


def _ring(dialling: QueueDialling) -> None:
    dialling.ring_the_caller()
    if dialling.session.answered:
        dialling.record("record-from-ringing")


def _gives_up(event: Event, dialling: QueueDialling) -> bool:
    return (
        isinstance(event, DigitPressed) and event.digit == "*" and bool(dialling.attributes["hangupOnStar"])
    )


def _bridge(dialling: QueueDialling, member: Member) -> Steps[bool]:
    """From the taking to the end of the bridge. False: the member was gone before it began."""
    session = dialling.session
    dialling.took(member)
    if not (yield from _until_ready(dialling, member)):
        return dialling.status == "no-answer"
    dialling.connect(member)
    while True:
        event = yield
        if isinstance(event, BridgeEnded) and event.other_sid == member.call_sid:
            dialling.over(redirected=event.reason == "redirected")
            return True
        limit = isinstance(event, TimerFired) and event.name == LIMIT
        if limit:
            session.warn(32015, f"Dial lasted its timeLimit of {dialling.attributes['timeLimit']} seconds")
        if limit or _gives_up(event, dialling):
            dialling.hang_up_all("time-limit" if limit else "star")
            dialling.status = "completed"
            return True
        if isinstance(event, RecordingEnded):
            dialling.file_ready(event)


def _until_ready(dialling: QueueDialling, member: Member) -> Steps[bool]:
    """Until the member has joined the room, and our own leg is answered. False: one of the two gave up."""
    session = dialling.session
    ready = False
    while not (ready and session.answered):
        event = yield
        if isinstance(event, MemberReady) and event.member_sid == member.call_sid:
            ready = True
            if not session.answered:
                session.do(AnswerLeg(call_sid=session.call.sid))
        elif isinstance(event, BridgeEnded) and event.other_sid == member.call_sid:
            dialling.lost()
            return False
        elif _gives_up(event, dialling):
            dialling.hang_up_all("star")
            dialling.status = "no-answer"
            return False
        elif isinstance(event, RecordingEnded):
            dialling.file_ready(event)
    return True
