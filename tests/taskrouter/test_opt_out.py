"""The atomic opt-out: one commit cancels the caller's task and makes its successor (callback-voicemail.md §5.1)."""

from __future__ import annotations

import json

import pytest

from ringback.events.taskrouter import TaskRequested
from ringback.kernel.errors import Refused
from tests.taskrouter.workspace_kit import ACCOUNT, WS, Kit

CALL = "CA" + "7" * 32


def caller(kit: Kit, workflow: str) -> str:
    """A caller who waits; gives the task's SID."""
    sid = kit.sid("WT")
    kit.event(
        TaskRequested(
            workspace_sid=WS, account_sid=ACCOUNT, caller_sid=CALL, request="task", task_sid=sid, workflow_sid=workflow,
            attributes='{"tier":"gold"}', facts={"call_sid": CALL, "from": "+15551230001"}, priority=3,
        )
    )  # fmt: skip
    return sid


def opt_out(kit: Kit, task: str, **params: str) -> str:
    """Ask for it; gives the successor's SID."""
    values = {"attributes": '{"taskType":"callback"}'}
    if "VirtualStartTime" in params:
        values["virtual_start_time"] = float(params.pop("VirtualStartTime"))  # type: ignore[assignment]
    return str(kit.create("OptOut", kit.sid("WT"), values, {"TaskSid": task, **params}).sid)


def test_one_commit_cancels_and_creates() -> None:
    kit = Kit()
    workflow = kit.workflow({"default_filter": {"queue": kit.queue("Q")}})
    kit.now += 0.4
    task = caller(kit, workflow)
    old = kit.workspace.tasks[task].record
    kit.now += 60.3
    kit.effects.clear()
    start = str(int(old.date_created))
    new = kit.workspace.tasks[opt_out(kit, task, Source=CALL, Reason="Enough", VirtualStartTime=start)].record
    assert (old.assignment_status, old.reason) == ("canceled", "Enough")
    assert json.loads(old.attributes)["conversations"] == {"abandoned": "Follow-Up"}
    assert json.loads(old.attributes)["tier"] == "gold"
    assert (new.assignment_status, new.workflow_sid, new.priority) == ("pending", workflow, 3)
    assert new.task_channel_unique_name == "voice"
    assert new.virtual_start_time == old.date_created, "exact although the text has whole seconds"
    saved = {each.sid for each in kit.saved()}
    assert {old.sid, new.sid} <= saved


def test_the_same_source_gives_the_same_task() -> None:
    kit = Kit()
    task = caller(kit, kit.workflow({"default_filter": {"queue": kit.queue("Q")}}))
    first = opt_out(kit, task, Source=CALL)
    assert opt_out(kit, task, Source=CALL) == first
    other = opt_out(kit, task, Source="RE" + "1" * 32)
    assert other != first, "a recording is another request"
    assert len(kit.workspace.tasks) == 3


def test_an_agent_was_first_and_nothing_is_created() -> None:
    kit = Kit()
    kit.worker("alice")
    task = caller(kit, kit.workflow({"default_filter": {"queue": kit.queue("Q")}}))
    kit.reserve(kit.offer(task), "accepted")
    with pytest.raises(Refused) as refusal:
        opt_out(kit, task, Source=CALL)
    assert refusal.value.code == 20001
    assert list(kit.workspace.tasks) == [task]
    assert kit.state(task) == "assigned"


def test_a_pending_reservation_is_canceled_with_the_task() -> None:
    kit = Kit()
    kit.worker("alice")
    task = caller(kit, kit.workflow({"default_filter": {"queue": kit.queue("Q")}}))
    reservation = kit.offer(task)
    new = opt_out(kit, task, Source=CALL)
    assert kit.workspace.reservations[reservation].reservation_status == "canceled"
    assert kit.pending(new), "the free agent is offered the callback"


def test_a_caller_who_has_hung_up_meanwhile_keeps_their_request() -> None:
    kit = Kit()
    task = caller(kit, kit.workflow({"default_filter": {"queue": kit.queue("Q")}}))
    kit.update("Task", task, {"reason": "hangup"}, {"AssignmentStatus": "canceled"})
    new = opt_out(kit, task, Source=CALL)
    assert kit.state(new) == "pending"
    assert (
        json.loads(kit.workspace.tasks[task].record.attributes)["conversations"]["abandoned"] == "Follow-Up"
    )


def test_what_cannot_be_created_cancels_nothing() -> None:
    kit = Kit()
    task = caller(kit, kit.workflow({"default_filter": {"queue": kit.queue("Q")}}))
    with pytest.raises(Refused):
        opt_out(kit, task, Source=CALL, TaskChannel="pigeon")
    assert (kit.state(task), list(kit.workspace.tasks)) == ("pending", [task])
    with pytest.raises(Refused) as missing:
        opt_out(kit, "WT" + "f" * 32)
    assert missing.value.status == 404
