"""Emergency numbers: which short numbers call for help (call-outcomes.md §4, voice-calls.md §2.1)."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import phonenumbers

EVERYWHERE: Final = frozenset({"112", "911", "000", "08", "110", "118", "119", "999"})
"""Numbers that every mobile telephone treats as emergency calls (3GPP TS 22.101)."""
SHORT: Final = 6
"""Digits of the longest short number that is looked at."""


@lru_cache(1000)
def is_emergency(digits: str, region: str) -> bool:
    """Whether bare digits, dialled in a region (ISO code), reach an emergency service."""
    if not digits.isascii() or not digits.isdigit() or len(digits) > SHORT:
        return False
    return digits in EVERYWHERE or bool(phonenumbers.is_emergency_number(digits, region))
