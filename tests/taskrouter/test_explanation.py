"""The explanation says what the engine did, because it asks the engine's own checks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ringback.kernel.errors import Refused
from ringback.taskrouter import assignment
from ringback.taskrouter.explanation import explain
from ringback.taskrouter.live import LiveTask, LiveTaskQueue, LiveWorker
from ringback.taskrouter.workspace import LiveWorkspace
from tests.taskrouter.test_statistics import events_of
from tests.taskrouter.workspace_kit import Kit


def workers(kit: Kit, task: str) -> dict[str, dict[str, Any]]:
    """The explanation's workers by name, in order."""
    found = explain(kit.workspace, task, kit.now, [])
    return {each["worker_name"]: each for each in found["workers"]}


def support(**queue: Any) -> tuple[Kit, str, str]:
    """A queue of those who speak, and a workflow with two filters."""
    kit = Kit()
    sid = kit.queue("Support", "skills HAS 'support'", **queue)
    flow = kit.workflow(
        {
            "filters": [
                {"filter_friendly_name": "gold", "expression": "tier == 'gold'", "targets": [{"queue": sid}]},
                {
                    "filter_friendly_name": "speaks",
                    "expression": "lang != null",
                    "targets": [
                        {"queue": sid, "expression": "task.lang IN worker.languages", "timeout": 60},
                        {"queue": sid, "priority": 5},
                    ],
                },
            ]
        }
    )
    return kit, sid, flow


def test_every_worker_has_their_reason() -> None:
    """One worker for each check, and one who was chosen; the nearest come first."""
    kit, _, flow = support()
    skills: dict[str, Any] = {"skills": ["support"], "languages": ["de"]}
    kit.worker("sales", skills=["sales"])
    kit.worker("away", activity="Unavailable", **skills)
    kit.worker("english", skills=["support"], languages=["en"])
    full = kit.worker("full", **skills)
    muted = kit.worker("muted", **skills)
    default = kit.workspace.channel_names["default"]
    for sid, params in ((full, {"Capacity": "0"}), (muted, {"Available": "false"})):
        kit.update("WorkerChannel", kit.workspace.workers[sid].channels[default].sid, params=params)
    task = kit.task(flow, {"lang": "de"})
    found = workers(kit, task)
    assert {name: each["reason"] for name, each in found.items()} == {
        "sales": "not_in_queue", "away": "not_available", "english": "expression_false", "full": "no_capacity",
        "muted": "channel_unavailable",
    }  # fmt: skip
    assert list(found) == ["english", "full", "muted", "away", "sales"]
    assert found["full"]["words"] == "holds as many tasks of this channel as they may"
    assert not any(each["chosen"] for each in found.values())

    kit.advance(1)
    kit.worker("good", **skills)
    kit.worker("second", **skills)
    found = workers(kit, task)
    assert list(found)[:2] == ["good", "second"]
    assert (found["good"]["chosen"], found["good"]["reason"], found["good"]["rank"]) == (
        True,
        "offered",
        None,
    )
    assert found["good"]["reservations"][0]["reservation_status"] == "pending"
    assert (found["second"]["chosen"], found["second"]["reason"], found["second"]["rank"]) == (
        False,
        "longest_idle",
        1,
    )
    assert found["second"]["words"] == "longest idle was good"
    kit.advance(5)
    kit.worker("late", **skills)
    assert workers(kit, task)["late"]["reason"] == "free_later"
    kit.reserve(kit.offer(task), "accepted")
    found = workers(kit, task)
    assert (found["good"]["chosen"], found["good"]["reason"]) == (True, "accepted")
    assert found["second"]["reason"] == "not_waiting"


def test_order_by_and_a_rejection() -> None:
    """Who comes first by the target's order, and who said no."""
    kit = Kit()
    queue = kit.queue("All")
    flow = kit.workflow({"default_filter": {"queue": queue, "order_by": "worker.level DESC"}})
    kit.worker("low", level=1), kit.worker("high", level=9)
    task = kit.task(flow)
    assert kit.pending(task) == ["high"]
    found = workers(kit, task)
    assert found["low"]["reason"] == "order_by"
    assert "worker.level DESC" in found["low"]["words"]
    kit.reserve(kit.offer(task), "rejected", WorkerActivitySid=kit.activity("Unavailable"))
    found = workers(kit, task)
    assert (found["low"]["reason"], found["high"]["reason"]) == ("offered", "not_available")
    assert [each["reservation_status"] for each in found["high"]["reservations"]] == ["rejected"]


def test_where_the_task_stands() -> None:
    """Filter, target, place in line, timers and history."""
    kit, queue, flow = support()
    kit.task(flow, {"lang": "fr"}, priority=9)
    task = kit.task(flow, {"lang": "de"})
    found = explain(kit.workspace, task, kit.now, events_of(kit))
    standing = found["standing"]
    assert (standing["filter_index"], standing["filter_name"], standing["target_index"]) == (1, "speaks", 0)
    assert (standing["task_queue_sid"], standing["place_in_line"], standing["tasks_in_line"]) == (queue, 2, 2)
    assert standing["target"]["expression"] == "task.lang IN worker.languages"
    assert standing["timers"]["target_timeout"] == "2027-01-15T08:01:00Z"
    assert standing["timers"]["time_to_live"] == "2027-01-16T08:00:00Z"
    matched = [(each["name"], each["matched"], each["current"]) for each in found["filters"]]
    assert matched == [("gold", False, False), ("speaks", True, True)]
    assert [each["current"] for each in found["filters"][1]["targets"]] == [True, False]
    kinds = [each["event_type"] for each in found["history"]]
    assert "workflow.target-matched" in kinds

    kit.advance(61)
    standing = explain(kit.workspace, task, kit.now, [])["standing"]
    assert (standing["target_index"], standing["priority"], standing["timers"]["target_timeout"]) == (
        1,
        5,
        None,
    )
    worker = kit.worker("any", skills=["support"])
    found = explain(kit.workspace, task, kit.now, [])
    assert (
        found["standing"]["place_in_line"] == 1
    )  # the one with priority 9 got priority 5 as well, and is offered
    first = next(iter(kit.workspace.tasks))
    timeouts = explain(kit.workspace, first, kit.now, [])["standing"]["timers"]["reservation_timeouts"]
    assert [(each["worker_sid"], each["at"]) for each in timeouts] == [(worker, "2027-01-15T08:03:01Z")]
    assert found["workers"][0]["reason"] == "no_capacity"

    kit.update("Workflow", flow, {"configuration": json.dumps({"default_filter": {"queue": queue}})})
    found = explain(kit.workspace, task, kit.now, [])
    assert (found["standing"]["filter_name"], found["standing"]["target"]) == (
        None,
        None,
    )  # it keeps its queue
    assert [each["name"] for each in found["filters"]] == ["default_filter"]


def test_a_task_that_has_ended_waits_no_more() -> None:
    """What it waited is counted until somebody accepted it, or until it was canceled; not until somebody asks."""

    def waited(task: str) -> int:
        return int(explain(kit.workspace, task, kit.now, [])["standing"]["waited_seconds"])

    kit = Kit()
    flow = kit.workflow({"default_filter": {"queue": kit.queue("All")}})
    canceled, accepted = kit.task(flow), kit.task(flow)
    kit.advance(7)
    kit.update("Task", canceled, {"reason": "hangup"}, {"AssignmentStatus": "canceled"})
    kit.worker("amy")
    kit.advance(3)
    kit.reserve(kit.offer(accepted), "accepted")
    assert (waited(canceled), waited(accepted)) == (7, 10)
    kit.advance(100)
    assert (waited(canceled), waited(accepted)) == (7, 10)


def test_known_worker_and_a_task_for_one_worker() -> None:
    """Both say who it is for."""
    kit = Kit()
    queue = kit.queue("All")
    flow = kit.workflow(
        {"filters": [{"expression": "1==1", "targets": [{"queue": queue, "known_worker_sid": "task.agent"}]}]}
    )
    one, two = kit.worker("one", activity="Unavailable"), kit.worker("two")
    task = kit.task(flow, {"agent": one})
    assert {name: each["reason"] for name, each in workers(kit, task).items()} == {
        "two": "not_the_known_worker",
        "one": "not_available",
    }
    direct = kit.task(flow, {}, {"RoutingTarget": one, "IgnoreCapacity": "false"})
    found = workers(kit, direct)
    assert (found["one"]["reason"], found["two"]["reason"]) == ("not_free", "routed_to_one_worker")
    assert explain(kit.workspace, direct, kit.now, [])["standing"]["target"] is None
    with pytest.raises(Refused) as refused:
        explain(kit.workspace, "WT" + "f" * 32, kit.now, [])
    assert refused.value.status == 404
    assert two


def test_engine_and_explanation_use_the_same_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that is put into CHECKS changes the assignment and the explanation alike."""

    def not_monday(workspace: LiveWorkspace, queue: LiveTaskQueue, task: LiveTask, agent: LiveWorker) -> bool:
        return agent.record.friendly_name != "monday"

    check = ("no_mondays", "is called Monday", not_monday)
    monkeypatch.setattr(assignment, "CHECKS", (*assignment.CHECKS, check))
    kit, _, flow = support()
    kit.worker("monday", skills=["support"])
    record = kit.task(flow, {"tier": "gold"})
    assert kit.pending(record) == []
    assert workers(kit, record)["monday"]["reason"] == "no_mondays"
    assert workers(kit, record)["monday"]["words"] == "is called Monday"
    kit.worker("friday", skills=["support"])
    assert kit.pending(record) == ["friday"]

    monkeypatch.setattr(
        assignment, "CHECKS", tuple(each for each in assignment.CHECKS if each[0] != "not_in_queue")
    )
    monkeypatch.setattr(assignment, "rank", lambda workspace, task, agent: agent.record.friendly_name)
    for name in ("zoe", "abe"):
        kit.worker(name, skills=["support"])
    free = [each for each in workers(kit, record).values() if each["rank"] is not None]
    assert [each["worker_name"] for each in free] == ["abe", "zoe"]


def test_pages() -> None:
    """Every worker is on exactly one page."""
    kit, _, flow = support()
    for number in range(7):
        kit.worker(f"w{number}")
    task = kit.task(flow, {"tier": "gold"})
    names = []
    for page in range(4):
        found = explain(kit.workspace, task, kit.now, [], page=page, size=3)
        names += [each["worker_name"] for each in found["workers"]]
        assert found["total_workers"] == 7
    assert sorted(names) == [f"w{number}" for number in range(7)]


def test_a_transfer_that_waits_is_explained_like_a_waiting_task() -> None:
    """The task is assigned still, but stands in line for the other queue."""
    kit = Kit()
    first, second = kit.queue("First", "team == 'a'"), kit.queue("Second", "team == 'b'")
    flow = kit.workflow({"default_filter": {"queue": first}})
    kit.worker("alice", team="a")
    task = kit.task(flow)
    offer = kit.offer(task)
    kit.reserve(offer, "accepted")
    kit.worker("bob", activity="Unavailable", team="b")
    kit.create("Transfer", kit.sid("TT"), params={"TaskSid": task, "ReservationSid": offer, "To": second})
    found = explain(kit.workspace, task, kit.now, [])
    assert (found["assignment_status"], found["standing"]["place_in_line"]) == ("assigned", 1)
    reasons = {each["worker_name"]: each["reason"] for each in found["workers"]}
    assert reasons == {"alice": "accepted", "bob": "not_available"}
