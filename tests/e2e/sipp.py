"""SIPp as the far end of outbound calls, and as a crowd of callers."""

from __future__ import annotations

import re
import socket
import subprocess
from pathlib import Path
from types import TracebackType

from benchmarks.scenario import call, contact, ended, reply, scenario, sdp, send

from tests.e2e.site import free_port, until

TAG = "f[call_number]"
_TAKE = '<recv request="INVITE"/>'
_ACK = '<recv request="ACK"/>'
_RING = send(reply("180 Ringing", tag=TAG))
# To of our BYE is the From of their INVITE.
_TAKE_AND_KEEP = """<recv request="INVITE" rrs="true"><action>
  <ereg regexp=".*" search_in="hdr" header="From:" assign_to="from"/>
  <assignstr assign_to="caller" value="To:[$from]"/></action></recv>"""
_THEY_END = ended(60_000)
_WE_END = """<pause milliseconds="1000"/><send retrans="500"><![CDATA[
BYE [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:far@[local_ip]:[local_port]>;tag=f[call_number]
[$caller]
Call-ID: [call_id]
CSeq: 1 BYE
Max-Forwards: 70
Content-Length: 0

]]></send><recv response="200"/>"""
_CANCELED = (
    '<recv request="CANCEL" timeout="60000"/>'
    + send(reply("200 OK"))
    + send(reply("487 Request Terminated", tag=TAG).replace("[last_CSeq:]", "CSeq: 1 INVITE"))
    + _ACK
)


def behaviour(kind: str, media: int = 40000) -> str:
    """What a callee does: `answers`, `hangs up`, `rings`, `silent`, or a refusal such as `486 Busy Here`."""
    answer = send(reply("200 OK", tag=TAG, headers=contact("far"), body=sdp(media))) + _ACK
    steps = {
        "answers": (_TAKE, _RING, answer, _THEY_END),
        "hangs up": (_TAKE_AND_KEEP, _RING, answer, _WE_END),
        "rings": (_TAKE, _RING, _CANCELED),
        "trying": (_TAKE, send(reply("100 Trying")), _CANCELED),
    }
    # A refusal is repeated until its ACK (RFC 3261 §17.2.1); on loopback once is enough.
    return scenario(*(steps.get(kind) or (_TAKE, _RING, send(reply(kind, tag=TAG)), _ACK)))


class Callee:
    """A SIPp process that takes calls on a port of its own; a context manager."""

    def __init__(self, folder: Path, kind: str, transport: str = "u1") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port(socket.SOCK_DGRAM)
        (folder / "uas.xml").write_text(behaviour(kind))
        self._messages = folder / "messages.log"
        self._process = subprocess.Popen(
            ["sipp", "-sf", "uas.xml", "-i", "127.0.0.1", "-p", str(self.port), "-t", transport, "-nostdin",
             "-mp", str(free_port(socket.SOCK_DGRAM)), "-trace_msg", "-message_file", str(self._messages)],
            cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        until(self._bound, 10, "SIPp listens")

    def _bound(self) -> bool:
        assert self._process.poll() is None, "SIPp ended"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(("127.0.0.1", self.port))
            except OSError:
                return True
        return False

    def heard(self) -> str:
        """Every message so far, in and out."""
        return self._messages.read_text("utf-8", "replace") if self._messages.exists() else ""

    def invites(self) -> list[str]:
        """Call-IDs of the INVITEs that came in, once each."""
        return list(self._invites())

    def dialled(self) -> list[str]:
        """The user part of each INVITE's URI, once a Call-ID: a call that is dialled twice is in it twice."""
        return list(self._invites().values())

    def _invites(self) -> dict[str, str]:
        text, found = self.heard().replace("\r", ""), {}
        for start in re.finditer(r"^INVITE sip:([^@]+)@", text, re.MULTILINE):
            call_id = re.compile(r"^Call-ID: *(.+)$", re.MULTILINE).search(text, start.end())
            if call_id is not None:
                found[call_id[1].strip()] = start[1]
        return found

    def __enter__(self) -> Callee:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait(5)


def crowd(
    folder: Path, *, number: str, port: int, calls: int, rate: float, rest: str = _THEY_END,
    transport: str = "u1", media: int = 40000, seconds: int = 60,
) -> subprocess.Popen[bytes]:  # fmt: skip
    """Start SIPp making calls to a number of ours; its exit status is 0 when all went by the scenario."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "uac.xml").write_text(call(number, media, rest))
    return subprocess.Popen(
        ["sipp", f"127.0.0.1:{port}", "-sf", "uac.xml", "-m", str(calls), "-r", str(rate), "-l", str(calls),
         "-i", "127.0.0.1", "-p", str(free_port(socket.SOCK_DGRAM)), "-t", transport, "-nostdin",
         "-mp", str(free_port(socket.SOCK_DGRAM)), "-timeout", str(seconds), "-timeout_error",
         "-trace_err", "-error_file", str(folder / "errors.log")],
        cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
