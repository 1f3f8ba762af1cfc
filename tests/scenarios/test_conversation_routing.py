"""Journey: a customer's message or call finds its conversation, or makes one, and a worker comes (conversations.md
§1.1, §1.3, §2; connect-conversation.md §4, §10). Calls and messages themselves are played here."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import aiohttp
import pytest
from aiohttp import web

import ringback.app
from ringback import effects as fx
from ringback.events.conversations import (
    CallLeftConversation,
    ConversationFound,
    ConversationSought,
    InboundTexted,
    TextUnclaimed,
    WorkerJoined,
)
from ringback.events.messaging import MessageArrived
from ringback.resources.api.alert import Alert
from ringback.resources.api.message import Message as Text
from ringback.resources.conversations.conversation import Conversation
from ringback.resources.conversations.message import Message
from ringback.resources.conversations.participant import Participant
from ringback.resources.conversations.webhook import Webhook
from ringback.resources.frontline.pool_turn import PoolTurn
from ringback.runtime.lane_kind import LaneKind, Wiring
from ringback.testing.world import World, world

OURS = "+15550100"
_wire = ringback.app.wire


class Shop:
    """A service with workers, and what calls and messages are told."""

    def __init__(self) -> None:
        self.world: World
        self.service = ""
        self.found: list[ConversationFound] = []
        self.joined: list[WorkerJoined] = []
        self.unclaimed: list[str] = []

    def wire(self, parts: Any) -> Wiring:
        """The product's wiring, with these calls and messages."""
        wiring = _wire(parts)
        call = wiring.kinds["call"]
        heard = {ConversationFound: self._found, WorkerJoined: self._joined}
        kinds: dict[Any, LaneKind] = {
            **wiring.kinds,
            "call": replace(call, handlers={**call.handlers, **heard}),
            "message": LaneKind(handlers={TextUnclaimed: self._unclaimed, MessageArrived: self._arrived}),
        }
        return replace(wiring, kinds=kinds)

    def _found(self, event: ConversationFound, now: float) -> Sequence[fx.Effect]:
        self.found.append(event)
        return ()

    def _joined(self, event: WorkerJoined, now: float) -> Sequence[fx.Effect]:
        self.joined.append(event)
        return ()

    def _arrived(self, event: MessageArrived, now: float) -> Sequence[fx.Effect]:
        """Kept, and offered to the conversations in the same commit."""
        account = self.world.product.account_sid
        kept = Text(
            sid=event.message_sid, account_sid=account, to=event.to, from_=event.from_, body=event.body
        )
        return [fx.Save(kept), fx.Post(self.text(event.body, sid=event.message_sid, from_=event.from_))]

    def _unclaimed(self, event: TextUnclaimed, now: float) -> Sequence[fx.Effect]:
        self.unclaimed.append(event.message_sid)
        return ()

    # --- what is asked ---------------------------------------------------------------------------------

    async def ask(self, method: str, path: str, **form: Any) -> dict[str, Any]:
        """A REST request; ``_`` in a name is a dot. The answer with its status as ``http``."""
        known = aiohttp.encode_basic_auth(self.world.product.account_sid, self.world.product.auth_token)
        data = {name.replace("_", "."): value for name, value in form.items()}
        async with (
            aiohttp.ClientSession(headers={"Authorization": known}) as session,
            session.request(method, self.world.url + path, data=data) as answer,
        ):
            text = await answer.text()
            return {**(json.loads(text) if text else {}), "http": answer.status}

    async def worker(self, identity: str) -> None:
        """Somebody who takes conversations of the pool."""
        made = await self.ask("POST", f"/conversations/v1/Services/{self.service}/Users", Identity=identity)
        assert made["http"] == 201, made
        made = await self.ask("POST", f"/frontline-api/v1/Users/{made['sid']}", IsAvailable="true")
        assert made["is_available"], made

    async def routes(self, how: str, **more: str) -> None:
        made = await self.ask("POST", f"/frontline-api/v1/Services/{self.service}", Routing=how, **more)
        assert made["http"] == 200, made

    async def creates(self, **more: Any) -> None:
        """Unknown senders get a conversation."""
        made = await self.ask(
            "POST", "/conversations/v1/Configuration/Addresses", Type="sms", Address=OURS,
            AutoCreation_Enabled="true", AutoCreation_ConversationServiceSid=self.service, **more,
        )  # fmt: skip
        assert made["http"] == 201, made

    async def hooks(self, *filters: str, **urls: str) -> None:
        made = await self.ask(
            "POST",
            f"/conversations/v1/Services/{self.service}/Configuration/Webhooks",
            Filters=list(filters),
            **urls,
        )
        assert made["http"] == 200, made

    def text(
        self, body: str = "hello", *, sid: str, from_: str = "+15551230001", to: str = OURS
    ) -> InboundTexted:
        return InboundTexted(
            account_sid=self.world.product.account_sid,
            address=from_,
            proxy_address=to,
            message_sid=sid,
            body=body,
        )

    def call(self, sid: str, *, from_: str = "+15551230001", **more: Any) -> ConversationSought:
        return ConversationSought(
            account_sid=self.world.product.account_sid, address=from_, proxy_address=OURS, call_sid=sid,
            request="r", chat_service_sid=more.pop("service", self.service), **more,
        )  # fmt: skip

    async def happens(self, *events: Any) -> None:
        """These at once, and everything that follows."""
        for each in events:
            self.world.product.post(each)
        await self.world.settled()

    # --- what is there ---------------------------------------------------------------------------------

    async def conversations(self) -> list[Conversation]:
        return await self.world.product.store.find(Conversation, account_sid=self.world.product.account_sid)

    async def bodies(self, conversation_sid: str) -> list[str | None]:
        found = await self.world.product.store.find(Message, conversation_sid=conversation_sid)
        return [each.body for each in sorted(found, key=lambda one: one.index)]

    async def people(self, conversation_sid: str) -> list[str | None]:
        found = await self.world.product.store.find(Participant, conversation_sid=conversation_sid)
        return sorted((each.identity or each.address) for each in found)

    async def alerts(self) -> list[int | None]:
        await asyncio.sleep(0.02)
        return [each.error_code for each in await self.world.product.store.find(Alert)]


@pytest.fixture
async def shop(tmp_path: Path, database_url: str) -> AsyncIterator[Shop]:
    shop = Shop()
    with patch("ringback.app.wire", shop.wire):
        async with world(tmp_path, database_url=database_url) as running:
            shop.world = running
            made = await shop.ask("POST", "/conversations/v1/Services", FriendlyName="Shop")
            assert made["http"] == 201, made
            shop.service = made["sid"]
            yield shop


# --- messages ------------------------------------------------------------------------------------------------


async def test_a_message_makes_a_conversation_and_the_next_one_finds_it(shop: Shop) -> None:
    await shop.worker("ann")
    await shop.routes("pool")
    await shop.creates(AutoCreation_Type="default")
    await shop.happens(shop.text("one", sid="SM1"))
    (thread,) = await shop.conversations()
    assert thread.chat_service_sid == shop.service
    assert await shop.people(thread.sid) == ["+15551230001", "ann"]
    await shop.happens(shop.text("two", sid="SM2", from_="tel:+1-555-123-0001"), shop.text("one", sid="SM1"))
    assert await shop.bodies(thread.sid) == ["one", "two"]
    assert len(await shop.conversations()) == 1
    (first, *_) = await shop.world.product.store.find(Message, carrier_key="SM1")
    assert (first.author, first.index) == ("+15551230001", 0)
    assert first.participant_sid is not None


async def test_what_no_conversation_covers_is_the_numbers(shop: Shop) -> None:
    await shop.happens(shop.text(sid="SM1"))
    await shop.creates(AutoCreation_Type="default")
    await shop.happens(
        shop.text(sid="SM2", to="+15550177"), shop.text(sid="SM3", from_="whatsapp:+15551230001")
    )
    assert sorted(shop.unclaimed) == ["SM1", "SM2", "SM3"]
    assert await shop.conversations() == []


async def test_many_messages_of_one_customer_at_once_are_one_conversation(shop: Shop) -> None:
    asked = shop.world.app("/hook", "")
    await shop.hooks("onConversationAdd", PreWebhookUrl=asked)
    await shop.creates(AutoCreation_Type="default")
    await shop.happens(*(shop.text(str(n), sid=f"SM{n}") for n in range(12)))
    (thread,) = await shop.conversations()
    assert await shop.bodies(thread.sid) == [str(n) for n in range(12)]
    assert shop.unclaimed == []
    assert len(shop.world.requests("/hook")) == 1


async def test_the_unique_key_keeps_two_lanes_apart(shop: Shop) -> None:
    """The same customer, written differently: nothing but the database sees that it is one pair."""
    await shop.creates(AutoCreation_Type="default")
    written = ["+15551230001", "tel:+15551230001", "+1 555 123 0001", "15551230001"]
    arrived = (
        MessageArrived(message_sid=f"SM{n}", channel="simulated", from_=written[n], to=OURS, body=str(n))
        for n in range(4)
    )
    await shop.happens(*arrived)
    (thread,) = await shop.conversations()
    assert sorted(str(each) for each in await shop.bodies(thread.sid)) == ["0", "1", "2", "3"]
    assert shop.unclaimed == []


async def test_after_it_is_closed_the_next_message_makes_another(shop: Shop) -> None:
    await shop.creates(AutoCreation_Type="default")
    await shop.happens(shop.text(sid="SM1"))
    (thread,) = await shop.conversations()
    path = f"/conversations/v1/Services/{shop.service}/Conversations/{thread.sid}"
    assert (await shop.ask("POST", path, State="closed"))["http"] == 200
    await shop.happens(shop.text("again", sid="SM2"))
    newer, _ = await shop.conversations()
    assert newer.sid != thread.sid
    assert await shop.bodies(newer.sid) == ["again"]
    assert await shop.bodies(thread.sid) == ["hello"]


async def test_the_order_of_what_is_told(shop: Shop) -> None:
    """onConversationAdd first and alone; then what it was turned into, and the webhook that is attached (§1.3)."""
    told: list[str] = []

    def hook(params: dict[str, str]) -> web.Response:
        told.append(params["EventType"])
        return web.json_response({"friendly_name": "Ann", "attributes": '{"crm": 1}', "state": "closed"})

    url = shop.world.app("/hook", hook)
    await shop.hooks(
        "onConversationAdd", "onConversationAdded", "onParticipantAdded", "onMessageAdded",
        PreWebhookUrl=url, PostWebhookUrl=url,
    )  # fmt: skip
    scoped = shop.world.app("/scoped", "")
    await shop.creates(
        AutoCreation_Type="webhook",
        AutoCreation_WebhookUrl=scoped,
        AutoCreation_WebhookFilters="onMessageAdded",
    )
    await shop.happens(shop.text("hi there", sid="SM1"))
    (thread,) = await shop.conversations()
    assert (thread.friendly_name, thread.attributes, thread.state) == ("Ann", '{"crm": 1}', "active")
    assert told == ["onConversationAdd", "onConversationAdded", "onParticipantAdded", "onMessageAdded"]
    asked, added, joined, wrote = shop.world.requests("/hook")
    assert "ConversationSid" not in asked
    for each in (asked, added):
        assert each["MessagingBinding.Address"] == "+15551230001"
        assert each["MessagingBinding.ProxyAddress"] == OURS
        assert (each["MessageBody"], each["Source"]) == ("hi there", "SMS")
    assert (added["FriendlyName"], joined["MessagingBinding.Type"], wrote["Body"]) == (
        "Ann",
        "SMS",
        "hi there",
    )
    (webhook,) = await shop.world.product.store.find(Webhook, conversation_sid=thread.sid)
    assert webhook.target == "webhook"
    (heard,) = shop.world.requests("/scoped")
    assert (heard["EventType"], heard["Body"]) == ("onMessageAdded", "hi there")


async def test_the_application_refuses_the_conversation(shop: Shop) -> None:
    url = shop.world.app("/no", lambda _: web.Response(status=403))
    await shop.hooks("onConversationAdd", PreWebhookUrl=url)
    await shop.creates(AutoCreation_Type="default")
    await shop.happens(shop.text(sid="SM1"), shop.call("CA1"))
    assert shop.unclaimed == ["SM1"]
    assert await shop.conversations() == []
    (found,) = shop.found
    assert (found.result, found.error_code) == ("failed-create-conversation", 32500)


async def test_a_text_into_an_open_conversation_is_asked_of_the_pre_event(shop: Shop) -> None:
    """§1.4: what comes by SMS always fires the webhooks. It may be changed; refused, it is the number's handler's."""

    def pre(params: dict[str, str]) -> web.Response:
        if params["Body"] == "spam":
            return web.Response(status=403)
        return web.json_response({"body": params["Body"].upper(), "attributes": {"seen": 1}})

    await shop.creates(AutoCreation_Type="default")
    await shop.happens(shop.text("first", sid="SM1"))
    await shop.hooks("onMessageAdd", PreWebhookUrl=shop.world.app("/pre", pre))
    await shop.happens(
        shop.text("hello", sid="SM2"), shop.text("spam", sid="SM3"), shop.text("bye", sid="SM4")
    )
    (thread,) = await shop.conversations()
    assert await shop.bodies(thread.sid) == ["first", "HELLO", "BYE"]
    assert shop.unclaimed == ["SM3"]
    asked = shop.world.requests("/pre")[0]
    assert (asked["Source"], asked["Author"], asked["ConversationSid"]) == ("SMS", "+15551230001", thread.sid)


@pytest.mark.parametrize(
    "answer",
    [
        '{"friendly_name": "half \\ud83d"}', '{"friendly_name": "a\\u0000b"}', '{"attributes": "nope"}',
        '{"unique_name": "CH%s"}' % ("1" * 32), '{"friendly_name": "%s"}' % ("z" * 257),
    ],
)  # fmt: skip
async def test_an_answer_that_cannot_be_written_stops_no_customer(shop: Shop, answer: str) -> None:
    """It changes nothing, and the debugger says so: the message and the call have their conversations."""
    url = shop.world.app(
        "/pre", lambda _: web.Response(body=answer.encode(), content_type="application/json")
    )
    await shop.hooks("onConversationAdd", PreWebhookUrl=url)
    await shop.creates(AutoCreation_Type="default")
    await shop.happens(shop.text("first", sid="SM1"), shop.call("CA1", from_="+15551230077"))
    assert shop.unclaimed == []
    assert len(await shop.conversations()) == 2
    assert (await shop.alerts()).count(11200) == 2


async def test_the_application_is_asked_before_a_message_from_outside_is_written(shop: Shop) -> None:
    """§1.4: messages from outside always have the pre-event; it changes, refuses, or is wrong and changes nothing."""
    answers = iter(
        [
            web.json_response({"body": "***", "author": "Ann", "attributes": {"rude": True}}),
            web.Response(status=403),
            web.json_response({"body": "x", "attributes": "{"}),
        ]
    )
    url = shop.world.app("/hook", lambda _: next(answers))
    await shop.hooks("onMessageAdd", PreWebhookUrl=url)
    await shop.creates(AutoCreation_Type="default")
    for number, body in enumerate(("first", "rude", "spam", "fine")):
        await shop.happens(shop.text(body, sid=f"SM{number}"))
    (thread,) = await shop.conversations()
    assert await shop.bodies(thread.sid) == ["first", "***", "fine"]
    assert shop.unclaimed == ["SM2"]
    asked = shop.world.requests("/hook")
    assert [(one["Body"], one["Author"], one["Source"], one["ConversationSid"]) for one in asked] == [
        (body, "+15551230001", "SMS", thread.sid) for body in ("rude", "spam", "fine")
    ]
    (changed,) = await shop.world.product.store.find(Message, carrier_key="SM1")
    assert (changed.author, changed.attributes) == ("Ann", '{"rude":true}')
    assert changed.participant_sid == asked[0]["ParticipantSid"]
    assert await shop.alerts() == [11200]


async def test_a_conversation_that_cannot_be_made_loses_no_message(shop: Shop) -> None:
    """The application gives a name that another conversation has."""
    made = await shop.ask(
        "POST", f"/conversations/v1/Services/{shop.service}/Conversations", UniqueName="taken"
    )
    assert made["http"] == 201
    url = shop.world.app("/name", lambda _: web.json_response({"unique_name": "taken"}))
    await shop.hooks("onConversationAdd", PreWebhookUrl=url)
    await shop.creates(AutoCreation_Type="default")
    await shop.happens(shop.text(sid="SM1"), shop.call("CA1"))
    assert shop.unclaimed == ["SM1"]
    assert [each.result for each in shop.found] == ["failed-create-conversation"]
    assert (
        50353 in await shop.alerts()
    )  # the operator learns why the customer's message is in no conversation


async def test_the_service_of_a_configuration_is_gone(shop: Shop) -> None:
    await shop.creates(AutoCreation_Type="default")
    assert (await shop.ask("DELETE", f"/conversations/v1/Services/{shop.service}"))["http"] == 204
    await shop.happens(shop.text(sid="SM1"))
    assert shop.unclaimed == ["SM1"]
    assert 50050 in await shop.alerts()


# --- calls ---------------------------------------------------------------------------------------------------


async def test_a_call_makes_a_conversation_and_the_next_one_rings_the_same_worker(shop: Shop) -> None:
    await shop.worker("ann")
    await shop.routes("pool")
    await shop.happens(shop.call("CA1"))
    (found,), (joined,) = shop.found, shop.joined
    assert (found.result, found.created, found.worker, found.customer, found.proxy_address) == (
        "", True, "", "+15551230001", OURS,
    )  # fmt: skip
    assert (joined.call_sid, joined.worker, joined.conversation_sid) == ("CA1", "ann", found.conversation_sid)
    await shop.ask("POST", "/frontline-api/v1/Users/ann", IsAvailable="false", State="deactivated")
    await shop.happens(shop.call("CA2", from_="tel:+1-555-123-0001"))
    again = shop.found[1]
    assert (again.created, again.worker, again.conversation_sid) == (False, "ann", found.conversation_sid)
    await shop.happens(shop.text(sid="SM1"))  # and what they write goes there
    assert await shop.bodies(found.conversation_sid) == ["hello"]


async def test_two_calls_of_one_customer_at_once(shop: Shop) -> None:
    await shop.worker("ann")
    await shop.routes("pool")
    await shop.happens(shop.call("CA1"), shop.call("CA2"), shop.call("CA3"))
    (thread,) = await shop.conversations()
    assert {each.conversation_sid for each in shop.found} == {thread.sid}
    told = {each.call_sid: each.worker for each in shop.found if each.worker}
    told |= {each.call_sid: each.worker for each in shop.joined}
    assert told == dict.fromkeys(("CA1", "CA2", "CA3"), "ann")
    assert len(await shop.world.product.store.find(PoolTurn)) == 1


async def test_without_autocreation_and_without_a_worker(shop: Shop) -> None:
    await shop.happens(shop.call("CA1", autocreate=False))
    assert [each.result for each in shop.found] == ["no-existing-conversation"]
    await shop.happens(
        shop.call("CA2"), CallLeftConversation(conversation_sid="CH" + "0" * 32, call_sid="CA2")
    )
    made = shop.found[-1]
    assert (made.result, made.created, made.worker) == ("", True, "")  # the call's timer decides
    await shop.happens(CallLeftConversation(conversation_sid=made.conversation_sid, call_sid="CA2"))
    await shop.happens(shop.call("CA3"))
    assert (shop.found[-1].result, shop.found[-1].error_code) == ("no-other-participants", 32504)
    path = f"/conversations/v1/Services/{shop.service}/Conversations/{made.conversation_sid}/Participants"
    assert (await shop.ask("POST", path, Identity="late"))["http"] == 201
    assert shop.joined == []  # nobody waits any more
    await shop.happens(shop.call("CA4"))
    assert shop.found[-1].worker == "late"


async def test_services_that_are_not_the_accounts(shop: Shop) -> None:
    for number, service in enumerate(("", "nonsense", "CH" + "0" * 32)):
        await shop.happens(shop.call(f"CA{number}", service=service))
        assert (shop.found[-1].result, shop.found[-1].error_code) == ("internal-error", 32501), service
    for autocreate, result in (
        (True, ("failed-create-conversation", 32500)),
        (False, ("internal-error", 32501)),
    ):
        await shop.happens(shop.call("CA7", service="IS" + "0" * 32, autocreate=autocreate))
        assert (shop.found[-1].result, shop.found[-1].error_code) == result
    other = await shop.ask("POST", "/conversations/v1/Services", FriendlyName="Other")
    await shop.happens(shop.call("CA8"))
    await shop.happens(
        shop.call("CA9", service=other["sid"])
    )  # the pair is taken in the account's other service
    assert (shop.found[-1].result, shop.found[-1].error_code) == ("failed-create-conversation", 32500)
    assert shop.found[-2].conversation_sid in shop.found[-1].error_text
    await shop.happens(shop.call("CA10", service=other["sid"], autocreate=False))
    assert shop.found[-1].result == "no-existing-conversation"


@pytest.mark.parametrize("from_", ["anonymous", "sip:anonymous@anonymous.invalid", "+266696687"])
async def test_who_withholds_their_number_reaches_a_worker_and_shares_no_conversation(
    shop: Shop, from_: str
) -> None:
    await shop.worker("ann")
    await shop.routes("pool")
    await shop.happens(shop.call("CA1", from_=from_), shop.call("CA2", from_=from_))
    assert {each.call_sid: each.worker for each in shop.joined} == {"CA1": "ann", "CA2": "ann"}
    threads = await shop.conversations()
    assert len(threads) == 2
    assert {each.friendly_name for each in threads} == {"Withheld number"}
    await shop.happens(shop.call("CA3", from_=from_, autocreate=False))
    assert shop.found[-1].result == "no-existing-conversation"


async def test_a_sip_phone_is_a_customer_too(shop: Shop) -> None:
    await shop.worker("ann")
    await shop.routes("pool")
    await shop.happens(shop.call("CA1", from_="sip:bob@Example.com:5070;transport=tcp"))
    await shop.happens(shop.call("CA2", from_="sip:bob@example.com"))
    first, second = shop.found
    assert (first.customer, first.created) == ("sip:bob@example.com", True)
    assert (second.conversation_sid, second.worker) == (first.conversation_sid, "ann")


# --- routing -------------------------------------------------------------------------------------------------


async def test_at_once_each_customer_gets_another_worker_in_turn(shop: Shop) -> None:
    for identity in ("ann", "bob", "cid"):
        await shop.worker(identity)
    await shop.routes("pool")
    calls = [shop.call(f"CA{n}", from_=f"+1555123000{n}") for n in range(6)]
    await shop.happens(*calls)
    chosen = [each.worker for each in shop.joined]
    assert sorted(chosen[:3]) == sorted(chosen[3:]) == ["ann", "bob", "cid"]
    await shop.ask("POST", "/frontline-api/v1/Users/bob", IsAvailable="false")
    await shop.ask("POST", "/frontline-api/v1/Users/cid", State="deactivated")
    await shop.happens(shop.call("CA7", from_="+15551230007"), shop.call("CA8", from_="+15551230008"))
    assert [each.worker for each in shop.joined[6:]] == ["ann", "ann"]


async def test_nobody_is_there_for_a_message(shop: Shop) -> None:
    await shop.routes("pool")
    await shop.creates(AutoCreation_Type="default")
    await shop.happens(shop.text(sid="SM1"))
    assert await shop.alerts() == [32506]
    await shop.happens(shop.call("CA1", from_="+15551230009"))
    assert await shop.alerts() == [32506]  # a call says it itself, when its time is over
    assert shop.joined == []


async def test_custom_routing_adds_the_worker_by_rest(shop: Shop) -> None:
    async def route(params: dict[str, str]) -> web.Response:
        path = (
            f"/conversations/v1/Services/{params['ChatServiceSid']}/Conversations/{params['ConversationSid']}"
        )
        added = await shop.ask("POST", f"{path}/Participants", Identity="zoe")
        assert added["http"] == 201
        return web.Response(text="<html>nonsense</html>")

    await shop.routes("custom", RoutingUrl=shop.world.app("/route", route))
    await shop.happens(shop.call("CA1"))
    assert [each.worker for each in shop.joined] == ["zoe"]
    (asked,) = shop.world.requests("/route")
    assert (asked["EventType"], asked["MessagingBinding.Address"], asked["MessagingBinding.ProxyAddress"]) == (
        "onConversationAdded", "+15551230001", OURS,
    )  # fmt: skip
    assert asked["ConversationSid"] == shop.found[0].conversation_sid
    assert await shop.alerts() == []


@pytest.mark.parametrize("status", [200, 204, 404, 500])
async def test_an_answer_alone_adds_nobody(shop: Shop, status: int) -> None:
    answer = web.json_response({"identity": "zoe"}, status=status)
    await shop.routes("custom", RoutingUrl=shop.world.app("/route", lambda _: answer))
    await shop.happens(shop.call("CA1"))
    assert shop.joined == []
    assert await shop.alerts() == ([] if status < 300 else [48010])


async def test_do_not_route(shop: Shop) -> None:
    await shop.worker("ann")
    await shop.creates(AutoCreation_Type="default")
    await shop.happens(shop.text(sid="SM1"), shop.call("CA1", from_="+15551230009"))
    assert shop.joined == []
    assert await shop.alerts() == []
