"""Journey: a customer calls and reaches their worker through the conversation; the worker calls back from their app
(connect-conversation.md §3, §4, §10). Real calls, real lanes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ringback.resources.conversations.conversation import Conversation
from ringback.testing.world import World, world
from ringback.web.auth import make_token

pytest.importorskip("ringback.voice.verbs.connect")

OURS, CUSTOMER = "+15550100", "+15551230001"
TALKS = [{"wait": 1}, {"say": "Ann speaking"}, {"wait": 2}, {"hangup": True}]


class Desk:
    """A service with one worker, and a number that connects its callers to them."""

    def __init__(self, running: World) -> None:
        self.world, self.product = running, running.product
        self.service = ""

    async def ask(self, method: str, path: str, header: str = "", **form: str) -> dict[str, Any]:
        known = header or aiohttp.encode_basic_auth(self.product.account_sid, self.product.auth_token)
        async with (
            aiohttp.ClientSession(headers={"Authorization": known}) as session,
            session.request(method, self.world.url + path, data=form) as answer,
        ):
            text = await answer.text()
            return {**(json.loads(text) if text else {}), "http": answer.status}

    async def open(self) -> Desk:
        self.service = (await self.ask("POST", "/conversations/v1/Services", FriendlyName="Shop"))["sid"]
        path = f"/conversations/v1/Services/{self.service}/Users"
        made = await self.ask("POST", path, Identity="ann")
        await self.ask("POST", f"/frontline-api/v1/Users/{made['sid']}", IsAvailable="true")
        await self.ask("POST", f"/frontline-api/v1/Services/{self.service}", Routing="pool")
        await self.world.number(OURS, voice="/voice")
        noun = f'<Conversation serviceInstanceSid="{self.service}" inboundTimeout="10"/>'
        self.world.app("/voice", f'<Response><Connect action="/after">{noun}</Connect></Response>')
        self.world.app("/after", "<Response/>")
        await self.world.sim("PUT", "Numbers/client:ann", {"answers": "answer", "script": TALKS})
        return self

    async def calls(self, from_: str = CUSTOMER) -> dict[str, str]:
        """A customer calls; the action request."""
        caller = await self.world.call(OURS, from_=from_, script=[{"wait": 90}])
        await caller.ends()
        await self.world.settled()
        return self.world.requests("/after")[-1]

    async def threads(self) -> list[Conversation]:
        return await self.product.store.find(Conversation, account_sid=self.product.account_sid)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with world(tmp_path) as running:
        yield await Desk(running).open()


async def test_the_first_call_makes_the_conversation_and_the_next_one_finds_it(desk: Desk) -> None:
    first = await desk.calls()
    assert (first["Result"], first["DialCallStatus"]) == ("session-success", "completed")
    await desk.ask("POST", "/frontline-api/v1/Users/ann", IsAvailable="false")
    second = await desk.calls()
    assert (second["Result"], second["ConversationSid"]) == ("session-success", first["ConversationSid"])
    assert len(await desk.threads()) == 1


async def test_nobody_is_there(desk: Desk) -> None:
    await desk.ask("POST", "/frontline-api/v1/Users/ann", IsAvailable="false")
    asked = await desk.calls()
    assert asked["Result"] == "no-other-participants"
    (thread,) = await desk.threads()
    assert (thread.sid, thread.waiting_calls) == (asked["ConversationSid"], [])


async def test_the_worker_calls_back_from_their_app(desk: Desk) -> None:
    sid = (await desk.calls())["ConversationSid"]
    token = make_token(
        account_sid=desk.product.account_sid, key_sid=desk.product.account_sid, secret=desk.product.auth_token,
        identity="ann", grants={"chat": {"service_sid": desk.service}}, now=desk.product.clock.now(),
    )  # fmt: skip
    await desk.world.sim("PUT", "Numbers/client:ann", {"answers": "answer", "script": [{"wait": 60}]})
    script = [{"say": "customer speaking"}, {"wait": 1}, {"hangup": True}]
    await desk.world.sim("PUT", f"Numbers/{CUSTOMER}", {"answers": "answer", "script": script})
    call = await desk.ask("POST", "/frontline/v1/Calls", f"Bearer {token}", ConversationSid=sid)
    assert (call["http"], call["to"], call["from"]) == (200, "client:ann", "client:ann"), call
    await desk.world.final(call["sid"])
    legs = [one for one in (await desk.world.get("Calls"))["calls"] if one["parent_call_sid"] == call["sid"]]
    (leg,) = legs
    assert (leg["to"], leg["from"], leg["status"]) == (CUSTOMER, OURS, "completed")


async def test_a_caller_without_a_number_reaches_the_worker(desk: Desk) -> None:
    asked = await desk.calls("anonymous")
    assert asked["Result"] == "session-success"
