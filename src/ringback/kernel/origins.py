"""Which pages of other origins a browser lets ask here (CORS, Fetch §3.2): those of the settings, none by default."""

from __future__ import annotations

import re
from typing import Final

from ringback.kernel.setting import refusal

_ORIGIN: Final = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?|https?://\[[0-9a-f:]+\](:\d{1,5})?", re.ASCII)


def read_origins(text: str) -> frozenset[str]:
    """``https://shop.example,http://localhost:8000`` as origins. Raises ``SettingsError``; ``*`` is none: any page
    that a customer opens could write in their name."""
    found = frozenset(part.strip() for part in text.split(",") if part.strip())
    for one in found:
        if not _ORIGIN.fullmatch(one):
            raise refusal(
                "RINGBACK_WEB_CHAT_ORIGINS", one, "origins such as https://shop.example,http://localhost:8000"
            )
    return found


def cors(origins: frozenset[str], origin: str) -> dict[str, str]:
    """The header fields of an answer to a page of ``origin``."""
    if not origins:
        return {}
    if origin not in origins:
        return {"Vary": "Origin"}
    return {
        "Vary": "Origin",
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
        "Access-Control-Allow-Headers": "Authorization, Content-Type",
        "Access-Control-Expose-Headers": "Retry-After",
        "Access-Control-Max-Age": "600",
    }
