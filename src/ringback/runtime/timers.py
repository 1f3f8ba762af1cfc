"""Timers: the live ones of calls, and the durable deadlines that the store keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ringback.effects import ClearDeadline, Effect, ReleaseCall, SetDeadline, StartTimer, StopTimer
from ringback.events import DeadlineReached, Event, TimerFired
from ringback.kernel.clock import Alarm, Clock
from ringback.kernel.lane import Lane


class Timers:
    """Live timers die with their call; deadlines are rows first and alarms second."""

    def __init__(self, clock: Clock, post: Callable[[Event], None]) -> None:
        self._clock = clock
        self._post = post
        self._live: dict[Lane, dict[str, Alarm]] = {}
        self._deadlines: dict[tuple[Lane, str], Alarm] = {}

    def __len__(self) -> int:
        return sum(len(timers) for timers in self._live.values()) + len(self._deadlines)

    def start(self, effect: StartTimer) -> None:
        """Arm (or re-arm) a live timer."""
        timers = self._live.setdefault(effect.lane, {})
        old = timers.get(effect.name)
        if old is not None:
            old.cancel()

        def fire() -> None:
            own = self._live.get(effect.lane)
            if own is not None and own.get(effect.name) is alarm:
                del own[effect.name]
                if not own:
                    del self._live[effect.lane]
                self._post(TimerFired(lane=effect.lane, name=effect.name))

        alarm = self._clock.call_at(self._clock.now() + effect.seconds, fire, pulls=effect.pulls)
        timers[effect.name] = alarm

    def stop(self, effect: StopTimer) -> None:
        """Forget one live timer."""
        timers = self._live.get(effect.lane)
        if timers is not None:
            alarm = timers.pop(effect.name, None)
            if alarm is not None:
                alarm.cancel()
            if not timers:
                del self._live[effect.lane]

    def release(self, effect: ReleaseCall) -> None:
        """Forget the live timers of a call."""
        for alarm in self._live.pop(Lane("call", effect.call_sid), {}).values():
            alarm.cancel()

    def follow(self, effects: Sequence[Effect]) -> None:
        """Arm and disarm what a committed event said about deadlines."""
        for effect in effects:
            if isinstance(effect, SetDeadline):
                self._arm(effect.lane, effect.name, effect.at)
            elif isinstance(effect, ClearDeadline):
                alarm = self._deadlines.pop((effect.lane, effect.name), None)
                if alarm is not None:
                    alarm.cancel()

    def resume(self, rows: Iterable[tuple[Lane, str, float]]) -> None:
        """Arm the deadlines that the store kept: (lane, name, Unix seconds)."""
        for lane, name, due in rows:
            self._arm(lane, name, due)

    def _arm(self, lane: Lane, name: str, due: float) -> None:
        old = self._deadlines.pop((lane, name), None)
        if old is not None:
            old.cancel()

        def fire() -> None:
            # The row stays until the handler's transaction clears it: a crash in between repeats the event.
            self._deadlines.pop((lane, name), None)
            self._post(DeadlineReached(lane=lane, name=name))

        self._deadlines[lane, name] = self._clock.call_at(due, fire, pulls=False)
