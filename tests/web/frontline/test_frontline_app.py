"""``/frontline/v1``: what a worker's app asks, and what of the application's callbacks it is told
(conversations.md §2)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from twilio.jwt.access_token import AccessToken
from twilio.jwt.access_token.grants import ChatGrant
from twilio.request_validator import RequestValidator

from ringback.effects import Save
from ringback.resources.api.account import Account
from ringback.resources.api.alert import Alert
from ringback.resources.conversations.chat_service import ChatService
from ringback.resources.conversations.conversation import Conversation
from ringback.resources.conversations.participant import Participant
from ringback.resources.conversations.user import User
from ringback.resources.frontline.frontline_service import FrontlineService
from ringback.testing.world import World, world
from ringback.web.auth import make_token
from ringback.web.frontline import asking
from ringback.web.routes import Rule

CUSTOMER = {
    "customer_id": 98, "display_name": "Bobby Shaftoe", "avatar": "https://pics.example/bobby.png",
    "channels": [{"type": "sms", "value": "+15550001"}],
    "links": [{"type": "F", "value": "https://x.example", "display_name": "F"}],
    "details": {"title": "T", "content": "C"}, "unknown": {"left": "out"},
}  # fmt: skip


class Shop:
    """A worker of a service with callbacks, and the app's requests."""

    def __init__(self, running: World) -> None:
        self.world, self.product = running, running.product
        self.answer: Any = {}
        """JSON, bytes, a status, or an exception."""
        self.worker = User(sid="", account_sid="")
        self.service = ""

    async def open(self) -> Shop:
        product, account = self.product, self.product.account_sid
        self.service = product.new_sid("IS")
        self.worker = User(
            sid=product.new_sid("US"), account_sid=account, chat_service_sid=self.service, identity="ann"
        )
        url = self.world.app("/crm", self._respond)
        settings = FrontlineService(
            sid=self.service, account_sid=account, crm_callback_url=url + "#tt=15000",
            outgoing_callback_url=url, templates_callback_url=url,
        )  # fmt: skip
        chat = ChatService(sid=self.service, account_sid=account, friendly_name="f")
        await product.store.commit([Save(chat), Save(self.worker), Save(settings)])
        return self

    def _respond(self, _: dict[str, str]) -> Any:
        if callable(self.answer):
            return self.answer()
        if isinstance(self.answer, int):
            return web.Response(status=self.answer, text="no")
        body = self.answer if isinstance(self.answer, bytes) else json.dumps(self.answer).encode()
        return web.Response(body=body, content_type="application/json")

    def token(self, **changes: Any) -> str:
        product = self.product
        options: dict[str, Any] = {
            "account_sid": product.account_sid, "key_sid": product.account_sid, "secret": product.auth_token,
            "identity": "ann", "grants": {"chat": {"service_sid": self.service}}, "now": product.clock.now(),
        }  # fmt: skip
        return make_token(**(options | changes))

    async def ask(self, method: str, name: str, token: str | None = None, **fields: str) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.token() if token is None else token}"}
        query, form = (fields, None) if method == "GET" else (None, fields)
        url = f"{self.world.url}/frontline/v1/{name}"
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.request(method, url, params=query, data=form) as answer,
        ):
            return answer.status, await answer.json()

    async def alerts(self) -> list[tuple[int | None, str | None]]:
        """Codes of the debugger, and whom they are about."""
        await asyncio.sleep(0.05)  # written without waiting
        return [(each.error_code, each.resource_sid) for each in await self.product.store.find(Alert)]


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with world(tmp_path) as running:
        yield await Shop(running).open()


async def test_customers_come_in_pages_and_the_request_is_signed(shop: Shop) -> None:
    shop.answer = {"objects": {"customers": [CUSTOMER, {**CUSTOMER, "customer_id": "b"}], "searchable": True}}
    status, page = await shop.ask("GET", "Customers", PageSize="2", Query="bob")
    assert status == 200
    assert [each["customer_id"] for each in page["customers"]] == ["98", "b"]
    assert "unknown" not in page["customers"][0]
    assert (page["searchable"], page["anchor"]) == (True, "b")
    shop.answer = {"objects": {"customers": [CUSTOMER]}}
    status, page = await shop.ask("GET", "Customers", PageSize="2", Anchor=page["anchor"])
    assert (status, page["searchable"], page["anchor"]) == (200, False, None)
    first, second = shop.world.asked("/crm")
    assert dict(first.form) == {
        "Location": "GetCustomersList",
        "Worker": "ann",
        "PageSize": "2",
        "Query": "bob",
    }
    assert dict(second.form) == {
        "Location": "GetCustomersList",
        "Worker": "ann",
        "PageSize": "2",
        "Anchor": "b",
    }
    validator = RequestValidator(shop.product.auth_token)
    assert validator.validate(first.url, dict(first.form), first.headers["x-twilio-signature"])
    for size in ("0", "101", "x", "-1"):
        assert (await shop.ask("GET", "Customers", PageSize=size))[0] == 400


async def test_a_customer_and_the_templates_for_them(shop: Shop) -> None:
    shop.answer = {"objects": {"customer": CUSTOMER}}
    status, found = await shop.ask("GET", "Customer", CustomerId="98")
    assert status == 200
    assert found == {key: value for key, value in CUSTOMER.items() if key != "unknown"} | {
        "customer_id": "98"
    }
    shop.answer = [
        {
            "display_name": "Hi",
            "templates": [{"content": "Hello", "whatsAppApproved": True}, {"content": "x"}],
        }
    ]
    status, found = await shop.ask("GET", "Templates", CustomerId="98")
    assert (status, found) == (200, {"categories": shop.answer})
    assert [each["Location"] for each in shop.world.requests("/crm")] == [
        "GetCustomerDetailsByCustomerId", "GetTemplatesByCustomerId",
    ]  # fmt: skip
    assert (await shop.ask("GET", "Customer"))[1]["code"] == 20001


BAD = {
    "no JSON": b"hello", "no object": b"[]", "nothing": b"", "no id": {"objects": {"customer": {"display_name": "x"}}},
    "long": {"objects": {"customer": {**CUSTOMER, "display_name": "x" * 257}}},
    "script": {"objects": {"customer": {**CUSTOMER, "links": [{"value": "javascript:alert(1)"}]}}},
    "picture": {"objects": {"customer": {**CUSTOMER, "avatar": "data:text/html,x"}}},
    "deep": b"[" * 100_000, "large": b" " * 2_000_000, "half": b'{"objects": {"customer"', "latin": b'"\xff"',
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
async def test_nonsense_is_the_applications_and_the_operator_sees_it(shop: Shop, kind: str) -> None:
    shop.answer = BAD[kind]
    status, refusal = await shop.ask("GET", "Customer", CustomerId="98")
    assert (status, refusal["code"]) == (502, 48003)
    assert await shop.alerts() == [(48003, shop.worker.sid)]


@pytest.mark.parametrize(("answer", "status", "code", "told"), [
    (403, 403, 20003, False), (422, 422, 48004, True), (500, 502, 48004, True), (404, 502, 48004, True),
])  # fmt: skip
async def test_what_the_application_refuses(
    shop: Shop, answer: int, status: int, code: int, told: bool
) -> None:
    shop.answer = answer
    got, refusal = await shop.ask(
        "POST", "Conversations", CustomerId="98", ChannelType="sms", ChannelValue="+15550100001"
    )
    assert (got, refusal["code"]) == (status, code)
    assert bool(await shop.alerts()) is told


async def test_a_callback_that_hangs_and_one_that_is_not_set(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "_TIME", "#ct=300&tt=300")
    hanging = asyncio.Event()

    async def hang() -> web.Response:
        await hanging.wait()
        return web.Response()

    shop.answer = hang
    status, refusal = await shop.ask("GET", "Customers")
    hanging.set()
    assert (status, refusal["code"]) == (504, 48005)
    assert await shop.alerts() == [(48005, shop.worker.sid)]
    found = await shop.product.store.get(FrontlineService, shop.service)
    assert found is not None
    found.crm_callback_url = ""
    await shop.product.store.commit([Save(found)])
    status, refusal = await shop.ask("GET", "Customers")
    assert (status, refusal["code"]) == (404, 48001)


@pytest.mark.parametrize(("proxy", "code"), [
    ("+15559990001", 48028), ("nonsense", 48026), ("+15550100001", 48027), ("whatsapp:+15550177", 48029),
])  # fmt: skip
async def test_a_proxy_address_that_cannot_be_used(shop: Shop, proxy: str, code: int) -> None:
    await shop.world.number("+15550100001", "/voice")
    shop.answer = {"proxy_address": proxy}
    status, refusal = await shop.ask(
        "POST", "Conversations", CustomerId="98", ChannelType="sms", ChannelValue="+1 (555) 010-0001"
    )
    assert (status, refusal["code"]) == (502, code)
    asked = shop.world.requests("/crm")[0]
    assert (asked["Location"], asked["ChannelType"]) == ("GetProxyAddress", "sms")


async def test_a_worker_switches_themselves(shop: Shop) -> None:
    status, found = await shop.ask("GET", "Worker")
    assert (status, found["identity"], found["is_available"]) == (200, "ann", False)
    status, found = await shop.ask("POST", "Worker", IsAvailable="true")
    assert (status, found["is_available"]) == (200, True)
    stored = await shop.product.store.get(User, shop.worker.sid)
    assert stored is not None
    assert stored.is_available
    assert (await shop.ask("POST", "Worker", IsAvailable="maybe"))[0] == 400


async def test_nothing_of_other_workers_conversations_is_told(shop: Shop) -> None:
    product, account = shop.product, shop.product.account_sid
    conversation = Conversation(sid=product.new_sid("CH"), account_sid=account, chat_service_sid=shop.service)
    other = Participant(
        sid=product.new_sid("MB"), account_sid=account, chat_service_sid=shop.service,
        conversation_sid=conversation.sid, identity="bob",
    )  # fmt: skip
    await product.store.commit([Save(conversation), Save(other)])
    for sid in (conversation.sid, "CH" + "0" * 32, "nonsense"):
        assert (await shop.ask("POST", "Calls", ConversationSid=sid))[0] == 404
        assert (await shop.ask("GET", "Templates", CustomerId="1", ConversationSid=sid))[0] == 404
    assert shop.world.requests("/crm") == []


async def test_whose_token_is_good(shop: Shop) -> None:
    product, now = shop.product, shop.product.clock.now()
    child = Account(
        sid=product.new_sid("AC"), account_sid=product.account_sid, auth_token="c" * 32, friendly_name="c",
        status="suspended",
    )  # fmt: skip
    away = User(
        sid=product.new_sid("US"), account_sid=product.account_sid, chat_service_sid=shop.service,
        identity="away", state="deactivated",
    )  # fmt: skip
    await product.store.commit([Save(child), Save(away)])
    refused = {
        "": 401, "nonsense": 401, shop.token(secret="x" * 32): 401, shop.token(now=now - 9999): 401,
        shop.token(grants={}): 403, shop.token(grants={"chat": "x"}): 403, shop.token(grants={"chat": {}}): 403,
        shop.token(grants={"chat": {"service_sid": ["x"]}}): 403, shop.token(identity="bob"): 403,
        shop.token(grants={"chat": {"service_sid": "IS" + "0" * 32}}): 403, shop.token(identity="away"): 403,
        shop.token(identity=""): 403,
        shop.token(account_sid=child.sid, key_sid=child.sid, secret=child.auth_token): 403,
    }  # fmt: skip
    routes = [each for each in product.front.routes() if each.rule is Rule.WORKER]
    assert len(routes) == 7
    for route in routes:
        for token, status in refused.items():
            got, _ = await shop.ask(route.method, route.path.removeprefix("/frontline/v1/"), token)
            assert got == status, (route, token)
        got, _ = await shop.ask(route.method, route.path.removeprefix("/frontline/v1/"))
        assert got not in (401, 403), route
    official = AccessToken(product.account_sid, product.account_sid, product.auth_token, identity="ann")
    official.add_grant(ChatGrant(service_sid=shop.service))
    assert (await shop.ask("GET", "Worker", official.to_jwt()))[0] == 200
