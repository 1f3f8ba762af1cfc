"""SIP agents, any number on one port, told apart by the user part: they answer at once, talk, and hang up.

Every arrival of an INVITE is noted with the kernel's own time, so that a busy event loop adds nothing to it.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import socket
import struct
import time
from collections import deque
from dataclasses import dataclass
from typing import Final

_TIMESTAMP: Final = 35
"""SO_TIMESTAMPNS of Linux."""
_KERNEL_TIME: Final = struct.Struct("qq")
_REPEAT: Final = 0.5
"""Seconds until an unanswered 200 or BYE is sent again; six times at most."""
_USER: Final = re.compile(r"sips?:([^@;>]+)@")


@dataclass(slots=True)
class Visit:
    """One call that came to an agent. Times in seconds since the epoch; 0: not yet."""

    agent: str
    caller: str
    """User part of From, or the number that `Agents.expected` knew of; empty: neither."""
    invited: float
    talking: float = 0.0
    """When the ACK came."""
    ended: float = 0.0
    """When the agent sent its BYE, or received one."""


@dataclass(slots=True)
class _Dialog:
    visit: Visit
    source: tuple[str, int]
    target: str
    heads: dict[str, str]
    """Call-ID; From and To of the INVITE, To with our tag."""
    last: bytes = b""
    pending: asyncio.TimerHandle | None = None
    over: bool = False


class Agents:
    """The user agent of all agents. ``talk``: seconds from the ACK to the agent's BYE. An async context manager."""

    def __init__(self, caller_prefix: str) -> None:
        self.talk = 1.0
        self.visits: list[Visit] = []
        self.free: deque[str] = deque()
        """Agents in the order in which their last calls ended; for those who choose agents themselves."""
        self.expected: dict[str, str] = {}
        """For each agent the caller that was assigned to it last and has not arrived."""
        self.unanswered = 0
        """Our 200 or BYE that nobody acknowledged."""
        self._prefix = caller_prefix
        self._dialogs: dict[str, _Dialog] = {}

    async def __aenter__(self) -> Agents:
        self._loop = asyncio.get_running_loop()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self._socket.setsockopt(socket.SOL_SOCKET, _TIMESTAMP, 1)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self.port: int = self._socket.getsockname()[1]
        self._sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)  # audio is not looked at
        self._sink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        self._sink.bind(("127.0.0.1", 0))
        self._loop.add_reader(self._socket.fileno(), self._read)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._loop.remove_reader(self._socket.fileno())
        for dialog in self._dialogs.values():
            self._stop(dialog)
        self._socket.close()
        self._sink.close()

    def _read(self) -> None:
        while True:
            try:
                data, extra, _flags, source = self._socket.recvmsg(8192, 64)
            except BlockingIOError:
                return
            seconds, nanoseconds = _KERNEL_TIME.unpack(extra[0][2])
            if data.strip():  # a bare CRLF keeps the way open
                self._take(data.decode(), source, seconds + nanoseconds / 1e9)

    def _take(self, text: str, source: tuple[str, int], arrived: float) -> None:
        lines = text.partition("\r\n\r\n")[0].split("\r\n")
        heads: dict[str, str] = {}
        ways = []
        for line in lines[1:]:
            name, _, value = line.partition(":")
            if name.lower() == "via":
                ways.append(line)
            heads.setdefault(name.lower(), value.strip())
        dialog = self._dialogs.get(heads["call-id"])
        if lines[0].startswith("SIP/2.0"):
            if dialog is not None and heads["cseq"].endswith("BYE"):
                self._stop(dialog)
            return
        method = lines[0].split(" ", 1)[0]
        if method == "INVITE" and dialog is None:
            self._invited(lines[0], heads, ways, source, arrived)
        elif dialog is None:
            if method != "ACK":
                self._answer("481 Call/Transaction Does Not Exist", heads, ways, source)
        elif method == "INVITE":
            self._socket.sendto(dialog.last, source)
        elif method == "ACK":
            if not dialog.visit.talking and not dialog.over:
                dialog.visit.talking = arrived
                self._stop(dialog)
                dialog.pending = self._loop.call_later(self.talk, self._hang_up, dialog)
        elif method == "CANCEL":
            self._answer("200 OK", heads, ways, source)  # it crossed our 200: a BYE follows
        elif method == "BYE":
            self._answer("200 OK", heads, ways, source)
            self._stop(dialog)
            self._end(dialog, arrived)
        else:
            self._answer("200 OK", heads, ways, source)

    def _invited(
        self, line: str, heads: dict[str, str], ways: list[str], source: tuple[str, int], arrived: float
    ) -> None:
        agent = _user(line)
        caller = _user(heads["from"])
        assigned = self.expected.pop(agent, "")
        if not caller.startswith(self._prefix):
            caller = assigned
        visit = Visit(agent, caller, arrived)
        self.visits.append(visit)
        own = heads | {"to": f"{heads['to']};tag={secrets.token_hex(4)}"}
        target = heads["contact"].partition("<")[2].partition(">")[0] or heads["contact"]
        dialog = self._dialogs[heads["call-id"]] = _Dialog(visit, source, target, own)
        contact = f"Contact: <sip:{agent}@127.0.0.1:{self.port}>\r\n"
        self._answer("180 Ringing", own, ways, source, contact)
        host, port = self._sink.getsockname()
        sdp = (
            f"v=0\r\no=agent 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0 101\r\n"
            "a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
        )
        dialog.last = self._answer("200 OK", own, ways, source, contact, sdp)
        dialog.pending = self._loop.call_later(_REPEAT, self._again, dialog, 6)

    def _answer(
        self, status: str, heads: dict[str, str], ways: list[str], source: tuple[str, int], more: str = "",
        body: str = "",
    ) -> bytes:  # fmt: skip
        kind = "Content-Type: application/sdp\r\n" if body else ""
        data = (
            "\r\n".join([f"SIP/2.0 {status}", *ways])
            + f"\r\nFrom: {heads['from']}\r\nTo: {heads['to']}\r\nCall-ID: {heads['call-id']}\r\n"
            f"CSeq: {heads['cseq']}\r\n{more}{kind}Content-Length: {len(body)}\r\n\r\n{body}"
        ).encode()
        self._socket.sendto(data, source)
        return data

    def _hang_up(self, dialog: _Dialog) -> None:
        heads = dialog.heads
        dialog.last = (
            f"BYE {dialog.target} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch=z9hG4bK{secrets.token_hex(6)};rport\r\n"
            f"From: {heads['to']}\r\nTo: {heads['from']}\r\nCall-ID: {heads['call-id']}\r\nCSeq: 1 BYE\r\n"
            "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        ).encode()
        self._end(dialog, time.time())
        self._socket.sendto(dialog.last, dialog.source)
        dialog.pending = self._loop.call_later(_REPEAT, self._again, dialog, 6)

    def _again(self, dialog: _Dialog, left: int) -> None:
        if not left:
            self.unanswered += 1
            return
        self._socket.sendto(dialog.last, dialog.source)
        dialog.pending = self._loop.call_later(_REPEAT, self._again, dialog, left - 1)

    def _stop(self, dialog: _Dialog) -> None:
        if dialog.pending is not None:
            dialog.pending.cancel()
            dialog.pending = None

    def _end(self, dialog: _Dialog, now: float) -> None:
        if not dialog.over:
            dialog.over = True
            dialog.visit.ended = now
            self.free.append(dialog.visit.agent)


def _user(text: str) -> str:
    found = _USER.search(text)
    return found[1] if found else ""
