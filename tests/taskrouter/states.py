"""A workspace with one task brought into a given state."""

from __future__ import annotations

from typing import Any

import pytest

from ringback.kernel.errors import Refused
from tests.taskrouter.workspace_kit import Kit

TASK_STATES = ("pending", "reserved", "assigned", "wrapping", "completed", "canceled")
RESERVATION_STATES = (
    "pending", "accepted", "wrapping", "completed", "rejected", "timeout", "canceled", "rescinded",
)  # fmt: skip


def flow(kit: Kit) -> str:
    """The workspace's first workflow."""
    return next(iter(kit.workspace.workflows))


def task_in(state: str, **workspace: Any) -> tuple[Kit, str]:
    """A workspace of template FIFO with a worker (Ann), and its task in this state."""
    kit = Kit(template="FIFO", **workspace)
    kit.worker(
        "Ann", activity="Offline" if state in ("pending", "canceled") else "Available", contact_uri="sip:a@b"
    )
    task = kit.task(flow(kit))
    if state in ("assigned", "wrapping", "completed"):
        reservation = kit.offer(task)
        kit.reserve(reservation, "accepted")
        if state != "assigned":
            kit.reserve(reservation, state)
    if state == "canceled":
        kit.update("Task", task, {"reason": "x"}, {"AssignmentStatus": "canceled"})
    assert kit.state(task) == state
    return kit, task


def reservation_in(state: str) -> tuple[Kit, str, str]:
    """A workspace, its task, and the task's reservation in this state."""
    kit = Kit(template="FIFO")
    queue = next(iter(kit.workspace.queues))
    kit.update("TaskQueue", queue, {"max_reserved_workers": 2})
    kit.worker("Ann")
    if state == "rescinded":
        kit.worker("Bob")
    task = kit.task(flow(kit))
    sids = list(kit.workspace.tasks[task].reservations)
    if state in ("accepted", "wrapping", "completed"):
        kit.reserve(sids[0], "accepted")
        if state != "accepted":
            kit.reserve(sids[0], state)
    elif state == "rejected":
        kit.reserve(sids[0], "rejected", WorkerActivitySid=kit.activity("Offline"))
    elif state == "timeout":
        kit.advance(120)
    elif state == "canceled":
        kit.update("Task", task, {"reason": "x"}, {"AssignmentStatus": "canceled"})
    elif state == "rescinded":
        kit.reserve(sids[1], "accepted")
    assert kit.workspace.reservations[sids[0]].reservation_status == state
    return kit, task, sids[0]


def refused(kit: Kit, *request: Any, **more: Any) -> Refused:
    """A request that is refused and changes nothing."""
    effects = len(kit.effects)
    with pytest.raises(Refused) as caught:
        kit.request(*request, **more)
    assert len(kit.effects) == effects
    kit.advance(0)
    kit.request(
        "update", "Workspace", kit.workspace.record.sid, {"friendly_name": kit.workspace.record.friendly_name}
    )
    written = {type(each.record).__name__ for each in kit.effects[effects:] if hasattr(each, "record")}
    assert written <= {"Workspace", "Event"}, "the refused request had left something to save"
    return caught.value


def place(kit: Kit, task: str) -> tuple[Any, ...]:
    """Queue's name, filter and target of a task."""
    record = kit.workspace.tasks[task].record
    return record.task_queue_friendly_name, record.filter_index, record.target_index


def one_filter(*targets: dict[str, Any], expression: str = "1==1", **root: Any) -> dict[str, Any]:
    """A configuration with one filter."""
    return {"filters": [{"expression": expression, "targets": list(targets)}], **root}
