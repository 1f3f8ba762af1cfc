"""The addresses of calls: numbers, clients, SIP (voice-calls.md §2, §3)."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl

from ringback.numbers.written import e164

_SIP: Final = re.compile(r"sips?:[^\s@<>\"]+@[^\s@<>\"?;]+(;[^\s<>\"?]*)?(\?\S*)?\Z", re.IGNORECASE)
_SIP_HOST: Final = re.compile(r"sips?:[^\s@<>\";?]+(;[^\s<>\"?]*)?(\?\S*)?\Z", re.IGNORECASE)
SIP_HEADERS_LIMIT: Final = 1024
IDENTITY_LIMIT: Final = 256
SHORT_LIMIT: Final = 6
PARAMETER_LIMIT: Final = 32
"""Custom parameters of one call."""


def normal(text: str) -> str | None:
    """E.164 form of ``text``; None when it is no number at all. Bare digits are a US number or none."""
    try:
        return e164(text, plus_lost=False)
    except ValueError:
        return None


def is_short(text: str) -> bool:
    """Whether ``text`` is a short number: two to six bare digits (112, 911 …)."""
    return 2 <= len(text) <= SHORT_LIMIT and text.isascii() and text.isdigit()


def is_sip(text: str) -> bool:
    """Whether ``text`` is a SIP URI of acceptable size."""
    if len(text) > 255 + SIP_HEADERS_LIMIT:
        return False
    return _SIP.match(text) is not None or _SIP_HOST.match(text) is not None


def is_client(text: str) -> bool:
    """Whether ``text`` is ``client:`` and an identity."""
    return text.startswith("client:") and 0 < len(text) - 7 <= IDENTITY_LIMIT


def split_parameters(client: str) -> tuple[str, list[tuple[str, str]]]:
    """``client:alice?name=value&…`` as its address and its custom parameters, unescaped."""
    address, _, query = client.partition("?")
    return address, parse_qsl(query, keep_blank_values=True)[:PARAMETER_LIMIT]


def split_headers(uri: str) -> tuple[str, str]:
    """A SIP URI without, and only, its headers part (behind ``?``)."""
    address, _, headers = uri.partition("?")
    return address, headers
