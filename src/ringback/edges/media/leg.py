"""One leg in a worker: its sockets, the stream that it sends and the stream that it receives."""

from __future__ import annotations

import secrets
import socket
import struct
from typing import Final

from ringback.edges.media.playback import Playback
from ringback.edges.media.protocol import Address, Connect
from ringback.edges.media.recording import Recording
from ringback.media import FRAME
from ringback.media.dtmf import EventPacket, EventReceiver, KeyPress, ToneReceiver
from ringback.media.g711 import SILENCE, Law
from ringback.media.jitter import MAX_DELAY, JitterBuffer
from ringback.media.rtp import BadRtpError, Receipt, parse

_HEADER: Final = struct.Struct("!BBHII")
_WINDOW_TICKS: Final = 500
"""Ticks (10 s) after its description in which a far side behind NAT shows where its audio really comes from."""

_STEADY_PACKETS: Final = 150
"""Packets in a row (3 s) that came early, after which a conversation gives up the frame in store."""

_STATIC: Final[dict[int, Law]] = {0: "PCMU", 8: "PCMA"}


class Leg:
    """State of one leg. `receive` takes datagrams, `send` emits one frame; ticks are those of the worker."""

    def __init__(self, name: str, rtp: socket.socket, rtcp: socket.socket | None) -> None:
        self.name = name
        self.rtp = rtp
        self.rtcp = rtcp
        self.link: Connect | None = None
        self.law: Law = "PCMU"
        self.silence = SILENCE["PCMU"] * FRAME
        self.playback: Playback | None = None
        self.recordings: list[Recording] = []
        self.room: str | None = None
        self.echo = False
        """Whether it hears itself."""
        self.most_delay = MAX_DELAY
        """Samples to which the jitter buffer may grow."""
        self.jitter = JitterBuffer("PCMU")
        self.listening = False
        """Whether anybody needs the incoming sound: else packets are counted and dropped."""
        self.tones = ToneReceiver()
        self.events = EventReceiver()
        self.receipt = Receipt()
        self.ignored = self.sent = self.send_errors = 0
        self.late_max = 0.0
        self.heard_at = 0
        """Tick of the last valid packet, or of the connection."""
        self.heard_any = False
        self.told_silence = False
        self._target: Address | None = None
        self._latched: Address | None = None
        self._sequence = secrets.randbits(16)
        self._timestamp = secrets.randbits(32)
        self._ssrc = secrets.randbits(32)
        self._since = 0
        """Tick of the description that the window counts from."""
        self._marker = True
        self._event_timestamp = 0
        self._steady = 0

    def connect(self, link: Connect, tick: int) -> None:
        """The far side, for the first time or after a re-INVITE; a new address forgets the latched source."""
        if self.link is None or self.link.remote != link.remote:
            self._target, self._latched, self._since = link.remote, None, tick
        if self.law != link.codec or self.link is None:
            self.law = link.codec
            self.silence = SILENCE[link.codec] * FRAME
            self.jitter = JitterBuffer(link.codec, self.most_delay)
        if self.link is None or (link.receive and not self.link.receive):
            self.heard_at, self.told_silence = tick, False
            self._since = tick
        if self.link is None:
            self.heard_any = False
        self.link = link

    def receive(self, datagram: bytes, source: Address, tick: int, *, early: bool = False) -> list[KeyPress]:
        """Take one datagram; returns the keys that it completed. Hostile input only counts as ignored.

        ``early``: it came so long before ``tick`` that its stream needs no frame in store against jitter.
        """
        link = self.link
        if link is None:
            return []
        source = source[:2]
        if source != self._latched and not self._may_latch(source, link, tick):
            self.ignored += 1
            return []
        try:
            packet = parse(datagram)
        except BadRtpError:
            self.ignored += 1
            return []
        kind = packet.payload_type
        law = link.codec if kind == link.payload_type else _STATIC.get(kind)
        if law is None and kind not in (link.telephone_event, 13):
            self.ignored += 1
            return []
        if source != self._latched:
            self._latched = self._target = source
        self.heard_at = tick
        self.receipt.count(packet.sequence, packet.timestamp, packet.ssrc, len(packet.payload), tick * FRAME)
        if kind == link.telephone_event:
            return self.events.push(packet.timestamp, packet.payload)
        if law is not None and self.listening and link.receive:
            began = self.jitter.resets
            self.jitter.push(packet.timestamp, packet.ssrc, packet.payload, law)
            self._hasten(early, len(packet.payload), began=self.jitter.resets != began)
        return []

    def _hasten(self, early: bool, length: int, *, began: bool) -> None:
        """In a conversation, do without the frame in store when the packets come early enough without it.

        Then no voice waits for longer than a tick and a half. Jitter beyond what is left brings the frame
        back (`JitterBuffer`); it goes again after `_STEADY_PACKETS`. ``length``: samples just laid in.
        """
        self._steady = self._steady + 1 if early else 0
        if self.room is None or not early:
            return
        if began or (self._steady >= _STEADY_PACKETS and self.jitter.stored >= length + FRAME):
            self.jitter.pull()
            self._steady = 0

    def _may_latch(self, source: Address, link: Connect, tick: int) -> bool:
        """The described address, or the one that NAT makes of it; whichever comes first stays until a new one is told.

        Else the first packet from anywhere would take the call's audio.
        """
        if self._latched is not None:
            return False
        if source == link.remote or link.others == "*":
            return True
        return source[0] == link.others and tick - self._since <= _WINDOW_TICKS

    def mark(self) -> None:
        """The next packet begins a talk-spurt (RFC 3551 §4.1)."""
        self._marker = True

    def skip(self, ticks: int) -> None:
        """Time passed in which nothing was sent."""
        self._timestamp = (self._timestamp + ticks * FRAME) & 0xFFFFFFFF

    def send(self, frame: bytes) -> None:
        """One packet with a frame of 160 bytes in the leg's law."""
        link = self.link
        timestamp = self._timestamp
        self._timestamp = (timestamp + FRAME) & 0xFFFFFFFF
        if link is None or not link.send or self._target is None:
            return
        kind = link.payload_type
        if self._marker:
            kind |= 0x80
            self._marker = False
        self._emit(kind, timestamp, frame, self._target)

    def send_events(self, packets: list[EventPacket]) -> None:
        """The packets of one tick of a key, in place of the frame (RFC 4733 §2.5.1)."""
        link = self.link
        if packets[0].marker:
            self._event_timestamp = self._timestamp
        self._timestamp = (self._timestamp + FRAME) & 0xFFFFFFFF
        self._marker = True
        if link is None or not link.send or link.telephone_event is None or self._target is None:
            return
        for packet in packets:
            kind = link.telephone_event | (0x80 if packet.marker else 0)
            self._emit(kind, self._event_timestamp, packet.payload, self._target)

    def _emit(self, kind: int, timestamp: int, payload: bytes, target: Address) -> None:
        sequence = self._sequence
        self._sequence = (sequence + 1) & 0xFFFF
        try:
            self.rtp.sendto(_HEADER.pack(0x80, kind, sequence, timestamp, self._ssrc) + payload, target)
            self.sent += 1
        except OSError:  # full buffer, no route, an ICMP refusal of an earlier packet: the next one may pass
            self.send_errors += 1

    def close(self) -> None:
        """Free the ports."""
        self.rtp.close()
        if self.rtcp is not None:
            self.rtcp.close()
