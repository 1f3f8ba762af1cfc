"""One turn: what is handled together, and written in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from msgspec import Struct

from ringback.effects import Effect
from ringback.events import Event
from ringback.kernel.answering import Answering, open_answers
from ringback.kernel.lane import Lane
from ringback.kernel.resource import Record
from ringback.store.writes import Conflict, Message, MessageDone

Waiter = asyncio.Future[Any] | None


class Item(NamedTuple):
    """One event that waits in a lane."""

    event: Event
    lane: Lane
    """The event's, looked up once."""
    waiter: Waiter = None
    """Who asked, and hears the answer or why there is none."""
    message: str = ""
    """SID of the message's row; empty: it has none."""
    tries: int = 0
    """How often it has broken its lane already."""
    revives: bool = False
    """It gives the lane its memory back (``LaneKind.revive``)."""
    answer: Answering | None = None
    """Of the request that has caused it, if one did: the outside hears of what follows once that is written."""
    posted: bool = False
    """By another one in the same turn: whenever that one is handled, it is posted again."""


class Trouble(NamedTuple):
    """What broke a lane."""

    item: Item | None
    """The event whose handler failed; None: the transaction did."""
    error: Exception
    storage: bool = False
    """The store could not write: no bug of the lane."""


class Turn(Struct):
    """The lanes in hand, what they have answered, and what is on its way to others."""

    own: Lane
    """Whose turn it is."""
    joined: dict[Lane, None] = {}
    """Lanes that had nothing to do, and join it in this order."""
    done: list[tuple[Item, Sequence[Effect]]] = []
    """Events handled, in order, with their effects."""
    later: list[Item] = []
    """Posts that wait for the end of the transaction."""
    behind: set[Lane] = set()
    """Lanes for which something is among those: what is posted after it must not overtake it."""
    rows: list[Message | MessageDone] = []
    """Messages sent and handled."""
    records: dict[Lane, Record | None] = {}
    """What stored cores have been handed, as it is now."""
    broken: dict[Lane, Trouble] = {}
    left: set[Lane] = set()
    """Joined lanes that have gone their own way already, or are let go later (``late.py``)."""
    _end: asyncio.Future[Sequence[Any]] | None = None

    @property
    def end(self) -> asyncio.Future[Sequence[Any]]:
        """Of a turn whose writes are kept: the rows of the outbox, when they are written after all."""
        if self._end is None:
            self._end = asyncio.get_running_loop().create_future()
        return self._end

    def kept(self, result: Sequence[Any] | Exception) -> None:
        """How what was kept has ended."""
        if isinstance(result, Exception):
            self.end.set_exception(result)
        else:
            self.end.set_result(result)

    @property
    def answers(self) -> list[Answering]:
        """Of the requests that caused what is in it, those that are not written yet."""
        return open_answers(item.answer for item, _ in self.done)

    def answer(self, error: Exception) -> None:
        """Tell everybody who asked that nothing came of it."""
        for item, _ in self.done:
            if item.waiter is not None and not item.waiter.done():
                item.waiter.set_exception(error)

    def fail(self, error: Exception, lanes: Iterable[Lane]) -> None:
        """Nothing was written: tell everybody who asked; the memory of these lanes is wrong."""
        self.answer(error)
        for lane in lanes:
            if lane not in self.broken or lane != self.own:
                self.broken[lane] = Trouble(None, error, storage=not isinstance(error, Conflict))
