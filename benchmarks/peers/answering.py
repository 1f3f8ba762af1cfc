"""SIPp as the called side: answers every INVITE with the audio of our own endpoint, until the BYE."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from types import TracebackType

from benchmarks.server import free_port

_SAME = "[last_Via:]\n[last_From:]\n[last_To:]{tag}\n[last_Call-ID:]\n[last_CSeq:]\n"
_TAG = ";tag=[pid]a[call_number]"
UAS = f"""<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="uas">
  <recv request="INVITE"/>
  <send><![CDATA[
SIP/2.0 180 Ringing
{_SAME.format(tag=_TAG)}Contact: <sip:agent@[local_ip]:[local_port]>
Content-Length: 0

]]></send>
  <send retrans="500"><![CDATA[
SIP/2.0 200 OK
{_SAME.format(tag=_TAG)}Contact: <sip:agent@[local_ip]:[local_port]>
Content-Type: application/sdp
Content-Length: [len]

v=0
o=agent 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio MEDIA_PORT RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
]]></send>
  <recv request="ACK"/>
  <recv request="BYE"/>
  <send><![CDATA[
SIP/2.0 200 OK
{_SAME.format(tag="")}Content-Length: 0

]]></send>
</scenario>
"""


class Answering:
    """A SIPp process on ``port``; a context manager."""

    def __init__(self, media_port: int) -> None:
        self.port = free_port()
        folder = Path(tempfile.mkdtemp(prefix="ringback-sipp-uas-"))
        scenario = folder / "uas.xml"
        scenario.write_text(UAS.replace("MEDIA_PORT", str(media_port)))
        self._process = subprocess.Popen(
            ["sipp", "-sf", str(scenario), "-i", "127.0.0.1", "-p", str(self.port), "-nostdin"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder,
        )  # fmt: skip

    def __enter__(self) -> Answering:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._process.kill()
        self._process.wait()
