"""The ``<Sip>`` noun of ``<Dial>``: its URIs, credentials and custom headers (twiml.md §5.1)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from ringback.voice import numbers
from ringback.voice.twiml import Element
from ringback.voice.verb import Attribute, Attributes, read_attributes, text, whole

URI_LIMIT: Final = 10
"""``<Uri>`` children of one noun (13250)."""
HEADER_LIMIT: Final = 32
"""Custom headers of one noun (13251)."""
CREDENTIAL_LIMIT: Final = 256
NAMED_HEADERS: Final = frozenset(
    {"user-to-user", "remote-party-id", "p-preferred-identity", "p-called-party-id"}
)
"""Besides every ``x-…`` name, lower case."""
_NAME: Final = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]{1,64}\Z")
_TRANSPORT: Final = re.compile(r";transport=([^;?]*)", re.IGNORECASE)

Warn = Callable[[int, str], None]
Headers = list[tuple[str, str]]

_URI_ATTRIBUTES: Final = {
    "priority": Attribute(whole(0, 65535), 0, 12200),
    "weight": Attribute(whole(0, 65535), 0, 12200),
    "username": Attribute(text),
    "password": Attribute(text),
}
_HEADER_ATTRIBUTES: Final = {"name": Attribute(text, ""), "value": Attribute(text, "")}
CHILDREN: Final = frozenset({"Uri", "Headers"})


@dataclass(slots=True)
class Way:
    """One URI to try, with all that its INVITE carries."""

    uri: str
    """Without its headers part."""
    username: str | None
    password: str | None
    headers: Headers


def ways(noun: Element, attributes: Attributes, warn: Warn) -> list[Way]:
    """The URIs in the order in which they are tried: by priority, the heavier first, as written.

    Everything unusable is warned of (13243, 13249–13253) and left out.
    """
    listed = [child for child in noun.children if child.tag == "Uri"]
    if len(listed) > URI_LIMIT:
        warn(13250, f"{noun.place}: {len(listed)} <Uri>; only the first {URI_LIMIT} are tried")
    common = _custom(noun, warn)
    found: list[tuple[int, int, Way]] = []
    for uri in listed[:URI_LIMIT] or [Element("Uri", {}, noun.text, line=noun.line, column=noun.column)]:
        own = read_attributes(uri, _URI_ATTRIBUTES, warn)
        address, written = numbers.split_headers(uri.text)
        if not usable(address) or len(written) > numbers.SIP_HEADERS_LIMIT:
            warn(13243, f"{uri.place}: {uri.text[:100]!r} is no SIP URI such as sip:name@example.com")
            continue
        username, password = _credentials(
            uri, own["username"] or attributes["username"], own["password"] or attributes["password"], warn
        )
        headers = checked([*in_uri(written), *common], _at(uri, warn))
        found.append((own["priority"], -own["weight"], Way(address, username, password, headers)))
    return [way for _, _, way in sorted(found, key=lambda one: one[:2])]


def _at(element: Element, warn: Warn) -> Warn:
    return lambda code, why: warn(code, f"{element.place}: {why}")


def usable(address: str) -> bool:
    """Whether it is a SIP URI of at most 255 characters over a transport that exists."""
    transport = _TRANSPORT.search(address)
    known = transport is None or transport.group(1).lower() in ("udp", "tcp", "tls")
    return known and len(address) <= 255 and numbers.is_sip(address)


def in_uri(headers: str) -> Headers:
    """The headers part of a SIP URI, ``a=b&c=d``, unescaped."""
    pairs = (item.partition("=") for item in headers.split("&") if item)
    return [(unquote(name), unquote(value)) for name, _, value in pairs]


def checked(headers: Headers, warn: Warn) -> Headers:
    """Those headers that may be sent: 13251 too many, 13252 bad name, 13253 bad or too long."""
    if len(headers) > HEADER_LIMIT:
        warn(13251, f"{len(headers)} SIP headers; only the first {HEADER_LIMIT} are sent")
    good: Headers = []
    size = 0
    for name, value in headers[:HEADER_LIMIT]:
        if not allowed(name):
            warn(13252, f"SIP header {name[:60]!r} may not be set: use a name that begins with X-")
            continue
        size += len(name) + len(value) + 1
        if size > numbers.SIP_HEADERS_LIMIT or any(ord(each) < 32 or ord(each) == 127 for each in value):
            warn(13253, f"SIP header {name} is left out: headers take 1024 printable characters in all")
            continue
        good.append((name, value))
    return good


def allowed(name: str) -> bool:
    """Whether an application may set the header."""
    lower = name.lower()
    return _NAME.match(name) is not None and (lower.startswith("x-") or lower in NAMED_HEADERS)


def _custom(noun: Element, warn: Warn) -> Headers:
    found: Headers = []
    for group in (child for child in noun.children if child.tag == "Headers"):
        for header in group.children:
            if header.tag != "Header":
                warn(12200, f"{header.place}: <{header.tag[:60]}> may not stand in <Headers>; it is ignored")
                continue
            own = read_attributes(header, _HEADER_ATTRIBUTES, warn)
            found.append((own["name"], own["value"]))
    return found


def _credentials(
    at: Element, username: str | None, password: str | None, warn: Warn
) -> tuple[str | None, str | None]:
    if not username and not password:
        return None, None
    problem = credential_problem(username or "", password or "")
    if problem is None:
        return username, password
    warn(13249, f"{at.place}: {problem[1]}; the call is tried without credentials")
    return None, None


def credential_problem(username: str, password: str) -> tuple[int, str] | None:
    """What is wrong with SIP credentials: a code from 21221 to 21225 and why; None when they are usable.

    The sheet gives the five codes as one range (errors.md §3.5); this order of them is our reading.
    """
    if len(username) > CREDENTIAL_LIMIT:
        return 21221, f"the SIP user name is longer than {CREDENTIAL_LIMIT} characters"
    if any(not each.isprintable() or each in '":' for each in username):
        return 21222, "the SIP user name holds a quote, a colon or a control character"
    if len(password) > CREDENTIAL_LIMIT:
        return 21223, f"the SIP password is longer than {CREDENTIAL_LIMIT} characters"
    if any(not each.isprintable() for each in password):
        return 21224, "the SIP password holds a control character"
    if bool(username) != bool(password):
        return 21225, "SIP user name and password belong together: one of them is missing"
    return None
