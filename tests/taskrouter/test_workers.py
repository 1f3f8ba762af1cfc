"""Activities, workers and their channels (taskrouter.md §2.2, §2.3, §2.6)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.taskrouter.states import flow, refused
from tests.taskrouter.workspace_kit import WS, Kit

# --- activities -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "available"),
    [
        ("true", True),
        ("TRUE", True),
        ("1", True),
        ("yes", True),
        ("false", False),
        ("0", False),
        ("on", False),
        ("", False),
    ],
)
def test_activity(text: str, available: bool) -> None:
    """``true|1|yes``; everything else is false. It never changes."""
    kit = Kit()
    activity = kit.create("Activity", kit.sid("WA"), {"friendly_name": "Break"}, {"Available": text})
    assert activity.available is available
    kit.update(
        "Activity", activity.sid, {"friendly_name": "Lunch"}, {"Available": "false" if available else "true"}
    )
    assert (activity.friendly_name, activity.available) == ("Lunch", available)


def test_a_renamed_activity_is_renamed_everywhere() -> None:
    """Workers, and queues whose expression names it."""
    kit = Kit()
    kit.queue("Q", "activity_name == 'Ready'")
    workflow = kit.workflow({"default_filter": {"queue": next(iter(kit.workspace.queues))}})
    ann = kit.worker("Ann")
    task = kit.task(workflow)
    assert kit.pending(task) == []
    kit.update("Activity", kit.activity("Available"), {"friendly_name": "Ready"})
    assert kit.workspace.workers[ann].record.activity_name == "Ready"
    assert kit.pending(task) == ["Ann"]
    kit.update("Activity", kit.activity("Offline"), {"friendly_name": "Away"})
    assert (kit.workspace.record.default_activity_name, kit.workspace.record.timeout_activity_name) == (
        "Away",
        "Away",
    )


def test_activity_deletion() -> None:
    """Refused while default, timeout or in use."""
    kit = Kit()
    kit.update("Workspace", WS, {"default_activity_sid": kit.activity("Unavailable")})
    ann = kit.worker("Ann")
    for name in ("Offline", "Unavailable", "Available"):
        assert refused(kit, "delete", "Activity", kit.activity(name)).code == 20001
    kit.update("Worker", ann, {"activity_sid": kit.activity("Offline")})
    kit.request("delete", "Activity", kit.activity("Available"))
    assert "Available" not in {each.friendly_name for each in kit.workspace.activities.values()}


def test_activity_limits() -> None:
    """Names are unique; a hundred of them."""
    kit = Kit()
    assert refused(kit, "create", "Activity", kit.sid("WA"), {"friendly_name": "Offline"}).code == 20001
    for number in range(97):
        kit.create("Activity", kit.sid("WA"), {"friendly_name": f"A{number}"})
    assert refused(kit, "create", "Activity", kit.sid("WA"), {"friendly_name": "one more"}).code == 20001


# --- workers --------------------------------------------------------------------------------------------------------


def test_a_new_worker() -> None:
    """The workspace's default activity, empty attributes, a channel of each kind with a capacity of one."""
    kit = Kit()
    worker = kit.create("Worker", kit.sid("WK"), {"friendly_name": "Ann"})
    assert (worker.activity_name, worker.available, worker.attributes) == ("Offline", False, "{}")
    assert worker.date_status_changed == worker.date_created == kit.now
    channels = kit.workspace.workers[worker.sid].channels.values()
    assert {each.task_channel_unique_name for each in channels} == {
        "default",
        "voice",
        "chat",
        "sms",
        "video",
    }
    assert all(
        (each.configured_capacity, each.available, each.assigned_tasks) == (1, True, 0) for each in channels
    )
    assert kit.create(
        "Worker", kit.sid("WK"), {"friendly_name": "B", "activity_sid": kit.activity("Available")}
    ).available


@pytest.mark.parametrize(
    "values",
    [
        {"friendly_name": "ANN"}, {"friendly_name": "B", "attributes": "no"},
        {"friendly_name": "B", "attributes": "[]"},
        {"friendly_name": "B", "attributes": json.dumps({"a": "x" * 4090})},
        {"friendly_name": "B", "activity_sid": "WA" + "f" * 32},
    ],
)  # fmt: skip
def test_bad_worker(values: dict[str, Any]) -> None:
    """Names are unique without case (§2.3); attributes are an object of at most 4096 characters."""
    kit = Kit()
    kit.worker("Ann")
    bob = kit.worker("Bob")
    assert refused(kit, "create", "Worker", kit.sid("WK"), values).code == 20001
    assert refused(kit, "update", "Worker", bob, values).code == 20001
    assert (len(kit.workspace.workers), kit.workspace.workers[bob].record.friendly_name) == (2, "Bob")


def test_a_name_is_free_again() -> None:
    """After a new name, and after deletion; one's own name in other letters is fine."""
    kit = Kit()
    ann = kit.worker("Ann", activity="Offline")
    kit.update("Worker", ann, {"friendly_name": "ANN"})
    kit.update("Worker", ann, {"friendly_name": "Zoe"})
    other = kit.worker("ann", activity="Offline")
    kit.request("delete", "Worker", other)
    kit.worker("Ann")


def test_attributes_are_replaced() -> None:
    """No merge; membership of queues is recomputed."""
    kit = Kit()
    queue = kit.queue("Q", "a == 1")
    ann = kit.worker("Ann", a=1, b=2)
    assert kit.workspace.queues[queue].members == {ann}
    kit.update("Worker", ann, {"attributes": '{"b": 3}'})
    assert json.loads(kit.workspace.workers[ann].record.attributes) == {"b": 3}
    assert kit.workspace.queues[queue].members == set()


def test_date_status_changed() -> None:
    """The last change of activity; the same activity is none."""
    kit = Kit()
    ann = kit.worker("Ann")
    start = kit.now
    kit.now += 10
    kit.update("Worker", ann, {"activity_sid": kit.activity("Available")})
    assert kit.workspace.workers[ann].record.date_status_changed == start
    kit.update("Worker", ann, {"activity_sid": kit.activity("Unavailable")})
    assert kit.workspace.workers[ann].record.date_status_changed == start + 10


@pytest.mark.parametrize(
    ("activity", "params", "result"),
    [
        ("Offline", {}, "refused"), ("Offline", {"RejectPendingReservations": "false"}, "refused"),
        ("Offline", {"RejectPendingReservations": "true"}, "rejected"), ("Lunch", {}, "refused"),
        ("Ready", {}, "pending"), ("Ready", {"RejectPendingReservations": "true"}, "pending"),
    ],
)  # fmt: skip
def test_moving_with_pending_reservations(activity: str, params: dict[str, str], result: str) -> None:
    """§2.3, §7: between available activities they stay; to an unavailable one they must be rejected."""
    kit = Kit(template="FIFO")
    kit.create("Activity", kit.sid("WA"), {"friendly_name": "Ready"}, {"Available": "true"})
    kit.create("Activity", kit.sid("WA"), {"friendly_name": "Lunch"})
    ann = kit.worker("Ann")
    tasks = [kit.task(flow(kit), None, {"TaskChannel": channel}) for channel in ("voice", "chat")]
    offers = [kit.offer(task) for task in tasks]
    values = {"activity_sid": kit.activity(activity)}
    if result == "refused":
        refusal = refused(kit, "update", "Worker", ann, values, params)
        assert refusal.code == 20001
        assert refusal.message == (
            f"Worker {ann} cannot have its activity updated while it has 2 pending reservations."
        )
        return
    kit.update("Worker", ann, values, params)
    assert [kit.workspace.reservations[sid].reservation_status for sid in offers] == [result] * 2
    assert kit.workspace.workers[ann].record.activity_name == activity
    assert [kit.state(task) for task in tasks] == ["pending" if result == "rejected" else "reserved"] * 2


def test_deletion() -> None:
    """Only from an unavailable activity, without live reservations, at the right version."""
    kit = Kit(template="FIFO")
    ann = kit.worker("Ann")
    assert refused(kit, "delete", "Worker", ann).code == 20001
    task = kit.task(flow(kit))
    kit.reserve(kit.offer(task), "accepted")
    kit.update("Worker", ann, {"activity_sid": kit.activity("Offline")})
    assert "live reservations" in refused(kit, "delete", "Worker", ann).message
    kit.update("Task", task, {"reason": "x"}, {"AssignmentStatus": "completed"})
    assert refused(kit, "delete", "Worker", ann, if_match="0").status == 412
    kit.request("delete", "Worker", ann)
    assert (kit.workspace.workers, kit.workspace.worker_channels, kit.workspace.worker_names) == ({}, {}, {})
    assert all(not queue.members and not +queue.activities for queue in kit.workspace.queues.values())
    assert len([each for each in kit.deleted() if each.sid.startswith("WC")]) == 5


# --- channels ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("capacity", ["-1", "1.5", "x", "1001", "9" * 30, "²"])
def test_bad_capacity(capacity: str) -> None:
    """20001."""
    kit = Kit()
    channel = next(iter(kit.workspace.workers[kit.worker("Ann")].channels.values()))
    assert refused(kit, "update", "WorkerChannel", channel.sid, {}, {"Capacity": capacity}).code == 20001
    assert channel.configured_capacity == 1


def test_a_new_task_channel() -> None:
    """Every worker gets one; it routes at once; names are unique and have no hyphens."""
    kit = Kit(template="FIFO")
    ann = kit.worker("Ann")
    for name, code in (("e-mail", 20001), ("voice", 20409), ("", 20001)):
        refusal = refused(
            kit, "create", "TaskChannel", kit.sid("TC"), {"friendly_name": "X", "unique_name": name}
        )
        assert refusal.code == code
    email = kit.create("TaskChannel", kit.sid("TC"), {"friendly_name": "E-mail", "unique_name": "email"})
    assert kit.workspace.workers[ann].channels[email.sid].configured_capacity == 1
    task = kit.task(flow(kit), None, {"TaskChannel": "email"})
    assert kit.pending(task) == ["Ann"]
    assert refused(kit, "delete", "TaskChannel", email.sid).code == 20001
    kit.request("delete", "Task", task)
    kit.request("delete", "TaskChannel", email.sid)
    assert email.sid not in kit.workspace.workers[ann].channels
    assert refused(kit, "delete", "TaskChannel", kit.workspace.channel_names["default"]).code == 20001


def test_idleness_after_a_channel_is_deleted() -> None:
    """What was done on a channel that is no more does not count any longer."""
    kit = Kit(template="FIFO")
    email = kit.create("TaskChannel", kit.sid("TC"), {"friendly_name": "E", "unique_name": "email"})
    kit.worker("Ann")
    kit.now += 1
    task = kit.task(flow(kit), None, {"TaskChannel": "email"})
    kit.worker("Bob")
    kit.request("delete", "Task", task)
    kit.request("delete", "TaskChannel", email.sid)
    assert kit.pending(kit.task(flow(kit))) == ["Ann"]


def test_the_activities_of_a_single_task_workspace() -> None:
    """§2.4: what the queue says for an offered and an accepted task; where several tasks are allowed: ignored."""
    for multi, expected in ((False, ["Break", "Busy"]), (True, ["Available", "Available"])):
        kit = Kit(multi_task_enabled=multi)
        states = {
            name: kit.create("Activity", kit.sid("WA"), {"friendly_name": name}).sid
            for name in ("Break", "Busy")
        }
        queue = kit.queue(
            "all", reservation_activity_sid=states["Break"], assignment_activity_sid=states["Busy"]
        )
        worker = kit.worker("Ann")
        task = kit.task(kit.workflow({"default_filter": {"queue": queue}}))
        seen = [kit.workspace.workers[worker].record.activity_name]
        kit.reserve(kit.offer(task), "accepted")
        seen.append(kit.workspace.workers[worker].record.activity_name)
        assert seen == expected
