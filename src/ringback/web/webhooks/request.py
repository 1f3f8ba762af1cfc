"""From a hook to the request on the wire (webhooks sheet, sections 2, 3, 6 and 11).

Pure: URL without fragment and credentials, parameters in body or query, signature, headers.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

from ringback.web.form import encode
from ringback.web.signing import (
    SETTINGS_HEADER,
    SIGNATURE_HEADER,
    Algorithm,
    sign,
    signed_url,
    with_body_sha256,
)
from ringback.web.webhooks.authority import check_authority
from ringback.web.webhooks.jar import CookieJar
from ringback.web.webhooks.overrides import Overrides, Trouble, parse_overrides
from ringback.web.webhooks.target import Target

USER_AGENT: Final = "RingbackProxy/1.0"
IDEMPOTENCY_HEADER: Final = "I-Twilio-Idempotency-Token"
FORM_TYPE: Final = "application/x-www-form-urlencoded; charset=UTF-8"
MAX_URL: Final = 8_192
MAX_BODY: Final = 1_000_000


class Unsendable(Exception):
    """A hook that cannot become a request; `code` is of the errors sheet (11100, 11216)."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """One logical request to the customer's application, as its owner asks for it."""

    url: str
    """As configured: may be relative (to `base_url`), may carry credentials and `#ct=…` overrides."""
    method: str = "POST"
    params: list[tuple[str, str]] = field(default_factory=list)
    """Form parameters in order; sent in the query for GET. Ignored when `json` is given."""
    json: bytes | None = None
    """A JSON body in place of a form; always POST."""
    auth_token: str = ""
    """Signs the request; empty: unsigned."""
    token: str = ""
    """The idempotency token, the same for every try of this logical request; empty: no header."""
    kind: Literal["document", "notification", "media"] = "document"
    """document: the answer steers something, an empty one is 11770. notification: the answer's body is
    ignored. media: the body is a file."""
    empty_ok: bool = False
    """A document that may be empty (JSON decisions, `waitUrl` of a call that has been redirected)."""
    jar: CookieJar | None = None
    """Cookies and credentials of the call."""
    base_url: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    """Further headers, for conditional requests."""
    body_limit: int | None = None
    """Most bytes of answer that are read, after decompression; None: the sender's limit for the kind."""
    sink: Callable[[bytes], object] | None = None
    """Takes the body of a 2xx answer piece by piece in place of `Delivery.body`."""
    status_error: int = 11200
    """The code for a 4xx or 5xx answer: 15003 for call progress callbacks (sheet, section 4)."""
    account: str = ""
    """The account for which it is sent: connections are shared fairly among them."""
    key_id: str = ""
    algorithm: Algorithm = "HMAC_SHA1"
    """With `key_id`, a custom signing key (section 3.5): then `auth_token` holds that key's secret."""


@dataclass(frozen=True, slots=True)
class Wire:
    """One request, ready to send; `headers` hold no secrets (those are added at the last moment)."""

    method: Literal["GET", "POST"]
    target: Target
    headers: dict[str, str]
    body: bytes | None


@functools.lru_cache(1024)
def read_target(url: str) -> Target:
    """Split and clean an absolute URL. Raises `Unsendable` (11100) that says what is wrong."""
    if len(url) > MAX_URL:
        raise Unsendable(11100, f"The URL is longer than {MAX_URL} characters.")
    # No URL may hold these; urlsplit would silently drop some and send what nobody wrote.
    if any(ord(char) < 0x20 or ord(char) == 0x7F for char in url):
        raise Unsendable(11100, "The URL holds control characters.")
    try:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https"):
            check_authority(parts.netloc)
        clean = signed_url(url)
        port = parts.port
        host = urlsplit(clean).hostname or ""
    except (ValueError, UnicodeError) as error:
        raise Unsendable(11100, f"The URL cannot be read: {error}") from error
    if parts.scheme not in ("http", "https"):
        raise Unsendable(
            11100, f"The URL's scheme is {parts.scheme[:20]!r}; only http and https are requested."
        )
    if port == 0:
        raise Unsendable(11100, "Port 0 cannot be requested.")
    return Target(
        clean,
        parts.scheme,
        host,
        port or (443 if parts.scheme == "https" else 80),
        unquote(parts.username or ""),
        unquote(parts.password or ""),
    )


def first_request(hook: Hook) -> tuple[Wire, Overrides, tuple[Trouble, ...]]:
    """The request for a hook, its overrides, and what was wrong with them. Raises `Unsendable`."""
    url = urljoin(hook.base_url, hook.url) if hook.base_url else hook.url
    overrides, warnings = parse_overrides(url)
    method = hook.method.upper()
    if method not in ("GET", "POST"):
        warnings += (Trouble(11322, f"Method {hook.method[:20]!r} is neither GET nor POST; POST is used."),)
        method = "POST"
    target = read_target(url)
    if hook.json is not None:
        return _post(hook, target, json=hook.json), overrides, warnings
    if method == "GET":
        return _get(hook, _with_query(target, hook.params)), overrides, warnings
    return _post(hook, target), overrides, warnings


def redirected(hook: Hook, wire: Wire, status: int, location: str) -> Wire:
    """The request that follows a 30x answer (sheet, section 4).

    301, 302, 303: GET without the parameters; 307, 308: the same method and body. Signed for the new URL.
    Raises `Unsendable` with 11216 for a bad Location.
    """
    location = location.strip()
    # urljoin takes "http://" for the page itself; a Location with a scheme stands alone (RFC 3986 §5.2.2).
    absolute = location.lower().startswith(("http:", "https:"))
    try:
        target = read_target(location if absolute else urljoin(wire.target.url, location))
    except (Unsendable, ValueError) as error:
        raise Unsendable(11216, f"The redirect goes nowhere: {error}") from error
    if not target.user and target.origin == wire.target.origin:
        target = Target(
            target.url, target.scheme, target.host, target.port, wire.target.user, wire.target.password
        )
    if status in (307, 308) and wire.method == "POST":
        return _post(hook, target, json=hook.json)
    return _get(hook, target)


def _get(hook: Hook, target: Target) -> Wire:
    return Wire("GET", target, _headers(hook, target.url), None)


def _post(hook: Hook, target: Target, json: bytes | None = None) -> Wire:
    if json is not None:
        target = _moved(target, with_body_sha256(target.url, json))
        body, params, content_type = json, [], "application/json"
    else:
        params = hook.params
        body = encode(params).encode("ascii")
        content_type = FORM_TYPE
    if len(body) > MAX_BODY:
        raise Unsendable(11200, f"The request's body is larger than {MAX_BODY} bytes.")
    headers = _headers(hook, target.url, params)
    headers["Content-Type"] = content_type
    return Wire("POST", target, headers, body)


def _headers(hook: Hook, url: str, params: list[tuple[str, str]] | None = None) -> dict[str, str]:
    headers = {"Accept": "*/*", "Accept-Encoding": "gzip", "User-Agent": USER_AGENT}
    if hook.token:
        headers[IDEMPOTENCY_HEADER] = hook.token
    if hook.auth_token:
        headers[SIGNATURE_HEADER] = sign(hook.auth_token, url, params or (), algorithm=hook.algorithm)
        if hook.key_id:
            headers[SETTINGS_HEADER] = f"key={hook.key_id},algorithm={hook.algorithm}"
    headers.update(hook.headers)
    return headers


def _with_query(target: Target, params: list[tuple[str, str]]) -> Target:
    if not params:
        return target
    parts = urlsplit(target.url)
    own = f"{parts.query}&" if parts.query else ""
    query = own + encode(params)
    return _moved(target, urlunsplit(parts._replace(query=query)))


def _moved(target: Target, url: str) -> Target:
    if len(url) > 2 * MAX_URL:
        raise Unsendable(11100, f"The URL with its parameters is longer than {2 * MAX_URL} characters.")
    return Target(url, target.scheme, target.host, target.port, target.user, target.password)
