"""Chaos: callbacks are dropped, duplicated and reordered, and the server is killed twice; every call has an end, and
the application has heard of it.

A dropped final callback is one that nobody answered: it comes once more, with its token. The faults leave that
repetition alone (``repeat``), because what is lost twice is lost. ``RINGBACK_CHAOS_CALLS=2000`` makes it the proof
of the issue.
"""

from __future__ import annotations

import json
import os
import random
import urllib.request
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.site import ACCOUNT, TERMINAL, TOKEN, Site, until
from tests.e2e.web import Web

pytestmark = pytest.mark.alone  # 40 calls a second

CALLS = int(os.environ.get("RINGBACK_CHAOS_CALLS", "150"))
RATE = 40
"""Calls a second: a third of them wait when the server is killed."""
ENDS = ("answer", "busy", "no-answer", "reject", "invalid", "congestion")
EVENTS = ["initiated", "ringing", "answered", "completed"]
AGAIN = 3.0


def sim(site: Site, method: str, path: str, body: Any) -> None:
    """Ask the simulator."""
    request = urllib.request.Request(
        f"{site.url}/sim/v1/{path}", json.dumps(body).encode(), method=method,
        headers={
            "Authorization": "Basic " + b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode(),
            "Content-Type": "application/json",
        },
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=10):
        pass


def chaos(site: Site, web: Web) -> None:
    """Behaviours and faults: they live in memory, so each start orders them anew."""
    for index, answers in enumerate(ENDS):
        script = [{"wait": 0.5}, {"hangup": True}] if answers == "answer" else []
        sim(site, "PUT", f"Numbers/+1555770000{index}", {"answers": answers, "after": 0.3, "script": script})
    for kind in ("drop_callback", "duplicate_callback", "reorder_callbacks"):
        fault = {"kind": kind, "count": max(5, CALLS // 4), "match": {"repeat": "false"}}
        sim(site, "POST", "Faults", fault)
    for status in TERMINAL:  # the words that must not be lost are dropped by name, too
        match = {"CallStatus": status, "repeat": "false"}
        sim(site, "POST", "Faults", {"kind": "drop_callback", "count": max(2, CALLS // 50), "match": match})


def place(site: Site, web: Web, number: int) -> str:
    call = site.client.calls.create(
        to=f"+1555770000{number % len(ENDS)}", from_="+15550100", twiml="<Response><Pause length='1'/></Response>",
        timeout=2, status_callback=f"{web.url}/status", status_callback_event=EVENTS,
    )  # fmt: skip
    return str(call.sid)


def test_every_call_ends_and_every_end_is_told(start_site: Callable[..., Site]) -> None:
    site = start_site(
        sip="off", calls_per_second=str(RATE), callback_again_after=str(AGAIN), reconcile_every="1",
        speech_idle_minutes="0",
    )  # fmt: skip
    site.may_warn = True  # calls are lost, callbacks fail
    random.seed(7)
    placed: list[str] = []
    with Web() as web:
        for part in range(3):
            chaos(site, web)
            first = part * CALLS // 3
            placed += [place(site, web, number) for number in range(first, (part + 1) * CALLS // 3)]
            if part < 2:
                until(lambda seen=first: len(web.callbacks) > seen, 20, "calls are under way")
                site.kill()
                site.start()
        until(lambda: _ended(site, placed), 60 + CALLS / RATE * 2, "every call is terminal")
        until(lambda: set(placed) <= _told(web), 60, lambda: f"missing: {set(placed) - _told(web)}")
        _check(site, web, placed)


def _ended(site: Site, placed: list[str]) -> bool:
    live = [
        call
        for status in ("queued", "ringing", "in-progress")
        for call in site.client.calls.list(status=status, limit=5)
    ]
    return not live


def _told(web: Web) -> set[str]:
    return {one["CallSid"] for one in list(web.callbacks) if one.get("CallStatus") in TERMINAL}


def _check(site: Site, web: Web, placed: list[str]) -> None:
    calls = {str(call.sid): str(call.status) for call in site.client.calls.list(page_size=1000)}
    assert set(placed) == set(calls)
    assert all(status in TERMINAL for status in calls.values())
    final = [one for one in list(web.callbacks) if one.get("CallStatus") in TERMINAL]
    by_call: dict[str, set[tuple[str, str]]] = {}
    for one in final:
        by_call.setdefault(one["CallSid"], set()).add((one["CallStatus"], one["token"]))
    assert all(len(ends) == 1 for ends in by_call.values()), (
        "one end, with one token, however often it is told"
    )
    assert {sid: next(iter(ends))[0] for sid, ends in by_call.items()} == calls, "and it is the stored one"
    repeated = len(final) - len(by_call)
    metrics = urllib.request.urlopen(f"{site.url}/metrics", timeout=5).read().decode()
    again = float(metrics.split("\nringback_callbacks_repeated_total ")[1].split("\n")[0])
    assert again > 0, "some final callbacks had to be sent once more"
    print(f"{len(calls)} calls, {len(final)} final callbacks ({repeated} told twice), {again:.0f} sent again")
