"""How people, applications and trunks write phone numbers: their texts → E.164, and E.164 → what is shown."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from ringback.numbers import emergency, plan

_E164: Final = re.compile(r"\+[1-9][0-9]{1,14}\Z")
_KEYED: Final = re.compile(r"\+?[0-9]{2,20}\Z")
_PUNCTUATION: Final = re.compile(r"[\s().\-/]")
_NANP: Final = re.compile(r"\+1([0-9]{3})([0-9]{3})([0-9]{4})\Z")


def e164(text: str, *, plus_lost: bool = True) -> str:
    """A number as applications write it, in E.164; raises ``ValueError``, which says why not.

    Blanks, dots, dashes, slashes and brackets of any script do not count, nor marks that nobody sees; nor does the
    ``(0)`` of ``+44 (0)1632 …``. Ten bare digits are a US number, and eleven from a 1, whether assigned or not
    (555 … must be diallable). ``plus_lost``: other bare digits are E.164 whose ``+`` got lost on the way, but short
    numbers (112 …) are not.
    """
    bare = _bare(text)
    if bare.isascii() and bare.isdigit():
        if len(bare) == 10 and bare[0] != "0":
            bare = "+1" + bare
        elif (plus_lost and len(bare) > emergency.SHORT) or (len(bare) == 11 and bare[0] == "1"):
            bare = "+" + bare
    if _E164.match(bare) is None:
        raise ValueError("is not a valid phone number")
    return plan.without_trunk_zero(bare)


def to_call(text: str, region: str) -> str:
    """The number at which a person asks to be called, as they wrote or keyed it, in E.164.

    ``region`` (ISO-2) is where they are at home: its national form and its prefix for calls abroad are understood, and
    a country code without the ``+``. Raises ``ValueError`` for emergency numbers, and for those that no network can
    have assigned.
    """
    bare = _bare(text)
    if emergency.is_emergency(bare.removeprefix("+"), region):
        raise ValueError("is an emergency number")
    if _KEYED.match(bare):
        if text[:1] == " ":  # a + that was not URL-encoded
            bare = "+" + bare.removeprefix("+")
        found = plan.understood(bare, region)
        if found is not None:
            return found
    raise ValueError("is not a phone number that can be called")


def _bare(text: str) -> str:
    """Without what people put between digits; of a ``tel:`` URI the number (RFC 3966)."""
    if (
        not text.isascii()
    ):  # copied from a page or an address book: wide digits, typographic dashes, direction marks
        wide = unicodedata.normalize("NFKC", text)
        kinds = ((char, unicodedata.category(char)) for char in wide)
        text = "".join("-" if kind == "Pd" else char for char, kind in kinds if kind != "Cf")
    if text[:4].lower() == "tel:":
        text = text[4:].partition(";")[0]
    return _PUNCTUATION.sub("", text)


def readings(text: str) -> list[str]:
    """What a called number may be in E.164: trunks leave out the ``+``, some the country code of the US as well."""
    return [text, *(prefix + text for prefix in ("+", "+1") if text.isdigit())]


def shown(address: str) -> str:
    """``+14158675309`` as ``(415) 867-5309``; everything else as it is."""
    match = _NANP.match(address)
    return "({}) {}-{}".format(*match.groups()) if match else address
