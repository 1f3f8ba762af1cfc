"""Two servers on one PostgreSQL: one is refused, one stands by and takes over, one that was taken over ends itself."""

from __future__ import annotations

import asyncio
import json
import signal
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from tests.e2e.sipp import Callee
from tests.e2e.site import TERMINAL, Site, until
from tests.e2e.web import Web

pytestmark = pytest.mark.waits  # for a lease to run out, twice

LONG = "<Response><Say loop='0'>This goes on for ever.</Say></Response>"
LATE = "+15550177"
TAKEOVER = 10.0
"""Seconds that a takeover may take, from the death of the owner to the first answer that it is ready."""


@pytest.fixture
def database(postgresql_server: str) -> Iterator[str]:
    """URL of an empty database."""
    name = f"owned{uuid.uuid4().hex}"

    async def do(sql: str) -> None:
        admin = await asyncpg.connect(postgresql_server)
        await admin.execute(sql)
        await admin.close()

    asyncio.run(do(f"CREATE DATABASE {name} TEMPLATE template0"))
    head, _, query = postgresql_server.partition("?")
    yield f"{head.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")
    asyncio.run(do(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def sites(database: str, tmp_path: Path) -> Iterator[list[Site]]:
    """Three data directories with one database; nothing is started."""
    made = [Site(tmp_path / name, database_url=database) for name in ("one", "two", "three")]
    for site in made:
        site.may_warn = True
    yield made
    for site in made:
        if site.process is not None and site.process.poll() is None:
            site.process.send_signal(signal.SIGCONT)
        site.close()


def test_one_owner(sites: list[Site], tmp_path: Path) -> None:
    one, two, three = sites
    with Web() as web, Callee(tmp_path / "callee", "answers") as callee:
        one.start()
        assert one.process is not None
        owner = f"owned by process {one.process.pid} on "
        two.run()  # not as a standby: it is refused while the calls below begin
        three.run("--standby")
        first = [_dial(one, web, callee.port) for _ in range(5)]
        done = _dial(one, web, callee.port)
        _until_all(one, [*first, done], "in-progress")
        one.client.calls(done).update(status="completed")
        _until_told(web, [done])
        until(lambda: owner in _told_ready(three), 10, "the standby says who the owner is")
        with urllib.request.urlopen(f"{three.url}/health", timeout=2) as answer:
            assert answer.status == 200
        assert two.process is not None
        assert two.process.wait(20) == 1
        assert f"cannot start: the database is {owner}" in two.log()
        assert "serve --standby" in two.log()
        assert one.process.poll() is None
        assert one.ready()

        one.kill()
        _until_taken_over(three)
        _until_all(three, first, *TERMINAL)
        _until_told(web, [*first, done])
        assert three.status(done) == "completed"

        # The next owner is stopped for longer than its lease lasts; meanwhile another takes over.
        one.run("--standby")
        second = [_dial(three, web, callee.port) for _ in range(3)]
        _until_all(three, second, "in-progress")
        until(lambda: _told_ready(one), 20, "the standby answers")
        assert three.process is not None
        three.process.send_signal(signal.SIGSTOP)
        late = _Late(three)
        _until_taken_over(one)
        _until_all(one, second, *TERMINAL)
        _until_told(web, second)
        before = _statuses(one)
        three.process.send_signal(signal.SIGCONT)
        assert three.process.wait(20) == 1
        assert "CRITICAL ringback.store: this process no longer owns the database" in three.log()
        late.join(20)
        assert late.refused
        assert not one.client.incoming_phone_numbers.list(phone_number=LATE)
        until(lambda: callee.heard().count("BYE sip:") >= 1 + len(second), 5, "it has hung up its own calls")
        assert _statuses(one) == before
        assert set(before.values()) <= set(TERMINAL)
        assert before[done] == "completed"
        assert all(web.of(sid)[-1]["CallStatus"] in TERMINAL for sid in before), "no callback goes back"


class _Late(threading.Thread):
    """Asks a server that is stopped for a new number; it reads that when it goes on."""

    def __init__(self, site: Site) -> None:
        super().__init__(daemon=True)
        self._site = site
        self.refused = False
        self.start()

    def run(self) -> None:
        try:
            self._site.number(LATE, "http://127.0.0.1/")
        except Exception:  # noqa: BLE001 - 503, or the server ended before it answered
            self.refused = True


def _dial(site: Site, web: Web, port: int) -> str:
    call = site.client.calls.create(
        to=f"sip:callee-{uuid.uuid4().hex}@127.0.0.1:{port}", from_="+15550100", twiml=LONG,
        status_callback=f"{web.url}/status",
    )  # fmt: skip
    return str(call.sid)


def _statuses(site: Site) -> dict[str, str]:
    return {str(call.sid): str(call.status) for call in site.client.calls.list()}


def _until_all(site: Site, sids: list[str], *statuses: str) -> None:
    def all_there() -> bool:
        now = _statuses(site)
        return all(now[sid] in statuses for sid in sids)

    until(all_there, 15, f"calls are {statuses[0]}")


def _until_told(web: Web, sids: list[str]) -> None:
    """Every call's end was told to the application."""
    until(
        lambda: all(any(one["CallStatus"] in TERMINAL for one in web.of(sid)) for sid in sids),
        15, "the final callbacks",
    )  # fmt: skip


def _until_taken_over(site: Site) -> None:
    began = time.monotonic()
    until(site.ready, 30, "the standby is ready")
    assert time.monotonic() - began < TAKEOVER


def _told_ready(site: Site) -> str:
    """What a server that is not ready says; empty when it is, or says nothing yet."""
    try:
        with urllib.request.urlopen(f"{site.url}/ready", timeout=2):
            return ""
    except urllib.error.HTTPError as answer:
        with answer:
            return str(json.load(answer)["status"])
    except OSError:
        return ""
