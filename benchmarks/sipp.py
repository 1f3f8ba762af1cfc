"""SIPp as the load generator of the SIP benchmarks: scenarios written here, statistics read back."""

from __future__ import annotations

import csv
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

UAC = """<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="uac">
  <send retrans="500"><![CDATA[
INVITE sip:{number}@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:+15551230001@[local_ip]:[local_port]>;tag=[pid]t[call_number]
To: <sip:{number}@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:bench@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

v=0
o=bench 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio {media_port} RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
]]></send>
  <recv response="100" optional="true"/>
  <recv response="180" optional="true"/>
  <recv response="183" optional="true"/>
  <recv response="200" rtd="true" rrs="true"/>
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
  {end}
</scenario>
"""

THEY_HANG_UP = """<recv request="BYE"/>
  <send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>"""

WE_HANG_UP = """<pause milliseconds="{hold}"/>
  <send retrans="500"><![CDATA[
BYE [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
[routes]
From: <sip:+15551230001@[local_ip]:[local_port]>;tag=[pid]t[call_number]
[last_To:]
Call-ID: [call_id]
CSeq: 2 BYE
Max-Forwards: 70
Content-Length: 0

]]></send>
  <recv response="200"/>"""


@dataclass(frozen=True, slots=True)
class Result:
    """What SIPp counted."""

    successful: int
    failed: int
    retransmissions: int


def run(
    *, number: str, port: int, rate: float, calls: int, limit: int, media_port: int, hold: int | None = None
) -> Result:
    """Make ``calls`` calls at ``rate`` a second, at most ``limit`` at once; blocks until all are over.

    ``hold``: milliseconds after which SIPp hangs up; None: it waits for the BYE.
    """
    folder = Path(tempfile.mkdtemp(prefix="ringback-sipp-"))
    end = THEY_HANG_UP if hold is None else WE_HANG_UP.format(hold=hold)
    scenario = folder / "uac.xml"
    scenario.write_text(UAC.format(number=number, media_port=media_port, end=end))
    statistics = folder / "stat.csv"
    subprocess.run(
        ["sipp", f"127.0.0.1:{port}", "-sf", str(scenario), "-m", str(calls), "-r", str(rate),
         "-l", str(limit), "-nostdin", "-i", "127.0.0.1", "-trace_stat", "-stf", str(statistics), "-fd", "1",
         "-timeout", str(int(calls / rate + (hold or 1000) / 1000 + 60)), "-max_socket", "20000"],
        check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder,
    )  # fmt: skip
    with statistics.open() as file:
        last = list(csv.DictReader(file, delimiter=";"))[-1]
    return Result(int(last["SuccessfulCall(C)"]), int(last["FailedCall(C)"]), int(last["Retransmissions(C)"]))
