"""Every effect of the product: imperative requests to the outside (house.md).

Those that are ``committed`` (``Save``, ``SendWebhook``, ``QueueDial`` …) are written in the event's own transaction;
everything else is *live*: performed once, right after the commit, and never stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from msgspec import Struct

from ringback.kernel.hiding import repr_without
from ringback.kernel.lane import Lane

if TYPE_CHECKING:
    from ringback.events import Event


class Effect(Struct, frozen=True, kw_only=True):
    """A request to the outside world."""

    committed: ClassVar[bool] = False
    """True: part of the transaction. False: performed live, after it."""


# --- written in the transaction ------------------------------------------------------------------


class Save(Effect, frozen=True):
    """Insert or replace one record (an instance of a declared resource)."""

    committed: ClassVar[bool] = True
    record: Any


class Delete(Effect, frozen=True):
    """Remove one record."""

    committed: ClassVar[bool] = True
    record: Any


class SendWebhook(Effect, frozen=True, kw_only=True):
    """A notification: delivered at least once, in order per ``key``, kept in the outbox until then."""

    committed: ClassVar[bool] = True
    key: str
    """Deliveries of one key never overlap and keep their order: the SID of what they are about."""
    call_sid: str | None = None
    """The call that the debugger shows with it; None: it is about none."""
    account_sid: str
    url: str
    """As configured, with fragment overrides and credentials (webhooks.md §5, §6)."""
    method: str
    params: list[tuple[str, str]]
    token: str
    """I-Twilio-Idempotency-Token: the same on every attempt, also after a restart."""
    failure_code: int = 15003
    """Debugger warning when it cannot be delivered."""
    resource_sid: str = ""
    """What the debugger entry is about; empty: ``key``."""
    not_before: float = 0.0
    """Unix seconds: a final notification that was given up, to be sent once more then. 0: the first time."""


class SetDeadline(Effect, frozen=True, kw_only=True):
    """A durable timer: ``DeadlineReached(lane, name)`` at ``at`` (Unix seconds), also after a restart.

    The same lane and name again moves it.
    """

    committed: ClassVar[bool] = True
    lane: Lane
    name: str
    at: float


class ClearDeadline(Effect, frozen=True, kw_only=True):
    """Forget a durable timer; none of that name is fine."""

    committed: ClassVar[bool] = True
    lane: Lane
    name: str


# --- live: the runtime -------------------------------------------------------------------------


class Post(Effect, frozen=True):
    """Post another event once this one is committed: a message, when it is for another lane (runtime/runtime.py)."""

    event: Event


class Answer(Effect, frozen=True, kw_only=True):
    """The value that whoever asked (``Runtime.ask``) gets; at most one per event."""

    value: Any


class StartTimer(Effect, frozen=True, kw_only=True):
    """Post ``TimerFired(lane, name)`` after ``seconds``; the same name again replaces it."""

    lane: Lane
    name: str
    seconds: float
    pulls: bool = True
    """On the virtual clock: may time move by itself to this deadline? False for limits such as
    the maximum length of a call, which must not fire because nothing else happens."""


class StopTimer(Effect, frozen=True, kw_only=True):
    """Forget a timer; none of that name is fine."""

    lane: Lane
    name: str


class QueueDial(Effect, frozen=True, kw_only=True):
    """Let this queued call be dialled when the account's calls-per-second rate allows: ``DialStarted``.

    A row of the outbox until it is claimed, so a call that was queued when the process died is dialled after all.
    """

    committed: ClassVar[bool] = True
    call_sid: str
    account_sid: str
    not_before: float = 0.0
    """Unix seconds before which it is not to be dialled. 0: at once."""


class ClaimDial(Effect, frozen=True, kw_only=True):
    """The queued call is dialled now, or never: the commit that says so takes the row out of the outbox. Whatever
    becomes of the dial, it is not begun again: at most once."""

    committed: ClassVar[bool] = True
    call_sid: str


class ReleaseCall(Effect, frozen=True, kw_only=True):
    """The session is over: forget its leg, timers and cookies."""

    call_sid: str


# --- live: the web ------------------------------------------------------------------------------


class FetchDocument(Effect, frozen=True, kw_only=True):
    """Ask the customer's application for instructions; answered by ``DocumentFetched``."""

    lane: Lane
    """Whose it is: a call's or a conference's."""
    account_sid: str
    request: str
    """Names the answer; unique within the lane."""
    url: str
    """Absolute, with fragment overrides and credentials."""
    method: str
    params: list[tuple[str, str]]
    empty_ok: bool = False
    """An empty answer is no failure: a wait document (silence)."""
    jar: str = ""
    """Names the cookies that it shares with other lanes (of the messages of two addresses); empty: its lane's own."""


class CheckCallerId(Effect, frozen=True, kw_only=True):
    """Is ``number`` ours or verified? Answered by ``CallerIdChecked``."""

    call_sid: str
    account_sid: str
    request: str
    number: str


class FindApplication(Effect, frozen=True, kw_only=True):
    """Where does an application that the account may dial get its instructions? Answered by ``ApplicationFound``."""

    call_sid: str
    account_sid: str
    request: str
    application_sid: str


# --- live: the leg, performed by the carrier that has it -----------------------------------------


class LegEffect(Effect, frozen=True, kw_only=True):
    """Something for the carrier that has the leg ``call_sid``."""

    call_sid: str


class DialLeg(LegEffect, frozen=True, kw_only=True):
    """Place the outbound leg. The commit before it was the claim: it is performed at most once."""

    account_sid: str
    to: str
    """E.164 number or ``sip:`` URI (headers part included)."""
    from_: str
    caller_name: str | None = None
    username: str | None = None
    password: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    group: str = ""
    """Legs of one group are mixed together: the parent's SID, or the call's own."""

    def __repr__(self) -> str:
        return repr_without(self, "password")


class RingLeg(LegEffect, frozen=True, kw_only=True):
    """Tell the caller that it rings (180); the call stays unanswered."""


class AnswerLeg(LegEffect, frozen=True, kw_only=True):
    """Answer an inbound leg; the carrier reports ``LegAnswered`` once media can flow."""


class RejectLeg(LegEffect, frozen=True, kw_only=True):
    """Refuse an unanswered inbound leg with a SIP final response; no event follows."""

    sip_code: int
    reason: str = ""


class HangUpLeg(LegEffect, frozen=True, kw_only=True):
    """End the leg in whatever state it is: BYE, or CANCEL while it rings.

    An answered leg then reports ``LegEnded(by='local')``, an unanswered outbound one
    ``LegFailed(487, by='us')`` (unless an answer or refusal crossed it).
    """

    reason: str = ""


class Speech(Struct, frozen=True):
    """Text to be spoken."""

    text: str
    """Plain text, or SSML children serialised, without the enclosing Say element."""
    voice: str = ""
    language: str = "en-US"
    ssml: bool = False


class Sound(Struct, frozen=True):
    """An audio file to be fetched and played."""

    url: str


class Tone(Struct, frozen=True):
    """A generated tone: ``beep``, ``ringback-us`` …, ``busy``, ``hold-music``."""

    name: str


class Silence(Struct, frozen=True):
    """Nothing for some seconds."""

    seconds: float


class Keys(Struct, frozen=True):
    """DTMF to be sent: ``0-9 A-D * # w W`` (w = 0.5 s, W = 1 s)."""

    digits: str


AudioItem = Speech | Sound | Tone | Silence | Keys


class PlayAudio(LegEffect, frozen=True, kw_only=True):
    """Play items to the far end; ``PlaybackEnded`` follows exactly once."""

    playback: str
    items: tuple[AudioItem, ...]
    loop: int = 1
    """Times; 0 = until stopped."""
    account_sid: str = ""
    """Whose call it is: speech and sounds are shared fairly among accounts."""


class StopAudio(LegEffect, frozen=True, kw_only=True):
    """Stop a playback now; ``PlaybackEnded(completed=False)`` follows if it was running."""

    playback: str


class RecordLeg(LegEffect, frozen=True, kw_only=True):
    """Start writing a recording of this leg to the data directory."""

    recording_sid: str
    channels: int = 1
    track: Literal["inbound", "outbound", "both"] = "both"
    """inbound: what we receive from this leg's far end."""
    silence_timeout: float | None = None
    """Report ``RecordingSilent`` after that many seconds without speech."""
    trim: bool = False
    """Cut leading and trailing silence off the finished file."""
    beep_first: bool = False
    transcribe: bool = False
    """It will be written down: the simulated carrier keeps the words that its party says."""


class PauseRecording(LegEffect, frozen=True, kw_only=True):
    """Pause: ``skip`` leaves the time out, ``silence`` fills it with silence."""

    recording_sid: str
    behavior: Literal["skip", "silence"] = "silence"


class ResumeRecording(LegEffect, frozen=True, kw_only=True):
    """Go on after a pause."""

    recording_sid: str


class StopRecording(LegEffect, frozen=True, kw_only=True):
    """Finish the file; ``RecordingEnded`` follows. A leg that ends finishes its recordings by itself."""

    recording_sid: str


class Join(LegEffect, frozen=True, kw_only=True):
    """Put the leg into a room, or change how it takes part; everybody in a room hears everybody else."""

    room: str
    muted: bool = False
    """Hears, and is not heard."""
    hold: bool = False
    """Neither heard nor hearing; what is played to the leg itself goes on."""
    coach: str | None = None
    """Call SID of the one party that hears this leg (supervision)."""


class LeaveRoom(LegEffect, frozen=True, kw_only=True):
    """Take the leg out of its room; in none is fine."""


class EchoLeg(LegEffect, frozen=True, kw_only=True):
    """Send the far end its own audio back, or do so no more."""

    on: bool


class ReferLeg(LegEffect, frozen=True, kw_only=True):
    """Ask the far end to call somebody else in our place (REFER, RFC 3515 §2.1).

    ``ReferAnswered`` follows once, then a ``ReferNotified`` for each NOTIFY; both may be cut short by the leg's end.
    """

    target: str
    """``sip:`` URI, its headers part (which the new call is to carry) included."""


class AnswerTransfer(LegEffect, frozen=True, kw_only=True):
    """Tell the far end what becomes of the transfer that it has asked for (``TransferAsked``)."""

    sip_code: int
    """200: it is made; 603: it is not."""
