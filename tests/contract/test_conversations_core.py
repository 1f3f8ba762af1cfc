"""The official Python client walks conversations, participants, messages and webhooks (conversations.md §1)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from twilio.base.exceptions import TwilioException, TwilioRestException

from ringback.testing.world import World, world


@pytest.fixture
async def ringback(tmp_path: Path, database_url: str) -> AsyncIterator[World]:
    """The product on one of the databases."""
    async with world(tmp_path, database_url=database_url) as running:
        yield running


async def played(ringback: World, scene: Callable[..., Any], *args: Any) -> Any:
    """Run a scene with the (blocking) client in a thread."""
    return await asyncio.to_thread(scene, ringback.client.conversations.v1, *args)


def refused(function: Callable[..., Any], **params: Any) -> tuple[int, int]:
    """Status and code of a refusal."""
    with pytest.raises(TwilioRestException) as caught:
        function(**params)
    return caught.value.status, caught.value.code


async def test_a_thread_from_beginning_to_end(ringback: World) -> None:
    def scene(v1: Any) -> None:
        made = v1.conversations.create(friendly_name="Alice and we", attributes='{"vip": true}')
        assert (made.state, made.friendly_name, made.unique_name) == ("active", "Alice and we", None)
        assert json.loads(made.attributes) == {"vip": True}
        assert made.chat_service_sid == v1.configuration().fetch().default_chat_service_sid
        thread = v1.conversations(made.sid)
        worker = thread.participants.create(identity="bob", attributes='{"role": "worker"}')
        assert (worker.identity, worker.messaging_binding) == ("bob", None)
        assert [each.identity for each in v1.users.list()] == ["bob"]
        first = thread.messages.create(author="bob", body="Good morning")
        second = thread.messages.create(body="Nobody in particular")
        assert (first.index, first.author, first.participant_sid) == (0, "bob", worker.sid)
        assert (second.index, second.author, second.participant_sid) == (1, "system", None)
        assert [each.body for each in thread.messages.list()] == ["Good morning", "Nobody in particular"]
        assert [each.index for each in thread.messages.list(order="desc")] == [1, 0]
        read = thread.participants("bob").update(last_read_message_index=1)
        assert read.last_read_message_index == 1
        assert read.last_read_timestamp is not None
        changed = thread.messages(first.sid).update(body="Good evening", attributes='{"edited": 1}')
        assert (changed.body, json.loads(changed.attributes)) == ("Good evening", {"edited": 1})
        thread.messages(second.sid).delete()
        assert refused(thread.messages(second.sid).fetch) == (404, 20404)
        third = thread.messages.create(body="Index goes on")
        assert third.index == 2
        thread.participants(worker.sid).delete()
        assert thread.participants.list() == []
        made = thread.update(unique_name="alice", state="inactive")
        assert (v1.conversations("alice").fetch().sid, made.state) == (made.sid, "inactive")
        below = v1.services(made.chat_service_sid).conversations("alice")
        assert below.fetch().sid == made.sid
        assert below.messages.create(body="hello again").index == 3
        assert thread.fetch().state == "active"
        assert thread.update(state="closed").state == "closed"
        assert refused(thread.update, friendly_name="x") == (400, 50377)
        assert refused(thread.messages.create, body="x") == (400, 50377)
        assert refused(thread.participants.create, identity="x") == (400, 50377)
        assert [each.sid for each in v1.conversations.list(state="closed")] == [made.sid]
        assert v1.conversations.list(state="active") == []
        assert thread.delete() is True
        assert refused(thread.fetch) == (404, 20404)
        assert v1.conversations.create(unique_name="alice").unique_name == "alice"

    await played(ringback, scene)


async def test_the_webhooks_of_a_conversation(ringback: World) -> None:
    def scene(v1: Any) -> None:
        thread = v1.conversations(v1.conversations.create().sid)
        url = "http://127.0.0.1/hook"
        made = thread.webhooks.create(
            target="webhook", configuration_url=url, configuration_method="GET",
            configuration_filters=["onMessageAdded", "onParticipantAdded"],
        )  # fmt: skip
        assert (made.target, made.conversation_sid) == ("webhook", thread.fetch().sid)
        assert made.configuration["filters"] == ["onMessageAdded", "onParticipantAdded"]
        assert made.configuration["method"] == "GET"
        changed = thread.webhooks(made.sid).update(configuration_filters=["onMessageRemoved"])
        assert changed.configuration["filters"] == ["onMessageRemoved"]
        assert changed.configuration["url"] == url
        words = thread.webhooks.create(
            target="trigger", configuration_url=url, configuration_triggers=["help", "stop it"]
        )
        assert words.configuration["triggers"] == ["help", "stop it"]
        flow = "FW" + "a" * 32
        studio = thread.webhooks.create(target="studio", configuration_flow_sid=flow)
        assert studio.configuration["flow_sid"] == flow
        for _ in range(2):
            thread.webhooks.create(target="trigger", configuration_url=url, configuration_triggers=["x"])
        assert refused(thread.webhooks.create, target="studio", configuration_flow_sid=flow) == (400, 50361)
        assert len(thread.webhooks.list()) == 5
        assert thread.webhooks(made.sid).delete() is True
        assert refused(thread.webhooks(made.sid).fetch) == (404, 20404)
        bad = thread.webhooks.create
        assert refused(bad, target="pigeon", configuration_url=url) == (400, 50364)
        assert refused(bad, target="webhook") == (400, 50369)
        assert refused(bad, target="webhook", configuration_url=url + "x" * 600) == (400, 50372)
        assert refused(bad, target="webhook", configuration_url="ftp://h/x") == (400, 20001)
        wrong = ["onMessageAdd"]
        assert refused(bad, target="webhook", configuration_url=url, configuration_filters=wrong) == (
            400,
            50365,
        )
        assert refused(bad, target="trigger", configuration_url=url) == (400, 50371)
        assert refused(bad, target="trigger", configuration_url=url, configuration_triggers=["a"] * 6) == (
            400,
            50362,
        )
        assert refused(bad, target="trigger", configuration_url=url, configuration_triggers=["a" * 249]) == (
            400,
            50366,
        )
        assert refused(bad, target="studio", configuration_flow_sid="FWx") == (400, 50367)

    await played(ringback, scene)


async def test_the_webhook_settings(ringback: World) -> None:
    def scene(v1: Any) -> None:
        account = v1.configuration.webhooks()
        assert (account.fetch().filters, account.fetch().method, account.fetch().target) == (
            [],
            "POST",
            "webhook",
        )
        post, pre = "https://example.test/post", "https://example.test/pre"
        changed = account.update(
            method="GET",
            filters=["onMessageAdd", "onMessageAdded"],
            pre_webhook_url=pre,
            post_webhook_url=post,
        )
        assert (changed.method, changed.pre_webhook_url, changed.post_webhook_url) == ("GET", pre, post)
        assert account.update(pre_webhook_url="").pre_webhook_url is None
        assert account.fetch().filters == ["onMessageAdd", "onMessageAdded"]
        assert refused(account.update, filters=["onNothing"]) == (400, 50365)
        assert refused(account.update, post_webhook_url="nowhere") == (400, 20001)
        sid = v1.configuration().fetch().default_chat_service_sid
        service = v1.services(sid).configuration.webhooks()
        assert service.fetch().filters == []
        assert service.update(filters=["onUserAdded"], post_webhook_url=post).chat_service_sid == sid
        assert account.fetch().filters == ["onMessageAdd", "onMessageAdded"]

    await played(ringback, scene)


async def test_what_is_refused(ringback: World) -> None:
    def scene(v1: Any) -> None:
        create = v1.conversations.create
        assert refused(create, friendly_name="x" * 257) == (400, 20001)
        assert refused(create, unique_name="x" * 257) == (400, 20001)
        assert refused(create, unique_name="CH" + "a" * 32) == (400, 50390)
        assert refused(create, attributes="{") == (400, 20001)
        assert refused(create, attributes=json.dumps({"a": "x" * 17_000})) == (400, 20001)
        assert refused(create, attributes="[" * 40 + "]" * 40) == (400, 20001)
        assert refused(create, attributes="[" * 8000) == (400, 20001)
        assert refused(create, state="asleep") == (400, 20001)
        assert refused(create, state="closed") == (400, 50384)
        assert refused(create, messaging_service_sid="MG1") == (400, 20001)
        assert refused(create, timers_inactive="PT10M") == (400, 50382)
        assert refused(create, state="active", timers_inactive="PT59S") == (400, 50375)
        assert refused(create, state="active", timers_closed="PT9M59S") == (400, 50376)
        assert refused(create, state="active", timers_inactive="soon") == (400, 50379)
        assert refused(create, state="active", timers_closed="P1Y") == (400, 50380)
        made = create(unique_name="taken")
        assert refused(create, unique_name="taken") == (409, 50353)
        thread = v1.conversations(made.sid)
        add = thread.participants.create
        assert refused(add) == (400, 20001)
        assert refused(add, identity="a" * 257) == (400, 20001)
        assert refused(add, messaging_binding_address="+15550001") == (400, 50412)
        assert refused(add, messaging_binding_proxy_address="+15550001") == (400, 50407)
        pair = {"messaging_binding_address": "+15550001", "messaging_binding_proxy_address": "+15550100"}
        assert refused(add, **pair, identity="both") == (400, 20001)
        assert refused(add, **{**pair, "messaging_binding_address": "nobody"}) == (400, 50407)
        assert refused(add, **{**pair, "messaging_binding_proxy_address": "5550100"}) == (400, 50408)
        assert refused(add, **{**pair, "messaging_binding_proxy_address": "+15550001"}) == (400, 50409)
        assert refused(add, **{**pair, "messaging_binding_proxy_address": "whatsapp:+15550100"}) == (
            400,
            50414,
        )
        assert refused(add, identity="x", role_sid="RLx") == (400, 20001)
        add(identity="bob")
        assert refused(add, identity="bob") == (409, 50433)
        customer = add(**pair)
        assert customer.messaging_binding["type"] == "sms"
        assert refused(add, **pair) == (409, 50416)
        other = v1.conversations(create().sid)
        with pytest.raises(TwilioRestException) as caught:
            other.participants.create(**pair)
        assert made.sid in caught.value.msg
        assert caught.value.status == 409
        thread.update(state="closed")
        assert other.participants.create(**pair).messaging_binding["address"] == "+15550001"
        write = other.messages.create
        assert refused(write) == (400, 20001)
        assert refused(write, body="x" * 1601) == (400, 50504)
        assert refused(write, body="x", attributes="nope") == (400, 20001)
        assert refused(write, media_sid="ME" + "a" * 32) == (404, 20404)
        read = other.participants(add_bob(other)).update
        assert refused(read, last_read_message_index=7) == (400, 20001)
        assert refused(read, last_read_message_index=-1) == (400, 20001)

    def add_bob(thread: Any) -> str:
        return str(thread.participants.create(identity="bob").sid)

    await played(ringback, scene)


async def test_lists_by_date_and_page(ringback: World) -> None:
    def scene(v1: Any) -> None:
        for number in range(3):
            v1.conversations.create(friendly_name=str(number))
        today = v1.conversations.list()[0].date_created.date().isoformat()
        assert len(v1.conversations.list(start_date=today, end_date=today)) == 3
        assert v1.conversations.list(start_date="2999-01-01") == []
        assert v1.conversations.list(end_date="1999-01-01") == []
        with pytest.raises(TwilioException, match="20001"):
            v1.conversations.list(start_date="yesterday")
        thread = v1.conversations(v1.conversations.list()[0].sid)
        for number in range(7):
            thread.messages.create(body=str(number))
        assert [each.body for each in thread.messages.list(page_size=3)] == [str(n) for n in range(7)]
        assert len(list(thread.messages.page(page_size=1000))) == 7

    await played(ringback, scene)
