"""Journey: a customer writes in a page, a worker answers (conversations.md §1.3, §3): ``POST /flex-api/v2/WebChats``,
and the browser's door ``/webchat/v1``."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ringback.resources.conversations.conversation import Conversation
from ringback.resources.conversations.message import Message
from ringback.resources.conversations.participant import Participant
from ringback.resources.conversations.user import User
from ringback.resources.conversations.webhook import Webhook
from ringback.testing.world import world
from tests.scenarios.test_lost_messages import Kills
from tests.web.webchat.chatting import Chat


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[Chat]:
    async with world(tmp_path) as running:
        yield await Chat(running).open()


async def test_a_customer_and_a_worker_write_to_each_other(chat: Chat) -> None:
    """Pool routing brings the worker; both see both in the same order, and the webhooks hear of it."""
    await chat.rest(f"Services/{chat.service}/Users", Identity="alice")
    await chat.world._ask("POST", "/frontline-api/v1/Users/alice", data={"IsAvailable": "true"})
    await chat.world._ask("POST", f"/frontline-api/v1/Services/{chat.service}", data={"Routing": "pool"})
    data = {"order": 7, "friendlyName": "Zoë"}
    status, made = await chat.begin(
        ChatFriendlyName="Shop chat", CustomerFriendlyName="Zoë", PreEngagementData=json.dumps(data)
    )
    assert (status, sorted(made)) == (201, ["conversation_sid", "identity", "token"])
    await chat.world.settled()
    store = chat.product.store
    thread = await store.get(Conversation, chat.sid)
    assert thread is not None
    assert (thread.friendly_name, thread.chat_service_sid, thread.state) == (
        "Shop chat",
        chat.service,
        "active",
    )
    assert json.loads(thread.attributes) == {
        "channel_type": "web", "from": "Zoë", "pre_engagement_data": data,
    }  # fmt: skip
    people = await store.find(Participant, conversation_sid=chat.sid)
    assert {each.identity for each in people} == {chat.identity, "alice"}
    visitor = await store.first(User, identity=chat.identity)
    assert visitor is not None
    assert (visitor.friendly_name, visitor.state) == ("Zoë", "deactivated")
    first = await chat.says("Where is my order?")
    await chat.answers("On its way!")
    assert await chat.heard() == [(0, "Where is my order?", True), (1, "On its way!", False)]
    assert await chat.heard(After=0) == [(1, "On its way!", False)]
    path = f"Services/{chat.service}/Conversations/{chat.sid}/Messages"
    listed = (await chat.rest(path, "GET"))["messages"]
    assert (listed[0]["sid"], listed[0]["author"]) == (first["sid"], chat.identity)
    assert (await chat.ask("GET", ""))[1] == {
        "sid": chat.sid, "state": "active", "friendly_name": "Shop chat", "identity": chat.identity,
        "chat_service_sid": chat.service, "last_index": 1,
    }  # fmt: skip
    await chat.world.settled()
    asked = [(each["EventType"], each["Source"]) for each in chat.world.requests("/pre")]
    assert asked == [("onConversationAdd", "CHAT"), ("onMessageAdd", "SDK")]
    heard = [
        (each["EventType"], each["Source"], each.get("ClientIdentity"))
        for each in chat.world.requests("/post")
    ]
    assert heard[:2] == [("onConversationAdded", "CHAT", None), ("onParticipantAdded", "CHAT", None)]
    assert ("onMessageAdded", "SDK", chat.identity) in heard


async def test_the_address_says_which_webhook_is_attached(tmp_path: Path) -> None:
    async with world(tmp_path) as running:
        hears = running.app("/scoped", "")
        chat = await Chat(running).open(**{
            "AutoCreation.Type": "webhook", "AutoCreation.WebhookUrl": hears,
            "AutoCreation.WebhookFilters": "onMessageAdded",
        })  # fmt: skip
        assert (await chat.begin())[0] == 201
        (webhook,) = await chat.product.store.find(Webhook, conversation_sid=chat.sid)
        assert webhook.configuration["url"] == hears
        await chat.says("hello")
        await running.settled()
        assert [each["Body"] for each in running.requests("/scoped")] == ["hello"]


async def test_the_application_may_change_and_refuse(chat: Chat) -> None:
    """Nothing is made of what it refuses."""
    chat.changes = {
        "onConversationAdd": {"friendly_name": "VIP", "attributes": {"a": 1}}, "onMessageAdd": {"body": "***"},
    }  # fmt: skip
    await chat.begin(Identity="zoe", CustomerFriendlyName="Zoë")
    assert chat.identity == "zoe"
    thread = await chat.product.store.get(Conversation, chat.sid)
    assert thread is not None
    assert (thread.friendly_name, thread.attributes) == ("VIP", '{"a":1}')
    await chat.says("something rude")
    assert await chat.heard() == [(0, "***", True)]
    chat.status = 403
    status, refused = await chat.begin()
    assert (status, refused["code"]) == (403, 20403)
    status, refused = await chat.ask("POST", Body="again")
    assert (status, refused["code"]) == (403, 20403)
    assert len(await chat.product.store.find(Conversation)) == 1
    assert len(await chat.product.store.find(Message)) == 1


async def test_what_cannot_begin(chat: Chat) -> None:
    """Each with its own code, and nothing is left of it."""
    off = (await chat.rest("Configuration/Addresses", Type="chat", Address="another page"))["sid"]
    texts = (await chat.rest("Configuration/Addresses", Type="sms", Address="+15550123"))["sid"]
    large = json.dumps({"text": "x" * 16_400})
    for fields, code in (
        ({"AddressSid": ""}, 45715), ({"AddressSid": "IG" + "0" * 32}, 45765), ({"AddressSid": "x\0y"}, 20001),
        ({"AddressSid": texts}, 45715), ({"AddressSid": off}, 45761),
        ({"PreEngagementData": "{oops"}, 45733), ({"PreEngagementData": '{"a": NaN}'}, 45733),
        ({"PreEngagementData": '{"a": "\\ud800"}'}, 45733), ({"PreEngagementData": "[" * 9000}, 45733),
        ({"PreEngagementData": large}, 45731), ({"PreEngagementData": '{"a": "' + "x" * 16_370 + '"}'}, 45731),
        ({"PreEngagementData": "[" * 40 + "]" * 40}, 20001),
        ({"Identity": "x" * 257}, 45715), ({"ChatFriendlyName": "x" * 257}, 45715),
        ({"CustomerFriendlyName": "a\0b"}, 20001),
    ):  # fmt: skip
        status, refused = await chat.begin(**fields)
        assert (status, refused.get("code")) == (400, code), (fields, refused)
    await chat.rest(f"Services/{chat.service}", "DELETE")
    status, refused = await chat.begin()
    assert (status, refused["code"]) == (400, 45744)
    assert await chat.product.store.find(Conversation) == []


async def test_a_customer_who_says_nothing_of_themselves(chat: Chat) -> None:
    """No name is invented for them; two of them are two people."""
    await chat.begin(host="flex-api.localhost")
    first = chat.sid, chat.identity
    thread = await chat.product.store.get(Conversation, chat.sid)
    assert thread is not None
    assert (thread.friendly_name, json.loads(thread.attributes)) == (None, {"channel_type": "web"})
    await chat.begin()
    assert chat.sid != first[0]
    assert chat.identity != first[1]


async def test_a_closed_conversation_is_told_truthfully(chat: Chat) -> None:
    """Whoever waits is told at once; what was said stays readable."""
    await chat.begin()
    await chat.says("hello", ClientId="1")
    waiting = asyncio.create_task(chat.ask("GET", After=0, Wait=25))
    await until_waiting(chat, 1)
    await chat.rest(f"Services/{chat.service}/Conversations/{chat.sid}", State="closed")
    async with asyncio.timeout(5):
        assert await waiting == (200, {"messages": [], "state": "closed", "more": False})
    status, refused = await chat.ask("POST", Body="still there?")
    assert (status, refused["code"]) == (400, 50377)
    assert "closed" in refused["message"]
    status, again = await chat.ask("POST", Body="hello", ClientId="1")
    assert (status, again["index"]) == (200, 0)  # it was written, and is not refused now
    assert await chat.heard(Wait=25) == [(0, "hello", True)]


async def until_waiting(chat: Chat, count: int) -> None:
    """Until so many requests wait."""
    async with asyncio.timeout(5):
        while len(chat.product.web_chats) != count:
            await asyncio.sleep(0.005)


async def test_two_tabs_wait_and_both_are_told(chat: Chat) -> None:
    """By one commit, at once; a third customer's tab is not woken."""
    await chat.begin()
    other = Chat(chat.world)
    other.address = chat.address
    await other.begin()
    tabs = [asyncio.create_task(chat.heard(Wait=25)) for _ in range(2)]
    foreign = asyncio.create_task(other.heard(Wait=25))
    await until_waiting(chat, 3)
    await chat.answers("hello")
    async with asyncio.timeout(5):
        assert await asyncio.gather(*tabs) == [[(0, "hello", False)]] * 2
    assert not foreign.done()
    foreign.cancel()
    await until_waiting(chat, 0)  # the browser that has gone waits no more


async def test_the_same_message_twice_is_one(chat: Chat) -> None:
    """By the page's own id, from two tabs at once; another customer's same id is another message."""
    await chat.begin()
    found = await asyncio.gather(*(chat.ask("POST", Body="hello", ClientId="a-1") for _ in range(5)))
    assert sorted(status for status, _ in found) == [200, 200, 200, 200, 201]
    assert len({each["sid"] for _, each in found}) == 1
    assert await chat.heard() == [(0, "hello", True)]
    await chat.begin()
    assert (await chat.ask("POST", Body="hi", ClientId="a-1"))[0] == 201
    assert (await chat.ask("POST", Body="hi", ClientId="x" * 65))[1]["code"] == 20001


async def test_killed_after_any_commit_nothing_is_lost_or_twice(tmp_path: Path) -> None:
    """The page sends again what it has no answer for, by the same id; the conversation is whole or not there."""
    async with world(tmp_path / "before") as running:
        chat = await Chat(running).open()
        kills = Kills(running, tmp_path / "before", tmp_path)
        await chat.begin()
        begun = len(kills.copies)
        await chat.says("one", ClientId="1")
        await chat.says("two", ClientId="2")
        await running.settled()
    assert len(kills.copies) > begun >= 1
    for copy in kills.copies:
        async with world(copy) as running:
            again = Chat(running)
            again.sid, again.token, again.identity = chat.sid, chat.token, chat.identity
            status, _ = await again.ask("GET", "")
            if status == 404:  # killed before it was made: nobody had an answer
                assert await running.product.store.find(Conversation) == []
                continue
            for number, body in (("1", "one"), ("2", "two")):
                assert (await again.says(body, ClientId=number))["body"] == body
            assert await again.heard() == [(0, "one", True), (1, "two", True)]
            people = await running.product.store.find(Participant, conversation_sid=chat.sid)
            assert [each.identity for each in people] == [chat.identity]


async def test_a_stop_waits_for_no_browser(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever waits has an answer, and nothing is broken off."""
    async with world(tmp_path) as running:
        chat = await Chat(running).open()
        await chat.begin()
        tab = asyncio.create_task(chat.ask("GET", Wait=25))
        await until_waiting(chat, 1)
    assert (await tab)[1]["messages"] == []
    assert "broken off" not in caplog.text
