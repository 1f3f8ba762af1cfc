"""SIPp as the called side: answers every INVITE with the audio of our own endpoint, until the BYE."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from types import TracebackType

from benchmarks.scenario import contact, ended, reply, scenario, sdp, send
from benchmarks.server import free_port

TAG = "[pid]a[call_number]"


class Answering:
    """A SIPp process on ``port``; a context manager."""

    def __init__(self, media_port: int) -> None:
        self.port = free_port()
        folder = Path(tempfile.mkdtemp(prefix="ringback-sipp-uas-"))
        (folder / "uas.xml").write_text(
            scenario(
                '<recv request="INVITE"/>',
                send(reply("180 Ringing", tag=TAG, headers=contact("agent"))),
                send(reply("200 OK", tag=TAG, headers=contact("agent"), body=sdp(media_port)), repeats=True),
                '<recv request="ACK"/>',
                ended(),
            )
        )
        self._process = subprocess.Popen(
            ["sipp", "-sf", "uas.xml", "-i", "127.0.0.1", "-p", str(self.port), "-nostdin"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder,
        )  # fmt: skip

    def __enter__(self) -> Answering:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._process.kill()
        self._process.wait()
