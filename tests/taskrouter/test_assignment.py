"""Which task, which worker (taskrouter.md §7), and the capacity that decides who may (§2.6)."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from tests.taskrouter.workspace_kit import WS, Kit


def default(kit: Kit, queue: str, **target: Any) -> str:
    """A workflow with nothing but a default filter."""
    return kit.workflow({"default_filter": {"queue": queue, **target}}, kit.sid("F"))


def served(kit: Kit, worker: str, count: int) -> list[str]:
    """The worker works: who comes first, second … as the tasks' names."""
    found = []
    for _ in range(count):
        (reservation,) = (
            kit.workspace.reservations[sid]
            for sid in kit.workspace.workers[worker].held
            if kit.workspace.reservations[sid].reservation_status == "pending"
        )
        found.append(json.loads(kit.workspace.tasks[reservation.task_sid].record.attributes)["name"])
        kit.reserve(reservation.sid, "accepted")
        kit.reserve(reservation.sid, "completed")
    return found


# --- the order of tasks -------------------------------------------------------------------------------------------

ARRIVALS = (("a", 0, 0), ("b", 5, 0), ("c", 0, 0), ("d", 5, 0), ("e", 0, 100), ("f", 5, 50))
"""Name, priority, seconds by which the virtual start time lies before the creation."""


@pytest.mark.parametrize(("order", "expected"), [("FIFO", "fbdeac"), ("LIFO", "dcbafe")])
def test_order_inside_a_queue(order: str, expected: str) -> None:
    """FIFO: priority, then virtual start time; LIFO: the latest virtual start time, priority ignored."""
    kit = Kit()
    flow = default(kit, kit.queue("Q", task_order=order))
    for name, priority, early in ARRIVALS:
        kit.now += 1
        kit.task(flow, {"name": name}, priority=priority, virtual_start_time=kit.now - early)
    assert served(kit, kit.worker("Ann"), 6) == list(expected)


def test_ties_go_to_the_older() -> None:
    """§7: date_created, then SID."""
    kit = Kit()
    flow = default(kit, kit.queue("Q"))
    start = kit.now
    for name in "abc":
        kit.now += 1
        kit.task(flow, {"name": name}, virtual_start_time=start)
    for name in "de":
        kit.task(flow, {"name": name}, virtual_start_time=start)
    assert served(kit, kit.worker("Ann"), 5) == list("abcde")


@pytest.mark.parametrize(("first", "expected"), [("FIFO", "cbda"), ("LIFO", "dacb")])
def test_order_across_queues(first: str, expected: str) -> None:
    """§7: the workspace says which queues go first; within FIFO queues priority, then time, globally."""
    kit = Kit(prioritize_queue_order=first)
    flows = {
        name: default(kit, kit.queue(name, task_order=order))
        for name, order in (("one", "FIFO"), ("two", "FIFO"), ("new", "LIFO"))
    }
    for name, flow, priority in (("a", "new", 9), ("b", "one", 1), ("c", "two", 2), ("d", "new", 0)):
        kit.now += 1
        kit.task(flows[flow], {"name": name}, priority=priority)
    assert served(kit, kit.worker("Ann"), 4) == list(expected)


@pytest.mark.parametrize(
    ("values", "expected"),
    [({"priority": 9}, "cab"), ({"virtual_start_time": 1.0}, "cab"), ({"priority": 0}, "abc")],
)
def test_an_update_moves_it(values: dict[str, Any], expected: str) -> None:
    """A new priority or virtual start time counts at once."""
    kit = Kit()
    flow = default(kit, kit.queue("Q"))
    for name in "abc":
        kit.now += 1
        last = kit.task(flow, {"name": name})
    kit.update("Task", last, values)
    assert served(kit, kit.worker("Ann"), 3) == list(expected)


def test_a_changed_queue_order_sorts_anew() -> None:
    """§2.4."""
    kit = Kit()
    queue = kit.queue("Q")
    flow = default(kit, queue)
    for name in "abc":
        kit.now += 1
        kit.task(flow, {"name": name})
    kit.update("TaskQueue", queue, {"task_order": "LIFO"})
    assert served(kit, kit.worker("Ann"), 3) == list("cba")


def test_nobody_is_passed_over_for_what_others_cannot_take() -> None:
    """A worker gets the first task that they can take; those before it wait on."""
    kit = Kit()
    flow = default(kit, kit.queue("Q"), expression="worker.langs HAS task.lang")
    for number, lang in enumerate(("de", "en", "de", "fr", "en")):
        kit.now += 1
        kit.task(flow, {"name": f"{lang}{number}", "lang": lang})
    assert served(kit, kit.worker("Ann", langs=["en", "fr"]), 3) == ["en1", "fr3", "en4"]
    assert served(kit, kit.worker("Bob", langs=["de"]), 2) == ["de0", "de2"]


def test_a_rejected_task_keeps_its_place() -> None:
    """Back in line where it was."""
    kit = Kit()
    flow = default(kit, kit.queue("Q"))
    for name in "abc":
        kit.now += 1
        kit.task(flow, {"name": name})
    ann = kit.worker("Ann")
    (offer,) = kit.workspace.workers[ann].held
    kit.reserve(offer, "rejected")
    assert served(kit, ann, 3) == list("abc")


# --- the order of workers -----------------------------------------------------------------------------------------


def test_longest_idle() -> None:
    """Never offered anything first (then the smaller SID), then whoever was offered something the longest ago."""
    kit = Kit()
    flow = default(kit, kit.queue("Q"))
    for name in "ABC":
        kit.worker(name)
    found = []
    for _ in range(7):
        kit.now += 1
        task = kit.task(flow)
        found += kit.pending(task)
        kit.reserve(kit.offer(task), "accepted")
        kit.update("Task", task, {"reason": "x"}, {"AssignmentStatus": "completed"})
        if len(found) == 4:
            kit.worker("D")
    assert found == ["A", "B", "C", "A", "D", "B", "C"]


@pytest.mark.parametrize(("optimized", "expected"), [(False, "B"), (True, "A")])
def test_idle_on_the_channel_or_anywhere(optimized: bool, expected: str) -> None:
    """§7: with channel_optimized_routing the clock is per channel."""
    kit = Kit()
    flow = default(kit, kit.queue("Q"))
    kit.update("TaskChannel", kit.workspace.channel_names["voice"], {"channel_optimized_routing": optimized})
    kit.worker("A")
    kit.now += 1
    voice = kit.task(flow, None, {"TaskChannel": "voice"})
    kit.update("Task", voice, {"reason": "x"}, {"AssignmentStatus": "canceled"})
    kit.now += 1
    kit.worker("B")
    kit.now += 1
    second = kit.task(flow, None, {"TaskChannel": "voice"})
    assert kit.pending(second) == ["B"]
    kit.update("Task", second, {"reason": "x"}, {"AssignmentStatus": "canceled"})
    kit.now += 1
    assert kit.pending(kit.task(flow, None, {"TaskChannel": "chat"})) == ["A"]
    kit.now += 1
    assert kit.pending(kit.task(flow, None, {"TaskChannel": "voice"})) == [expected]


@pytest.mark.parametrize(
    ("order_by", "expected"),
    [
        ("worker.level DESC", "CBADE"), ("worker.level", "ABCDE"), ("worker.level ASC, worker.age DESC", "ABCED"),
        ("worker.word DESC", "ABCDE"), ("worker.age DESC", "ECBAD"), ("worker.missing", "ABCDE"),
    ],
)  # fmt: skip
def test_order_by(order_by: str, expected: str) -> None:
    """Integers alone; who lacks the attribute comes last either way; then longest idle."""
    kit = Kit()
    flow = default(kit, kit.queue("Q"), order_by=order_by)
    levels = {"A": (1, 1), "B": (2, 2), "C": (3, 3), "D": ("9", None), "E": (None, 9)}
    for name, (level, age) in levels.items():
        attributes = {"word": name, "level": level, "age": age}
        kit.worker(name, **{key: value for key, value in attributes.items() if value is not None})
    found = [kit.pending(kit.task(flow))[0] for _ in range(5)]
    assert found == list(expected)


# --- several at once --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("most", "workers", "expected"), [(1, 3, 1), (2, 3, 2), (5, 3, 3), (3, 0, 0)])
def test_max_reserved_workers(most: int, workers: int, expected: int) -> None:
    """Up to that many at once."""
    kit = Kit()
    flow = default(kit, kit.queue("Q", max_reserved_workers=most))
    for number in range(workers):
        kit.worker(f"W{number}")
    assert len(kit.pending(kit.task(flow))) == expected


def test_later_workers_join_the_round() -> None:
    """A task with room for more reservations stays in line."""
    kit = Kit()
    queue = kit.queue("Q", max_reserved_workers=2)
    task = kit.task(default(kit, queue))
    kit.worker("A")
    assert kit.pending(task) == ["A"]
    kit.worker("B")
    kit.worker("C")
    assert kit.pending(task) == ["A", "B"]
    kit.update("TaskQueue", queue, {"max_reserved_workers": 3})
    assert kit.pending(task) == ["A", "B", "C"]
    kit.update("TaskQueue", queue, {"max_reserved_workers": 1})
    assert kit.pending(task) == ["A", "B", "C"]


# --- capacity -----------------------------------------------------------------------------------------------------


def own(kit: Kit, worker: str, channel: str) -> str:
    """SID of a worker's channel."""
    return kit.workspace.workers[worker].channels[kit.workspace.channel_names[channel]].sid


@pytest.mark.parametrize("capacity", [0, 1, 3])
def test_capacity(capacity: int) -> None:
    """As many reservations of a channel as it says; the other channels have their own."""
    kit = Kit()
    flow = default(kit, kit.queue("Q"))
    ann = kit.worker("Ann")
    kit.update("WorkerChannel", own(kit, ann, "chat"), {}, {"Capacity": str(capacity)})
    chats = [kit.task(flow, None, {"TaskChannel": "chat"}) for _ in range(4)]
    assert [len(kit.pending(each)) for each in chats] == [1] * capacity + [0] * (4 - capacity)
    assert kit.pending(kit.task(flow, None, {"TaskChannel": "voice"})) == ["Ann"]


@pytest.mark.parametrize(
    ("configured", "used", "percentage"),
    [(1, 0, 100), (1, 1, 0), (3, 1, 66), (3, 2, 33), (4, 1, 75), (0, 0, 0), (0, 1, 0), (1, 2, 0), (8, 7, 12)],
)
def test_percentage(configured: int, used: int, percentage: int) -> None:
    """100 × free / configured rounded down, 0 when nothing is configured; lowering takes nothing away."""
    kit = Kit()
    flow = default(kit, kit.queue("Q"))
    ann = kit.worker("Ann")
    kit.update("WorkerChannel", own(kit, ann, "default"), {}, {"Capacity": str(max(used, configured))})
    tasks = [kit.task(flow) for _ in range(used)]
    kit.update("WorkerChannel", own(kit, ann, "default"), {}, {"Capacity": str(configured)})
    channel = kit.workspace.worker_channels[own(kit, ann, "default")]
    assert (channel.assigned_tasks, channel.available_capacity_percentage) == (used, percentage)
    assert all(kit.pending(each) == ["Ann"] for each in tasks)


@pytest.mark.parametrize(
    ("activity", "channel", "free"), list(itertools.product((True, False), (True, False), (True, False)))
)
def test_candidates(activity: bool, channel: bool, free: bool) -> None:
    """§2.6: activity available, channel available and something free: all three."""
    kit = Kit()
    flow = default(kit, kit.queue("Q"))
    ann = kit.worker("Ann", activity="Available" if activity else "Unavailable")
    sid = own(kit, ann, "default")
    kit.update(
        "WorkerChannel",
        sid,
        {},
        {"Available": "true" if channel else "false", "Capacity": "1" if free else "0"},
    )
    assert kit.pending(kit.task(flow)) == (["Ann"] if activity and channel and free else [])


def test_single_task_workspaces() -> None:
    """§2.6: one reservation a worker, all channels together."""
    kit = Kit(multi_task_enabled=False)
    flow = default(kit, kit.queue("Q"))
    ann = kit.worker("Ann")
    kit.update("WorkerChannel", own(kit, ann, "chat"), {}, {"Capacity": "3"})
    first = kit.task(flow, None, {"TaskChannel": "voice"})
    second = kit.task(flow, None, {"TaskChannel": "chat"})
    assert (kit.pending(first), kit.pending(second)) == (["Ann"], [])
    kit.update("Workspace", WS, {"multi_task_enabled": True})
    assert kit.pending(second) == ["Ann"]


def test_two_accept_at_once() -> None:
    """Bad input of the issue: exactly one accepted reservation, whoever comes second is told."""
    kit = Kit()
    flow = default(kit, kit.queue("Q", max_reserved_workers=2))
    kit.worker("A")
    kit.worker("B")
    task = kit.task(flow)
    first, second = sorted(kit.workspace.tasks[task].open)
    kit.reserve(first, "accepted")
    from tests.taskrouter.states import refused

    refusal = refused(kit, "update", "Reservation", second, {}, {"ReservationStatus": "accepted"})
    assert "is rescinded, not pending" in refusal.message


def test_many_offers_in_one_event() -> None:
    """A queue's expression is put right: a thousand waiting tasks meet a hundred workers, in order and quickly."""
    kit = Kit()
    queue = kit.queue("Q", "1==0")
    flow = default(kit, queue)
    tasks = []
    for _ in range(1000):
        kit.now += 1
        tasks.append(kit.task(flow))
    for number in range(100):
        kit.worker(f"W{number:03}")
    kit.update("TaskQueue", queue, {"target_workers": "1==1"})
    assert [kit.pending(task) for task in tasks[:100]] == [[f"W{number:03}"] for number in range(100)]
    assert not any(kit.pending(task) for task in tasks[100:])
