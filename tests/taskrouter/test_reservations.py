"""Reservations (taskrouter.md §4): every request in every state, and what follows from each transition."""

from __future__ import annotations

import itertools

import pytest

from ringback.effects.taskrouter import AskAssignment
from tests.taskrouter.states import RESERVATION_STATES, flow, refused, reservation_in, task_in
from tests.taskrouter.workspace_kit import Kit

LEGAL = {
    "accepted": ("pending",), "rejected": ("pending",), "wrapping": ("accepted",),
    "completed": ("accepted", "wrapping"),
}  # fmt: skip


@pytest.mark.parametrize(("state", "wanted"), list(itertools.product(RESERVATION_STATES, LEGAL)))
def test_status(state: str, wanted: str) -> None:
    """§4: from a state that is not listed 20001, saying which it is."""
    kit, _, reservation = reservation_in(state)
    if state in LEGAL[wanted]:
        kit.reserve(reservation, wanted)
        assert kit.workspace.reservations[reservation].reservation_status == wanted
        return
    refusal = refused(kit, "update", "Reservation", reservation, {}, {"ReservationStatus": wanted})
    assert refusal.code == 20001
    assert reservation in refusal.message
    assert f"is {state}, not " in refusal.message


@pytest.mark.parametrize(
    "params",
    [
        {}, {"ReservationStatus": "pending"}, {"ReservationStatus": "timeout"},
        {"ReservationStatus": "rescinded"}, {"ReservationStatus": "nonsense"}, {"Instruction": "nonsense"},
        {"ReservationStatus": "accepted", "Instruction": "accept"},
        {"ReservationStatus": "rejected", "WorkerActivitySid": "WA" + "f" * 32},
    ],
)  # fmt: skip
def test_bad_input(params: dict[str, str]) -> None:
    """20001, and nothing changes."""
    kit, _, reservation = reservation_in("pending")
    assert refused(kit, "update", "Reservation", reservation, {}, params).code == 20001
    assert kit.workspace.reservations[reservation].reservation_status == "pending"


def test_canceled_by_request() -> None:
    """The offer ends, no reason is asked for; the task waits for others."""
    kit, task, reservation = reservation_in("pending")
    kit.reserve(reservation, "canceled")
    assert kit.workspace.reservations[reservation].reservation_status == "canceled"
    assert kit.state(task) == "pending"
    kit, task, reservation = reservation_in("accepted")
    refusal = refused(kit, "update", "Reservation", reservation, {}, {"ReservationStatus": "canceled"})
    assert (refusal.code, "is accepted, not pending" in refusal.message) == (20001, True)


def test_created() -> None:
    """§4: the task is reserved, the callback asked, the timer runs with the workflow's time."""
    kit = Kit()
    queue = kit.queue("Q")
    urls = {
        "assignment_callback_url": "http://a.example/", "fallback_assignment_callback_url": "http://b.example/",
        "task_reservation_timeout": 17,
    }  # fmt: skip
    workflow = kit.workflow({"default_filter": {"queue": queue}}, **urls)
    worker = kit.worker("Ann", skill=1)
    kit.now += 1
    task = kit.task(workflow, {"a": 1}, priority=4)
    reservation = kit.workspace.reservations[kit.offer(task)]
    assert kit.state(task) == "reserved"
    assert (reservation.worker_sid, reservation.worker_name, reservation.task_queue_sid) == (
        worker,
        "Ann",
        queue,
    )
    (ask,) = (each for each in kit.effects if isinstance(each, AskAssignment))
    assert (ask.url, ask.fallback_url) == ("http://a.example/", "http://b.example/")
    params = dict(ask.params)
    assert list(params)[:12] == [
        "Timestamp", "AccountSid", "WorkspaceSid", "WorkflowSid", "TaskQueueSid", "WorkerSid", "WorkerAttributes",
        "TaskSid", "TaskAttributes", "TaskAge", "TaskPriority", "ReservationSid",
    ]  # fmt: skip
    assert params["WorkerSid"] == worker
    assert (params["WorkerAttributes"], params["TaskAttributes"]) == ('{"skill": 1}', '{"a": 1}')
    assert (params["TaskAge"], params["TaskPriority"], params["ReservationSid"]) == (
        "0",
        "4",
        reservation.sid,
    )
    kit.advance(16.9)
    assert reservation.reservation_status == "pending"
    kit.advance(0.1)
    assert reservation.reservation_status == "timeout"


def test_the_default_timeout_is_two_minutes() -> None:
    """§2.5."""
    kit, _, reservation = reservation_in("pending")
    kit.advance(119)
    assert kit.workspace.reservations[reservation].reservation_status == "pending"
    kit.advance(1)
    assert kit.workspace.reservations[reservation].reservation_status == "timeout"


def test_first_accept_wins() -> None:
    """§4, §7: the others are rescinded, their workers stay where they are and are free again."""
    kit = Kit()
    queue = kit.queue("Q", max_reserved_workers=3)
    workers = [kit.worker(name) for name in "ABC"]
    task = kit.task(kit.workflow({"default_filter": {"queue": queue}}))
    first, second, third = sorted(kit.workspace.tasks[task].open)
    seen = len(kit.kinds())
    kit.reserve(second, "accepted")
    assert kit.kinds()[seen:] == ["reservation.accepted", "reservation.rescinded", "reservation.rescinded"]
    assert kit.state(task) == "assigned"
    for sid in (first, third):
        assert kit.workspace.reservations[sid].reservation_status == "rescinded"
        assert refused(kit, "update", "Reservation", sid, {}, {"ReservationStatus": "accepted"}).code == 20001
    assert all(kit.workspace.workers[sid].record.activity_name == "Available" for sid in workers)
    again = kit.task(flow(kit))
    assert len(kit.pending(again)) == 2


def test_rejected_goes_back_in_line() -> None:
    """§4: pending again; the same worker may be picked again unless they move."""
    kit, task, reservation = reservation_in("pending")
    kit.reserve(reservation, "rejected")
    assert kit.pending(task) == ["Ann"]
    assert kit.offer(task) != reservation
    kit.reserve(kit.offer(task), "rejected", WorkerActivitySid=kit.activity("Unavailable"))
    assert (kit.state(task), kit.pending(task)) == ("pending", [])
    (worker,) = kit.workspace.workers.values()
    assert worker.record.activity_name == "Unavailable"
    kit.update("Worker", worker.record.sid, {"activity_sid": kit.activity("Available")})
    assert kit.pending(task) == ["Ann"]


def test_rejected_but_others_are_asked() -> None:
    """§7: pending only when all have ended; who rejected is not asked again in this round."""
    kit = Kit()
    queue = kit.queue("Q", max_reserved_workers=2)
    kit.worker("A")
    kit.worker("B")
    task = kit.task(kit.workflow({"default_filter": {"queue": queue}}))
    first, second = sorted(kit.workspace.tasks[task].open)
    kit.reserve(first, "rejected")
    assert (kit.state(task), kit.pending(task)) == ("reserved", ["B"])
    kit.worker("C")
    assert kit.pending(task) == ["B", "C"]
    for sid in sorted(kit.workspace.tasks[task].open):
        kit.reserve(sid, "rejected")
    assert len(kit.pending(task)) == 2
    assert kit.workspace.tasks[task].record.cycles == 2
    assert second not in kit.workspace.tasks[task].open


def test_timeout_moves_the_worker() -> None:
    """§4: to the workspace's timeout activity; they get nothing more on any channel."""
    kit, task, _ = reservation_in("timeout")
    (worker,) = kit.workspace.workers.values()
    assert worker.record.activity_name == "Offline"
    assert kit.state(task) == "pending"
    chat = kit.task(flow(kit), None, {"TaskChannel": "chat"})
    assert kit.pending(chat) == []
    assert kit.kinds()[-6:-4] == ["worker.activity.update", "reservation.timeout"]


def test_timeout_activity_of_the_workspace() -> None:
    """§2.1: it can be changed; an available one makes the worker eligible again at once."""
    kit, task, reservation = reservation_in("pending")
    kit.update("Workspace", kit.workspace.record.sid, {"timeout_activity_sid": kit.activity("Available")})
    kit.advance(120)
    assert kit.workspace.reservations[reservation].reservation_status == "timeout"
    assert kit.pending(task) == ["Ann"]


def test_capacity_through_a_life() -> None:
    """§2.6: one unit from pending to the end of wrapping."""
    kit, task = task_in("reserved")
    (channel,) = (
        each for each in kit.workspace.worker_channels.values() if each.task_channel_unique_name == "default"
    )
    reservation = kit.offer(task)
    assert (channel.assigned_tasks, channel.available_capacity_percentage) == (1, 0)
    for status, used in (("accepted", 1), ("wrapping", 1), ("completed", 0)):
        kit.reserve(reservation, status)
        assert (channel.assigned_tasks, channel.available_capacity_percentage) == (used, 100 - 100 * used)


@pytest.mark.parametrize("end", ["rejected", "timeout", "canceled", "rescinded", "completed"])
def test_every_end_frees_capacity(end: str) -> None:
    """§2.6."""
    kit, _, reservation = reservation_in(end)
    worker = kit.workspace.reservations[reservation].worker_sid
    live = [
        each
        for each in kit.workspace.reservations.values()
        if each.worker_sid == worker and each.sid != reservation
    ]
    expected = sum(each.reservation_status in ("pending", "accepted", "wrapping") for each in live)
    channels = kit.workspace.workers[worker].channels.values()
    assert sum(channel.assigned_tasks for channel in channels) == expected


@pytest.mark.parametrize("status", ["wrapping", "completed"])
def test_the_task_follows(status: str) -> None:
    """§4: when all accepted reservations wrap, or the last live one is completed."""
    kit, task, reservation = reservation_in("accepted")
    kit.reserve(reservation, status)
    assert kit.state(task) == status
    kind = {"wrapping": "wrapup", "completed": "completed"}[status]
    assert kit.kinds()[-2:] == [f"reservation.{kind}", f"task.{kind}"]


def test_accept_though_unavailable() -> None:
    """§4: still legal for a worker who moved between available activities or whom an administrator moved."""
    kit, task, reservation = reservation_in("pending")
    (worker,) = kit.workspace.workers.values()
    channel = kit.workspace.channel_names["default"]
    kit.update("WorkerChannel", worker.channels[channel].sid, {}, {"Capacity": "0", "Available": "false"})
    kit.reserve(reservation, "accepted")
    assert kit.state(task) == "assigned"


def test_if_match() -> None:
    """Two who act on the same version: the second gets 412."""
    kit, _, reservation = reservation_in("pending")
    version = str(kit.workspace.reservations[reservation].version)
    kit.update("Reservation", reservation, {}, {"ReservationStatus": "accepted"}, if_match=version)
    refusal = refused(
        kit, "update", "Reservation", reservation, {}, {"ReservationStatus": "completed"}, if_match=version
    )
    assert (refusal.code, refusal.status) == (20412, 412)


def test_unknown() -> None:
    """404/20404."""
    refusal = refused(Kit(), "update", "Reservation", "WR" + "0" * 32, {}, {"ReservationStatus": "accepted"})
    assert (refusal.code, refusal.status) == (20404, 404)
