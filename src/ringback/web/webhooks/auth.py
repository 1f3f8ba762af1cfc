"""Endpoint authentication: Basic and Digest answers to a 401 (webhooks sheet, section 6; RFC 7617, RFC 7616).

Pure: the client nonce is given by the caller.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

_HASHES: Final[dict[str, Any]] = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}
_PARAM = re.compile(r'([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_SCHEME = re.compile(r"(?:^|,)\s*(Basic|Digest)(?=\s|$|,)", re.IGNORECASE)
MAX_CHALLENGE: Final = 4_096


@dataclass(slots=True)
class Challenge:
    """What an endpoint asked for. `count` is the nonce count of RFC 7616 §3.4: requests answered with it."""

    scheme: str
    """`basic` or `digest`."""
    realm: str = ""
    nonce: str = ""
    opaque: str = ""
    algorithm: str = "MD5"
    qop: str = ""
    """`auth`, or empty for the RFC 2069 form."""
    count: int = 0


def read_challenge(headers: list[str]) -> Challenge | None:
    """The strongest challenge of the WWW-Authenticate headers that can be answered, or None.

    Digest (SHA-256, then MD5) goes before Basic. Digest with only `auth-int`, with a `-sess` algorithm or
    without a nonce is not answered.
    """
    text = ", ".join(headers)[:MAX_CHALLENGE]
    starts = list(_SCHEME.finditer(text))
    found: list[Challenge] = []
    for index, start in enumerate(starts):
        end = starts[index + 1].start() if index + 1 < len(starts) else len(text)
        if start[1].lower() == "basic":
            found.append(Challenge("basic"))
            continue
        params = {
            match[1].lower(): re.sub(r"\\(.)", r"\1", match[2]) if match[2] is not None else match[3]
            for match in _PARAM.finditer(text[start.end() : end])
        }
        algorithm = params.get("algorithm", "MD5").upper()
        offered = {option.strip().lower() for option in params.get("qop", "").split(",")} - {""}
        if not params.get("nonce") or algorithm not in _HASHES or (offered and "auth" not in offered):
            continue
        found.append(
            Challenge(
                "digest",
                params.get("realm", ""),
                params["nonce"],
                params.get("opaque", ""),
                algorithm,
                "auth" if offered else "",
            )
        )
    rank = {("digest", "SHA-256"): 0, ("digest", "MD5"): 1}
    return min(found, key=lambda one: rank.get((one.scheme, one.algorithm), 2), default=None)


def answer(challenge: Challenge, user: str, password: str, method: str, url: str, cnonce: str) -> str:
    """The Authorization header for a request; counts the nonce up."""
    if challenge.scheme == "basic":
        return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
    challenge.count += 1
    parts = urlsplit(url)
    uri = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    count = f"{challenge.count:08x}"
    secret = _hash(challenge, f"{user}:{challenge.realm}:{password}")
    request = _hash(challenge, f"{method}:{uri}")
    middle = f"{challenge.nonce}:{count}:{cnonce}:auth" if challenge.qop else challenge.nonce
    fields = [
        f'username="{_quoted(user)}"',
        f'realm="{_quoted(challenge.realm)}"',
        f'nonce="{_quoted(challenge.nonce)}"',
        f'uri="{uri}"',
        f"algorithm={challenge.algorithm}",
        f'response="{_hash(challenge, f"{secret}:{middle}:{request}")}"',
    ]
    if challenge.qop:
        fields += ["qop=auth", f"nc={count}", f'cnonce="{cnonce}"']
    if challenge.opaque:
        fields.append(f'opaque="{_quoted(challenge.opaque)}"')
    return "Digest " + ", ".join(fields)


def _hash(challenge: Challenge, text: str) -> str:
    # MD5 is what the endpoint asked for (RFC 7616 §3.1); it protects nothing of ours.
    return str(_HASHES[challenge.algorithm](text.encode()).hexdigest())


def _quoted(text: str) -> str:
    clean = "".join(char for char in text if char >= " " and char != "\x7f")
    return clean.replace("\\", "\\\\").replace('"', '\\"')
