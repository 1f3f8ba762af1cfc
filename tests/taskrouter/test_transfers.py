"""Transfers: cold and warm, to a worker and to a queue (taskrouter.md §9.1)."""

from __future__ import annotations

from typing import Any

import pytest

from ringback.kernel.errors import Refused
from ringback.resources.api.alert import Alert
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

    def alerts(self) -> list[tuple[int, str]]:
        """Debugger entries: code, text."""
        return [(each.error_code, each.message_text) for each in self.kit.saved() if isinstance(each, Alert)]

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
    assert (case.state(case.reservation), case.kit.state(case.task)) == ("wrapping", "reserved")
    assert case.kit.pending(case.task) == ["carol"]
    case.kit.reserve(case.kit.offer(case.task), "rejected")
    assert "task.transfer-attempt-failed" in case.kit.kinds()
    assert case.kit.pending(case.task) == ["dave"]
    case.kit.reserve(case.kit.offer(case.task), "accepted")
    assert (case.record.transfer.status, case.kit.state(case.task)) == ("completed", "assigned")
    assert case.record.task_queue_sid == case.second
    assert dave in {each.worker_sid for each in case.kit.workspace.reservations.values()}


@pytest.mark.parametrize("how", ["rejected", "timeout", "canceled"])
@pytest.mark.parametrize("mode", ["WARM", "COLD"])
def test_nobody_accepts(mode: str, how: str) -> None:
    """Back to who began it, who still has it; after a cold one to the queue that it came from, with an alert."""
    case = Case()
    made = case.transfer(case.bob, mode)
    offer = case.kit.offer(case.task)
    if how == "rejected":
        case.kit.reserve(offer, "rejected", WorkerActivitySid=case.kit.activity("Offline"))
    elif how == "timeout":
        case.kit.update("Worker", case.alice, {"activity_sid": case.kit.activity("Unavailable")})
        case.kit.advance(120)
    else:
        case.kit.update("Transfer", made.sid, params={"TaskSid": case.task, "TransferStatus": "canceled"})
    status, reason = case.record.transfer.status, case.record.transfer.reason
    assert (status, reason) == (
        ("canceled", "Canceled by the worker who began it") if how == "canceled"
        else ("failed", f"Transfer failed because the reservation {'timed out' if how == 'timeout' else 'was ' + how}")
    )  # fmt: skip
    kinds = case.kit.kinds()
    if how != "canceled":
        assert kinds.index("task.transfer-attempt-failed") < kinds.index("task.transfer-failed")
    assert "task.updated" in kinds  # how the first worker's desktop hears that it has the task again
    if mode == "WARM":
        assert (case.state(case.reservation), case.kit.state(case.task)) == ("accepted", "assigned")
        assert case.alerts() == []
        return
    assert case.record.task_queue_sid == case.first
    assert [code for code, _ in case.alerts()] == [45313]
    if how == "canceled":  # Bob is there and serves that queue too
        assert case.kit.pending(case.task) == ["bob"]
    else:
        assert case.kit.state(case.task) == "pending"
        dave = case.kit.worker("dave")
        assert case.kit.pending(case.task) == ["dave"]
        case.kit.reserve(
            case.kit.offer(case.task), "rejected", WorkerActivitySid=case.kit.activity("Offline")
        )
        assert (case.kit.state(case.task), case.kit.pending(case.task)) == ("pending", [])
        case.kit.update("Worker", dave, {"activity_sid": case.kit.activity("Available")})
    case.kit.reserve(case.kit.offer(case.task), "accepted")
    assert case.kit.state(case.task) == "assigned"


def test_the_refused_offer_shows_that_the_transfer_has_failed() -> None:
    """What is told with the rejection is how it is then (npm twilio-taskrouter, TaskTransfer.js)."""
    case = Case()
    case.transfer(case.bob)
    case.kit.reserve(case.kit.offer(case.task), "rejected")
    (told,) = (each for each in case.kit.effects if getattr(each, "event_type", "") == "reservation.rejected")
    assert (told.task.transfer.status, told.task.assignment_status) == ("failed", "assigned")


def test_a_cold_one_has_its_time_to_live_anew() -> None:
    """It counts from when nobody had the task any more; then it ends, and is not there for ever."""
    case = Case()
    case.record.timeout = 60
    case.kit.advance(300)
    case.transfer(case.second, "COLD")
    away = {"activity_sid": case.kit.activity("Offline")}
    case.kit.update("Worker", case.carol, away, {"RejectPendingReservations": "true"})
    assert case.kit.state(case.task) == "pending"
    case.kit.advance(59)
    assert case.kit.state(case.task) == "pending"
    case.kit.advance(2)
    assert (case.kit.state(case.task), case.record.transfer.status) == ("canceled", "failed")


def test_a_warm_one_whose_first_worker_leaves_goes_on_as_a_cold_one() -> None:
    case = Case()
    case.transfer(case.bob)
    case.kit.reserve(case.reservation, "completed")
    assert (case.kit.state(case.task), case.kit.pending(case.task)) == ("reserved", ["bob"])
    case.kit.reserve(case.kit.offer(case.task), "accepted")
    assert (case.kit.state(case.task), case.record.transfer.status) == ("assigned", "completed")


def test_a_task_without_a_queue_goes_back_to_who_gave_it_away() -> None:
    """A worker's own task that came from no queue: theirs again when they are free."""
    case = Case()
    case.record.task_queue_sid = None
    case.transfer(case.bob, "COLD")
    case.kit.reserve(case.kit.offer(case.task), "rejected", WorkerActivitySid=case.kit.activity("Offline"))
    assert (case.kit.state(case.task), case.kit.pending(case.task)) == ("pending", [])
    case.kit.reserve(case.reservation, "completed")
    assert case.kit.pending(case.task) == ["alice"]


@pytest.mark.parametrize("mode", ["WARM", "COLD"])
def test_to_a_worker_who_is_away_is_refused(mode: str) -> None:
    """Before anything is changed: the first worker still has the task, and the customer with it."""
    case = Case()
    case.kit.update("Worker", case.bob, {"activity_sid": case.kit.activity("Offline")})
    with pytest.raises(Refused, match=r"not available.*Offline") as refusal:
        case.transfer(case.bob, mode)
    assert (refusal.value.code, refusal.value.status) == (20001, 400)
    assert (case.state(case.reservation), case.record.transfer) == ("accepted", None)


def test_a_cold_one_to_a_queue_asks_who_refused_again_while_nobody_else_is_there() -> None:
    """As with new work: nobody has it, so it must not wait for ever."""
    case = Case()
    case.transfer(case.second, "COLD")
    case.kit.reserve(case.kit.offer(case.task), "rejected")
    assert case.kit.pending(case.task) == ["carol"]


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
    with pytest.raises(
        Refused, match=rf"Transfer {made.sid} is already canceled \. Cannot cancel transfer\."
    ):
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
