"""Outbound calls by the official client to SIPp: what each end of a call is called, and in which order it is told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.sipp import Callee
from tests.e2e.site import Site, free_port, until
from tests.e2e.web import Web

HELLO = "<Response><Pause length='1'/><Hangup/></Response>"
EVENTS = ["initiated", "ringing", "answered", "completed"]
RANG = ("initiated", "ringing")


@dataclass(frozen=True)
class Case:
    """What the far end does, and what everybody is told."""

    callee: str
    status: str
    sip: str
    error: str | None
    told: tuple[str, ...]
    """`CallStatus` of the callbacks in their order, without the last."""
    more: tuple[tuple[str, Any], ...] = ()
    update: str | None = None
    """A status that is POSTed to the call when `update_at` was reported."""
    update_at: str = ""
    port_is_closed: bool = False

    def __str__(self) -> str:
        return f"{self.callee} {self.update or ''}{' closed' if self.port_is_closed else ''}".strip()


CASES = [
    Case("answers", "completed", "200", None, ("initiated", "ringing", "in-progress")),
    Case("hangs up", "completed", "200", None, ("initiated", "ringing", "in-progress")),
    Case("486 Busy Here", "busy", "486", None, RANG),
    Case("603 Decline", "busy", "603", None, RANG),
    Case("404 Not Found", "failed", "404", "13224", RANG),
    Case("503 Service Unavailable", "failed", "503", "32011", RANG),
    Case("480 Temporarily Unavailable", "no-answer", "480", None, RANG),
    Case("488 Not Acceptable Here", "failed", "488", "32102", RANG),
    Case("rings", "no-answer", "487", None, RANG, (("timeout", 2),)),
    Case("rings", "canceled", "487", None, RANG, (), "canceled", "ringing"),
    Case("rings", "canceled", "487", None, RANG, (), "completed", "ringing"),
    Case("trying", "canceled", "487", None, ("initiated",), (), "canceled", "initiated"),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_outbound_call_is_reported_as_it_ended(case: Case, shared: Site, tmp_path: Path) -> None:
    """`Calls/{sid}`, and the callbacks in the order of their arrival, by the table of voice-calls.md §4.1."""
    with Web() as web, Callee(tmp_path, case.callee) as callee:
        call = shared.client.calls.create(
            to=f"sip:+15557654321@127.0.0.1:{callee.port}", from_="+15550100", twiml=HELLO,
            status_callback=f"{web.url}/status", status_callback_event=EVENTS, **dict(case.more),
        )  # fmt: skip
        sid = str(call.sid)
        assert call.status == "queued"
        if case.update:
            until(lambda: any(one["CallStatus"] == case.update_at for one in web.of(sid)), 5, case.update_at)
            shared.client.calls(sid).update(status=case.update)
        assert shared.ended(sid) == case.status
        check(shared, web, sid, case)
        if case.status == "completed":
            assert int(shared.client.calls(sid).fetch().duration) >= 1
        assert len(callee.invites()) == 1


def check(site: Site, web: Web, sid: str, case: Case) -> None:
    """The callbacks of one ended call."""
    expected = [*case.told, case.status]
    until(lambda: len(web.of(sid)) >= len(expected), 5, f"{expected}: {web.of(sid)}")
    told = web.of(sid)
    assert [one["CallStatus"] for one in told] == expected
    assert [one["SequenceNumber"] for one in told] == [str(number) for number in range(len(expected))]
    assert len({one["token"] for one in told}) == len(told), "each has an idempotency token of its own"
    last = told[-1]
    assert last["SipResponseCode"] == case.sip
    assert last.get("ErrorCode") == case.error
    assert all("SipResponseCode" not in one for one in told[:-1])
    assert all(one["CallbackSource"] == "call-progress-events" for one in told)
    assert ("Duration" in last) is (case.status == "completed")
    assert (int(last["CallDuration"]) > 0) is (case.status == "completed")
    shown = site.client.calls(sid).fetch()
    assert shown.status == case.status


def test_a_port_where_nobody_listens(start_site: Any, web: Web) -> None:
    """ICMP says so at once (or nobody answers for 32 s): failed, never lost."""
    site = start_site()
    port = free_port()
    call = site.client.calls.create(
        to=f"sip:+15557654321@127.0.0.1:{port};transport=tcp", from_="+15550100", twiml=HELLO,
        status_callback=f"{web.url}/status", status_callback_event=EVENTS,
    )  # fmt: skip
    assert site.ended(str(call.sid), 20) == "failed"  # a refused connection is known before any time-out
    check(site, web, str(call.sid), Case("closed", "failed", "503", "13254", ("initiated",)))


def test_the_ring_time_ends_an_attempt_that_nobody_hears(shared: Site, web: Web) -> None:
    """A silent callee is given up when its ring time is over, not when the transport gives up (32 s)."""
    call = shared.client.calls.create(
        to="sip:a@127.0.0.1:9", from_="+15550100", twiml=HELLO, timeout=2,
        status_callback=f"{web.url}/status", status_callback_event=EVENTS,
    )  # fmt: skip
    assert shared.ended(str(call.sid), 5) == "no-answer"
    check(shared, web, str(call.sid), Case("silent", "no-answer", "487", None, ("initiated",)))


def test_canceled_while_it_waits_in_the_queue(start_site: Any, web: Web, tmp_path: Path) -> None:
    """Cancelled before it is dialled: no INVITE, no callback (voice-calls.md §4)."""
    site = start_site(calls_per_second="0.2")
    with Callee(tmp_path / "callee", "rings") as callee:
        sids = [
            str(site.client.calls.create(
                to=f"sip:+15557654321@127.0.0.1:{callee.port}", from_="+15550100", twiml=HELLO,
                status_callback=f"{web.url}/status", status_callback_event=EVENTS,
            ).sid)
            for _ in range(3)
        ]  # fmt: skip
        until(lambda: len(web.of(sids[0])) == 2, 5, "the first rings")
        assert site.status(sids[2]) == "queued"
        assert site.client.calls(sids[2]).update(status="canceled").status == "canceled"
        site.client.calls(sids[1]).update(status="canceled")
        site.client.calls(sids[0]).update(status="canceled")
        assert [site.ended(sid) for sid in sids] == ["canceled"] * 3
        until(lambda: len(web.of(sids[0])) == 3, 5, "the first is reported")
        assert not web.of(sids[1])
        assert not web.of(sids[2])
        assert len(callee.invites()) == 1


def test_an_answered_call_runs_its_document_from_the_web(site: Site, web: Web, tmp_path: Path) -> None:
    """A spoken sentence, a sound over HTTP, and our hang-up; the document is asked for once, when it is answered."""
    asked: list[str] = []

    def document(facts: dict[str, str]) -> str:
        asked.append(facts["CallStatus"])
        return "<Response><Say>One.</Say><Pause length='1'/><Hangup/></Response>"

    web.documents["/voice"] = document
    with Callee(tmp_path / "callee", "answers") as callee:
        call = site.client.calls.create(
            to=f"sip:+15557654321@127.0.0.1:{callee.port}", from_="+15550100", url=f"{web.url}/voice",
            status_callback=f"{web.url}/status",
        )  # fmt: skip
        assert site.ended(str(call.sid)) == "completed"
        until(lambda: "BYE sip:" in callee.heard(), 5, "the far end got a BYE")
    assert asked == ["in-progress"]
    until(lambda: web.of(str(call.sid)), 5, "the only callback it asked for")
    assert [one["CallStatus"] for one in web.of(str(call.sid))] == ["completed"]
