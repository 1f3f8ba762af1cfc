"""Digest authentication both ways (RFC 7616, RFC 2617, RFC 8760): MD5, SHA-256, qop=auth.

Nonces are a time and HMACs over it, one with the address it was given to, so that strangers make no table grow. Of
those that came back with the right response the count is remembered until they are stale: a request that is sent again
by somebody who has heard it is refused. Whoever counts wrongly, or not at all, is asked anew each time.
"""

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ringback.sip.uri import BadAddress, parse_uri, quote_string

NONCE_SECONDS = 60.0
MAX_NONCES = 100_000
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
        self._counts: dict[str, int] = {}
        "Nonce that was used → the highest `nc` seen with it."
        self._minted = 0

    def mint(self, realm: str, source: str, now: float) -> str:
        """A nonce for `realm`, of use only from the address `source`; no two are alike."""
        self._minted += 1
        stamp = f"{int(now * 1000):x}.{self._minted:x}"
        return f"{stamp}-{self._sign(stamp, realm)}-{self._sign(stamp, realm, source)}"

    def check(self, nonce: str, realm: str, source: str, now: float) -> Verdict:
        """`ok`, `stale` (ours, but old or given to somebody else) or `wrong`."""
        stamp, _, macs = nonce.partition("-")
        mac, _, bound = macs.partition("-")
        if not hmac.compare_digest(mac.encode(), self._sign(stamp, realm).encode()):
            return "wrong"
        if not hmac.compare_digest(bound.encode(), self._sign(stamp, realm, source).encode()):
            return "stale"
        return "ok" if -1.0 <= now - _minted_at(nonce) <= NONCE_SECONDS else "stale"

    def _counted(self, nonce: str, count: int, now: float) -> bool:
        """Take note of a use; False if there was one with that number or a higher one."""
        while self._counts and now - _minted_at(oldest := next(iter(self._counts))) > NONCE_SECONDS:
            del self._counts[oldest]
        last = self._counts.get(nonce, 0 if len(self._counts) < MAX_NONCES else count)
        if count <= last:
            return False
        self._counts[nonce] = count
        return True

    def opaque(self, realm: str) -> str:
        """A constant per realm."""
        return self._sign("opaque", realm)[:16]

    def _sign(self, *parts: str) -> str:
        return hmac.new(self._secret, "\0".join(parts).encode(), "sha256").hexdigest()[:32]

    def challenges(self, realm: str, source: str, now: float, *, stale: bool = False) -> list[str]:
        """WWW-Authenticate values. MD5 comes first: many phones, and SIPp, read only the first one."""
        nonce = self.mint(realm, source, now)
        tail = ", stale=true" if stale else ""
        return [
            f'Digest realm={quote_string(realm)}, nonce="{nonce}", opaque="{self.opaque(realm)}", '
            f'algorithm={algorithm}, qop="auth"{tail}'
            for algorithm in ("MD5", "SHA-256")
        ]

    def verify(
        self,
        header: str,
        *,
        method: str,
        target: str,
        source: str,
        realm: str,
        password: Callable[[str], str | None],
        now: float,
    ) -> Verdict:
        """Judge an Authorization header of a request to `target` from the address `source`.

        `password(username)` is None for an unknown user. `stale`: the password is right, the nonce must be a new one.

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
        nonce = self.check(sent["nonce"], realm, source, now)
        if nonce == "wrong" or not _same(sent["uri"], target):
            return "wrong"
        known = password(sent["username"])
        expected = _response(sent, algorithm, method, known if known is not None else "\0")
        right = hmac.compare_digest(expected.encode(), sent["response"].lower().encode("utf-8", "replace"))
        if not right or known is None:
            return "wrong"
        count = int(sent["nc"], 16) if sent["qop"] else 1
        return nonce if nonce != "ok" or self._counted(sent["nonce"], count, now) else "stale"


def _minted_at(nonce: str) -> float:
    """Wall seconds of a nonce of ours."""
    return int(nonce.partition(".")[0], 16) / 1000


def _same(uri: str, target: str) -> bool:
    """Whether the `uri` of the credentials is the request's (RFC 7616 section 3.4.6).

    Parameters may differ, which proxies add and take; without a user part (as SIPp writes it) it is the host's.
    """
    try:
        signed, asked = parse_uri(uri), parse_uri(target)
    except BadAddress:
        return uri == target
    places = [
        (each.scheme, each.host.lower(), each.port or (5061 if each.transport == "tls" else 5060))
        for each in (signed, asked)
    ]
    return places[0] == places[1] and signed.user in ("", asked.user)


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
