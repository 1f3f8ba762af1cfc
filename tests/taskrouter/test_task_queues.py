"""Workspaces, task queues and workflows as nouns (taskrouter.md §2.1, §2.4, §2.5)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.taskrouter.states import flow, refused
from tests.taskrouter.workspace_kit import ACCOUNT, WS, Kit

# --- workspaces -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("template", ["NONE", "FIFO"])
def test_a_new_workspace(template: str) -> None:
    """Three activities, five channels; with FIFO a queue for everybody and a workflow that leads there."""
    kit = Kit(template=template)
    workspace = kit.workspace
    assert [(each.friendly_name, each.available) for each in workspace.activities.values()] == [
        ("Offline", False), ("Available", True), ("Unavailable", False),
    ]  # fmt: skip
    assert set(workspace.channel_names) == {"default", "voice", "chat", "sms", "video"}
    assert workspace.record.default_activity_name == workspace.record.timeout_activity_name == "Offline"
    assert (workspace.record.multi_task_enabled, workspace.record.prioritize_queue_order) == (True, "FIFO")
    queues = [each.record.target_workers for each in workspace.queues.values()]
    workflows = [each.record.friendly_name for each in workspace.workflows.values()]
    assert (queues, workflows) == (([], []) if template == "NONE" else (["1==1"], ["Default Fifo Workflow"]))


def test_workspace_updates() -> None:
    """Default and timeout activity with their names; multitasking is never turned off; unknown activities: 20001."""
    kit = Kit()
    kit.update("Workspace", WS, {"default_activity_sid": kit.activity("Available")})
    assert kit.create("Worker", kit.sid("WK"), {"friendly_name": "A"}).available
    assert kit.workspace.record.default_activity_name == "Available"
    for values in ({"multi_task_enabled": False}, {"timeout_activity_sid": "WA" + "f" * 32}):
        assert refused(kit, "update", "Workspace", WS, values).code == 20001
    assert refused(kit, "create", "Workspace", kit.sid("WS"), {"friendly_name": "Desk"}).code == 20001
    assert (
        refused(kit, "create", "Workspace", kit.sid("WS"), {"friendly_name": "N"}, {"Template": "X"}).code
        == 20001
    )


def test_workspace_deletion() -> None:
    """Everything inside goes; later requests are 404, later timers nothing."""
    kit = Kit(template="FIFO")
    kit.worker("Ann")
    kit.task(flow(kit))
    inside = {each.sid for each in kit.saved()}
    kit.request("delete", "Workspace", WS)
    assert {each.sid for each in kit.deleted()} == inside
    assert kit.taskrouter.workspaces == {}
    from ringback.events import TimerFired
    from ringback.kernel.errors import Refused
    from ringback.kernel.lane import Lane

    assert list(kit.taskrouter.handle(TimerFired(lane=Lane("workspace", WS), name="schedule"), kit.now)) == []
    with pytest.raises(Refused) as caught:
        kit.create("Task", kit.sid("WT"))
    assert caught.value.status == 404


# --- queues ----------------------------------------------------------------------------------------------------------


def test_a_new_queue() -> None:
    """Everybody, FIFO, one at a time."""
    kit = Kit()
    queue = kit.create("TaskQueue", kit.sid("WQ"), {"friendly_name": "Q"})
    assert (queue.target_workers, queue.task_order, queue.max_reserved_workers) == ("1==1", "FIFO", 1)
    assert queue.account_sid == ACCOUNT


@pytest.mark.parametrize(
    "values",
    [
        {"friendly_name": "Taken"}, {"max_reserved_workers": 0}, {"max_reserved_workers": 51},
        {"target_workers": "skill-level > 3"}, {"target_workers": "a =="}, {"target_workers": "(" * 200},
        {"reservation_activity_sid": "WA" + "f" * 32},
    ],
)  # fmt: skip
def test_bad_queue(values: dict[str, Any]) -> None:
    """20001, nothing saved."""
    kit = Kit()
    kit.queue("Taken")
    queue = kit.queue("Q")
    assert refused(kit, "update", "TaskQueue", queue, values).code == 20001
    assert refused(kit, "create", "TaskQueue", kit.sid("WQ"), {"friendly_name": "N", **values}).code == 20001
    record = kit.workspace.queues[queue].record
    assert (record.friendly_name, record.target_workers, record.max_reserved_workers) == ("Q", "1==1", 1)


def test_the_position_is_told() -> None:
    """§6: a hyphen in an identifier."""
    refusal = refused(
        Kit(), "create", "TaskQueue", "WQ1", {"friendly_name": "N", "target_workers": "skill-level > 3"}
    )
    assert "column 6" in refusal.message


def test_an_empty_expression_is_nobody() -> None:
    """Tasks just wait."""
    kit = Kit()
    queue = kit.queue("Q", "")
    kit.worker("Ann")
    task = kit.task(kit.workflow({"default_filter": {"queue": queue}}))
    assert (kit.pending(task), kit.state(task)) == ([], "pending")
    kit.update("TaskQueue", queue, {"target_workers": "friendly_name == 'Ann'"})
    assert kit.pending(task) == ["Ann"]


def test_a_new_expression_takes_nothing_away() -> None:
    """Reservations that exist stay; the next task goes elsewhere."""
    kit = Kit()
    queue = kit.queue("Q")
    kit.worker("Ann")
    workflow = kit.workflow({"default_filter": {"queue": queue}})
    task = kit.task(workflow)
    seen = len(kit.kinds())
    kit.update("TaskQueue", queue, {"target_workers": "1==0"})
    assert (kit.pending(task), kit.kinds()[seen:]) == (["Ann"], ["task-queue.expression.updated"])
    kit.reserve(kit.offer(task), "rejected")
    assert kit.pending(task) == []


def test_a_new_name_is_seen_on_its_tasks() -> None:
    """task_queue_friendly_name."""
    kit = Kit(template="FIFO")
    task = kit.task(flow(kit))
    kit.update("TaskQueue", next(iter(kit.workspace.queues)), {"friendly_name": "New"})
    assert kit.workspace.tasks[task].record.task_queue_friendly_name == "New"


def test_queue_deletion() -> None:
    """Refused while tasks are in it or a workflow names it; ended tasks do not count."""
    kit = Kit()
    queue, other = kit.queue("Q"), kit.queue("Other")
    ann = kit.worker("Ann")
    workflow = kit.workflow({"default_filter": {"queue": queue}})
    task = kit.task(workflow)
    assert "tasks are in it" in refused(kit, "delete", "TaskQueue", queue).message
    kit.update("Task", task, {"reason": "x"}, {"AssignmentStatus": "canceled"})
    assert "names it" in refused(kit, "delete", "TaskQueue", queue).message
    text = json.dumps({"task_routing": {"default_filter": {"queue": other}}})
    kit.update("Workflow", workflow, {"configuration": text})
    kit.request("delete", "TaskQueue", queue)
    assert kit.workspace.workers[ann].queues == {other}
    kit.advance(400)
    assert kit.workspace.tasks == {}


# --- workflows -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "good"), [(0, False), (1, True), (86_400, True), (86_401, False)])
def test_reservation_timeout_range(seconds: int, good: bool) -> None:
    """§2.5."""
    kit = Kit(template="FIFO")
    if good:
        kit.update("Workflow", flow(kit), {"task_reservation_timeout": seconds})
        assert kit.workspace.workflows[flow(kit)].record.task_reservation_timeout == seconds
    else:
        values = {"task_reservation_timeout": seconds}
        assert refused(kit, "update", "Workflow", flow(kit), values).code == 20001


def test_workflow_deletion() -> None:
    """Refused while tasks need it."""
    kit = Kit(template="FIFO")
    workflow = flow(kit)
    task = kit.task(workflow)
    assert refused(kit, "delete", "Workflow", workflow).code == 20001
    kit.request("delete", "Task", task)
    kit.request("delete", "Workflow", workflow)
    assert refused(kit, "update", "Workflow", workflow, {}).code == 20404


@pytest.mark.parametrize(
    "noun", ["Activity", "TaskQueue", "Workflow", "Worker", "WorkerChannel", "TaskChannel"]
)
def test_unknown(noun: str) -> None:
    """Nothing of that SID: refused, whatever is wanted."""
    assert refused(Kit(), "update", noun, "XX" + "0" * 32, {}).code in (20404, 20001)
