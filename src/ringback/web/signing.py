"""X-Twilio-Signature: how a webhook proves that it comes from us (webhooks sheet, section 3).

Pure. `sign` makes the header's value; `verify` is its mirror, used for what others sign with our token.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from typing import Literal
from urllib.parse import parse_qs, quote, urlsplit, urlunsplit

Algorithm = Literal["HMAC_SHA1", "HMAC_SHA256"]

SIGNATURE_HEADER = "X-Twilio-Signature"
SETTINGS_HEADER = "X-Twilio-Webhooks-Signature-Settings"

DEFAULT_PORTS = {"http": 80, "https": 443}
_HASHES = {"HMAC_SHA1": hashlib.sha1, "HMAC_SHA256": hashlib.sha256}
# What RFC 3986 allows in a URL, plus "%" so that existing percent-encoding is kept as the customer wrote it.
_KEEP = "!#$%&'()*+,-./:;=?@[]_~"
_LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


def sign(
    token: str, url: str, params: Iterable[tuple[str, str]] = (), *, algorithm: Algorithm = "HMAC_SHA1"
) -> str:
    """The base64 signature of a request.

    `url` is signed as given: pass `signed_url(...)` of what goes over the wire. `params` are the decoded
    form parameters of a POST, in any order; repeated equal values count once (section 3.1).
    """
    pairs = sorted(set(params))
    text = url + "".join(name + value for name, value in pairs)
    mac = hmac.new(token.encode(), text.encode("utf-8", "surrogatepass"), _HASHES[algorithm])
    return base64.b64encode(mac.digest()).decode("ascii")


def body_sha256(body: bytes) -> str:
    """Lower-case hexadecimal SHA-256 of a raw body (section 3.2)."""
    return hashlib.sha256(body).hexdigest()


def with_body_sha256(url: str, body: bytes) -> str:
    """`url` with `bodySHA256` appended to its query: sent and signed for a JSON body (section 3.2)."""
    parts = urlsplit(url)
    query = f"{parts.query}&" if parts.query else ""
    return urlunsplit(parts._replace(query=f"{query}bodySHA256={body_sha256(body)}"))


def signed_url(url: str) -> str:
    """The form of a URL that is sent and signed (sections 3.1 and 3.3).

    No fragment, no user and password, no default port; a port that is not the default stays. Percent-encoding
    is kept; characters that no URL may hold (spaces, letters outside ASCII) are encoded, a host outside ASCII
    becomes IDNA. Raises `ValueError` for a URL without a usable host or port.
    """
    parts = urlsplit(url)
    host = parts.hostname
    if not host:
        raise ValueError("the URL has no host")
    if not host.isascii():
        host = host.encode("idna").decode("ascii")
    netloc = f"[{host}]" if ":" in host else _as_written(parts.netloc, host)
    if parts.port is not None and parts.port != DEFAULT_PORTS.get(parts.scheme):
        netloc = f"{netloc}:{parts.port}"
    return urlunsplit((parts.scheme, netloc, _quoted(parts.path) or "/", _quoted(parts.query), ""))


def verify(
    token: str,
    url: str,
    signature: str,
    params: Iterable[tuple[str, str]] = (),
    *,
    body: bytes | None = None,
    algorithm: str = "HMAC_SHA1",
) -> bool:
    """True if `signature` was made with `token` for this request; compared in constant time (section 3.4).

    Accepts the URL with and without its port, as the official validator does. With `body` (JSON) the URL must
    carry the right `bodySHA256`. An unknown algorithm is false (section 3.5).
    """
    if algorithm not in ("HMAC_SHA1", "HMAC_SHA256"):
        return False
    if body is not None:
        claimed = parse_qs(urlsplit(url).query).get("bodySHA256", [""])[0]
        if not hmac.compare_digest(claimed.encode(), body_sha256(body).encode()):
            return False
        params = ()
    pairs = list(params)
    given = signature.encode("utf-8", "surrogatepass")
    # A list, not a generator: both forms are always computed, so the time does not tell which one fitted.
    fits = [
        hmac.compare_digest(sign(token, form, pairs, algorithm=algorithm).encode(), given)  # type: ignore[arg-type]
        for form in _port_forms(url)
    ]
    return any(fits)


def _port_forms(url: str) -> tuple[str, str]:
    """The URL with an explicit port and without one (section 3.3); unchanged when it has no readable port."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        return url, url
    bare = parts.netloc.removesuffix(f":{port}") if port is not None else parts.netloc
    explicit = f"{bare}:{port if port is not None else DEFAULT_PORTS.get(parts.scheme, 80)}"
    return urlunsplit(parts._replace(netloc=explicit)), urlunsplit(parts._replace(netloc=bare))


def _as_written(netloc: str, host: str) -> str:
    """The host in the customer's own upper and lower case: the signature covers the URL as configured."""
    written = netloc.rpartition("@")[2].partition(":")[0]
    return written if written.lower() == host else host


def _quoted(text: str) -> str:
    return _LONE_PERCENT.sub("%25", quote(text, safe=_KEEP))
