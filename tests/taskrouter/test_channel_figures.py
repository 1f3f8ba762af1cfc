"""Expressions that read what a worker's channels hold (taskrouter.md §2.5, §2.6): they change with every task."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ringback.taskrouter.explanation import explain
from ringback.taskrouter.expression import compile_expression, compile_order_by
from tests.taskrouter.test_assignment import default, own
from tests.taskrouter.test_restart import Store, reborn
from tests.taskrouter.workspace_kit import Kit


def figures(kit: Kit, worker: str, channel: str = "default") -> tuple[Any, ...]:
    """Assigned tasks, percentage, as an expression reads them."""
    found = kit.workspace.workers[worker].figures(channel)
    assert found is not None
    return found["assigned_tasks"], found["available_capacity_percentage"]


def capacity(kit: Kit, worker: str, number: int, channel: str = "default") -> None:
    """Let them hold so many tasks of a channel."""
    kit.update("WorkerChannel", own(kit, worker, channel), {}, {"Capacity": str(number)})


def holds(kit: Kit, worker: str, text: str) -> bool:
    """Whether an expression over workers holds for them."""
    return compile_expression(text, "worker")(kit.workspace.workers[worker].attributes, {}, {})


def test_figures_through_a_life() -> None:
    """Offered is not assigned, but takes room; wrapping still is both; what is left is rounded down."""
    kit = Kit()
    flow = default(kit, kit.queue("Q"))
    ann = kit.worker("Ann")
    capacity(kit, ann, 3)
    assert figures(kit, ann) == (0, 100)
    task = kit.task(flow)
    assert figures(kit, ann) == (0, 66)
    offer = kit.offer(task)
    for status, expected in (("accepted", (1, 66)), ("wrapping", (1, 66)), ("completed", (0, 100))):
        kit.reserve(offer, status)
        assert figures(kit, ann) == expected, status
    found = kit.workspace.workers[ann].figures("default")
    assert found == {
        "configured_capacity": 3, "assigned_tasks": 0, "available_capacity_percentage": 100, "available": True,
        "last_reserved_time": int(kit.now * 1000),
    }  # fmt: skip
    assert kit.workspace.workers[ann].figures("fax") is None


@pytest.mark.parametrize("prefix", ["", "worker."])
def test_what_can_be_read(prefix: str) -> None:
    """Every figure, with the prefix and without; dots in names; a channel that there is not; attributes beside it."""
    kit = Kit()
    kit.create("TaskChannel", kit.sid("TC"), {"friendly_name": "Fax", "unique_name": "my.fax_2"})
    ann = kit.worker(
        "Ann", channel={"fax": {"available": "Mondays"}, "voice": {"available": "never", "tone": 1}}
    )
    for text in (
        "channel.voice.configured_capacity == 1", "channel.voice.assigned_tasks == 0", "channel.voice.available",
        "channel.voice.available_capacity_percentage >= 100", "channel.voice.last_reserved_time == 0",
        "channel.my.fax_2.configured_capacity == 1", "channel.fax.available == 'Mondays'", "channel.voice.tone == 1",
        "channel.voice.nothing == null", "channel.nothing.assigned_tasks == null",
    ):  # fmt: skip
        assert holds(kit, ann, prefix + text), text


def test_people_who_do_not_exist_have_attributes_alone() -> None:
    """A plain mapping (``EvaluateWorkerAttributes``) may tell figures as attributes."""
    free = compile_expression("worker.channel.chat.assigned_tasks < 2", "worker")
    assert free({"channel": {"chat": {"assigned_tasks": 1}}}, {}, {})
    assert not free({}, {}, {})


def test_the_prefix_finds_workers() -> None:
    """``worker.`` as in a target; for those with an attribute of that name it is what it says. So for ``task.``"""
    for text in (
        "worker.skills HAS 'x'",
        "skills HAS 'x'",
        "worker.friendly_name == 'Ann' AND worker.a.b[0] == 1",
    ):
        expression = compile_expression(text, "worker")
        assert expression({"skills": ["x"], "friendly_name": "Ann", "a": {"b": [1]}}, {}, {}), text
    assert not compile_expression("worker.skills HAS 'x'", "worker")({"worker": {}, "skills": ["x"]}, {}, {})
    assert compile_expression("worker.skills HAS 'x'", "worker")({"worker": {"skills": ["x"]}}, {}, {})
    assert compile_expression("task.kind == 'x'", "task")({}, {"kind": "x"}, {})
    assert compile_expression("task.kind == 'x'", "task")({}, {"kind": "y", "task": {"kind": "x"}}, {})
    assert compile_expression("task == 'x' AND worker == 1", "task")({}, {"task": "x", "worker": 1}, {})
    assert compile_expression("task.kind == 'x'", "task").constants == ()


def test_a_queue_of_those_who_are_free() -> None:
    """Whoever accepts a task leaves it, and comes back when the task ends; then what waits finds them at once."""
    kit = Kit()
    queue = kit.queue("Idle", "worker.channel.default.assigned_tasks == 0 AND skills HAS 'a'")
    flow = default(kit, queue)
    ann = kit.worker("Ann", skills=["a"])
    capacity(kit, ann, 5)
    members = kit.workspace.queues[queue].members
    first, second = kit.task(flow), kit.task(flow)
    assert kit.pending(first) == kit.pending(second) == ["Ann"]
    assert members == {ann}
    kit.reserve(kit.offer(first), "accepted")
    assert members == set()
    third = kit.task(flow)
    assert kit.pending(third) == []
    assert kit.pending(second) == ["Ann"]
    kit.update("Task", first, {"reason": "done"}, {"AssignmentStatus": "completed"})
    assert members == {ann}
    assert kit.pending(third) == ["Ann"]


def test_no_second_channel_while_on_the_telephone() -> None:
    """The commonest of the published ones: chats only for those who are not on a call."""
    kit = Kit()
    target = {"expression": "worker.channel.voice.available_capacity_percentage == 100"}
    chats = default(kit, kit.queue("Chats"), **target)
    calls = default(kit, kit.queue("Calls"))
    kit.worker("Ann")
    call = kit.task(calls, None, {"TaskChannel": "voice"})
    chat = kit.task(chats, None, {"TaskChannel": "chat"})
    assert kit.pending(call) == ["Ann"]
    assert kit.pending(chat) == []
    kit.reserve(kit.offer(call), "accepted")
    kit.reserve(kit.offer_of(call), "wrapping")
    assert kit.pending(chat) == []
    kit.reserve(kit.offer_of(call), "completed")
    assert kit.pending(chat) == ["Ann"]


def test_figures_of_the_task_s_wish() -> None:
    """Compared with the task's attributes; such a comparison is no index over attributes."""
    expression = compile_expression("task.most > worker.channel.default.assigned_tasks", "target")
    assert (expression.links, expression.reads_channels) == ((), True)
    kit = Kit()
    flow = default(kit, kit.queue("Q"), expression=expression.text)
    ann = kit.worker("Ann")
    capacity(kit, ann, 5)
    kit.reserve(kit.offer(kit.task(flow, {"most": 1})), "accepted")
    tasks = [kit.task(flow, {"most": most}) for most in (0, 1, 2)]
    assert [kit.pending(each) for each in tasks] == [[], [], ["Ann"]]


def test_order_by_load() -> None:
    """The one with most room first; then the one who was asked longest ago, whoever never was before all."""
    assert compile_order_by("worker.level").reads_channels is False
    kit = Kit()
    order = "worker.channel.default.available_capacity_percentage DESC, worker.channel.default.last_reserved_time ASC"
    flow = default(kit, kit.queue("Q"), order_by=order)
    for name, number in (("Ann", 4), ("Bob", 2)):
        capacity(kit, kit.worker(name), number)
        kit.advance(1)
    offered = []
    for _ in range(6):
        offered += kit.pending(kit.task(flow))
        kit.advance(1)
    # 100/100 → Ann 75, Bob 100 → Bob 50 → Ann 50 → Bob was asked longer ago → Bob full → Ann, Ann
    assert offered == ["Ann", "Bob", "Ann", "Bob", "Ann", "Ann"]


def test_an_offer_opens_something_to_its_worker() -> None:
    """A task for those who are at work already, of higher priority, is offered before the rest of the line."""
    kit = Kit()
    queue = kit.queue("Q")
    busy = {"expression": "worker.channel.default.available_capacity_percentage < 100"}
    helpers = default(kit, queue, **busy)
    anybody = default(kit, queue)
    urgent = kit.task(helpers, priority=9)
    line = [kit.task(anybody) for _ in range(3)]
    ann = kit.worker("Ann", activity="Offline")
    capacity(kit, ann, 2)
    kit.update("Worker", ann, {"activity_sid": kit.activity("Available")})
    assert [kit.pending(each) for each in (urgent, *line)] == [["Ann"], ["Ann"], [], []]


@pytest.mark.parametrize(
    ("text", "params", "fits"),
    [
        ("worker.channel.chat.configured_capacity >= 3", {"Capacity": "3"}, True),
        ("worker.channel.chat.available == false", {"Available": "false"}, True),
        ("worker.channel.chat.configured_capacity == 1", {"Capacity": "0"}, False),
    ],
)
def test_a_channel_is_changed(text: str, params: dict[str, str], fits: bool) -> None:
    """By a request: membership follows, and what waits finds them."""
    kit = Kit()
    queue = kit.queue("Q", text)
    ann = kit.worker("Ann")
    task = kit.task(default(kit, queue))
    before = kit.pending(task)
    kit.update("WorkerChannel", own(kit, ann, "chat"), {}, params)
    assert (ann in kit.workspace.queues[queue].members) is fits
    assert kit.pending(task) == ["Ann"]
    assert (before == []) is fits


def test_a_channel_that_is_new_or_gone() -> None:
    """Task channels come and go."""
    kit = Kit()
    queue = kit.queue("Fax", "worker.channel.fax.configured_capacity > 0")
    kit.worker("Ann")
    members = kit.workspace.queues[queue].members
    assert members == set()
    sid = kit.create("TaskChannel", kit.sid("TC"), {"friendly_name": "Fax", "unique_name": "fax"}).sid
    assert len(members) == 1
    kit.request("delete", "TaskChannel", sid)
    assert members == set()


def test_only_those_who_name_channels_pay() -> None:
    """Without such an expression nobody is asked anew; with one the queues that have it are, and no others."""
    kit = Kit()
    plain = kit.queue("Plain", "skills HAS 'a'")
    flow = default(kit, plain)
    kit.worker("Ann", skills=["a"])
    asked: list[str] = []
    queue = kit.workspace.queues[plain]
    said = queue.expression

    def counting(*data: Any) -> bool:
        asked.append("plain")
        return said(*data)

    assert kit.workspace.watching == set()
    queue.expression = counting  # type: ignore[assignment]
    kit.reserve(kit.offer(kit.task(flow)), "accepted")
    other = kit.queue("Other", "worker.channel.default.assigned_tasks > 0")
    assert kit.workspace.watching == {other}
    asked.clear()
    kit.reserve(kit.offer_of(next(iter(kit.workspace.tasks))), "completed")
    assert asked == []
    assert kit.workspace.queues[other].members == set()
    kit.update("TaskQueue", other, {"target_workers": "1==1"})
    assert kit.workspace.watching == set()
    reading = default(kit, plain, order_by="worker.channel.default.assigned_tasks")
    assert kit.workspace.watching == {reading}
    kit.request("delete", "Workflow", reading)
    assert kit.workspace.watching == set()


def test_it_is_explained() -> None:
    """Which values the queue's and the target's expressions and the order read of each worker."""
    kit = Kit()
    queue = kit.queue("Q", "skills HAS 'a' AND worker.channel.chat.assigned_tasks < 1")
    target = {
        "expression": "worker.channel.default.assigned_tasks < task.most",
        "order_by": "worker.level DESC",
    }
    flow = default(kit, queue, **target)
    ann = kit.worker("Ann", skills=["a"], level=3)
    capacity(kit, ann, 2)
    kit.reserve(kit.offer(kit.task(flow, {"most": 1})), "accepted")
    task = kit.task(flow, {"most": 1})
    (found,) = explain(kit.workspace, task, kit.now, [])["workers"]
    assert (found["reason"], found["reads"]) == (
        "expression_false",
        {
            "worker.skills": ["a"], "worker.channel.chat.assigned_tasks": 0,
            "worker.channel.default.assigned_tasks": 1, "worker.level": 3,
        },
    )  # fmt: skip
    json.dumps(found)


def test_after_a_restart() -> None:
    """Membership, figures and offers are those of before."""
    kit, store = Kit(), Store()
    queue = kit.queue("Idle", "worker.channel.default.assigned_tasks == 0")
    flow = default(kit, queue)
    ann, bob = kit.worker("Ann"), kit.worker("Bob")
    kit.reserve(kit.offer(kit.task(flow)), "accepted")
    store.follow(kit)
    other = reborn(kit, store)
    assert other.workspace.watching == {queue}
    assert other.workspace.queues[queue].members == kit.workspace.queues[queue].members
    assert [figures(other, each) for each in (ann, bob)] == [figures(kit, each) for each in (ann, bob)]
