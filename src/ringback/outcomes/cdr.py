"""A trunk's call detail records: what the other side says became of our calls. Pure.

CSV with a header line that names at least ``call_id``, ``start``, ``end`` and ``sip_code`` (any order, other
columns are ignored). Times are ISO 8601 (UTC without a zone) or Unix seconds. The call id is the SIP Call-ID:
ours begins with the call's SID, so the trunk's record names the call even after a crash.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

COLUMNS: Final = ("call_id", "start", "end", "sip_code")
ROW_LIMIT: Final = 1_000_000
_OURS: Final = re.compile(r"CA[0-9a-f]{32}(?![0-9a-f])")
_CODE: Final = re.compile(r"[2-6][0-9]{2}\Z")
_UNIX: Final = re.compile(r"[0-9]{9,11}(\.[0-9]{1,9})?\Z")


class BadFile(Exception):
    """The file cannot be read at all; the message says why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One call as the trunk tells it."""

    call_id: str
    start: float
    """Unix seconds; of the answer, when there was one."""
    end: float
    sip_code: int

    @property
    def call_sid(self) -> str | None:
        """The SID in a Call-ID that we made; None: the caller made it."""
        found = _OURS.match(self.call_id)
        return found[0] if found else None


@dataclass(frozen=True, slots=True)
class BadRow:
    """A line that says nothing we can use."""

    line: int
    why: str


def read(lines: Iterable[str]) -> Iterator[Entry | BadRow]:
    """The rows in order. Raises :class:`BadFile` for a header without the columns, or too many rows."""
    rows = csv.reader(lines)
    try:
        header = [name.strip().lower().replace("-", "_").lstrip("\ufeff") for name in next(rows, [])]
        missing = [name for name in COLUMNS if name not in header]
        if missing:
            raise BadFile(f"the first line must name the columns {', '.join(COLUMNS)}; missing: {missing}")
        places = [header.index(name) for name in COLUMNS]
        for number, row in enumerate(rows, start=2):
            if number > ROW_LIMIT:
                raise BadFile(f"more than {ROW_LIMIT} lines: import the file in parts")
            if row:
                yield _entry(number, row, places)
    except csv.Error as error:
        raise BadFile(f"line {rows.line_num}: {error}") from None


def _entry(number: int, row: list[str], places: list[int]) -> Entry | BadRow:
    if len(row) <= max(places):
        return BadRow(number, "too few columns")
    call_id, start, end, code = (row[place].strip() for place in places)
    if not call_id or len(call_id) > 256:
        return BadRow(number, "no call id")
    if not _CODE.match(code):
        return BadRow(number, f"{code[:20]!r} is no final SIP code")
    try:
        began, ended = seconds(start), seconds(end)
    except ValueError:
        return BadRow(number, f"{start[:40]!r} or {end[:40]!r} is no time")
    if ended < began:
        return BadRow(number, "it ends before it begins")
    return Entry(call_id, began, ended, int(code))


def seconds(text: str) -> float:
    """Unix seconds of an ISO 8601 or Unix time. Raises ``ValueError``."""
    if _UNIX.match(text):
        return float(text)
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
