"""SDP (RFC 8866) and offer/answer (RFC 3264) for one G.711 audio stream with telephone-event (RFC 4733)."""

import re
from dataclasses import dataclass, field
from typing import Literal

from ringback.sip.uri import is_address, is_far_end, literal

MAX_SDP_BYTES = 16_384
MAX_LINES = 400
MAX_MEDIA = 16
Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]
Codec = Literal["PCMU", "PCMA"]

_MIRROR: dict[Direction, Direction] = {
    "sendrecv": "sendrecv",
    "sendonly": "recvonly",
    "recvonly": "sendonly",
    "inactive": "inactive",
}
_STATIC = {0: "PCMU", 8: "PCMA"}
_RTPMAP = re.compile(r"rtpmap:([0-9]{1,3})\s+([A-Za-z0-9\-.]+)/([0-9]{1,6})(?:/1)?\s*\Z")
# formats may be missing where a stream is refused, and blanks be more than one: so they are sent
_MEDIA = re.compile(r"([A-Za-z0-9\-]+)[ \t]+([0-9]{1,5})(?:/[0-9]{1,5})?[ \t]+(\S+)((?:[ \t]+\S+)*)\Z")
_LINE_END = re.compile(r"\r\n|\r|\n")


class BadSdp(ValueError):
    """SDP that cannot be read, or that has no audio we can carry (answer 400 or 488)."""


@dataclass(slots=True)
class MediaLine:
    """One m= section."""

    kind: str
    port: int
    protocol: str
    formats: list[str]
    host: str = ""
    attributes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class SessionDescription:
    """What we need of a session description; `attributes` are those of the session level."""

    host: str
    attributes: list[str]
    media: list[MediaLine]


@dataclass(frozen=True, slots=True)
class MediaAnswer:
    """Where and how to exchange audio. `direction` is ours; `ptime` in milliseconds."""

    remote_host: str
    remote_port: int
    codec: Codec
    payload_type: int
    telephone_event: int | None
    direction: Direction
    ptime: int


def parse_sdp(body: bytes) -> SessionDescription:
    """Read a body with limits. Raises BadSdp."""
    if len(body) > MAX_SDP_BYTES:
        raise BadSdp("too large")
    # only CR and LF end a line (RFC 8866 section 5); some send the NUL that ends the string in their program
    lines = _LINE_END.split(body.rstrip(b"\0\r\n").decode("utf-8", "replace"))
    if len(lines) > MAX_LINES:
        raise BadSdp("too many lines")
    session = SessionDescription("", [], [])
    if not lines or lines[0].strip() != "v=0":
        raise BadSdp("no v=0")
    for line in lines:
        if not line.strip():
            continue
        if len(line) < 2 or line[1] != "=":
            raise BadSdp("bad line")
        kind, value = line[0], line[2:].strip()
        current = session.media[-1] if session.media else None
        if kind == "m":
            match = _MEDIA.match(value)
            if match is None or int(match[2]) > 65535 or len(session.media) >= MAX_MEDIA:
                raise BadSdp("bad media line")
            session.media.append(MediaLine(match[1], int(match[2]), match[3], match[4].split(), session.host))
        elif kind == "c":
            parts = value.split()
            # one that we cannot read names no address: it may be that of a stream we do not want
            host = parts[2].partition("/")[0] if len(parts) == 3 and parts[0].upper() == "IN" else ""
            if current is not None:
                current.host = host
            else:
                session.host = host
        elif kind == "a":
            (current.attributes if current is not None else session.attributes).append(value)
    return session


def _direction(media: MediaLine, session: SessionDescription) -> Direction:
    for source in (media.attributes, session.attributes):
        for attribute in source:
            for direction in _MIRROR:
                if attribute == direction:
                    return direction
    return "sendrecv"


def _codecs(media: MediaLine) -> dict[int, str]:
    names = {}
    for attribute in media.attributes:
        match = _RTPMAP.match(attribute)
        if match is not None and match[3] == "8000" and int(match[1]) < 128:
            names[int(match[1])] = match[2].upper()
    found = {}
    for text in media.formats:
        if text.isascii() and text.isdigit() and len(text) <= 3:
            number = int(text)
            name = names.get(number) or _STATIC.get(number)
            if name:
                found[number] = name
    return found


def negotiate(
    sdp: SessionDescription, *, codecs: tuple[Codec, ...] = ("PCMU", "PCMA"), local: str = ""
) -> tuple[int, MediaAnswer]:
    """(index of the chosen m-line, what to do with it) for a peer's offer or answer. Raises BadSdp if nothing fits.

    The peer's order of preference is followed (RFC 3264 section 6.1). Hold by `c=0.0.0.0` means that
    we must not send (section 8.4). Audio goes to literal addresses only (a name, which RFC 8866 allows and nobody
    sends, would have to be looked up by who must not wait) of one far end, and, where `local` is one, only within its
    family. A peer's answer may have more m-lines than our offer: they are read like an offer's.
    """
    for index, media in enumerate(sdp.media):
        if media.kind != "audio" or media.port == 0 or media.protocol.upper() not in ("RTP/AVP", "RTP/AVPF"):
            continue
        host = media.host or sdp.host
        if not host:
            continue
        found = _codecs(media)
        chosen = next(((number, name) for number, name in found.items() if name in codecs), None)
        if chosen is None:
            continue
        direction = _MIRROR[_direction(media, sdp)]
        if host in ("0.0.0.0", "::"):  # noqa: S104 - a hold mark, not a bind
            direction = "recvonly" if direction in ("sendrecv", "recvonly") else "inactive"
            if _direction(media, sdp) == "sendrecv":
                direction = "inactive"
        elif (
            not is_address(host)
            or not is_far_end(host)
            or (is_address(local) and (":" in host) != (":" in local))
        ):
            continue
        else:
            host = str(literal(host))  # as the system writes it: packets are compared with it
        event = next((number for number, name in found.items() if name == "TELEPHONE-EVENT"), None)
        ptime = next((a[6:] for a in media.attributes if a.startswith("ptime:")), "20").strip()
        milliseconds = int(ptime) if ptime.isascii() and ptime.isdigit() and len(ptime) < 4 else 20
        codec: Codec = "PCMU" if chosen[1] == "PCMU" else "PCMA"
        milliseconds = milliseconds if 10 <= milliseconds <= 120 else 20
        return index, MediaAnswer(host, media.port, codec, chosen[0], event, direction, milliseconds)
    raise BadSdp("no usable audio")


def write_offer(
    host: str,
    port: int,
    *,
    session_id: int,
    version: int = 1,
    codecs: tuple[Codec, ...] = ("PCMU", "PCMA"),
    direction: Direction = "sendrecv",
    ptime: int = 20,
) -> bytes:
    """An offer of one audio stream at `host`:`port` with telephone-event 101."""
    numbers: dict[Codec, int] = {"PCMU": 0, "PCMA": 8}
    formats = [numbers[codec] for codec in codecs]
    lines = _head(host, session_id, version)
    lines.append(f"m=audio {port} RTP/AVP {' '.join(map(str, formats))} 101")
    lines += [f"a=rtpmap:{numbers[codec]} {codec}/8000" for codec in codecs]
    lines += ["a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-16", f"a=ptime:{ptime}", f"a={direction}"]
    return _body(lines)


def read_answer(body: bytes) -> MediaAnswer:
    """The peer's answer to our offer. Raises BadSdp."""
    return negotiate(parse_sdp(body))[1]


def answer_offer(
    body: bytes,
    host: str,
    port: int,
    *,
    session_id: int,
    version: int = 1,
    codecs: tuple[Codec, ...] = ("PCMU", "PCMA"),
) -> tuple[bytes, MediaAnswer]:
    """Our answer to the peer's offer; every other m-line is refused with port 0. Raises BadSdp."""
    offer = parse_sdp(body)
    chosen, result = negotiate(offer, codecs=codecs, local=host)
    lines = _head(host, session_id, version)
    for index, media in enumerate(offer.media):
        if index != chosen:
            # at least one format, of no meaning in a refused stream (RFC 3264 section 6)
            lines.append(f"m={media.kind} 0 {media.protocol} {' '.join(media.formats) or '0'}")
            continue
        extra = f" {result.telephone_event}" if result.telephone_event is not None else ""
        lines.append(f"m=audio {port} {media.protocol} {result.payload_type}{extra}")
        lines.append(f"a=rtpmap:{result.payload_type} {result.codec}/8000")
        if result.telephone_event is not None:
            lines.append(f"a=rtpmap:{result.telephone_event} telephone-event/8000")
            lines.append(f"a=fmtp:{result.telephone_event} 0-16")
        lines += [f"a=ptime:{result.ptime}", f"a={result.direction}"]
    return _body(lines), result


def _head(host: str, session_id: int, version: int) -> list[str]:
    family = "IP6" if ":" in host else "IP4"
    return ["v=0", f"o=- {session_id} {version} IN {family} {host}", "s=-", f"c=IN {family} {host}", "t=0 0"]


def _body(lines: list[str]) -> bytes:
    return ("\r\n".join(lines) + "\r\n").encode()
