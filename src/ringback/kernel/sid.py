"""SIDs: two upper-case letters and 32 lower-case hex digits (rest-conventions.md §6).

The digits of a SID made here begin with the creation time in milliseconds, so that rows
of one table lie in the order of their creation and new index pages stay at the right edge.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import count

_SHAPE = re.compile(r"[A-Z]{2}[0-9a-f]{32}\Z")


def is_sid(text: str, *prefixes: str) -> bool:
    """Tell whether ``text`` is a SID, and has one of ``prefixes`` when any are given.

    Upper-case hex digits are accepted on input (rest-conventions.md §6).
    """
    shaped = _SHAPE.match(text[:2] + text[2:].lower()) is not None
    return shaped and (not prefixes or text[:2] in prefixes)


def sid_at(prefix: str, seconds: float) -> str:
    """The smallest SID that could have been made at that moment (Unix seconds): bounds of a range in time."""
    return f"{prefix}{max(0, int(seconds * 1000)) & 0xFFFFFFFFFFFF:012x}{'0' * 20}"


class SidMaker:
    """Makes new SIDs: 12 hex digits of time, 4 of a counter, 16 of randomness.

    ``now`` gives Unix seconds and ``random_bits(n)`` gives ``n`` random bits as an integer;
    both are handed in, because the kernel reads neither a clock nor a random source.
    """

    def __init__(self, now: Callable[[], float], random_bits: Callable[[int], int]) -> None:
        self._now = now
        self._random_bits = random_bits
        self._count = count(random_bits(12))

    def __call__(self, prefix: str) -> str:
        """Return a new SID with the two-letter ``prefix``."""
        milliseconds = int(self._now() * 1000) & 0xFFFFFFFFFFFF
        sequence = next(self._count) & 0xFFFF
        return f"{prefix}{milliseconds:012x}{sequence:04x}{self._random_bits(64):016x}"
