"""Tasks: creation, updates, ends (taskrouter.md §2.7, §3)."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from ringback.effects.taskrouter import Announce
from tests.taskrouter.states import TASK_STATES, flow, refused, task_in
from tests.taskrouter.workspace_kit import Kit

# --- creation -------------------------------------------------------------------------------------------------------


def test_defaults() -> None:
    """What a task is when nothing is said."""
    kit = Kit(template="FIFO")
    task = kit.workspace.tasks[kit.task(flow(kit))].record
    assert (task.assignment_status, task.priority, task.timeout, task.attributes) == (
        "pending",
        0,
        86_400,
        "{}",
    )
    assert task.task_channel_unique_name == "default"
    assert task.virtual_start_time == task.date_created == task.task_queue_entered_date == kit.now
    assert task.task_queue_friendly_name == "Sample Queue"
    assert task.workflow_friendly_name == "Default Fifo Workflow"
    assert (task.routing_target, task.ignore_capacity) == (None, False)


def test_the_only_workflow_need_not_be_named() -> None:
    """§2.7: required unless there is exactly one."""
    kit = Kit()
    assert refused(kit, "create", "Task", kit.sid("WT")).message == "WorkflowSid field is required"
    queue = kit.queue("Q")
    one = kit.workflow({"default_filter": {"queue": queue}})
    assert kit.create("Task", kit.sid("WT")).workflow_sid == one
    kit.workflow({"default_filter": {"queue": queue}}, "Second")
    assert refused(kit, "create", "Task", kit.sid("WT")).message == "WorkflowSid field is required"


@pytest.mark.parametrize(
    ("values", "params", "words"),
    [
        ({"attributes": "{"}, {}, "not valid JSON"),
        ({"attributes": "[1]"}, {}, "not a JSON object"),
        ({"attributes": json.dumps({"a": "x" * 4096})}, {}, "more than 4096"),
        ({"attributes": "[" * 2000 + "]" * 2000}, {}, "Attributes"),
        ({"priority": -1}, {}, "Priority"),
        ({"priority": 2**31}, {}, "Priority"),
        ({"timeout": 0}, {}, "Timeout"),
        ({"timeout": 1_209_601}, {}, "Timeout"),
        (
            {"virtual_start_time": 1_900_000_000.0},
            {},
            "VirtualStartTime 2030-03-17T17:46:40Z is in the future",
        ),
        (
            {"virtual_start_time": -2_208_988_801.0},
            {},
            "VirtualStartTime 1899-12-31T23:59:59Z is before 1900",
        ),
        ({"workflow_sid": "WW" + "f" * 32}, {}, "does not exist"),
        ({}, {"TaskChannel": "carrier-pigeon"}, "no channel"),
        ({}, {"RoutingTarget": "WK" + "f" * 32}, "RoutingTarget"),
    ],
)
def test_bad_input(values: dict[str, Any], params: dict[str, str], words: str) -> None:
    """20001, and nothing is created."""
    kit = Kit(template="FIFO")
    refusal = refused(kit, "create", "Task", kit.sid("WT"), {"workflow_sid": flow(kit), **values}, params)
    assert refusal.code == 20001
    assert words in refusal.message
    assert kit.workspace.tasks == {}


@pytest.mark.parametrize(
    "values",
    [
        {"priority": 2**31 - 1},
        {"timeout": 1},
        {"timeout": 1_209_600},
        {"virtual_start_time": -2_208_988_800.0},
    ],
)
def test_extremes(values: dict[str, Any]) -> None:
    """The last values that are allowed."""
    kit = Kit(template="FIFO")
    task = kit.workspace.tasks[kit.task(flow(kit), **values)].record
    assert all(getattr(task, name) == value for name, value in values.items())


@pytest.mark.parametrize(
    ("target", "given", "expected"), [(7, 3, 7), (7, None, 7), (None, 3, 3), (None, None, 0), (0, 3, 0)]
)
def test_priority(target: int | None, given: int | None, expected: int) -> None:
    """§2.7: a target's priority overrides a supplied one."""
    kit = Kit()
    default = {"queue": kit.queue("Q"), **({"priority": target} if target is not None else {})}
    values = {"priority": given} if given is not None else {}
    task = kit.task(kit.workflow({"default_filter": default}), **values)
    assert kit.workspace.tasks[task].record.priority == expected


@pytest.mark.parametrize("by_sid", [True, False])
def test_channel_by_sid_or_name(by_sid: bool) -> None:
    """§2.7."""
    kit = Kit(template="FIFO")
    sid = kit.workspace.channel_names["chat"]
    task = kit.workspace.tasks[kit.task(flow(kit), None, {"TaskChannel": sid if by_sid else "chat"})].record
    assert (task.task_channel_sid, task.task_channel_unique_name) == (sid, "chat")


# --- states by request ------------------------------------------------------------------------------------------

LEGAL = {
    "canceled": ("pending", "reserved"),
    "wrapping": ("assigned",),
    "completed": ("assigned", "wrapping"),
}
MESSAGES = {
    "canceled": "Cannot cancel task {} because it is not pending or reserved.",
    "wrapping": "Cannot wrap up a task {} because it's not currently assigned",
    "completed": "Cannot complete task {} because it is not currently assigned.",
}


@pytest.mark.parametrize(("state", "wanted"), list(itertools.product(TASK_STATES, LEGAL)))
def test_assignment_status(state: str, wanted: str) -> None:
    """§3: each status from each state."""
    kit, task = task_in(state)
    values, params = {"reason": "because"}, {"AssignmentStatus": wanted}
    if state not in LEGAL[wanted]:
        refusal = refused(kit, "update", "Task", task, values, params)
        assert refusal.code == 20001
        assert MESSAGES[wanted].format(task) in refusal.message
        assert kit.state(task) == state
        return
    kit.update("Task", task, values, params)
    assert kit.state(task) == wanted
    assert kit.workspace.tasks[task].record.reason == "because"
    held = [each.reservation_status for each in kit.workspace.reservations.values()]
    assert held == ([] if state == "pending" else [wanted])


@pytest.mark.parametrize("wanted", ["pending", "reserved", "assigned", "done"])
def test_never_by_request(wanted: str) -> None:
    """§3: these come from the engine alone."""
    kit, task = task_in("reserved")
    refusal = refused(kit, "update", "Task", task, {}, {"AssignmentStatus": wanted})
    assert (refusal.code, "AssignmentStatus must be" in refusal.message) == (20001, True)


def test_a_reason_is_required() -> None:
    """§3; not to cancel a task, where clients leave it out."""
    kit, task = task_in("assigned")
    refusal = refused(kit, "update", "Task", task, {}, {"AssignmentStatus": "completed"})
    assert (refusal.code, "Reason" in refusal.message) == (20001, True)
    for state in ("pending", "reserved"):
        kit, task = task_in(state)
        kit.update("Task", task, {}, {"AssignmentStatus": "canceled"})
        assert kit.state(task) == "canceled"
    kit, task = task_in("assigned")
    kit.update("Task", task, {}, {"AssignmentStatus": "wrapping"})
    assert kit.state(task) == "wrapping"


def test_status_and_attributes_together() -> None:
    """§2.7: the callback flow relies on it."""
    kit, task = task_in("reserved")
    kit.update("Task", task, {"attributes": '{"a":1}', "reason": "r"}, {"AssignmentStatus": "canceled"})
    record = kit.workspace.tasks[task].record
    assert (record.attributes, record.assignment_status) == ('{"a":1}', "canceled")
    assert kit.kinds()[-3:] == ["task.updated", "reservation.canceled", "task.canceled"]


@pytest.mark.parametrize("state", ["completed", "canceled"])
@pytest.mark.parametrize(
    ("values", "params"), [({"attributes": "{}"}, {}), ({"priority": 1}, {}), ({}, {"TaskChannel": "chat"})]
)
def test_what_is_over_stays_as_it_is(state: str, values: dict[str, Any], params: dict[str, str]) -> None:
    """§3: nothing but DELETE and reads."""
    kit, task = task_in(state)
    assert refused(kit, "update", "Task", task, values, params).code == 20001
    kit.request("delete", "Task", task)
    assert task not in kit.workspace.tasks


@pytest.mark.parametrize(("state", "wanted"), list(itertools.product(["completed", "canceled"], LEGAL)))
def test_what_is_over_does_not_end_again(state: str, wanted: str) -> None:
    """With attributes in the same request the refusal is that of the plain one, and nothing changes."""
    kit, task = task_in(state)
    before = kit.workspace.tasks[task].record.attributes
    values, params = {"attributes": '{"a":1}', "reason": "again"}, {"AssignmentStatus": wanted}
    refusal = refused(kit, "update", "Task", task, values, params)
    assert (refusal.code, refusal.status) == (20001, 400)
    assert MESSAGES[wanted].format(task) in refusal.message
    record = kit.workspace.tasks[task].record
    assert (record.attributes, record.assignment_status) == (before, state)


@pytest.mark.parametrize(("operation", "values"), [("update", {"priority": 3}), ("delete", {})])
def test_if_match(operation: str, values: dict[str, Any]) -> None:
    """Another version: 412 and nothing changes (§2.7)."""
    kit, task = task_in("pending")
    version = kit.workspace.tasks[task].record.version
    refusal = refused(kit, operation, "Task", task, values, if_match=str(version + 1))
    assert (refusal.code, refusal.status) == (20412, 412)
    kit.request(operation, "Task", task, values, if_match=str(version))
    if operation == "update":
        assert kit.workspace.tasks[task].record.version > version
        kit.update("Task", task, values, if_match="*")


@pytest.mark.parametrize("operation", ["update", "delete"])
def test_unknown(operation: str) -> None:
    """404/20404."""
    kit = Kit()
    refusal = refused(kit, operation, "Task", "WT" + "0" * 32, {})
    assert (refusal.code, refusal.status) == (20404, 404)


def test_a_reserved_task_keeps_its_channel() -> None:
    """Its reservation has taken the channel's capacity."""
    kit, task = task_in("reserved")
    assert refused(kit, "update", "Task", task, {}, {"TaskChannel": "chat"}).code == 20001
    kit, task = task_in("pending")
    kit.update("Task", task, {}, {"TaskChannel": "chat"})
    assert kit.workspace.tasks[task].record.task_channel_unique_name == "chat"


# --- deletion ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", TASK_STATES)
def test_delete(state: str) -> None:
    """§2.7: in any state; open offers are canceled, what was accepted is completed, the worker is free again."""
    kit, task = task_in(state)
    ends = {"reserved": "canceled", "assigned": "completed", "wrapping": "completed"}
    live = [f"reservation.{ends[state]}"] if state in ends else []
    seen, before = len(kit.kinds()), len(kit.effects)
    kit.request("delete", "Task", task)
    assert kit.kinds()[seen:] == [*live, "task.deleted"]
    told = [each for each in kit.effects[before:] if isinstance(each, Announce)]
    assert [each.event_type for each in told] == [*live, "task.deleted"]
    assert bool(told[-1].workers) == (state != "pending")  # whom it was offered to
    assert (kit.workspace.tasks, kit.workspace.reservations) == ({}, {})
    assert {each.sid for each in kit.deleted()} >= {task}
    assert all(channel.assigned_tasks == 0 for channel in kit.workspace.worker_channels.values())
    assert refused(kit, "update", "Task", task, {"priority": 1}).code == 20404


# --- time ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reserved", [False, True])
def test_ttl(reserved: bool) -> None:
    """§2.7: until assigned; then canceled."""
    kit = Kit(template="FIFO")
    if reserved:
        kit.worker("Ann")
    task = kit.task(flow(kit), timeout=60)
    kit.advance(59.9)
    assert kit.state(task) == ("reserved" if reserved else "pending")
    kit.advance(0.1)
    assert kit.state(task) == "canceled"
    assert kit.workspace.tasks[task].record.reason == "Task TTL Exceeded"
    assert kit.kinds()[-2 if reserved else -1 :] == (["reservation.canceled"] if reserved else []) + [
        "task.canceled"
    ]


def test_ttl_ends_with_the_assignment() -> None:
    """§2.7."""
    kit = Kit(template="FIFO")
    kit.worker("Ann")
    task = kit.task(flow(kit), timeout=60)
    kit.reserve(kit.offer(task), "accepted")
    kit.advance(600)
    assert kit.state(task) == "assigned"


def test_the_default_ttl_is_a_day() -> None:
    """§2.7."""
    kit = Kit(template="FIFO")
    task = kit.task(flow(kit))
    kit.advance(86_399)
    assert kit.state(task) == "pending"
    kit.advance(1)
    assert kit.state(task) == "canceled"


def test_assigned_for_a_day() -> None:
    """§3: 24 h in assigned, then gone."""
    kit, task = task_in("assigned")
    kit.advance(86_399)
    assert kit.state(task) == "assigned"
    kit.advance(1)
    assert task not in kit.workspace.tasks
    assert kit.kinds()[-2:] == ["reservation.completed", "task.system-deleted"]
    assert all(channel.assigned_tasks == 0 for channel in kit.workspace.worker_channels.values())


@pytest.mark.parametrize("state", ["completed", "canceled"])
def test_clean_up(state: str) -> None:
    """§3: five minutes after the end, without an event; the reservations go too."""
    kit, task = task_in(state)
    seen = len(kit.kinds())
    kit.advance(299)
    assert kit.state(task) == state
    kit.advance(1)
    assert (kit.workspace.tasks, kit.workspace.reservations, kit.kinds()[seen:]) == ({}, {}, [])
    assert task in {each.sid for each in kit.deleted()}


def test_a_thousand_offers_are_enough() -> None:
    """§7, §12: pending → reserved at most 1,000 times."""
    kit = Kit(template="FIFO")
    kit.worker("Ann")
    task = kit.task(flow(kit))
    for _ in range(999):
        kit.reserve(kit.offer(task), "rejected")
    assert kit.workspace.tasks[task].record.cycles == 1000
    kit.reserve(kit.offer(task), "rejected")
    assert kit.state(task) == "canceled"
    assert kit.workspace.tasks[task].record.cycles == 1000  # what the explanation calls times_offered
    assert kit.workspace.tasks[task].record.reason == "Task TTL Exceeded or Max assignment count exceeded"


def test_several_reservations_are_one_cycle() -> None:
    """§7."""
    kit = Kit()
    queue = kit.queue("Q", max_reserved_workers=3)
    for name in "ABC":
        kit.worker(name)
    task = kit.task(kit.workflow({"default_filter": {"queue": queue}}))
    assert (len(kit.pending(task)), kit.workspace.tasks[task].record.cycles) == (3, 1)


# --- a call's task --------------------------------------------------------------------------------------------------


def test_found_by_call() -> None:
    """Tasks are indexed by the waiting call."""
    from ringback.taskrouter.requests.task import add

    kit = Kit(template="FIFO")
    sid = kit.sid("WT")
    kit.workspace.now = kit.now
    add(kit.workspace, sid, {"workflow_sid": flow(kit)}, {}, "CA1")
    assert [each.sid for each in kit.taskrouter.tasks_of_call("CA1")] == [sid]
    kit.request("delete", "Task", sid)
    assert list(kit.taskrouter.tasks_of_call("CA1")) == []
    assert kit.workspace.tasks_of_call == {}
