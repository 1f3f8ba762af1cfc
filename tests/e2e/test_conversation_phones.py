"""``<Connect><Conversation>`` between SIP phones: who hears whom is measured, requests are as a web server got them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from tests.e2e.baresip import Phone
from tests.e2e.site import ACCOUNT, TOKEN, Site, until
from tests.e2e.test_conference import AGENT, CUSTOMER, TONES, channels, file_of, heard, tones
from tests.e2e.web import Params, Web

OURS = "+15550100"
TOML = """
[phone.desk7]
password = "wonderland"
contact_uri = "client:alice"
[phone.bob]
password = "builder"
contact_uri = "sip:bob@127.0.0.1"
"""
ALL = "call-initiated call-ringing call-answered call-completed"


class Desk:
    """A site, the worker's phone at it, and the application of its number."""

    def __init__(self, site: Site, web: Web, folder: Path) -> None:
        self.site, self.web, self.folder = site, web, folder
        self.server = f"127.0.0.1:{site.sip_port}"
        self.after: list[Params] = []
        self.seen = 0
        self.service = str(site.client.conversations.v1.services.create(friendly_name="Shop").sid)
        site.client.conversations.v1.services(self.service).users.create(identity="alice")
        site.client.frontline_api.v1.users("alice").update(is_available=True)
        answer = requests.post(
            f"{site.url}/frontline-api/v1/Services/{self.service}", auth=(ACCOUNT, TOKEN), timeout=10,
            data={"Routing": "pool"},
        )  # fmt: skip
        assert answer.ok, answer.text
        web.documents["/after"] = self._after
        (number,) = site.client.incoming_phone_numbers.list(phone_number=OURS)
        number.update(voice_url=f"{web.url}/voice", voice_method="POST")

    def _after(self, facts: Params) -> str:
        self.after.append(facts)
        return "<Response><Hangup/></Response>"

    def connects(self, attributes: str = "") -> None:
        """What callers of the number get."""
        self.web.documents["/voice"] = (
            f"<Response><Connect action='/after'><Conversation serviceInstanceSid='{self.service}' {attributes} "
            f"statusCallback='/status' statusCallbackEvent='{ALL}'/></Connect></Response>"
        )

    def phone(self, user: str, tone: str, password: str = "", *, answer: bool = False) -> Phone:
        """A phone that speaks a tone; with a password it registers."""
        phone = Phone(
            self.folder / user,
            user=user,
            server=self.server,
            password=password,
            answer=answer,
            hertz=TONES[tone],
        )
        if password:
            phone.says("200 OK (Ringback")
        return phone

    def alice(self, *, answer: bool = True) -> Phone:
        """The worker's phone: registered, and takes calls at once or not."""
        return self.phone("desk7", AGENT, "wonderland", answer=answer)

    def leg(self, direction: str) -> str:
        """SID of the one live call of a direction."""
        (call,) = until(
            lambda: [
                one for one in self.site.client.calls.list(status="in-progress") if one.direction == direction
            ],
            10,
            f"a live {direction} call",
        )
        return str(call.sid)

    def heard(self, parent: str, leg: str) -> list[list[str]]:
        """Whom the parent leg hears now, and whom the dialled one: 1.2 seconds of what is sent to each."""
        calls = self.site.client.calls
        running = [str(calls(sid).recordings.create(recording_channels="dual").sid) for sid in (parent, leg)]
        time.sleep(1.2)  # of real sound
        for sid in running:
            calls(parent).recordings(sid).update(status="stopped")
        return [tones(channels(file_of(self.site, sid))[:, 1]) for sid in running]

    def ended(self) -> Params:
        """The one action request since the last time."""
        until(lambda: len(self.after) > self.seen, 20, "the action is asked")
        self.seen += 1
        assert len(self.after) == self.seen
        return self.after[-1]

    def statuses(self, count: int) -> list[tuple[str, str]]:
        """Event and number of the status callbacks, once there are so many."""
        told = until(
            lambda: (
                len(found := [one for one in list(self.web.callbacks) if one["path"] == "/status"]) >= count
                and found
            ),
            10,
            f"{count} status callbacks",
        )
        assert {one["CallbackSource"] for one in told} == {"voice-conversation-service"}
        assert {one["ConversationSid"] for one in told} == {self.after[-1]["ConversationSid"]}
        return [(one["Status"], one["SequenceNumber"]) for one in told]


@pytest.fixture
def desk(start_site: Callable[..., Site], tmp_path: Path, web: Web) -> Desk:
    return Desk(start_site(toml=TOML), web, tmp_path)


@pytest.mark.parametrize("dual", [False, True], ids=["mono", "dual"])
def test_they_talk_and_the_worker_hangs_up(desk: Desk, dual: bool) -> None:
    """Each hears the other; the recording has both, or the caller in channel 1 and the worker in channel 2."""
    desk.connects(
        f"record='record-from-answer{'-dual' if dual else ''}' recordingStatusCallback='{desk.web.url}/recorded'"
    )
    with desk.phone(CUSTOMER, CUSTOMER) as customer, desk.alice() as alice:
        customer.dial(f"sip:{OURS}@{desk.server}")
        alice.wait("CALL_ESTABLISHED")
        calls = {CUSTOMER: desk.leg("inbound"), AGENT: desk.leg("outbound-dial")}
        assert desk.heard(calls[CUSTOMER], calls[AGENT]) == [[AGENT], [CUSTOMER]]
        assert f"sip:{CUSTOMER}@" in alice.log()  # who calls is shown
        alice.command("hangup")
        customer.wait("CALL_CLOSED")
    asked = desk.ended()
    assert (asked["Result"], asked["DialCallStatus"], asked["WorkerInitiated"]) == (
        "session-success", "completed", "false",
    )  # fmt: skip
    assert int(asked["DialCallDuration"]) >= 1
    assert asked["DialCallSid"] == calls[AGENT]
    assert desk.statuses(4) == [(name, str(number)) for number, name in enumerate(ALL.split(), 1)]
    (told,) = until(lambda: desk.web.of(calls[CUSTOMER], "/recorded"), 10, "the recording is told")
    assert told["RecordingChannels"] == ("2" if dual else "1")
    assert asked["RecordingUrl"] == told["RecordingUrl"]
    sound = channels(file_of(desk.site, told["RecordingSid"]))
    found = [tones(sound[:, channel]) for channel in range(sound.shape[1])]
    assert found == ([[CUSTOMER], [AGENT]] if dual else [[CUSTOMER, AGENT]])


def test_busy(desk: Desk) -> None:
    desk.connects()
    with desk.phone(CUSTOMER, CUSTOMER) as customer, desk.alice(answer=False) as alice:
        customer.dial(f"sip:{OURS}@{desk.server}")
        alice.wait("CALL_INCOMING")
        alice.command("hangup")
        customer.wait("CALL_CLOSED")
    asked = desk.ended()
    assert (asked["Result"], asked["DialCallStatus"], asked["DialCallDuration"]) == (
        "dialed-call-incomplete", "busy", "0",
    )  # fmt: skip
    assert desk.statuses(3) == [("call-initiated", "1"), ("call-ringing", "2"), ("call-completed", "3")]


def test_no_answer_within_the_inbound_timeout(desk: Desk) -> None:
    """The worker's phone is told to stop ringing; the caller is still there for the action's document."""
    desk.connects("inboundTimeout='2'")
    with desk.phone(CUSTOMER, CUSTOMER) as customer, desk.alice(answer=False) as alice:
        customer.dial(f"sip:{OURS}@{desk.server}")
        alice.wait("CALL_INCOMING")
        alice.wait("CALL_CLOSED")
        customer.wait("CALL_CLOSED")
    asked = desk.ended()
    assert (asked["Result"], asked["DialCallStatus"], asked["CallStatus"]) == (
        "dialed-call-incomplete", "no-answer", "in-progress",
    )  # fmt: skip
    leg = desk.site.client.calls(asked["DialCallSid"]).fetch()
    assert leg.status == "no-answer"


def test_nobody_is_registered(desk: Desk) -> None:
    desk.connects()
    with desk.phone(CUSTOMER, CUSTOMER) as customer:
        customer.dial(f"sip:{OURS}@{desk.server}")
        customer.wait("CALL_CLOSED")
    asked = desk.ended()
    assert (asked["Result"], asked["DialCallStatus"]) == ("dialed-call-incomplete", "failed")
    assert 32009 in {int(one.error_code) for one in desk.site.client.monitor.v1.alerts.list()}


def test_the_worker_declines_in_the_whisper(desk: Desk) -> None:
    """She hears who calls and presses 2; the caller never hears her."""
    desk.connects("url='/whisper'")
    whispered: list[Params] = []

    def whisper(facts: Params) -> str:
        whispered.append(facts)
        return "<Response><Gather numDigits='1' timeout='20' action='/pressed'/></Response>"

    desk.web.documents["/whisper"] = whisper
    desk.web.documents["/pressed"] = lambda facts: (
        "<Response><Hangup/></Response>" if facts["Digits"] == "2" else "<Response/>"
    )
    with desk.phone(CUSTOMER, CUSTOMER) as customer, desk.alice() as alice:
        customer.dial(f"sip:{OURS}@{desk.server}")
        until(lambda: whispered, 10, "the whisper is asked")
        assert heard(desk.site, {CUSTOMER: desk.leg("inbound")}) == {CUSTOMER: []}
        alice.press("2")
        alice.wait("CALL_CLOSED")
        customer.wait("CALL_CLOSED")
    asked = desk.ended()
    assert (asked["Result"], asked["DialCallStatus"]) == ("dialed-call-incomplete", "no-answer")
    assert whispered[0]["CallSid"] == asked["DialCallSid"]
    assert whispered[0]["ParentCallSid"] == asked["CallSid"]


def test_a_worker_calls_their_customer(desk: Desk) -> None:
    """Whose call made the conversation. She names it in the URI that she dials; the call is hers because her phone is
    registered where it comes from."""
    desk.connects()
    with desk.alice() as alice, desk.phone("bob", CUSTOMER, "builder", answer=True) as bob:
        bob.dial(f"sip:{OURS}@{desk.server}")
        alice.wait("CALL_ESTABLISHED")
        alice.command("hangup")
        bob.wait("CALL_CLOSED")
        known = desk.ended()["ConversationSid"]
        desk.statuses(4)
        desk.web.callbacks.clear()
        alice.dial(f"sip:{OURS};ConversationSid={known}@{desk.server}")
        bob.wait("CALL_ESTABLISHED", 2)
        calls = {AGENT: desk.leg("inbound"), CUSTOMER: desk.leg("outbound-dial")}
        assert desk.heard(calls[AGENT], calls[CUSTOMER]) == [[CUSTOMER], [AGENT]]
        assert f"sip:{OURS}@" in bob.log()  # the number that he knows
        bob.command("hangup")
        alice.wait("CALL_CLOSED", 2)
    asked = desk.ended()
    assert (asked["Result"], asked["WorkerInitiated"], asked["From"]) == (
        "session-success",
        "true",
        "client:alice",
    )
    assert desk.statuses(4)[-1] == ("call-completed", "4")
