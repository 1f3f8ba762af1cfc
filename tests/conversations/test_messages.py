"""Messages: who gets them, what becomes of them, and what comes twice (conversations.md §1, §1.1)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ringback.events.conversations import InboundTexted
from ringback.events.messaging import MessageRequested
from ringback.kernel.errors import Refused
from ringback.resources.conversations.message import Message, Receipt
from ringback.resources.conversations.participant import Participant
from tests.conversations.thread_kit import CUSTOMER, OURS, Threads, customer, threads


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Threads]:
    async with threads(tmp_path) as running:
        yield running


async def test_everybody_but_the_author_gets_it(here: Threads) -> None:
    thread = await here.made({"identity": "bob"}, customer(), customer("+15551230002", "+15550101"))
    message = await here.said(thread, "Hello", author="bob")
    sent = here.heard.of(MessageRequested)
    assert [(each.to, each.from_, each.body) for each in sent] == [
        (CUSTOMER, OURS, "Hello"), ("+15551230002", "+15550101", "Hello"),
    ]  # fmt: skip
    assert {each.origin.conversation_message_sid for each in sent} == {message.sid}
    assert message.delivery["total"] == 2
    reply = await here.said(thread, "Hi", author=CUSTOMER, source="SMS")
    assert [each.to for each in here.heard.of(MessageRequested)[2:]] == ["+15551230002"]
    people = {each.sid: each for each in await here.store.find(Participant, conversation_sid=thread)}
    assert people[reply.participant_sid].address == CUSTOMER
    alone = await here.made({"identity": "bob"})
    assert (await here.said(alone, "Anybody?")).delivery is None


async def test_a_group_text_goes_out_from_the_authors_projected_address(here: Threads) -> None:
    thread = await here.made(
        {"identity": "bob", "projected_address": "+15550177"},
        {"identity": "eve", "projected_address": "+15550188"},
        {"address": CUSTOMER},
    )
    await here.said(thread, "From eve", author="eve")
    await here.said(thread, "From nobody")
    assert [each.from_ for each in here.heard.of(MessageRequested)] == ["+15550188", "+15550177"]
    with pytest.raises(Refused, match="already exists"):
        await here.made({"identity": "x", "projected_address": "+15550177"}, {"address": CUSTOMER})


async def test_receipts_only_go_forward(here: Threads) -> None:
    thread = await here.made(customer(), customer("+15551230002"))
    message = await here.said(thread, "Hello", author="bob")
    first, second = await here.store.find(Participant, conversation_sid=thread)

    async def summary() -> dict[str, object]:
        stored = await here.store.get(Message, message.sid)
        assert stored is not None
        return dict(stored.delivery or {})

    await here.told(message, first, "delivered")
    await here.told(message, first, "sent")  # late
    await here.told(message, first, "delivered")  # twice
    (receipt,) = await here.store.find(Receipt, message_sid=message.sid)
    assert (receipt.status, receipt.participant_sid) == ("delivered", first.sid)
    assert await summary() == {
        "total": 2, "sent": "some", "delivered": "some", "read": "none", "failed": "none", "undelivered": "none",
    }  # fmt: skip
    await here.told(message, second, "sent")
    await here.told(message, second, "undelivered", 30003)
    await here.told(message, second, "delivered")  # never after that
    await here.told(message, first, "read")
    assert await summary() == {
        "total": 2, "sent": "some", "delivered": "some", "read": "some", "failed": "none", "undelivered": "some",
    }  # fmt: skip
    listed = await here.v1(lambda v1: v1.conversations(thread).messages(message.sid).delivery_receipts.list())
    assert {(each.status, each.error_code) for each in listed} == {("read", None), ("undelivered", 30003)}
    await here.v1(lambda v1: v1.conversations(thread).messages(message.sid).delete())
    assert await here.store.count(Receipt, message_sid=message.sid) == 0
    await here.told(message, second, "delivered")  # of what is gone


async def test_the_same_carrier_message_is_stored_once(here: Threads) -> None:
    thread = await here.made(customer())
    values = {"body": "Hi", "author": CUSTOMER, "carrier_key": "SM" + "1" * 32, "proxy_address": OURS}
    writes = [here.write("Message", "create", thread, values=values, source="SMS") for _ in range(5)]
    answers = await asyncio.gather(*(here.product.ask(each) for each in writes))
    assert len({each.sid for each in answers}) == 1
    assert await here.store.count(Message, conversation_sid=thread) == 1


async def test_what_finds_its_conversation_closed_looks_again(here: Threads) -> None:
    thread = await here.made(customer())
    await here.v1(lambda v1: v1.conversations(thread).update(state="closed"))
    values = {"body": "Hi", "author": CUSTOMER, "carrier_key": "SM" + "1" * 32, "proxy_address": OURS}
    await here.product.ask(here.write("Message", "create", thread, values=values, source="SMS"))
    await here.world.settled()
    (again,) = here.heard.of(InboundTexted)
    assert (again.message_sid, again.address, again.proxy_address, again.body) == (
        "SM" + "1" * 32, CUSTOMER, OURS, "Hi",
    )  # fmt: skip
    with pytest.raises(Refused) as caught:
        await here.said(thread, "x")
    assert caught.value.code == 50377


async def test_indexes_rise_whoever_writes_at_once(here: Threads) -> None:
    thread = await here.made({"identity": "bob"})
    made = await asyncio.gather(*(here.said(thread, str(number)) for number in range(50)))
    assert sorted(each.index for each in made) == list(range(50))


async def test_a_deleted_conversation_goes_in_pieces(here: Threads) -> None:
    thread = await here.made(customer())
    for number in range(250):
        here.product.post(here.write("Message", "create", thread, values={"body": str(number)}))
    await here.world.settled()
    assert await here.store.count(Message, conversation_sid=thread) == 250
    await here.v1(lambda v1: v1.conversations(thread).delete())
    await here.world.settled()
    assert await here.store.count(Message, conversation_sid=thread) == 0
    assert await here.store.count(Participant, conversation_sid=thread) == 0
    assert await here.store.messages() == []
    await here.made(customer())  # the pair is free
