"""The storage fails under live calls: nothing is lost, every call ends once, everybody is told the truth meanwhile."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.outage import PostgreSql, ask, fill, locked, not_ready, small_disk
from tests.e2e.site import ACCOUNT, TERMINAL, Site, until
from tests.e2e.web import Web

pytestmark = pytest.mark.waits  # for an outage to last long enough

CALLS = f"/2010-04-01/Accounts/{ACCOUNT}/Calls.json"
LONG = "<Response><Say loop='0'>This goes on for ever.</Say></Response>"
RECORDED = "<Response><Record playBeep='false' timeout='30' maxLength='120' action='/thanks'/></Response>"
TALK = [{"say": "I would like to be called back please."}]


def served(site: Site, web: Web) -> None:
    """Two numbers: one talks, one records."""
    web.documents |= {"/long": LONG, "/record": RECORDED, "/thanks": "<Response/>"}
    for number, path in (("+15550101", "long"), ("+15550102", "record")):
        site.number(number, f"{web.url}/{path}", status_callback=f"{web.url}/status")


def call(site: Site, to: str, script: list[Any]) -> str:
    """A simulated customer calls."""
    status, found, _ = ask(
        site, "POST", "/sim/v1/Calls", {"from": "+15551230001", "to": to, "script": script}
    )
    assert status == 201, found
    return str(found["sid"])


def sim(site: Site, sid: str) -> str:
    """How the simulated customer's side of a call is."""
    return str(ask(site, "GET", f"/sim/v1/Calls/{sid}")[1]["status"])


def dial(site: Site, web: Web) -> str:
    """An outbound call to a simulated callee who answers."""
    made = site.client.calls.create(
        to="+15557654321", from_="+15550100", twiml=LONG, status_callback=f"{web.url}/status"
    )
    return str(made.sid)


def statuses(site: Site) -> dict[str, str]:
    return {str(one.sid): str(one.status) for one in site.client.calls.list(page_size=1000)}


def all_are(site: Site, sids: list[str], *wanted: str) -> bool:
    now = statuses(site)
    return all(now[sid] in wanted for sid in sids)


def told_once(site: Site, web: Web, sids: list[str]) -> None:
    """Every call is terminal and its end was told, with one token."""
    until(lambda: all_are(site, sids, *TERMINAL), 20, "every call is terminal")

    def final(sid: str) -> set[tuple[str, str]]:
        return {(one["CallStatus"], one["token"]) for one in web.of(sid) if one["CallStatus"] in TERMINAL}

    until(lambda: all(final(sid) for sid in sids), 20, "the final callbacks")
    assert [sid for sid in sids if len(final(sid)) != 1] == []


def lines(site: Site) -> Counter[str]:
    """Lines of warnings and errors in the log, by what they say without numbers."""
    found = re.findall(r"(?:WARNING|ERROR|CRITICAL)\s+(.*)", site.log())
    return Counter(re.sub(r"[0-9a-f]{32}|[\d.]+", "#", one)[:60] for one in found)


def hang_up(site: Site, sids: list[str]) -> None:
    for sid in sids:
        ask(site, "POST", f"/sim/v1/Calls/{sid}", {"script": [{"hangup": True}]})


def reconcile(site: Site) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ringback", "reconcile"],
        env=site.environment, cwd=site.folder, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def doctor(site: Site) -> str:
    return subprocess.run(
        [sys.executable, "-m", "ringback", "doctor"],
        env=site.environment, cwd=site.folder, capture_output=True, text=True, timeout=120, check=False,
    ).stdout  # fmt: skip


def refused(site: Site) -> None:
    """A write is answered with 503 and when to come again."""
    status, found, headers = ask(site, "POST", CALLS, To="+15557654321", From="+15550100", Twiml=LONG)
    assert status == 503, found
    assert found["code"] == 20503
    assert int(headers["retry-after"]) > 0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", 48) as folder:
        yield folder


def test_a_full_disk(disk: Path, tmp_path: Path) -> None:
    site = Site(tmp_path / "site", data_dir=str(disk / "var"), transcription="off", reconcile_every="2")
    site.may_warn = True
    with Web() as web:
        try:
            site.start()
            served(site, web)
            talking = [call(site, "+15550101", TALK) for _ in range(10)]
            recorded = [call(site, "+15550102", TALK) for _ in range(10)]
            outbound = [dial(site, web) for _ in range(5)]
            until(lambda: all_are(site, talking + recorded + outbound, "in-progress"), 20, "all are live")
            filler = fill(disk)
            began = time.monotonic()
            until(lambda: not_ready(site), 4, "it says that it is not ready")
            assert time.monotonic() - began < 2
            assert "full" in not_ready(site)
            hang_up(site, recorded + talking[:5])
            until(
                lambda: all(sim(site, sid) == "completed" for sid in recorded + talking[:5]),
                10,
                "they are gone",
            )
            time.sleep(4)  # the outage itself: longer than a request waits
            refused(site)
            for sid in outbound:
                status, _, headers = ask(
                    site, "POST", CALLS.replace(".json", f"/{sid}.json"), Status="completed"
                )
                assert (status, "retry-after" in headers) == (503, True)
                until(lambda sid=sid: sim(site, sid) == "completed", 2, "the call is ended all the same")  # type: ignore[misc]
            found = reconcile(site)
            assert (found.returncode, "nothing can be repaired now" in found.stderr) == (2, True), found
            assert re.search(r"error +server .*not ready.*full", doctor(site)), doctor(site)
            filler.unlink()
            until(lambda: site.ready(), 10, "it is ready again")
            told_once(site, web, recorded + talking[:5] + outbound)
            assert all_are(site, talking[5:], "in-progress"), "the others never noticed"
            hang_up(site, talking[5:])
            told_once(site, web, talking)
            assert {one.status for one in site.client.recordings.list()} <= {"completed", "absent"}
            alerts = ask(site, "GET", "/monitor/v1/Alerts?LogLevel=error")[1]["alerts"]
            assert any("could not be written for" in one["alert_text"] for one in alerts), alerts
            alerts = ask(site, "GET", "/monitor/v1/Alerts?PageSize=200")[1]["alerts"]
            lost = {one["resource_sid"] for one in alerts if "is not whole" in one["alert_text"]}
            absent = {one.sid for one in site.client.recordings.list() if one.status == "absent"}
            assert absent <= lost, "a recording that the full disk took is told"
            assert max(lines(site).values()) <= 12, lines(site)
            assert reconcile(site).returncode == 0
            assert site.terminate() == 0
        finally:
            site.close()


def test_a_locked_file(tmp_path: Path) -> None:
    site = Site(tmp_path / "site", transcription="off", reconcile_every="2")
    site.may_warn = True
    with Web() as web:
        try:
            site.start()
            served(site, web)
            live = [call(site, "+15550101", TALK) for _ in range(20)]
            until(lambda: all_are(site, live, "in-progress"), 20, "all are live")
            with locked(tmp_path / "site" / "var" / "ringback.db"):
                began = time.monotonic()
                until(lambda: "locked" in not_ready(site), 4, "it says why it is not ready")
                assert time.monotonic() - began < 2
                hang_up(site, live[:10])
                until(lambda: all(sim(site, sid) == "completed" for sid in live[:10]), 10, "they are gone")
                arriving = [call(site, "+15550101", TALK) for _ in range(20)]
                time.sleep(8)  # the outage itself: longer than any request waits
                refused(site)
                assert reconcile(site).returncode == 2
            until(site.ready, 10, "it is ready again")
            told_once(site, web, live[:10])
            until(lambda: all_are(site, live[10:] + arriving, "in-progress"), 20, "nobody who called is lost")
            hang_up(site, live[10:] + arriving)
            told_once(site, web, live + arriving)
            assert max(lines(site).values()) <= 12, lines(site)
            assert site.terminate() == 0
        finally:
            site.close()


@pytest.fixture
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgreSql]:
    server = PostgreSql(tmp_path_factory.mktemp("pg") / "data")
    yield server
    server.signal(signal.SIGCONT)
    server.close()


def live(site: Site) -> int:
    """Calls that have a leg, as ``/metrics`` says without a look at the database."""
    with urllib.request.urlopen(f"{site.url}/metrics", timeout=5) as answer:
        found = re.search(rb"^ringback_calls_live ([\d.]+)$", answer.read(), re.MULTILINE)
    assert found is not None
    return int(float(found[1]))


@pytest.mark.timeout(300)
def test_a_database_server_that_stands_still_for_two_seconds(postgresql: PostgreSql, tmp_path: Path) -> None:
    """In the middle of 300 calls: nobody notices."""
    site = Site(tmp_path / "site", database_url=postgresql.url, transcription="off")
    site.may_warn = True
    with Web() as web:
        try:
            site.start()
            served(site, web)
            sids: list[str] = []

            def dial_all() -> None:
                for _ in range(300):
                    sids.append(call(site, "+15550101", TALK))
                    time.sleep(0.02)

            caller = threading.Thread(target=dial_all)
            caller.start()
            until(lambda: len(sids) > 100, 30, "a third has called")
            postgresql.signal(signal.SIGSTOP)
            time.sleep(2)  # the outage itself, as long as the issue's
            postgresql.signal(signal.SIGCONT)
            caller.join(60)
            assert len(sids) == 300
            until(lambda: all_are(site, sids, "in-progress"), 30, "no call failed")
            hang_up(site, sids)
            told_once(site, web, sids)
            assert set(statuses(site).values()) == {"completed"}
            assert site.terminate() == 0
        finally:
            site.close()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_a_database_server_that_is_away(postgresql: PostgreSql, tmp_path: Path, how: str) -> None:
    """Callers hang up and call meanwhile; it stands still, or is killed and started again."""
    site = Site(tmp_path / "site", database_url=postgresql.url, transcription="off", reconcile_every="2")
    site.may_warn = True
    with Web() as web:
        try:
            site.start()
            served(site, web)
            leaving = [call(site, "+15550101", [*TALK, {"wait": 20}, {"hangup": True}]) for _ in range(30)]
            staying = [call(site, "+15550101", TALK) for _ in range(10)]
            until(lambda: all_are(site, leaving + staying, "in-progress"), 15, "all are live")
            if how == "stopped":
                postgresql.signal(signal.SIGSTOP)
            else:
                postgresql.kill()
            began = time.monotonic()
            until(lambda: not_ready(site), 4, "it says that it is not ready")
            assert time.monotonic() - began < 2.2
            assert live(site) == 40, "they have not left yet"
            until(lambda: live(site) == 10, 40, "who hangs up is gone")
            refused(site)
            assert reconcile(site).returncode == 2
            if how == "stopped":
                postgresql.signal(signal.SIGCONT)
            else:
                postgresql.start()
            until(site.ready, 20, "it is ready again")
            told_once(site, web, leaving)
            assert all_are(site, staying, "in-progress")
            hang_up(site, staying)
            told_once(site, web, leaving + staying)
            assert set(statuses(site).values()) == {"completed"}
            assert max(lines(site).values()) <= 12, lines(site)
            assert site.terminate() == 0
        finally:
            site.close()
