"""Journey: a customer writes, their worker answers, over a simulated handset (conversations.md §1.1, §2); and a worker
begins by themselves, from their app."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from ringback.resources.conversations.conversation import Conversation
from ringback.resources.conversations.message import Message
from ringback.testing.world import World, world
from ringback.web.auth import make_token

OURS, CUSTOMER = "+15550100", "+15551230001"
NAMED = "/conversations/v1/Services"


class Shop:
    """A service with the pool routing of one worker, whose number texts come to."""

    def __init__(self, running: World) -> None:
        self.world, self.product = running, running.product
        self.service = ""

    async def ask(self, method: str, path: str, header: str = "", **form: str) -> dict[str, Any]:
        known = header or aiohttp.encode_basic_auth(self.product.account_sid, self.product.auth_token)
        data = {name.replace("_", "."): value for name, value in form.items()}
        headers = {"Authorization": known, "X-Twilio-Webhook-Enabled": "true"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.request(method, self.world.url + path, data=data) as answer,
        ):
            text = await answer.text()
            await self.world.settled()
            return {**(json.loads(text) if text else {}), "http": answer.status}

    async def open(self) -> Shop:
        await self.world.post(
            "IncomingPhoneNumbers", PhoneNumber=OURS, SmsUrl=self.world.app("/sms", "<Response/>")
        )
        self.service = (await self.ask("POST", NAMED, FriendlyName="Shop"))["sid"]
        made = await self.ask("POST", f"{NAMED}/{self.service}/Users", Identity="ann")
        await self.ask("POST", f"/frontline-api/v1/Users/{made['sid']}", IsAvailable="true")
        crm = self.world.app("/crm", lambda _: web.json_response({"proxy_address": OURS}))
        await self.ask(
            "POST", f"/frontline-api/v1/Services/{self.service}", Routing="pool", OutgoingCallbackUrl=crm
        )
        return self

    async def creates(self) -> None:
        """Texts of strangers get a conversation."""
        made = await self.ask(
            "POST", "/conversations/v1/Configuration/Addresses", Type="sms", Address=OURS,
            AutoCreation_Enabled="true", AutoCreation_Type="default",
            AutoCreation_ConversationServiceSid=self.service,
        )  # fmt: skip
        assert made["http"] == 201, made

    async def app(self, name: str, **form: str) -> dict[str, Any]:
        """The worker's app asks."""
        token = make_token(
            account_sid=self.product.account_sid, key_sid=self.product.account_sid,
            secret=self.product.auth_token, identity="ann", grants={"chat": {"service_sid": self.service}},
            now=self.product.clock.now(),
        )  # fmt: skip
        return await self.ask("POST", f"/frontline/v1/{name}", f"Bearer {token}", **form)

    async def writes(self, body: str, from_: str = CUSTOMER) -> None:
        """The customer's handset sends."""
        await self.world.sim("POST", "Messages", {"from": from_, "to": OURS, "body": body})
        await self.world.settled()

    async def received(self) -> list[tuple[str, str]]:
        """What the customer's handset has received, and from whom."""
        found = await self.world.sim("GET", f"Messages?address={CUSTOMER.replace('+', '%2B')}")
        return [(one["from"], one["body"]) for one in found["messages"]]

    async def said(self) -> list[tuple[str, str | None]]:
        """What stands in the only conversation."""
        found = await self.product.store.find(Message, account_sid=self.product.account_sid)
        assert len({each.conversation_sid for each in found}) == 1
        return [(each.author, each.body) for each in sorted(found, key=lambda one: one.index)]

    async def threads(self) -> list[Conversation]:
        return await self.product.store.find(Conversation, account_sid=self.product.account_sid)


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with world(tmp_path) as running:
        yield await Shop(running).open()


async def test_a_customer_writes_and_their_worker_answers(shop: Shop) -> None:
    await shop.creates()
    await shop.writes("is it ready?")
    (thread,) = await shop.threads()
    path = f"{NAMED}/{shop.service}/Conversations/{thread.sid}"
    people = (await shop.ask("GET", f"{path}/Participants"))["participants"]
    assert [each["identity"] for each in people] == [None, "ann"]
    answer = await shop.ask("POST", f"{path}/Messages", Author="ann", Body="it is")
    assert answer["http"] == 201
    assert await shop.received() == [(OURS, "it is")]
    await shop.writes("thanks")
    assert await shop.said() == [(CUSTOMER, "is it ready?"), ("ann", "it is"), (CUSTOMER, "thanks")]
    assert shop.world.requests("/sms") == []  # the conversation has them, not the number's application
    (receipt,) = (await shop.ask("GET", f"{path}/Messages/{answer['sid']}/Receipts"))["delivery_receipts"]
    assert receipt["status"] == "delivered"


async def test_without_a_conversation_the_number_answers(shop: Shop) -> None:
    await shop.writes("hello")
    assert [each["Body"] for each in shop.world.requests("/sms")] == ["hello"]
    assert await shop.threads() == []


async def test_a_worker_begins_and_the_customer_answers_there(shop: Shop) -> None:
    await shop.creates()
    begun = await shop.app("Conversations", CustomerId="98", ChannelType="sms", ChannelValue=CUSTOMER)
    assert (begun["http"], begun["created"]) == (200, True), begun
    (asked,) = shop.world.requests("/crm")
    assert (asked["Location"], asked["Worker"], asked["CustomerId"]) == ("GetProxyAddress", "ann", "98")
    path = f"{NAMED}/{shop.service}/Conversations/{begun['sid']}"
    await shop.ask("POST", f"{path}/Messages", Author="ann", Body="your order is here")
    assert await shop.received() == [(OURS, "your order is here")]
    await shop.writes("coming")
    assert await shop.said() == [("ann", "your order is here"), (CUSTOMER, "coming")]
    again = await shop.app(
        "Conversations", CustomerId="98", ChannelType="sms", ChannelValue="+1 555-123-0001"
    )
    assert (again["http"], again["created"], again["sid"]) == (200, False, begun["sid"])
    people = (await shop.ask("GET", f"{path}/Participants"))["participants"]
    (mine,) = [each for each in people if each["identity"] == "ann"]
    await shop.ask("DELETE", f"{path}/Participants/{mine['sid']}")
    foreign = await shop.app("Conversations", CustomerId="98", ChannelType="sms", ChannelValue=CUSTOMER)
    assert (foreign["http"], foreign["code"]) == (409, 48031)
    assert begun["sid"] not in foreign["message"]


async def test_a_long_text_is_kept_whole(shop: Shop) -> None:
    await shop.creates()
    body = "".join(chr(97 + number % 26) for number in range(1_500)) + "?" * 1_600
    await shop.writes(body[:1_600])
    await shop.writes("short")
    assert "".join(str(each) for _, each in await shop.said()) == body[:1_600] + "short"


async def test_who_has_said_stop_gets_nothing_but_is_heard(shop: Shop) -> None:
    await shop.creates()
    await shop.writes("hi")
    (thread,) = await shop.threads()
    await shop.writes("STOP")
    before = await shop.received()
    path = f"{NAMED}/{shop.service}/Conversations/{thread.sid}"
    await shop.ask("POST", f"{path}/Messages", Author="ann", Body="please stay")
    assert await shop.received() == before
    assert [each for _, each in await shop.said()] == ["hi", "STOP", "please stay"]
