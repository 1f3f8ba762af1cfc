"""Whole journey: a customer calls, their conversation is found or made, their worker is rung and they talk."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from aiohttp import web

from ringback.effects import Save
from ringback.resources.conversations.chat_service import ChatService
from ringback.resources.conversations.conversation import Conversation
from ringback.resources.conversations.participant import Participant
from ringback.testing.world import World, world
from ringback.web.conversations.looked_up import LookUps
from tests.scenarios.threads import AFTER, CUSTOMER, OURS, TALKS, alice, codes, over

SCRIPT: Any = [{"expect": "Alice speaking", "within": 60}, {"wait": 90}]


async def rest(ringback: World, path: str, **fields: str) -> dict[str, Any]:
    """POST to the Conversations API."""
    return await ringback._ask("POST", f"/conversations/v1/{path}", data=fields)


async def service(ringback: World, attributes: str = "", routing: str = "pool") -> str:
    """A service with a worker who takes new conversations, and a number connected to it."""
    sid: str = (await rest(ringback, "Services", FriendlyName="Shop"))["sid"]
    await rest(ringback, f"Services/{sid}/Users", Identity="alice")
    await ringback._ask("POST", "/frontline-api/v1/Users/alice", data={"IsAvailable": "true"})
    await ringback._ask("POST", f"/frontline-api/v1/Services/{sid}", data={"Routing": routing})
    await alice(ringback, script=TALKS)
    ringback.app("/after", AFTER)
    await ringback.number(OURS, voice="/voice")
    noun = f'<Conversation serviceInstanceSid="{sid}" {attributes}/>'
    ringback.app("/voice", f'<Response><Connect action="/after">{noun}</Connect></Response>')
    return sid


async def test_4_and_18_a_conversation_is_made_and_found_again(ringback: World) -> None:
    """Pool routing assigns the worker; the second call of the same number has the same conversation and worker."""
    sid = await service(ringback)
    asked = await over(ringback, await ringback.call(OURS, script=SCRIPT))
    assert (asked["Result"], asked["WorkerInitiated"]) == ("session-success", "false")
    path = f"Services/{sid}/Conversations/{asked['ConversationSid']}/Participants"
    made = await ringback._ask("GET", f"/conversations/v1/{path}")
    customers = [one["messaging_binding"] for one in made["participants"] if not one["identity"]]
    assert [(one["address"], one["proxy_address"]) for one in customers] == [(CUSTOMER, OURS)]
    assert [one["identity"] for one in made["participants"] if one["identity"]] == ["alice"]
    await (await ringback.call(OURS, script=SCRIPT)).ends()
    await ringback.settled()
    first, second = ringback.requests("/after")
    assert first["ConversationSid"] == second["ConversationSid"]
    assert second["Result"] == "session-success"


async def test_5_nobody_is_added(ringback: World) -> None:
    await service(ringback, routing="do-not-route")
    asked = await over(ringback, await ringback.call(OURS, script=[{"wait": 60}]))
    assert asked["Result"] == "no-other-participants"
    assert "DialCallSid" not in asked
    assert await codes(ringback) == {"32506"}
    store = ringback.product.store
    (thread,) = await store.find(Conversation)
    assert thread.waiting_calls == []
    assert [one.identity for one in await store.find(Participant, conversation_sid=thread.sid)] == [None]


async def test_7_none_is_made(ringback: World) -> None:
    await service(ringback, 'inboundAutocreation="false"')
    asked = await over(ringback, await ringback.call(OURS))
    assert asked["Result"] == "no-existing-conversation"
    assert await ringback.product.store.find(Conversation) == []


async def test_9_a_worker_calls_their_customer_and_a_foreign_one(ringback: World) -> None:
    sid = await service(ringback)
    asked = await over(ringback, await ringback.call(OURS, script=SCRIPT))
    other: str = (await rest(ringback, "Services", FriendlyName="Another"))["sid"]
    foreign = (await rest(ringback, f"Services/{other}/Conversations"))["sid"]
    script = [{"say": "hello, it is me"}, {"wait": 1}, {"hangup": True}]
    await ringback.sim("PUT", f"Numbers/{CUSTOMER}", {"answers": "answer", "script": script})
    for conversation in (asked["ConversationSid"], foreign):
        caller = await ringback.call(
            OURS, from_="client:alice", parameters={"ConversationSid": conversation}, script=[{"wait": 60}]
        )
        await caller.ends()
        await ringback.settled()
    _, own, wrong = ringback.requests("/after")
    assert (own["Result"], own["WorkerInitiated"]) == ("session-success", "true")
    assert (wrong["Result"], wrong["WorkerInitiated"]) == ("invalid-conversation", "true")
    assert sid != other


async def test_19_a_conversation_without_a_worker(ringback: World) -> None:
    await service(ringback, routing="do-not-route")
    for _ in range(2):
        await (await ringback.call(OURS, script=[{"wait": 60}])).ends()
        await ringback.settled()
    first, second = ringback.requests("/after")
    assert (second["Result"], second["ConversationSid"]) == (
        "no-other-participants",
        first["ConversationSid"],
    )
    assert await codes(ringback) == {"32506", "32504"}


def names(ringback: World, sid: str, attributes: str = "") -> None:
    """The document names that service."""
    noun = f'<Conversation serviceInstanceSid="{sid}" {attributes}/>'
    ringback.app("/voice", f'<Response><Connect action="/after">{noun}</Connect></Response>')


@pytest.mark.parametrize("gone", [False, True])
async def test_8_it_cannot_be_made_in_a_service_that_is_not_there(ringback: World, gone: bool) -> None:
    """Never there, or there once: nobody is dialled, nothing is made."""
    sid = await service(ringback)
    if gone:
        await ringback._ask("DELETE", f"/conversations/v1/Services/{sid}")
    names(ringback, sid if gone else "IS" + "e" * 32)
    asked = await over(ringback, await ringback.call(OURS))
    assert asked["Result"] == "failed-create-conversation"
    assert "DialCallSid" not in asked
    assert await codes(ringback) == {"32500"}
    assert await ringback.product.store.find(Conversation) == []


@pytest.mark.parametrize("foreign", [True, False])
async def test_a_service_of_another_account_or_where_none_is_made(ringback: World, foreign: bool) -> None:
    """§2: the attribute must name a service of this account."""
    sid = "IS" + "e" * 32
    await service(ringback)
    if foreign:
        other = ChatService(sid=sid, account_sid="AC" + "0" * 32, friendly_name="Theirs")
        await ringback.product.store.commit([Save(other)])
    names(ringback, sid, "" if foreign else 'inboundAutocreation="false"')
    asked = await over(ringback, await ringback.call(OURS))
    assert asked["Result"] == "internal-error"
    assert await codes(ringback) == {"32501"}
    assert await ringback.product.store.find(Conversation) == []


async def test_8_the_application_refuses_it(ringback: World) -> None:
    """conversations.md §2.1: a pre-event webhook that answers 4xx."""
    sid = await service(ringback)
    hook = ringback.app("/hook", lambda _: web.Response(status=403))
    fields = {"PreWebhookUrl": hook, "Filters": "onConversationAdd"}
    await rest(ringback, f"Services/{sid}/Configuration/Webhooks", **fields)
    asked = await over(ringback, await ringback.call(OURS))
    assert asked["Result"] == "failed-create-conversation"
    assert ringback.requests("/hook")[0]["EventType"] == "onConversationAdd"
    assert "32500" in await codes(ringback)
    assert await ringback.product.store.find(Conversation) == []


@pytest.mark.timeout(300)
async def test_two_calls_of_one_customer_at_once(tmp_path: Path) -> None:
    """One conversation; both are told truthfully what became of them."""
    async with world(tmp_path) as ringback:
        await service(ringback)
        callers = [await ringback.call(OURS, script=[{"wait": 90}]) for _ in range(2)]
        for caller in callers:
            await caller.ends()
        await ringback.settled()
        assert len(await ringback.product.store.find(Conversation)) == 1
        assert len({one["ConversationSid"] for one in ringback.requests("/after")}) == 1
        assert [one["Result"] for one in ringback.requests("/after")] == ["session-success"] * 2


async def test_the_pair_is_taken_between_look_up_and_commit(ringback: World) -> None:
    """REST adds the customer elsewhere in the same moment: the call goes on there, and its worker is rung."""
    sid = await service(ringback, routing="do-not-route")
    there = (await rest(ringback, f"Services/{sid}/Conversations"))["sid"]
    path = f"Services/{sid}/Conversations/{there}/Participants"
    await rest(ringback, path, Identity="alice")
    look, races = LookUps._people_of, [there]

    async def racing(self: LookUps, event: Any, wanted: Any) -> dict[str, Any]:
        known = await look(self, event, wanted)
        if event.noun == "Conversation" and races:
            races.clear()
            pair = {"MessagingBinding.Address": CUSTOMER, "MessagingBinding.ProxyAddress": OURS}
            await rest(ringback, path, **pair)
        return known

    with patch.object(LookUps, "_people_of", racing):
        asked = await over(ringback, await ringback.call(OURS, script=SCRIPT))
    assert races == []
    assert (asked["Result"], asked["ConversationSid"]) == ("session-success", there)
    assert [one.sid for one in await ringback.product.store.find(Conversation)] == [there]
    assert ringback.product.runtime.mending.bugs == 0
    assert await codes(ringback) == set()
