"""Pages of what lives in memory, however much it is: nobody else waits while a long list is looked through.

A list is walked in slices, and between two slices the other requests get their turn. The first slice is read from
the original, so a page that is full by then costs what it shows; the rest is a copy of the references, because the
original may change meanwhile.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, TypeVar

from ringback.kernel.errors import Refused
from ringback.store import Page, Query

E = TypeVar("E")
Key = tuple[Any, ...]
SLICE = 2000
"""Entries that are looked at in one go: 1 to 4 ms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection(Generic[E]):
    """Which entries a list shows, and in which order."""

    entries: Iterable[E]
    """Candidates; in the order of the list when there is no ``key``."""
    record: Callable[[E], Any]
    """The entry's record."""
    find: Callable[[str], E | None]
    """The entry with a SID, for page tokens."""
    tests: Sequence[Callable[[E], bool]] = ()
    """What an entry must pass."""
    key: Callable[[Any], Key] | None = None
    """What records are sorted by; different for different records."""


def identity(record: Any) -> Any:
    """For entries that are records."""
    return record


def in_order(records: Iterable[Any]) -> list[Any]:
    """Few records by their creation."""
    return sorted(records, key=lambda one: (one.date_created, one.sid))


async def page_of(selection: Selection[E], query: Query) -> Page:
    """The page that the query's limit and token ask for (its conditions are the tests of the selection).

    In the natural order, a page token whose record has gone goes on where the record was (SIDs begin with their
    time of creation); in any other order the list ends there.
    """
    chosen = await (_walked(selection, query) if selection.key is None else _sorted(selection, query))
    more, records = len(chosen) > query.limit, [selection.record(entry) for entry in chosen]
    if query.before and not query.after:
        return Page(records[-query.limit :], more_after=True, more_before=more)
    return Page(records[: query.limit], more_after=more, more_before=bool(query.after))


async def _walked(selection: Selection[E], query: Query) -> list[E]:
    """One more than the limit, next to the token."""
    wanted, tests, record = query.limit + 1, selection.tests, selection.record
    mark = query.after or query.before
    gone = bool(mark) and selection.find(mark) is None
    backwards = bool(query.before) and not query.after
    passed = not query.after
    last: deque[E] = deque(maxlen=wanted)
    async for part in _slices(selection.entries):
        for entry in part:
            if mark:
                sid = record(entry).sid
                if backwards and (sid >= mark if gone else sid == mark):
                    return list(last)
                if not passed:
                    passed = sid > mark if gone else sid == mark
                    if not passed or not gone:
                        continue
            if all(test(entry) for test in tests):
                last.append(entry)
                if not backwards and len(last) == wanted:
                    return list(last)
    return list(last)


async def _sorted(selection: Selection[E], query: Query) -> list[E]:
    """One more than the limit, next to the token; never more than these are kept."""
    key, wanted = selection.key, query.limit + 1
    assert key is not None
    mark = query.after or query.before
    backwards = bool(query.before) and not query.after
    bound: Key = ()
    if mark:
        marked = selection.find(mark)
        if marked is None:
            return []
        bound = key(selection.record(marked))
    best: list[tuple[Key, E]] = []
    choose = heapq.nlargest if backwards else heapq.nsmallest
    async for part in _slices(selection.entries):
        found = [
            (key(selection.record(entry)), entry)
            for entry in part
            if all(test(entry) for test in selection.tests)
        ]
        if mark:
            found = [pair for pair in found if (pair[0] < bound if backwards else pair[0] > bound)]
        best = choose(wanted, best + found, key=lambda pair: pair[0])
    return [entry for _, entry in (reversed(best) if backwards else best)]


async def _slices(entries: Iterable[E]) -> AsyncIterator[list[E]]:
    walk = iter(entries)
    yield list(islice(walk, SLICE))
    rest = list(walk)  # nothing was awaited since the walk began
    for start in range(0, len(rest), SLICE):
        await asyncio.sleep(0)
        yield rest[start : start + SLICE]


def read_ordering(
    text: str, allowed: Mapping[str, str], apart: frozenset[str] = frozenset()
) -> Callable[[Any], Key] | None:
    """The key of ``Priority:desc,DateCreated:asc``; None for no text (taskrouter.md §2.7, Ordering).

    ``allowed``: parameter's name → attribute (a number). ``apart``: names that do not go together.
    Raises ``Refused`` 20001.
    """
    if not text.strip():
        return None
    parts: list[tuple[str, int]] = []
    names: set[str] = set()
    for piece in text.split(","):
        name, _, direction = (word.strip() for word in piece.partition(":"))
        if name not in allowed or name in names or direction.lower() not in ("asc", "desc", ""):
            raise Refused(
                20001,
                f"Invalid Ordering {piece.strip()[:60]!r}: write {' or '.join(allowed)} with :asc or :desc",
            )
        names.add(name)
        parts.append((allowed[name], -1 if direction.lower() == "desc" else 1))
    if apart and apart <= names:
        raise Refused(20001, f"Invalid Ordering: {' and '.join(sorted(apart))} do not go together")

    later = next((sign for attribute, sign in parts if attribute == "date_created"), 1)

    def key(record: Any) -> Key:
        values = [getattr(record, attribute) * sign for attribute, sign in parts]
        return (*values, record.date_created * later, int(record.sid[2:], 16) * later)

    return key
