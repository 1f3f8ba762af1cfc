"""When simulated parties speak: their scripted sounds with the thresholds of a media worker's ear."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ringback.events import Event
from ringback.events.conferences import SpeechChanged
from ringback.kernel.clock import Alarm, Clock
from ringback.media import FRAME_SECONDS

START = 10 * FRAME_SECONDS
"""Seconds of sound until somebody speaks (``media/activity.py``)."""
STOP = 35 * FRAME_SECONDS
"""Seconds of silence until nobody does."""


class _Voice:
    """One leg that is watched."""

    __slots__ = ("alarm", "silent_at", "speaking")

    def __init__(self) -> None:
        self.speaking = False
        self.silent_at = 0.0
        """When what it says now is over."""
        self.alarm: Alarm | None = None
        """For the beginning of its speech, or the end."""


class Speaking:
    """Posts :class:`SpeechChanged` for the legs that are watched."""

    def __init__(self, *, clock: Clock, post: Callable[[Event], None]) -> None:
        self._clock, self._post = clock, post
        self._voices: dict[str, _Voice] = {}

    def watch(self, sid: str, on: bool) -> None:
        """Follow a leg, or no more."""
        if on:
            self._voices.setdefault(sid, _Voice())
        else:
            self._forget(sid)

    def says(self, sid: str, seconds: float) -> None:
        """A leg begins to be heard in its room, for so long."""
        voice = self._voices.get(sid)
        if voice is None:
            return
        now = self._clock.now()
        voice.silent_at = max(voice.silent_at, now + seconds)
        if voice.alarm is None:
            self._wake(sid, voice, now + START)

    def hush(self, sid: str) -> None:
        """A leg is not heard any more (muted, on hold): that ends what it says."""
        voice = self._voices.get(sid)
        if voice is None:
            return
        was = voice.speaking
        self._forget(sid)
        self._voices[sid] = _Voice()
        if was:
            self._post(SpeechChanged(call_sid=sid, speaking=False))

    def _forget(self, sid: str) -> None:
        voice = self._voices.pop(sid, None)
        if voice is not None and voice.alarm is not None:
            voice.alarm.cancel()

    def _wake(self, sid: str, voice: _Voice, at: float) -> None:
        voice.alarm = self._clock.call_at(at, partial(self._due, sid, voice))

    def _due(self, sid: str, voice: _Voice) -> None:
        voice.alarm = None
        now = self._clock.now()
        if not voice.speaking:
            if now > voice.silent_at + 1e-6:
                return  # too short to be speech
            voice.speaking = True
            self._post(SpeechChanged(call_sid=sid, speaking=True))
        elif now + 1e-6 >= voice.silent_at + STOP:
            voice.speaking = False
            self._post(SpeechChanged(call_sid=sid, speaking=False))
            return
        self._wake(sid, voice, voice.silent_at + STOP)
