"""RTP fixed header: write and read with limits, and the receiver's counts (RFC 3550 §5.1, §6.4.1, A.1,
A.8)."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from ringback.media import RATE

MAX_DATAGRAM: Final = 1500
"""Longest RTP datagram accepted, in bytes; an Ethernet frame holds no more."""

_HEADER: Final = struct.Struct("!BBHII")
_EXTENSION: Final = struct.Struct("!HH")
_MAX_DROPOUT: Final = 3000
_HALF: Final = 0x8000


class BadRtpError(ValueError):
    """A datagram that is not RTP; the message says why."""


class RtpPacket(NamedTuple):
    """A packet as read: header fields and the payload without padding, CSRC list and extension."""

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


def pack(
    payload_type: int, sequence: int, timestamp: int, ssrc: int, payload: bytes, *, marker: bool = False
) -> bytes:
    """A datagram with the 12-byte header: sequence is taken modulo 2**16, timestamp modulo 2**32
    (samples)."""
    second = payload_type | 0x80 if marker else payload_type
    return _HEADER.pack(0x80, second, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc) + payload


def parse(datagram: bytes) -> RtpPacket:
    """Read one datagram; raises `BadRtpError` for a wrong version, impossible lengths, RTCP, or an
    empty payload."""
    size = len(datagram)
    if size < 12:
        raise BadRtpError("shorter than the fixed header")
    if size > MAX_DATAGRAM:
        raise BadRtpError("longer than an Ethernet frame")
    first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(datagram)
    if first & 0xC0 != 0x80:
        raise BadRtpError("version is not 2")
    if 192 <= second <= 223:
        raise BadRtpError("RTCP packet on the RTP port")  # RFC 5761 §4
    start, end = 12, size
    if first & 0x3F:
        start += 4 * (first & 0x0F)
        if first & 0x10:
            if start + 4 > size:
                raise BadRtpError("extension header is cut off")
            start += 4 + 4 * _EXTENSION.unpack_from(datagram, start)[1]
        if first & 0x20:
            padding = datagram[-1]
            if padding == 0:
                raise BadRtpError("padding of no length")
            end -= padding
    if start >= end:
        raise BadRtpError("no payload")
    return RtpPacket(second & 0x7F, second >= 0x80, sequence, timestamp, ssrc, datagram[start:end])


class Receipt:
    """What arrived on one stream: counts, losses and jitter in the sense of RFC 3550 A.1 and A.8.

    A new SSRC or a sequence jump of more than 3000 starts the expectation anew without counting a loss.
    """

    __slots__ = (
        "_base",
        "_cycles",
        "_expected_before",
        "_highest",
        "_ssrc",
        "_transit",
        "jitter",
        "octets",
        "packets",
    )

    def __init__(self) -> None:
        self.packets = 0
        self.octets = 0
        self.jitter = 0.0
        """Interarrival jitter in samples."""
        self._ssrc = -1
        self._base = self._highest = self._cycles = 0
        self._expected_before = 0
        self._transit: float | None = None

    def count(self, sequence: int, timestamp: int, ssrc: int, octets: int, arrival: int) -> None:
        """Note one valid packet; ``arrival`` is the receiver's clock in samples."""
        self.packets += 1
        self.octets += octets
        ahead = (sequence - self._highest) & 0xFFFF
        if ssrc != self._ssrc or _MAX_DROPOUT < ahead < 0x10000 - _MAX_DROPOUT:
            self._restart(sequence, ssrc)
        elif 0 < ahead < _HALF:
            if sequence < self._highest:
                self._cycles += 0x10000
            self._highest = sequence
        transit = (arrival - timestamp) & 0xFFFFFFFF
        if self._transit is not None:
            change = (transit - self._transit + 0x80000000) % 0x100000000 - 0x80000000
            if abs(change) < RATE * 2:  # a jump of the sender's clock is not jitter
                self.jitter += (abs(change) - self.jitter) / 16
        self._transit = transit

    def _restart(self, sequence: int, ssrc: int) -> None:
        self._expected_before = self.expected
        self._ssrc = ssrc
        self._base = self._highest = sequence
        self._cycles = 0
        self._transit = None

    @property
    def expected(self) -> int:
        """Packets that should have arrived by their sequence numbers."""
        if self._ssrc < 0:
            return 0
        return self._expected_before + self._cycles + self._highest - self._base + 1

    @property
    def lost(self) -> int:
        """Expected minus received, never below zero (duplicates can hide a loss)."""
        return max(0, self.expected - self.packets)

    @property
    def jitter_ms(self) -> float:
        """Interarrival jitter in milliseconds."""
        return self.jitter * 1000 / RATE
