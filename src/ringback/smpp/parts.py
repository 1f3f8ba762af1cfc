"""Messages of several parts: the headers that say so (3GPP TS 23.040 §9.2.3.24), and the optional ``sar_`` parameters.

A header whose counts cannot be (no parts, part 0, part 4 of 3) is ignored, as 23.040 wants it: the message stands
alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

SHORT, LONG = 0x00, 0x08
"""Information elements: concatenation with a reference of 8 bits, of 16 bits."""
SAR_REFERENCE, SAR_TOTAL, SAR_NUMBER = 0x020C, 0x020E, 0x020F
MOST_PARTS: Final = 255


@dataclass(frozen=True, slots=True)
class Place:
    """Where a part belongs."""

    reference: str
    """Of the whole message, with how it was written (``8:17``, ``16:17``, ``sar:17``): those are different counts."""
    total: int
    """How many parts there are, 2 to 255."""
    number: int
    """Which one this is, from 1."""


def header(reference: int, total: int, number: int, *, wide: bool = False) -> bytes:
    """The header of one part. ``wide``: the reference has 16 bits, else 8."""
    if wide:
        return bytes([6, LONG, 4]) + (reference & 0xFFFF).to_bytes(2, "big") + bytes([total, number])
    return bytes([5, SHORT, 3, reference & 0xFF, total, number])


def without_header(octets: bytes) -> tuple[bytes, Place | None]:
    """A message with a header: what follows it, and its place. A header longer than the message is none: then all of
    it is the text."""
    length = octets[0] + 1 if octets else 0
    if not 0 < length <= len(octets):
        return octets, None
    place = None
    at = 1
    while at + 2 <= length:
        kind, size = octets[at], octets[at + 1]
        value = octets[at + 2 : at + 2 + size]
        at += 2 + size
        if at > length:
            break
        if kind == SHORT and size == 3:
            place = _place("8", value[0], value[1], value[2]) or place  # the last one counts (§9.2.3.24)
        elif kind == LONG and size == 4:
            place = _place("16", int.from_bytes(value[:2], "big"), value[2], value[3]) or place
    return octets[length:], place


def segment(tags: Mapping[int, bytes]) -> Place | None:
    """The place that the ``sar_`` parameters name, if all three are there."""
    if not {SAR_REFERENCE, SAR_TOTAL, SAR_NUMBER} <= tags.keys():
        return None
    reference, total, number = (
        int.from_bytes(tags[one], "big") for one in (SAR_REFERENCE, SAR_TOTAL, SAR_NUMBER)
    )
    return _place("sar", reference, total, number)


def _place(how: str, reference: int, total: int, number: int) -> Place | None:
    if not (1 < total <= MOST_PARTS and 1 <= number <= total):
        return None  # one part alone is a message like any other
    return Place(f"{how}:{reference}", total, number)
