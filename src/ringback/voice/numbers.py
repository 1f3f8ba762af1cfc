"""Phone numbers and addresses: what users write, and what clients are shown (voice-calls.md §2, §3)."""

from __future__ import annotations

import re
from typing import Final

_E164: Final = re.compile(r"\+[1-9][0-9]{1,14}\Z")
_PUNCTUATION: Final = re.compile(r"[\s().\-]")
_NANP: Final = re.compile(r"\+1([0-9]{3})([0-9]{3})([0-9]{4})\Z")
_SIP: Final = re.compile(r"sips?:[^\s@<>\"]+@[^\s@<>\"?;]+(;[^\s<>\"?]*)?(\?\S*)?\Z", re.IGNORECASE)
_SIP_HOST: Final = re.compile(r"sips?:[^\s@<>\";?]+(;[^\s<>\"?]*)?(\?\S*)?\Z", re.IGNORECASE)
WITHHELD: Final = frozenset({"anonymous", "unknown", "restricted", "unavailable", "private"})
SIP_HEADERS_LIMIT: Final = 1024
IDENTITY_LIMIT: Final = 256
SHORT_LIMIT: Final = 6


def normal(text: str) -> str | None:
    """E.164 form of ``text``; US national formats become ``+1…``; None when it is no number at all."""
    bare = _PUNCTUATION.sub("", text)[:40]
    if not bare.isascii():
        return None
    if _E164.match(bare):
        return bare
    if bare.isdigit() and len(bare) == 10 and bare[0] != "0":
        return "+1" + bare
    if bare.isdigit() and len(bare) == 11 and bare[0] == "1":
        return "+" + bare
    return None


def is_short(text: str) -> bool:
    """Whether ``text`` is a short number: two to six bare digits (112, 911 …)."""
    return 2 <= len(text) <= SHORT_LIMIT and text.isascii() and text.isdigit()


def possible(e164: str) -> bool:
    """Whether a network could have assigned the number, by its country and length.

    Fictitious ranges (555 …) count: test numbers must be diallable.
    """
    nanp = e164.startswith("+1")
    if nanp:  # the commonest case, without the large metadata
        return len(e164) == 12
    import phonenumbers  # heavy metadata: only when a foreign number is met

    try:
        return bool(phonenumbers.is_possible_number(phonenumbers.parse(e164, None)))
    except phonenumbers.NumberParseException:
        return False


def formatted(address: str) -> str:
    """``+14158675309`` as ``(415) 867-5309``; everything else as it is."""
    match = _NANP.match(address)
    return "({}) {}-{}".format(*match.groups()) if match else address


def is_sip(text: str) -> bool:
    """Whether ``text`` is a SIP URI of acceptable size."""
    if len(text) > 255 + SIP_HEADERS_LIMIT:
        return False
    return _SIP.match(text) is not None or _SIP_HOST.match(text) is not None


def is_client(text: str) -> bool:
    """Whether ``text`` is ``client:`` and an identity."""
    return text.startswith("client:") and 0 < len(text) - 7 <= IDENTITY_LIMIT


def split_headers(uri: str) -> tuple[str, str]:
    """A SIP URI without, and only, its headers part (behind ``?``)."""
    address, _, headers = uri.partition("?")
    return address, headers
