"""Business hours, holidays and time zones: when a callback may be made (issue 4, point 6).

Times are Unix seconds outside, local wall-clock times inside; daylight saving is that of the zone.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
FARTHEST = 400
"""Days that are searched for an opening."""
Span = tuple[int, int]
"""Minutes since midnight: open from the one, to before the other."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """When the business is open; without hours: always."""

    zone: str
    hours: Mapping[int, tuple[Span, ...]]
    """Weekday (0: Monday) → spans in order."""
    holidays: frozenset[str]
    """YYYY-MM-DD."""

    @property
    def always(self) -> bool:
        """No hours are given and no day is closed."""
        return not self.hours and not self.holidays

    def is_open(self, at: float) -> bool:
        """Whether the business is open at this moment."""
        return self.always or self.next_open(at) == at

    def next_open(self, at: float) -> float | None:
        """``at`` itself when the business is open then, else its next opening; None: never within a year."""
        if self.always:
            return at
        zone = ZoneInfo(self.zone)
        day = datetime.datetime.fromtimestamp(at, zone).date()
        for _ in range(FARTHEST):
            for begin, end in self._spans(day):
                opens, closes = moment(day, begin, zone), moment(day, end, zone)
                if opens <= at < closes:
                    return at
                if opens > at:
                    return opens
            day += datetime.timedelta(days=1)
        return None

    def _spans(self, day: datetime.date) -> tuple[Span, ...]:
        if day.isoformat() in self.holidays:
            return ()
        return self.hours.get(day.weekday(), ()) if self.hours else ((0, 1440),)


def moment(day: datetime.date, minutes: int, zone: ZoneInfo) -> float:
    """Unix seconds of a local time; one that the clocks skip counts as the moment after the skip."""
    midnight = datetime.datetime.combine(day, datetime.time(), zone)
    if minutes == 1440:
        return datetime.datetime.combine(day + datetime.timedelta(days=1), datetime.time(), zone).timestamp()
    return midnight.replace(hour=minutes // 60, minute=minutes % 60).timestamp()


def read_calendar(zone: str, hours: Mapping[str, str], holidays: Sequence[str]) -> Calendar:
    """Read the settings; raises ``ValueError`` that names what is wrong."""
    _zone(zone)
    found: dict[int, tuple[Span, ...]] = {}
    for name, text in hours.items():
        if name.lower() not in DAYS:
            raise ValueError(f"[callback.hours] {name!r} is no weekday: write {', '.join(DAYS)}")
        found[DAYS.index(name.lower())] = _spans(name, text)
    for day in holidays:
        try:
            datetime.date.fromisoformat(day)
        except ValueError:
            raise ValueError(f"[callback] holidays: {day!r} is no date (YYYY-MM-DD)") from None
    return Calendar(zone, found, frozenset(holidays))


def read_moment(text: str, zone: str) -> float:
    """Unix seconds of an ISO 8601 date-time; without an offset it is local time of ``zone`` (the contact's).

    Raises ``ValueError``.
    """
    if len(text) > 40:
        raise ValueError("is too long for a date-time")
    found = datetime.datetime.fromisoformat(text.strip())
    if found.tzinfo is None:
        found = found.replace(tzinfo=_zone(zone))
    return found.timestamp()


def iso(at: float) -> str:
    """``2026-03-01T17:00:00.250Z``, as JavaScript's toISOString writes it."""
    found = datetime.datetime.fromtimestamp(at, datetime.UTC)
    return f"{found:%Y-%m-%dT%H:%M:%S}.{found.microsecond // 1000:03d}Z"


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name[:60]!r} is no time zone such as Europe/Berlin") from None


def _spans(day: str, text: str) -> tuple[Span, ...]:
    spans: list[Span] = []
    for part in filter(None, (one.strip() for one in text.split(","))):
        begin, dash, end = part.partition("-")
        span = (_minutes(begin), _minutes(end)) if dash else (-1, -1)
        if not 0 <= span[0] < span[1] <= 1440 or (spans and span[0] < spans[-1][1]):
            raise ValueError(f"[callback.hours] {day}: {part!r}: write 09:00-12:00,13:00-17:00 in order")
        spans.append(span)
    return tuple(spans)


def _minutes(text: str) -> int:
    hour, colon, minute = text.strip().partition(":")
    if not (colon and hour.isdigit() and minute.isdigit() and len(hour) <= 2 and int(minute) < 60):
        return -1
    return int(hour) * 60 + int(minute)
