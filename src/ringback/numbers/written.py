"""How people, applications and trunks write phone numbers: their texts → E.164, and E.164 → what is shown."""

from __future__ import annotations

import re
from typing import Final

from ringback.numbers import plan

_E164: Final = re.compile(r"\+[1-9][0-9]{1,14}\Z")
_PUNCTUATION: Final = re.compile(r"[\s().\-]")
_NANP: Final = re.compile(r"\+1([0-9]{3})([0-9]{3})([0-9]{4})\Z")


def e164(text: str, region: str | None = plan.DEFAULT_REGION, *, plus_lost: bool = True) -> str:
    """``text`` in E.164; raises ``ValueError``, which says why not.

    Blanks, dots, dashes and brackets do not count. ``region`` (ISO-2): whose national form is understood; None: none.
    ``plus_lost``: other bare digits are E.164 whose ``+`` got lost on the way. The US and its neighbours: ten digits,
    or eleven from a 1, whether assigned or not (555 … must be diallable); elsewhere the numbering plan decides.
    """
    bare = _PUNCTUATION.sub("", text)
    if bare.isascii() and bare.isdigit():
        if region not in (None, plan.DEFAULT_REGION):
            found = plan.check(text, region)
            if found.errors:
                raise ValueError(f"is not a valid phone number of {region}: {found.errors[0]}")
            return found.phone_number
        if region is not None and len(bare) == 10 and bare[0] != "0":
            bare = "+1" + bare
        elif plus_lost or (region is not None and len(bare) == 11 and bare[0] == "1"):
            bare = "+" + bare
    if _E164.match(bare) is None:
        raise ValueError("is not a valid phone number")
    return bare


def readings(text: str) -> list[str]:
    """What a called number may be in E.164: trunks leave out the ``+``, some the country code of the US as well."""
    return [text, *(prefix + text for prefix in ("+", "+1") if text.isdigit())]


def shown(address: str) -> str:
    """``+14158675309`` as ``(415) 867-5309``; everything else as it is."""
    match = _NANP.match(address)
    return "({}) {}-{}".format(*match.groups()) if match else address
