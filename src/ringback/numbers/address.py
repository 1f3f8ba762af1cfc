"""The addresses of people, however they are written, in one form: who is found by address is found (conversations.md
§1.1)."""

from __future__ import annotations

import re
from typing import Final

from ringback.numbers.withheld import is_withheld
from ringback.numbers.written import e164

WITHHELD: Final = "anonymous"
"""Whoever does not say their number."""
_SHORT: Final = re.compile(r"[0-9]{3,8}\Z")
_CHANNEL: Final = re.compile(r"([A-Za-z]+):(.+)\Z", re.DOTALL)
_SIP: Final = re.compile(r"(?:sips?:)(?:([^@]*)@)?([^;?>]+)", re.IGNORECASE)


def normal(text: str) -> str:
    """E.164 for a number, ``whatsapp:+1…`` for one of a channel, ``sip:user@host`` without its parameters; short codes,
    names and ids of channels as they are; ``anonymous`` for a caller who withholds their number."""
    text = text.strip().strip("<>")
    lower = text.lower()
    if lower.startswith(("sip:", "sips:")):
        return WITHHELD if is_withheld(text) else _sip(text)
    found = None if lower.startswith("tel:") else _CHANNEL.match(text)
    if found is not None:
        channel, rest = found[1].lower(), found[2].strip()
        return f"{channel}:{_number(rest) if rest[:1] == '+' or channel == 'whatsapp' else rest}"
    if not _SHORT.match(text) and is_withheld(text):
        return WITHHELD
    return _number(text)


def _number(text: str) -> str:
    if _SHORT.match(text):
        return text
    try:
        return e164(text)
    except ValueError:
        return text


def _sip(text: str) -> str:
    """One user at one host is one person, whatever phone they use: port and parameters do not count."""
    found = _SIP.match(text)
    if found is None:
        return text
    user, host = found[1], found[2].lower()
    host = host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]
    return f"sip:{user.partition(':')[0]}@{host}" if user else f"sip:{host}"
