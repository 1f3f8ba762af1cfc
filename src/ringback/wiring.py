"""The whole product on one page: EVENT → handler, EFFECT → performer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from ringback import effects as fx
from ringback import events as ev
from ringback.conversations.pair import Pairs
from ringback.conversations.routing import Routing
from ringback.conversations.step import Threads
from ringback.edges.exchange import Exchange
from ringback.effects import queues as queue_effects
from ringback.effects import taskrouter as taskrouter_effects
from ringback.effects.conferences import BoundDelay, RecordRoom, WatchSpeech
from ringback.effects.messaging import QueueSend, SendText
from ringback.effects.transcription import Transcribe
from ringback.events import conferences as co
from ringback.events import conversations as cv
from ringback.events import frontline as fl
from ringback.events import messaging as ms
from ringback.events import outcomes as out
from ringback.events import queues as qu
from ringback.events import taskrouter as tr
from ringback.events import transcription as te
from ringback.events.writes import WriteRequested
from ringback.kernel.answering import Answering
from ringback.kernel.lane import Lane
from ringback.resources.api.message import Message
from ringback.resources.api.recording import Recording
from ringback.resources.api.transcription import Transcription
from ringback.resources.conversations.conversation import Conversation
from ringback.runtime.dialler import Dialler
from ringback.runtime.lane_kind import LaneKind, Wiring
from ringback.runtime.outbox import Outbox
from ringback.runtime.reconciler import Reconciler
from ringback.runtime.stored import on
from ringback.runtime.timers import Timers
from ringback.store.store import Store
from ringback.store.writes import Owed
from ringback.texting import TextingPart
from ringback.voice.recording import retention
from ringback.voice.recording.transcription import Transcripts
from ringback.web.assignment import Assignments
from ringback.web.conversations.setup import ConversationsWeb
from ringback.web.conversations.workers import Workers
from ringback.web.directory import Directory
from ringback.web.documents import Documents
from ringback.web.event_bridge import EventBridge
from ringback.web.mcs.media_store import MediaStore
from ringback.web.outcomes import CustomerRights
from ringback.web.taskrouter_link import TaskRouterLink
from ringback.web.transcribing import Transcriptions
from ringback.web.webchat.waiting import Waiting


class Core(Protocol):
    """A product core: one event in, effects out."""

    def handle(self, event: Any, now: float) -> Sequence[fx.Effect]:
        """Handle one event at ``now`` (Unix seconds)."""

    def crashed(self, sid: str, now: float, error: Exception) -> Sequence[fx.Effect]:
        """After a bug in one lane: end what it was, or forget it."""


class Switchboard(Core, Protocol):
    """The voice core."""

    def conference_changed(self, event: Any, now: float) -> Sequence[fx.Effect]:
        """Handle one event in the lane of a conference."""

    def conference_crashed(self, sid: str, now: float, error: Exception) -> Sequence[fx.Effect]:
        """After a bug in the lane of a conference."""

    def queue_changed(self, event: Any, now: float) -> Sequence[fx.Effect]:
        """Handle one event about a queue."""


class Parts(Protocol):
    """What the composition root has built (``app.py``)."""

    @property
    def voice(self) -> Switchboard:
        """The voice core."""

    @property
    def taskrouter(self) -> Core:
        """TaskRouter's core."""

    bridge: EventBridge
    taskrouter_link: TaskRouterLink
    assignments: Assignments
    documents: Documents
    directory: Directory
    dialler: Dialler
    texting: TextingPart
    timers: Timers
    exchange: Exchange
    outbox: Outbox
    reconciler: Reconciler
    transcriptions: Transcriptions
    customer_rights: CustomerRights
    store: Store
    conversations: ConversationsWeb
    media: MediaStore
    web_chats: Waiting

    @property
    def new_sid(self) -> Callable[[str], str]:
        """Makes a SID of the kind that its prefix says."""

    def check_caller_id(self, effect: fx.CheckCallerId) -> None:
        """Look a caller id up."""

    def find_application(self, effect: fx.FindApplication) -> None:
        """Look an application up."""

    def lead(self, effect: fx.Effect) -> float:
        """Real seconds that an answer has to arrive before what its request caused is told."""

    def announce(self, effect: taskrouter_effects.Announce) -> None:
        """Tell live listeners."""

    def lane_ended(self, lane: Lane, error: Exception) -> None:
        """A lane is given up after a bug."""


CALL_EVENTS: tuple[type[ev.Event], ...] = (
    ev.CallArrived, ev.LegRinging, ev.LegAnswered, ev.LegFailed, ev.LegEnded,
    ev.DigitPressed, ev.ReferAnswered, ev.ReferNotified, ev.TransferAsked, ev.PlaybackEnded,
    ev.RecordingBegan, ev.RecordingSilent, ev.RecordingEnded,
    ev.DocumentFetched, ev.CallerIdChecked, ev.ApplicationFound, ev.TimerFired, ev.CallLost, ev.CallResumed,
    out.CallDoubted, out.TrunkRecordFound,
    ev.DialStarted, ev.ChildRequested, ev.ChildChanged, ev.HangUpRequested, ev.DeadlineReached,
    qu.QueueTaken, qu.MemberReady, qu.BridgeEnded, qu.QueueStirred,
    qu.TaskMade, qu.ReservationClaimed, qu.TaskCallRequested,
    co.ParticipantTold, co.TransferTold, co.SpeechChanged, WriteRequested,
    cv.ConversationFound, cv.WorkerJoined,
)  # fmt: skip

CONFERENCE_EVENTS: tuple[type[ev.Event], ...] = (
    WriteRequested, co.ConferenceLost, ev.DocumentFetched, ev.RecordingBegan, ev.RecordingEnded,
    ev.TimerFired,
)  # fmt: skip

WORKSPACE_EVENTS: tuple[type[ev.Event], ...] = (
    tr.WorkspaceWriteRequested, tr.WorkspacesLoaded, tr.TaskRequested, tr.ClaimRequested, tr.AssignmentAnswered,
    qu.TaskCallChanged, ev.TimerFired,
)  # fmt: skip

RECORDING_EVENTS: tuple[type[ev.Event], ...] = (WriteRequested, ev.DeadlineReached)

TRANSCRIPTION_EVENTS: tuple[type[ev.Event], ...] = (
    te.TranscriptionEnded, WriteRequested, ev.DeadlineReached,
)  # fmt: skip

CONVERSATION_EVENTS: tuple[type[ev.Event], ...] = (
    cv.ConversationWriteRequested, cv.MessageTold, cv.ConversationOpened, cv.CallWaits, cv.CallLeftConversation,
    cv.ConversationDue, cv.ConversationEmptied, cv.ReplayRequested, ev.DeadlineReached,
)  # fmt: skip

MESSAGE_EVENTS: tuple[type[ev.Event], ...] = (
    ms.MessageArrived, ms.SendStarted, ms.MessageSent, ms.MessageRefused, ms.MessageNotSent, ms.MessageUnclear,
    ms.ReceiptArrived, cv.TextUnclaimed, ev.DocumentFetched, WriteRequested, ev.DeadlineReached,
)  # fmt: skip

LEG_EFFECTS: tuple[type[fx.Effect], ...] = (
    fx.DialLeg, fx.RingLeg, fx.AnswerLeg, fx.RejectLeg, fx.HangUpLeg, fx.PlayAudio, fx.StopAudio,
    fx.RecordLeg, fx.PauseRecording, fx.ResumeRecording, fx.StopRecording, fx.Join, fx.LeaveRoom,
    fx.EchoLeg, fx.ReferLeg, fx.AnswerTransfer, RecordRoom, WatchSpeech, BoundDelay,
)  # fmt: skip


def wire(parts: Parts) -> Wiring:
    """Connect the cores and the performers."""
    voice, taskrouter, texting = parts.voice, parts.taskrouter, parts.texting
    transcripts = Transcripts(parts.new_sid)
    pairs, pair_facts = Pairs(parts.new_sid), parts.conversations.pairs
    return Wiring(
        kinds={
            "call": LaneKind(
                handlers={
                    **dict.fromkeys(CALL_EVENTS, voice.handle),
                    ev.CallLost: transcripts.rescued(voice.handle),
                },
                crashed=voice.crashed,
                lives=False,
            ),
            "conference": LaneKind(
                handlers=dict.fromkeys(CONFERENCE_EVENTS, voice.conference_changed),
                crashed=voice.conference_crashed,
                lives=False,
            ),
            "queue": LaneKind(handlers={WriteRequested: voice.queue_changed}),
            "workspace": LaneKind(
                handlers={
                    **dict.fromkeys(WORKSPACE_EVENTS, taskrouter.handle),
                    ev.DeadlineReached: parts.bridge.due,
                },
                crashed=taskrouter.crashed,
                revive=parts.taskrouter_link.stored,
            ),
            "recording": LaneKind(
                handlers=dict.fromkeys(RECORDING_EVENTS, on(Recording)(retention.step)),
            ),
            "transcription": LaneKind(
                handlers=dict.fromkeys(TRANSCRIPTION_EVENTS, on(Transcription)(transcripts.step)),
            ),
            "pair": LaneKind(handlers={cv.InboundTexted: pairs.texted, cv.ConversationSought: pairs.sought}),
            "routing": LaneKind(handlers={fl.WorkerWanted: Routing(parts.new_sid).handle}),
            "conversation": LaneKind(
                handlers=dict.fromkeys(CONVERSATION_EVENTS, on(Conversation)(Threads(parts.new_sid).step)),
            ),
            "message": LaneKind(handlers=dict.fromkeys(MESSAGE_EVENTS, on(Message)(texting.core.step))),
            "outgoing": LaneKind(handlers={ms.MessageRequested: texting.core.requested}),
        },
        prepare={
            out.CallDoubted: parts.reconciler.prepare,
            out.TrunkRecordFound: parts.reconciler.prepare_record,
            ev.CallArrived: parts.directory.prepare_arrival,
            qu.TaskCallRequested: parts.customer_rights.prepare,
            te.TranscriptionEnded: parts.transcriptions.prepare,
            fl.WorkerWanted: Workers(parts.store).prepare,
            cv.InboundTexted: pair_facts.texted,
            cv.ConversationSought: pair_facts.sought,
            **parts.conversations.look_ups.prepare,
            ms.MessageArrived: texting.prepare_arrival,
            ms.MessageRequested: texting.directory.prepare_request,
            ms.SendStarted: texting.directory.prepare_send,
        },
        prepare_joined={
            cv.InboundTexted: pair_facts.texted_at_once,
            cv.ConversationWriteRequested: parts.conversations.look_ups.text,
        },
        address={
            queue_effects.MakeTask: parts.taskrouter_link.task_requested,
            queue_effects.ClaimReservation: parts.taskrouter_link.claim_requested,
        },
        perform={
            **dict.fromkeys(LEG_EFFECTS, parts.exchange.perform),
            fx.FetchDocument: parts.documents.fetch,
            fx.CheckCallerId: parts.check_caller_id,
            fx.FindApplication: parts.find_application,
            Transcribe: parts.transcriptions.start,
            SendText: texting.office.perform,
            taskrouter_effects.AskAssignment: parts.assignments.ask,
            taskrouter_effects.RedirectCall: parts.taskrouter_link.redirect,
            taskrouter_effects.Announce: parts.announce,
            fx.StartTimer: parts.timers.start,
            fx.StopTimer: parts.timers.stop,
            fx.ReleaseCall: together(
                parts.documents.release, parts.exchange.release, parts.timers.release, parts.dialler.release
            ),
        },
        committed=committed(parts),
        tells=frozenset({taskrouter_effects.AskAssignment, taskrouter_effects.Announce}),
        lead=parts.lead,
        ended=parts.lane_ended,
    )


def committed(parts: Parts) -> Callable[[Sequence[fx.Effect], Sequence[Owed], list[Answering]], None]:
    """After a commit: what is owed goes to whoever lets it leave, deadlines to the timers."""

    def follow(effects: Sequence[fx.Effect], owed: Sequence[Owed], answers: list[Answering]) -> None:
        if owed:
            leave(parts, owed, answers)
        parts.timers.follow(effects)
        parts.media.follow(effects)
        parts.web_chats.follow(effects)

    return follow


def leave(parts: Parts, owed: Sequence[Owed], answers: list[Answering] | None = None) -> None:
    """Rows of the outbox, by their kind. ``answers``: to be written before they leave."""
    parts.outbox.add([each for each in owed if isinstance(each.what, fx.SendWebhook)], answers)
    for each in owed:
        if isinstance(each.what, fx.QueueDial):
            parts.dialler.queue(each.what, answers)
        elif isinstance(each.what, QueueSend):
            parts.texting.sender.queue(each.what, answers)


def together(*performers: Callable[[Any], None]) -> Callable[[Any], None]:
    """One effect, several performers, in order."""

    def perform(effect: Any) -> None:
        for each in performers:
            each(effect)

    return perform
