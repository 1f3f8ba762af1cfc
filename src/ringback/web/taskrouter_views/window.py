"""The time that a request is about, and the events of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ringback.kernel.errors import Refused
from ringback.kernel.sid import sid_at
from ringback.resources.taskrouter.event import Event
from ringback.store import Condition, Query
from ringback.web.rest.context import Context
from ringback.web.rest.params import DAY, read_date
from ringback.web.taskrouter_views.place import last

LONGEST = 60 * 24 * 366
"""Minutes."""
CHUNK = 1000
"""Events read at once: decoding them takes about 10 ms of the event loop."""
MOST_EVENTS = 1_000_000
"""Events read for one answer."""
MOST_THRESHOLDS = 50
_MARGIN = 300.0
"""Seconds by which the time in an event's SID may differ from its date."""


def window(ctx: Context, minutes: int = 15) -> tuple[float, float]:
    """Start and end in Unix seconds, of StartDate and EndDate, or of the last ``Minutes``; raises 20001.

    A missing end is now; a missing start is ``Minutes`` before the end. The end is never after now, but a window
    up to now takes in what happens at this very moment (on the virtual clock that is everything since it stood).
    """
    end_text, start_text = last(ctx, "EndDate"), last(ctx, "StartDate")
    end = min(_date(end_text, "EndDate", whole_day=True), ctx.now) if end_text else ctx.now
    if end == ctx.now:
        end = math.nextafter(end, math.inf)
    if start_text:
        start = _date(start_text, "StartDate", whole_day=False)
    else:
        start = end - 60.0 * number(ctx, "Minutes", minutes, 1, LONGEST)
    if start > end:
        raise Refused(20001, "StartDate must not be after EndDate", 400)
    return start, end


def _date(text: str, name: str, *, whole_day: bool) -> float:
    try:
        moment, day_only = read_date(text)
    except (ValueError, OverflowError) as error:
        raise Refused(20001, f"Invalid {name}: {error}", 400) from None
    return moment + DAY if day_only and whole_day else moment


def number(ctx: Context, name: str, default: int, low: int, high: int) -> int:
    """A whole number; raises 20001 for another or one that is out of range."""
    text = last(ctx, name)
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10 and low <= int(text) <= high):
        raise Refused(20001, f"Invalid {name}: must be a whole number from {low} to {high}", 400)
    return int(text)


def thresholds(ctx: Context) -> list[int]:
    """Of ``SplitByWaitTime``: whole seconds with commas between; raises 20001."""
    parts = [part.strip() for value in ctx.params.get("SplitByWaitTime", ()) for part in value.split(",")]
    parts = [part for part in parts if part]
    if len(parts) > MOST_THRESHOLDS or not all(p.isascii() and p.isdigit() and len(p) < 10 for p in parts):
        raise Refused(
            20001, f"Invalid SplitByWaitTime: at most {MOST_THRESHOLDS} whole numbers of seconds", 400
        )
    return sorted({int(part) for part in parts})


async def read_events(
    ctx: Context, workspace_sid: str, types: Iterable[str], start: float, end: float, add: Callable[[Event], None],
    equals: Mapping[str, Any] | None = None, most: int = MOST_EVENTS,
) -> None:  # fmt: skip
    """Hand every event of these types from ``start`` to before ``end`` to ``add``, newest first.

    Reads in chunks, so others have their turn between them. SIDs begin with their time (kernel/sid.py): the store
    finds the window by its index over them. Raises 20001 when there are more than ``most``.
    """
    conditions = [
        Condition("account_sid", "=", ctx.account.sid),
        Condition("sid", ">=", sid_at("EV", start - _MARGIN)),
        Condition("sid", "<", sid_at("EV", end + _MARGIN)),
        Condition("event_date", ">=", start),
        Condition("event_date", "<", end),
        Condition("event_type", "in", tuple(dict.fromkeys(types))),
        Condition("workspace_sid", "=", workspace_sid),
    ]
    for name, value in (equals or {}).items():
        conditions.append(Condition(name, "in" if isinstance(value, tuple) else "=", value))
    after, seen = "", 0
    while True:
        page = await ctx.store.page(Event, Query(conditions=conditions, limit=CHUNK, after=after))
        for event in page.records:
            add(event)
        seen += len(page.records)
        if not page.more_after:
            return
        if seen >= most:
            raise Refused(20001, f"More than {most} events in this time: ask for a shorter one", 400)
        after = page.records[-1].sid
