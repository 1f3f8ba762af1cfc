"""URLs that give a file to whoever has them, for a while (``content_direct_temporary``, conversations-js.md §6).

The key is made from the account's auth token: a new token, or a suspended account, ends all of them.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from typing import Final

SECONDS: Final = 300
"""For which a URL of an answer is good, as at the hosted service."""


def query(secret: str, sid: str, expires: int) -> str:
    """The query of a URL for one file that is good until ``expires`` (Unix seconds)."""
    return f"Expires={expires}&Signature={_signature(secret, sid, expires)}"


def is_good(secret: str, sid: str, params: Mapping[str, Sequence[str]], now: float) -> bool:
    """Whether these parameters are such a query's, and still good. Compared in constant time."""
    text, given = "".join(params.get("Expires", ())[:1]), "".join(params.get("Signature", ())[:1])
    if not (secret and text.isascii() and text.isdigit() and len(text) < 13):
        return False
    same = hmac.compare_digest(given.encode(), _signature(secret, sid, int(text)).encode())
    return same and now < int(text)


def _signature(secret: str, sid: str, expires: int) -> str:
    return hmac.digest(secret.encode(), f"media ticket {sid} {expires}".encode(), "sha256").hex()
