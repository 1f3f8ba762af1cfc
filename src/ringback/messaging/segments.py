"""How many parts a text takes on the air, and in which alphabet (3GPP TS 23.038 §6.2, TS 23.040 §9.2.3.24)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

GSM: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The default alphabet: a septet each."""
EXTENDED: Final = frozenset("^{}\\[~]|€\f")
"""After an escape: two septets each."""
ALONE: Final = {"GSM-7": 160, "UCS-2": 70}
"""Septets, or 16-bit units, of a text that is one part."""
PART: Final = {"GSM-7": 153, "UCS-2": 67}
"""Of each part of several, behind the header that puts them together."""
SMART: Final = str.maketrans(
    {
        "\u00ab": '"', "\u00bb": '"', "\u201c": '"', "\u201d": '"', "\u02ba": '"', "\u201f": '"', "\u201e": '"',
        "\u2018": "'", "\u2019": "'", "\u02bb": "'", "\u02c8": "'", "\u02bc": "'", "\u02bd": "'", "\u02b9": "'",
        "\u201b": "'", "\u201a": "'", "\u00b4": "'", "\u02ca": "'", "`": "'", "\u02cb": "'", "\u2032": "'",
        "\u00f7": "/", "\u00bc": "1/4", "\u00bd": "1/2", "\u00be": "3/4",
        "\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2013": "-", "\u2014": "-", "\u2015": "-", "\u2212": "-",
        "\u2026": "...", "\u2022": "-", "\u2039": "<", "\u203a": ">", "\u2044": "/",
        "\u00a0": " ", "\u2002": " ", "\u2003": " ", "\u2007": " ", "\u2008": " ", "\u2009": " ", "\u200a": " ",
        "\u202f": " ", "\u3000": " ", "\u2028": "\n", "\u2029": "\n",
        "\u200b": "", "\u2060": "", "\ufeff": "", "\u00ad": "", "\u200e": "", "\u200f": "",
    }
)  # fmt: skip
"""Characters that look like one of the default alphabet → that one (smart encoding)."""

Encoding = Literal["GSM-7", "UCS-2"]


@dataclass(frozen=True, slots=True)
class Segmentation:
    """A text as it goes over the air."""

    body: str
    """With what smart encoding has put in."""
    encoding: Encoding
    segments: int
    """At least 1."""


def segment(body: str, *, smart: bool = False) -> Segmentation:
    """Choose the alphabet and count the parts; an escape and a surrogate pair are never cut in two.

    ``smart``: typographic quotation marks, dashes and the like become plain ones, when that makes the text GSM-7.
    """
    if smart:
        plain = body.translate(SMART)
        if plain != body and _gsm(plain):
            body = plain
    encoding: Encoding = "GSM-7" if _gsm(body) else "UCS-2"
    units = _septets(body) if encoding == "GSM-7" else [2 if ord(char) > 0xFFFF else 1 for char in body]
    if sum(units) <= ALONE[encoding]:
        return Segmentation(body, encoding, 1)
    parts, room = 1, PART[encoding]
    for each in units:
        if each > room:
            parts, room = parts + 1, PART[encoding]
        room -= each
    return Segmentation(body, encoding, parts)


def _gsm(body: str) -> bool:
    return all(char in GSM or char in EXTENDED for char in body)


def _septets(body: str) -> list[int]:
    return [2 if char in EXTENDED else 1 for char in body]
