"""What a body holds: the session description, alone or in a multipart body (RFC 5621, RFC 2046 section 5.1)."""

import re

from ringback.sip.uri import BadAddress, parse_parameters

MAX_DEPTH = 3
MAX_PARTS = 32
_END_OF_HEAD = re.compile(rb"(?:\r?\n|\A)[ \t]*\r?\n")
_TYPE = re.compile(rb"^content-type[ \t]*:[ \t]*((?:[^\r\n]|\r?\n[ \t])*)", re.IGNORECASE | re.MULTILINE)


def session_of(content_type: str, body: bytes, depth: int = MAX_DEPTH) -> bytes:
    """The first SDP in a body of that Content-Type; empty if there is none.

    A body without a Content-Type, which RFC 3261 forbids and some send, is SDP if it begins like it.
    """
    named, _, parameters = content_type.partition(";")
    kind = named.strip().lower()
    if kind == "application/sdp" or (not kind and body.startswith(b"v=0")):
        return body
    if not kind.startswith("multipart/") or not depth:
        return b""
    try:
        boundary = parse_parameters(parameters).get("boundary")
    except BadAddress:
        return b""
    if not boundary:
        return b""
    line = rb"(?:\A|\r?\n)--" + re.escape(boundary.encode("utf-8", "replace"))
    for part in re.split(line, body, maxsplit=MAX_PARTS)[1:]:
        if part.startswith(b"--"):
            break
        _, _, part = part.partition(b"\n")  # what is left of the line of the boundary
        end = _END_OF_HEAD.search(part)
        if end is None:
            continue
        told = _TYPE.search(part[: end.start()])
        text = told[1].decode("utf-8", "replace").strip() if told else "text/plain"
        if found := session_of(text, part[end.end() :], depth - 1):
            return found
    return b""
