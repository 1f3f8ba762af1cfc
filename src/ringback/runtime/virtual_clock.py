"""The virtual clock: a day of waiting takes milliseconds (surface.md, ``RINGBACK_CLOCK``).

Time stands still while anything holds the clock, and whenever nobody waits for it. It moves

* by :meth:`VirtualClock.advance`: alarm by alarm, to exactly the given moment;
* by itself, as long as an alarm that ``pulls`` is pending: to the earliest such alarm, setting off the
  others that lie on the way, in order. A simulated call or a script step pulls; the expiry of a waiting
  task does not, so an idle process never ages.

**Settling.** What an alarm sets off (tasks, commits, requests) must be done before time moves again.
Work that leaves the event loop holds the clock. Work inside the loop does not announce itself, so after
the last hold is released, and after every alarm, the clock waits for ``SETTLE_TURNS`` turns of the
loop in which nobody touches it: one turn wakes the task whose future the releasing code has
just resolved, the next runs the callbacks of tasks that ended thereby (``gather`` and ``wait_for``
stand between a result and its reader), the third polls the sockets, and the last handles what was read.
Any hold or new alarm in between starts the count again. No turn is spent when there is nothing to move to.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from itertools import count

SETTLE_TURNS = 4
"""Quiet turns of the event loop before time moves."""

_COMPACT_FROM = 256
"""Below so many cancelled alarms the heap is left as it is."""


class VirtualAlarm:
    """A pending call; see :class:`~ringback.kernel.clock.Alarm`."""

    __slots__ = ("_clock", "_function", "pulls", "queued")

    def __init__(self, clock: VirtualClock, function: Callable[[], None], pulls: bool) -> None:
        self._clock = clock
        self._function: Callable[[], None] | None = function
        self.pulls = pulls
        self.queued = False
        """True: it has an entry in the clock's heap. False: it was due when it was set."""

    @property
    def pending(self) -> bool:
        """False once it went off or was cancelled."""
        return self._function is not None

    def cancel(self) -> None:
        """Forget it and everything it refers to, at once."""
        if self._function is not None:
            self._function = None
            if self.queued:
                self._clock._forget(self)

    def _take(self) -> Callable[[], None] | None:
        """Give the function, once."""
        function, self._function = self._function, None
        return function


class VirtualHold:
    """While it is not released, time stands still; usable with ``with``."""

    __slots__ = ("_clock",)

    def __init__(self, clock: VirtualClock) -> None:
        self._clock: VirtualClock | None = clock

    def release(self) -> None:
        """Let time move again; releasing twice is fine."""
        clock, self._clock = self._clock, None
        if clock is not None:
            clock._release()

    def __enter__(self) -> VirtualHold:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


class VirtualClock:
    """:class:`~ringback.kernel.clock.Clock` whose time is moved, not measured.

    Every method belongs to the event loop's thread. ``start`` is in Unix seconds; the default is
    the real now. Alarms may be set before a loop runs; the first touch inside a loop starts it.
    """

    mode = "virtual"

    def __init__(self, start: float | None = None) -> None:
        self._now = time.time() if start is None else start
        self._heap: list[tuple[float, int, VirtualAlarm]] = []
        self._order = count()
        self._pulling = 0
        self._cancelled = 0
        self._holds = 0
        self._quiet = 0
        self._turning = False
        self._closed = False
        self._targets: list[tuple[float, int, asyncio.Future[None]]] = []

    # --- the protocol ---------------------------------------------------------------------------

    def now(self) -> float:
        """Unix seconds; the same until the clock moves."""
        return self._now

    def call_at(self, when: float, function: Callable[[], None], *, pulls: bool = True) -> VirtualAlarm:
        """Call ``function`` at ``when`` (Unix seconds).

        A moment that is already here needs no movement: such an alarm goes off in the loop's next
        turn even while the clock is held, so that a holder may wait for it.
        """
        alarm = VirtualAlarm(self, function, pulls)
        if self._closed:
            alarm._take()
            return alarm
        if when <= self._now and (loop := _running_loop()) is not None:
            loop.call_soon(self._go_off_now, alarm)
        else:
            alarm.queued = True
            heappush(self._heap, (when, next(self._order), alarm))
            self._pulling += pulls
        self._touch()
        return alarm

    def hold(self) -> VirtualHold:
        """Keep time still while some real work is under way."""
        self._holds += 1
        self._quiet = 0
        return VirtualHold(self)

    # --- moving on purpose ------------------------------------------------------------------------

    async def advance(self, seconds: float) -> None:
        """Move ``seconds`` on, setting off every alarm on the way in order, settled between each two.

        Returns when the moment is reached and settled. Waits for holds to be released: whoever calls
        this must not hold the clock. Raises ``ValueError`` for a negative or infinite distance,
        ``asyncio.CancelledError`` when the clock is closed meanwhile.
        """
        if not 0 <= seconds < float("inf"):
            raise ValueError("a clock is advanced by a finite number of seconds, not less than 0")
        reached: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heappush(self._targets, (self._now + seconds, next(self._order), reached))
        self._touch()
        await reached

    def close(self) -> None:
        """Drop all alarms; time never moves again."""
        self._closed = True
        for _, _, alarm in self._heap:
            alarm._take()
        self._heap.clear()
        self._pulling = self._cancelled = 0
        for _, _, reached in self._targets:
            reached.cancel()
        self._targets.clear()

    @property
    def pending(self) -> int:
        """Number of alarms that lie ahead."""
        return len(self._heap) - self._cancelled

    @property
    def holds(self) -> int:
        """Number of holds that keep time still."""
        return self._holds

    # --- the machinery ----------------------------------------------------------------------------

    def _touch(self) -> None:
        """Somebody is active: count the quiet turns anew, if there is anything to move to."""
        self._quiet = 0
        if self._turning or self._holds or self._closed or not self._has_work():
            return
        loop = _running_loop()
        if loop is not None:
            self._turning = True
            loop.call_soon(self._turn, loop)

    def _has_work(self) -> bool:
        return bool(self._pulling or self._targets or (self._heap and self._heap[0][0] <= self._now))

    def _turn(self, loop: asyncio.AbstractEventLoop) -> None:
        """One turn of the loop: count it, and after enough quiet ones make one step."""
        self._turning = False
        if self._holds or self._closed:
            return
        if self._quiet >= SETTLE_TURNS:
            self._quiet = 0
            self._step(loop)
        else:
            self._quiet += 1
        if not (self._turning or self._holds or self._closed) and self._has_work():
            self._turning = True
            loop.call_soon(self._turn, loop)

    def _step(self, loop: asyncio.AbstractEventLoop) -> None:
        """Set off the earliest alarm, or arrive at the target before it."""
        heap = self._heap
        while heap and not heap[0][2].pending:
            heappop(heap)
            self._cancelled -= 1
        while self._targets and self._targets[0][2].done():
            heappop(self._targets)
        if self._targets and (not heap or heap[0][0] > self._targets[0][0]):
            moment, _, reached = heappop(self._targets)
            self._now = max(self._now, moment)
            reached.set_result(None)
        elif heap and (self._targets or self._pulling or heap[0][0] <= self._now):
            moment, _, alarm = heappop(heap)
            self._pulling -= alarm.pulls
            self._now = max(self._now, moment)
            _run(loop, alarm._take())

    def _go_off_now(self, alarm: VirtualAlarm) -> None:
        """Set off an alarm that was due when it was set."""
        _run(asyncio.get_running_loop(), alarm._take())

    def _forget(self, alarm: VirtualAlarm) -> None:
        """A queued alarm was cancelled: its entry goes when it surfaces, or when too many lie there."""
        self._pulling -= alarm.pulls
        self._cancelled += 1
        if self._cancelled > _COMPACT_FROM and self._cancelled * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[2].pending]
            heapify(self._heap)
            self._cancelled = 0

    def _release(self) -> None:
        self._holds -= 1
        if not self._holds:
            self._touch()


def _run(loop: asyncio.AbstractEventLoop, function: Callable[[], None] | None) -> None:
    """Call an alarm's function; a defect in it is reported to the loop and stops nobody else."""
    if function is None:
        return
    try:
        function()
    except Exception as error:  # noqa: BLE001 - reported, as the loop itself does for its own timers
        loop.call_exception_handler({"message": "an alarm's function failed", "exception": error})


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
