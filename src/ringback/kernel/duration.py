"""ISO 8601 durations of fixed length: weeks, days, hours, minutes, seconds (``P1D``, ``PT10M``)."""

from __future__ import annotations

import re
from typing import Final

_SHAPE: Final = re.compile(
    r"P(?=[0-9T])(?:([0-9]{1,9})W)?(?:([0-9]{1,9})D)?"
    r"(?:T(?=[0-9])(?:([0-9]{1,9})H)?(?:([0-9]{1,9})M)?(?:([0-9]{1,9}(?:\.[0-9]{1,6})?)S)?)?\Z",
    re.ASCII,
)
_SECONDS: Final = (604_800, 86_400, 3600, 60, 1)
LONGEST: Final = 10 * 366 * 86_400.0
"""Seconds: longer ones are taken for mistakes."""


def seconds(text: str) -> float:
    """Seconds of a duration; raises ``ValueError`` for what is none, or longer than ten years."""
    found = _SHAPE.match(text)
    if found is None:
        raise ValueError("is not an ISO 8601 duration such as PT10M or P1D")
    total = sum(float(part) * size for part, size in zip(found.groups(), _SECONDS, strict=True) if part)
    if total > LONGEST:
        raise ValueError("is longer than ten years")
    return total
