"""Replays of days that were lived through a workspace, with figures that one can work out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ringback.kernel.errors import Refused
from ringback.taskrouter import replay
from ringback.taskrouter.behaviour import ACCEPTS_AFTER, Behaviour
from ringback.taskrouter.life import lives
from tests.taskrouter.test_statistics import START, events_of
from tests.taskrouter.workspace_kit import Kit


def rules(*filters: Any, default: str | None = None) -> str:
    """A configuration's text."""
    routing: dict[str, Any] = {"filters": list(filters)}
    if default is not None:
        routing["default_filter"] = {"queue": default}
    return json.dumps({"task_routing": routing})


def replayed(kit: Kit, workflow: str, draft: str, end: float | None = None) -> dict[str, Any]:
    """Replay what the kit has lived."""
    events = events_of(kit)
    until = kit.now + 1.0
    end = until if end is None else end
    tasks = [replay.slim(each) for each in events if each.event_type in replay.TASK_TYPES]
    moves = [each for each in events if each.event_type in replay.MOVE_TYPES]
    made = replay.prepare(kit.workspace, workflow, draft, tasks, moves, start=START, end=end, until=until)
    return made.run()


def seat(kit: Kit) -> None:
    """Workers that were there before the day began: their creation is no part of it."""
    kit.effects.clear()


def serve(kit: Kit, task: str, accept: float, work: float) -> None:
    """The worker accepts the task after ``accept`` seconds and finishes it after ``work`` more."""
    kit.advance(accept)
    sid = kit.offer(task)
    kit.reserve(sid, "accepted")
    kit.advance(work)
    kit.reserve(sid, "completed")


def test_the_same_rules_give_the_same_day() -> None:
    """Accepted, rejected, timed out, hung up: with the saved configuration nothing changes."""
    kit = Kit()
    queue = kit.queue("All")
    text = rules({"expression": "1==1", "targets": [{"queue": queue, "timeout": 300}]})
    flow = kit.workflow(json.loads(text)["task_routing"])
    bob, eve = kit.worker("bob"), kit.worker("eve", activity="Unavailable")
    kit.advance(0)
    seat(kit)
    first = kit.task(flow)
    waits = kit.task(flow)
    serve(kit, first, 4, 50)  # bob; then is offered the second and lets it time out
    kit.advance(10)
    hung = kit.task(flow)
    kit.advance(30)
    kit.update("Task", hung, {"reason": "hangup"}, {"AssignmentStatus": "canceled"})
    kit.advance(90)
    assert kit.workspace.workers[bob].record.activity_name == "Offline"
    kit.update("Worker", eve, {"activity_sid": kit.activity("Available")})
    kit.advance(3)
    kit.reserve(kit.offer(waits), "rejected", WorkerActivitySid=kit.activity("Unavailable"))
    kit.advance(7)
    kit.update("Worker", eve, {"activity_sid": kit.activity("Available")})
    serve(kit, waits, 6, 20)
    late = kit.task(flow)
    kit.advance(1)
    kit.update(
        "Worker", eve, {"activity_sid": kit.activity("Unavailable")}, {"RejectPendingReservations": "true"}
    )
    kit.advance(301)
    assert kit.state(late) == "canceled"

    found = replayed(kit, flow, text)
    totals = found["totals"]
    assert totals["before"] == totals["after"] == totals["same_rules"]
    assert totals["changed"] == 0
    before = totals["before"]
    assert (before["accepted"], before["canceled"], before["canceled_by_timeout"]) == (2, 2, 1)
    assert (before["reservations_rejected"], before["reservations_timed_out"]) == (2, 1)
    by_sid = {each["task_sid"]: each["before"] for each in found["tasks"]}
    assert (by_sid[first]["worker_name"], by_sid[first]["wait"]) == ("bob", 4.0)
    assert (by_sid[waits]["worker_name"], by_sid[waits]["offers"]) == ("eve", 3)
    assert (by_sid[hung]["outcome"], by_sid[hung]["reason"], by_sid[hung]["wait"]) == (
        "canceled",
        "hangup",
        30.0,
    )
    assert found["left_out"] == []


def test_a_draft_that_sends_tasks_to_another_queue() -> None:
    """One busy worker before; a second queue after: queue, worker and wait change as one expects."""
    kit = Kit()
    slow, fast = kit.queue("Slow", "team == 'a'"), kit.queue("Fast", "team == 'b'")
    flow = kit.workflow({"default_filter": {"queue": slow}})
    kit.worker("amy", team="a"), kit.worker("ben", team="b")
    seat(kit)
    one, two = kit.task(flow, {"n": 1}), kit.task(flow, {"n": 2})
    serve(kit, one, 10, 100)
    serve(kit, two, 10, 60)  # waited for amy: 120 s
    draft = rules({"expression": "n == 2", "targets": [{"queue": fast}]}, default=slow)
    found = replayed(kit, flow, draft)
    totals = found["totals"]
    assert (totals["tasks"], totals["changed"]) == (2, 1)
    assert totals["before"]["wait_until_accepted"] == {"avg": 65.0, "max": 120.0}
    assert totals["after"]["wait_until_accepted"] == {"avg": 10.0, "max": 10.0}
    assert totals["same_rules"] == totals["before"]
    changed = next(each for each in found["tasks"] if each["changes"])
    assert changed["changes"] == ["task_queue", "worker", "wait"]
    assert (changed["task_sid"], changed["after"]["worker_name"]) == (two, "ben")
    assert changed["after"]["task_queue_friendly_name"] == "Fast"
    queues = {each["friendly_name"]: each for each in found["task_queues"]}
    assert (queues["Slow"]["before"]["accepted"], queues["Slow"]["after"]["accepted"]) == (2, 1)
    assert (queues["Fast"]["before"]["accepted"], queues["Fast"]["after"]["accepted"]) == (0, 1)
    workers = {each["friendly_name"]: each for each in found["workers"]}
    assert workers["ben"]["after"]["wait_until_accepted"]["max"] == 10.0
    assert any("1 offers" in line for line in found["assumed"])  # ben was never offered it


def test_a_draft_with_a_time_limit_cancels() -> None:
    """And tasks of other workflows still take the worker's time."""
    kit = Kit()
    queue = kit.queue("All")
    ours = kit.workflow({"default_filter": {"queue": queue}}, "Ours")
    other = kit.workflow({"default_filter": {"queue": queue}}, "Other")
    kit.worker("amy")
    seat(kit)
    busy, waits = kit.task(other), kit.task(ours)
    serve(kit, busy, 5, 100)
    serve(kit, waits, 5, 10)
    draft = rules({"expression": "1==1", "targets": [{"queue": queue, "timeout": 30}]})
    totals = replayed(kit, ours, draft)["totals"]
    assert (totals["before"]["accepted"], totals["before"]["canceled_by_timeout"]) == (1, 0)
    assert (totals["after"]["accepted"], totals["after"]["canceled_by_timeout"]) == (0, 1)
    assert (totals["tasks_of_other_workflows"], totals["changed_of_other_workflows"]) == (1, 0)
    assert totals["changed_outcome"] == 1


def test_workers_come_and_go_when_they_did() -> None:
    """One who was created in the middle of the day is not there before."""
    kit = Kit()
    queue = kit.queue("All")
    flow = kit.workflow({"default_filter": {"queue": queue}})
    seat(kit)
    task = kit.task(flow)
    kit.advance(40)
    kit.worker("new")
    serve(kit, task, 2, 10)
    found = replayed(kit, flow, rules(default=queue))
    assert found["totals"]["changed"] == 0
    assert found["tasks"][0]["after"]["wait"] == 42.0


def test_what_lies_outside_is_left_alone() -> None:
    """Neither the workspace nor the stored workflow changes; a run can be repeated."""
    kit = Kit()
    queue = kit.queue("All")
    flow = kit.workflow({"default_filter": {"queue": queue}})
    kit.worker("amy")
    seat(kit)
    serve(kit, kit.task(flow), 5, 5)
    open_task = kit.task(flow)
    before = json.dumps([str(each.record) for each in kit.workspace.tasks.values()])
    configuration = kit.workspace.workflows[flow].record.configuration
    agents = [str(each.record) for each in kit.workspace.workers.values()]
    draft = rules({"expression": "1==0", "targets": [{"queue": queue}]})
    one, two = replayed(kit, flow, draft), replayed(kit, flow, draft)
    assert one == two
    assert one["totals"]["after"]["canceled"] == 2  # no filter matches
    assert json.dumps([str(each.record) for each in kit.workspace.tasks.values()]) == before
    assert kit.workspace.workflows[flow].record.configuration == configuration
    assert [str(each.record) for each in kit.workspace.workers.values()] == agents
    assert kit.state(open_task) == "reserved"


@pytest.mark.parametrize(
    ("draft", "says"),
    [
        ("{", "line 1, column 2"),
        (
            '{"task_routing": {"filters": [{"expression": "a ==", "targets": [{"queue": "WQ"}]}]}}',
            "filters[0].expression",
        ),
        ('{"task_routing": {"default_filter": {"queue": "WQ%s"}}}' % ("f" * 32), "does not exist"),
    ],
)
def test_a_bad_draft_is_refused_with_its_place(draft: str, says: str) -> None:
    """20001, as a save would be."""
    kit = Kit()
    flow = kit.workflow({"default_filter": {"queue": kit.queue("All")}})
    with pytest.raises(Refused) as refused:
        replay.check(kit.workspace, flow, draft)
    assert refused.value.code == 20001
    assert says in refused.value.message
    with pytest.raises(Refused) as refused:
        replay.check(kit.workspace, "WW" + "f" * 32, "{}")
    assert refused.value.status == 404


def test_too_many_tasks_and_tasks_that_cannot_be_played(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit refuses; a task whose worker has gone is named."""
    kit = Kit()
    queue = kit.queue("All")
    flow = kit.workflow({"default_filter": {"queue": queue}})
    amy = kit.worker("amy")
    seat(kit)
    direct = kit.task(flow, {}, {"RoutingTarget": amy})
    serve(kit, direct, 5, 5)
    kit.task(flow)
    monkeypatch.setattr(replay, "MOST_TASKS", 1)
    with pytest.raises(Refused) as refused:
        replayed(kit, flow, rules(default=queue))
    assert refused.value.code == 20001
    monkeypatch.undo()
    found = replayed(kit, flow, rules(default=queue))
    assert (found["totals"]["tasks"], found["totals"]["changed"]) == (2, 0)
    kit.advance(200)
    kit.request("delete", "Worker", amy)
    found = replayed(kit, flow, rules(default=queue), end=START + 200)
    assert found["totals"]["tasks"] == 1
    assert [each["sid"] for each in found["left_out"]] == [direct]


def test_habits() -> None:
    """What is known of the very task first, then the worker's mean, then everybody's, then a constant."""
    assert Behaviour([]).accepts_after("WK1") == ACCEPTS_AFTER
    kit = Kit()
    queue = kit.queue("All")
    flow = kit.workflow({"default_filter": {"queue": queue}})
    amy = kit.worker("amy")
    first, second = kit.task(flow), kit.task(flow)
    serve(kit, first, 4, 30)
    serve(kit, second, 8, 50)
    behaviour = Behaviour(lives(events_of(kit), START, kit.now).values())
    assert behaviour.reaction(first, amy) == ("accepted", 4.0, True)
    assert behaviour.reaction(first, amy) == ("accepted", 6.0, False)
    assert behaviour.reaction(second, "WKx") == ("accepted", 6.0, False)
    assert (behaviour.work(first, ""), behaviour.works_for("TCx")) == (30.0, 40.0)
