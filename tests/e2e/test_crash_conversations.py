"""The server is killed at each step of a conversation call between SIP phones: nothing stays half done."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e.baresip import Phone
from tests.e2e.site import ACCOUNT, TERMINAL, TOKEN, Site, until
from tests.e2e.test_conference import CUSTOMER
from tests.e2e.test_conversation_phones import ALL, OURS, TOML, Desk
from tests.e2e.web import Params, Web

STEPS = ["match", "route", "ringing", "whisper", "bridged"]


class Killed(Desk):
    """The desk of those tests; its application can be slow, and says when it is asked what it is slow with."""

    def __init__(self, site: Site, web: Web, folder: Path, step: str) -> None:
        super().__init__(site, web, folder)
        site.may_warn = True  # it says that calls were lost
        self.step = step
        self.asked, self.let = threading.Event(), threading.Event()
        web.documents |= {"/pre": self._slow, "/routing": self._slow, "/whisper": self._slow}
        (number,) = site.client.incoming_phone_numbers.list(phone_number=OURS)
        number.update(status_callback=f"{web.url}/call")
        told = f"recordingStatusCallback='{web.url}/recorded' recordingStatusCallbackEvent='completed absent'"
        whisper = "url='/whisper'" if step == "whisper" else ""
        self.connects(f"record='record-from-ringing' {told} {whisper}")
        self.threads = site.client.conversations.v1.services(self.service)
        if step == "match":
            self.threads.configuration.webhooks().update(
                filters=["onConversationAdd"], method="POST", pre_webhook_url=f"{web.url}/pre"
            )
        elif step == "route":
            self.routes(Routing="custom", RoutingUrl=f"{web.url}/routing")

    def routes(self, **how: str) -> None:
        """Set the service's routing."""
        url = f"{self.site.url}/frontline-api/v1/Services/{self.service}"
        assert requests.post(url, auth=(ACCOUNT, TOKEN), timeout=10, data=how).ok

    def _slow(self, facts: Params) -> str:
        self.asked.set()
        self.let.wait(20)
        return "<Response/>" if self.step == "whisper" else ""

    def told(self, status: str = "") -> list[Params]:
        """Status callbacks of the noun, those of one event or all."""
        every = [one for one in list(self.web.callbacks) if one["path"] == "/status"]
        return [one for one in every if status in ("", one["Status"])]

    def reaches_it(self, customer: Phone, alice: Phone) -> None:
        """The customer's call gets to the step."""
        customer.dial(f"sip:{OURS}@{self.server}")
        if self.step == "ringing":
            alice.wait("CALL_INCOMING")
            until(lambda: self.told("call-ringing"), 40, "it rings")
        elif self.step == "bridged":
            until(lambda: self.told("call-answered"), 40, "they talk")
            sounds = self.site.folder / "var" / "recordings"
            until(
                lambda: (
                    (files := list(sounds.glob("*.wav")))
                    and all(file.stat().st_size > 16044 for file in files)
                ),
                40,
                "a second is recorded",
            )
        else:
            assert self.asked.wait(40)

    def calls(self) -> list[Any]:
        """Every call, when all have ended."""
        found = self.site.client.calls.list()
        return list(found) if all(one.status in TERMINAL for one in found) else []


@pytest.mark.parametrize("step", STEPS)
def test_kill_9_in_a_conversation_call(
    step: str, start_site: Callable[..., Site], web: Web, tmp_path: Path
) -> None:
    """Its calls are over and say so, once and in order; the next call of the customer finds one conversation, whole."""
    desk = Killed(start_site(toml=TOML), web, tmp_path, step)
    with desk.phone(CUSTOMER, CUSTOMER) as customer, desk.alice(answer=step != "ringing") as alice:
        desk.reaches_it(customer, alice)
        desk.site.kill()
        for each in (customer, alice):
            each.drop()
    desk.let.set()
    before = len(desk.told("call-completed"))
    desk.site.start()
    _calls_are_over(desk, until(desk.calls, 40, "every call is terminal"))
    assert before == 0
    _the_next_call_works(desk)


def _calls_are_over(desk: Killed, calls: list[Any]) -> None:
    (inbound,) = [one for one in calls if one.direction == "inbound"]
    legs = [one for one in calls if one.direction == "outbound-dial"]
    assert len(legs) == (desk.step in ("ringing", "whisper", "bridged"))
    assert inbound.status == "completed", "it had been answered"
    (final,) = until(lambda: desk.web.of(str(inbound.sid), "/call"), 40, "its end is told")
    assert (final["CallStatus"], final["CallDuration"]) == ("completed", str(inbound.duration))
    assert desk.after == [], "nobody is there any more for the action's document"
    for leg in legs:
        assert leg.status == ("failed" if desk.step == "ringing" else "completed")
        until(lambda: desk.told("call-completed"), 40, "the session's end is told")
    by_number = {one["SequenceNumber"]: (one["Status"], one["token"]) for one in desk.told()}
    expected = {"ringing": [0, 1, 3], "whisper": [0, 1, 2, 3], "bridged": [0, 1, 2, 3]}.get(desk.step, [])
    assert [by_number[number][0] for number in sorted(by_number)] == [ALL.split()[each] for each in expected]
    assert sorted(by_number) == [str(number) for number in range(1, len(expected) + 1)]
    assert len({(one["SequenceNumber"], one["Status"], one["token"]) for one in desk.told()}) == len(
        by_number
    )
    recorded = [one for one in list(desk.web.callbacks) if one["path"] == "/recorded"]
    assert {one.status for one in desk.site.client.recordings.list()} <= {"completed", "absent"}
    if desk.step == "bridged":
        (kept,) = desk.site.client.recordings.list()
        until(lambda: [one for one in list(desk.web.callbacks) if one["path"] == "/recorded"], 40)
        assert (kept.status, int(kept.duration) >= 1) == ("completed", True)
    else:
        assert len({one["RecordingSid"] for one in recorded}) <= 1


def _the_next_call_works(desk: Killed) -> None:
    """The same customer calls; where the worker had not come yet, she is added by hand, or by the pool. (A conversation
    that was being made is made: the application that was asked about it knows of it.)"""
    known = desk.threads.conversations.list()
    assert len(known) <= 1, "one conversation of a customer"
    if desk.step == "route":
        people = desk.threads.conversations(str(known[0].sid)).participants
        assert [one.identity for one in people.list()] == [None], "nobody was added"
        people.create(identity="alice")
    desk.folder = desk.folder / "again"
    desk.web.documents["/whisper"] = "<Response/>"
    desk.step = "again"
    with desk.phone(CUSTOMER, CUSTOMER) as customer, desk.alice() as alice:
        customer.dial(f"sip:{OURS}@{desk.server}")
        until(lambda: "CALL_ESTABLISHED" in alice.events or desk.after, 60, "she is called, or it ends")
        alerts = desk.site.client.monitor.v1.alerts.list()
        assert desk.after == [], [(one.error_code, one.alert_text) for one in alerts]
        alice.command("hangup")
        customer.wait("CALL_CLOSED")
    asked = desk.ended()
    assert (asked["Result"], asked["DialCallStatus"]) == ("session-success", "completed")
    (thread,) = desk.threads.conversations.list()
    assert asked["ConversationSid"] == thread.sid
    people = desk.threads.conversations(str(thread.sid)).participants.list()
    assert sorted(str(one.identity) for one in people) == ["None", "alice"]
