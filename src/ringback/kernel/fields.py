"""Checks of single values: each takes a text and returns its normal form, or raises ``ValueError``.

The error *code* belongs to the declaration of the field (``field(..., check=http_url, code=21402)``).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import urlsplit

from ringback.kernel.sid import is_sid

Check = Callable[[str], str]

URL_LIMIT = 4000
"""Longest URL that is stored, in characters."""


def http_url(text: str) -> str:
    """An absolute ``http`` or ``https`` URL (voice-calls.md §2, ``Url``)."""
    if len(text) > URL_LIMIT or any(character <= " " for character in text):
        raise ValueError("is not a valid URL")
    parts = urlsplit(text)
    if parts.scheme.lower() not in {"http", "https"} or not parts.hostname:
        raise ValueError("is not a valid URL")
    if not 0 <= (parts.port or 80) <= 65535:  # .port itself raises ValueError when it is no number
        raise ValueError("is not a valid URL")
    return text


def callback_url(text: str) -> str:
    """A callback's URL: no underscore in its host name (voice-calls.md §2, ``StatusCallback``)."""
    http_url(text)
    if "_" in (urlsplit(text).hostname or ""):
        raise ValueError("is not a valid URL: the host name contains an underscore")
    return text


def http_method(text: str) -> str:
    """``GET`` or ``POST``, in upper case."""
    method = text.upper()
    if method not in {"GET", "POST"}:
        raise ValueError("must be GET or POST")
    return method


def json_text(text: str) -> str:
    """Any JSON value, as text: it is stored as it was written."""
    try:
        json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise ValueError("is not valid JSON") from None
    return text


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is not valid JSON")


def sid_of(*prefixes: str) -> Check:
    """Make a check for the SID of one of some kinds, lower-casing its digits (rest-conventions.md §6)."""

    def check(text: str) -> str:
        if not is_sid(text, *prefixes):
            raise ValueError(f"is not a SID beginning with {' or '.join(prefixes)}")
        return text[:2] + text[2:].lower()

    return check
