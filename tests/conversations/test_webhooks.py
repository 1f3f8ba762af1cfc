"""Webhooks: who is told of what, in which order, and what an answer changes or refuses (conversations.md §1.4)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator

from ringback.resources.api.alert import Alert
from ringback.resources.conversations.message import Message
from ringback.resources.conversations.participant import Participant
from ringback.resources.conversations.webhook import POST_EVENTS, PRE_EVENTS
from tests.conversations.thread_kit import CUSTOMER, OURS, Threads, customer, threads


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Threads]:
    async with threads(tmp_path) as running:
        yield running


def hears(here: Threads, path: str = "/hook", answer: Any = "") -> str:
    return here.world.app(path, lambda params: answer(params) if callable(answer) else answer)


async def settings(here: Threads, *, filters: Any = (*PRE_EVENTS, *POST_EVENTS), **urls: str) -> None:
    await here.v1(lambda v1: v1.configuration.webhooks().update(filters=list(filters), **urls))


async def test_what_is_told_in_order(here: Threads) -> None:
    await settings(here, post_webhook_url=hears(here))
    on = {"x_twilio_webhook_enabled": "true"}

    def scene(v1: Any) -> str:
        thread = v1.conversations(v1.conversations.create(friendly_name="Alice", unique_name="a", **on).sid)
        bob = thread.participants.create(identity="bob", attributes='{"x": 1}', **on)
        thread.participants.create(
            messaging_binding_address=CUSTOMER, messaging_binding_proxy_address=OURS, **on
        )
        first = thread.messages.create(author="bob", body="Hello", **on)
        thread.messages(first.sid).update(body="Hallo", **on)
        thread.participants(bob.sid).update(last_read_message_index=0, **on)
        thread.update(state="inactive", **on)
        thread.messages.create(body="silent")  # REST that does not ask for it
        thread.update(state="closed", **on)
        return str(first.sid)

    message = await here.v1(scene)
    for each in (f"Messages/{message}", "Participants/bob", ""):
        assert await here.delete(f"Conversations/a/{each}".rstrip("/")) == 0
    await here.world.settled()
    told = here.world.requests("/hook")
    assert [each["EventType"] for each in told] == [
        "onConversationAdded", "onUserAdded", "onParticipantAdded", "onParticipantAdded", "onMessageAdded",
        "onMessageUpdated", "onParticipantUpdated", "onConversationStateUpdated", "onConversationUpdated",
        "onConversationStateUpdated", "onConversationUpdated", "onMessageRemoved", "onParticipantRemoved",
        "onConversationRemoved",
    ]  # fmt: skip
    by = {each["EventType"]: each for each in reversed(told)}
    assert {(each["AccountSid"], each["Source"], each["RetryCount"]) for each in told} == {
        (here.account, "API", "0")
    }
    added = by["onConversationAdded"]
    assert (added["FriendlyName"], added["UniqueName"], added["State"]) == ("Alice", "a", "active")
    assert added["ChatServiceSid"] == here.service
    assert "MessagingServiceSid" not in added
    chat, text = (each for each in told if each["EventType"] == "onParticipantAdded")
    assert (chat["Identity"], chat["MessagingBinding.Type"], chat["Attributes"]) == (
        "bob",
        "CHAT",
        '{"x": 1}',
    )
    assert "MessagingBinding.Address" not in chat
    assert (text["MessagingBinding.Address"], text["MessagingBinding.ProxyAddress"]) == (CUSTOMER, OURS)
    assert text["MessagingBinding.Type"] == "SMS"
    assert "Identity" not in text
    said = by["onMessageAdded"]
    assert (said["MessageSid"], said["Index"], said["Body"], said["Author"]) == (message, "0", "Hello", "bob")
    assert by["onMessageUpdated"]["Body"] == "Hallo"
    assert by["onMessageRemoved"]["DateRemoved"].endswith("Z")
    assert by["onParticipantUpdated"]["LastReadMessageIndex"] == "0"
    moved = by["onConversationStateUpdated"]
    assert (moved["StateFrom"], moved["StateTo"], moved["Reason"]) == ("active", "inactive", "API")
    asked = here.world.asked("/hook")[0]
    validator = RequestValidator(here.product.auth_token)
    assert validator.validate(asked.url, dict(asked.form), asked.headers["x-twilio-signature"])
    assert len({each.headers["i-twilio-idempotency-token"] for each in here.world.asked("/hook")}) == len(
        told
    )


async def test_what_is_not_told(here: Threads) -> None:
    url = hears(here)
    await settings(here, filters=[], post_webhook_url=url)
    await here.v1(lambda v1: v1.conversations.create(x_twilio_webhook_enabled="true"))
    await settings(here, filters=["onMessageAdded"], post_webhook_url=url)
    sid = await here.made(customer())
    await here.said(sid, "from a carrier", source="SMS", author=CUSTOMER)
    await here.said(sid, "by REST")
    await here.world.settled()
    (told,) = here.world.requests("/hook")
    assert (told["Body"], told["Source"]) == ("from a carrier", "SMS")


async def test_timers_and_receipts_are_told_whoever_asked_for_them(here: Threads) -> None:
    await settings(
        here, filters=["onConversationStateUpdated", "onDeliveryUpdated"], post_webhook_url=hears(here)
    )
    sid = await here.made(customer(), state="active", timers_inactive="PT1M")
    (person,) = await here.store.find(Participant, conversation_sid=sid)
    await here.told(await here.said(sid, "x"), person, "failed", 30005)
    await here.world.advance(61)
    await here.world.settled()
    receipt, moved = here.world.requests("/hook")
    assert (receipt["Status"], receipt["ErrorCode"], receipt["ParticipantSid"]) == (
        "failed",
        "30005",
        person.sid,
    )
    assert receipt["DeliveryReceiptSid"].startswith("DY")
    assert (moved["StateTo"], moved["Reason"]) == ("inactive", "TIMER")


async def test_webhooks_of_one_conversation(here: Threads) -> None:
    sid, other = await here.made(), await here.made()
    url, words = hears(here), hears(here, "/words")

    def scene(v1: Any) -> None:
        hooks = v1.conversations(sid).webhooks
        hooks.create(target="webhook", configuration_url=url, configuration_filters=["onMessageAdded"])
        hooks.create(target="trigger", configuration_url=words, configuration_triggers=["help", "call me"])

    await here.v1(scene)
    for body in ("Help!", "helpful", "please call me back", "nothing"):
        await here.said(sid, body, source="SMS")
    await here.said(other, "help", source="SMS")
    await here.world.settled()
    assert [each["Body"] for each in here.world.requests("/hook")] == [
        "Help!", "helpful", "please call me back", "nothing",
    ]  # fmt: skip
    assert [each["Body"] for each in here.world.requests("/words")] == ["Help!", "please call me back"]


async def test_replay(here: Threads) -> None:
    sid, url = await here.made(), hears(here)
    for number in range(130):
        here.product.post(here.write("Message", "create", sid, values={"body": str(number)}))
    await here.world.settled()

    def scene(v1: Any) -> None:
        v1.conversations(sid).webhooks.create(
            target="webhook", configuration_url=url, configuration_filters=["onMessageAdded"],
            configuration_replay_after=9,
        )  # fmt: skip

    await here.v1(scene)
    await here.world.settled()
    assert [each["Index"] for each in here.world.requests("/hook")] == [str(n) for n in range(10, 130)]


async def test_a_pre_event_changes_and_refuses(here: Threads) -> None:
    def answer(params: dict[str, str]) -> web.Response:
        if params.get("Body") == "rude" or params["EventType"] == "onConversationRemove":
            return web.Response(status=403)
        if params["EventType"] == "onMessageAdd":
            return web.json_response({"body": params["Body"].upper(), "attributes": {"seen": 1}})
        if params["EventType"] == "onConversationAdd":
            return web.json_response({"friendly_name": "named by us", "state": "closed"})
        return web.json_response({})

    await settings(here, pre_webhook_url=hears(here, "/pre", answer))
    on = {"x_twilio_webhook_enabled": "true"}

    def scene(v1: Any) -> str:
        made = v1.conversations.create(friendly_name="theirs", **on)
        assert (made.friendly_name, made.state) == ("named by us", "active")
        thread = v1.conversations(made.sid)
        message = thread.messages.create(body="hello", author="bob", **on)
        assert (message.body, json.loads(message.attributes), message.author) == ("HELLO", {"seen": 1}, "bob")
        assert thread.messages.create(body="hello").body == "hello"
        with pytest.raises(TwilioRestException) as caught:
            thread.messages.create(body="rude", **on)
        assert (caught.value.status, caught.value.code) == (403, 20403)
        thread.participants.create(identity="bob", **on)
        assert [each.body for each in thread.messages.list()] == ["HELLO", "hello"]
        return str(made.sid)

    sid = await here.v1(scene)
    assert await here.delete(f"Conversations/{sid}") == 20403
    asked = here.world.requests("/pre")
    assert [each["EventType"] for each in asked] == [
        "onConversationAdd", "onMessageAdd", "onMessageAdd", "onParticipantAdd", "onConversationRemove",
    ]  # fmt: skip
    assert "MessageSid" not in asked[1]
    assert asked[1]["ConversationSid"] == asked[4]["ConversationSid"] == sid
    request = here.world.asked("/pre")[0]
    validator = RequestValidator(here.product.auth_token)
    assert validator.validate(request.url, dict(request.form), request.headers["x-twilio-signature"])


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("{", "application/json"), ("[1]", "application/json"), ('{"body": 5}', "application/json"),
        ("x" * 100_000, "text/plain"), ("[" * 60_000, "application/json"), ("\udc80x", "text/html"),
        ('{"body": "half \\ud83d"}', "application/json"), ('{"body": "a\\u0000b"}', "application/json"),
        ('{"attributes": "nope"}', "application/json"), ('{"attributes": {"a": "\\ud83d"}}', "application/json"),
        ('{"body": "%s"}' % ("z" * 1601), "application/json"),
        ('{"author": "%s"}' % ("z" * 257), "application/json"),
    ],
)  # fmt: skip
async def test_an_answer_that_makes_no_sense_changes_nothing(here: Threads, body: str, kind: str) -> None:
    data = body.encode("utf-8", "surrogateescape")
    url = hears(here, "/pre", lambda params: web.Response(body=data, content_type=kind))
    await settings(here, filters=["onMessageAdd"], pre_webhook_url=url)
    sid = await here.made()
    made = await here.v1(
        lambda v1: v1.conversations(sid).messages.create(body="x", x_twilio_webhook_enabled="true")
    )
    assert made.body == "x"
    (entry,) = await here.store.find(Alert)
    assert "onMessageAdd" in entry.message_text


async def test_a_pre_event_that_hangs_or_is_not_there(here: Threads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringback.web.conversations.pre_events.LIMIT", 0.2)

    async def hangs(params: dict[str, str]) -> str:
        await asyncio.sleep(1.0)  # real: what is waited for is another server
        return ""

    sid = await here.made()
    for url, code in ((here.world.app("/pre", hangs), 11205), ("http://127.0.0.1:9/", None)):
        await settings(here, filters=["onMessageAdd"], pre_webhook_url=url)
        made = await here.v1(
            lambda v1: v1.conversations(sid).messages.create(body="x", x_twilio_webhook_enabled="true")
        )
        assert made.body == "x"
        newest = (await here.store.find(Alert))[0]
        assert newest.error_code == code or (code is None and 11200 <= newest.error_code <= 11210)
    assert await here.store.count(Message, conversation_sid=sid) == 2
