"""Callers who withhold their number, in every form in which networks and carriers say so (voice-calls.md §8)."""

from __future__ import annotations

import re
from typing import Final

WITHHELD: Final = frozenset(
    {"anonymous", "unknown", "restricted", "unavailable", "private", "blocked", "withheld"}
)
"""Words in a number's place."""
_SPELLED: Final = frozenset({"266696687", "7378742833", "8656696", "86282452253", "7748283", "2562533"})
"""ANONYMOUS, RESTRICTED, UNKNOWN, UNAVAILABLE, PRIVATE, BLOCKED on a keypad: carriers send them as numbers."""
_SIP: Final = re.compile(r"sips?:(?:(?P<user>[^@]*)@)?(?P<host>[^;?>]*)", re.IGNORECASE)


def is_withheld(address: str) -> bool:
    """Whether a caller's address says that there is none: empty, a word, its spelling in digits, or a ``sip:`` address
    without a user, with such a user, or at ``anonymous.invalid`` (RFC 3323 §4.1)."""
    text = address.strip().strip("<>").lower()
    uri = _SIP.match(text)
    if uri is not None:
        if uri["host"].partition(":")[0].endswith(".invalid"):
            return True
        text = (uri["user"] or "").partition(":")[0].partition(";")[0]
    digits = text.removeprefix("+")
    return not digits or digits in WITHHELD or digits in _SPELLED or digits.removeprefix("1") in _SPELLED
