"""What a transfer does to the legs of a call: hold, whose end ends the conference, and who has the customer then."""

from __future__ import annotations

from typing import Any

import pytest

from ringback.events import HangUpRequested
from ringback.events.conferences import TransferTold
from ringback.events.queues import TaskCallChanged
from ringback.events.writes import WriteRequested
from ringback.resources.api.alert import Alert
from ringback.resources.telephony import TaskLeg
from tests.taskrouter.test_calls import CALLER, ask
from tests.taskrouter.workspace_kit import WS, Kit

BOB = "sip:bob@desk.example"


class Talk:
    """Ann talks with a caller in the task's conference; Bob is there too."""

    def __init__(self) -> None:
        self.kit = kit = Kit(template="FIFO")
        kit.worker("Ann", contact_uri="sip:ann@desk.example")
        self.task = ask(kit)
        self.first = kit.offer(self.task)
        kit.update(
            "Reservation", self.first, {}, {"Instruction": "conference", "EndConferenceOnExit": "true"}
        )
        self.ann = self.leg(self.first)
        self.worker(self.first, "answered")
        self.customer("bridged")
        self.worker(self.first, "joined")
        self.customer("joined")
        self.bob = kit.worker("Bob", contact_uri=BOB)
        kit.effects.clear()

    def leg(self, reservation: str) -> str:
        """The worker's call."""
        return self.kit.workspace.reservations[reservation].call_sid or ""

    def worker(self, reservation: str, change: Any, **facts: Any) -> None:
        """A worker's leg tells how it goes."""
        leg = TaskLeg(workspace=WS, task=self.task, reservation=reservation, role="worker")
        self._tell(leg, self.leg(reservation), change, **facts)

    def customer(self, change: Any, **facts: Any) -> None:
        """The customer's leg tells how it goes."""
        self._tell(TaskLeg(workspace=WS, task=self.task, role="customer"), CALLER, change, **facts)

    def _tell(self, leg: TaskLeg, about: str, change: Any, **facts: Any) -> None:
        if change == "joined":
            facts = {"conference_sid": "CF1", "conference_name": self.task, **facts}
        self.kit.event(TaskCallChanged(workspace_sid=WS, about=about, leg=leg, change=change, **facts))

    def transfer(self, mode: str, to: str = "") -> Any:
        """Ann gives the task to Bob."""
        params = {"TaskSid": self.task, "ReservationSid": self.first, "To": to or self.bob, "Mode": mode}
        return self.kit.create("Transfer", self.kit.sid("TT"), params=params)

    def told(self) -> list[tuple[str, str]]:
        """What legs were told since this was asked last: call, change; a hang-up; a removal."""
        found = []
        for each in self.kit.posts():
            if isinstance(each, TransferTold):
                found.append((each.call_sid, each.change))
            elif isinstance(each, HangUpRequested):
                found.append((each.call_sid, "hang up"))
            elif isinstance(each, WriteRequested):
                found.append((each.sid, each.operation))
        self.kit.effects.clear()
        return found

    def alerts(self) -> list[int]:
        """Codes of debugger entries since :meth:`told`."""
        return [each.error_code for each in self.kit.saved() if isinstance(each, Alert)]

    @property
    def state(self) -> str:
        """The task's."""
        return self.kit.state(self.task)


@pytest.mark.parametrize("mode", ["WARM", "COLD"])
def test_the_customer_is_on_hold_until_the_new_agent_is_in_the_conference(mode: str) -> None:
    talk = Talk()
    talk.transfer(mode)
    leaves = [(talk.ann, "hang up")] if mode == "COLD" else []
    assert talk.told() == [(CALLER, "hold"), (talk.ann, "outlive"), *leaves]
    if mode == "COLD":
        talk.worker(talk.first, "ended", status="completed")
    second = talk.kit.offer(talk.task)
    talk.kit.update("Reservation", second, {}, {"Instruction": "conference"})
    talk.worker(second, "answered")
    assert talk.told() == []  # accepted, and on the way into the conference
    talk.worker(second, "joined")
    assert talk.told() == [(CALLER, "talk" if mode == "COLD" else "unhold")]
    assert talk.state == "assigned"
    talk.worker(second, "joined")
    assert talk.told() == []


def test_a_warm_one_that_comes_to_nothing_gives_the_customer_back() -> None:
    talk = Talk()
    talk.transfer("WARM")
    talk.told()
    talk.kit.reserve(talk.kit.offer(talk.task), "rejected")
    assert talk.told() == [(CALLER, "unhold"), (talk.ann, "restore")]


def test_a_cold_one_that_comes_to_nothing_leaves_them_on_hold_until_somebody_takes_them() -> None:
    talk = Talk()
    talk.transfer("COLD")
    talk.worker(talk.first, "ended", status="completed")
    talk.told()
    talk.kit.reserve(talk.kit.offer(talk.task), "rejected", WorkerActivitySid=talk.kit.activity("Offline"))
    assert talk.alerts() == [45313]
    assert talk.told() == []
    assert talk.state == "pending"
    talk.kit.reserve(talk.first, "completed")  # Ann has written her notes, and is the next who can
    third = talk.kit.offer(talk.task)
    talk.kit.update("Reservation", third, {}, {"Instruction": "conference"})
    talk.worker(third, "answered")
    talk.worker(third, "joined")
    assert talk.told() == [(CALLER, "talk")]
    assert talk.state == "assigned"


@pytest.mark.parametrize("how", ["canceled", "deleted", "too old"])
def test_nobody_is_left_on_hold_when_the_task_ends(how: str) -> None:
    """They leave the conference: their call goes on with its document."""
    talk = Talk()
    talk.transfer("COLD")
    talk.worker(talk.first, "ended", status="completed")
    talk.told()
    if how == "canceled":
        talk.kit.update("Task", talk.task, {}, {"AssignmentStatus": "canceled"})
    elif how == "deleted":
        talk.kit.request("delete", "Task", talk.task)
    else:
        away = {"WorkerActivitySid": talk.kit.activity("Offline")}
        talk.kit.reserve(talk.kit.offer(talk.task), "rejected", **away)
        assert talk.state == "pending"
        talk.kit.effects.clear()
        talk.kit.advance(86_400)
        assert talk.state == "canceled"
    assert 45313 in talk.alerts()
    assert (CALLER, "delete") in talk.told()


def test_the_customer_hangs_up_while_they_are_held() -> None:
    talk = Talk()
    talk.transfer("COLD")
    talk.worker(talk.first, "ended", status="completed")
    offer = talk.kit.offer(talk.task)
    talk.told()
    talk.customer("ended", status="completed")
    record = talk.kit.workspace.tasks[talk.task].record
    assert (record.assignment_status, record.reason, record.transfer.reason) == (
        "canceled",
        "hangup",
        "The customer left",
    )
    assert talk.kit.workspace.reservations[offer].reservation_status == "canceled"
    assert talk.alerts() == []
    assert talk.told() == []


def test_the_customer_hangs_up_in_a_warm_one() -> None:
    talk = Talk()
    talk.transfer("WARM")
    talk.customer("ended", status="completed")
    assert talk.state == "wrapping"
    assert talk.kit.workspace.reservations[talk.first].reservation_status == "wrapping"


def test_the_first_agent_hangs_up_in_a_warm_one() -> None:
    """The customer waits on hold for the one who was asked, as in a cold transfer."""
    talk = Talk()
    talk.transfer("WARM")
    talk.worker(talk.first, "ended", status="completed")
    assert talk.state == "reserved"
    talk.told()
    second = talk.kit.offer(talk.task)
    talk.kit.update("Reservation", second, {}, {"Instruction": "conference"})
    talk.worker(second, "answered")
    talk.worker(second, "joined")
    assert talk.told() == [(CALLER, "unhold")]
    assert talk.state == "assigned"


def test_the_new_agent_is_gone_before_they_are_in() -> None:
    """Accepted, but nobody is there: the customer does not stay on hold with a task that is done."""
    talk = Talk()
    talk.transfer("COLD")
    talk.worker(talk.first, "ended", status="completed")
    second = talk.kit.offer(talk.task)
    talk.kit.update("Reservation", second, {}, {"Instruction": "conference"})
    talk.worker(second, "answered")
    talk.told()
    talk.worker(second, "ended", status="completed")
    assert talk.state == "pending"
    assert talk.kit.workspace.reservations[second].reservation_status == "canceled"
    assert (CALLER, "delete") not in talk.told()


def test_a_number_that_is_none_cancels_the_new_agents_offer_with_a_code() -> None:
    """npm twilio-taskrouter: conference({to}) with an invalid number: 13223, and the transfer has failed."""
    talk = Talk()
    talk.transfer("COLD")
    second = talk.kit.offer(talk.task)
    talk.kit.update("Reservation", second, {}, {"Instruction": "conference", "To": "+11111111111"})
    talk.worker(second, "ended", status="failed", error_code=21217, reason_code=21217)
    record = talk.kit.workspace.reservations[second]
    assert (record.reservation_status, record.canceled_reason_code) == ("canceled", 13223)
    assert talk.kit.workspace.tasks[talk.task].record.transfer.status == "failed"
