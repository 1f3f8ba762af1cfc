"""Participants: twice, at once, too many; calls that wait for one (conversations.md §1.1; connect-conversation.md)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ringback.events.conversations import CallLeftConversation, ConversationFound, WorkerJoined
from ringback.kernel.errors import Refused
from ringback.resources.conversations.conversation import Conversation
from ringback.resources.conversations.message import Message
from ringback.resources.conversations.participant import Participant
from ringback.resources.conversations.user import User
from tests.conversations.thread_kit import CUSTOMER, OURS, Threads, customer, threads

CALL, OTHER = "CA" + "1" * 32, "CA" + "2" * 32


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Threads]:
    async with threads(tmp_path) as running:
        yield running


async def code_of(here: Threads, event: object) -> int | str:
    try:
        await here.product.ask(event)  # type: ignore[arg-type]
    except Refused as refusal:
        return refusal.code
    except Exception as error:  # noqa: BLE001 - which one it is, is the question
        return type(error).__name__
    return 0


async def test_one_pair_in_two_conversations_at_once(here: Threads) -> None:
    """The look-up says who has it; the unique key stands behind it when both look at the same time."""
    threads_ = [await here.made() for _ in range(8)]

    def add(v1: object, sid: str) -> object:
        people = v1.conversations(sid).participants  # type: ignore[attr-defined]
        return people.create(messaging_binding_address=CUSTOMER, messaging_binding_proxy_address=OURS)

    found = await asyncio.gather(
        *(here.v1(lambda v1, sid=sid: add(v1, sid)) for sid in threads_), return_exceptions=True
    )
    refused = [each for each in found if isinstance(each, Exception)]
    assert len(refused) == 7
    assert {(each.status, each.code) for each in refused} == {(409, 50416)}  # type: ignore[attr-defined]
    (held,) = await here.store.find(Participant, address=CUSTOMER)
    assert all(held.conversation_sid in str(each) for each in refused)
    assert here.product.runtime.mending.bugs == 0


async def test_one_name_for_two_conversations_at_once(here: Threads) -> None:
    writes = [
        here.v1(lambda v1, n=n: v1.conversations.create(unique_name="one", friendly_name=str(n)))
        for n in range(8)
    ]
    found = await asyncio.gather(*writes, return_exceptions=True)
    refused = [each for each in found if isinstance(each, Exception)]
    assert {(each.status, each.code) for each in refused} == {(409, 50353)}  # type: ignore[attr-defined]
    assert len(refused) == 7
    assert here.product.runtime.mending.bugs == 0


async def test_a_new_identity_in_many_conversations_at_once_is_one_user(here: Threads) -> None:
    threads_ = [await here.made() for _ in range(8)]
    await asyncio.gather(
        *(
            here.v1(lambda v1, sid=sid: v1.conversations(sid).participants.create(identity="zoe"))
            for sid in threads_
        )
    )
    (user,) = await here.store.find(User, identity="zoe")
    assert user.role_sid
    assert here.product.runtime.mending.bugs == 0


async def test_limits(here: Threads) -> None:
    sid = await here.made()
    for number in range(50):
        here.product.post(here.write("Participant", "create", sid, values=customer(f"+1555123{number:04d}")))
    await here.world.settled()
    values = customer("+15559990000")
    assert await code_of(here, here.write("Participant", "create", sid, values=values)) == 50422
    for number in range(950):
        here.product.post(here.write("Participant", "create", sid, values={"identity": f"u{number}"}))
    await here.world.settled()
    assert await here.store.count(Participant, conversation_sid=sid) == 1000
    assert await code_of(here, here.write("Participant", "create", sid, values={"identity": "x"})) == 50417


async def test_a_write_that_comes_twice_is_done_once(here: Threads) -> None:
    sid = await here.made()
    add = here.write("Participant", "create", sid, values={"identity": "bob"})
    first, second = await here.product.ask(add), await here.product.ask(add)
    assert first.sid == second.sid
    make = here.write("Conversation", "create", sid, values={"friendly_name": "x"})
    assert (await here.product.ask(make)).sid == sid


async def test_an_identity_needs_a_permission(here: Threads) -> None:
    sid = await here.made({"identity": "bob"}, {"identity": "eve"})
    bob, eve = sorted(
        await here.store.find(Participant, conversation_sid=sid), key=lambda each: str(each.identity)
    )

    def by(identity: str, *what: object, **more: object) -> object:
        return here.write(*what, identity=identity, source="SDK", **more)  # type: ignore[arg-type]

    say = {"values": {"body": "x"}}
    assert await code_of(here, by("bob", "Message", "create", sid, **say)) == 0
    assert await code_of(here, by("mallory", "Message", "create", sid, **say)) == 50430
    assert await code_of(here, by("bob", "Participant", "delete", sid, eve.sid)) == 50107
    assert await code_of(here, by("bob", "Conversation", "delete", sid)) == 50107
    assert await code_of(here, by("bob", "Participant", "delete", sid, bob.sid)) == 0


async def test_calls_wait_for_the_first_worker(here: Threads) -> None:
    sid = await here.made(customer(), waiting_call={"call_sid": CALL, "request": "r1"})
    await here.world.settled()
    (found,) = here.heard.of(ConversationFound)
    assert (found.result, found.created, found.worker, found.customer, found.proxy_address) == (
        "", True, "", CUSTOMER, OURS,
    )  # fmt: skip
    await here.waits(sid, OTHER)
    assert here.heard.of(ConversationFound)[-1].created is False
    here.product.post(CallLeftConversation(conversation_sid=sid, call_sid=CALL))
    await here.v1(lambda v1: v1.conversations(sid).participants.create(identity="bob"))
    await here.world.settled()
    assert [(each.call_sid, each.worker) for each in here.heard.of(WorkerJoined)] == [(OTHER, "bob")]
    await here.v1(lambda v1: v1.conversations(sid).participants.create(identity="eve"))
    await here.waits(sid, CALL)
    assert here.heard.of(ConversationFound)[-1].worker == "bob"
    assert len(here.heard.of(WorkerJoined)) == 1


async def test_what_was_to_be_made_for_a_taken_pair_goes_there(here: Threads) -> None:
    """A text and a call of one customer at once: one conversation, and nothing of either is lost."""
    first = await here.made(customer())
    sid, values = here.sid("CH"), {"participants": [{"sid": here.sid("MB"), **customer()}]}
    message = {"sid": here.sid("IM"), "body": "Hi", "author": CUSTOMER, "carrier_key": "SM" + "3" * 32}
    values |= {"message": message, "waiting_call": {"call_sid": CALL, "request": "r1"}}
    here.product.post(here.write("Conversation", "create", sid, values=values, source="SMS"))
    await here.world.settled()
    assert await here.store.get(Conversation, sid) is None
    (stored,) = await here.store.find(Message, conversation_sid=first)
    assert stored.body == "Hi"
    (found,) = here.heard.of(ConversationFound)
    assert (found.conversation_sid, found.created, found.result) == (first, False, "")


async def test_a_call_hears_that_its_conversation_cannot_be_made(here: Threads) -> None:
    values = {"attributes": "{", "waiting_call": {"call_sid": CALL, "request": "r1"}}
    here.product.post(here.write("Conversation", "create", here.sid("CH"), values=values, source="VOICE"))
    await here.world.settled()
    (found,) = here.heard.of(ConversationFound)
    assert (found.result, found.error_code) == ("failed-create-conversation", 32500)


async def test_a_worker_names_a_conversation(here: Threads) -> None:
    sid = await here.made({"identity": "bob"}, customer())
    found = await here.opened(sid)
    assert (found.result, found.worker, found.customer, found.proxy_address) == ("", "bob", CUSTOMER, OURS)
    nobody = await here.made({"identity": "bob"})
    wrong = [
        await here.opened("CH" + "0" * 32), await here.opened("nonsense"), await here.opened("CH\0"),
        await here.opened(sid, service="IS" + "0" * 32), await here.opened(sid, account="AC" + "0" * 32),
        await here.opened(nobody),
    ]  # fmt: skip
    await here.v1(lambda v1: v1.conversations(sid).update(state="closed"))
    wrong.append(await here.opened(sid))
    assert {(each.result, each.error_code) for each in wrong} == {("invalid-conversation", 32505)}
    assert all(each.error_text for each in wrong)


async def test_a_unique_key_behind_the_look_up(here: Threads) -> None:
    """All have looked before the first has written: the key decides, no lane has a bug, and asking again says why."""
    sids = [await here.made() for _ in range(8)]
    writes = [here.write("Participant", "create", sid, values=customer()) for sid in sids]
    codes = await asyncio.gather(*(code_of(here, each) for each in writes))
    assert codes.count(0) == 1
    assert "Conflict" in codes
    assert set(codes) <= {0, "Conflict", 50416}
    assert here.product.runtime.mending.bugs == 0
    assert [await code_of(here, each) for each in writes].count(50416) == 7
