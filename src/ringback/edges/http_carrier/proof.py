"""Whether a request comes from the carrier: signed with the shared secret, and lately."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Final, Literal

from ringback.kernel.errors import Refused

SIGNATURE: Final = "x-carrier-signature"
"""``sha256=`` and the HMAC in hexadecimal of the time, a dot and the body."""
TIME: Final = "x-carrier-timestamp"
"""Unix seconds at which it was signed."""
WINDOW: Final = 300.0
"""Seconds by which that may differ from our clock: after it a request that somebody caught is worth nothing; within it
the id of what it tells makes a second time harmless."""


def signature(secret: str, at: str, body: bytes) -> str:
    """What the signature header must hold."""
    return "sha256=" + hmac.new(secret.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()


def check(
    secret: str, how: Literal["signature", "bearer"], headers: Mapping[str, str], body: bytes, now: float
) -> None:
    """Raises ``Refused`` (401) for a request that is not the carrier's. ``bearer``: it sends the secret itself."""
    if how == "bearer":
        given = headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {secret}".encode()):
            raise Refused(20003, "The request does not bring the carrier's secret", 401)
        return
    at = headers.get(TIME, "")
    wanted = signature(secret, at, body)
    if not hmac.compare_digest(headers.get(SIGNATURE, "").encode(), wanted.encode()):
        raise Refused(20003, "The request is not signed with the carrier's secret", 401)
    if not (at.isascii() and at.isdigit() and len(at) <= 12) or abs(float(at) - now) > WINDOW:
        raise Refused(20003, f"{TIME} is not within {WINDOW:g} seconds of now", 401)
