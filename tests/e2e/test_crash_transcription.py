"""The server is killed while messages are spoken and written down: each is written down, and told, once."""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.e2e.site import ACCOUNT, TOKEN, Site, until
from tests.e2e.web import Web

ENGINE = """
import os, time


class Clerk:
    name = "clerk"

    def transcribe(self, path):
        with open(os.environ["CLERK"], "a") as file:
            file.write(f"{os.getpid()}\\n")
        while os.path.exists(os.environ["CLERK"] + ".wait"):
            time.sleep(0.02)
        return "written down"
"""
RECORD = (
    "<Response><Record {} timeout='30' trim='do-not-trim' action='/thanks' transcribe='true' "
    "transcribeCallback='/told'/></Response>"
)
SPEAKING = 3
"""Callers who are still speaking when the server dies."""
THREE_SECONDS = 44 + 3 * 16_000


def simulated_message(site: Site, number: str) -> None:
    """A simulated customer leaves a message of four seconds, in real time."""
    words = "please call me back as soon as you can tomorrow"
    body = {
        "from": "+15551230001",
        "to": number,
        "script": [{"expect": "beep"}, {"say": words}, {"wait": 0.5}, {"press": "#"}],
    }
    subprocess.run(
        [
            "curl", "-sSf", "-u", f"{ACCOUNT}:{TOKEN}", "-d", json.dumps(body), "-H",
            "Content-Type: application/json", f"{site.url}/sim/v1/Calls",
        ],
        check=True, stdout=subprocess.PIPE, timeout=30,
    )  # fmt: skip


def test_kill_9_while_messages_are_written_down(
    start_site: Callable[..., Site],
    start_crowd: Callable[..., subprocess.Popen[bytes]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One is being written down, three are being spoken; the worker process does not outlive its work."""
    (tmp_path / "clerk_engine.py").write_text(ENGINE)
    clerk, waits = tmp_path / "clerk", tmp_path / "clerk.wait"
    waits.touch()
    monkeypatch.setenv("CLERK", str(clerk))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    site = start_site(transcription_engine="clerk_engine:Clerk")
    site.may_warn = True  # it says that calls were lost
    with Web() as web:
        web.documents |= {
            "/message": RECORD.format(""),
            "/open": RECORD.format("playBeep='false'"),
            "/thanks": "<Response/>",
        }
        site.number("+15550101", f"{web.url}/message")
        site.number("+15550102", f"{web.url}/open")
        simulated_message(site, "+15550101")
        until(clerk.exists, 30, "the first message is being written down")
        crowd = start_crowd(number="+15550102", port=site.sip_port, calls=SPEAKING, rate=10)
        files = site.folder / "var" / "recordings"
        until(
            lambda: sum(each.stat().st_size > THREE_SECONDS for each in files.glob("*.wav")) == SPEAKING + 1,
            20, "three seconds of everybody are on the disk",
        )  # fmt: skip
        site.kill()
        crowd.kill()
        site.start()
        waits.unlink()

        def told() -> Counter[str]:
            found = [one for one in list(web.callbacks) if one["path"] == "/told"]
            assert all(one["TranscriptionText"] == "written down" for one in found)
            return Counter(one["TranscriptionSid"] for one in found)

        until(lambda: len(told()) == SPEAKING + 1, 30, "everybody's message is told")
        records = site.client.transcriptions.list()
        assert Counter(str(one.sid) for one in records) == told(), "once each"
        assert {str(one.status) for one in records} == {"completed"}
        begun = [int(line) for line in clerk.read_text().split()]
        assert len(begun) == SPEAKING + 2, "the first one twice, the others once"
        until(lambda: not psutil.pid_exists(begun[0]), 10, "the dead server's worker has ended")
        metrics = subprocess.run(
            ["curl", "-sSf", f"{site.url}/metrics"], check=True, capture_output=True, text=True, timeout=10
        ).stdout
        assert f"ringback_transcriptions_completed_total {SPEAKING + 1}.0" in metrics
        assert "ringback_transcriptions_waiting 0.0" in metrics
        assert "ringback_transcription_lateness_max_seconds" in metrics
