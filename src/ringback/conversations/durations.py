"""Durations as ISO 8601 writes them (``PT10M``, ``P1DT12H``; ISO 8601-1 §5.5.2)."""

from __future__ import annotations

import re

_DURATION = re.compile(
    r"P(?:(\d{1,6})W|(?:(\d{1,6})D)?(?:T(?=\d)(?:(\d{1,6})H)?(?:(\d{1,8})M)?(?:(\d{1,9}(?:\.\d{1,6})?)S)?)?)\Z",
    re.ASCII,
)
LONGEST = 3650 * 86_400.0
"""Seconds: ten years."""


def read_duration(text: str) -> float:
    """Seconds. Without years and months, which have no fixed length. Raises ``ValueError``."""
    found = _DURATION.match(text)
    if found is None or text == "P":
        raise ValueError("is not an ISO 8601 duration such as PT10M or P1D")
    parts = [float(part or 0) for part in found.groups()]
    seconds = sum(part * unit for part, unit in zip(parts, (604_800, 86_400, 3_600, 60, 1), strict=True))
    if seconds > LONGEST:
        raise ValueError("is longer than ten years")
    return seconds
