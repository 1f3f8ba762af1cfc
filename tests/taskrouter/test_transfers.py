"""Transfers: cold and warm, to a worker and to a queue (taskrouter.md §9.1)."""

from __future__ import annotations

from typing import Any

import pytest

from ringback.kernel.errors import Refused
from tests.taskrouter.workspace_kit import Kit


class Case:
    """Alice has accepted a task; Bob is free; Carol serves another queue."""

    def __init__(self) -> None:
        self.kit = kit = Kit()
        self.first = kit.queue("first", "team != 'second'")
        self.second = kit.queue("second", "team == 'second'")
        self.flow = kit.workflow({"default_filter": {"queue": self.first}})
        self.alice = kit.worker("alice")
        self.task = kit.task(self.flow)
        self.reservation = kit.offer(self.task)
        kit.reserve(self.reservation, "accepted")
        self.bob = kit.worker("bob")
        self.carol = kit.worker("carol", team="second")
        kit.effects.clear()

    def transfer(self, to: str, mode: str = "WARM") -> dict[str, Any]:
        """Begin one."""
        params = {"TaskSid": self.task, "ReservationSid": self.reservation, "To": to, "Mode": mode}
        made: dict[str, Any] = self.kit.create("Transfer", self.kit.sid("TT"), params=params)
        return made

    def state(self, sid: str) -> str:
        """A reservation's state."""
        return self.kit.workspace.reservations[sid].reservation_status

    @property
    def record(self) -> Any:
        """The task."""
        return self.kit.workspace.tasks[self.task].record


@pytest.mark.parametrize("kind", ["dequeue", "call", "redirect"])
def test_an_instruction_that_a_transferred_task_does_not_take(kind: str) -> None:
    """errors.md §3.7: 40151; the offer stays, and can be accepted."""
    case = Case()
    case.transfer(case.bob)
    offer = case.kit.offer(case.task)
    with pytest.raises(Refused) as refusal:
        case.kit.update("Reservation", offer, {}, {"Instruction": kind})
    assert (refusal.value.code, case.state(offer)) == (40151, "pending")
    case.kit.update("Reservation", offer, {}, {"Instruction": "accept"})
    assert case.state(offer) == "accepted"


def test_warm_to_a_worker_leaves_the_first_one_in_until_they_go() -> None:
    case = Case()
    made = case.transfer(case.bob)
    assert (made.mode, made.type, made.status) == ("WARM", "WORKER", "initiated")
    assert case.kit.pending(case.task) == ["bob"]
    assert (case.state(case.reservation), case.kit.state(case.task)) == ("accepted", "assigned")
    offer = case.kit.offer(case.task)
    case.kit.reserve(offer, "accepted")
    assert case.record.transfer.status == "completed"
    assert (case.state(case.reservation), case.state(offer)) == ("accepted", "accepted")
    case.kit.reserve(case.reservation, "completed")
    assert case.kit.state(case.task) == "assigned"
    case.kit.reserve(offer, "wrapping")
    case.kit.reserve(offer, "completed")
    assert case.kit.state(case.task) == "completed"
    assert case.kit.kinds() == [
        "task.transfer-initiated", "reservation.created", "reservation.accepted", "task.transfer-completed",
        "reservation.completed", "reservation.wrapup", "task.wrapup", "reservation.completed", "task.completed",
    ]  # fmt: skip


def test_cold_to_a_queue_wraps_the_first_one_up_at_once_and_asks_the_next_when_one_declines() -> None:
    case = Case()
    dave = case.kit.worker("dave", team="second")
    case.transfer(case.second, "COLD")
    assert (case.state(case.reservation), case.kit.state(case.task)) == ("wrapping", "assigned")
    assert case.kit.pending(case.task) == ["carol"]
    case.kit.reserve(case.kit.offer(case.task), "rejected")
    assert "task.transfer-attempt-failed" in case.kit.kinds()
    assert case.kit.pending(case.task) == ["dave"]
    case.kit.reserve(case.kit.offer(case.task), "accepted")
    assert case.record.transfer.status == "completed"
    assert case.record.task_queue_sid == case.second
    assert dave in {each.worker_sid for each in case.kit.workspace.reservations.values()}


@pytest.mark.parametrize("mode", ["WARM", "COLD"])
def test_nobody_accepts(mode: str) -> None:
    case = Case()
    case.transfer(case.bob, mode)
    case.kit.reserve(case.kit.offer(case.task), "rejected")
    assert (case.record.transfer.status, case.record.transfer.reason) == (
        "failed",
        "Nobody accepted the transfer",
    )
    assert case.kit.state(case.task) == ("assigned" if mode == "WARM" else "wrapping")
    kinds = case.kit.kinds()
    assert kinds.index("task.transfer-attempt-failed") < kinds.index("task.transfer-failed")


def test_to_a_worker_who_is_away_fails_at_once() -> None:
    case = Case()
    case.kit.update("Worker", case.bob, {"activity_sid": case.kit.activity("Offline")})
    assert case.transfer(case.bob).status == "failed"
    assert case.state(case.reservation) == "accepted"


def test_canceled_by_who_began_it() -> None:
    case = Case()
    made = case.transfer(case.bob)
    offer = case.kit.offer(case.task)
    found = case.kit.update("Transfer", made.sid, params={"TaskSid": case.task, "TransferStatus": "canceled"})
    assert (found.status, case.state(offer), case.kit.state(case.task)) == (
        "canceled",
        "canceled",
        "assigned",
    )
    with pytest.raises(Refused, match="no transfer in flight"):
        case.kit.update("Transfer", made.sid, params={"TaskSid": case.task, "TransferStatus": "canceled"})


@pytest.mark.parametrize(
    ("to", "text"), [("WK" + "0" * 32, "no worker or task queue"), ("alice", "worker who has it")]
)
def test_what_is_refused(to: str, text: str) -> None:
    case = Case()
    with pytest.raises(Refused, match=text):
        case.transfer(case.alice if to == "alice" else to)
    assert case.record.transfer is None
    case.transfer(case.bob)
    with pytest.raises(Refused, match="being transferred already"):
        case.transfer(case.carol)


def test_completing_the_task_ends_the_transfer() -> None:
    case = Case()
    case.transfer(case.bob)
    case.kit.update("Task", case.task, {"reason": "done"}, {"AssignmentStatus": "completed"})
    assert (case.record.transfer.status, case.kit.state(case.task)) == ("failed", "completed")
    assert not case.kit.workspace.workers[case.bob].held
