"""One live leg: its status, its timers, its running document, and its end (voice-calls.md §4, §5, §11)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ringback.effects import (
    AnswerTransfer,
    ClaimDial,
    ClearDeadline,
    FetchDocument,
    HangUpLeg,
    Keys,
    RejectLeg,
    ReleaseCall,
)
from ringback.events import (
    Event,
    LegAnswered,
    LegEnded,
    LegFailed,
    LegRinging,
    PlaybackEnded,
    RecordingEnded,
    TimerFired,
    TransferAsked,
)
from ringback.events.conversations import ConversationFound
from ringback.events.queues import TaskMade
from ringback.kernel.outcome import Outcome, completed, inbound, outbound, unfit
from ringback.resources.api.call import Call
from ringback.voice import params
from ringback.voice.board import Board
from ringback.voice.call import flow, machine, progress, task_leg, trial
from ringback.voice.call.ending import settle
from ringback.voice.call.plan import Plan
from ringback.voice.conference import ringing
from ringback.voice.connect import waiting
from ringback.voice.dial.tie import Tie
from ringback.voice.params import Params
from ringback.voice.recording.status import RECORDING_WAIT
from ringback.voice.stage import Stage
from ringback.voice.steps import End, HungUp, Interrupted, Redirected, Source, Steps

QUEUE = "queue"
"""Name of the durable timer of a queued call."""
HANGUP_GUARD = 40.0
"""Seconds after which a leg counts as ended although its carrier never said so."""
RECORDING_GUARD = 120.0
"""Seconds that a finished call waits for its recordings' files."""

_REJECTED = {486: "busy", 500: "failed"}
"""SIP code with which we refuse an inbound call → its status; others: no-answer (twiml.md §8)."""


class Session(Stage):
    """One leg. Events come in by :meth:`handle`; effects gather in ``out``."""

    def __init__(self, board: Board, call: Call, plan: Plan, now: float) -> None:
        super().__init__(board, call, plan, now)
        self.ending = ""
        """Why we asked for the end; empty while nobody did."""
        self.released = False
        self._steps: Steps[End] | None = None
        self._owed: list[tuple[str, Source]] = []

    # --- what verbs use -----------------------------------------------------------------------------

    def owe(self, source: Source) -> None:
        self._owed.append(("", source))

    def owe_recording(self, recording_sid: str, source: Source) -> None:
        self._owed.append((recording_sid, source))

    def ask_aside(self, source: Source) -> None:
        self._ask(source, [])

    # --- status -----------------------------------------------------------------------------------

    @property
    def over(self) -> bool:
        """Whether the status is terminal."""
        return self.call.status in machine.TERMINAL

    def set_status(self, status: str, event: str = "", extra: Params | None = None) -> None:
        """Go to another status, save, and tell those who subscribed to ``event``."""
        self._leave_line()
        self.call.status = machine.step(self.call.status, status)
        if event:
            progress.tell(self, event, extra or [])
        self.save()

    def _leave_line(self) -> None:
        """It will not be dialled (again): this commit is the claim. A child was never in the dialler's line."""
        if self.call.status == "queued" and not self.call.parent_call_sid:
            self.do(ClaimDial(call_sid=self.call.sid))
            self.do(ClearDeadline(lane=self.lane, name=QUEUE))

    # --- events -----------------------------------------------------------------------------------

    def handle(self, event: Event) -> None:
        """One event: first the leg's own bookkeeping, then the running document."""
        if isinstance(event, PlaybackEnded) and event.error_code is not None:
            self.warn(event.error_code, event.error_text or "The sound could not be played")
        if self.over and not isinstance(event, (RecordingEnded, TimerFired)):
            return  # late or repeated reports about a call that has ended: ignored on purpose, here only
        if self.call.status == "queued":
            return  # nothing has been dialled: whatever reports of a leg means another one
        tie = self.part(Tie)
        if tie is not None:
            tie.before(event)
        handler = _HANDLERS.get(type(event))
        if handler is not None:
            handler(self, event)
        if not self.over:
            if tie is not None:
                tie.after(event)
            self.feed(event)

    def feed(self, event: Event) -> None:
        if self._steps is None:
            return
        try:
            self._steps.send(event)
        except StopIteration as stop:
            self._document_over(stop.value)

    def begin(self, steps: Steps[End]) -> None:
        self._steps = steps
        try:
            next(steps)
        except StopIteration as stop:
            self._document_over(stop.value)

    def redirect(self, source: Source) -> None:
        tie = self.part(Tie)
        if tie is not None:
            tie.cut()
        if self._steps is None:
            self.begin(flow.documents(self, source))
            return
        self._throw(Redirected(source))

    def hang_up(self, reason: str, reject: int | None = None) -> None:
        if self.over:
            return
        if self.call.direction == "inbound" and not self.answered:
            self.ending = reason
            code = reject or 480
            self.do(RejectLeg(call_sid=self.call.sid, sip_code=code))
            status = "canceled" if reason == "api" else _REJECTED.get(code, "no-answer")
            self.finish(inbound(status, code, "us"))
            return
        if self.call.status == "queued":
            self.ending = reason
            self.finish(outbound(487, "us", "api"), silent=True)
            return
        if self.plan.local and reject and not self.answered:  # an application that refuses
            self.ending = reason
            self._failed(LegFailed(call_sid=self.call.sid, sip_code=reject))
            return
        if not self.ending:
            self.ending = reason
            self.timer("hangup-guard", HANGUP_GUARD, pulls=False)
            self.do(HangUpLeg(call_sid=self.call.sid, reason=reason))

    def finish(self, result: Outcome, *, silent: bool = False) -> None:
        """The leg is over: terminal status, owed requests, callbacks, release (the order of §11)."""
        if self.over:
            return
        call = self.call
        call.end_time = self.now
        answered_at = call.answered_at
        call.duration = 0 if answered_at is None else max(0, round(self.now - answered_at))
        self._leave_line()
        settle(call, self.plan, result)
        if self._steps is not None:
            self._throw(HungUp())
            self._steps = None
        self.out += self.board.conferences.gone(call.sid, self.now, call.status)
        self._ask_owed("")
        task_leg.tell(self, "ended", self.ending)
        if not silent:
            progress.tell(self, "completed", progress.final(self))
        self.save()
        if result.error_code is not None:
            said = f"SIP response {result.sip_code}. " if result.sip_code is not None else ""
            self.warn(result.error_code, said + result.advice)
        tie = self.part(Tie)
        if tie is not None:
            tie.ended()
        self.wait_for_files()
        self._release_if_done()

    def wait_for_files(self) -> None:
        """The leg is over: its recordings, and the requests that tell of them, are waited for, not for ever."""
        self._steps = None
        if self.recordings.live:
            self.timer("recording-guard", RECORDING_GUARD, pulls=False)
            if self._owed:
                self.timer("owed-guard", RECORDING_WAIT)

    def _release_if_done(self) -> None:
        if self.over and not self.recordings.live and not self.released:
            self.released = True
            for sid, _ in self._owed:
                self._ask_owed(sid)
            self.do(ReleaseCall(call_sid=self.call.sid))

    def _ask_owed(self, recording_sid: str, facts: Params | None = None) -> None:
        for item in [one for one in self._owed if one[0] == recording_sid]:
            self._owed.remove(item)
            self._ask(item[1], facts or [])

    def _ask(self, source: Source, facts: Params) -> None:
        self.do(
            FetchDocument(
                lane=self.lane, account_sid=self.call.account_sid, request=self.fresh("owed"),
                url=source.url or "", method=source.method,
                params=[*self.standard_params(), *source.params, *facts],
            )
        )  # fmt: skip

    def _throw(self, interruption: Interrupted) -> None:
        steps = self._steps
        if steps is None:
            return
        try:
            steps.throw(interruption)
        except StopIteration as stop:
            if not self.over:
                self._document_over(stop.value)
        except HungUp:
            self._steps = None
        finally:
            interruption.__traceback__ = None  # its frames hold the exception and the session: a cycle

    def _document_over(self, end: End) -> None:
        self._steps = None
        tie = self.part(Tie)
        if tie is not None:
            tie.parameters = end.parameters
            if tie.whisper_over(end):
                return
        self.hang_up("document", end.reject)

    def _ringing(self, event: Event) -> None:
        if self.call.status == "initiated":
            self.set_status("ringing", "ringing")
        if not self.answered:
            self.out += ringing.begins(self, event)

    def _answered_event(self, event: Event) -> None:
        if self.answered:
            return
        self.answered = True
        self.call.answered_at = self.now
        if self.call.start_time is None:
            self.call.start_time = self.now
        if self.plan.machine_detection:
            self.call.answered_by = params.UNDETECTED
        self.set_status("in-progress", "answered")
        task_leg.tell(self, "answered")
        self.stop_timer("ring")
        if self.ending:  # our CANCEL crossed the answer
            self.do(HangUpLeg(call_sid=self.call.sid, reason=self.ending))
            return
        self.timer("time-limit", self.plan.time_limit, pulls=False)
        if self.plan.record is not None:
            sid = self.recordings.start(self.plan.record)
            self.recordings.whole_call = self.recordings.live[sid]
        if self.plan.send_digits:
            self.start_audio((Keys(self.plan.send_digits),))
        progress.tell_detection(self)
        tie = self.part(Tie)
        if tie is not None:
            tie.answered()
        elif self._steps is None:
            self.begin(flow.documents(self, self.origin()))

    def origin(self) -> Source:
        """The first document of the call."""
        if self.plan.url is not None:
            return Source(url=self.plan.url, method=self.plan.method)
        return Source(twiml=self.plan.twiml or "<Response/>")

    def _leg_ended(self, event: Event) -> None:
        """``completed`` only ever follows an answer, whatever a carrier calls the end."""
        if self.answered:
            self.finish(completed())
        else:
            self._failed(LegFailed(call_sid=self.call.sid, sip_code=487))

    def _failed(self, event: Event) -> None:
        assert isinstance(event, LegFailed)
        if self.answered:
            self.finish(completed())
        elif self.call.direction == "inbound":
            if self.ending or event.sip_code == 487:
                status = "canceled" if self.ending == "api" else "no-answer"
                self.finish(inbound(status, event.sip_code, "us" if self.ending else "callee", event.reason))
            else:
                self.finish(unfit(event.sip_code, event.reason))
        else:
            self.finish(outbound(event.sip_code, event.by, self.ending, event.reason))

    def _timer(self, event: Event) -> None:
        assert isinstance(event, TimerFired)
        name = event.name
        if name == "ring" and not self.answered:
            self.hang_up("ring-timeout")
        elif name == "time-limit" and not self.over:
            self.warn(
                trial.OVER if self.plan.trial and self.plan.time_limit == trial.LONGEST else 32015,
                f"The call lasted its {self.plan.time_limit} seconds",
            )
            self.hang_up("time-limit")
        elif name == "hangup-guard" and not self.over:
            self.finish(completed() if self.answered else outbound(487, "us", self.ending))
        elif name == "owed-guard" and self.over:
            for sid, _ in list(self._owed):
                self._ask_owed(sid, self.recordings.facts(sid, self.recordings.so_far(sid)))
        elif name == "recording-guard":
            for sid in list(self.recordings.live):
                self._recording_ended(
                    RecordingEnded(lane=self.lane, recording_sid=sid, seconds=0.0, silent=False)
                )

    def _transfer_asked(self, event: Event) -> None:
        assert isinstance(event, TransferAsked)
        tie = self.part(Tie)
        if tie is not None and self.plan.transfers and self.answered:
            tie.transfer_asked(event.target)
            return
        self.do(AnswerTransfer(call_sid=self.call.sid, sip_code=603))
        self.warn(13802, f"The far end asked for a transfer to {event.target[:200]}; it was told no")

    def _recording_ended(self, event: Event) -> None:
        assert isinstance(event, RecordingEnded)
        self.recordings.ended(event)
        if self.over:
            facts = self.recordings.facts(event.recording_sid, event.seconds)
            self._ask_owed(event.recording_sid, facts)
            self._release_if_done()


_HANDLERS: dict[type[Event], Callable[[Session, Any], None]] = {
    LegRinging: Session._ringing,
    LegAnswered: Session._answered_event,
    LegFailed: Session._failed,
    LegEnded: Session._leg_ended,
    TimerFired: Session._timer,
    RecordingEnded: Session._recording_ended,
    TransferAsked: Session._transfer_asked,
    TaskMade: task_leg.task_made,
    ConversationFound: waiting.strayed,
}
"""The leg's own bookkeeping, before the running document sees the event."""
