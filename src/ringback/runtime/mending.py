"""What is done about a lane that a bug, or a transaction that failed, has broken (docs/architecture.md, "Lanes").

What dies with the process (a call) is ended, once. What outlives it (a workspace) is read from the store again, after
pauses that grow; after so many bugs in a row it is ended alone: its messages stay where they are until a restart, and
requests are refused. A store that cannot write is no bug: the lane waits for it as long as it takes.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Sequence
from typing import Final, Protocol

from ringback.effects import Effect
from ringback.events import DeadlineReached
from ringback.kernel.clock import Clock, Hold
from ringback.kernel.errors import Refused
from ringback.kernel.lane import Lane
from ringback.runtime.lane_kind import LaneKind, Wiring
from ringback.runtime.turn import Item, Trouble
from ringback.store.writes import Conflict, MessageDone, MessageFailed, OwnershipLost

log = logging.getLogger("ringback.runtime")

PAUSES: Final = (0.0, 0.5, 2.0, 8.0, 30.0)
"""Seconds before a broken lane is read from the store again, after so many bugs in a row; then it is ended."""
STORE_PAUSE: Final = 5.0
"""Seconds between two tries while the store fails, at most."""
TRIES: Final = 3
"""How often one message may break its lane before it is set aside."""


class Writing(Protocol):
    """The runtime, as far as it is needed here."""

    async def commit(
        self, effects: Sequence[Effect], rows: Sequence[object] = (), *, keep: bool = False
    ) -> None:
        """Write the committed effects and the rows, all or nothing; ``keep``: wait for no store that cannot."""

    def perform(self, lane: Lane, effects: Sequence[Effect]) -> object:
        """Perform the live ones."""


class Mending:
    """The broken lanes."""

    def __init__(self, runtime: Writing, wiring: Wiring, clock: Clock) -> None:
        self._runtime, self._wiring, self._clock = runtime, wiring, clock
        self.bugs = 0
        """Since the start."""
        self.ended: dict[Lane, str] = {}
        """Given up: lane → the bug."""
        self._failures: dict[Lane, int] = {}
        """Bugs in a row."""
        self._resting: set[Lane] = set()
        self._holds: dict[Lane, Hold] = {}
        """Time stands still while a lane is being mended, but for the pauses."""
        self._pauses: set[asyncio.Future[None]] = set()
        self._closing = False

    def ails(self, lane: Lane) -> bool:
        """Whether it cannot handle anything now."""
        return lane in self._resting or lane in self.ended

    def ailing(self, lane: Lane) -> bool:
        """Whether it was broken and has not handled anything since."""
        return lane in self._failures

    def refuses(self, lane: Lane, item: Item) -> bool:
        """Whether an event is not even put into its lane: nobody who asks is left waiting, a message keeps its row."""
        if lane in self.ended or (lane in self._resting and item.waiter is not None):
            if item.waiter is not None:
                item.waiter.set_exception(_unavailable(lane))
            return True
        return False

    def well(self, lane: Lane) -> None:
        """It has handled something again: the next bug is the first."""
        self._failures.pop(lane, None)

    def close(self) -> None:
        """The process stops: nobody pauses any more."""
        self._closing = True
        for pause in self._pauses:
            if not pause.done():
                pause.set_result(None)

    async def mend(self, lane: Lane, queue: deque[Item], trouble: Trouble) -> None:
        """End the lane's session, or give it its memory back; nothing of the lane is handled meanwhile."""
        if isinstance(trouble.error, OwnershipLost):
            return  # the process ends, and has said so
        self.bugs += not trouble.storage
        item, error = trouble.item, trouble.error
        what = "a transaction" if item is None else f"handling {type(item.event).__name__}"
        log.error("%s: %s failed", lane, what, exc_info=error)
        if item is not None and item.waiter is not None and not item.waiter.done():
            item.waiter.set_exception(error)
        kind = self._wiring.kinds[lane.kind]
        self._holds[lane] = self._clock.hold()
        try:
            await self._end_session(kind, lane, error)
            if kind.lives:
                self._resting.add(lane)
                await self._restore(kind, lane, queue, trouble)
            elif item is not None and item.message:
                await self._written(lane, (), [MessageDone(item.message)])
        finally:
            self._resting.discard(lane)
            self._holds.pop(lane).release()

    async def _end_session(self, kind: LaneKind, lane: Lane, error: Exception) -> None:
        try:
            effects = kind.crashed(lane.sid, self._clock.now(), error)
        except Exception:
            log.exception("%s: its session could not be ended in order", lane)
            return
        await self._written(lane, effects, ())

    async def _written(self, lane: Lane, effects: Sequence[Effect], rows: Sequence[object]) -> None:
        """Commit, however long the store takes; what is live (the leg hangs up) does not wait for it."""
        performed = False
        tries = 0
        while True:
            try:
                await self._runtime.commit(effects, rows, keep=not self._wiring.kinds[lane.kind].lives)
            except (Conflict, OwnershipLost):
                log.exception("%s: its end could not be written", lane)
                return
            except Exception:
                tries += 1
                if not performed:
                    log.exception("%s: its end cannot be written yet", lane)
                    performed = True
                    self._runtime.perform(lane, effects)
                if self._closing:
                    return
                await self._pause(lane, min(STORE_PAUSE, 0.1 * 2**tries))
            else:
                break
        if not performed:
            self._runtime.perform(lane, effects)

    async def _restore(self, kind: LaneKind, lane: Lane, queue: deque[Item], trouble: Trouble) -> None:
        if kind.revive is not None:
            self._refuse_waiting(lane, queue)
        if trouble.item is not None and (trouble.item.message or type(trouble.item.event) is DeadlineReached):
            await self._again(lane, queue, trouble.item, trouble.error)
        bugs = self._failures.get(lane, 0) + (not trouble.storage)
        self._failures[lane] = bugs
        if bugs > len(PAUSES):
            self._give_up(lane, queue, trouble.error)
            return
        await self._pause(lane, PAUSES[max(0, bugs - 1)])
        tries = 0
        while kind.revive is not None:
            if self._closing:
                self._give_up(lane, queue, trouble.error)
                return
            try:
                event = await kind.revive(lane.sid)
            except Exception:
                tries += 1
                log.exception("%s: cannot be read from the store yet", lane)
                await self._pause(lane, min(STORE_PAUSE, 0.1 * 2**tries))
            else:
                if event is not None:
                    queue.appendleft(Item(event, event.lane, revives=True))
                return

    def _refuse_waiting(self, lane: Lane, queue: deque[Item]) -> None:
        """Nobody who asks is left waiting for a lane that has lost its memory."""
        for each in [each for each in queue if each.waiter is not None]:
            queue.remove(each)
            if each.waiter is not None and not each.waiter.done():
                each.waiter.set_exception(_unavailable(lane))

    async def _again(self, lane: Lane, queue: deque[Item], item: Item, error: Exception) -> None:
        """What has a row of its own is tried again, but not for ever: then the row is kept, for people or a restart."""
        if item.tries + 1 < TRIES:
            queue.appendleft(item._replace(tries=item.tries + 1))
            return
        if not item.message:
            log.error("%s: its deadline waits for a restart", lane)
            return
        log.error("%s: message %s (%s) is set aside", lane, item.message, type(item.event).__name__)
        await self._written(lane, (), [MessageFailed(item.message, f"{type(error).__name__}: {error}")])

    def _give_up(self, lane: Lane, queue: deque[Item], error: Exception) -> None:
        self.ended[lane] = f"{type(error).__name__}: {error}"
        queue.clear()
        if not self._closing:
            log.critical(
                "%s: given up after %d bugs in a row; a restart tries it again", lane, len(PAUSES) + 1
            )
            self._wiring.ended(lane, error)

    async def _pause(self, lane: Lane, seconds: float) -> None:
        if self._closing or seconds <= 0:
            return
        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        due = self._clock.now() + seconds * random.uniform(0.8, 1.2)  # noqa: S311 - jitter
        alarm = self._clock.call_at(due, lambda: None if over.done() else over.set_result(None))
        self._pauses.add(over)
        self._holds[lane].release()
        try:
            await over
        finally:
            self._holds[lane] = self._clock.hold()
            self._pauses.discard(over)
            alarm.cancel()


def _unavailable(lane: Lane) -> Refused:
    return Refused(20503, f"The {lane.kind} is being restored; try again in a moment", 503)
