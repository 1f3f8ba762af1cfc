"""Addresses as SMPP writes them: a type of number, a numbering plan, and the digits without ``+`` (§5.2.5, §5.2.6)."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

INTERNATIONAL, SHORT, NAME = 1, 3, 5
_SHORT_CODE: Final = re.compile(r"[0-9]{3,8}")
LONGEST: Final = 20
"""Characters of an address."""


@dataclass(frozen=True, slots=True)
class Address:
    """An address on the wire."""

    text: str
    ton: int
    npi: int


def numbered(address: str, ton: int = -1, npi: int = -1) -> Address:
    """An address of ours or theirs for the wire; -1: by its form. Raises ``ValueError`` when it does not fit."""
    bare = address.removeprefix("+")
    if address.startswith("+"):
        kind, plan = INTERNATIONAL, 1
    elif _SHORT_CODE.fullmatch(address):
        kind, plan = SHORT, 0
    else:
        kind, plan = NAME, 0
    if not (bare and bare.isascii() and len(bare) <= LONGEST) or ":" in bare:
        raise ValueError(f"{address!r} is no address of SMPP")
    return Address(bare, kind if ton < 0 else ton, plan if npi < 0 else npi)


def caller(text: str, ton: int) -> str:
    """Who sent a message, as we write it: an international number with ``+``, whatever the SMSC calls it when it has
    as many digits as only those have; anything else as it is."""
    digits = (
        text.removeprefix("+").removeprefix("00") if ton in (0, INTERNATIONAL) else text.removeprefix("+")
    )
    if not (digits.isascii() and digits.isdigit()) or digits.startswith("0"):
        return text
    if text.startswith("+") or ton == INTERNATIONAL or (ton == 0 and len(digits) >= 10):
        return f"+{digits}"
    return text


def ours(text: str, ton: int, numbers: Collection[str]) -> str:
    """Which of our numbers it is for, however the SMSC writes it."""
    for each in numbers:
        if text and each.removeprefix("+") == text.removeprefix("+"):
            return each
    return caller(text, ton)
