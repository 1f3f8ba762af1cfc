"""SIP with SIPp: INVITE → answer → play one second → BYE."""

from __future__ import annotations

import socket
import subprocess
import sys
import time

from benchmarks import sipp
from benchmarks.__main__ import Figure
from benchmarks.server import Server, free_port

NUMBER = "+15550124"


def measure(quick: bool) -> list[Figure]:
    """Failures and CPU at several call rates."""
    seconds = 5 if quick else 20
    port = free_port()
    app = subprocess.Popen([sys.executable, "-m", "benchmarks.webapp", str(port)], stdout=subprocess.PIPE)
    sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sink.bind(("127.0.0.1", 0))
    figures = []
    try:
        assert app.stdout is not None
        app.stdout.readline()
        with Server() as server:
            server.form(
                "IncomingPhoneNumbers.json", PhoneNumber=NUMBER, VoiceUrl=f"http://127.0.0.1:{port}/play"
            )
            sipp.run(
                number=NUMBER,
                port=server.sip_port,
                rate=5,
                calls=5,
                limit=5,
                media_port=sink.getsockname()[1],
            )
            for rate in (50, 100, 150, 200, 250):
                before, started = server.cpu_seconds(), time.perf_counter()
                result = sipp.run(
                    number=NUMBER, port=server.sip_port, rate=rate, calls=rate * seconds, limit=rate * 30,
                    media_port=sink.getsockname()[1],
                )  # fmt: skip
                wall, used = time.perf_counter() - started, server.cpu_seconds() - before
                figures.append(
                    Figure(
                        f"{rate} calls/s offered",
                        f"{result.successful / wall:.0f}/s, {result.failed} failed, "
                        f"{result.retransmissions} retransmitted, {100 * used / wall:.0f} % CPU",
                        "",
                        "wanted: 150/s, none failed; Asterisk: 225/s at 112 % CPU",
                    )
                )
    finally:
        app.terminate()
        app.wait()
        sink.close()
    return figures
