"""The addresses of messages: numbers, short codes, names, and those of other channels (``whatsapp:+1…``)."""

from __future__ import annotations

import re
from typing import Final

from ringback.numbers.plan import region_of, understood
from ringback.numbers.written import e164

_CHANNEL: Final = re.compile(r"(whatsapp|messenger|rcs|viber|telegram|line|chat):(\S{1,255})\Z")
_NAME: Final = re.compile(r"(?=[A-Za-z0-9 +\-_&]*[A-Za-z])[A-Za-z0-9 +\-_&]{1,11}\Z")
_SHORT: Final = re.compile(r"[0-9]{3,8}\Z")
_NATIONAL: Final = re.compile(r"[0-9]{4,15}\Z")


def split(address: str) -> tuple[str, str]:
    """Channel (empty: SMS) and the rest."""
    found = _CHANNEL.match(address)
    return (found[1], found[2]) if found else ("", address)


def sender(text: str) -> str:
    """Who sends, in its normal form: E.164, short code, name, or channel and address. Raises ``ValueError``."""
    channel, bare = split(text.strip())
    if channel:
        return f"{channel}:{_number_or(bare)}"
    if _SHORT.match(bare) or _NAME.match(bare):
        return bare
    return e164(bare)


def recipient(text: str, from_: str) -> str:
    """Who gets it, in its normal form. A national number is one of the sender's country. Raises ``ValueError``."""
    channel, bare = split(text.strip())
    if channel:
        return f"{channel}:{_number_or(bare)}"
    if _SHORT.match(bare):
        return bare
    region = region_of(from_) if from_.startswith("+") else None
    digits = re.sub(r"[\s().\-/]", "", bare)
    if region is not None and region not in ("US", "CA") and _NATIONAL.match(digits):
        found = understood(digits, region)
        if found is not None:
            return found
    return e164(bare)


def is_name(address: str) -> bool:
    """Whether a sender is a name: nobody can answer it."""
    return ":" not in address and any(char.isalpha() for char in address)


def _number_or(text: str) -> str:
    """A number in E.164, where it is one; a channel's ids are as they are."""
    try:
        return e164(text) if text[:1] == "+" else text
    except ValueError:
        return text
