"""After a target: the next one, the default filter, known workers, routing targets, changed workflows (§5.1)."""

from __future__ import annotations

from typing import Any

import pytest

from ringback.effects import Save
from ringback.resources.api.alert import Alert
from tests.taskrouter.states import one_filter, place, refused
from tests.taskrouter.workspace_kit import Kit

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
    assert kit.workspace.tasks[task].record.reason == "Task canceled on Workflow timeout"
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
    assert kit.workspace.tasks[task].record.priority == 9


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
    assert "no filter" in (kit.workspace.tasks[task].record.reason or "")


def test_7_the_default_waits_until_ttl() -> None:
    """Its own skip_if leads nowhere else."""
    kit = Kit()
    queue = kit.queue("D")
    task = kit.task(kit.workflow({"default_filter": {"queue": queue, "skip_if": "1==1"}}), timeout=1000)
    kit.advance(999)
    assert (place(kit, task), kit.state(task)) == (("D", -1, 0), "pending")
    kit.advance(1)
    assert kit.workspace.tasks[task].record.reason == "Task TTL Exceeded"
    kit.worker("Ann")
    other = kit.task(next(iter(kit.workspace.workflows)))
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
    task = kit.task(next(iter(kit.workspace.workflows)), None, {"RoutingTarget": queue})
    assert kit.kinds()[seen:] == ["task.created", "task-queue.entered"]
    assert (kit.pending(task), place(kit, task)[0]) == ([], "A")
    kit.worker("Ann", team="a")
    assert kit.pending(task) == ["Ann"]


def test_9_workflow() -> None:
    """A workflow as the target is that workflow."""
    kit = Kit()
    queue = kit.queue("A")
    first, second = (kit.workflow(one_filter({"queue": queue}), name) for name in ("One", "Two"))
    task = kit.workspace.tasks[kit.task(first, None, {"RoutingTarget": second})].record
    assert (task.workflow_sid, task.filter_index, task.routing_target) == (second, 0, None)


@pytest.mark.parametrize(
    ("ignore", "offered"), [("true", True), ("yes", True), ("1", True), ("", True), ("false", False)]
)
def test_9_worker(ignore: str, offered: bool) -> None:
    """One reservation for them; IgnoreCapacity (default true) passes over capacity and activity."""
    kit = Kit()
    queue = kit.queue("A")
    flow = kit.workflow(one_filter({"queue": queue}))
    ann = kit.worker("Ann", activity="Offline")
    params = {"RoutingTarget": ann, **({"IgnoreCapacity": ignore} if ignore else {})}
    task = kit.task(flow, None, params, task_queue_sid=queue)
    assert kit.pending(task) == (["Ann"] if offered else [])
    assert kit.workspace.tasks[task].record.task_queue_friendly_name == "A"
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
    text = kit.workspace.workflows[flow].record.configuration.replace(first, second)
    seen = len(kit.kinds())
    kit.update("Workflow", flow, {"configuration": text}, {"ReEvaluateTasks": "true"})
    assert kit.kinds()[seen:] == [
        "workflow.updated", "workflow.entered", "workflow.target-matched", "task-queue.moved",
    ]  # fmt: skip
    assert (place(kit, task)[0], place(kit, untouched)[0]) == ("B", "A")
    kit.worker("Ann")
    reservation = kit.offer(task)
    kit.update("Workflow", flow, {"configuration": text}, {"ReEvaluateTasks": "true"})
    assert kit.workspace.reservations[reservation].reservation_status == "pending"
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
    text = kit.workspace.workflows[flow].record.configuration
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
    flow = next(iter(kit.workspace.workflows))
    before = kit.workspace.workflows[flow].record.configuration
    for operation, sid in (("update", flow), ("create", kit.sid("WW"))):
        values = {"friendly_name": "X", "configuration": configuration}
        refusal = refused(kit, operation, "Workflow", sid, values)
        assert (refusal.code, words in refusal.message) == (20001, True)
    assert (kit.workspace.workflows[flow].record.configuration, len(kit.workspace.workflows)) == (before, 1)
