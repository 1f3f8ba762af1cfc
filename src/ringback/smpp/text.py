"""The texts of messages as octets: GSM alphabet, Latin-1, UCS-2 …, by ``data_coding`` (specification §5.2.19)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from ringback.smpp.alphabet import LONG_HEADER, SHORT_HEADER, from_septets, septets, split
from ringback.smpp.parts import header

DefaultAlphabet = Literal["gsm", "latin-1", "ascii"]
"""What ``data_coding`` 0 means to the SMSC: its own default alphabet, which the specification leaves open."""

DEFAULT: Final = 0
UCS2: Final = 8
UDHI: Final = 0x40
"""Of ``esm_class``: the text begins with a header."""

_CODECS: Final = {
    1: "ascii",
    3: "latin-1",
    5: "shift_jis",
    6: "iso8859_5",
    7: "iso8859_8",
    8: "utf-16-be",
    10: "iso2022_jp",
    13: "euc_jp",
    14: "euc_kr",
}
_BINARY: Final = frozenset({2, 4, 9})


class NotText(Exception):
    """It is binary, or of an alphabet that nobody knows: there is nothing that could be shown."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One ``submit_sm``: what of it depends on the text."""

    octets: bytes
    data_coding: int
    esm_class: int = 0


def pieces(text: str, reference: int, *, wide: bool = False, default: DefaultAlphabet = "gsm") -> list[Piece]:
    """A text as what is to be submitted. ``reference`` tells the parts of this text from others'; ``wide``: it has
    16 bits. Raises ``ValueError`` for a text of more than 255 parts."""
    room = LONG_HEADER if wide else SHORT_HEADER
    found = split(text, room, unicode=default != "gsm" and not _writable(text, default))
    gsm = found.alphabet == "GSM"
    total = len(found.parts)
    if total > 255:
        raise ValueError(f"a text of {total} parts")
    done = []
    for number, part in enumerate(found.parts, 1):
        octets = _written(part, default) if gsm else part.encode("utf-16-be", "surrogatepass")
        coding = DEFAULT if gsm else UCS2
        if total == 1:
            done.append(Piece(octets, coding))
        else:
            done.append(Piece(header(reference, total, number, wide=wide) + octets, coding, UDHI))
    return done


def read(octets: bytes, data_coding: int, default: DefaultAlphabet = "gsm") -> str:
    """The text that came, without its header. Octets that mean nothing become U+FFFD. Raises :class:`NotText`."""
    coding = _plain(data_coding)
    if coding in _BINARY:
        raise NotText(f"data_coding {data_coding:#x} is binary")
    if coding == DEFAULT:
        return from_septets(octets) if default == "gsm" else octets.decode(default, "replace")
    if coding not in _CODECS:
        raise NotText(f"data_coding {data_coding:#x} is of no known alphabet")
    return octets.decode(_CODECS[coding], "replace")


def _plain(coding: int) -> int:
    """The alphabet of a ``data_coding`` that is one of GSM (3GPP TS 23.038 §4), as SMPP would write it: with a class
    of message (flash …), or as a sign that a message waits."""
    group = coding >> 4
    if group in (0x1, 0x2, 0x3):
        return (DEFAULT, 4, UCS2, DEFAULT)[coding >> 2 & 3]
    if group in (0xC, 0xD):
        return DEFAULT
    if group == 0xE:
        return UCS2
    if group == 0xF:
        return 4 if coding & 4 else DEFAULT
    return coding


def _writable(text: str, default: str) -> bool:
    try:
        text.encode(default)
    except UnicodeEncodeError:
        return False
    return True


def _written(part: str, default: str) -> bytes:
    return (septets(part) or b"") if default == "gsm" else part.encode(default)
