"""The workflow of confirming a call's outcome, with the official client over SIP: look up, call, listen, reconcile."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException

from tests.e2e.sipp import Callee
from tests.e2e.site import Site, until
from tests.e2e.web import Web

TALK = "<Response><Pause length='1'/><Hangup/></Response>"
FAR = {
    "+14155550101": ("answers", "completed", None),
    "+14155550102": ("486 Busy Here", "busy", None),
    "+14155550103": ("rings", "no-answer", None),
    "+14155550104": ("404 Not Found", "failed", 13224),
}
"""Number → what the far end does, how the call ends, and with which code."""


@pytest.fixture
def town(start_site: Callable[..., Site], tmp_path: Path) -> Iterator[Site]:
    """A server with a trunk for each number, behind which a SIPp answers in its own way."""
    with ExitStack() as far:
        toml = ""
        for number, (kind, _, _) in FAR.items():
            callee = far.enter_context(Callee(tmp_path / f"far{number}", kind))
            toml += f'[trunk.t{number[1:]}]\nhost = "127.0.0.1:{callee.port}"\nprefixes = ["{number}"]\n'
        yield start_site(toml=toml, reconcile_every="0")


def confirm(site: Site, web: Web, number: str) -> tuple[str, int | None]:
    """What an application does: gives the outcome and its code."""
    looked_up = site.client.lookups.v2.phone_numbers(number).fetch()
    if not looked_up.valid:
        return "invalid", None
    call = site.client.calls.create(
        to=number, from_="+15550100", twiml=TALK, timeout=2, status_callback=f"{web.url}/status",
        status_callback_event=["completed"],
    )  # fmt: skip
    assert call.status == "queued", "201 says nothing about the person"
    sid = str(call.sid)
    (told,) = until(lambda: web.of(sid), 20, "the callback")
    final = site.client.calls(sid).fetch()
    stored = json.loads(site.get(f"Calls/{sid}.json"))
    assert (final.status, stored["error_code"]) == (told["CallStatus"], _number(told.get("ErrorCode")))
    return str(final.status), stored["error_code"]


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)


def ringback(site: Site, *words: str) -> Any:
    """The command, as an operator gives it."""
    done = subprocess.run(
        [sys.executable, "-m", "ringback", *words], env=site.environment, cwd=site.folder, timeout=60, check=True,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    return json.loads(done.stdout) if "--json" in words else done.stdout.decode()


def test_a_good_a_busy_an_unanswered_an_unreachable_and_an_invalid_number(town: Site, web: Web) -> None:
    found = {number: confirm(town, web, number) for number in FAR}
    assert found == {number: (status, code) for number, (_, status, code) in FAR.items()}
    assert confirm(town, web, "+1415555010") == ("invalid", None)
    with pytest.raises(TwilioRestException) as refused:
        town.client.calls.create(to="+1415555010", from_="+15550100", twiml=TALK)
    assert refused.value.code in (21211, 21217)
    report = ringback(town, "reconcile", "--json")
    assert (report["checked"], report["repaired"], report["bad"]) == (0, 0, 0), "nothing was left undecided"
    assert "0 repaired (nothing)" in ringback(town, "reconcile")


def test_reconciling_without_a_server_and_with_the_trunks_records(town: Site, web: Web) -> None:
    """Killed while it talks: the command ends the call; the trunk's record then says how it really was."""
    town.may_warn = True
    call = town.client.calls.create(
        to="+14155550101", from_="+15550100", twiml="<Response><Pause length='60'/></Response>",
        status_callback=f"{web.url}/status",
    )  # fmt: skip
    sid = str(call.sid)
    until(lambda: town.status(sid) == "in-progress", 10, "they talk")
    began = time.time()
    town.kill()
    report = ringback(town, "reconcile", "--json")
    assert report["counts"] == {"lost": 1}
    assert report["repairs"][0]["call_sid"] == sid
    assert ringback(town, "reconcile", "--json")["checked"] == 0
    rows = f"call_id,start,end,sip_code\n{sid}@ringback,{began:.0f},{began + 45:.0f},200\n"
    (town.folder / "cdr.csv").write_text(rows)
    assert ringback(town, "reconcile", "--records", "cdr.csv", "--json")["counts"] == {"corrected": 1}
    town.start()
    until(lambda: web.of(sid), 10, "the callback goes out with the start")
    shown = json.loads(town.get(f"Calls/{sid}.json"))
    assert (shown["status"], shown["error_code"]) == ("completed", None)
    assert 43 <= int(shown["duration"]) <= 47
