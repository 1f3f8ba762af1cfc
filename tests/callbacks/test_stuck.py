"""Promises that sweeps cannot keep: the operator hears of each once (issue 11, A1)."""

from __future__ import annotations

import json

import pytest

from ringback.callbacks.doors import OVERDUE, STUDIO, complain, overdue, sweep, unsettled
from ringback.callbacks.wait_experience import respond
from ringback.effects.features import Ask, Reply
from tests.callbacks.platform import CALL, CUSTOMER, RECORDING, Platform, asked


def rounds(platform: Platform, count: int) -> None:
    """Sweeps, each half a minute after the other, as ``web/features`` makes them."""
    for _ in range(count):
        now = platform.kit.now
        notes = {key: json.loads(value) for key, value in platform.notes.items()}
        for note in unsettled(notes, now, 0):
            fault = platform.run(sweep(platform.feature, note, now))
            if fault:
                platform.run(complain(platform.feature, note, fault, now))
        for note in overdue(notes, now):
            platform.run(complain(platform.feature, note, "nobody is free", now))
        platform.kit.advance(30)


def no_tasks(ask: Ask) -> Reply | None:
    """Tasks cannot be made any more."""
    if ask.path.endswith("OptOut"):
        return Reply(405)
    refused = ask.method == "POST" and ask.path.endswith("Tasks")
    return Reply(400, code=20001, message="The workflow is gone") if refused else None


def test_a_callback_that_was_promised_and_cannot_be_made() -> None:
    platform = Platform()
    task = platform.enqueue()
    platform.fault = no_tasks
    params = asked(task, mode="submit-callback", to=CUSTOMER)
    assert "has been noted" in platform.run(respond(platform.feature, params, platform.kit.now))
    rounds(platform, 2)
    assert platform.warnings == [], "it may pass"
    rounds(platform, 8)
    (warning,) = platform.warnings
    assert (warning.subject, "The workflow is gone" in warning.text) == (CALL, True)
    assert [json.loads(note)["warned"] > 0 for note in platform.notes.values()] == [True]
    platform.fault = lambda ask: None
    rounds(platform, 2)
    assert len(platform.made("callback")) == 1, "it is tried all the same"
    assert len(platform.warnings) == 1


@pytest.mark.parametrize("what", ["call", "recordings", "task", "lasting"])
def test_a_voicemail_that_never_becomes_a_task(what: str) -> None:
    platform = Platform()
    task = platform.enqueue()
    for mode, digits in (("handle-callback-or-voicemail-choice", "2"), ("record-voicemail", "")):
        params = asked(task, mode=mode, Digits=digits)
        platform.run(respond(platform.feature, params, platform.kit.now))
    rounds(platform, 20)
    assert platform.warnings == [], "the call still lasts"
    platform.lose_the_call()
    status = "in-progress" if what == "lasting" else "completed"
    platform.recordings = [{"sid": RECORDING, "status": status, "source": "RecordVerb"}]
    broken = {"call": f"Calls/{CALL}", "recordings": "Recordings"}.get(what, "-")
    platform.fault = no_tasks if what == "task" else lambda ask: Reply(500) if ask.path == broken else None
    rounds(platform, 20)
    assert len(platform.warnings) == 1


def test_a_callback_for_which_nobody_is_ever_free() -> None:
    platform = Platform()
    now = platform.kit.now
    note = {"kind": "order", "state": "parked", "source": "at-1", "at": now, "due": now + 50}
    platform.notes["at-1"] = json.dumps(note)
    rounds(platform, int(OVERDUE // 30))
    assert platform.warnings == []
    rounds(platform, 20)
    assert [each.subject for each in platform.warnings] == ["at-1"]


@pytest.mark.parametrize("kind", ["callback", "voicemail", "callback-outbound", ""])
@pytest.mark.parametrize("reason", ["Task TTL Exceeded", "the customer called again"])
@pytest.mark.parametrize("base_url", ["", "twilio"])
def test_a_task_that_was_given_up(kind: str, reason: str, base_url: str) -> None:
    """Another platform's by its events; our own are followed without them, lest they be told twice."""
    platform = Platform(base_url=base_url)
    event = {
        "EventType": "task.canceled", "TaskSid": "WT1", "TaskCanceledReason": reason,
        "TaskAttributes": json.dumps({"taskType": kind}),
    }  # fmt: skip
    platform.run(STUDIO["task-events"](platform.feature, event, platform.kit.now))
    told = kind in ("callback", "voicemail") and reason.startswith("Task TTL") and base_url != ""
    assert [each.subject for each in platform.warnings] == (["WT1"] if told else [])


def test_a_place_in_line_that_cannot_be_kept_is_not_promised() -> None:
    """The caller's workflow is gone: the callback is at the end of another one's line."""
    platform = Platform(workflow_sid="WW" + "9" * 32)
    task = platform.enqueue()
    old, tried = platform.workflow, []

    def gone(ask: Ask) -> Reply | None:
        if ask.path.endswith("OptOut"):
            return Reply(405)
        if ask.method == "POST" and ask.path.endswith("Tasks"):
            tried.append(dict(ask.params))
            return Reply(400, code=20001) if ask.params["WorkflowSid"] == old else Reply(201, {"sid": task})
        return None

    platform.fault = gone
    params = asked(task, mode="submit-callback", to=CUSTOMER)
    document = platform.run(respond(platform.feature, params, platform.kit.now))
    assert ("An agent will call you" in document, "keep your place" in document) == (True, False)
    assert ["VirtualStartTime" in each for each in tried] == [True, False]
