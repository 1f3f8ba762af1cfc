"""The way through a workflow, rule by rule (taskrouter.md §5.1)."""

from __future__ import annotations

import pytest

from tests.taskrouter.states import one_filter, place
from tests.taskrouter.workspace_kit import Kit

# --- 1: entry ---------------------------------------------------------------------------------------------------


def test_1_the_first_filter_that_is_true() -> None:
    """The rest are not looked at."""
    kit = Kit()
    queues = [kit.queue(name) for name in "ABC"]
    filters = [
        {"expression": expression, "targets": [{"queue": queue}]}
        for expression, queue in zip(("x == 1", "x > 0", "1==1"), queues, strict=True)
    ]
    flow = kit.workflow({"filters": filters})
    for attributes, expected in (({"x": 1}, "A"), ({"x": 2}, "B"), ({}, "C")):
        assert place(kit, kit.task(flow, attributes))[0] == expected


def test_1_events_of_the_entry() -> None:
    """workflow.entered, target-matched, task-queue.entered, in this order."""
    kit = Kit()
    flow = kit.workflow(one_filter({"queue": kit.queue("A")}))
    seen = len(kit.kinds())
    kit.task(flow)
    assert kit.kinds()[seen:] == [
        "task.created",
        "workflow.entered",
        "workflow.target-matched",
        "task-queue.entered",
    ]


# --- 2: entering a target --------------------------------------------------------------------------------------


def test_2_priority_is_rewritten_and_kept() -> None:
    """Each target's own; absent: keep."""
    kit = Kit()
    queue = kit.queue("A")
    flow = kit.workflow(
        one_filter(
            {"queue": queue, "timeout": 10, "priority": 5}, {"timeout": 10}, {"priority": 80, "timeout": 10},
            {"priority": 0},
        )
    )  # fmt: skip
    task = kit.task(flow, priority=3)
    found = []
    for _ in range(4):
        found.append(kit.workspace.tasks[task].record.priority)
        kit.advance(10)
    assert found == [5, 5, 80, 0]


def test_2_queue_change() -> None:
    """task-queue.moved with a new entry date; none when the queue stays."""
    kit = Kit()
    first, second = kit.queue("A"), kit.queue("B")
    flow = kit.workflow(one_filter({"queue": first, "timeout": 10}, {"timeout": 10}, {"queue": second}))
    task = kit.task(flow)
    entered = kit.now
    seen = len(kit.kinds())
    kit.advance(10)
    assert kit.kinds()[seen:] == ["task-queue.timeout", "workflow.target-matched"]
    assert kit.workspace.tasks[task].record.task_queue_entered_date == entered
    seen = len(kit.kinds())
    kit.advance(10)
    assert kit.kinds()[seen:] == ["task-queue.timeout", "workflow.target-matched", "task-queue.moved"]
    assert kit.workspace.tasks[task].record.task_queue_entered_date == entered + 20
    assert place(kit, task) == ("B", 0, 2)


# --- 3: skip_if ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("skip_if", "available", "away", "skipped"),
    [
        ("1==1", 0, 0, True), ("1==2", 0, 0, False), ("workers.available == 0", 0, 2, True),
        ("workers.available == 0", 1, 0, False), ("workers.unavailable > 1", 0, 2, True),
        ("workers.unavailable > 1", 0, 1, False), ("workers.{Unavailable} >= 1", 0, 1, True),
        ("workers.{Unavailable} >= 1", 1, 0, False),
        ("workers.available == 0 AND workers.unavailable == 1", 0, 1, True),
    ],
)  # fmt: skip
def test_3_counts(skip_if: str, available: int, away: int, skipped: bool) -> None:
    """Head-counts of the target's queue. The available ones are busy."""
    kit = Kit()
    first, second = kit.queue("A", "team == 'a'"), kit.queue("B")
    for number in range(available):
        kit.worker(f"in{number}", team="a")
    for number in range(away):
        kit.worker(f"out{number}", activity="Unavailable", team="a")
    kit.worker("elsewhere", activity="Unavailable", team="b")
    for _ in range(available):
        kit.task(kit.workflow(one_filter({"queue": first}), kit.sid("")))
    text = skip_if.format(Unavailable=kit.activity("Unavailable"))
    task = kit.task(kit.workflow(one_filter({"queue": first, "skip_if": text}, {"queue": second})))
    assert place(kit, task)[0] == ("B" if skipped else "A")


def test_3_not_skipped_when_somebody_can_take_it() -> None:
    """``1==1``: skip whenever nobody can take it *now*."""
    kit = Kit()
    first, second = kit.queue("A"), kit.queue("B")
    kit.worker("Ann")
    flow = kit.workflow(one_filter({"queue": first, "skip_if": "1==1"}, {"queue": second}))
    one, two = kit.task(flow), kit.task(flow)
    assert (place(kit, one), kit.pending(one)) == (("A", 0, 0), ["Ann"])
    assert place(kit, two) == ("B", 0, 1)


def test_3_looked_at_on_entering_only() -> None:
    """It becomes true later: the task stays."""
    kit = Kit()
    first, second = kit.queue("A"), kit.queue("B")
    ann = kit.worker("Ann")
    flow = kit.workflow(one_filter({"queue": first, "skip_if": "workers.available == 0"}, {"queue": second}))
    busy, task = kit.task(flow), kit.task(flow)
    assert place(kit, task)[0] == "A"
    kit.reserve(kit.offer(busy), "accepted")
    kit.update("Worker", ann, {"activity_sid": kit.activity("Offline")})
    kit.advance(60)
    assert place(kit, task) == ("A", 0, 0)


# --- 4: waiting ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change", ["activity", "attributes", "capacity", "channel", "completed", "queue", "task"]
)
def test_4_tried_again(change: str) -> None:
    """Whatever makes a worker fit brings them the task at once."""
    kit = Kit()
    queue = kit.queue("A", "team == 'a'" if change != "queue" else "1==0")
    flow = kit.workflow(one_filter({"queue": queue, "expression": "task.lang IN worker.langs"}))
    ann = kit.worker("Ann", activity="Offline" if change == "activity" else "Available",
                     team="b" if change == "attributes" else "a", langs=["en"])  # fmt: skip
    channel = kit.workspace.workers[ann].channels[kit.workspace.channel_names["default"]].sid
    if change in ("capacity", "channel"):
        kit.update(
            "WorkerChannel",
            channel,
            {},
            {"Capacity": "0"} if change == "capacity" else {"Available": "false"},
        )
    busy = kit.task(flow, {"lang": "en"}) if change == "completed" else ""
    task = kit.task(flow, {"lang": "fr" if change == "task" else "en"})
    assert kit.pending(task) == []
    if change == "activity":
        kit.update("Worker", ann, {"activity_sid": kit.activity("Available")})
    elif change == "attributes":
        kit.update("Worker", ann, {"attributes": '{"team": "a", "langs": ["en"]}'})
    elif change == "capacity":
        kit.update("WorkerChannel", channel, {}, {"Capacity": "1"})
    elif change == "channel":
        kit.update("WorkerChannel", channel, {}, {"Available": "true"})
    elif change == "completed":
        reservation = kit.offer(busy)
        kit.reserve(reservation, "accepted")
        assert kit.pending(task) == []
        kit.reserve(reservation, "completed")
    elif change == "queue":
        kit.update("TaskQueue", queue, {"target_workers": "team == 'a'"})
    else:
        kit.update("Task", task, {"attributes": '{"lang": "en"}'})
    assert kit.pending(task) == ["Ann"]


def test_4_rejected_and_timed_out_stay_in_the_target() -> None:
    """Tried again in the same target while its timer runs."""
    kit = Kit()
    first, second = kit.queue("A"), kit.queue("B")
    routing = one_filter({"queue": first, "timeout": 100}, {"queue": second})
    flow = kit.workflow(routing, task_reservation_timeout=20)
    kit.worker("Ann")
    kit.worker("Bob")
    task = kit.task(flow)
    kit.reserve(kit.offer(task), "rejected")
    assert (place(kit, task), kit.pending(task)) == (("A", 0, 0), ["Bob"])
    kit.advance(20)
    assert (place(kit, task), kit.pending(task)) == (("A", 0, 0), ["Ann"])


# --- 5: the target's time ----------------------------------------------------------------------------------------


def test_5_on_to_the_next_target() -> None:
    """After exactly its seconds."""
    kit = Kit()
    first, second = kit.queue("A", "1==0"), kit.queue("B", "1==0")
    flow = kit.workflow(one_filter({"queue": first, "timeout": 20}, {"queue": second}))
    task = kit.task(flow)
    kit.advance(19.9)
    assert place(kit, task) == ("A", 0, 0)
    kit.advance(0.1)
    assert place(kit, task) == ("B", 0, 1)


@pytest.mark.parametrize("answer", ["rejected", "timeout", "accepted", "unavailable"])
def test_5_a_pending_reservation_finishes_first(answer: str) -> None:
    """Then the task leaves at once, without another offer in the old target."""
    kit = Kit()
    first, second = kit.queue("A"), kit.queue("B", "1==0")
    flow = kit.workflow(
        one_filter({"queue": first, "timeout": 10}, {"queue": second}), task_reservation_timeout=60
    )
    ann = kit.worker("Ann")
    task = kit.task(flow)
    reservation = kit.offer(task)
    kit.advance(30)
    assert (place(kit, task), kit.pending(task)) == (("A", 0, 0), ["Ann"])
    kit.worker("Bob")
    if answer == "timeout":
        kit.advance(30)
    elif answer == "unavailable":
        kit.update(
            "Worker", ann, {"activity_sid": kit.activity("Offline")}, {"RejectPendingReservations": "true"}
        )
    else:
        kit.reserve(reservation, answer)
    if answer == "accepted":
        assert (place(kit, task), kit.state(task)) == (("A", 0, 0), "assigned")
        return
    assert (place(kit, task), kit.state(task), kit.pending(task)) == (("B", 0, 1), "pending", [])
    assert len(kit.workspace.tasks[task].reservations) == 1


def test_5_several_pending_reservations() -> None:
    """When the time is up nobody else is asked, though there is room; the last answer lets the task go."""
    kit = Kit()
    first, second = kit.queue("A", max_reserved_workers=3), kit.queue("B", "1==0")
    flow = kit.workflow(one_filter({"queue": first, "timeout": 10}, {"queue": second}))
    kit.worker("Ann")
    kit.worker("Bob")
    task = kit.task(flow)
    kit.advance(10)
    kit.worker("Cid")
    assert kit.pending(task) == ["Ann", "Bob"]
    for sid in sorted(kit.workspace.tasks[task].open):
        assert place(kit, task)[0] == "A"
        kit.reserve(sid, "rejected")
    assert place(kit, task)[0] == "B"
    assert len(kit.workspace.tasks[task].reservations) == 2


def test_5_an_outdated_timer_does_nothing() -> None:
    """The task has left that target by re-evaluation."""
    kit = Kit()
    queue = kit.queue("A", "1==0")
    flow = kit.workflow(one_filter({"queue": queue, "timeout": 20}, {"queue": queue}))
    task = kit.task(flow)
    kit.advance(15)
    configuration = kit.workspace.workflows[flow].record.configuration
    kit.update("Workflow", flow, {"configuration": configuration}, {"ReEvaluateTasks": "true"})
    kit.advance(10)
    assert place(kit, task) == ("A", 0, 0)
    kit.advance(10)
    assert place(kit, task) == ("A", 0, 1)
