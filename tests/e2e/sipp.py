"""SIPp as the far end of outbound calls, and as a crowd of callers; scenarios are written here."""

from __future__ import annotations

import re
import socket
import subprocess
from pathlib import Path
from types import TracebackType

from tests.e2e.site import free_port, until

_SDP = """
v=0
o=far 1 1 IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
m=audio {media} RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
"""


def _reply(line: str, *, body: str = "", via: str = "last") -> str:
    more = "Contact: <sip:far@[local_ip]:[local_port]>\nContent-Type: application/sdp\n" if body else ""
    return f"""<send><![CDATA[
SIP/2.0 {line}
[{via}_Via:]
[{via}_From:]
[{via}_To:];tag=f[call_number]
[{via}_Call-ID:]
[{via}_CSeq:]
{more}Content-Length: [len]
{body}
]]></send>"""


def _final(line: str) -> str:
    """A refusal is repeated until its ACK (RFC 3261 §17.2.1); on loopback once is enough."""
    return _reply(line) + '<recv request="ACK"/>'


_OK = _reply("200 OK").replace(";tag=f[call_number]", "")
_THEY_END = '<recv request="BYE" timeout="60000"/>' + _OK
_WE_END = """<pause milliseconds="500"/><send retrans="500"><![CDATA[
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
    + _OK
    + _reply("487 Request Terminated").replace("[last_CSeq:]", "CSeq: 1 INVITE")
    + '<recv request="ACK"/>'
)


def _answer(media: int) -> str:
    return _reply("200 OK", body=_SDP.format(media=media)) + '<recv request="ACK"/>'


def scenario(kind: str, media: int = 40000) -> str:
    """What a callee does: `answers`, `hangs up`, `rings`, `silent`, or a refusal such as `486 Busy Here`."""
    ring = _reply("180 Ringing")
    # To of our BYE is the From of their INVITE.
    keep = """<recv request="INVITE" rrs="true"><action>
      <ereg regexp=".*" search_in="hdr" header="From:" assign_to="from"/>
      <assignstr assign_to="caller" value="To:[$from]"/></action></recv>"""
    take = '<recv request="INVITE"/>'
    steps = {
        "answers": take + ring + _answer(media) + _THEY_END,
        "hangs up": keep + ring + _answer(media) + _WE_END,
        "rings": take + ring + _CANCELED,
        "trying": take + _reply("100 Trying").replace(";tag=f[call_number]", "") + _CANCELED,
    }
    body = steps.get(kind) or take + ring + _final(kind)
    return f'<?xml version="1.0" encoding="ISO-8859-1" ?>\n<scenario name="far">{body}</scenario>\n'


class Callee:
    """A SIPp process that takes calls on a port of its own; a context manager."""

    def __init__(self, folder: Path, kind: str, transport: str = "u1") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port(socket.SOCK_DGRAM)
        (folder / "uas.xml").write_text(scenario(kind))
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


_CALLER = """<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="caller">
  <send retrans="500"><![CDATA[
INVITE sip:{number}@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:+15551230001@[local_ip]:[local_port]>;tag=[pid]t[call_number]
To: <sip:{number}@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:crowd@[local_ip]:[local_port];transport=[transport]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]
{sdp}
]]></send>
  <recv response="100" optional="true"/>
  <recv response="180" optional="true"/>
  <recv response="200" rrs="true"/>
  <send><![CDATA[
ACK [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
[routes]
From: <sip:+15551230001@[local_ip]:[local_port]>;tag=[pid]t[call_number]
[last_To:]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
  {rest}
</scenario>
"""
_CROWD_WAITS = '<recv request="BYE" timeout="60000"/>' + _OK


def _in_dialog(method: str, cseq: int, body: str = "") -> str:
    kind = "Content-Type: application/sdp\nContact: <sip:crowd@[local_ip]:[local_port]>\n" if body else ""
    return f"""<send{' retrans="500"' if method != "ACK" else ""}><![CDATA[
{method} [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
[routes]
From: <sip:+15551230001@[local_ip]:[local_port]>;tag=[pid]t[call_number]
[last_To:]
Call-ID: [call_id]
CSeq: {cseq} {method}
Max-Forwards: 70
{kind}Content-Length: [len]
{body or chr(10)}
]]></send>"""


def hang_up_after(milliseconds: int) -> str:
    """The caller ends the call."""
    return f'<pause milliseconds="{milliseconds}"/>' + _in_dialog("BYE", 2) + '<recv response="200"/>'


def crowd(
    folder: Path, *, number: str, port: int, calls: int, rate: float, rest: str = _CROWD_WAITS,
    transport: str = "u1", media: int = 40000, seconds: int = 60,
) -> subprocess.Popen[bytes]:  # fmt: skip
    """Start SIPp making calls to a number of ours; its exit status is 0 when all went by the scenario."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "uac.xml").write_text(_CALLER.format(number=number, sdp=_SDP.format(media=media), rest=rest))
    return subprocess.Popen(
        ["sipp", f"127.0.0.1:{port}", "-sf", "uac.xml", "-m", str(calls), "-r", str(rate), "-l", str(calls),
         "-i", "127.0.0.1", "-p", str(free_port(socket.SOCK_DGRAM)), "-t", transport, "-nostdin",
         "-mp", str(free_port(socket.SOCK_DGRAM)), "-timeout", str(seconds), "-timeout_error",
         "-trace_err", "-error_file", str(folder / "errors.log")],
        cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
