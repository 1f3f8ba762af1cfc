"""baresip as a telephone without a head: driven by its control socket, its microphone is a file."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
import time
import wave
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from tests.e2e.site import free_port, until

_CONFIG = """\
poll_method epoll
call_local_timeout 120
call_max_calls 4
sip_listen 127.0.0.1:{sip}
net_interface 127.0.0.1
{ca}
audio_player aubridge,nowhere
audio_source aufile,{tone}
audio_path /nonexistent
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
jitter_buffer_delay 5-10
module_path /usr/lib/baresip/modules
module g711.so
module aubridge.so
module aufile.so
module cons.so
cons_listen 127.0.0.1:{keys}
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
"""


def write_tone(path: Path, hertz: float, seconds: float = 60.0) -> None:
    """A mono WAV at 8 kHz with one tone at about −9 dBFS."""
    samples = 11000 * np.sin(2 * np.pi * hertz / 8000 * np.arange(int(seconds * 8000)))
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(samples.astype("<i2").tobytes())


class Phone:
    """One baresip process with one account; a context manager."""

    def __init__(
        self, folder: Path, *, user: str, server: str, password: str = "", transport: str = "udp",
        answer: bool = False, ca: str = "", hertz: float = 700.0,
    ) -> None:  # fmt: skip
        """`server` is host:port. With a password it registers; `answer`: it takes every call at once."""
        folder.mkdir(parents=True)
        write_tone(folder / "tone.wav", hertz)
        self._keys, control = free_port(socket.SOCK_DGRAM), free_port()
        (folder / "config").write_text(
            _CONFIG.format(
                ca=f"sip_cafile {ca}" if ca else "", tone=folder / "tone.wav", keys=self._keys, control=control,
                sip=free_port(socket.SOCK_DGRAM),
            )
        )  # fmt: skip
        extra = f";auth_user={user};auth_pass={password};regint=600" if password else ";regint=0"
        extra += ";answermode=auto" if answer else ""
        aor = f"sip:{user}@{server};transport={transport}"
        (folder / "accounts").write_text(f"<{aor}>;audio_codecs=pcmu{extra}\n")
        (folder / "contacts").write_text("")
        self.events: list[str] = []
        """Types of the events so far, such as REGISTER_OK, CALL_ESTABLISHED, CALL_CLOSED."""
        self._log = folder / "log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                ["baresip", "-f", str(folder)],
                env={"HOME": str(folder), "PATH": "/usr/bin:/bin"},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        self._control: socket.socket = until(lambda: self._connect(control), 10, "baresip takes commands")
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _connect(self, port: int) -> socket.socket | None:
        assert self._process.poll() is None, self.log()
        try:
            return socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            return None

    def _read(self) -> None:
        """Events come as netstrings with JSON."""
        data = b""
        while chunk := self._control.recv(65536):
            data += chunk
            while b":" in data:
                size, _, rest = data.partition(b":")
                if len(rest) <= int(size):
                    break
                message: dict[str, Any] = json.loads(rest[: int(size)].decode("utf-8", "replace"))
                data = rest[int(size) + 1 :]
                if message.get("event"):
                    self.events.append(str(message["type"]))

    def command(self, name: str, parameters: str = "") -> None:
        """One long command, such as `dial`, `hangup`."""
        text = json.dumps({"command": name, "params": parameters}).encode()
        self._control.sendall(b"%d:%s," % (len(text), text))

    def dial(self, uri: str) -> None:
        """Call a SIP URI."""
        self.command("dial", uri)

    def press(self, key: str) -> None:
        """One key of the telephone: RFC 4733 during a call (other letters are baresip's commands)."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as console:
            console.sendto(key.encode(), ("127.0.0.1", self._keys))
            time.sleep(0.12)  # a key is held for a while; baresip ends the event at the release (0x04)
            console.sendto(b"\x04", ("127.0.0.1", self._keys))

    def drop(self) -> None:
        """End it as when its battery is taken out: for a server that is gone it would wait for seconds."""
        self._process.kill()

    def wait(self, event: str, count: int = 1, seconds: float = 15.0) -> None:
        """Wait until an event has come `count` times."""
        until(
            lambda: self.events.count(event) >= count,
            seconds,
            f"{event}; {self.events}\n{self.log()[-2000:]}",
        )

    def says(self, text: str, seconds: float = 10.0) -> None:
        """Wait until it printed something; for what may happen before the control socket is open."""
        until(lambda: text in self.log(), seconds, f"{text!r}\n{self.log()[-2000:]}")

    def log(self) -> str:
        """What baresip printed."""
        return self._log.read_text("utf-8", "replace")

    def __enter__(self) -> Phone:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
        self._control.shutdown(socket.SHUT_RDWR) if self._control.fileno() >= 0 else None
        self._reader.join(2)
        self._control.close()
