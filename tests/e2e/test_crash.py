"""The server is killed, or told to stop, in the middle of things: nothing is lost, nothing stays half done."""

from __future__ import annotations

import io
import subprocess
import uuid
import wave
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.sipp import Callee
from tests.e2e.site import TERMINAL, Site, until
from tests.e2e.web import Web

pytestmark = pytest.mark.alone  # 200 calls at once

LONG = "<Response><Say loop='0'>This goes on for ever.</Say></Response>"
RECORDED = "<Response><Record playBeep='false' timeout='30' maxLength='60' action='/thanks'/></Response>"
LIVE = 200
OUTBOUND = 20
StartCrowd = Callable[..., subprocess.Popen[bytes]]
EVENTS = ["initiated", "ringing", "answered", "completed"]


def test_kill_9_during_200_calls(
    start_site: Callable[..., Site], start_crowd: StartCrowd, tmp_path: Path
) -> None:
    """After the restart: all terminal, all owed callbacks delivered, recordings readable, no second dialling."""
    site = start_site(calls_per_second="5")
    site.may_warn = True  # it says that calls were lost
    with Web(slow=0.2) as web, Callee(tmp_path / "callee", "answers") as callee:
        web.documents |= {"/long": LONG, "/record": RECORDED, "/thanks": "<Response/>"}
        site.number("+15550101", f"{web.url}/long", status_callback=f"{web.url}/status")
        site.number("+15550102", f"{web.url}/record", status_callback=f"{web.url}/status")
        callers = [
            start_crowd(number=number, port=site.sip_port, calls=calls, rate=80)
            for number, calls in (("+15550101", LIVE - 10), ("+15550102", 10))
        ]
        _live(site, LIVE)
        until(lambda: len(site.client.recordings.list()) == 10, 10, "ten recordings have begun")
        files = site.folder / "var" / "recordings"
        until(lambda: all(file.stat().st_size > 16044 for file in files.glob("*.wav")), 10, "a second each")
        outbound = [_dial(site, web, callee.port) for _ in range(OUTBOUND)]
        until(lambda: len(callee.invites()) >= 5, 10, "some of them are dialled, the rest are queued")
        assert site.client.calls.list(status="queued"), "some are to be dialled after the restart"
        site.kill()
        for one in callers:
            one.kill()
        site.start()
        until(lambda: len(callee.invites()) >= OUTBOUND - 1, 10, "the queued ones are dialled")
        until(lambda: not site.client.calls.list(status="queued"), 5, "nobody waits any more")
        resumed = site.client.calls.list(status="in-progress")
        assert resumed, "queued calls go on after a restart"
        for call in resumed:
            site.client.calls(str(call.sid)).update(status="completed")
        calls = until(lambda: _all_ended(site, LIVE + OUTBOUND), 20, "every call is terminal")
        assert {call.sid for call in calls} >= set(outbound)

        owed = {(str(call.sid), "final") for call in calls}
        got = until(lambda: (now := _final(web)) >= owed and now, 30, "every final callback is delivered")
        assert got == owed
        _check_order(web, outbound)
        _check_recordings(site)
        dialled = callee.dialled()
        assert len(dialled) == len(set(dialled)), "a call was dialled twice"


def _dial(site: Site, web: Web, port: int) -> str:
    call = site.client.calls.create(
        to=f"sip:callee-{uuid.uuid4().hex}@127.0.0.1:{port}", from_="+15550100", twiml=LONG,
        status_callback=f"{web.url}/status", status_callback_event=EVENTS,
    )  # fmt: skip
    return str(call.sid)


def _live(site: Site, count: int) -> None:
    """Wait until that many calls are answered."""
    until(
        lambda: len(site.client.calls.list(status="in-progress", page_size=1000)) >= count,
        30, f"{count} calls are live",
    )  # fmt: skip


def _all_ended(site: Site, count: int) -> list[Any]:
    """All calls when each of them is terminal, else nothing."""
    calls = site.client.calls.list(page_size=1000)
    assert len(calls) == count
    return calls if all(call.status in TERMINAL for call in calls) else []


def _final(web: Web) -> set[tuple[str, str]]:
    return {(one["CallSid"], "final") for one in list(web.callbacks) if one.get("CallStatus") in TERMINAL}


def _check_order(web: Web, sids: list[str]) -> None:
    """At least once, in order; what is sent again keeps its number and its token."""
    for sid in sids:
        by_number = defaultdict(set)
        for one in web.of(sid):
            by_number[int(one["SequenceNumber"])].add((one["CallStatus"], one["token"]))
        assert sorted(by_number) == list(range(len(by_number))), web.of(sid)
        assert all(len(each) == 1 for each in by_number.values()), by_number
        numbers = [int(one["SequenceNumber"]) for one in web.of(sid)]
        assert numbers == sorted(numbers)


def _check_recordings(site: Site) -> None:
    recordings = site.client.recordings.list()
    assert len(recordings) == 10
    for one in recordings:
        assert one.status in ("completed", "absent"), one.status
        assert one.status == "completed", "each had more than a second of audio"
        with wave.open(io.BytesIO(site.get(f"Recordings/{one.sid}.wav"))) as file:
            seconds = file.getnframes() / file.getframerate()
        assert seconds > 0.5
        assert abs(int(one.duration) - seconds) <= 1


def test_sigterm_during_calls(
    start_site: Callable[..., Site], start_crowd: StartCrowd, tmp_path: Path
) -> None:
    """BYE to everybody, terminal statuses, callbacks delivered, exit status 0, a clean log; true after a restart."""
    site = start_site(session_drain="0.5")
    with (
        Web() as web,
        Callee(tmp_path / "callee", "answers") as callee,
        Callee(tmp_path / "r", "rings") as ringer,
    ):
        web.documents["/long"] = LONG
        site.number("+15550101", f"{web.url}/long", status_callback=f"{web.url}/status")
        crowded = start_crowd(number="+15550101", port=site.sip_port, calls=30, rate=60)
        answered = [_dial(site, web, callee.port) for _ in range(5)]
        ringing = _dial(site, web, ringer.port)
        _live(site, 35)
        until(lambda: len(web.of(ringing)) == 2, 5, "the other one rings")
        assert site.terminate() == 0
        assert crowded.wait(10) == 0, "every caller got its BYE"
        assert callee.heard().count("BYE sip:") == 5
        assert "CANCEL sip:" in ringer.heard()
        ends = [one["CallStatus"] for one in web.callbacks if one["CallStatus"] in TERMINAL]
        assert len(ends) == 36, "delivered before the exit"
        assert all(web.of(sid)[-1]["CallStatus"] == "completed" for sid in answered)
        site.start()
        calls = site.client.calls.list(page_size=1000)
        assert sum(call.status == "completed" for call in calls) == 35
        assert site.status(ringing) in ("canceled", "failed", "no-answer")
        assert len(_final(web)) == 36
