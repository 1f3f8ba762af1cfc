"""SIP messages (RFC 3261 section 7): a strict, bounded reader, lazily typed headers, and a writer.

`sipmessage` 0.7.1 was measured and is not used on the wire: its `tel:` pattern needs seconds for one
hostile 20 kB datagram, it drops URI headers, refuses folded lines and percent-encodes foreign Via parameters.
The tests keep it as an independent reader to compare with.
"""

import re
from collections.abc import Iterable

from propcache.api import cached_property

from ringback.sip.body import session_of
from ringback.sip.uri import (
    BadAddress,
    NameAddr,
    Uri,
    Via,
    is_token,
    parse_name_addr,
    parse_uri,
    parse_via,
    split_outside_quotes,
)

MAX_HEADER_BYTES = 32_768
MAX_BODY_BYTES = 65_536
MAX_HEADERS = 200

_WELL_KNOWN = (
    "Accept Accept-Encoding Accept-Language Alert-Info Allow Allow-Events Authentication-Info "
    "Authorization Call-ID Call-Info Contact Content-Disposition Content-Encoding Content-Language "
    "Content-Length Content-Type CSeq Date Diversion Error-Info Event Expires From History-Info "
    "In-Reply-To Max-Forwards Min-Expires Min-SE MIME-Version Organization P-Asserted-Identity "
    "P-Preferred-Identity Path Priority Privacy Proxy-Authenticate Proxy-Authorization Proxy-Require "
    "RAck Reason Record-Route Refer-Sub Refer-To Referred-By Remote-Party-ID Replaces Reply-To "
    "Require Retry-After Route RSeq Server Service-Route Session-Expires Subject Subscription-State "
    "Supported Timestamp To Unsupported User-Agent Via Warning WWW-Authenticate"
).split()
_COMPACT = {
    "a": "accept-contact",
    "b": "referred-by",
    "c": "content-type",
    "d": "request-disposition",
    "e": "content-encoding",
    "f": "from",
    "i": "call-id",
    "j": "reject-contact",
    "k": "supported",
    "l": "content-length",
    "m": "contact",
    "o": "event",
    "r": "refer-to",
    "s": "subject",
    "t": "to",
    "u": "allow-events",
    "v": "via",
    "x": "session-expires",
    "y": "identity",
}
_DISPLAY = {name.lower(): name for name in _WELL_KNOWN}
_KEYS = (
    {name: name.lower() for name in _WELL_KNOWN}
    | {name.lower(): name.lower() for name in _WELL_KNOWN}
    | _COMPACT
    | {short.upper(): name for short, name in _COMPACT.items()}
)
_ONCE = ("from", "to", "call-id", "cseq", "max-forwards", "content-length")
_FOLD = re.compile(r"\r\n[ \t]+")
_CONTROL = re.compile(r"[\x00\r\n]")
_CSEQ = re.compile(r"([0-9]{1,10})\s+(\S{1,64})\Z")

REASONS = {
    100: "Trying", 180: "Ringing", 181: "Call Is Being Forwarded", 182: "Queued", 183: "Session Progress",
    200: "OK", 202: "Accepted", 301: "Moved Permanently", 302: "Moved Temporarily", 400: "Bad Request",
    401: "Unauthorized", 402: "Payment Required", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    406: "Not Acceptable", 407: "Proxy Authentication Required", 408: "Request Timeout", 410: "Gone",
    413: "Request Entity Too Large", 415: "Unsupported Media Type", 416: "Unsupported URI Scheme",
    420: "Bad Extension", 421: "Extension Required", 422: "Session Interval Too Small", 423: "Interval Too Brief",
    480: "Temporarily Unavailable", 481: "Call/Transaction Does Not Exist", 482: "Loop Detected",
    483: "Too Many Hops", 484: "Address Incomplete", 485: "Ambiguous", 486: "Busy Here", 487: "Request Terminated",
    488: "Not Acceptable Here", 489: "Bad Event", 491: "Request Pending", 493: "Undecipherable",
    500: "Server Internal Error", 501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable",
    504: "Server Time-out", 505: "Version Not Supported", 513: "Message Too Large", 600: "Busy Everywhere",
    603: "Decline", 604: "Does Not Exist Anywhere", 606: "Not Acceptable",
}  # fmt: skip


class MalformedMessage(ValueError):
    """Bytes that are not an acceptable message.

    `reason` is a short counter key. `status` and `request` are set when a response can be formed:
    answer `request` with `status`. Otherwise drop the bytes and count the reason.
    """

    def __init__(self, reason: str, *, status: int = 400, request: "Request | None" = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.request = request


class Headers:
    """Header fields by name, case-insensitive, compact forms expanded, order kept for each name."""

    __slots__ = ("_names", "_values")

    def __init__(self, items: Iterable[tuple[str, str]] = ()) -> None:
        self._values: dict[str, list[str]] = {}
        self._names: dict[str, str] = {}
        for name, value in items:
            self.add(name, value)

    def add(self, name: str, value: str) -> None:
        """Append a value."""
        key = _KEYS.get(name)
        if key is None:
            key = name.lower()
            key = _KEYS.get(key, key)
            if key not in _DISPLAY:
                self._names.setdefault(key, name)
        values = self._values.get(key)
        if values is None:
            self._values[key] = [value]
        else:
            values.append(value)

    def get(self, name: str) -> str | None:
        """The first value or None; `name` in lower case."""
        values = self._values.get(name)
        return values[0] if values else None

    def all(self, name: str) -> list[str]:
        """Every value as sent (a comma list is one value); `name` in lower case."""
        return self._values.get(name, [])

    def set(self, name: str, value: str) -> None:
        """Replace all values by one."""
        self.set_all(name, [value])

    def set_all(self, name: str, values: list[str]) -> None:
        """Replace all values."""
        key = name.lower()
        if key not in _DISPLAY:
            self._names.setdefault(key, name)
        self._values[key] = values

    def remove(self, name: str) -> None:
        """Drop all values; `name` in lower case."""
        self._values.pop(name, None)

    def items(self) -> list[tuple[str, str]]:
        """(display name, value) pairs."""
        return [
            (_DISPLAY.get(key) or self._names.get(key, key), value)
            for key, values in self._values.items()
            for value in values
        ]

    def tokens(self, name: str) -> list[str]:
        """A comma list of tokens in lower case, such as Supported."""
        found = []
        for value in self._values.get(name, ()):
            found += [token.strip().lower() for token in value.split(",") if token.strip()]
        return found

    def text(self) -> str:
        """The header block, each line ended, without the empty line."""
        lines = []
        for key, values in self._values.items():
            name = _DISPLAY.get(key) or self._names.get(key, key)
            lines += [f"{name}: {value}\r\n" for value in values]
        return "".join(lines)


class Message:
    """What requests and responses share. Typed accessors read on first use and raise MalformedMessage."""

    def __init__(self, headers: Headers, body: bytes = b"", charset: str = "utf-8") -> None:
        self.headers = headers
        self.body = body
        self.charset = charset

    def start_line(self) -> str:
        """The first line without its end."""
        raise NotImplementedError

    def to_bytes(self) -> bytes:
        """The message as sent, with a correct Content-Length."""
        head = f"{self.start_line()}\r\n{self.headers.text()}Content-Length: {len(self.body)}\r\n\r\n"
        return head.encode(self.charset, "replace") + self.body

    @cached_property
    def call_id(self) -> str:
        """Call-ID."""
        return self.headers.get("call-id") or ""

    @cached_property
    def from_(self) -> NameAddr:
        """From."""
        return self._address("from")

    @cached_property
    def to(self) -> NameAddr:
        """To."""
        return self._address("to")

    @cached_property
    def via(self) -> Via:
        """The topmost Via."""
        try:
            return parse_via(split_outside_quotes(self.headers.all("via")[0], ",")[0])
        except (BadAddress, IndexError) as error:
            raise MalformedMessage("via") from error

    @cached_property
    def cseq(self) -> tuple[int, str]:
        """(number, method)."""
        match = _CSEQ.match(self.headers.get("cseq") or "")
        if match is None or int(match[1]) >= 2**31:
            raise MalformedMessage("cseq")
        return int(match[1]), match[2]

    @cached_property
    def contact(self) -> NameAddr | None:
        """The first Contact, or None; `*` counts as None."""
        contacts = self.addresses("contact")
        return contacts[0] if contacts else None

    def addresses(self, name: str) -> list[NameAddr]:
        """Every address of a list header (Contact, Route, Record-Route), `*` left out."""
        found = []
        try:
            for value in self.headers.all(name):
                for part in split_outside_quotes(value, ","):
                    if part.strip() and part.strip() != "*":
                        found.append(parse_name_addr(part))
        except BadAddress as error:
            raise MalformedMessage(name) from error
        return found

    def number(self, name: str) -> int | None:
        """A non-negative decimal header such as Expires, parameters ignored; None if absent or not a number."""
        digits = (self.headers.get(name) or "").partition(";")[0].strip()
        if digits.isascii() and digits.isdigit() and len(digits) <= 10:
            return int(digits)
        return None

    @property
    def content_type(self) -> str:
        """type/subtype in lower case without parameters; empty if there is none."""
        return (self.headers.get("content-type") or "").partition(";")[0].strip().lower()

    @cached_property
    def sdp(self) -> bytes:
        """The session description that the message carries, empty if there is none; other bodies are left out."""
        return session_of(self.headers.get("content-type") or "", self.body) if self.body else b""

    def _address(self, name: str) -> NameAddr:
        try:
            return parse_name_addr(self.headers.get(name) or "")
        except BadAddress as error:
            raise MalformedMessage(name) from error


class Request(Message):
    """A request; `target` is the Request-URI as text."""

    def __init__(
        self,
        method: str,
        target: str,
        headers: Headers | None = None,
        body: bytes = b"",
        charset: str = "utf-8",
    ) -> None:
        super().__init__(headers or Headers(), body, charset)
        self.method = method
        self.target = target

    def start_line(self) -> str:
        """`METHOD uri SIP/2.0`."""
        return f"{self.method} {self.target} SIP/2.0"

    @cached_property
    def uri(self) -> Uri:
        """The Request-URI."""
        try:
            return parse_uri(self.target)
        except BadAddress as error:
            raise MalformedMessage("request-uri") from error


class Response(Message):
    """A response."""

    def __init__(
        self,
        code: int,
        reason: str,
        headers: Headers | None = None,
        body: bytes = b"",
        charset: str = "utf-8",
    ) -> None:
        super().__init__(headers or Headers(), body, charset)
        self.code = code
        self.reason = reason

    def start_line(self) -> str:
        """`SIP/2.0 code reason`."""
        return f"SIP/2.0 {self.code} {self.reason}"


def parse_message(data: bytes, *, stream: bool = False) -> Request | Response:
    """Read one message: a datagram, or (`stream`) exactly one framed message. Raises only MalformedMessage.

    Extra bytes after Content-Length in a datagram are dropped; too few are a 400 (RFC 3261 section 18.3).
    """
    split = data.find(b"\r\n\r\n")
    if split < 0:
        raise MalformedMessage("no-end-of-headers")
    if split > MAX_HEADER_BYTES:
        raise MalformedMessage("headers-too-large")
    charset = "utf-8"
    try:
        text = data[:split].decode("utf-8")
    except UnicodeDecodeError:
        charset = "latin-1"
        text = data[:split].decode("latin-1")
    if "\r\n " in text or "\r\n\t" in text:
        text = _FOLD.sub(" ", text)
    lines = text.split("\r\n")
    if len(lines) > MAX_HEADERS:
        raise MalformedMessage("too-many-headers")
    body = data[split + 4 :]
    message = _start(lines[0], charset)
    try:
        _read_headers(message.headers, lines)
        _check(message, body, stream)
    except MalformedMessage as problem:
        raise _answerable(message, problem) from None
    return message


def _start(line: str, charset: str) -> Request | Response:
    if line[:4].upper() == "SIP/":
        version, _, rest = line.partition(" ")
        code, _, reason = rest.partition(" ")
        if version.upper() != "SIP/2.0" or len(code) != 3 or not code.isascii() or not code.isdigit():
            raise MalformedMessage("status-line")
        if not 100 <= int(code) <= 699 or _CONTROL.search(reason):
            raise MalformedMessage("status-line")
        return Response(int(code), reason, Headers(), b"", charset)
    method, _, rest = line.partition(" ")
    target, _, version = rest.rpartition(" ")
    version = version.upper()  # RFC 3261 section 7.1: in any case
    if not version.startswith("SIP/") or not is_token(method) or len(method) > 64 or _CONTROL.search(line):
        raise MalformedMessage("request-line")
    request = Request(method, target, Headers(), b"", charset)
    if version != "SIP/2.0":
        request.__dict__["_version"] = version
    return request


def _read_headers(headers: Headers, lines: list[str]) -> None:
    values = headers._values
    for index in range(1, len(lines)):
        line = lines[index]
        name, colon, value = line.partition(":")
        key = _KEYS.get(name)
        if key is None:
            name = name.rstrip(" \t")
            if not colon or not is_token(name):
                raise MalformedMessage("header-line")
            key = name.lower()
            key = _KEYS.get(key, key)
            if key not in _DISPLAY:
                headers._names.setdefault(key, name)
        elif not colon:
            raise MalformedMessage("header-line")
        value = value.strip(" \t")
        if "\n" in value or "\r" in value or "\0" in value:
            raise MalformedMessage("control-character")
        found = values.get(key)
        if found is None:
            values[key] = [value]
        else:
            found.append(value)


def _check(message: Request | Response, body: bytes, stream: bool) -> None:
    values = message.headers._values
    if "via" not in values:
        raise MalformedMessage("no-via")
    for name in ("call-id", "from", "to", "cseq"):
        if not values.get(name, [""])[0]:
            raise MalformedMessage(f"no-{name}")
    for name in _ONCE:
        if name in values and len(values[name]) > 1:
            raise MalformedMessage(f"repeated-{name}")
    message.via  # noqa: B018 - typed accessors validate
    message.from_  # noqa: B018
    message.to  # noqa: B018
    method = message.cseq[1]
    length = values.pop("content-length", None)
    if length is not None:
        digits = length[0]
        if not (digits.isascii() and digits.isdigit()) or len(digits) > 8:
            raise MalformedMessage("content-length")
        size = int(digits)
        if size > len(body):
            raise MalformedMessage("body-too-short")
        body = body[:size]
    elif stream and body:
        raise MalformedMessage("no-content-length")
    if len(body) > MAX_BODY_BYTES:
        raise MalformedMessage("body-too-large", status=513)
    message.body = body
    if isinstance(message, Request):
        _check_request(message, method)


def _check_request(message: Request, method: str) -> None:
    if "_version" in message.__dict__:
        raise MalformedMessage("version", status=505)
    if message.method != method:
        raise MalformedMessage("method-mismatch")
    message.uri  # noqa: B018
    forwards = message.headers.get("max-forwards")
    if forwards is not None and (
        message.number("max-forwards") is None or int(forwards.partition(";")[0]) > 255
    ):
        raise MalformedMessage("max-forwards")


def _answerable(message: Request | Response, problem: MalformedMessage) -> MalformedMessage:
    """Attach the request if its Via can carry a response; ACK is never answered."""
    if isinstance(message, Request) and message.method != "ACK":
        try:
            message.via  # noqa: B018
        except MalformedMessage:
            return problem
        problem.request = message
    return problem


def respond(request: Request, code: int, reason: str | None = None, *, to_tag: str = "") -> Response:
    """A response with the fields copied that RFC 3261 section 8.2.6.2 wants."""
    source = request.headers
    headers = Headers()
    values = headers._values
    for name in ("via", "from", "to", "call-id", "cseq"):
        found = source._values.get(name)
        if found is not None:
            values[name] = list(found) if name == "via" else found[:1]
    if to_tag and "to" in values:
        try:
            tagged = bool(request.to.tag)
        except MalformedMessage:
            tagged = True
        if not tagged:
            values["to"] = [f"{values['to'][0]};tag={to_tag}"]
    return Response(code, reason or REASONS.get(code, "Unknown"), headers, b"", request.charset)


def plain_header(text: str) -> str:
    """`text` if it may stand in a header line, else ValueError: no line may be smuggled in by a program."""
    if _CONTROL.search(text):
        raise ValueError("a header value must not contain line ends or NUL")
    return text
