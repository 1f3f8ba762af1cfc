"""The way through a workflow, rule by rule (taskrouter.md §5.1)."""

from __future__ import annotations

from typing import Any

import pytest
from tests.taskrouter.desk_kit import Kit
from tests.taskrouter.states import refused

from ringback.effects import Save
from ringback.resources.api.alert import Alert


def place(kit: Kit, task: str) -> tuple[Any, ...]:
    """Queue's name, filter and target of a task."""
    record = kit.floor.tasks[task].record
    return record.task_queue_friendly_name, record.filter_index, record.target_index


def one_filter(*targets: dict[str, Any], expression: str = "1==1", **root: Any) -> dict[str, Any]:
    """A configuration with one filter."""
    return {"filters": [{"expression": expression, "targets": list(targets)}], **root}


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
        found.append(kit.floor.tasks[task].record.priority)
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
    assert kit.floor.tasks[task].record.task_queue_entered_date == entered
    seen = len(kit.kinds())
    kit.advance(10)
    assert kit.kinds()[seen:] == ["task-queue.timeout", "workflow.target-matched", "task-queue.moved"]
    assert kit.floor.tasks[task].record.task_queue_entered_date == entered + 20
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
    """Whatever makes a worker fit brings him the task at once."""
    kit = Kit()
    queue = kit.queue("A", "team == 'a'" if change != "queue" else "1==0")
    flow = kit.workflow(one_filter({"queue": queue, "expression": "task.lang IN worker.langs"}))
    ann = kit.worker("Ann", activity="Offline" if change == "activity" else "Available",
                     team="b" if change == "attributes" else "a", langs=["en"])  # fmt: skip
    channel = kit.floor.workers[ann].channels[kit.floor.channel_names["default"]].sid
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
    assert len(kit.floor.tasks[task].reservations) == 1


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
    for sid in sorted(kit.floor.tasks[task].open):
        assert place(kit, task)[0] == "A"
        kit.reserve(sid, "rejected")
    assert place(kit, task)[0] == "B"
    assert len(kit.floor.tasks[task].reservations) == 2


def test_5_an_outdated_timer_does_nothing() -> None:
    """The task has left that target by re-evaluation."""
    kit = Kit()
    queue = kit.queue("A", "1==0")
    flow = kit.workflow(one_filter({"queue": queue, "timeout": 20}, {"queue": queue}))
    task = kit.task(flow)
    kit.advance(15)
    configuration = kit.floor.workflows[flow].record.configuration
    kit.update("Workflow", flow, {"configuration": configuration}, {"ReEvaluateTasks": "true"})
    kit.advance(10)
    assert place(kit, task) == ("A", 0, 0)
    kit.advance(10)
    assert place(kit, task) == ("A", 0, 1)


# --- 6, 7: what comes next ---------------------------------------------------------------------------------------


def test_6_the_next_matching_filter() -> None:
    """After the last target: those below that do not match are passed."""
    kit = Kit()
    queues = {name: kit.queue(name, "1==0") for name in "ABC"}
    filters = [
        {"expression": "x == 1", "targets": [{"queue": queues["A"], "timeout": 5}]},
        {"expression": "x == 2", "targets": [{"queue": queues["B"]}]},
        {"expression": "y == 1", "targets": [{"queue": queues["C"]}]},
    ]
    task = kit.task(kit.workflow({"filters": filters}), {"x": 1, "y": 1})
    kit.advance(5)
    assert place(kit, task) == ("C", 2, 0)


@pytest.mark.parametrize("default", [False, True])
def test_6_out_by_timeout(default: bool) -> None:
    """Canceled, default filter or not."""
    kit = Kit()
    queue = kit.queue("A")
    root = {"default_filter": {"queue": queue}} if default else {}
    task = kit.task(kit.workflow(one_filter({"queue": queue, "timeout": 5}, **root)))
    kit.advance(5)
    assert kit.floor.tasks[task].record.reason == "Task canceled on Workflow timeout"
    assert kit.kinds()[-3:] == ["task-queue.timeout", "workflow.timeout", "task.canceled"]


def test_6_out_by_skip() -> None:
    """Without a default filter: workflow.skipped, canceled."""
    kit = Kit()
    task = kit.task(
        kit.workflow(one_filter({"queue": kit.queue("A"), "skip_if": "1==1"}, {"skip_if": "1==1"}))
    )
    assert kit.state(task) == "canceled"
    assert kit.kinds()[-2:] == ["workflow.skipped", "task.canceled"]


def test_6_skip_out_of_everything_into_the_default() -> None:
    """Also after a timeout, when the last step was a skip."""
    kit = Kit()
    queue, last = kit.queue("A"), kit.queue("D")
    routing = one_filter(
        {"queue": queue, "timeout": 5}, {"skip_if": "1==1"}, default_filter={"queue": last, "priority": 9}
    )
    task = kit.task(kit.workflow(routing))
    kit.advance(5)
    assert place(kit, task) == ("D", -1, 0)
    assert kit.floor.tasks[task].record.priority == 9


def test_7_no_match() -> None:
    """The default filter; without one canceled at once."""
    kit = Kit()
    queue, last = kit.queue("A"), kit.queue("D")
    with_default = kit.workflow(
        one_filter({"queue": queue}, expression="x == 1", default_filter={"queue": last})
    )
    without = kit.workflow(one_filter({"queue": queue}, expression="x == 1"), "Other")
    assert place(kit, kit.task(with_default)) == ("D", -1, 0)
    task = kit.task(without)
    assert kit.state(task) == "canceled"
    assert "no filter" in (kit.floor.tasks[task].record.reason or "")


def test_7_the_default_waits_until_ttl() -> None:
    """Its own skip_if leads nowhere else."""
    kit = Kit()
    queue = kit.queue("D")
    task = kit.task(kit.workflow({"default_filter": {"queue": queue, "skip_if": "1==1"}}), timeout=1000)
    kit.advance(999)
    assert (place(kit, task), kit.state(task)) == (("D", -1, 0), "pending")
    kit.advance(1)
    assert kit.floor.tasks[task].record.reason == "Task TTL Exceeded"
    kit.worker("Ann")
    other = kit.task(next(iter(kit.floor.workflows)))
    assert kit.pending(other) == ["Ann"]


def test_parked_by_an_impossible_target() -> None:
    """§5.1: ``1==0`` with a timeout parks a task (callback retries)."""
    kit = Kit()
    queue = kit.queue("A")
    kit.worker("Ann")
    task = kit.task(
        kit.workflow(one_filter({"queue": queue, "expression": "1==0", "timeout": 600}, {"queue": queue}))
    )
    kit.advance(599)
    assert kit.pending(task) == []
    kit.advance(1)
    assert kit.pending(task) == ["Ann"]


# --- 8: the known worker -----------------------------------------------------------------------------------------


def alerts(kit: Kit) -> list[int]:
    """Codes of the debugger entries so far."""
    return [
        each.record.error_code
        for each in kit.effects
        if isinstance(each, Save) and isinstance(each.record, Alert)
    ]


@pytest.mark.parametrize("key", ["known_worker_sid", "known_worker_friendly_name"])
@pytest.mark.parametrize("path", ["task.agent", "agent", "task.past.agents[1]"])
def test_8_he_alone(key: str, path: str) -> None:
    """Not anybody else, however idle; names are compared without case. The freed worker finds it."""
    kit = Kit()
    flow = kit.workflow(one_filter({"queue": kit.queue("A"), key: path}))
    kit.worker("Ann")
    bob = kit.worker("Bob", activity="Offline")
    wanted = bob if key == "known_worker_sid" else "bob"
    task = kit.task(flow, {"agent": wanted, "past": {"agents": ["x", wanted]}})
    assert (kit.pending(task), alerts(kit)) == ([], [])
    kit.update("Worker", bob, {"activity_sid": kit.activity("Available")})
    assert kit.pending(task) == ["Bob"]


@pytest.mark.parametrize(
    ("attributes", "codes"),
    [
        ({"agent": "WK" + "f" * 32}, [40152]), ({"agent": "outsider"}, [40152]), ({"agent": 5}, [40152]),
        ({}, []), ({"agent": None}, []),
    ],
)  # fmt: skip
def test_8_not_found(attributes: dict[str, Any], codes: list[int]) -> None:
    """40152, a null reference says nothing; the task waits in the target until its timeout."""
    kit = Kit()
    queue, other = kit.queue("A", "inside == true"), kit.queue("B", "1==0")
    kit.worker("Ann", inside=True)
    out = kit.worker("Out", inside=False)
    if attributes.get("agent") == "outsider":
        attributes = {"agent": out}
    flow = kit.workflow(
        one_filter({"queue": queue, "known_worker_sid": "task.agent", "timeout": 9}, {"queue": other})
    )
    task = kit.task(flow, attributes)
    assert (alerts(kit), kit.pending(task), place(kit, task)[0]) == (codes, [], "A")
    kit.advance(9)
    assert place(kit, task)[0] == "B"


def test_8_in_addition_to_the_expression() -> None:
    """Both must hold."""
    kit = Kit()
    target = {"queue": kit.queue("A"), "known_worker_sid": "task.agent", "expression": "worker.ok == task.ok"}
    flow = kit.workflow(one_filter(target))
    ann = kit.worker("Ann", ok=1)
    assert kit.pending(kit.task(flow, {"agent": ann, "ok": 2})) == []
    assert kit.pending(kit.task(flow, {"agent": ann, "ok": 1})) == ["Ann"]


@pytest.mark.parametrize("reference", ["worker.contact_uri", "worker.phones[1]", "worker.sip.uri"])
@pytest.mark.parametrize("first", ["worker", "task"])
def test_52_one_named_agent(reference: str, first: str) -> None:
    """§5.2 pattern A, whoever comes first; null equals no null."""
    kit = Kit()
    flow = kit.workflow(
        one_filter({"queue": kit.queue("A"), "expression": f"task.targetWorker == {reference}"})
    )
    uri = "client:alice"
    given = {"contact_uri": uri, "phones": ["x", uri], "sip": {"uri": uri}}
    kit.worker("Nobody")
    if first == "worker":
        kit.worker("Alice", **given)
    task, nameless = kit.task(flow, {"targetWorker": uri}), kit.task(flow)
    if first == "task":
        assert kit.pending(task) == []
        kit.worker("Alice", **given)
    assert (kit.pending(task), kit.pending(nameless)) == (["Alice"], [])


# --- 9: routing targets ------------------------------------------------------------------------------------------


def test_9_queue() -> None:
    """That queue's workers; no filters."""
    kit = Kit()
    queue, other = kit.queue("A", "team == 'a'"), kit.queue("B")
    kit.workflow(one_filter({"queue": other}))
    kit.worker("Bob")
    seen = len(kit.kinds())
    task = kit.task(next(iter(kit.floor.workflows)), None, {"RoutingTarget": queue})
    assert kit.kinds()[seen:] == ["task.created", "task-queue.entered"]
    assert (kit.pending(task), place(kit, task)[0]) == ([], "A")
    kit.worker("Ann", team="a")
    assert kit.pending(task) == ["Ann"]


def test_9_workflow() -> None:
    """A workflow as the target is that workflow."""
    kit = Kit()
    queue = kit.queue("A")
    first, second = (kit.workflow(one_filter({"queue": queue}), name) for name in ("One", "Two"))
    task = kit.floor.tasks[kit.task(first, None, {"RoutingTarget": second})].record
    assert (task.workflow_sid, task.filter_index, task.routing_target) == (second, 0, None)


@pytest.mark.parametrize(
    ("ignore", "offered"), [("true", True), ("yes", True), ("1", True), ("", True), ("false", False)]
)
def test_9_worker(ignore: str, offered: bool) -> None:
    """One reservation for him; IgnoreCapacity (default true) passes over capacity and activity."""
    kit = Kit()
    queue = kit.queue("A")
    flow = kit.workflow(one_filter({"queue": queue}))
    ann = kit.worker("Ann", activity="Offline")
    params = {"RoutingTarget": ann, **({"IgnoreCapacity": ignore} if ignore else {})}
    task = kit.task(flow, None, params, task_queue_sid=queue)
    assert kit.pending(task) == (["Ann"] if offered else [])
    assert kit.floor.tasks[task].record.task_queue_friendly_name == "A"
    if not offered:
        kit.update("Worker", ann, {"activity_sid": kit.activity("Available")})
        assert kit.pending(task) == ["Ann"]


@pytest.mark.parametrize("answer", ["rejected", "timeout"])
def test_9_he_does_not_take_it(answer: str) -> None:
    """reservation.failed, and nobody else gets it."""
    kit = Kit()
    flow = kit.workflow(one_filter({"queue": kit.queue("A")}))
    kit.worker("Bob")
    task = kit.task(flow, None, {"RoutingTarget": kit.worker("Ann")})
    reservation = kit.offer(task)
    if answer == "timeout":
        kit.advance(120)
    else:
        kit.reserve(reservation, answer)
    assert kit.state(task) == "canceled"
    assert kit.kinds()[-3:] == [f"reservation.{answer}", "reservation.failed", "task.canceled"]


# --- workflow changes --------------------------------------------------------------------------------------------


def test_re_evaluation() -> None:
    """§2.5: pending and reserved tasks run through the new configuration; open reservations stay."""
    kit = Kit()
    first, second = kit.queue("A", "1==0"), kit.queue("B")
    flow = kit.workflow(one_filter({"queue": first}))
    task = kit.task(flow)
    other = kit.workflow(one_filter({"queue": first}), "Other")
    untouched = kit.task(other)
    text = kit.floor.workflows[flow].record.configuration.replace(first, second)
    seen = len(kit.kinds())
    kit.update("Workflow", flow, {"configuration": text}, {"ReEvaluateTasks": "true"})
    assert kit.kinds()[seen:] == [
        "workflow.updated", "workflow.entered", "workflow.target-matched", "task-queue.moved",
    ]  # fmt: skip
    assert (place(kit, task)[0], place(kit, untouched)[0]) == ("B", "A")
    kit.worker("Ann")
    reservation = kit.offer(task)
    kit.update("Workflow", flow, {"configuration": text}, {"ReEvaluateTasks": "true"})
    assert kit.floor.reservations[reservation].reservation_status == "pending"
    kit.reserve(reservation, "accepted")
    kit.update("Workflow", flow, {"configuration": text.replace(second, first)}, {"ReEvaluateTasks": "true"})
    assert place(kit, task)[0] == "B"


def test_without_re_evaluation_tasks_keep_their_place() -> None:
    """§2.5: same queue, same numbers; the rules of that place are the new ones, its time too."""
    kit = Kit()
    first, second = kit.queue("A"), kit.queue("B")
    flow = kit.workflow(one_filter({"queue": first, "expression": "1==0", "timeout": 50}, {"queue": second}))
    task = kit.task(flow)
    kit.worker("Ann")
    text = kit.floor.workflows[flow].record.configuration
    kit.update("Workflow", flow, {"configuration": text.replace("50", "20").replace(first, second)})
    assert place(kit, task) == ("A", 0, 0)
    kit.advance(20)
    assert place(kit, task) == ("B", 0, 1)
    waiting = kit.task(flow)
    kit.update("Workflow", flow, {"configuration": text.replace("1==0", "1==1")})
    assert kit.pending(waiting) == ([] if kit.pending(task) else ["Ann"])


def test_attributes_are_used_from_the_next_evaluation() -> None:
    """§5.1: an update does not run the workflow again."""
    kit = Kit()
    first, second = kit.queue("A", "1==0"), kit.queue("B", "1==0")
    filters = [
        {"expression": "x == 1", "targets": [{"queue": first, "timeout": 5}]},
        {"expression": "x == 2", "targets": [{"queue": second}]},
    ]
    task = kit.task(kit.workflow({"filters": filters}), {"x": 1})
    kit.update("Task", task, {"attributes": '{"x": 2}'})
    assert place(kit, task)[0] == "A"
    kit.advance(5)
    assert place(kit, task)[0] == "B"


@pytest.mark.parametrize(
    ("configuration", "words"),
    [("{", "JSON"), ('{"task_routing":{"default_filter":{"queue":"WQ' + "f" * 32 + '"}}}', "does not exist"),
     ('{"task_routing":{"filters":[{"expression":"a ==","targets":[{"queue":"WQ' + "f" * 32 + '"}]}]}}',
      "filters[0].expression")],
)  # fmt: skip
def test_a_bad_configuration_changes_nothing(configuration: str, words: str) -> None:
    """20001 saying where."""
    kit = Kit(template="FIFO")
    flow = next(iter(kit.floor.workflows))
    before = kit.floor.workflows[flow].record.configuration
    for operation, sid in (("update", flow), ("create", kit.sid("WW"))):
        values = {"friendly_name": "X", "configuration": configuration}
        refusal = refused(kit, operation, "Workflow", sid, values)
        assert (refusal.code, words in refusal.message) == (20001, True)
    assert (kit.floor.workflows[flow].record.configuration, len(kit.floor.workflows)) == (before, 1)
