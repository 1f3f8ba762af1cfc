"""The units of SMPP 3.4 as octets. ``submit_sm`` and ``deliver_sm`` are written and read by the library ``smpp34``; the
others are a header with a word or two (specification §4), and are here."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import smpp34

RESPONSE: Final = 0x8000_0000
GENERIC_NACK: Final = 0x8000_0000
BIND_RECEIVER: Final = 0x0000_0001
BIND_TRANSMITTER: Final = 0x0000_0002
SUBMIT_SM: Final = 0x0000_0004
DELIVER_SM: Final = 0x0000_0005
UNBIND: Final = 0x0000_0006
BIND_TRANSCEIVER: Final = 0x0000_0009
ENQUIRE_LINK: Final = 0x0000_0015
ALERT_NOTIFICATION: Final = 0x0000_0102
BINDS: Final = (BIND_RECEIVER, BIND_TRANSMITTER, BIND_TRANSCEIVER)

HEADER: Final = 16
LONGEST: Final = 70_000
"""Octets of a unit: a ``message_payload`` has 65,535 at most, and the rest is small."""
LAST_SEQUENCE: Final = 0x7FFF_FFFF
_HEAD: Final = struct.Struct(">IIII")


class Garbage(Exception):
    """What came is no SMPP, and what follows it cannot be found any more: the connection must go."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit: header and body."""

    command: int
    status: int
    sequence: int
    data: bytes
    """All of it, header included."""

    @property
    def is_response(self) -> bool:
        """Whether it answers one of ours."""
        return bool(self.command & RESPONSE)

    @property
    def word(self) -> str:
        """The first C-string of the body: the id of a ``submit_sm_resp``, the name of the other side of a bind."""
        return self.data[HEADER:].split(b"\0", 1)[0].decode("latin-1").strip()


class Frames:
    """Cuts a stream into units."""

    def __init__(self, longest: int = LONGEST) -> None:
        self._longest = longest
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[Unit]:
        """The units that are whole now. Raises :class:`Garbage` for a length that no unit has."""
        self._rest += data
        while len(self._rest) >= 4:
            (length,) = struct.unpack_from(">I", self._rest)
            if not HEADER <= length <= self._longest:
                raise Garbage(f"a unit of {length} octets")
            if len(self._rest) < length:
                return
            whole = bytes(self._rest[:length])
            del self._rest[:length]
            _, command, status, sequence = _HEAD.unpack_from(whole)
            yield Unit(command, status, sequence, whole)


def unit(command: int, sequence: int, *, status: int = 0, body: bytes = b"") -> bytes:
    """A unit from its header and body."""
    return _HEAD.pack(HEADER + len(body), command, status, sequence) + body


def answer(to: Unit, status: int = 0) -> bytes:
    """The response to a request of theirs. ``deliver_sm_resp`` has an empty id (§4.6.2)."""
    body = b"\0" if to.command == DELIVER_SM else b""
    return unit(to.command | RESPONSE, to.sequence, status=status, body=body)


def bind(command: int, sequence: int, system_id: str, password: str, system_type: str) -> bytes:
    """A bind: who we are (§4.1). The addresses that we serve are left to what the SMSC knows of the account."""
    words = [word.encode("latin-1", "replace") + b"\0" for word in (system_id, password, system_type)]
    return unit(command, sequence, body=b"".join(words) + bytes([0x34, 0, 0]) + b"\0")


def sender(one: Unit) -> bytes:
    """Who sent a ``deliver_sm``, as the octets are: for what must keep its order. Empty for a receipt, and for what is
    none."""
    body = one.data
    source = body.find(b"\0", HEADER) + 3  # behind service_type, source_addr_ton and source_addr_npi
    end = body.find(b"\0", source)
    esm_class = body.find(b"\0", end + 3) + 1  # behind dest_addr_ton, dest_addr_npi and destination_addr
    if end < source or not 0 < esm_class < len(body) or body[esm_class] & 0x3C:
        return b""
    return body[source:end]


def delivered(one: Unit) -> smpp34.DeliverSm:
    """A ``deliver_sm`` read. Raises :class:`ValueError` when its body is none."""
    try:
        found = smpp34.decode(one.data)
    except smpp34.SmppError as error:
        raise ValueError(str(error)) from None
    if not isinstance(found, smpp34.DeliverSm):
        raise ValueError(f"no deliver_sm: {one.command:#010x}")
    return found


def tags(message: smpp34.DeliverSm) -> dict[int, bytes]:
    """Its optional parameters: tag → value; the first of each counts."""
    found: dict[int, bytes] = {}
    for each in message.tlvs:
        found.setdefault(each.tag, each.value)
    return found
