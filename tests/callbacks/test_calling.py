"""Calling back: never twice, whoever asks and whatever breaks (issue 4, point 6; callback-voicemail.md §7)."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from ringback.callbacks.calling import of_event, outcome, place
from ringback.effects.features import Ask, Reply
from ringback.kernel.errors import Refused
from tests.callbacks.platform import CUSTOMER, OURS, Crash, Platform
from tests.taskrouter.workspace_kit import WS


class Desk:
    """A platform with an agent who has accepted a callback."""

    def __init__(self, ours: str = OURS, **options: Any) -> None:
        self.platform = Platform(**options)
        kit = self.platform.kit
        self.worker = kit.worker("alice")
        data = {"numberToCall": CUSTOMER, "numberToCallFrom": ours, "attempts": 0}
        self.task = kit.task(self.platform.workflow, {"taskType": "callback", "callBackData": data})
        kit.reserve(kit.offer(self.task), "accepted")

    def placing(self, worker: str = "") -> Any:
        """The generator."""
        now = self.platform.kit.now
        return place(self.platform.feature, WS, worker or self.worker, self.task, "WR1", now)

    def place(self) -> Any:
        """To the end."""
        return self.platform.run(self.placing())

    def outcome(self) -> dict[str, Any]:
        """Attached, and given."""
        found: dict[str, Any] = self.platform.run(
            outcome(self.platform.feature, WS, self.task, self.platform.kit.now)
        )
        return found

    def dialled(self) -> list[str]:
        """Outbound tasks, whatever became of them."""
        tasks = self.platform.kit.workspace.tasks.values()
        return [task.record.sid for task in tasks if task.attributes.get("taskType") == "callback-outbound"]

    def data(self) -> dict[str, Any]:
        """``callBackData`` of the callback."""
        found: dict[str, Any] = self.platform.kit.workspace.tasks[self.task].attributes["callBackData"]
        return found


@pytest.mark.parametrize("stops", range(1, 12))
def test_two_processes_interleaved(stops: int) -> None:
    """One stops after any step, the other runs through, the first goes on: one call, whatever the order."""
    desk = Desk()
    first = desk.placing()
    platform, answer = desk.platform, None
    try:
        for _ in range(stops):
            answer = platform._carry_out(first.send(answer))
    except StopIteration:
        pass
    refused: list[int] = []
    for worker in (desk.worker, platform.kit.worker("bob")):
        try:
            platform.run(desk.placing(worker))
        except Refused as refusal:
            refused.append(refusal.status)
    try:
        while True:
            answer = platform._carry_out(first.send(answer))
    except (StopIteration, Refused):
        pass
    assert len(desk.dialled()) == 1
    assert set(refused) <= {403, 409, 429}


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_crash_at_every_step(after: bool) -> None:
    """The agent presses again after the restart: at most one call is dialled for what they wanted."""
    refused: list[int] = []
    for number in itertools.count(1):
        desk = Desk()
        desk.platform.crash_at = (number, after)
        try:
            desk.place()
            break
        except Crash:
            desk.platform.crash_at = None
        before = len(desk.dialled())
        try:
            desk.place()
        except Refused as refusal:
            refused.append(refusal.status)
            desk.platform.kit.advance(31)
            desk.place()
        assert len(desk.dialled()) == 1, (number, before)
    assert number > 4
    assert set(refused) == {409}


def test_the_answer_is_lost_and_nobody_knows() -> None:
    """The connection breaks, and the task appears later: the next press finds it instead of dialling again."""
    desk = Desk()
    late: list[Ask] = []

    def cut(ask: Ask) -> Reply | None:
        if "RoutingTarget" in ask.params and not late:
            late.append(ask)
            return Reply(500, unclear=True)
        return None

    desk.platform.fault = cut
    with pytest.raises(Refused, match="not known"):
        desk.place()
    desk.platform.answer(late[0])
    placed = desk.place()
    assert (placed.again, placed.task_sid) == (True, desk.dialled()[0])
    assert len(desk.dialled()) == 1


@pytest.mark.parametrize(
    ("kind", "code", "result"),
    [
        ("reservation.canceled", "45303", "busy"), ("reservation.canceled", "45305", "no-answer"),
        ("reservation.canceled", "21211", "invalid-number"), ("reservation.canceled", "", "failed"),
        ("reservation.wrapup", "", "answered"), ("reservation.timeout", "", "agent-left"),
        ("task.created", "", "unknown"),
    ],
)  # fmt: skip
def test_outcomes(kind: str, code: str, result: str) -> None:
    desk = Desk()
    assert desk.outcome() == {}, "nobody has called yet"
    placed = desk.place()
    assert desk.outcome() == {}, "it is under way"
    pending = desk.platform.kit.workspace.tasks[placed.task_sid].reservations[-1]
    desk.platform.kit.reserve(pending, "rejected")
    desk.platform.events = [{"event_type": kind, "event_data": {"canceled_reason_code": code}}]
    found = desk.outcome()
    assert (found["result"], found.get("code"), found["claim"]) == (result, int(code) if code else None, 1)
    assert desk.outcome() == desk.data()["lastOutcome"] == found
    assert desk.data()["claim"]["select"] is True
    assert desk.place().claim == 2


def test_a_sip_address_is_no_caller_id() -> None:
    """§9 no. 25: the default caller ID is used."""
    desk = Desk("sip:sales@example.test", caller_id="+15550199")
    placed = desk.place()
    assert desk.platform.kit.workspace.tasks[placed.task_sid].attributes["from"] == "+15550199"
    assert "from" not in Desk("sip:sales@example.test").platform.feature.options.caller_id


def test_what_cannot_be_called() -> None:
    desk = Desk()
    desk.platform.kit.update("Task", desk.task, {"reason": "done"}, {"AssignmentStatus": "completed"})
    with pytest.raises(Refused, match="only an assigned"):
        desk.place()
    other = desk.platform.kit.task(desk.platform.workflow, {"taskType": "chat"})
    steps = place(desk.platform.feature, WS, desk.worker, other, "", desk.platform.kit.now)
    with pytest.raises(Refused, match="no callback"):
        desk.platform.run(steps)


def test_nobody_calls_from_another_workers_task() -> None:
    desk = Desk()
    with pytest.raises(Refused) as refusal:
        desk.platform.run(desk.placing(desk.platform.kit.worker("mallory")))
    assert (refusal.value.status, desk.dialled()) == (403, [])
    attributes = desk.platform.kit.workspace.tasks[desk.place().task_sid].attributes
    assert attributes["parentTask"] in desk.platform.kit.workspace.reservations, "WR1 is none of theirs"


def test_events_of_outbound_tasks() -> None:
    desk = Desk()
    task = "WT" + "a" * 32
    attributes = {"taskType": "callback-outbound", "callBackData": {"callbackTask": task}}
    assert of_event({"TaskAttributes": json.dumps(attributes), "WorkspaceSid": WS}) == (WS, task)
    for bad in (
        "",
        "{",
        "[]",
        json.dumps({"taskType": "callback-outbound"}),
        json.dumps({**attributes, "taskType": "x"}),
    ):
        assert of_event({"TaskAttributes": bad, "WorkspaceSid": WS}) == ("", "")
    assert desk.dialled() == []
