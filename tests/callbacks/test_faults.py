"""The fault table (issue 4, "Show" 2): whatever breaks, and whenever, one live work item each time."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from ringback.callbacks.doors import sweep, unsettled
from ringback.callbacks.feature import Steps
from ringback.callbacks.wait_experience import respond
from ringback.effects.features import Ask, Reply
from tests.callbacks.platform import CALL, CUSTOMER, OURS, RECORDING, Crash, Platform, asked

HOSTED = pytest.mark.parametrize("hosted", [False, True], ids=["own", "hosted"])


def wait(platform: Platform, **params: str) -> str:
    """One request of the wait experience."""
    return str(platform.run(respond(platform.feature, params, platform.kit.now)))


def restart(platform: Platform, rounds: int = 3) -> None:
    """The feature starts again, and sweeps some times."""
    platform.crash_at, platform.fault = None, lambda ask: None
    platform.feature.memo.clear()
    for number in range(rounds):
        notes = {key: json.loads(value) for key, value in platform.notes.items()}
        for note in unsettled(notes, platform.kit.now, 10, starting=number == 0):
            platform.run(sweep(platform.feature, note, platform.kit.now))
        platform.kit.advance(31)


def crashed(platform: Platform, steps: Steps[Any]) -> bool:
    """Whether it came to the crash."""
    try:
        platform.run(steps)
    except Crash:
        return True
    return False


@HOSTED
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_crash_at_every_step_of_a_callback(hosted: bool, after: bool) -> None:
    """The order is durable before anything is done; from then on there is exactly one callback, before: none."""
    table = []
    for number in itertools.count(1):
        platform = Platform(hosted=hosted)
        task = platform.enqueue()
        platform.kit.advance(60)
        platform.crash_at = (number, after)
        params = asked(task, mode="submit-callback", to=CUSTOMER)
        if not crashed(platform, respond(platform.feature, params, platform.kit.now)):
            break
        noted = bool(platform.notes)
        platform.lose_the_call()
        restart(platform)
        table.append((number, noted, len(platform.live())))
        assert len(platform.made("callback")) == (1 if noted else 0), table
        assert len(platform.live()) == (1 if noted else 0), table
        assert {json.loads(one)["state"] for one in platform.notes.values()} <= {"done"}
    assert len(table) >= (4 if hosted else 3)
    assert [noted for _, noted, _ in table].count(False) <= (2 if after else 3), (
        "only reading comes before the note"
    )


@HOSTED
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_crash_at_every_step_of_a_voicemail(hosted: bool, after: bool) -> None:
    """From the key 2 to the attached transcript: the message's task, or a callback when there is no message."""
    for number in itertools.count(1):
        platform = Platform(hosted=hosted)
        task = platform.enqueue()
        platform.crash_at = (number, after)
        recorded = died = False
        try:
            wait(platform, **asked(task, mode="handle-callback-or-voicemail-choice", Digits="2"))
            wait(platform, **asked(task, mode="record-voicemail"))
            platform.recordings = [{"sid": RECORDING, "status": "completed", "source": "RecordVerb"}]
            recorded = True
            facts = {"RecordingSid": RECORDING, "RecordingUrl": "http://r", "RecordingStatus": "completed"}
            wait(platform, **asked(task, mode="voicemail-completed", **facts))
            wait(
                platform,
                **asked(
                    task, mode="submit-voicemail", TranscriptionText="Hello", TranscriptionSid="TR1", **facts
                ),
            )
        except Crash:
            died = True
        noted = bool(platform.notes)
        platform.lose_the_call()
        restart(platform)
        if noted:
            kind = "voicemail" if recorded else "callback"
            assert (len(platform.made(kind)), len(platform.live())) == (1, 1), (number, platform.live())
            (found,) = platform.made(kind)
            assert found["callBackData"]["numberToCall"] == CUSTOMER
        else:
            assert platform.live() == [], "the caller hung up before their wish was heard"
        if not died:
            break
    assert number > 12
    assert platform.made("voicemail")[0]["callBackData"]["transcriptText"] == "Hello"


def transcription(status: str = "completed") -> dict[str, str]:
    """The callback."""
    words = "Hello" if status == "completed" else ""
    return {"TranscriptionSid": "TR1", "TranscriptionText": words, "TranscriptionStatus": status}


@HOSTED
@pytest.mark.parametrize(
    ("order", "words"),
    [
        (("recording", "text"), "Hello"),
        (("text", "recording"), "Hello"),
        (("recording", "text", "text"), "Hello"),
        (("recording", "failed"), None),
        (("failed", "recording"), None),
        (("failed",), None),
        (("recording",), None),
        (("recording", "recording", "text"), "Hello"),
        ((), None),
    ],
    ids=[
        "usual",
        "early",
        "duplicate",
        "failed",
        "failed first",
        "recording lost",
        "absent",
        "twice",
        "both lost",
    ],
)
def test_transcription_late_duplicate_failed_absent(
    hosted: bool, order: tuple[str, ...], words: str | None
) -> None:
    platform = Platform(hosted=hosted)
    task = platform.enqueue()
    wait(platform, **asked(task, mode="handle-callback-or-voicemail-choice", Digits="2"))
    wait(platform, **asked(task, mode="record-voicemail"))
    platform.recordings = [{"sid": RECORDING, "status": "completed", "source": "RecordVerb"}]
    facts = {
        "RecordingSid": RECORDING,
        "RecordingUrl": "http://r",
        "callerNumber": CUSTOMER,
        "calledNumber": OURS,
    }
    platform.lose_the_call()
    for what in order:
        platform.kit.advance(40)
        more = {"mode": "submit-voicemail", **transcription("failed" if what == "failed" else "completed")}
        if what == "recording":
            more = {"mode": "voicemail-completed", "RecordingStatus": "completed"}
        wait(platform, **{**asked(task), **facts, **more, "Caller": "ANONYMOUS"})
    platform.kit.advance(120)
    restart(platform)
    (found,) = platform.made("voicemail")
    assert len(platform.live()) == 1
    assert found["callBackData"].get("transcriptText") == words
    assert found["callBackData"]["numberToCall"] == CUSTOMER


def test_a_late_transcript_finds_the_task_gone() -> None:
    """§5.1: it must not crash, and nothing is made anew."""
    platform = Platform()
    task = platform.enqueue()
    facts = {"RecordingSid": RECORDING, "callerNumber": CUSTOMER, "calledNumber": OURS}
    wait(platform, **asked(task, mode="handle-callback-or-voicemail-choice", Digits="2"))
    wait(platform, **{**asked(task, mode="voicemail-completed", RecordingStatus="completed"), **facts})
    (done,) = platform.live()
    platform.accept(done.sid)
    platform.kit.update("Task", done.sid, {"reason": "called"}, {"AssignmentStatus": "completed"})
    platform.kit.advance(400)
    assert done.sid not in platform.kit.workspace.tasks
    wait(platform, **{**asked(task, mode="submit-voicemail"), **facts, **transcription()})
    assert platform.live() == []


@pytest.mark.parametrize("order", [("absent", "action"), ("action", "absent"), ("action",), ("absent",)])
def test_nothing_was_said(order: tuple[str, ...]) -> None:
    """The caller hung up at the tone: nothing is left of it. Without the action it was a crash: a call back."""
    platform = Platform()
    task = platform.enqueue()
    wait(platform, **asked(task, mode="handle-callback-or-voicemail-choice", Digits="2"))
    platform.recordings = [{"sid": RECORDING, "status": "absent", "source": "RecordVerb"}]
    absent = {"mode": "voicemail-completed", "RecordingStatus": "absent", "RecordingSid": RECORDING}
    for what in order:
        more = absent if what == "absent" else {"mode": "voicemail-recorded", "Digits": "hangup"}
        wait(platform, **asked(task, **more))
    platform.lose_the_call()
    platform.kit.advance(120)
    restart(platform)
    assert len(platform.made("callback")) == len(platform.live()) == (0 if "action" in order else 1)
    assert all(json.loads(one)["state"] == "done" for one in platform.notes.values())


@HOSTED
@pytest.mark.parametrize("status", [400, 429, 500, 503])
def test_the_creation_fails(hosted: bool, status: int) -> None:
    """The truth is told: with the caller's task intact they are still in the queue; else the sweep creates it later."""
    platform = Platform(hosted=hosted)
    task = platform.enqueue()
    creates = ("Tasks", "OptOut") if not hosted else ("Tasks",)

    def broken(ask: Ask) -> Reply | None:
        failing = ask.method == "POST" and ask.path.endswith(creates)
        return Reply(status, code=20001 if status == 400 else None) if failing else None

    platform.fault = broken
    document = wait(platform, **asked(task, mode="submit-callback", to=CUSTOMER))
    if hosted:
        assert "has been noted" in document
        platform.lose_the_call()
        restart(platform)
        assert (len(platform.made("callback")), len(platform.live())) == (1, 1)
    else:
        assert "still in the queue" in document
        assert [one.sid for one in platform.live()] == [task]
        assert platform.notes == {}


@HOSTED
def test_the_answer_to_the_creation_is_lost(hosted: bool) -> None:
    """The connection breaks after the task was made: it is found, not made again."""
    platform = Platform(hosted=hosted)
    task = platform.enqueue()

    def cut(ask: Ask) -> Reply | None:
        if ask.method == "POST" and ask.path.endswith("Tasks"):
            platform.answer(ask)
            return Reply(500, unclear=True)
        return None

    platform.fault = cut
    document = wait(platform, **asked(task, mode="submit-callback", to=CUSTOMER))
    assert "has been requested" in document
    assert len(platform.made("callback")) == len(platform.live()) == 1


@HOSTED
@pytest.mark.parametrize("moment", ["before", "during"])
@pytest.mark.parametrize("mode", ["callback", "voicemail"])
def test_the_cancellation_loses_the_race(hosted: bool, moment: str, mode: str) -> None:
    """An agent accepts first, before the feature looks or between look and cancellation: they have the caller."""
    platform = Platform(hosted=hosted)
    task = platform.enqueue()

    def agent(ask: Ask) -> Reply | None:
        writes = ask.method == "POST" and ask.path.endswith((task, "OptOut"))
        if writes and platform.kit.state(task) == "pending":
            platform.accept(task)
        return None

    if moment == "before":
        platform.accept(task)
    else:
        platform.fault = agent
    if mode == "callback":
        document = wait(platform, **asked(task, mode="submit-callback", to=CUSTOMER))
    else:
        document = wait(platform, **asked(task, mode="handle-callback-or-voicemail-choice", Digits="2"))
    assert "An agent is taking your call" in document
    assert "<Hangup/>" not in document
    assert [one.sid for one in platform.live()] == [task]
    assert (platform.kit.state(task), platform.notes, platform.moved) == ("assigned", {}, [])


def test_the_call_cannot_be_moved_to_the_recording() -> None:
    """The caller has left the queue by then: they are called back instead, and told so."""
    platform = Platform()
    task = platform.enqueue()
    platform.fault = lambda ask: Reply(500) if ask.path == f"Calls/{CALL}" else None
    document = wait(platform, **asked(task, mode="handle-callback-or-voicemail-choice", Digits="2"))
    assert "An agent will call you instead" in document
    assert "<Hangup/>" in document
    assert len(platform.made("callback")) == len(platform.live()) == 1


def test_many_presses_make_one_callback() -> None:
    platform = Platform()
    task = platform.enqueue()
    for _ in range(5):
        assert "<Hangup/>" in wait(platform, **asked(task, mode="submit-callback", to=CUSTOMER))
    assert len(platform.made("callback")) == len(platform.live()) == 1


@HOSTED
def test_a_task_that_comes_late_is_found_in_a_later_round(hosted: bool) -> None:
    """§9 no. 16 while it is missing, and the menu from then on: by expression or by list."""
    platform = Platform(lookup="list" if hosted else "evaluate")
    assert "enqueuedTaskSid" not in wait(platform, **asked(mode="initialize"))
    pauses = platform.steps
    document = wait(platform, **asked(mode="main-wait-loop", skipGreeting="true"))
    assert ("not available" in document, "<Gather" in document, pauses > 5) == (True, False, True)
    task = platform.enqueue()
    document = wait(platform, **asked(mode="main-wait-loop", skipGreeting="true"))
    assert f"enqueuedTaskSid={task}" in document
    assert f"enqueuedTaskSid={task}" in wait(platform, **asked())
