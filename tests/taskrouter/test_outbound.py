"""A worker's own outbound call, as TaskRouter sees it (taskrouter.md §9.6; call-outcomes.md §6, §7)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ringback.effects.taskrouter import Announce
from ringback.events import HangUpRequested
from ringback.events.queues import TaskCallChanged, TaskCallRequested
from ringback.kernel.errors import Refused
from ringback.resources.taskrouter.event import Event
from ringback.resources.telephony import TaskLeg
from tests.taskrouter.states import flow
from tests.taskrouter.workspace_kit import WS, Kit

ATTRIBUTES = {"direction": "outbound", "outbound_to": "+14155550177", "from": "+14155550123"}


class Call:
    """A task that Ann made for herself, accepted by a conference."""

    def __init__(self, attributes: Any = None, *, instruct: bool = True, **params: Any) -> None:
        self.kit = kit = Kit(template="FIFO")
        self.ann = kit.worker("Ann", contact_uri="client:ann")
        self.bob = kit.worker("Bob", activity="Offline", contact_uri="client:bob")
        routed = {"RoutingTarget": self.ann, "TaskChannel": "voice", **params}
        self.task = kit.task(flow(kit), ATTRIBUTES if attributes is None else attributes, routed)
        self.reservation = kit.offer(self.task)
        if instruct:
            kit.update("Reservation", self.reservation, params={"Instruction": "conference", "Timeout": "25"})

    @property
    def dialled(self) -> list[TaskCallRequested]:
        """Calls asked for, in order."""
        return [each for each in self.kit.posts() if isinstance(each, TaskCallRequested)]

    @property
    def hung_up(self) -> list[str]:
        """SIDs of calls that were to end."""
        return [each.call_sid for each in self.kit.posts() if isinstance(each, HangUpRequested)]

    def tell(self, leg: int, change: Any, **facts: Any) -> None:
        """A leg tells how it goes."""
        call = self.dialled[leg]
        self.kit.event(
            TaskCallChanged(workspace_sid=WS, about=call.call_sid, leg=call.leg, change=change, **facts)
        )

    @property
    def state(self) -> tuple[str, int | None, str]:
        """Reservation, its code, task."""
        record = self.kit.workspace.reservations[self.reservation]
        return record.reservation_status, record.canceled_reason_code, self.kit.state(self.task)


def test_worker_first_then_the_customer_into_the_tasks_conference() -> None:
    call = Call()
    assert [each.to for each in call.dialled] == ["client:ann"]
    assert call.state == ("pending", None, "reserved")
    call.tell(0, "answered")
    assert call.state == ("pending", None, "reserved")
    _, customer = call.dialled
    assert (customer.to, customer.from_, customer.timeout) == ("+14155550177", "+14155550123", 25)
    assert f">{call.task}</Conference>" in (customer.twiml or "")
    assert customer.leg.role == "customer"
    assert customer.leg.started_by == call.ann
    task = call.kit.workspace.tasks[call.task].record
    assert task.conference is not None
    assert task.conference.customer_call == customer.call_sid
    call.tell(1, "answered")
    assert call.state == ("pending", None, "reserved")
    before = len(call.kit.effects)
    call.tell(1, "joined", conference_sid="CF1", conference_name=call.task)
    assert call.state == ("accepted", None, "assigned")
    (news,) = (
        each
        for each in call.kit.effects[before:]
        if getattr(each, "event_type", "") == "reservation.accepted"
    )
    assert customer.call_sid in news.task.attributes  # whoever hears of it can look into the conference
    assert json.loads(task.attributes)["conference"]["participants"]["customer"] == customer.call_sid
    call.tell(1, "ended", status="completed")
    assert call.state == ("wrapping", None, "wrapping")


@pytest.mark.parametrize(
    ("params", "early"), [({}, True), ({"EarlyMedia": "true"}, True), ({"EarlyMedia": "false"}, False)]
)
def test_whether_the_worker_hears_the_customers_phone_ring(params: dict[str, str], early: bool) -> None:
    call = Call(instruct=False)
    call.kit.update("Reservation", call.reservation, params={"Instruction": "conference", **params})
    call.tell(0, "answered")
    assert call.dialled[1].early_media is early


@pytest.mark.parametrize("code", [45301, 45303, 45304, 45305, 21210, 21211, 21215, 13227, 99999])
def test_the_customer_is_not_reached(code: int) -> None:
    """The reservation is canceled with the code, the task ends, the worker is hung up, everybody hears why."""
    call = Call()
    call.tell(0, "answered")
    call.kit.effects.clear()
    leg = TaskLeg(workspace=WS, task=call.task, reservation=call.reservation, role="customer")
    known = call.kit.workspace.tasks[call.task].record.conference
    assert known is not None
    told = TaskCallChanged(
        workspace_sid=WS, about=known.customer_call, leg=leg, change="ended", status="busy", reason_code=code
    )
    call.kit.event(told)
    assert call.state == ("canceled", code, "canceled")
    assert call.hung_up == [known.worker_calls[0]]
    assert call.kit.kinds() == ["reservation.canceled", "task.canceled"]
    (data,) = (
        each.record.event_data for each in call.kit.effects
        if isinstance(getattr(each, "record", None), Event) and each.record.event_type == "reservation.canceled"
    )  # fmt: skip
    assert data["canceled_reason_code"] == str(code)
    news = [
        each
        for each in call.kit.effects
        if isinstance(each, Announce) and each.event_type == "reservation.canceled"
    ]
    assert [each.reservation.canceled_reason_code for each in news] == [code]
    assert str(code) in (call.kit.workspace.tasks[call.task].record.reason or "")
    before = call.state
    call.kit.event(told)  # a late repetition
    assert call.state == before
    again = call.kit.task(flow(call.kit), {}, {"TaskChannel": "voice"})
    assert call.kit.pending(again) == ["Ann"]  # her capacity is free


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"status": "busy", "reason_code": 45303}, 45302),
        ({"status": "no-answer", "reason_code": 45305}, 45302),
        ({"status": "canceled", "reason_code": 45306}, 45302),
        ({"status": "failed", "reason_code": 21211, "error_code": 21211}, 45301),
        ({"status": "failed", "reason_code": 45304}, 45304),
    ],
)
def test_the_worker_is_not_reached(facts: dict[str, Any], code: int) -> None:
    """The worker's own phone's code would say something untrue of the number that they dialled."""
    call = Call()
    call.tell(0, "ended", **facts)
    assert call.state == ("canceled", code, "canceled")
    assert len(call.dialled) == 1
    assert "reservation.failed" not in call.kit.kinds()


def test_the_worker_leaves_while_it_rings() -> None:
    """The customer's call is canceled; its outcome decides (45306, nobody is notified)."""
    call = Call()
    call.tell(0, "answered")
    call.tell(0, "ended", status="completed")
    assert call.state == ("pending", None, "reserved")
    assert call.hung_up == [call.dialled[1].call_sid]
    call.tell(1, "ended", status="canceled", reason_code=45306)
    assert call.state == ("canceled", 45306, "canceled")


@pytest.mark.parametrize("joined", [False, True])
def test_the_cancel_crosses_the_answer(joined: bool) -> None:
    """They picked up, but there was nobody to talk to: the worker had hung up before."""
    call = Call()
    call.tell(0, "answered")
    call.tell(0, "ended", status="completed")
    call.tell(1, "answered")
    if joined:
        call.tell(1, "joined", conference_sid="CF1", conference_name=call.task)
    assert call.state == ("pending", None, "reserved")
    call.tell(1, "ended", status="completed")
    assert call.state == ("canceled", 45306, "canceled")


def test_the_customer_picks_up_and_is_gone_before_they_are_in() -> None:
    call = Call()
    call.tell(0, "answered")
    call.tell(1, "answered")
    call.tell(1, "ended", status="completed")
    assert call.state == ("canceled", 45302, "canceled")
    assert call.hung_up == [call.dialled[0].call_sid]


def test_it_does_not_time_out_while_the_customers_phone_rings() -> None:
    """The worker has answered, and the customer's phone rings for a bounded time; nobody is moved to Offline for it."""
    call = Call()
    call.tell(0, "answered")
    call.kit.advance(300)
    assert call.state == ("pending", None, "reserved")
    assert call.kit.workspace.workers[call.ann].record.activity_name == "Available"
    call.tell(1, "answered")
    call.tell(1, "joined", conference_sid="CF1", conference_name=call.task)
    assert call.state == ("accepted", None, "assigned")


def test_it_times_out_while_the_workers_own_phone_rings() -> None:
    call = Call()
    call.kit.advance(120)
    assert call.state == ("timeout", None, "canceled")


@pytest.mark.parametrize(
    ("written", "from_", "dialled"),
    [
        ("(415) 555-0177", "+14155550123", "+14155550177"), ("415 555 0177", "+14155550123", "+14155550177"),
        ("044 668 18 00", "+41446681801", "+41446681800"), ("+41 (0)44 668 18 00", "+14155550123", "+41446681800"),
        ("011 41 44 668 18 00", "+14155550123", "+41446681800"), ("client:carol", "+14155550123", "client:carol"),
        ("sip:carol@desk.example", "+14155550123", "sip:carol@desk.example"),
    ],
)  # fmt: skip
def test_numbers_as_people_write_them(written: str, from_: str, dialled: str) -> None:
    """Read where the number that calls is at home."""
    call = Call({"direction": "outbound", "outbound_to": written, "from": from_})
    call.tell(0, "answered")
    assert call.dialled[1].to == dialled


def test_the_number_is_changed_to_none_while_the_workers_phone_rings() -> None:
    call = Call()
    changed = json.dumps({**ATTRIBUTES, "outbound_to": "nobody"})
    call.kit.update("Task", call.task, {"attributes": changed})
    call.tell(0, "answered")
    assert call.state == ("canceled", 13223, "canceled")
    assert call.hung_up == [call.dialled[0].call_sid]


@pytest.mark.parametrize(
    "callee",
    [
        "call me",
        "+",
        "x" * 500,
        "<script>",
        "\N{ARABIC-INDIC DIGIT ONE}23",
        "+1234567891011",
        "+0123456789",
        "1 415 555",
    ],
)
def test_a_number_that_is_none(callee: str) -> None:
    """13223, and nobody's phone rings (§7, wire facts)."""
    call = Call({**ATTRIBUTES, "outbound_to": callee})
    assert call.state == ("canceled", 13223, "canceled")
    assert call.dialled == []


@pytest.mark.parametrize("callee", [None, "", 14155550177])
def test_nobody_to_call(callee: Any) -> None:
    call = Call({**ATTRIBUTES, "outbound_to": callee}, instruct=False)
    with pytest.raises(Refused) as refusal:
        call.kit.update("Reservation", call.reservation, params={"Instruction": "conference"})
    assert refusal.value.code == 40142
    assert call.state == ("pending", None, "reserved")


def test_a_second_worker_does_not_dial_again() -> None:
    """He joins a customer who is there, or is being called."""
    call = Call()
    call.tell(0, "answered")
    call.tell(0, "answered")
    assert len(call.dialled) == 2
    call.tell(1, "answered")
    call.tell(1, "joined", conference_sid="CF1", conference_name=call.task)
    kit = call.kit
    kit.update("Worker", call.bob, {"activity_sid": kit.activity("Available")})
    kit.create(
        "Transfer", kit.sid("TT"), {}, {
            "TaskSid": call.task, "ReservationSid": call.reservation, "To": call.bob, "WorkerSid": call.ann,
        },
    )  # fmt: skip
    kit.update("Reservation", kit.offer(call.task), params={"Instruction": "conference"})
    call.tell(2, "answered")
    assert [each.to for each in call.dialled] == ["client:ann", "+14155550177", "client:bob"]


def test_a_task_of_somebody_else_has_no_starter() -> None:
    """Nobody is notified of it: it was not the worker's own."""
    kit = Kit(template="FIFO")
    kit.worker("Ann", contact_uri="client:ann")
    task = kit.task(flow(kit), ATTRIBUTES, {"TaskChannel": "voice"})
    kit.update("Reservation", kit.offer(task), params={"Instruction": "conference"})
    (worker,) = (each for each in kit.posts() if isinstance(each, TaskCallRequested))
    kit.event(TaskCallChanged(workspace_sid=WS, about=worker.call_sid, leg=worker.leg, change="answered"))
    customer = [each for each in kit.posts() if isinstance(each, TaskCallRequested)][-1]
    assert customer.leg.started_by == ""


@pytest.mark.parametrize("how", ["canceled", "deleted"])
def test_a_task_that_ends_while_it_rings_stops_the_call(how: str) -> None:
    call = Call()
    call.tell(0, "answered")
    if how == "canceled":
        call.kit.update("Task", call.task, {"reason": "wrong person"}, {"AssignmentStatus": "canceled"})
    else:
        call.kit.request("delete", "Task", call.task)
    assert call.dialled[1].call_sid in call.hung_up
