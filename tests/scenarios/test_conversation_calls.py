"""Journey: ``<Connect><Conversation>`` finds whom to call, and calls them (connect-conversation.md §12)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ringback.testing.world import World
from tests.scenarios.threads import (
    AFTER,
    CUSTOMER,
    MADE,
    OPEN,
    OURS,
    SERVICE,
    Threads,
    alice,
    codes,
    document,
    legs,
    over,
    talking,
)


@pytest.fixture
def threads() -> Threads:
    return Threads()


@pytest.fixture
async def ringback(tmp_path: Path, database_url: str, threads: Threads) -> AsyncIterator[World]:
    async with talking(tmp_path, threads, database_url=database_url) as running:
        running.app("/after", AFTER)
        await running.number(OURS, voice="/voice")
        yield running


async def test_1_worker_answers_and_hangs_up(ringback: World, threads: Threads) -> None:
    await alice(ringback)
    document(ringback)
    caller = await ringback.call(OURS, script=[{"expect": "Alice speaking"}, {"wait": 60}])
    asked = await over(ringback, caller)
    assert (asked["Result"], asked["DialCallStatus"], asked["WorkerInitiated"]) == (
        "session-success", "completed", "false",
    )  # fmt: skip
    assert int(asked["DialCallDuration"]) >= 3
    assert asked["CallStatus"] == "in-progress"
    assert asked["ConversationSid"] == OPEN
    heard = [(one["kind"], one["text"]) for one in caller.heard]
    assert [kind for kind, _ in heard] == ["ringback", "speech", "say"], heard
    assert heard[-1][1] == "the session is over"
    (leg,) = await legs(ringback)
    assert (leg["sid"], leg["status"], leg["to"], leg["from"]) == (
        asked["DialCallSid"], "completed", "client:alice", CUSTOMER,
    )  # fmt: skip
    (sought,) = threads.sought
    assert (sought.address, sought.proxy_address, sought.chat_service_sid) == (CUSTOMER, OURS, SERVICE)


async def test_2_nobody_answers_in_time(ringback: World) -> None:
    await alice(ringback, "no-answer")
    document(ringback, 'inboundTimeout="2" statusCallback="/status"')
    ringback.app("/status", "")
    caller = await ringback.call(OURS, script=[{"wait": 60}])
    asked = await over(ringback, caller)
    assert (asked["Result"], asked["DialCallStatus"], asked["DialCallDuration"]) == (
        "dialed-call-incomplete", "no-answer", "0",
    )  # fmt: skip
    (leg,) = await legs(ringback)
    assert leg["status"] == "no-answer"
    call = ringback.product.simulator.call(leg["sid"])
    assert call is not None
    assert call.status == "canceled"  # by 487
    (told,) = ringback.requests("/status")
    assert told["Status"] == "call-completed"
    say = next(one for one in caller.heard if one["kind"] == "say")
    assert 2.0 <= say["at"] - caller.heard[0]["at"] <= 2.5


@pytest.mark.parametrize("after", [1.9, 2.1])
async def test_2_the_edge_of_the_ring_time(ringback: World, after: float) -> None:
    await alice(ringback, after=after)
    document(ringback, 'inboundTimeout="2"')
    asked = await over(ringback, await ringback.call(OURS, script=[{"wait": 60}]))
    assert asked["DialCallStatus"] == ("completed" if after < 2 else "no-answer")


@pytest.mark.parametrize(
    ("answers", "status", "code"),
    [("busy", "busy", "486"), ("reject", "busy", "603"), ("invalid", "failed", "404"), ("congestion", "failed", "503")],
)  # fmt: skip
async def test_3_the_leg_is_not_connected(ringback: World, answers: str, status: str, code: str) -> None:
    await alice(ringback, answers)
    document(ringback)
    asked = await over(ringback, await ringback.call(OURS, script=[{"wait": 60}]))
    assert (asked["Result"], asked["DialCallStatus"]) == ("dialed-call-incomplete", status)
    assert asked["DialCallSid"] == (await legs(ringback))[0]["sid"]


async def test_3_a_worker_without_a_device(ringback: World) -> None:
    """§10: no reachable device → failed; the leg's own code is in the debugger."""
    document(ringback)
    asked = await over(ringback, await ringback.call(OURS, script=[{"wait": 60}]))
    assert (asked["Result"], asked["DialCallStatus"]) == ("dialed-call-incomplete", "failed")
    assert await codes(ringback) == {"32009"}


async def test_4_a_new_conversation_and_a_worker_after_a_second(ringback: World, threads: Threads) -> None:
    threads.nobody_known()
    await alice(ringback)
    document(ringback)
    threads.joins_after(ringback, 1.0)
    caller = await ringback.call(OURS, script=[{"expect": "Alice speaking"}, {"wait": 60}])
    asked = await over(ringback, caller)
    assert (asked["Result"], asked["ConversationSid"]) == ("session-success", MADE)
    assert threads.left == []  # who has joined has answered the call


async def test_4_a_worker_who_joins_before_the_answer_is_heard(ringback: World, threads: Threads) -> None:
    threads.nobody_known()
    threads.joins = "alice"
    await alice(ringback)
    document(ringback)
    asked = await over(ringback, await ringback.call(OURS, script=[{"wait": 60}]))
    assert asked["Result"] == "session-success"


async def test_5_nobody_is_added(ringback: World, threads: Threads) -> None:
    threads.nobody_known()
    document(ringback, 'statusCallback="/status"')
    caller = await ringback.call(OURS, script=[{"wait": 60}])
    asked = await over(ringback, caller)
    assert asked["Result"] == "no-other-participants"
    assert not {"DialCallSid", "DialCallStatus", "DialCallDuration"} & asked.keys()
    assert asked["ConversationSid"] == MADE
    assert await codes(ringback) == {"32506"}
    assert threads.left == [caller.sid]
    assert await legs(ringback) == []
    assert ringback.requests("/status") == []
    say = next(one for one in caller.heard if one["kind"] == "say")
    assert 5.0 <= say["at"] - caller.heard[0]["at"] <= 5.5


@pytest.mark.parametrize(("seconds", "joined"), [(8.0, True), (9.9, True), (10.1, False)])
async def test_6_the_edge_of_the_assignment_time(
    ringback: World, threads: Threads, seconds: float, joined: bool
) -> None:
    threads.nobody_known()
    await alice(ringback)
    document(ringback, 'routingAssignmentTimeout="10"')
    threads.joins_after(ringback, seconds)
    asked = await over(ringback, await ringback.call(OURS, script=[{"wait": 100}]))
    assert asked["Result"] == ("session-success" if joined else "no-other-participants")


async def test_7_no_conversation_and_none_is_to_be_made(ringback: World, threads: Threads) -> None:
    threads.nobody_known()
    document(ringback, 'inboundAutocreation="false" statusCallback="/status"')
    asked = await over(ringback, await ringback.call(OURS))
    assert asked["Result"] == "no-existing-conversation"
    assert asked["CallStatus"] == "in-progress"  # C6: nobody is dialled, and the action's document runs
    assert "ConversationSid" not in asked
    assert ringback.requests("/status") == []
    assert await codes(ringback) == set()


async def test_8_it_cannot_be_made(ringback: World, threads: Threads) -> None:
    threads.known = {"result": "failed-create-conversation"}
    document(ringback)
    asked = await over(ringback, await ringback.call(OURS))
    assert asked["Result"] == "failed-create-conversation"
    assert await codes(ringback) == {"32500"}


async def test_9_a_worker_calls_with_a_foreign_sid(ringback: World, threads: Threads) -> None:
    threads.known = {"result": "invalid-conversation", "error_code": 32505}
    document(ringback)
    caller = await ringback.call(OURS, from_="client:alice", parameters={"ConversationSid": OPEN})
    asked = await over(ringback, caller)
    assert (asked["Result"], asked["WorkerInitiated"]) == ("invalid-conversation", "true")
    assert await codes(ringback) == {"32505"}


async def test_9_a_worker_calls_with_no_sid_at_all(ringback: World, threads: Threads) -> None:
    document(ringback)
    caller = await ringback.call(OURS, from_="client:alice", parameters={"ConversationSid": "CHxyz"})
    asked = await over(ringback, caller)
    assert (asked["Result"], asked["WorkerInitiated"]) == ("invalid-conversation", "true")
    assert threads.opened == []


async def test_a_worker_calls_their_customer(ringback: World, threads: Threads) -> None:
    threads.known = {"customer": CUSTOMER, "proxy_address": OURS, "worker": "alice"}
    script = [{"wait": 1}, {"say": "hello, it is me"}, {"wait": 2}, {"hangup": True}]
    await ringback.sim("PUT", f"Numbers/{CUSTOMER}", {"answers": "answer", "after": 1.0, "script": script})
    document(ringback, 'statusCallback="/status" inboundTimeout="1"')
    ringback.app("/status", "")
    caller = await ringback.call(
        OURS, from_="client:alice", parameters={"ConversationSid": OPEN, "Colour": "red"},
        script=[{"expect": "it is me"}, {"wait": 60}],
    )  # fmt: skip
    asked = await over(ringback, caller)
    assert (asked["Result"], asked["WorkerInitiated"], asked["From"]) == (
        "session-success",
        "true",
        "client:alice",
    )
    assert asked["Colour"] == "red"  # voice-calls.md §6: as the app gave it
    (leg,) = await legs(ringback)
    assert (leg["to"], leg["from"], leg["status"]) == (CUSTOMER, OURS, "completed")
    assert threads.opened[0].conversation_sid == OPEN
    assert [one["WorkerInitiated"] for one in ringback.requests("/status")] == ["true"]


async def test_a_customer_s_phone_rings_for_a_minute(ringback: World, threads: Threads) -> None:
    threads.known = {"customer": CUSTOMER, "proxy_address": OURS}
    await ringback.sim("PUT", f"Numbers/{CUSTOMER}", {"answers": "no-answer"})
    document(ringback, 'inboundTimeout="1"')
    caller = await ringback.call(OURS, from_="client:alice", parameters={"ConversationSid": OPEN})
    asked = await over(ringback, caller)
    assert (asked["Result"], asked["DialCallStatus"]) == ("dialed-call-incomplete", "no-answer")
    say = next(one for one in caller.heard if one["kind"] == "say")
    assert 60.0 <= say["at"] - caller.heard[0]["at"] <= 60.5


async def test_a_blocked_customer(ringback: World, threads: Threads) -> None:
    threads.known = {"customer": "+15550000", "proxy_address": OURS}
    document(ringback)
    caller = await ringback.call(OURS, from_="client:alice", parameters={"ConversationSid": OPEN})
    asked = await over(ringback, caller)
    assert (asked["Result"], asked["DialCallStatus"]) == ("dialed-call-incomplete", "failed")
    assert "DialCallSid" not in asked
    assert await codes(ringback) & {"13223", "13224"}


async def test_a_worker_who_calls_by_rest(ringback: World, threads: Threads) -> None:
    threads.known = {"customer": CUSTOMER, "proxy_address": OURS}
    await alice(ringback, script=[{"wait": 60}])
    script = [{"wait": 1}, {"hangup": True}]
    await ringback.sim("PUT", f"Numbers/{CUSTOMER}", {"answers": "answer", "script": script})
    document(ringback)
    call = await ringback.post(
        "Calls",
        To=f"client:alice?ConversationSid={OPEN}",
        From="client:alice",
        Url=ringback.app_url + "/voice",
    )
    assert call["to"] == "client:alice"
    await ringback.final(call["sid"])
    (asked,) = ringback.requests("/after")
    assert (asked["Result"], asked["WorkerInitiated"]) == ("session-success", "true")
    assert ringback.requests("/voice")[0]["ConversationSid"] == OPEN
    assert (await legs(ringback))[0]["to"] == CUSTOMER


async def test_a_customer_whom_we_have_called(ringback: World, threads: Threads) -> None:
    """The parent leg is the customer, whoever has dialled whom."""
    await alice(ringback)
    document(ringback)
    call = await ringback.post("Calls", To=CUSTOMER, From=OURS, Url=ringback.app_url + "/voice")
    await ringback.final(call["sid"])
    assert ringback.requests("/after")[0]["WorkerInitiated"] == "false"
    assert (threads.sought[0].address, threads.sought[0].proxy_address) == (CUSTOMER, OURS)


async def test_19_an_existing_conversation_without_a_worker(ringback: World, threads: Threads) -> None:
    threads.known = {"conversation_sid": OPEN}
    document(ringback)
    asked = await over(ringback, await ringback.call(OURS))
    assert (asked["Result"], asked["ConversationSid"]) == ("no-other-participants", OPEN)
    assert await codes(ringback) == {"32504"}
    assert threads.left == []
