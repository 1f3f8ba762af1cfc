"""Every event of the product: past-tense facts, frozen, each field documented.

An event says its ``lane``: events of one lane are handled one after the other, in the order in which they were
posted (kernel/lane.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from msgspec import Struct, field

from ringback.kernel.lane import Lane

EndedBy = Literal["remote", "local", "timeout", "media", "carrier"]


class Event(Struct, frozen=True, kw_only=True):
    """A fact."""

    outside: ClassVar[bool] = False
    """True: the far end of a call decides how many there are. What is over the limit of its lane is dropped."""
    begins: ClassVar[bool] = False
    """True: something new begins, which waits for a store that cannot write. What is live goes on without it."""
    by_caller: ClassVar[bool] = False
    """True: a caller of the API wants it and can ask again when the store cannot write."""

    if TYPE_CHECKING:

        @property
        def lane(self) -> Lane:
            """In whose turn it is handled: a property of the kinds below, or a field."""


class CallEvent(Event, frozen=True, kw_only=True):
    """A fact about one call."""

    call_sid: str

    @property
    def lane(self) -> Lane:
        """The call's."""
        return Lane("call", self.call_sid)


class WorkspaceEvent(Event, frozen=True, kw_only=True):
    """A fact that TaskRouter is told about one workspace."""

    workspace_sid: str

    @property
    def lane(self) -> Lane:
        """The workspace's."""
        return Lane("workspace", self.workspace_sid)


# --- what carriers report -----------------------------------------------------------------


class SipFacts(Struct, frozen=True):
    """What a SIP INVITE told beyond the two numbers (voice-calls.md §6)."""

    call_id: str
    """The Call-ID header."""
    source_ip: str
    """The address that the request really came from."""
    domain: str = ""
    """Host part of the request URI."""
    username: str = ""
    """The authenticated user, or the user part of From."""
    headers: tuple[tuple[str, str], ...] = ()
    """Every ``X-`` header, as received."""


class VoiceRouting(Struct, frozen=True, kw_only=True):
    """Where the instructions of a call come from: the voice keys of a number or an application."""

    account_sid: str
    phone_number_sid: str | None = None
    application_sid: str | None = None
    voice_url: str | None = None
    voice_method: str = "POST"
    voice_fallback_url: str | None = None
    voice_fallback_method: str = "POST"
    status_callback: str | None = None
    status_callback_method: str = "POST"
    status_callback_events: tuple[str, ...] = ("completed",)
    trial: bool = False
    """The number's account is a trial one."""


class CallArrived(CallEvent, frozen=True, kw_only=True):
    """Somebody calls one of our numbers; nothing has been answered yet."""

    begins: ClassVar[bool] = True
    carrier: str
    """Name of the carrier that has the leg: ``simulated``, ``sip`` …"""
    from_: str
    """E.164 number, ``sip:`` URI, or a withheld marker such as ``anonymous``."""
    to: str
    """The called number (E.164) or ``sip:`` URI."""
    caller_name: str | None = None
    sip: SipFacts | None = None
    parameters: tuple[tuple[str, str], ...] = ()
    """Custom parameters that the caller's own device or app gave with the call (voice-calls.md §6)."""
    forwarded_from: str | None = None
    routing: VoiceRouting | None = None
    """Filled in by the runtime from the called number, before the event is handled; None: no such number."""


class LegRinging(CallEvent, frozen=True, kw_only=True):
    """The far end of an outbound call rings (SIP 180/183)."""

    outside: ClassVar[bool] = True

    early_media: bool = False
    """True when the far end already sends audio (183 with a session description)."""


class LegAnswered(CallEvent, frozen=True, kw_only=True):
    """The leg is answered and has media: outbound 2xx, or our own answer became effective."""

    sip_call_id: str = ""
    """Call-ID of the INVITE; empty when the leg is no SIP leg."""
    headers: tuple[tuple[str, str], ...] = ()
    """Every ``X-`` header of the answer, as received (``DialSipHeader_…``)."""


class LegFailed(CallEvent, frozen=True, kw_only=True):
    """An unanswered leg is over. ``sip_code`` follows voice-calls.md §4.1.

    Inbound: the caller gave up before an answer (487). Outbound: refused, unreachable or cancelled.
    """

    sip_code: int
    reason: str = ""
    by: Literal["callee", "carrier", "us", "timeout", "transport", "unregistered"] = "callee"
    """Who refused: the far end, the network between, our own side (we cancelled), no answer at
    all to the INVITE (``timeout``), no way to reach the host (``transport``), or a local user
    without a registered phone (``unregistered``)."""
    sip_call_id: str = ""
    """Call-ID of the INVITE; empty when none was sent."""
    headers: tuple[tuple[str, str], ...] = ()
    """Every ``X-`` header of the final response, as received."""


class LegEnded(CallEvent, frozen=True, kw_only=True):
    """An answered leg is over; reported exactly once."""

    by: EndedBy
    reason: str = ""


class DigitPressed(CallEvent, frozen=True, kw_only=True):
    """The far end pressed one key: ``0-9 * # A-D``."""

    outside: ClassVar[bool] = True

    digit: str


class ReferAnswered(CallEvent, frozen=True, kw_only=True):
    """The far end has answered our REFER (:class:`~ringback.effects.ReferLeg`)."""

    sip_code: int
    """202 when it does as it is asked; 408 or 503: no answer came; 0: the leg speaks no SIP, none was sent."""


class ReferNotified(CallEvent, frozen=True, kw_only=True):
    """The far end tells how the call goes that our REFER made it place (NOTIFY, RFC 3515 §2.4.4)."""

    outside: ClassVar[bool] = True

    sip_code: int
    """What its callee answered to the INVITE: 1xx while it rings, then the final response."""


class TransferAsked(CallEvent, frozen=True, kw_only=True):
    """The far end asks by REFER to be connected to somebody else."""

    outside: ClassVar[bool] = True

    target: str
    """``sip:`` URI."""


class PlaybackEnded(CallEvent, frozen=True, kw_only=True):
    """A playback is over: played out, stopped, or failed. Reported exactly once per PlayAudio."""

    playback: str
    """The id given in :class:`~ringback.effects.PlayAudio`."""
    seconds: float
    completed: bool
    error_code: int | None = None
    """A code of errors.md (13420 …) when a sound could not be fetched or decoded."""
    error_text: str = ""


class RecordingBegan(Event, frozen=True, kw_only=True):
    """The first sample of a recording is being written."""

    lane: Lane
    """Of whoever ordered it: a call or a conference."""
    recording_sid: str


class RecordingSilent(Event, frozen=True, kw_only=True):
    """The recorded party has said nothing for the ``silence_timeout`` of the recording."""

    outside: ClassVar[bool] = True

    lane: Lane
    recording_sid: str


class RecordingEnded(Event, frozen=True, kw_only=True):
    """A recording's file is complete and on disk (trimmed when asked for). Exactly once."""

    lane: Lane
    """Of whoever ordered it: a call or a conference."""
    recording_sid: str
    seconds: float
    """Length of the file, after trimming."""
    silent: bool
    """True when no speech or tone was in it."""
    size: int = 0
    """Bytes of the WAV file."""
    problem: str = ""
    """Why not all of it could be written (the disk is full); empty: it is whole."""


# --- what the web and the runtime report ----------------------------------------------------


class DocumentFetched(Event, frozen=True, kw_only=True):
    """The answer to :class:`~ringback.effects.FetchDocument`, good or bad. Exactly once per request."""

    lane: Lane
    """Of whoever asked: a call or a conference."""
    request: str
    """The id given in the effect."""
    url: str
    """The URL after redirects, without credentials and fragment: base for relative URLs."""
    status: int | None = None
    content_type: str = ""
    body: bytes = b""
    error_code: int | None = None
    """A fetch failure's code (11200 …); then ``body`` is not to be run."""
    error_text: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    """Of the answer, without cookies; for the debugger's log."""
    excerpt: str = ""
    """The start of a failed answer's body, at most 2,000 bytes; for the debugger's log."""


class CallerIdChecked(CallEvent, frozen=True, kw_only=True):
    """The answer to :class:`~ringback.effects.CheckCallerId`."""

    request: str
    allowed: bool
    phone_number_sid: str | None = None


class ApplicationFound(CallEvent, frozen=True, kw_only=True):
    """The answer to :class:`~ringback.effects.FindApplication`."""

    request: str
    routing: VoiceRouting | None
    """None: there is none of that SID, or the account may not dial it."""


class TimerFired(Event, frozen=True, kw_only=True):
    """A timer went off."""

    lane: Lane
    name: str
    """The name given in :class:`~ringback.effects.StartTimer`."""


class DeadlineReached(Event, frozen=True, kw_only=True):
    """A durable timer (:class:`~ringback.effects.SetDeadline`) is due."""

    lane: Lane
    name: str


class LostRecording(Struct, frozen=True):
    """An unfinished recording, found after a restart."""

    recording: Any
    """The stored Recording record."""
    seconds: float
    """Length of its file; 0.0 when there is none."""
    size: int
    """Bytes of its file."""


class CallLost(CallEvent, frozen=True, kw_only=True):
    """After a restart: the call was live when the process died (house.md, "One commit")."""

    call: Any
    """The stored Call record: status initiated, ringing or in-progress."""
    recordings: tuple[LostRecording, ...] = ()
    """Its recordings that were not finished, with what their files say."""


class CallResumed(CallEvent, frozen=True, kw_only=True):
    """After a restart: the call was still queued, nothing had been dialled; it goes on."""

    call: Any
    """The stored Call record: status queued."""
    not_before: float = 0.0
    """Unix seconds before which it is not to be dialled. 0: at once."""


# --- what one leg tells another --------------------------------------------------------------


class DialStarted(CallEvent, frozen=True, kw_only=True):
    """The rate limiter lets a queued call go: it may be dialled now."""

    begins: ClassVar[bool] = True


class ChildRequested(CallEvent, frozen=True, kw_only=True):
    """A ``<Dial>`` of the parent creates this child leg (``call_sid`` is the child)."""

    parent_sid: str
    account_sid: str
    request: dict[str, object] = field(default_factory=dict)
    """The noun and the dial attributes that concern the child; see voice/dial/tie.py."""


class ChildChanged(CallEvent, frozen=True, kw_only=True):
    """A child leg tells its parent (``call_sid`` is the parent) of a change."""

    child_sid: str
    change: Literal["ringing", "answering", "answered", "ready", "referred", "ended"]
    """``answering``: an application wants to be heard (voice/dial/local.py); ``answered``: picked up (a whisper may
    run); ``ready``: may be bridged now; ``referred``: asks to have the caller transferred; ``ended``: over."""
    status: str = ""
    """The child's terminal status when ``ended``."""
    sip_code: int | None = None
    early_media: bool = False
    redirected: bool = False
    """The child was redirected by REST: it lives on without the parent."""
    seconds: int = 0
    """Answered seconds of the child when ``ended``."""
    error_code: int | None = None
    sip_call_id: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    """The child's ``X-`` headers when ``ended``."""
    parameters: tuple[tuple[str, str], ...] = ()
    """For the parent's next request: what the ``<Hangup>`` or ``<Reject>`` of an application hands back when ``ended``,
    the target when ``referred``."""


class HangUpRequested(CallEvent, frozen=True, kw_only=True):
    """Another leg (or an operator) wants this call over; the reason decides its final status."""

    reason: Literal["parent-ended", "other-answered", "dial-timeout", "star", "time-limit", "api", "shutdown"]
