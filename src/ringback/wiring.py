"""The whole product on one page: EVENT → handler, EFFECT → performer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from ringback import effects as fx
from ringback import events as ev
from ringback.edges.exchange import Exchange
from ringback.effects import queues as queue_effects
from ringback.effects import taskrouter as taskrouter_effects
from ringback.effects.conferences import BoundDelay, RecordRoom, WatchSpeech
from ringback.effects.transcription import Transcribe
from ringback.events import conferences as conference_events
from ringback.events import outcomes as out
from ringback.events import queues as qu
from ringback.events import taskrouter as tr
from ringback.events import transcription as transcription_events
from ringback.runtime.dialler import Dialler
from ringback.runtime.outbox import Outbox
from ringback.runtime.reconciler import Reconciler
from ringback.runtime.runtime import Handler, Wiring
from ringback.runtime.timers import Timers
from ringback.voice import retention
from ringback.voice.transcription import Transcripts
from ringback.web.assignment import Assignments
from ringback.web.calls import Directory
from ringback.web.documents import Documents
from ringback.web.event_bridge import EventBridge
from ringback.web.outcomes import CustomerRights
from ringback.web.taskrouter_link import TaskRouterLink
from ringback.web.transcriptions import Transcriptions


class Core(Protocol):
    """A product core: one event in, effects out."""

    def handle(self, event: Any, now: float) -> Sequence[fx.Effect]:
        """Handle one event at ``now`` (Unix seconds)."""

    def crashed(self, call_sid: str, now: float, error: Exception) -> Sequence[fx.Effect]:
        """End one session after a bug."""


class Router(Protocol):
    """TaskRouter's core; its lanes are workspaces."""

    def handle(self, event: Any, now: float) -> Sequence[fx.Effect]:
        """Handle one event at ``now`` (Unix seconds)."""


class Parts(Protocol):
    """What the composition root has built (``app.py``)."""

    @property
    def voice(self) -> Core:
        """The voice core."""

    @property
    def taskrouter(self) -> Router:
        """TaskRouter's core."""

    bridge: EventBridge
    taskrouter_link: TaskRouterLink
    assignments: Assignments
    documents: Documents
    directory: Directory
    dialler: Dialler
    timers: Timers
    exchange: Exchange
    outbox: Outbox
    reconciler: Reconciler
    transcriptions: Transcriptions
    customer_rights: CustomerRights

    @property
    def new_sid(self) -> Callable[[str], str]:
        """Makes a SID of the kind that its prefix says."""

    def check_caller_id(self, effect: fx.CheckCallerId) -> None:
        """Look a caller id up."""

    def announce(self, effect: taskrouter_effects.Announce) -> None:
        """Tell live listeners."""

    def crashed(self, lane: str, now: float, error: Exception) -> Sequence[fx.Effect]:
        """A bug in a lane: end that session, or load that workspace again."""


VOICE_EVENTS: tuple[type[ev.Event], ...] = (
    ev.CallArrived, ev.LegRinging, ev.LegAnswered, ev.LegFailed, ev.LegEnded,
    ev.DigitPressed, ev.PlaybackEnded, ev.RecordingBegan, ev.RecordingSilent, ev.RecordingEnded,
    ev.DocumentFetched, ev.CallerIdChecked, ev.TimerFired, ev.CallLost, ev.CallResumed,
    out.CallDoubted, out.TrunkRecordFound, out.CallerIdVerificationRequested,
    ev.CallRequested, ev.CallUpdateRequested, ev.RecordingRequested, ev.RecordingUpdateRequested,
    ev.DialStarted, ev.ChildRequested, ev.ChildChanged, ev.HangUpRequested, ev.DeadlineReached,
    qu.QueueTaken, qu.MemberReady, qu.BridgeEnded, qu.QueueStirred, qu.MemberDequeueRequested,
    qu.QueueChangeRequested, qu.TaskMade, qu.ReservationClaimed, qu.TaskCallRequested,
    conference_events.ParticipantTold, conference_events.SpeechChanged, conference_events.ParticipantRequested,
    conference_events.ParticipantUpdateRequested, conference_events.ParticipantRemovalRequested,
    conference_events.ConferenceUpdateRequested, conference_events.ConferenceLost,
)  # fmt: skip

LEG_EFFECTS: tuple[type[fx.Effect], ...] = (
    fx.DialLeg, fx.RingLeg, fx.AnswerLeg, fx.RejectLeg, fx.HangUpLeg, fx.PlayAudio, fx.StopAudio,
    fx.RecordLeg, fx.PauseRecording, fx.ResumeRecording, fx.StopRecording, fx.Join, fx.LeaveRoom,
    RecordRoom, WatchSpeech, BoundDelay,
)  # fmt: skip


TASKROUTER_EVENTS: tuple[type[ev.Event], ...] = (
    tr.WorkspaceWriteRequested, tr.WorkspacesLoaded, tr.TaskRequested, tr.ClaimRequested, tr.AssignmentAnswered,
    qu.TaskCallChanged,
)  # fmt: skip


def wire(parts: Parts) -> Wiring:
    """Connect the cores and the performers."""
    handlers: dict[type[ev.Event], Handler] = dict.fromkeys(VOICE_EVENTS, parts.voice.handle)
    handlers |= dict.fromkeys(TASKROUTER_EVENTS, parts.taskrouter.handle)
    handlers[ev.TimerFired] = by_lane(parts.voice.handle, WS=parts.taskrouter.handle)
    handlers[ev.RecordingRemovalRequested] = retention.remove
    transcripts = Transcripts(parts.new_sid)
    handlers[ev.CallLost] = transcripts.rescued(parts.voice.handle)
    handlers[transcription_events.TranscriptionEnded] = transcripts.ended
    handlers[transcription_events.TranscriptionRemovalRequested] = transcripts.remove
    handlers[ev.DeadlineReached] = by_lane(
        retention.deadlines(parts.voice.handle), WS=parts.bridge.due, TR=transcripts.due
    )
    return Wiring(
        handlers=handlers,
        prepare={
            out.CallDoubted: parts.reconciler.prepare,
            out.TrunkRecordFound: parts.reconciler.prepare_record,
            ev.CallArrived: parts.directory.prepare_arrival,
            qu.TaskCallRequested: parts.customer_rights.prepare,
            transcription_events.TranscriptionEnded: parts.transcriptions.prepare,
            transcription_events.TranscriptionRemovalRequested: parts.transcriptions.prepare_removal,
        },
        perform={
            **dict.fromkeys(LEG_EFFECTS, parts.exchange.perform),
            fx.FetchDocument: parts.documents.fetch,
            fx.CheckCallerId: parts.check_caller_id,
            Transcribe: parts.transcriptions.start,
            queue_effects.MakeTask: parts.taskrouter_link.make_task,
            queue_effects.ClaimReservation: parts.taskrouter_link.claim,
            taskrouter_effects.AskAssignment: parts.assignments.ask,
            taskrouter_effects.RedirectCall: parts.taskrouter_link.redirect,
            taskrouter_effects.Announce: parts.announce,
            fx.QueueDial: parts.dialler.queue,
            fx.StartTimer: parts.timers.start,
            fx.StopTimer: parts.timers.stop,
            fx.ReleaseCall: together(
                parts.documents.release, parts.exchange.release, parts.timers.release, parts.dialler.release
            ),
        },
        committed=committed(parts),
        crashed=parts.crashed,
    )


def committed(parts: Parts) -> Callable[[Sequence[fx.Effect], Sequence[Any]], None]:
    """After a commit: what is owed goes to the outbox, deadlines to the timers."""

    def follow(effects: Sequence[fx.Effect], owed: Sequence[Any]) -> None:
        if owed:
            parts.outbox.add(owed)
        parts.timers.follow(effects)

    return follow


def by_lane(otherwise: Handler, **lanes: Handler) -> Handler:
    """One event, several cores: the first letters of its lane (``WS``: a workspace) say whose it is."""

    def handle(event: ev.Event, now: float) -> Sequence[fx.Effect]:
        return lanes.get(event.key[:2], otherwise)(event, now)

    return handle


def together(*performers: Callable[[Any], None]) -> Callable[[Any], None]:
    """One effect, several performers, in order."""

    def perform(effect: Any) -> None:
        for each in performers:
            each(effect)

    return perform
