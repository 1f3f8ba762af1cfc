"""One caller's stay in a queue: waiting, whisper, bridge, and every way out of it (twiml.md §6)."""

from __future__ import annotations

from typing import Literal

from ringback.effects import Delete, Join, LeaveRoom, Post, Save, Tone
from ringback.events import Event
from ringback.events.queues import BridgeEnded, MemberReady, QueueStirred, QueueTaken, TaskMade
from ringback.resources.api.queue import DEFAULT_SIZE, Queue
from ringback.voice.call import task_leg
from ringback.voice.conference import participation
from ringback.voice.params import Params
from ringback.voice.queue.live import Member, Partner
from ringback.voice.stage import Stage
from ringback.voice.steps import End, Goto, HungUp, Interrupted, Next, Outcome, Source, Steps
from ringback.voice.wait import Left, loop, once, until

WAIT_VERBS = frozenset({"Play", "Say", "Pause", "Hangup", "Redirect", "Leave", "Gather"})
WHISPER_VERBS = frozenset({"Play", "Say", "Pause", "Redirect"})
MUSIC = (Tone("hold-music"),)

_INTERRUPTED = {
    ("waiting", True): "hangup",
    ("waiting", False): "redirected",
    ("bridging", True): "bridging-in-process",
    ("bridging", False): "redirected",
    ("bridged", True): "bridged",
    ("bridged", False): "redirected-from-bridged",
}
"""Phase, and whether the caller hung up (else: REST redirected the call) → QueueResult."""


class Stay:
    """What is known of the stay, and what its action request tells."""

    def __init__(self, session: Stage, action: str | None, method: str) -> None:
        self.session, self.action, self._method = session, action, method
        self.phase: Literal["waiting", "bridging", "bridged"] = "waiting"
        self.by = ""
        """The leg that has dequeued this one; empty: nobody, or TaskRouter."""
        self.room = ""
        self.member: Member | None = None
        self.with_task = False
        """A task was asked for."""
        self._undone = False
        """The queue was none: it was named after something that does not exist."""
        self._limit = 0
        self._seconds: int | None = None

    def enter(self, name: str, limit: int | None, *, proved: bool = True) -> str:
        """Go to the end of the queue, which is made when there is none; gives a QueueResult when it cannot be.

        ``proved`` False: the name is that of a workflow, of which only TaskRouter can say whether it exists.
        """
        session, queues = self.session, self.session.board.queues
        account = session.call.account_sid
        queue = queues.named(account, name)
        if queue is None:
            if queues.full(account):
                session.warn(12400, "The account has as many queues as it may have; no other is made")
                return "system-error"
            record = Queue(
                sid=session.board.new_sid("QU"),
                account_sid=account,
                date_created=session.now,
                date_updated=session.now,
                friendly_name=name,
                max_size=limit or DEFAULT_SIZE,
            )
            session.do(Save(record.copy()))
            queue = queues.add(record, proved=proved)
        self._limit = limit or queue.record.max_size
        if queue.size >= self._limit:
            session.warn(14207, f"{queue.size} calls wait in queue {name[:64]!r}: there is no room for more")
            return "queue-full"
        self.member = queues.enter(queue, session.call.sid, session.now)
        queue.guests += 1
        self.call_next()
        return ""

    def call_next(self) -> None:
        """The queue has a member more: a leg that waits for one may be served now."""
        assert self.member is not None
        turn = self.member.queue.turn()
        if turn is not None:
            self.session.do(Post(QueueStirred(call_sid=turn)))

    def facts(self) -> Params:
        """What a wait document is told; the average is over those who wait now."""
        assert self.member is not None
        session, queue = self.session, self.member.queue
        return [
            ("QueuePosition", str(max(1, session.board.queues.position(session.call.sid)))),
            *self.queue_facts(),
            ("AvgQueueTime", str(int(queue.average_wait(session.now)))),
            ("CurrentQueueSize", str(queue.size)),
            ("MaxQueueSize", str(self._limit)),
        ]

    def queue_facts(self) -> Params:
        """``QueueSid`` and ``QueueTime``: seconds until now, or until the caller was out of the queue.

        Nothing for one who was never really enqueued: there is no such queue.
        """
        if self.member is None or self._undone:
            return []
        seconds = self.member.seconds(self.session.now) if self._seconds is None else self._seconds
        return [("QueueSid", self.member.queue.sid), ("QueueTime", str(seconds))]

    def source(self, result: str) -> Source:
        """The action request."""
        facts = [("QueueResult", result), *self.queue_facts()]
        return Source(url=self.action, method=self._method, params=facts)

    def out(self) -> None:
        """The caller waits no more: the time is taken."""
        if self.member is not None and self._seconds is None:
            self._seconds = self.member.seconds(self.session.now)

    def accepts(self, event: Event) -> bool:
        """Whether ``event`` says truly that somebody has taken this caller (and not out of an earlier stay)."""
        if not isinstance(event, QueueTaken):
            return False
        queues, sid = self.session.board.queues, self.session.call.sid
        if not event.by:
            return queues.take(sid) is not None
        if not queues.is_claimed(sid, event.by, event.room):
            return False
        queues.claimed(sid)
        return True

    def concerns(self, event: Event) -> bool:
        """Whether ``event`` ends the waiting."""
        if isinstance(event, TaskMade):
            asked = self.session.part(task_leg.AskedTask)
            return asked is not None and event.request == asked.request and not event.task_sid
        return self.accepts(event)

    def back(self) -> None:
        """Whoever had taken the caller is gone: to the old place in the queue."""
        assert self.member is not None
        self.phase, self.by, self.room, self._seconds = "waiting", "", "", None
        self.session.drop(Partner)
        self.session.board.queues.put_back(self.member)
        self.call_next()

    def undo(self) -> None:
        """The stay is over: it leaves no queue behind that only a bad ``workflowSid`` has made."""
        assert self.member is not None
        queues, queue = self.session.board.queues, self.member.queue
        queue.guests -= 1
        if not queue.proved and queues.unused(queue):
            queues.drop(queue)
            self._undone = True
            self.session.do(Delete(queue.record))

    def leave_task(self, reason: str) -> None:
        """The caller has gone without an agent: TaskRouter hears it for this stay's task."""
        if self.with_task:
            task_leg.left(self.session, reason)

    def let_go(self, hung_up: bool) -> None:
        """Interrupted: nobody waits for this caller any more, in the queue or in a bridge."""
        session, queues = self.session, self.session.board.queues
        sid = session.call.sid
        self.out()
        if self.phase == "waiting" and queues.take(sid) is None:
            claim = queues.claimed(sid)
            self.by = claim.by if claim is not None else ""
        if self.by:
            reason: Literal["hangup", "redirected"] = "hangup" if hung_up else "redirected"
            session.do(Post(BridgeEnded(call_sid=self.by, other_sid=sid, reason=reason)))
        if self.room and not hung_up:
            session.do(LeaveRoom(call_sid=sid))


def waiting(stay: Stay, source: Source | None) -> Steps[Outcome]:
    """From the entrance to the outcome of the verb."""
    session = stay.session
    try:
        result = yield from _wait(stay, source)
    except Interrupted as interruption:
        hung_up = isinstance(interruption, HungUp)
        result = _INTERRUPTED[stay.phase, hung_up]
        stay.let_go(hung_up)
        if stay.phase == "bridged":
            task_leg.tell(session, "unbridged", result)
        elif not hung_up:
            stay.leave_task(result)
        if stay.action is not None:
            (session.owe if hung_up else session.ask_aside)(stay.source(result))
        raise
    finally:
        session.drop(Partner, task_leg.AskedTask)
        stay.undo()
    if result == "hangup":
        if stay.action is not None:
            session.owe(stay.source(result))
        return End()
    if result != "bridged":
        stay.leave_task(result)
    return Next() if stay.action is None else Goto(stay.source(result))


def _wait(stay: Stay, source: Source | None) -> Steps[str]:
    """Wait, and wait again when a bridge did not come about; gives the QueueResult."""
    session = stay.session
    while True:
        steps = loop(session, source, stay.facts, verbs=WAIT_VERBS, code=12200, default=MUSIC)
        end = yield from until(steps, stay.concerns)
        if not isinstance(end, QueueTaken) and session.board.queues.take(session.call.sid) is None:
            end = yield from _taken(stay)  # somebody was first: the claim holds
        stay.out()
        if isinstance(end, QueueTaken):
            result = yield from _bridge(stay, end)
            if result:
                return result
            stay.back()
        elif isinstance(end, Left):
            return end.why
        else:
            assert isinstance(end, TaskMade), "nothing else concerns a stay"
            code = end.error_code or 14222
            session.warn(code, end.error_text or "The task could not be made")
            return "error" if code in (14220, 14221) else "system-error"


def _taken(stay: Stay) -> Steps[QueueTaken]:
    while True:
        event = yield
        if isinstance(event, QueueTaken) and stay.accepts(event):
            return event


def _bridge(stay: Stay, taken: QueueTaken) -> Steps[str]:
    """Whisper, room, and the end of the bridge; gives the QueueResult. Empty: it did not come about, the
    caller waits on."""
    session, sid = stay.session, stay.session.call.sid
    stay.phase, stay.by = "bridging", taken.by
    if taken.by:
        session.keep(Partner(taken.by))
    if taken.conference:
        stay.phase = "bridged"
        task_leg.tell(session, "bridged")
        part = yield from participation.take_part(session, taken.conference)
        task_leg.tell(session, "unbridged", part)
        return "error" if part == "failed" else "bridged"

    def over(event: Event) -> bool:
        return isinstance(event, BridgeEnded) and event.other_sid == taken.by

    if taken.whisper_url:
        source = Source(url=taken.whisper_url, method=taken.whisper_method)
        facts = [*stay.queue_facts(), ("DequeingCallSid", taken.by)]
        whisper = once(session, source, lambda: facts, verbs=WHISPER_VERBS, code=12200)
        if isinstance((yield from until(whisper, over)), BridgeEnded):
            return ""
    stay.phase, stay.room = "bridged", taken.room
    session.do(Join(call_sid=sid, room=taken.room))
    session.do(Post(MemberReady(call_sid=taken.by, member_sid=sid)))
    task_leg.tell(session, "bridged")
    while True:
        event = yield
        if isinstance(event, BridgeEnded) and event.other_sid == taken.by:
            break
    session.do(LeaveRoom(call_sid=sid))
    task_leg.tell(session, "unbridged", event.reason)
    return "" if event.reason == "failed" else "bridged"
