"""How a text goes over the air: its alphabet, and the parts that it is cut into (3GPP TS 23.038, 23.040).

A part has 140 octets: 160 characters of the GSM alphabet, at 7 bits each, or 70 units of UCS-2. Of a text of several
parts each begins with a header that names its place, which leaves 153 characters or 67 units. Characters of the
extension table take two places (escape and character), and are never cut in two; nor is a surrogate pair.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

ESCAPE: Final = 0x1B
BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The default alphabet (23.038 §6.2.1): a character's place is its code."""
EXTENSION: Final = {
    0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\", 0x3C: "[", 0x3D: "~", 0x3E: "]", 0x40: "|", 0x65: "€",
}  # fmt: skip
"""Code after an escape → character (23.038 §6.2.1.1)."""
_CODES: Final = {
    **{character: bytes([code]) for code, character in enumerate(BASIC) if code != ESCAPE},
    **{character: bytes([ESCAPE, code]) for code, character in EXTENSION.items()},
}

OCTETS: Final = 140
"""Of one part."""
SHORT_HEADER: Final = 6
"""Octets of the header of a part whose reference has 8 bits."""
LONG_HEADER: Final = 7
"""Octets of the header of a part whose reference has 16 bits."""


@dataclass(frozen=True, slots=True)
class Segments:
    """A text as it is sent."""

    alphabet: Literal["GSM", "UCS-2"]
    parts: tuple[str, ...]
    """The texts of the parts, in order; together they are the whole. At least one."""


def septets(text: str) -> bytes | None:
    """The codes of a text in the GSM alphabet, one to an octet; ``None`` when it has a character that is not in it."""
    try:
        return b"".join([_CODES[character] for character in text])
    except KeyError:
        return None


def from_septets(codes: bytes) -> str:
    """The text of such codes. An escape before a code that has no extension means nothing (23.038: the receiver shows
    the character of the basic table); one at the end is left out."""
    found = []
    escaped = False
    for code in codes:
        code &= 0x7F
        if escaped:
            escaped = False
            found.append(EXTENSION.get(code) or (BASIC[code] if code != ESCAPE else " "))
        elif code == ESCAPE:
            escaped = True
        else:
            found.append(BASIC[code])
    return "".join(found)


def split(text: str, header: int = SHORT_HEADER, *, unicode: bool = False) -> Segments:
    """Cut a text into what fits into parts. ``header``: octets that each of several parts gives up; ``unicode``: it is
    sent in UCS-2 whatever its characters are."""
    gsm = not unicode and all(character in _CODES for character in text)
    if gsm:
        whole, each = OCTETS * 8 // 7, (OCTETS - header) * 8 // 7
    else:
        whole, each = OCTETS // 2, (OCTETS - header) // 2
    sizes = [len(_CODES[one]) if gsm else 1 + (ord(one) > 0xFFFF) for one in text]
    alphabet: Literal["GSM", "UCS-2"] = "GSM" if gsm else "UCS-2"
    if sum(sizes) <= whole:
        return Segments(alphabet, (text,))
    parts, begin, used = [], 0, 0
    for at, size in enumerate(sizes):
        if used + size > each:
            parts.append(text[begin:at])
            begin, used = at, 0
        used += size
    return Segments(alphabet, (*parts, text[begin:]))


def count(text: str) -> int:
    """How many parts a text takes; an empty one takes one."""
    return len(split(text).parts)
