"""The address forms of SIP: URI, name-addr and Via (RFC 3261 sections 19.1, 20.10, 20.42).

Hand-written and linear in the length of the input, because these strings arrive from anyone.
"""

import functools
import ipaddress
import re
from dataclasses import dataclass, field
from urllib.parse import unquote

Parameters = dict[str, str | None]

_TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+\Z")
_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9\-_.]*)|\[[0-9A-Fa-f:.]{2,45}\])\Z")
_VIA = re.compile(
    r"SIP\s*/\s*2\.0\s*/\s*([A-Za-z0-9\-.!%*_+`'~]+)\s+"
    r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9][A-Za-z0-9\-_.]*)\s*(?::\s*([0-9]{1,5}))?\s*(?:;(.*))?\Z",
    re.DOTALL | re.IGNORECASE,
)
_URI_FORBIDDEN = re.compile(r"[\x00-\x20<>\"\x7f]")
_BROADCAST = ipaddress.IPv4Address("255.255.255.255")
_MAX_PARAMETERS = 64
_LONGEST_LITERAL = 64
_CACHED = 256
"""Characters up to which an address is remembered: each comes in some seven messages of its call."""


class BadAddress(ValueError):
    """A URI, name-addr, Via or parameter list that the grammar does not allow."""


def is_token(text: str) -> bool:
    """Whether `text` is a token of RFC 3261 section 25.1."""
    return _TOKEN.match(text) is not None


def split_outside_quotes(text: str, separator: str) -> list[str]:
    """Split at `separator`, but not inside a quoted string or <angle brackets>."""
    if '"' not in text and "<" not in text:
        return text.split(separator)
    parts: list[str] = []
    start, quoted, angled, skip = 0, False, False, False
    for index, char in enumerate(text):
        if skip:
            skip = False
        elif quoted:
            if char == "\\":
                skip = True
            elif char == '"':
                quoted = False
        elif char == '"':
            quoted = True
        elif char == "<":
            angled = True
        elif char == ">":
            angled = False
        elif char == separator and not angled:
            parts.append(text[start:index])
            start = index + 1
    if quoted:
        raise BadAddress("unbalanced quotes")
    parts.append(text[start:])
    return parts


def parse_parameters(text: str) -> Parameters:
    """Read `a=1;b;c="x"` (without the leading semicolon) into a dict; names in lower case, values unquoted."""
    parameters: Parameters = {}
    for part in split_outside_quotes(text, ";"):
        name, equals, value = part.partition("=")
        name = name.strip()
        if not name:
            if equals or value:
                raise BadAddress("parameter without a name")
            continue
        if len(parameters) >= _MAX_PARAMETERS:
            raise BadAddress("too many parameters")
        value = value.strip()
        parameters[name.lower()] = unquote_string(value) if equals else None
    return parameters


def unquote_string(text: str) -> str:
    """A quoted-string without its quotes and escapes; other text unchanged."""
    if len(text) >= 2 and text[0] == '"' and text[-1] == '"':
        text = text[1:-1]
        if "\\" in text:
            text = re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)
    return text


def quote_string(text: str) -> str:
    """`text` as a quoted-string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def port_number(text: str) -> int:
    """A port 1..65535 from digits; raises BadAddress."""
    if not (text.isascii() and text.isdigit()) or len(text) > 5 or not 0 < int(text) < 65536:
        raise BadAddress("bad port")
    return int(text)


@dataclass(frozen=True, slots=True)
class Uri:
    """A URI as received (`text`) with the parts of a sip, sips or tel URI; other schemes have no parts."""

    text: str
    scheme: str
    user: str = ""
    "Unescaped user part; for tel: the number."
    host: str = ""
    port: int | None = None
    params: Parameters = field(default_factory=dict)
    headers: str = ""
    "What follows the question mark, still escaped."

    def __str__(self) -> str:
        return self.text

    @property
    def transport(self) -> str:
        """`udp`, `tcp` or `tls` (RFC 3261 section 26.2.2: sips means TLS)."""
        named = (self.params.get("transport") or "").lower()
        if self.scheme == "sips":
            return "tls"
        return named or "udp"

    @property
    def bare_host(self) -> str:
        """The host without IPv6 brackets."""
        return self.host[1:-1] if self.host.startswith("[") else self.host

    def without_headers(self) -> str:
        """The text usable as a Request-URI: no header part (RFC 3261 section 19.1.1)."""
        return self.text.partition("?")[0] if self.headers else self.text


def parse_uri(text: str) -> Uri:
    """Read a URI (RFC 3261 section 19.1). Raises BadAddress. The result is shared: do not change its `params`."""
    return _known_uri(text) if len(text) <= _CACHED else _read_uri(text)


def _read_uri(text: str) -> Uri:
    if not text or len(text) > 2048 or _URI_FORBIDDEN.search(text):
        raise BadAddress("characters not allowed in a URI")
    scheme, colon, rest = text.partition(":")
    scheme = scheme.lower()
    if not colon or not rest or not is_token(scheme):
        raise BadAddress("no URI scheme")
    if scheme == "tel":
        number, _, params = rest.partition(";")
        return Uri(text, scheme, user=number, params=parse_parameters(params) if params else {})
    if scheme not in ("sip", "sips"):
        return Uri(text, scheme)
    userinfo, at, hostpart = rest.rpartition("@") if "@" in rest else ("", "", rest)
    if at and (not userinfo or "@" in userinfo):
        raise BadAddress("bad user part")
    headers = ""
    if "?" in hostpart:
        hostpart, _, headers = hostpart.partition("?")
    hostport, semi, params = hostpart.partition(";")
    host, port = split_host_port(hostport)
    user = userinfo.partition(":")[0]
    return Uri(
        text,
        scheme,
        user=unquote(user) if "%" in user else user,
        host=host,
        port=port,
        params=parse_parameters(params) if semi else {},
        headers=headers,
    )


def split_host_port(text: str) -> tuple[str, int | None]:
    """`host`, `host:port`, `[v6]` or `[v6]:port`. Raises BadAddress."""
    if text.startswith("["):
        host, bracket, tail = text.partition("]")
        host += bracket
        port = tail[1:] if tail.startswith(":") else None
        if tail and port is None:
            raise BadAddress("bad host")
    else:
        host, colon, after = text.partition(":")
        port = after if colon else None
    if not _HOST.match(host):
        raise BadAddress("bad host")
    if host.startswith("["):
        try:
            ipaddress.IPv6Address(host[1:-1])
        except ValueError as error:
            raise BadAddress("bad IPv6 address") from error
    return host, port_number(port) if port is not None else None


@dataclass(frozen=True, slots=True)
class NameAddr:
    """From, To, Contact, Route …: display name, URI and header parameters."""

    uri: Uri
    display: str = ""
    params: Parameters = field(default_factory=dict)

    @property
    def tag(self) -> str:
        """The dialog tag, or an empty string."""
        return self.params.get("tag") or ""


def parse_name_addr(text: str) -> NameAddr:
    """Read one name-addr or addr-spec with parameters (RFC 3261 section 20.10). Raises BadAddress.

    The result is shared: do not change its `params`.
    """
    return _known_name_addr(text) if len(text) <= _CACHED else _read_name_addr(text)


def _read_name_addr(text: str) -> NameAddr:
    text = text.strip()
    display = ""
    if text.startswith('"'):
        end = _quoted_end(text)
        display = unquote_string(text[: end + 1])
        rest = text[end + 1 :].lstrip()
        if not rest.startswith("<"):
            raise BadAddress("no <URI> after the display name")
    else:
        at, quote = text.find("<"), text.find('"')
        if at < 0 or (0 <= quote < at and ";" in text[:quote]):
            # addr-spec form: the parameters belong to the header, not to the URI (section 20); the bracket, if there
            # is one, is in a quoted value such as that of +sip.instance (RFC 5626)
            spec, _, params = text.partition(";")
            if "," in spec or "?" in spec:
                raise BadAddress("this URI needs angle brackets")
            return NameAddr(parse_uri(spec.strip()), "", parse_parameters(params) if params else {})
        display = text[:at].strip()
        if '"' in display or "," in display or ";" in display:
            raise BadAddress("bad display name")
        rest = text[at:]
    spec, bracket, tail = rest[1:].partition(">")
    if not bracket:
        raise BadAddress("no closing angle bracket")
    tail = tail.strip()
    if tail and not tail.startswith(";"):
        raise BadAddress("unexpected text after the URI")
    return NameAddr(parse_uri(spec.strip()), display, parse_parameters(tail[1:]) if tail else {})


def _quoted_end(text: str) -> int:
    index = 1
    while index < len(text):
        if text[index] == "\\":
            index += 2
            continue
        if text[index] == '"':
            return index
        index += 1
    raise BadAddress("unbalanced quotes")


@dataclass(frozen=True, slots=True)
class Via:
    """One hop of the response path (RFC 3261 section 20.42)."""

    transport: str
    host: str
    port: int | None
    params: Parameters

    @property
    def branch(self) -> str:
        """The branch, or an empty string (RFC 2543 peer)."""
        return self.params.get("branch") or ""

    @property
    def sent_by(self) -> str:
        """host:port in lower case, the port only if given."""
        return f"{self.host.lower()}:{self.port}" if self.port else self.host.lower()


def parse_via(text: str) -> Via:
    """Read one Via value. Raises BadAddress."""
    match = _VIA.match(text.strip())
    if match is None:
        raise BadAddress("bad Via")
    transport, host, port, params = match.groups()
    return Via(
        transport.upper(),
        host,
        port_number(port) if port else None,
        parse_parameters(params) if params else {},
    )


def literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that `host` (without brackets) writes; None for a name."""
    return _literal(host) if len(host) <= _LONGEST_LITERAL else None


@functools.lru_cache(4096)  # one call asks some fifteen times
def _literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def is_address(host: str) -> bool:
    """Whether `host` (without brackets) is a literal IPv4 or IPv6 address."""
    return literal(host) is not None


def is_reachable(host: str, peer: str) -> bool:
    """Whether an address can be sent to from where `peer` is heard; both literal. Private ones only by the private.

    Loopback and link-local addresses mean something among their own kind only, and nobody alone is a multicast,
    broadcast or unspecified address.
    """
    address, other = _plain(host), _plain(peer)
    if not is_unicast(host):
        return False
    if address.is_loopback or other.is_loopback:
        return address.is_loopback == other.is_loopback or address.is_global
    if address.is_link_local:
        return other.is_link_local
    return address.is_global or not other.is_global


def is_public(host: str) -> bool:
    """Whether a literal address means the same everywhere."""
    return _plain(host).is_global


def is_unicast(host: str) -> bool:
    """Whether a literal address can be that of one far end."""
    address = _plain(host)
    return not (address.is_multicast or address.is_unspecified or address == _BROADCAST)


def is_far_end(host: str) -> bool:
    """Whether audio may be sent to a literal address that a stranger names: one machine beyond our own link."""
    address = _plain(host)
    return (
        is_unicast(host) and not address.is_link_local and not (address.version == 4 and address.is_reserved)
    )


def _plain(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The address, of an IPv4-mapped one the IPv4 address within."""
    address = literal(host)
    if address is None:
        raise ValueError(f"{host!r} is no address")
    return getattr(address, "ipv4_mapped", None) or address


def host_port(host: str, port: int) -> str:
    """`host:port` with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


_known_uri = functools.lru_cache(4096)(_read_uri)
_known_name_addr = functools.lru_cache(4096)(_read_name_addr)
