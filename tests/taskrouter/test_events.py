"""Events (taskrouter.md §10): their order, their payload, the callback with its filter, the live announcements."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ringback.effects import Save
from ringback.effects.taskrouter import Announce
from ringback.events.taskrouter import Actor
from ringback.kernel.resource import snake
from ringback.resources.taskrouter.event import Event
from ringback.taskrouter.journal import LIVE
from tests.taskrouter.states import flow, task_in
from tests.taskrouter.workspace_kit import ACCOUNT, WS, Kit

TASK = (
    "TaskSid TaskAttributes TaskAge TaskPriority TaskAssignmentStatus "
    "TaskChannelSid TaskChannelUniqueName TaskVersion"
)
WORKER = "WorkerSid WorkerName WorkerAttributes WorkerActivitySid WorkerActivityName WorkerVersion"
RESERVATION = f"{TASK} {WORKER} TaskQueueSid TaskQueueName WorkflowSid WorkflowName ReservationSid"
CHANNEL = (
    f"{WORKER} WorkerChannelAvailable WorkerChannelAvailableCapacity WorkerChannelPreviousCapacity "
    "WorkerChannelTaskCount TaskChannelSid TaskChannelUniqueName"
)
SHEET = {
    **{f"activity.{what}": "ActivitySid ActivityName ActivityAvailable" for what in ("created", "updated", "deleted")},
    **{f"reservation.{what}": RESERVATION
       for what in ("created", "accepted", "rejected", "timeout", "canceled", "rescinded", "wrapup", "completed")},
    "reservation.failed": f"{TASK} ReservationSid WorkflowSid",
    "task.created": f"{TASK} WorkflowSid",
    **{f"task.{what}": f"{TASK} TaskQueueSid WorkflowSid"
       for what in ("updated", "wrapup", "deleted", "system-deleted")},
    "task.canceled": f"{TASK} TaskQueueSid WorkflowSid TaskCanceledReason",
    "task.completed": f"{TASK} TaskQueueSid WorkflowSid TaskCompletedReason",
    **{f"task-channel.{what}": "TaskChannelSid TaskChannelName TaskChannelUniqueName TaskChannelOptimizedRouting"
       for what in ("created", "updated", "deleted")},
    "task-queue.created": "TaskQueueSid TaskQueueName TaskQueueTargetExpression",
    "task-queue.deleted": "TaskQueueSid TaskQueueName TaskQueueTargetExpression",
    "task-queue.expression.updated": "TaskQueueSid TaskQueueTargetExpression",
    **{f"task-queue.{what}": f"{TASK} TaskQueueSid WorkflowSid" for what in ("entered", "timeout", "moved")},
    "worker.created": WORKER, "worker.deleted": WORKER, "worker.attributes.update": WORKER,
    "worker.activity.update":
        f"{WORKER} WorkerTimeInPreviousActivity WorkerTimeInPreviousActivityMs WorkerPreviousActivitySid",
    "worker.capacity.update": CHANNEL, "worker.channel.availability.update": CHANNEL,
    **{f"workflow.{what}": "WorkflowSid WorkflowName" for what in ("created", "updated", "deleted")},
    **{f"workflow.{what}": f"{TASK} WorkflowSid" for what in ("entered", "target-matched", "timeout", "skipped")},
    **{f"workspace.{what}": "WorkspaceSid WorkspaceName" for what in ("created", "updated", "deleted")},
}  # fmt: skip
"""Every type but the transfers' (theirs are in test_transfers.py) → its extra fields."""


def events(kit: Kit) -> list[Event]:
    """All written so far."""
    return [each.record for each in kit.effects if isinstance(each, Save) and isinstance(each.record, Event)]


def everything() -> Kit:
    """A day at a workspace on which all of it happens."""
    kit = Kit(event_callback_url="http://events.example/")
    make, change, drop = kit.create, kit.update, lambda noun, sid: kit.request("delete", noun, sid)
    activity = make("Activity", kit.sid("WA"), {"friendly_name": "Break"}).sid
    change("Activity", activity, {"friendly_name": "Lunch"})
    drop("Activity", activity)
    channel = make("TaskChannel", kit.sid("TC"), {"friendly_name": "M", "unique_name": "mail"}).sid
    change("TaskChannel", channel, {"channel_optimized_routing": True})
    drop("TaskChannel", channel)
    first, second = kit.queue("One"), kit.queue("Two", max_reserved_workers=2)
    change("TaskQueue", first, {"target_workers": "a == 1"})
    targets = [
        {"queue": first, "timeout": 5, "expression": "task.who == worker.who"},
        {"queue": second, "timeout": 300},
    ]
    workflow = kit.workflow({"filters": [{"expression": "kind != 'none'", "targets": targets}]})
    change("Workflow", workflow, {"friendly_name": "Renamed"})
    kit.task(workflow, {"kind": "none"})
    ann, bob = kit.worker("Ann", activity="Offline", who=1), kit.worker("Bob", activity="Offline")
    change("Worker", ann, {"attributes": '{"a": 1, "who": 1}'})
    own = kit.workspace.workers[ann].channels[kit.workspace.channel_names["default"]].sid
    change("WorkerChannel", own, {}, {"Capacity": "2"})
    change("WorkerChannel", own, {}, {"Available": "false"})
    change("WorkerChannel", own, {}, {"Available": "true"})
    kit.advance(61.5)
    change("Worker", ann, {"activity_sid": kit.activity("Available")})
    moved = kit.task(workflow, {"kind": "x", "who": 2})
    kit.advance(5)
    change("Worker", bob, {"activity_sid": kit.activity("Available")})
    one, two = sorted(kit.workspace.tasks[moved].open)
    kit.reserve(one, "accepted")
    change("Task", moved, {"priority": 2})
    kit.reserve(one, "wrapping")
    kit.reserve(one, "completed")
    taken = kit.task(workflow, {"kind": "x", "who": 1})
    kit.reserve(kit.offer(taken), "rejected")
    change("Task", taken, {"reason": "changed my mind"}, {"AssignmentStatus": "canceled"})
    drop("Task", taken)
    failed = kit.task(workflow, None, {"RoutingTarget": bob}, task_queue_sid=first)
    kit.reserve(kit.offer(failed), "rejected")
    late = kit.task(workflow, {"kind": "x", "who": 1})
    kit.advance(5)
    kit.advance(120)
    kit.advance(600)
    assert kit.workspace.tasks.get(late) is None
    change("Worker", ann, {"activity_sid": kit.activity("Available")})
    old = kit.task(workflow, {"kind": "x", "who": 1})
    kit.reserve(kit.offer(old), "accepted")
    kit.advance(86_400)
    gone = kit.task(workflow, {"kind": "x", "who": 3})
    change("Worker", ann, {"activity_sid": kit.activity("Offline")})
    kit.advance(1000)
    assert gone not in kit.workspace.tasks
    drop("Worker", ann)
    drop("Workflow", workflow)
    drop("TaskQueue", first)
    change("Workspace", WS, {"friendly_name": "Other"})
    drop("Workspace", WS)
    assert two
    return kit


@pytest.fixture(scope="module")
def day() -> Kit:
    """The day, once."""
    return everything()


@pytest.mark.parametrize("kind", sorted(SHEET))
def test_payload(day: Kit, kind: str) -> None:
    """Every type occurs, with every field of the sheet and none without a name or an object."""
    found = [each for each in events(day) if each.event_type == kind]
    assert found
    for event in found:
        wanted = {snake(name) for name in SHEET[kind].split()}
        if kind == "task.canceled" and event.event_data["task_canceled_reason"].startswith(
            "Task matched no filter"
        ):
            wanted.discard("task_queue_sid")  # it never was in one
        assert wanted <= event.event_data.keys(), wanted - event.event_data.keys()
        assert all(isinstance(value, str) for value in event.event_data.values())
        assert event.resource_sid
        assert event.resource_type
        assert event.event_date_ms == int(event.event_date * 1000)
        assert event.workspace_sid == WS
        for name in ("task_sid", "worker_sid", "reservation_sid"):
            if snake(name) in event.event_data:
                assert getattr(event, name) == event.event_data[name]


def test_no_unknown_types(day: Kit) -> None:
    """Nothing but what the sheet lists."""
    assert set(day.kinds()) == set(SHEET)


@pytest.mark.parametrize("kind", sorted(SHEET))
def test_callback_parameters(day: Kit, kind: str) -> None:
    """Each event is posted with the common parameters and its own, in PascalCase."""
    webhooks = [dict(each.params) for each in day.webhooks() if dict(each.params)["EventType"] == kind]
    assert len(webhooks) == day.kinds().count(kind)
    common = (
        "EventType AccountSid WorkspaceSid WorkspaceName EventDescription ResourceType ResourceSid "
        "Timestamp TimestampMs Sid"
    )
    for params in webhooks:
        missing = (set(common.split()) | set(SHEET[kind].split())) - params.keys()
        unmatched = params.get("TaskCanceledReason", "").startswith("Task matched no filter")
        assert missing == ({"TaskQueueSid"} if unmatched else set())
        assert (params["AccountSid"], params["WorkspaceSid"]) == (ACCOUNT, WS)
        assert params["Timestamp"].endswith("Z")


def test_the_callbacks_of_a_task_are_in_one_line(day: Kit) -> None:
    """Same key: delivered in order."""
    for webhook in day.webhooks():
        params = dict(webhook.params)
        if "TaskSid" in params:
            assert webhook.key == params["TaskSid"]
        assert webhook.token == params["Sid"]


def test_happy_path() -> None:
    """§10, exactly."""
    kit, task = task_in("completed")
    lives = [each.event_type for each in events(kit) if each.task_sid == task]
    assert lives == [
        "task.created", "workflow.entered", "workflow.target-matched", "task-queue.entered", "reservation.created",
        "reservation.accepted", "reservation.completed", "task.completed",
    ]  # fmt: skip
    kit, task = task_in("wrapping")
    kit.update("Task", task, {"reason": "done"}, {"AssignmentStatus": "completed"})
    lives = [each.event_type for each in events(kit) if each.task_sid == task]
    assert lives[5:] == [
        "reservation.accepted", "reservation.wrapup", "task.wrapup", "reservation.completed", "task.completed",
    ]  # fmt: skip


def test_facts_of_the_moment() -> None:
    """The state, age and version that the task had when the event happened."""
    kit, task = task_in("assigned")
    found = {each.event_type: each.event_data for each in events(kit) if each.task_sid == task}
    assert found["task.created"]["task_assignment_status"] == "pending"
    assert found["reservation.created"]["task_assignment_status"] == "reserved"
    assert found["reservation.accepted"]["task_assignment_status"] == "assigned"
    kit.advance(42.9)
    kit.update("Task", task, {"reason": "why"}, {"AssignmentStatus": "completed"})
    last = events(kit)[-1].event_data
    assert (last["task_age"], last["task_completed_reason"], last["task_assignment_status"]) == (
        "42",
        "why",
        "completed",
    )
    versions = [int(each.event_data["task_version"]) for each in events(kit) if each.task_sid == task]
    assert versions == sorted(versions)


def test_time_in_the_previous_activity(day: Kit) -> None:
    """Seconds and milliseconds, and which it was."""
    first = next(each for each in events(day) if each.event_type == "worker.activity.update")
    assert first.event_data["worker_time_in_previous_activity"] == "61"
    assert first.event_data["worker_time_in_previous_activity_ms"] == "61500"
    assert first.event_data["worker_previous_activity_sid"].startswith("WA")
    assert first.event_data["worker_activity_name"] == "Available"


@pytest.mark.parametrize(
    ("events_filter", "expected"),
    [
        (None, None), ("", None), ("task.created", ["task.created"]),
        ("task.created, reservation.created", ["task.created", "reservation.created"]), ("worker.deleted", []),
        ("task.created,no.such.thing", ["task.created"]), ("no.such.thing", []),
    ],
)  # fmt: skip
def test_filter(events_filter: str | None, expected: list[str] | None) -> None:
    """Empty: all. The record is written either way."""
    kit = Kit(template="FIFO", event_callback_url="http://e.example/", events_filter=events_filter)
    kit.worker("Ann")
    kit.task(flow(kit))
    told = [dict(each.params)["EventType"] for each in kit.webhooks()]
    assert told == (kit.kinds() if expected is None else expected)
    assert {"workspace.created", "task.created", "reservation.created"} <= set(kit.kinds())


def test_no_callback_url() -> None:
    """Nothing is posted."""
    kit, _ = task_in("completed")
    assert kit.webhooks() == []


@pytest.mark.parametrize(
    ("actor", "expected"),
    [
        (Actor(), ("account", ACCOUNT, "API", None)),
        (Actor(type="worker", sid="WK1", source="event-bridge", ip="10.0.0.1"),
         ("worker", "WK1", "event-bridge", f"/v1/Workspaces/{WS}/Workers/WK1")),
    ],
)  # fmt: skip
def test_actor(actor: Actor, expected: tuple[Any, ...]) -> None:
    """Who did it; what follows by itself was the system."""
    kit = Kit(template="FIFO")
    kit.worker("Ann")
    kit.request("create", "Task", kit.sid("WT"), {"workflow_sid": flow(kit)}, actor=actor)
    created = next(each for each in events(kit) if each.event_type == "task.created")
    reserved = next(each for each in events(kit) if each.event_type == "reservation.created")
    assert (created.actor_type, created.actor_sid, created.source, created.actor_url) == expected
    assert (reserved.actor_type, reserved.source) == ("system", "system")


def test_announcements(day: Kit) -> None:
    """The worker push channel hears what the sheet lists, in the order of the events, as copies."""
    announced = [each for each in day.effects if isinstance(each, Announce)]
    assert [each.event_type for each in announced] == [kind for kind in day.kinds() if kind.startswith(LIVE)]
    first = next(each for each in announced if each.event_type == "reservation.created")
    assert first.reservation.reservation_status == "pending"
    assert (first.task.assignment_status, first.worker.available) == ("reserved", True)


def test_records_before_events() -> None:
    """One commit: the saved records come first and each once an event."""
    kit = Kit(template="FIFO")
    kit.worker("Ann")
    seen = len(kit.effects)
    kit.task(flow(kit))
    saved = [each.record for each in kit.effects[seen:] if isinstance(each, Save)]
    kinds = [isinstance(each, Event) for each in saved]
    assert kinds == sorted(kinds)
    sids = [each.sid for each in saved]
    assert len(sids) == len(set(sids))
    assert json.loads(saved[0].attributes) == {}
