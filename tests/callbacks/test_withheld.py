"""Callers who withhold their number: their message is a task, and what they hear is true (issue 11, A1)."""

from __future__ import annotations

import json
import re

import pytest

from ringback.callbacks.calling import place
from ringback.callbacks.doors import FLEX, STUDIO, sweep, unsettled
from ringback.callbacks.wait_experience import respond
from ringback.effects.features import Reply
from ringback.kernel.errors import Refused
from tests.callbacks.platform import CALL, CUSTOMER, OURS, RECORDING, Platform, asked
from tests.taskrouter.workspace_kit import WS

FORMS = [
    "anonymous", "sip:anonymous@anonymous.invalid", "Restricted", "unavailable", "+266696687", "", "sip:@example.test",
]  # fmt: skip
RECORDED = {"RecordingSid": RECORDING, "RecordingUrl": "http://r", "RecordingStatus": "completed"}


def wait(platform: Platform, task: str, mode: str, caller: str = "anonymous", **more: str) -> str:
    """One request of a caller who withholds their number."""
    params = asked(task, **{"Caller": caller, "From": caller, "mode": mode, **more})
    return str(platform.run(respond(platform.feature, params, platform.kit.now)))


def swept(platform: Platform) -> None:
    """The sweep looks at everything."""
    notes = {key: json.loads(value) for key, value in platform.notes.items()}
    for note in unsettled(notes, platform.kit.now, 10, starting=True):
        platform.run(sweep(platform.feature, note, platform.kit.now))


def query(url: str) -> dict[str, str]:
    """Of a document's URL."""
    return dict(re.findall(r"[?&](\w+)=([^&]*)", url))


@pytest.mark.parametrize("caller", FORMS)
@pytest.mark.parametrize("notified", [True, False], ids=["notified", "swept"])
def test_a_message_becomes_a_task(caller: str, notified: bool) -> None:
    platform = Platform()
    task = platform.enqueue()
    wait(platform, task, "handle-callback-or-voicemail-choice", caller, Digits="2")
    more = {name: value for name, value in query(platform.moved[0]).items() if name.endswith("Number")}
    document = wait(platform, task, "record-voicemail", caller, **more)
    assert "say in it how we can reach you" in document
    said = wait(platform, task, "voicemail-recorded", caller, **more)
    assert ("recorded" in said, "An agent will call you" in said) == (True, False)
    platform.recordings = [{"sid": RECORDING, "status": "completed", "source": "RecordVerb"}]
    platform.lose_the_call()
    if notified:
        # the platform's own word of who called does not count: caller-name lookup may have altered it
        wait(platform, task, "voicemail-completed", "+15559999999", **more, **RECORDED)
    platform.kit.advance(100)
    swept(platform)
    (found,) = platform.made("voicemail")
    assert len(platform.live()) == 1
    assert (found["from"], found["name"], found["tier"]) == ("anonymous", "Withheld number", "gold")
    data = found["callBackData"]
    assert (data["numberToCall"], data["numberToCallFrom"], data["recordingSid"]) == ("", OURS, RECORDING)
    assert (data["withheld"], data["callBackEnabled"]) == (True, False)
    assert {json.loads(note)["state"] for note in platform.notes.values()} == {"done"}
    assert platform.warnings == []


def test_nobody_calls_them_back() -> None:
    """The doors say why; the voicemail stays where it is."""
    platform = Platform()
    kit = platform.kit
    worker = kit.worker("alice")
    given = {"numberToCall": "anonymous", "numberToCallFrom": OURS, "recordingSid": RECORDING, "path": "p"}
    given |= {"workflowSid": platform.workflow, "workspaceSid": WS}
    answer = platform.run(STUDIO["create-callback"](platform.feature, given, kit.now))
    assert answer.status == 200
    task = answer.body["taskSid"]
    kit.reserve(kit.offer(task), "accepted")
    for call in (
        lambda: place(platform.feature, WS, worker, task, "WR1", kit.now),
        lambda: FLEX["requeue-callback"](platform.feature, {"taskSid": task, "workspaceSid": WS}, kit.now),
        lambda: FLEX["create-callback"](platform.feature, {"taskSid": task, "workspaceSid": WS}, kit.now),
    ):
        with pytest.raises(Refused, match="withheld their number") as refused:
            platform.run(call())
        assert refused.value.status == 400
    assert [one.sid for one in platform.live()] == [task]


@pytest.mark.parametrize("number", ["anonymous", "+266696687", "", "12", "112"])
@pytest.mark.parametrize("message", [True, False], ids=["message", "callback"])
def test_create_callback(number: str, message: bool) -> None:
    """With a recording there is a task in any case; without one the answer says what is wrong, and there is none."""
    platform = Platform()
    given = {"numberToCall": number, "numberToCallFrom": OURS, "path": "p", "workflowSid": platform.workflow}
    if message:
        given["RecordingSid"] = RECORDING
    answer = platform.run(STUDIO["create-callback"](platform.feature, given, platform.kit.now))
    if not message:
        assert (answer.status, "numberToCall" in answer.body["message"]) == (400, True)
        assert ("is withheld" in answer.body["message"]) == (number in ("anonymous", "+266696687"))
        assert platform.live() == []
        return
    (found,) = platform.made("voicemail")
    withheld = number not in ("12", "112")
    assert (found["callBackData"]["withheld"], found["callBackData"]["callBackEnabled"]) == (withheld, False)
    assert found["name"] == ("Withheld number" if withheld else number)


@pytest.mark.parametrize("caller", FORMS)
def test_a_callback_asks_for_a_number(caller: str) -> None:
    platform = Platform()
    task = platform.enqueue()
    document = wait(platform, task, "handle-callback-or-voicemail-choice", caller, Digits="1")
    assert "We cannot see the number" in document
    assert "submit-callback" not in document
    assert "calling from, press 1" not in document
    document = wait(
        platform, task, "handle-callback-for-other-number-confirmation-option", caller, Digits="4155550100"
    )
    assert "+14155550100" in document
    document = wait(
        platform, task, "handle-callback-for-other-number-confirmation", caller,
        updatedPhoneNumber="+14155550100", Digits="1",
    )  # fmt: skip
    assert "to=%2B14155550100" in document
    assert "<Hangup/>" in wait(platform, task, "submit-callback", caller, to="+14155550100")
    (found,) = platform.made("callback")
    assert (found["callBackData"]["numberToCall"], found["name"]) == ("+14155550100", "+14155550100")
    assert "withheld" not in found["callBackData"]


def test_without_another_number_there_is_no_callback() -> None:
    platform = Platform(allow_alternate_number=False)
    task = platform.enqueue()
    for mode in ("handle-callback-or-voicemail-choice", "submit-callback"):
        document = wait(platform, task, mode, Digits="1")
        assert ("You are still in the queue" in document, "main-wait-loop" in document) == (True, True)
    assert [one.sid for one in platform.live()] == [task]


def test_the_message_cannot_be_recorded() -> None:
    """They are told that they will not be called, and the operator that a caller is lost."""
    platform = Platform()
    task = platform.enqueue()
    platform.fault = lambda ask: Reply(500) if ask.path == f"Calls/{CALL}" else None
    document = wait(platform, task, "handle-callback-or-voicemail-choice", Digits="2")
    assert ("Please call again" in document, "will call you" in document) == (True, False)
    assert [each.subject for each in platform.warnings] == [CALL]
    assert platform.notes == {}


@pytest.mark.parametrize("caller", [CUSTOMER, "anonymous"])
@pytest.mark.parametrize("heard", [True, False])
def test_a_message_that_a_crash_took(caller: str, heard: bool) -> None:
    """Nothing of it is on record: whoever can be is called back, of the others the operator hears."""
    platform = Platform()
    task = platform.enqueue()
    wait(platform, task, "handle-callback-or-voicemail-choice", caller, Digits="2")
    if heard:
        wait(platform, task, "voicemail-recorded", caller)
    platform.lose_the_call()
    platform.kit.advance(100)
    for _ in range(3):
        swept(platform)
    known = caller == CUSTOMER
    assert (len(platform.made("callback")), len(platform.warnings)) == ((1, 0) if known else (0, 1))
    assert all(json.loads(note)["state"] == "done" for note in platform.notes.values())
