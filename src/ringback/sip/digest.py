"""Digest authentication both ways (RFC 7616, RFC 2617, RFC 8760): MD5, SHA-256, qop=auth.

Nonces are stateless: a time and an HMAC over it, so that no table grows. A nonce may be used again by its owner
until it is stale; `nc` must not be zero.
"""

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ringback.sip.uri import quote_string

NONCE_SECONDS = 300.0
_PARAMETER = re.compile(r'\s*([A-Za-z0-9\-_.*]{1,64})\s*=\s*("(?:[^"\\]|\\.)*"|[^\s",]*)\s*(?:,|\Z)')
_HASHES: dict[str, Callable[[bytes], "hashlib._Hash"]] = {
    "md5": lambda data: hashlib.md5(data, usedforsecurity=False),
    "sha-256": hashlib.sha256,
}
Verdict = Literal["ok", "stale", "wrong", "malformed"]


@dataclass(frozen=True, slots=True)
class Credentials:
    """The parameters of a Digest challenge or Authorization header, names in lower case."""

    fields: dict[str, str]

    def __getitem__(self, name: str) -> str:
        return self.fields.get(name, "")


def parse_digest(text: str) -> Credentials | None:
    """Read `Digest a="b", c=d`; None for another scheme or anything unreadable."""
    scheme, _, rest = text.strip().partition(" ")
    if scheme.lower() != "digest" or len(rest) > 4096:
        return None
    fields: dict[str, str] = {}
    at = 0
    rest = rest.strip()
    while at < len(rest):
        match = _PARAMETER.match(rest, at)
        if match is None or len(fields) > 32:
            return None
        value = match[2]
        if value.startswith('"'):
            value = re.sub(r"\\(.)", r"\1", value[1:-1])
        fields.setdefault(match[1].lower(), value)
        at = match.end()
    return Credentials(fields)


class NonceMint:
    """Makes and checks nonces under one secret. Times are wall seconds passed in."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def mint(self, realm: str, now: float) -> str:
        """A nonce for `realm`."""
        stamp = f"{int(now * 1000):x}"
        return f"{stamp}-{self._sign(stamp, realm)}"

    def check(self, nonce: str, realm: str, now: float) -> Verdict:
        """`ok`, `stale` (ours but old) or `wrong`."""
        stamp, _, mac = nonce.partition("-")
        if not hmac.compare_digest(mac.encode(), self._sign(stamp, realm).encode()):
            return "wrong"
        age = now - int(stamp, 16) / 1000
        return "ok" if -1.0 <= age <= NONCE_SECONDS else "stale"

    def opaque(self, realm: str) -> str:
        """A constant per realm."""
        return self._sign("opaque", realm)[:16]

    def _sign(self, stamp: str, realm: str) -> str:
        return hmac.new(self._secret, f"{stamp}\0{realm}".encode(), "sha256").hexdigest()[:32]

    def challenges(self, realm: str, now: float, *, stale: bool = False) -> list[str]:
        """WWW-Authenticate values. MD5 comes first: many phones, and SIPp, read only the first one."""
        nonce = self.mint(realm, now)
        tail = ", stale=true" if stale else ""
        return [
            f'Digest realm={quote_string(realm)}, nonce="{nonce}", opaque="{self.opaque(realm)}", '
            f'algorithm={algorithm}, qop="auth"{tail}'
            for algorithm in ("MD5", "SHA-256")
        ]

    def verify(
        self, header: str, *, method: str, realm: str, password: Callable[[str], str | None], now: float
    ) -> Verdict:
        """Judge an Authorization header; `password(username)` is None for an unknown user.

        The comparison takes the same time for a wrong and a right response, and an unknown user is
        computed like a known one.
        """
        sent = parse_digest(header)
        if sent is None:
            return "malformed"
        algorithm = sent["algorithm"].lower() or "md5"
        if algorithm not in _HASHES or sent["qop"] not in ("", "auth") or not sent["uri"]:
            return "malformed"
        if sent["qop"] and not (re.fullmatch(r"[0-9a-fA-F]{8}", sent["nc"]) and int(sent["nc"], 16) > 0):
            return "malformed"
        if sent["realm"] != realm or (sent["opaque"] and sent["opaque"] != self.opaque(realm)):
            return "wrong"
        nonce = self.check(sent["nonce"], realm, now)
        if nonce == "wrong":
            return "wrong"
        known = password(sent["username"])
        expected = _response(sent, algorithm, method, known if known is not None else "\0")
        right = hmac.compare_digest(expected.encode(), sent["response"].lower().encode("utf-8", "replace"))
        if not right or known is None:
            return "wrong"
        return nonce


def _response(fields: Credentials, algorithm: str, method: str, password: str) -> str:
    def digest(text: str) -> str:
        return _HASHES[algorithm](text.encode()).hexdigest()

    first = digest(f"{fields['username']}:{fields['realm']}:{password}")
    second = digest(f"{method}:{fields['uri']}")
    if fields["qop"]:
        return digest(f"{first}:{fields['nonce']}:{fields['nc']}:{fields['cnonce']}:auth:{second}")
    return digest(f"{first}:{fields['nonce']}:{second}")


def answer_challenge(
    challenges: list[str], *, method: str, uri: str, username: str, password: str, cnonce: str, nc: int = 1
) -> str | None:
    """The Authorization value for the first challenge that we can do; None if there is none."""
    for text in challenges:
        asked = parse_digest(text)
        if asked is None or not asked["nonce"]:
            continue
        algorithm = asked["algorithm"].lower() or "md5"
        offered = [option.strip().lower() for option in asked["qop"].split(",") if option.strip()]
        if algorithm not in _HASHES or (offered and "auth" not in offered):
            continue
        fields = {"username": username, "realm": asked["realm"], "nonce": asked["nonce"], "uri": uri}
        if offered:
            fields |= {"qop": "auth", "nc": f"{nc:08x}", "cnonce": cnonce}
        response = _response(Credentials(fields), algorithm, method, password)
        parts = [f"{name}={quote_string(fields[name])}" for name in ("username", "realm", "nonce", "uri")]
        parts.append(f'response="{response}"')
        if asked["algorithm"]:
            parts.append(f"algorithm={asked['algorithm']}")
        if offered:
            parts += ["qop=auth", f"nc={fields['nc']}", f"cnonce={quote_string(cnonce)}"]
        if asked["opaque"]:
            parts.append(f"opaque={quote_string(asked['opaque'])}")
        return "Digest " + ", ".join(parts)
    return None
