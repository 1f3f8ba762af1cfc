"""The entrance of the voice core: one event in, effects out. Holds the sessions of live legs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from ringback.effects import (
    Answer,
    ClearDeadline,
    DialLeg,
    Effect,
    HangUpLeg,
    Post,
    QueueDial,
    RejectLeg,
    ReleaseCall,
    Save,
    SetDeadline,
)
from ringback.events import (
    CallArrived,
    CallLost,
    CallResumed,
    ChildRequested,
    DeadlineReached,
    DialStarted,
    Event,
    HangUpRequested,
    LegRinging,
)
from ringback.events.conferences import TransferTold
from ringback.events.conversations import ConversationFound
from ringback.events.outcomes import CallDoubted, TrunkRecordFound
from ringback.events.queues import (
    BridgeEnded,
    MemberReady,
    QueueStirred,
    QueueTaken,
    ReservationClaimed,
    TaskCallRequested,
    TaskMade,
)
from ringback.events.writes import NewCall, WriteRequested
from ringback.kernel.errors import Refused
from ringback.kernel.outcome import expired, refused
from ringback.numbers.written import shown
from ringback.resources.api.call import Call
from ringback.voice import params
from ringback.voice.alerts import alert
from ringback.voice.board import Board, VoiceSettings
from ringback.voice.call import (
    control,
    creation,
    flow,
    machine,
    settling,
    task_leg,
    trial,
    verification,
)
from ringback.voice.call.ending import end_stored
from ringback.voice.call.plan import Callback, Plan, from_json
from ringback.voice.call.session import QUEUE, Session
from ringback.voice.conference import control as conference_control
from ringback.voice.conference import invitation
from ringback.voice.connect import waiting
from ringback.voice.dial.local import LocalLegs
from ringback.voice.dial.tie import Tie
from ringback.voice.queue import control as queue_control
from ringback.voice.queue.live import Partner
from ringback.voice.recording.status import settle, status_webhook

Key = type[Event] | tuple[str, str]
"""What a handler is found by: the class of an event; of a write, its noun and operation."""
ADDRESSED: Final[set[Key]] = {QueueTaken, MemberReady, ("Member", "update"), TaskMade, ReservationClaimed}
"""Events of which somebody must hear that their call is over."""
TOO_LATE: Final = {
    ("Call", "update"): (21220, control.NOT_IN_PROGRESS),
    ("Recording", "create"): (21220, "Requested resource is not eligible for recording"),
    ("Recording", "update"): (21220, "The call is over, and its recordings with it"),
    ("Participant", "update"): (16001, "The call is not in the conference any more"),
    ("Member", "update"): (22002, queue_control.NOT_WAITING),
}
"""Write → what it is refused with when the call is over."""


class Switchboard(Board):
    """All live legs."""

    def __init__(
        self, settings: VoiceSettings, new_sid: Callable[[str], str], new_token: Callable[[], str]
    ) -> None:
        super().__init__(settings, new_sid, new_token)
        self._sessions: dict[str, Session] = {}
        self._local = LocalLegs()
        self._handlers: dict[Key, Callable[[Any, float], list[Effect]]] = {
            ("Call", "create"): self._requested,
            ("Participant", "create"): self._participant,
            ("OutgoingCallerId", "create"): self._verification,
            CallArrived: self._arrived,
            ChildRequested: self._child,
            CallResumed: self._resumed,
            CallLost: self._lost,
            CallDoubted: self._doubted,
            TrunkRecordFound: self._trunk_record,
            TaskCallRequested: self._task_call,
        }
        self._live: dict[Key, Callable[[Session, Any], object]] = {
            ("Call", "update"): control.update,
            ("Recording", "create"): control.start_recording,
            ("Recording", "update"): control.update_recording,
            ("Participant", "update"): conference_control.update_participant,
            ("Participant", "delete"): conference_control.remove_participant,
            ("Member", "update"): queue_control.dequeue,
            TransferTold: conference_control.transferred,
            DialStarted: self._dial,
            HangUpRequested: lambda session, event: session.hang_up(event.reason),
            DeadlineReached: self._deadline,
        }

    @property
    def live(self) -> int:
        """Sessions held."""
        return len(self._sessions)

    def handle(self, event: Event, now: float) -> Sequence[Effect]:
        """Handle one event at ``now``. Raises :class:`Refused` for a caller's mistake."""
        concerns = self._local.inward(event)
        if concerns is not None:
            return [Post(concerns)]
        return self._local.outward(self._handle(event, now))

    def _handle(self, event: Event, now: float) -> list[Effect]:
        key = event.write if isinstance(event, WriteRequested) else type(event)
        fresh = self._handlers.get(key)
        if fresh is not None:
            return fresh(event, now)
        session = self._sessions.get(event.lane.sid)
        if session is None or (session.over and key in ADDRESSED):
            return self._absent(event)
        session.now = now
        command = self._live.get(key)
        if command is None:
            session.handle(event)
            return self._flush(session)
        try:
            answer = command(session, event)
        except Refused:
            session.out.clear()
            raise
        effects = self._flush(session)
        if answer is not None:
            effects.append(Answer(value=answer))
        return effects

    def conference_changed(self, event: Event, now: float) -> Sequence[Effect]:
        """An event in the lane of a conference. Raises :class:`Refused`."""
        return self._local.outward(conference_control.handle(self.conferences, event, now))

    def conference_crashed(self, sid: str, now: float, error: Exception) -> Sequence[Effect]:
        """After a bug in the lane of a conference."""
        return self._local.outward(conference_control.crashed(self.conferences, sid, now))

    def queue_changed(self, event: WriteRequested, now: float) -> Sequence[Effect]:
        """A write to a queue by REST. Raises :class:`Refused`."""
        return queue_control.change(self.queues, event, now)

    def crashed(self, call_sid: str, now: float, error: Exception) -> Sequence[Effect]:
        """End one session after a bug: terminal status, callback, hang-up, debugger entry, release.

        Recordings that are still being written keep the session until their files are ready: the audio is
        the caller's. Should it crash once more then, they are given up.
        """
        return self._local.outward(self._crashed(call_sid, now, error))

    def _crashed(self, call_sid: str, now: float, error: Exception) -> list[Effect]:
        session = self._sessions.pop(call_sid, None)
        if session is None:  # it has not even begun: its caller must not ring on for ever
            return [RejectLeg(call_sid=call_sid, sip_code=503), ReleaseCall(call_sid=call_sid)]
        text = f"A defect of this server ended the call ({type(error).__name__}); see its log"
        call = session.call
        effects = end_stored(call, session.plan, now, 12400, self.new_token)
        effects += self.conferences.gone(call_sid, now, call.status)
        waiting = bool(effects) and bool(session.recordings.live)
        if not waiting:
            effects += self._give_up(session, now)
        effects.append(self._alert(call, now, 12400, text))
        unanswered_inbound = call.direction == "inbound" and call.answered_at is None
        effects.append(
            RejectLeg(call_sid=call_sid, sip_code=500)
            if unanswered_inbound
            else HangUpLeg(call_sid=call_sid, reason="error")
        )
        session.out.clear()
        effects += [Post(QueueStirred(call_sid=turn)) for turn in self.queues.forget(call_sid)]
        partner, tie = session.part(Partner), session.part(Tie)
        if partner is not None:
            effects.append(Post(BridgeEnded(call_sid=partner.call_sid, other_sid=call_sid, reason="failed")))
        if tie is not None:
            tie.ended()
            effects += session.out
            session.out = []
        if waiting:
            session.wait_for_files()
            self._sessions[call_sid] = session
            effects += session.out
            session.out = []
        else:
            effects.append(ReleaseCall(call_sid=call_sid))
        return effects

    def _give_up(self, session: Session, now: float) -> list[Effect]:
        effects: list[Effect] = []
        for recording in session.recordings.live.values():
            settle(recording, 0.0, False, 0, now)
            effects.append(Save(recording.copy()))
            hook = status_webhook(recording, recording.status, self.settings.api_base, self.new_token())
            if hook is not None:
                effects.append(hook)
        session.recordings.live.clear()
        return effects

    # --- beginnings ----------------------------------------------------------------------------------

    def _requested(self, event: WriteRequested, now: float) -> list[Effect]:
        settings, known = self.settings, event.known
        created = creation.check(
            event.account_sid,
            event.params,
            known,
            magic_numbers=settings.magic_numbers,
            time_limit=settings.time_limit,
            refuse=settings.refuse,
            ours=settings.ours,
        )
        call = self._call(event.sid, event.account_sid, created.to, created.from_, "outbound-api", now)
        call.phone_number_sid = known.caller_number_sid
        if known.trial:
            trial.limit(created.plan)
        call.plan = created.plan.to_json()
        if known.test:
            return [Answer(value=call)]
        session = self._queued(call, created.plan, now)
        for code, text in created.warnings:
            session.warn(code, text)
        session.do(Answer(value=call.copy()))
        return self._flush(session)

    def _verification(self, event: WriteRequested, now: float) -> list[Effect]:
        """The call that verifies a caller id."""
        created = creation.check(
            event.account_sid,
            event.params,
            event.known,
            magic_numbers=self.settings.magic_numbers,
            time_limit=verification.LONGEST,
            refuse=self.settings.refuse,
            ours=self.settings.ours,
        )
        call = self._call(event.lane.sid, event.account_sid, created.to, created.from_, "outbound-api", now)
        created.plan.verification = event.known.verification
        session = self._queued(call, created.plan, now, event.known.delay)
        session.begin(verification.documents(session))
        session.do(Answer(value=call.copy()))
        return self._flush(session)

    def _queued(self, call: Call, plan: Plan, now: float, delay: float = 0.0) -> Session:
        """A new outbound call: saved, and in the line of the dialler (after ``delay`` seconds)."""
        session = Session(self, call, plan, now)
        self._sessions[call.sid] = session
        session.save()
        session.do(SetDeadline(lane=session.lane, name=QUEUE, at=now + self.settings.queue_timeout))
        later = now + delay if delay else 0.0
        session.do(QueueDial(call_sid=call.sid, account_sid=call.account_sid, not_before=later))
        return session

    def _task_call(self, event: TaskCallRequested, now: float) -> list[Effect]:
        """A call to a worker or their customer; one that may not be made fails at once, and TaskRouter hears of it."""
        call = self._call(event.call_sid, event.account_sid, event.to, event.from_, "outbound-api", now)
        refusal: Refused | None = None
        plan = Plan(time_limit=self.settings.time_limit)
        try:
            created = creation.check(
                event.account_sid,
                task_leg.form_of(event),
                NewCall(  # whether the number shown may be shown is TaskRouter's to know
                    caller_number_sid=event.caller_number_sid,
                    trial_callee_verified=event.trial_callee_verified,
                ),
                magic_numbers=self.settings.magic_numbers and event.leg.role == "customer",
                time_limit=self.settings.time_limit,
                refuse=self.settings.refuse,
                ours=self.settings.ours,
            )
        except Refused as error:
            refusal = error
        else:
            plan = created.plan
            call = self._call(
                event.call_sid, event.account_sid, created.to, created.from_, "outbound-api", now
            )
        plan.task_leg, plan.early_media = event.leg, event.early_media
        session = self._queued(call, plan, now)
        if refusal is not None:
            session.warn(refusal.code, refusal.message)
            session.finish(refused(refusal.code))
        return self._flush(session)

    def _participant(self, event: WriteRequested, now: float) -> list[Effect]:
        """A call that goes into a conference when it is answered."""
        settings = self.settings
        wanted = invitation.check(
            event,
            magic_numbers=settings.magic_numbers,
            time_limit=settings.time_limit,
            refuse=settings.refuse,
            ours=settings.ours,
        )
        entry = self.conferences.expect(
            event.parent_sid, event.sid, event.account_sid, wanted.attributes, now, fresh=event.known.fresh
        )
        created = wanted.created
        call = self._call(event.sid, event.account_sid, created.to, created.from_, "outbound-api", now)
        call.phone_number_sid = event.known.caller_number_sid
        session = self._queued(call, created.plan, now)
        session.out += entry.effects
        for code, text in created.warnings:
            session.warn(code, text)
        session.do(Answer(value=entry.seat.copy()))
        return self._flush(session)

    def call_status(self, call_sid: str) -> str | None:
        """Status of a live call; None: none of them."""
        session = self._sessions.get(call_sid)
        return None if session is None else session.call.status

    def _arrived(self, event: CallArrived, now: float) -> list[Effect]:
        routing = event.routing
        if routing is None:
            return [RejectLeg(call_sid=event.call_sid, sip_code=404), ReleaseCall(call_sid=event.call_sid)]
        if event.call_sid in self._sessions:
            return []  # a carrier that reports an arrival twice
        plan = Plan(
            url=routing.voice_url,
            method=routing.voice_method,
            fallback_url=routing.voice_fallback_url,
            fallback_method=routing.voice_fallback_method,
            application_sid=routing.application_sid,
            time_limit=self.settings.time_limit,
            extra=[*params.sip_facts(event), *params.custom(event.parameters)],
        )
        if routing.status_callback:
            plan.callbacks.append(
                Callback(
                    url=routing.status_callback,
                    method=routing.status_callback_method,
                    events=list(routing.status_callback_events),
                )
            )
        call = self._call(event.call_sid, routing.account_sid, event.to, event.from_, "inbound", now)
        call.status = "ringing"
        call.start_time = now
        call.phone_number_sid = routing.phone_number_sid
        call.forwarded_from, call.caller_name = event.forwarded_from, event.caller_name
        call.carrier = event.carrier
        if routing.trial:
            trial.limit(plan)
        session = Session(self, call, plan, now)
        self._sessions[call.sid] = session
        session.save()
        if plan.url is None:
            session.warn(
                21205, f"{event.to} has no voice URL: set VoiceUrl on the number. The call is refused"
            )
            session.hang_up("document", 480)
        else:
            session.begin(flow.documents(session, session.origin()))
        return self._flush(session)

    def _child(self, event: ChildRequested, now: float) -> list[Effect]:
        request: dict[str, Any] = event.request
        plan = from_json(request["plan"])
        call = self._call(
            event.call_sid, event.account_sid, request["to"], request["from"], "outbound-dial", now
        )
        parent = self._sessions.get(event.parent_sid)
        if parent is None or parent.call.account_sid == event.account_sid:
            call.parent_call_sid = event.parent_sid  # another account's application has no business with it
        call.caller_name = plan.caller_name
        session = Session(self, call, plan, now)
        session.keep(Tie(session, event.parent_sid, request["whisper"]))
        self._sessions[call.sid] = session
        self._dial(session, event)
        if plan.local:
            self._local.open(call.sid, event.parent_sid)
            session.handle(LegRinging(call_sid=call.sid))
            session.begin(flow.documents(session, session.origin()))
        return self._flush(session)

    def _resumed(self, event: CallResumed, now: float) -> list[Effect]:
        call: Call = event.call
        if call.sid in self._sessions:
            return []
        session = Session(self, call, from_json(call.plan), now)
        self._sessions[call.sid] = session
        if session.plan.verification is not None:
            session.begin(verification.documents(session))
        session.do(QueueDial(call_sid=call.sid, account_sid=call.account_sid, not_before=event.not_before))
        return self._flush(session)

    def _lost(self, event: CallLost, now: float) -> list[Effect]:
        call: Call = event.call
        effects: list[Effect] = []
        if call.status not in machine.TERMINAL:
            effects += end_stored(call, from_json(call.plan), now, 15000, self.new_token)
            text = "The server was restarted while the call was live; the call is ended"
            effects.append(self._alert(call, now, 15000, text))
        for lost in event.recordings:
            record = lost.recording.copy()
            settle(record, lost.seconds, False, lost.size, now)
            effects.append(Save(record))
            hook = status_webhook(record, record.status, self.settings.api_base, self.new_token())
            if hook is not None:
                effects.append(hook)
        effects.append(ReleaseCall(call_sid=call.sid))
        return effects

    def _doubted(self, event: CallDoubted, now: float) -> list[Effect]:
        """What the reconciler found (call-outcomes.md §1)."""
        session = self._sessions.get(event.call_sid)
        if session is not None:
            session.now = now
            found = settling.live(session, event)
            return [*self._flush(session), Answer(value=found)]
        call: Call | None = event.call
        if call is None or event.finding is None or call.status in machine.TERMINAL:
            return []
        if call.status == "queued":
            effects = self._resumed(CallResumed(call_sid=call.sid, call=call), now)
            if event.finding == "expired":
                session = self._sessions[call.sid]
                session.now = now
                session.finish(expired(15002))
                effects = self._flush(session)
            return [*effects, Answer(value=settling.repair(call, event.finding))]
        effects = end_stored(call, from_json(call.plan), now, settling.PRESUMED, self.new_token)
        text = f"Reconciled: {settling.TEXTS[event.finding]}"
        effects.append(self._alert(call, now, settling.PRESUMED, text))
        return [*effects, *settling.released(call), Answer(value=settling.repair(call, event.finding))]

    def _trunk_record(self, event: TrunkRecordFound, now: float) -> list[Effect]:
        """A trunk's own record corrects what could only be presumed."""
        if event.call_sid in self._sessions:
            return []
        effects, found = settling.corrected(event, now, self.new_token)
        return [*effects, Answer(value=found)]

    # --- the life of an outbound leg ------------------------------------------------------------------

    def _dial(self, session: Session, event: Event) -> None:
        """Queued → initiated is the claim: committed first, dialled after it, at most once."""
        call, plan = session.call, session.plan
        if call.status != "queued":
            return
        call.start_time = session.now
        call.queue_time = int((session.now - call.date_created) * 1000)
        session.set_status("initiated", "initiated")
        session.timer("ring", plan.timeout)
        session.do(
            DialLeg(
                call_sid=call.sid,
                account_sid=call.account_sid,
                to=call.to,
                from_=plan.caller_id or call.from_,
                caller_name=plan.caller_name,
                username=plan.username,
                password=plan.password,
                headers=tuple((name, value) for name, value in plan.headers),
                group=call.parent_call_sid or call.sid,
            )
        )

    def _deadline(self, session: Session, event: DeadlineReached) -> None:
        if event.name == QUEUE and session.call.status == "queued":
            session.finish(expired(15002))

    # --- small things ---------------------------------------------------------------------------------

    def _absent(self, event: Event) -> list[Effect]:
        if isinstance(event, WriteRequested):
            redirecting = "Status" not in event.params and event.params.keys() & {"Url", "Twiml"}
            if event.write not in TOO_LATE or (event.noun == "Call" and not redirecting):
                return []  # ended calls take a new Status without a word; no Answer: the record is as stored
            raise Refused(*TOO_LATE[event.write])
        if isinstance(event, QueueTaken):  # taken in the moment in which it hung up
            gone = BridgeEnded(call_sid=event.by, other_sid=event.call_sid)
            return [Post(gone)] if event.by else []
        if isinstance(event, MemberReady):
            return [Post(BridgeEnded(call_sid=event.member_sid, other_sid=event.call_sid, reason="failed"))]
        if isinstance(event, TaskMade):
            return list(task_leg.orphaned(event))
        if isinstance(event, ReservationClaimed):
            return list(task_leg.claim_orphaned(event))
        if isinstance(event, ConversationFound):
            return [*waiting.not_any_more(event)]
        if isinstance(event, DeadlineReached):
            return [ClearDeadline(lane=event.lane, name=event.name)]  # else it comes at every start
        return []  # reports about a call that is over

    def _flush(self, session: Session) -> list[Effect]:
        effects, session.out = session.out, []
        if session.released:
            self._sessions.pop(session.call.sid, None)
            session.forget()
        return effects

    def _alert(self, call: Call, now: float, code: int, text: str) -> Save:
        return alert(
            self.new_sid,
            now,
            account_sid=call.account_sid,
            call_sid=call.sid,
            code=code,
            text=text,
        )

    @staticmethod
    def _call(sid: str, account_sid: str, to: str, from_: str, direction: str, now: float) -> Call:
        return Call(
            sid=sid,
            account_sid=account_sid,
            date_created=now,
            date_updated=now,
            to=to,
            to_formatted=shown(to),
            from_=from_,
            from_formatted=shown(from_),
            direction=direction,
        )
