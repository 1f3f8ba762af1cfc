"""The runtime: takes an event, lets its handler answer with effects, commits, then performs the rest.

Events of one lane are handled one after the other; those that wait already share a transaction, and what
they ask of the outside is done, in order, when it is durable. Different lanes run side by side and share
transactions too (group commit in the store).

**Messages.** A lane that has nothing to do handles what another one posts to it at once, in the sender's own
transaction: either both happened or neither did. What it must look up first is looked up in that turn only where
``Wiring.prepare_joined`` says that it may be. For a lane that is busy the message is a row, written in the
sender's transaction and removed in the receiver's: it arrives at least once, those of one pair in their order, and
the row's SID tells a second delivery from a second message. A turn that writes nothing else waits for no disk.
Between two lanes that both die with the process (``LaneKind.lives``) a message is kept in memory only: after a
restart nobody is there to hear it.

**A store that cannot write** keeps what it is given. What lives longer than the process waits for it; what dies with
it, the calls, goes on meanwhile (``late.py``).

The whole product's routing is in ``wiring.py``; nothing here knows what a call is.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, Protocol

from ringback.effects import Answer, Effect, Post
from ringback.events import Event
from ringback.kernel.answering import CURRENT, Answering
from ringback.kernel.clock import Clock
from ringback.kernel.errors import Refused
from ringback.kernel.lane import Lane
from ringback.kernel.resource import Record
from ringback.runtime.lane_kind import Wiring
from ringback.runtime.late import Late
from ringback.runtime.mending import TRIES, Mending
from ringback.runtime.stored import Stored
from ringback.runtime.telling import Telling
from ringback.runtime.turn import Item, Trouble, Turn
from ringback.store.writes import Conflict, Message, MessageDone, Unavailable

log = logging.getLogger("ringback.runtime")

BATCH = 64
"""Events that share a transaction when they wait already."""
TICK = 0.5
"""Seconds between two looks at the store while somebody waits for the end of all work."""
LANE_LIMIT = 10_000
"""Events that may wait in one lane before requests are refused, and what comes from outside (keys, re-INVITEs) is
dropped. Our own facts and timers are always taken."""


class Commits(Protocol):
    """The part of the store that the runtime needs."""

    @property
    def new_sid(self) -> Callable[[str], str]:
        """Makes the SIDs of messages, in order."""

    async def get(self, record: type[Record], sid: str) -> Record | None:
        """One record by its SID."""

    @property
    def trouble(self) -> str:
        """Why nothing can be written at the moment; empty: it can."""

    @property
    def refusing(self) -> bool:
        """Whether requests are refused because of it."""

    def watch(self, told: Callable[[str, float, bool], None]) -> None:
        """Have begin and end of trouble told."""

    async def commit(self, writes: Sequence[Any]) -> Sequence[Any]:
        """Write all or nothing, however long it takes; gives the outbox rows that were made, in order."""

    async def commit_or_keep(
        self, writes: Sequence[Any], kept: Callable[[Sequence[Any] | Exception], None]
    ) -> Sequence[Any] | None:
        """The same; None: it cannot be written now, and ``kept`` is told how it ends."""

    def commit_soon(self, writes: Sequence[Any]) -> None:
        """Write without waiting for the end."""


class Runtime:
    """Serialises events by lane and turns each into one transaction and its effects."""

    def __init__(self, wiring: Wiring, store: Commits, clock: Clock) -> None:
        self.clock = clock
        self.handled = 0
        """Events handled so far (for /metrics)."""
        self.dropped = 0
        """Events from outside that came too fast."""
        self._wiring = wiring
        self._store = store
        self._lanes: dict[Lane, deque[Item]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._messages = {Post, *wiring.address}
        self._stored = {
            kind: frozenset(event for event, handler in each.handlers.items() if isinstance(handler, Stored))
            for kind, each in wiring.kinds.items()
        }
        self._remembers = {
            kind: any(not isinstance(handler, Stored) for handler in each.handlers.values())
            for kind, each in wiring.kinds.items()
        }
        self._lives = {kind: each.lives for kind, each in wiring.kinds.items()}
        self.telling = Telling(clock, self._do, wiring.lead)
        self.mending = Mending(self, wiring, clock)
        self._late = Late(self, wiring, store)

    @property
    def lanes(self) -> int:
        """Lanes that have work right now."""
        return len(self._lanes)

    def post(self, event: Event) -> None:
        """Hand in an event; it is handled after those of its lane that came before."""
        self.put(Item(event, event.lane))

    def resume(self, messages: Sequence[Message]) -> None:
        """At the start: deliver what was on its way when the last run ended."""
        for message in messages:
            self.put(Item(message.event, message.event.lane, message=message.sid))

    async def ask(self, event: Event) -> Any:
        """Hand in an event and wait until it is committed. While the store cannot write, a request raises
        ``Unavailable`` after a few seconds.

        Returns the value of its ``Answer`` effect (None without one). Raises :class:`Refused` when the
        handler refuses it, and any other exception when the handling failed; then nothing was written.
        Within an HTTP request the outside hears of what follows once that is answered (``kernel/answering.py``).
        """
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if not event.by_caller:
            self.put(Item(event, event.lane, future, answer=CURRENT.get()))
            return await future
        with self._late.asked(event, future):
            self.put(Item(event, event.lane, future, answer=CURRENT.get()))
            return await future

    async def settle(self, until: float | None = None) -> None:
        """Wait until every lane is empty; while the store cannot write, until that time of the loop's at most."""
        loop = asyncio.get_running_loop()
        while self._tasks:
            if until is None or not self._store.trouble:
                await asyncio.wait(set(self._tasks), timeout=None if until is None else TICK)
            elif loop.time() < until:
                await asyncio.wait(set(self._tasks), timeout=until - loop.time())
            else:
                return

    # --- lanes ------------------------------------------------------------------------------------------

    def put(self, item: Item) -> None:
        """Have an event wait in its lane."""
        lane = item.lane
        if self.mending.refuses(lane, item):
            return
        queue = self._lanes.get(lane)
        if queue is None:
            self._lanes[lane] = queue = deque((item,))
            self._start(lane, queue)
        elif len(queue) < LANE_LIMIT:
            queue.append(item)
        elif item.waiter is not None:
            item.waiter.set_exception(Refused(20429, "Too many requests for this resource", 429))
        elif item.event.outside:
            self.dropped += 1
            log.error("%s: %d events wait, %s dropped", lane, len(queue), type(item.event).__name__)
        else:
            queue.append(item)

    def _start(self, lane: Lane, queue: deque[Item], trouble: Trouble | None = None) -> None:
        self.run(self._drain(lane, queue, trouble))

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Work of a lane in the background; :meth:`settle` waits for it."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _drain(self, lane: Lane, queue: deque[Item], trouble: Trouble | None) -> None:
        hold = self.clock.hold()
        try:
            while queue or trouble is not None:
                if trouble is not None:
                    hold.release()  # the pauses are time that passes
                    await self.mending.mend(lane, queue, trouble)
                    hold = self.clock.hold()
                trouble = await self._turn(lane, queue) if queue else None
        finally:
            del self._lanes[lane]
            hold.release()

    async def _turn(self, lane: Lane, queue: deque[Item]) -> Trouble | None:
        """Handle the events that wait, in order, as one transaction; then perform the rest, in order.

        Gives what is wrong with the lane.
        """
        turn = Turn(lane)
        while queue and len(turn.done) < BATCH and lane not in turn.broken:
            if self._looks_up(queue[0].event, lane, turn):
                if turn.done:
                    break  # a look-up takes time: what is handled is committed first
                item = queue.popleft()
                try:
                    item = await self._prepared(turn, item, lane)
                except Exception as error:  # noqa: BLE001 - it ends its own session and nothing else
                    turn.broken[lane] = Trouble(item, error, storage=isinstance(error, Unavailable))
                    break
            else:
                item = queue.popleft()
            await self._handle(turn, item)
        failed = await self._finish(turn)
        if failed is not None:
            # somebody else was faster: all of it, but for what a request hears of
            again = lane not in turn.broken
            queue.extendleft(
                item._replace(tries=item.tries + 1) if isinstance(failed, Conflict) else item
                for item, _ in reversed(turn.done)
                if item.message or (again and item.waiter is None and not item.posted)
            )  # rows are still there
        elif self.mending.ailing(lane) and any(not item.revives for item, _ in turn.done):
            self.mending.well(lane)
        for each in turn.joined:
            if each not in turn.left:
                self.leave(each, turn.broken.get(each))
        return turn.broken.get(lane)

    def leave(self, lane: Lane, trouble: Trouble | None) -> None:
        """A lane that joined a turn goes its own way again."""
        queue = self._lanes[lane]
        if queue or trouble is not None:
            self._start(lane, queue, trouble)
        else:
            del self._lanes[lane]

    # --- one event ----------------------------------------------------------------------------------------

    async def _handle(self, turn: Turn, item: Item) -> None:
        """Handle one event, then what it posts to lanes that have nothing to do, and so on."""
        waiting = deque(((item, item.lane),))
        first = True
        while waiting:
            item, sender = waiting.popleft()
            lane = item.lane
            if first:
                first = False
            elif lane in turn.behind or lane in turn.broken:
                self._later(turn, sender, item)
                continue
            elif self._looks_up(item.event, lane, turn):
                found = await self._looked_up(turn, item)
                if found is None:
                    self._later(turn, sender, item)
                    continue
                item = found
            for effect in self._effects(turn, item, lane):
                if type(effect) is Post:
                    self._posted(turn, lane, effect.event, item.answer, waiting)
                elif (address := self._wiring.address.get(type(effect))) is not None:
                    self._posted(turn, lane, address(effect), item.answer, waiting)

    def _looks_up(self, event: Event, lane: Lane, turn: Turn) -> bool:
        """Whether something must be read from the store before the event can be handled."""
        kind = type(event)
        return kind in self._wiring.prepare or (kind in self._stored[lane.kind] and lane not in turn.records)

    async def _prepared(self, turn: Turn, item: Item, lane: Lane) -> Item:
        handler = self._wiring.kinds[lane.kind].handlers.get(type(item.event))
        if isinstance(handler, Stored) and lane not in turn.records:
            turn.records[lane] = await self._store.get(handler.record, lane.sid)
        prepare = self._wiring.prepare.get(type(item.event))
        return item if prepare is None else item._replace(event=await prepare(item.event))

    async def _looked_up(self, turn: Turn, item: Item) -> Item | None:
        """What a lane that has joined needs to know, read in the sender's turn; None: it needs a turn of its own."""
        look_up = self._wiring.prepare_joined.get(type(item.event))
        if look_up is None or any(each.lane == item.lane for each, _ in turn.done):
            return None  # what it handled before in this turn is not committed yet
        try:
            event = await look_up(item.event)
            if event is None:
                return None
            handler = self._wiring.kinds[item.lane.kind].handlers.get(type(event))
            if isinstance(handler, Stored):
                turn.records[item.lane] = await self._store.get(handler.record, item.lane.sid)
        except Exception:  # noqa: BLE001 - its own turn meets it again, and is mended
            return None
        return item._replace(event=event)

    def _effects(self, turn: Turn, item: Item, lane: Lane) -> Sequence[Effect]:
        self.handled += 1
        effects: Sequence[Effect] = ()
        try:
            handler = self._wiring.kinds[lane.kind].handlers[type(item.event)]
            if isinstance(handler, Stored):
                record, effects = handler.handle(turn.records[lane], item.event, self.clock.now())
                turn.records[lane] = record
            else:
                effects = handler(item.event, self.clock.now())
        except Refused as refusal:
            if item.waiter is None:
                log.warning("%s: %s refused: %s", lane, type(item.event).__name__, refusal.message)
            elif not item.waiter.done():
                item.waiter.set_exception(refusal)
        except Exception as bug:  # noqa: BLE001 - it ends its own session and nothing else
            turn.broken[lane] = Trouble(item, bug)
            if not item.message and lane != turn.own:
                self._keep(turn, lane, item, bug)
            return ()
        if item.message:
            turn.rows.append(MessageDone(item.message))
        turn.done.append((item, effects))
        return effects

    def _keep(self, turn: Turn, lane: Lane, item: Item, bug: Exception) -> None:
        """What broke a lane that joined becomes a row after all, so that it can be tried again."""
        if self._wiring.kinds[lane.kind].lives:
            row = Message(self._store.new_sid("MG"), item.event)
            turn.rows.append(row)
            turn.broken[lane] = Trouble(item._replace(message=row.sid), bug)

    def _posted(
        self,
        turn: Turn,
        sender: Lane,
        event: Event,
        answer: Answering | None,
        waiting: deque[tuple[Item, Lane]],
    ) -> None:
        """One lane posts to another, or to itself."""
        item = Item(event, event.lane, answer=answer, posted=True)
        behind_own = any(each.lane == item.lane for each, _ in waiting)
        if behind_own or (len(turn.done) < BATCH and self._joins(turn, item.lane, event)):
            waiting.append((item, sender))
        else:
            self._later(turn, sender, item)

    def _later(self, turn: Turn, sender: Lane, item: Item) -> None:
        """What was posted is handled in a turn of its lane's own."""
        row = ""
        if self._lives[item.lane.kind] or self._lives[sender.kind]:
            row = self._store.new_sid("MG")
            turn.rows.append(Message(row, item.event))
        turn.later.append(item._replace(message=row, posted=False))
        turn.behind.add(item.lane)

    def _joins(self, turn: Turn, lane: Lane, event: Event) -> bool:
        """Whether the lane has nothing to do, and so can handle the event in this turn."""
        if lane in turn.broken or lane in turn.behind:
            return False
        looks_up = self._looks_up(event, lane, turn)
        if lane == turn.own or lane in turn.joined:
            return not looks_up and not self._lanes[lane]
        if looks_up and type(event) not in self._wiring.prepare_joined:
            return False
        if lane in self._lanes or self.mending.ails(lane):
            return False
        if self._remembers[lane.kind] and not self._remembers[turn.own.kind]:
            # a taken unique key is no trouble of a stored core, and must cost nobody their memory
            return False
        if self._store.trouble and self._lives[lane.kind] != self._lives[turn.own.kind]:
            return False  # one of them waits for the store, the other does not
        self._lanes[lane] = deque()
        turn.joined[lane] = None
        return True

    # --- the transaction, and what follows it ---------------------------------------------------------------

    async def _finish(self, turn: Turn) -> Exception | None:
        """Commit, perform, answer. Gives why nothing was written: then the memory of all its lanes is wrong."""
        writes = [effect for _, effects in turn.done for effect in effects if effect.committed]
        handled: Sequence[Message | MessageDone] = ()
        if not writes and not turn.broken:
            handled = self._without_writes(turn)
        try:
            if not await self._written(turn, writes):
                return await self._late.go_on(turn, writes)
        except Exception as error:  # noqa: BLE001 - told to everybody whom it concerns
            if isinstance(error, Conflict) and self._nothing_in_memory(turn):
                turn.answer(error)
                return error
            turn.fail(error, (turn.own, *turn.joined))
            return error
        for item, effects in turn.done:
            answer = self.perform(item.lane, effects, item.answer)
            if item.waiter is not None and not item.waiter.done():
                item.waiter.set_result(answer)
        for item in turn.later:
            self.put(item)
        if handled:
            self._store.commit_soon(handled)
        return None

    def _nothing_in_memory(self, turn: Turn) -> bool:
        """Whether a unique key that somebody else has taken meanwhile is no trouble of these lanes: all that they know
        is read from the store again, and whoever asked hears of it. What nobody asked for is handled once more (its
        look-ups now find what was in the way), but not for ever: then the lane has a bug."""
        if any(self._remembers[lane.kind] for lane in (turn.own, *turn.joined)) or turn.broken:
            return False
        return all(item.tries < TRIES for item, _ in turn.done)

    async def _written(self, turn: Turn, writes: list[Any]) -> bool:
        """Write a turn; False: the store cannot, keeps it, and somebody in it can go on without."""
        everything = [*turn.rows, *writes]
        if not everything:
            return True
        lives = self._lives
        goes_on = not lives[turn.own.kind] or not all(lives[lane.kind] for lane in turn.joined)
        if not goes_on or any(item.event.begins for item, _ in turn.done):
            self._wiring.committed(writes, await self._store.commit(everything), turn.answers)
            return True
        owed = await self._store.commit_or_keep(everything, turn.kept)
        if owed is None:
            return False
        self._wiring.committed(writes, owed, turn.answers)
        return True

    def _without_writes(self, turn: Turn) -> Sequence[Message | MessageDone]:
        """Nothing has changed that outlives the process, so nobody waits for the disk.

        What was only said is said in memory: a crash takes the saying with what was said. What was only heard is
        forgotten after it has been done, and heard once more after a crash. Gives the rows that are to go then.
        """
        if not any(isinstance(row, MessageDone) for row in turn.rows):
            turn.rows.clear()
            turn.later[:] = [item._replace(message="") for item in turn.later]
            return ()
        if any(isinstance(row, Message) for row in turn.rows):
            return ()
        handled = list(turn.rows)
        turn.rows.clear()
        return handled

    async def commit(
        self, effects: Sequence[Effect], rows: Sequence[object] = (), *, keep: bool = False
    ) -> None:
        """Write the effects that are to be written, and rows of messages; then tell who follows commits. ``keep``: do
        not wait for a store that cannot write; it is written later."""
        writes: list[Any] = [effect for effect in effects if effect.committed]
        if not writes and not rows:
            return
        if keep:
            owed = await self._store.commit_or_keep([*rows, *writes], partial(self._late.kept, writes))
        else:
            owed = await self._store.commit([*rows, *writes])
        if owed is not None:
            self._wiring.committed(writes, owed, [])

    def perform(self, lane: Lane, effects: Sequence[Effect], caused_by: Answering | None = None) -> Any:
        """Perform the live effects of one event, and give its answer. ``caused_by``: the request behind it."""
        answer = None
        for effect in effects:
            if effect.committed or type(effect) in self._messages:
                continue
            if type(effect) is Answer:
                answer = effect.value
                continue
            if type(effect) in self._wiring.tells:
                self.telling.tell(lane, effect, caused_by)
            else:
                self._do(lane, effect)
        return answer

    def _do(self, lane: Lane, effect: Effect) -> None:
        try:
            self._wiring.perform[type(effect)](effect)
        except Exception:
            self.mending.bugs += 1
            log.exception("%s: performing %s failed", lane, type(effect).__name__)
