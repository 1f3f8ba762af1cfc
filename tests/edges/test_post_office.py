"""The post office: outcomes become events, receipts wait for them, the same text twice is one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from ringback.edges.channels import Declined, Outcome, Taken, Unclear
from ringback.edges.post_office import NO_CHANNEL, PostOffice
from ringback.effects.messaging import SendText
from ringback.events import Event
from ringback.events.messaging import (
    Attachment,
    MessageArrived,
    MessageRefused,
    MessageSent,
    MessageUnclear,
    ReceiptArrived,
)
from ringback.kernel.errors import Refused
from ringback.runtime.virtual_clock import VirtualClock

TEXT = SendText(message_sid="SM1", account_sid="AC1", channel="one", from_="+1", to="+2", body="hi")


class One:
    """A channel that answers when it is told to."""

    name = "one"
    ready = ""

    def __init__(self) -> None:
        self.answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def carries(self, address: str) -> bool:
        return address == "+1"

    async def send(self, text: SendText) -> Outcome:
        return await self.answer

    def figures(self) -> Mapping[str, float]:
        return {"channel_one": 1.0}


class Desk:
    """A post office, what it hands in, and what is known of carriers' ids."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.ids: dict[str, str] = {}
        self.ended: list[str] = []
        self.office = PostOffice(
            ask=self.ask, clock=VirtualClock(0.0), new_sid=lambda prefix: f"{prefix}{len(self.events)}", find=self.find,
            done=self.ended.append, located=self.located, default="none",
        )  # fmt: skip
        self.one = One()
        self.office.add(self.one)

    async def ask(self, event: Event) -> Any:
        await asyncio.sleep(0)
        self.events.append(event)
        if isinstance(event, MessageSent):
            self.ids[event.carrier_id] = event.message_sid
        return event.message_sid if isinstance(event, MessageArrived) else None

    async def located(
        self, account_sid: str, files: Sequence[Attachment], seconds: int
    ) -> tuple[Attachment, ...]:
        return tuple(files)

    async def find(self, channel: str, carrier_id: str) -> str:
        return self.ids.get(carrier_id, "")


@pytest.mark.parametrize(
    ("outcome", "event"),
    [
        (Taken("x", 2), MessageSent(message_sid="SM1", carrier_id="x", segments=2)),
        (Declined(30006, "no"), MessageRefused(message_sid="SM1", error_code=30006, text="no")),
        (Unclear("lost"), MessageUnclear(message_sid="SM1", text="lost")),
        (
            RuntimeError("bug"),
            MessageUnclear(message_sid="SM1", text="a defect of the channel (RuntimeError)"),
        ),
    ],
)
async def test_an_outcome_becomes_one_event(outcome: Any, event: Event) -> None:
    desk = Desk()
    if isinstance(outcome, Exception):
        desk.one.answer.set_exception(outcome)
    else:
        desk.one.answer.set_result(outcome)
    desk.office.perform(TEXT)
    await desk.office.settle(5.0)
    assert (desk.events, desk.ended) == ([event], ["SM1"])


async def test_without_a_channel_it_is_refused() -> None:
    desk = Desk()
    assert (desk.office.channel_of("+1"), desk.office.channel_of("+9")) == ("one", "none")
    desk.office.perform(SendText(message_sid="SM2", account_sid="AC1", channel="none", from_="+9", to="+2"))
    await desk.office.settle(5.0)
    assert [each.error_code for each in desk.events if isinstance(each, MessageRefused)] == [NO_CHANNEL]


async def test_a_receipt_that_overtakes_its_outcome_waits_for_it() -> None:
    desk = Desk()
    desk.office.perform(TEXT)
    early = asyncio.ensure_future(desk.office.receipt("one", "x", "delivered"))
    await asyncio.sleep(0.01)
    assert not early.done()
    desk.one.answer.set_result(Taken("x"))
    assert await early is True
    assert [type(each) for each in desk.events] == [MessageSent, ReceiptArrived]
    assert await desk.office.receipt("one", "y", "delivered") is False
    assert desk.office.figures()["receipts_unknown_total"] == 1


async def test_what_the_carrier_brings_twice_at_once_is_handed_in_once() -> None:
    desk = Desk()
    text = {"from_": "+2", "to": "+1", "body": "hi", "carrier_id": "7"}
    first, second = await asyncio.gather(*(desk.office.arrived("one", **text) for _ in range(2)))  # type: ignore[arg-type]
    assert first == second
    assert len(desk.events) == 1
    desk.office.closing = True
    with pytest.raises(Refused) as caught:
        await desk.office.arrived("one", from_="+2", to="+1", body="late")
    assert caught.value.status == 503
