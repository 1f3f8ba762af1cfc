"""What a verb may use of the call that it runs in; the session carries it out (``call/session.py``).

Verbs, and all that they are made of, know this module and not the session: it is the seam between the two.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from ringback.effects import AudioItem, PlayAudio, StopAudio
from ringback.events import Event, PlaybackEnded, TimerFired
from ringback.kernel.errors import Refused
from ringback.resources.api.call import Call
from ringback.voice import params, urls
from ringback.voice.board import Board
from ringback.voice.call.pace import Pace
from ringback.voice.call.plan import Plan
from ringback.voice.leg import Leg
from ringback.voice.params import Params
from ringback.voice.recording.live import Recordings
from ringback.voice.steps import End, Interrupted, Source, Steps


class Stage(Leg, ABC):
    """A leg on which documents run."""

    def __init__(self, board: Board, call: Call, plan: Plan, now: float) -> None:
        super().__init__(board, call, plan, now)
        self.base: str | None = None
        """URL of the running document; None: inline."""
        self.whispering = False
        """The running document is for this party alone, before it is joined to the other."""
        self.whisper_may_fail = False
        """A whisper that cannot be fetched or run is left out: the parties are joined all the same."""
        self.followed = False
        """A verb follows the running one in its document."""
        self.recordings = Recordings(self)
        self.pace = Pace(board.settings.documents_per_minute)

    # --- the running document ---------------------------------------------------------------------------

    def resolve(self, url: str, absolute_code: int = 11100) -> str:
        """``url`` seen from the running document; raises :class:`Refused`."""
        return urls.resolve(self.base, url, absolute_code)

    def action_url(self, url: str | None, absolute_code: int = 15004) -> str:
        """Where an action goes: ``url``, or the current document; raises :class:`Refused`."""
        if url:
            return self.resolve(url, absolute_code)
        if self.base is None:
            raise Refused(11100, "Inline TwiML has no URL of its own: give the verb an absolute action")
        return self.base

    def callback_url(self, url: str | None, code: int) -> str | None:
        """A callback attribute's URL; a bad one is warned of with ``code`` and left out."""
        if not url:
            return None
        try:
            return self.resolve(url, code)
        except Refused as refusal:
            self.warn(code, refusal.message)
            return None

    def standard_params(self) -> Params:
        """What every request for instructions carries."""
        facts = [*params.standard(self.call), *((name, value) for name, value in self.plan.extra)]
        if self.call.answered_by and self.plan.detection_callback is None:
            facts += params.detection(self.call.answered_by)
        return facts

    # --- sound and time ---------------------------------------------------------------------------------

    def start_audio(self, items: tuple[AudioItem, ...], loop: int = 1) -> str:
        """Start a playback; gives its id."""
        playback = self.fresh("play")
        call = self.call
        self.do(
            PlayAudio(
                call_sid=call.sid, playback=playback, items=items, loop=loop, account_sid=call.account_sid
            )
        )  # fmt: skip
        return playback

    def stop_audio(self, playback: str) -> None:
        """Stop a playback of :meth:`start_audio`."""
        self.do(StopAudio(call_sid=self.call.sid, playback=playback))

    def play(self, items: tuple[AudioItem, ...], loop: int = 1) -> Steps[PlaybackEnded]:
        """Play to the end; an interruption stops the sound."""
        playback, began = self.start_audio(items, loop), self.now
        try:
            while True:
                event = yield
                if isinstance(event, PlaybackEnded) and event.playback == playback:
                    break
        except Interrupted:
            self.do(StopAudio(call_sid=self.call.sid, playback=playback))
            raise
        if event.error_code is not None:
            self.pace.wasted(self.now - began)
        return event

    def sleep(self, seconds: float) -> Steps[None]:
        """Wait without media."""
        name = self.fresh("sleep")
        self.timer(name, seconds)
        try:
            while True:
                event = yield
                if isinstance(event, TimerFired) and event.name == name:
                    return
        finally:
            self.stop_timer(name)

    # --- what only the session can do -------------------------------------------------------------------

    @abstractmethod
    def owe(self, source: Source) -> None:
        """An action request that is made although the call is over; its answer is ignored (§11)."""

    @abstractmethod
    def owe_recording(self, recording_sid: str, source: Source) -> None:
        """The same, with the recording's facts, once its file is finished (or RECORDING_WAIT is over)."""

    @abstractmethod
    def ask_aside(self, source: Source) -> None:
        """An action request that is made at once while the call goes on elsewhere; its answer is ignored."""

    @abstractmethod
    def begin(self, steps: Steps[End]) -> None:
        """Start running documents."""

    @abstractmethod
    def feed(self, event: Event) -> None:
        """Hand an event to the running document."""

    @abstractmethod
    def redirect(self, source: Source) -> None:
        """Abandon the running document at once for another."""

    @abstractmethod
    def hang_up(self, reason: str, reject: int | None = None) -> None:
        """End the leg in whatever state it is; the carrier then reports the end."""
