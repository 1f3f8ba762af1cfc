"""SIP calls that each play G.711 for a while: CPU, and how late the packets are, at 100 … 800 calls."""

from __future__ import annotations

import select
import socket
import subprocess
import sys
import threading
import time
from collections import defaultdict

from benchmarks import sipp
from benchmarks.__main__ import Figure
from benchmarks.server import Server, free_port

NUMBER = "+15550125"
PACKET = 0.020


def measure(quick: bool) -> list[Figure]:
    """For each number of calls: CPU of all our processes, and the lateness seen by the receiver."""
    hold = 6 if quick else 20
    port = free_port()
    app = subprocess.Popen([sys.executable, "-m", "benchmarks.webapp", str(port)], stdout=subprocess.PIPE)
    try:
        assert app.stdout is not None
        app.stdout.readline()
        with Server() as server:
            server.form(
                "IncomingPhoneNumbers.json", PhoneNumber=NUMBER, VoiceUrl=f"http://127.0.0.1:{port}/long"
            )
            figures = [_at(server, calls, hold) for calls in (100, 200, 400, 800)]
    finally:
        app.terminate()
        app.wait()
    return figures


def _at(server: Server, calls: int, hold: int) -> Figure:
    ramp = calls / 50
    receiver = Receiver()
    receiver.start()
    done: list[sipp.Result] = []
    work = threading.Thread(
        target=lambda: done.append(
            sipp.run(
                number=NUMBER, port=server.sip_port, rate=50, calls=calls, limit=calls,
                media_port=receiver.port, hold=int(1000 * (hold + ramp)),
            )
        )
    )  # fmt: skip
    work.start()
    time.sleep(ramp + 1)
    before, started = server.cpu_seconds(), time.perf_counter()
    receiver.measuring = True
    time.sleep(hold - 2)
    receiver.measuring = False
    used = (server.cpu_seconds() - before) / (time.perf_counter() - started)
    work.join()
    receiver.stop()
    result = done[0]
    return Figure(
        f"{calls} calls playing",
        f"{100 * used:.0f} % CPU, worst packet {1000 * receiver.latest:.0f} ms late, "
        f"{receiver.late} later than 60 ms of {receiver.packets}, {result.failed} calls failed",
        "",
        "wanted at 400: 70 % of a core, none later than 60 ms; Asterisk: 98 %",
    )


class Receiver(threading.Thread):
    """Receives every stream on one port and measures each packet against its stream's own clock.

    Lateness is arrival minus the earliest arrival that the stream's timestamps allow; the receiver's own
    delays count as lateness too, so the figure is an upper bound.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.port = self.socket.getsockname()[1]
        self.measuring = False
        self.packets = self.late = 0
        self.latest = 0.0
        self._going = True
        self._base: dict[bytes, float] = defaultdict(lambda: float("inf"))

    def stop(self) -> None:
        """End the thread."""
        self._going = False
        self.join()
        self.socket.close()

    def run(self) -> None:
        while self._going:
            if not select.select([self.socket], [], [], 0.2)[0]:
                continue
            while True:
                try:
                    data = self.socket.recv(400)
                except BlockingIOError:
                    break
                if len(data) < 12:
                    continue
                due = time.perf_counter() - int.from_bytes(data[4:8], "big") / 8000
                stream = data[8:12]
                if due < self._base[stream]:
                    self._base[stream] = due
                if self.measuring:
                    lateness = due - self._base[stream]
                    self.packets += 1
                    self.latest = max(self.latest, lateness)
                    self.late += lateness > 0.060
