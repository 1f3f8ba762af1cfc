"""A person with a SIP phone leaves a message with the example application; the recording has their voice."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import wave
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.e2e.baresip import Phone
from tests.e2e.site import ACCOUNT, TOKEN, Site, until

TOP = Path(__file__).parents[2]
EXAMPLE = TOP / "examples" / "voicemail"


class Example:
    """The example application in its own process, as its README starts it."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.environment = os.environ | {
            "PORT": "0",
            "RINGBACK_URL": site.url,
            "RINGBACK_ACCOUNT_SID": ACCOUNT,
            "RINGBACK_AUTH_TOKEN": TOKEN,
        }
        self._log = folder / "example.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(EXAMPLE / "app.py")], env=self.environment, stdout=log, stderr=log
            )
        self.url = until(lambda: re.search(r"http://\S+/voice", self.log()), 10, "the example runs")[0]

    def log(self) -> str:
        """One line a request."""
        return self._log.read_text()

    def run(self, program: str, *arguments: str, folder: Path) -> str:
        """Another program of the example; what it printed."""
        done = subprocess.run(
            [sys.executable, str(EXAMPLE / program), *arguments],
            env=self.environment, cwd=folder, check=True, capture_output=True, text=True, timeout=30,
        )  # fmt: skip
        return done.stdout


@pytest.fixture
def example(site: Site, tmp_path: Path) -> Iterator[Example]:
    """The example, with +15550100 pointed at it by its own program."""
    application = Example(site, tmp_path)
    application.run("point.py", "+15550100", application.url, folder=tmp_path)
    yield application
    application.process.terminate()
    application.process.wait(5)


def share(samples: NDArray[np.float64], rate: int, hertz: float) -> float:
    """The part of the energy within 20 Hz of a frequency, 0 to 1."""
    power = np.abs(np.fft.rfft(samples)) ** 2
    near = np.abs(np.fft.rfftfreq(len(samples), 1 / rate) - hertz) < 20
    return float(power[near].sum() / power.sum())


def read_wav(data: bytes) -> tuple[NDArray[np.float64], int]:
    """Samples of the first channel, and the rate."""
    with wave.open(io.BytesIO(data)) as file:
        frames = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float64)
        return frames[:: file.getnchannels()], file.getframerate()


def read_mp3(data: bytes) -> tuple[NDArray[np.float64], int]:
    """As above, by FFmpeg's decoder."""
    with av.open(io.BytesIO(data)) as file:
        stream = file.streams.audio[0]
        parts = [frame.to_ndarray()[0].astype(np.float64) for frame in file.decode(stream)]
        return np.concatenate(parts), stream.rate


@pytest.mark.parametrize("ending", ["pound", "hangup"])
def test_a_message_left_by_telephone_is_the_callers_voice(
    ending: str, site: Site, example: Example, tmp_path: Path
) -> None:
    """Menu by RFC 4733, a 700 Hz tone for a voice, `#` or the receiver put down."""
    with Phone(tmp_path / "phone", user="+15551230001", server=f"127.0.0.1:{site.sip_port}") as phone:
        phone.dial(f"sip:+15550100@127.0.0.1:{site.sip_port}")
        phone.wait("CALL_ESTABLISHED")
        phone.press("1")
        until(lambda: "/menu 200" in example.log(), 15, "the digit arrived")
        recordings = site.client.recordings
        recording = until(lambda: recordings.list(limit=1), 20, "the beep is over and it records")[0]
        until(lambda: _size(site, str(recording.sid)) > 44 + 2 * 16000, 15, "two seconds are recorded")
        if ending == "pound":
            phone.press("#")
        else:
            phone.command("hangup")
        phone.wait("CALL_CLOSED")
    done = until(
        lambda: (now := recordings(recording.sid).fetch()).status == "completed" and now,
        15,
        "it is completed",
    )
    assert site.ended(str(done.call_sid)) == "completed"
    assert 2 <= int(done.duration) <= 15

    for name, read in (("wav", read_wav), ("mp3", read_mp3)):
        samples, rate = read(site.get(f"Recordings/{done.sid}.{name}"))
        assert abs(len(samples) / rate - int(done.duration)) <= 1.1, name
        assert share(samples, rate, 700.0) > 0.9, name

    printed = example.run("messages.py", folder=tmp_path)
    assert str(done.sid) in printed
    assert read_wav((tmp_path / f"{done.sid}.wav").read_bytes())[1] == 8000
    until(lambda: f"recording {done.sid} is completed" in example.log(), 10, "its callback came")
    assert "/thanks 200" in example.log()
    assert " 403" not in example.log(), "a signature did not fit"


def _size(site: Site, sid: str) -> int:
    file = site.folder / "var" / "recordings" / f"{sid}.wav"
    return file.stat().st_size if file.exists() else 0


def test_the_example_refuses_a_forged_request(example: Example) -> None:
    """Signature validation is on: what the first test passed was not an open door."""
    answer = subprocess.run(
        ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-d", "CallSid=CA1", example.url],
        check=True, capture_output=True, text=True, timeout=10,
    )  # fmt: skip
    assert answer.stdout == "403"
