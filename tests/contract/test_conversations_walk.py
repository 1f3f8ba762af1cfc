"""The official Python client walks every Conversations resource of the running product (issue 12; conversations.md §1).

What there is to walk is read off the client itself (``scripts/sdk_coverage.py``), so a method of a new version is
missed here until it is walked.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ringback.effects import Save
from ringback.resources.conversations.binding import Binding
from ringback.resources.conversations.message import Receipt
from ringback.testing.world import World, world
from tests.contract.test_taskrouter import coverage

PHONE, OURS = "+15551230001", "+15550100"
HOOKED = {"x_twilio_webhook_enabled": "true"}


@pytest.fixture
async def ringback(tmp_path: Path, database_url: str) -> AsyncIterator[World]:
    """The product on one of the databases."""
    async with world(tmp_path, database_url=database_url) as running:
        yield running


class Walk:
    """What was asked, and the store for what only SDKs and carriers make."""

    def __init__(self, ringback: World) -> None:
        self.product, self.v1 = ringback.product, ringback.client.conversations.v1
        self.loop = asyncio.get_running_loop()
        self.asked: list[tuple[str, str, int]] = []
        client: Any = ringback.client
        original = client.http_client.request

        def request(method: str, url: str, *args: Any, **options: Any) -> Any:
            answer = original(method, url, *args, **options)
            self.asked.append((method, re.sub(r"^https?://[^/]+|\?.*", "", url), answer.status_code))
            return answer

        client.http_client.request = request

    def save(self, record: Any) -> Any:
        """Store a record, from the client's thread."""
        asyncio.run_coroutine_threadsafe(self.product.store.commit([Save(record)]), self.loop).result(10)
        return record


async def test_every_method_of_the_client_is_answered(ringback: World) -> None:
    walk = Walk(ringback)
    await asyncio.to_thread(account, walk)
    calls = list(coverage().client_calls("twilio.rest.conversations.v1"))
    assert len(calls) > 100
    how = coverage().HTTP
    missed = [
        f"{how[one.operation]} {one.path}"
        for one in calls
        if not any(
            method == how[one.operation] and re.fullmatch(re.sub(r"\{\w+\}", r"[^/]+", one.path), path)
            for method, path, _ in walk.asked
        )
    ]
    assert missed == []
    expected = {"GET": {200}, "POST": {200, 201}, "DELETE": {204}}
    assert [one for one in walk.asked if one[2] not in expected[one[0]]] == []


def account(walk: Walk) -> None:
    """Everything: of the account, of the default service by short paths, of a service by its own."""
    v1 = walk.v1
    service = v1.services.create(friendly_name="Walked")
    assert v1.services(service.sid).fetch().links["users"].endswith(f"{service.sid}/Users")
    assert service.sid in [one.sid for one in v1.services.list()]
    assert v1.configuration().fetch().default_chat_service_sid != service.sid
    changed = v1.configuration().update(default_inactive_timer="PT1M", default_closed_timer="PT10M")
    assert (changed.default_inactive_timer, changed.default_closed_timer) == ("PT1M", "PT10M")
    v1.configuration().update(default_inactive_timer="", default_closed_timer="")
    hooks = v1.configuration.webhooks().update(filters=["onMessageAdded"], method="POST")
    assert hooks.filters == v1.configuration.webhooks().fetch().filters == ["onMessageAdded"]
    addresses(v1, service.sid)
    credentials(v1)
    for root, number in ((v1, 0), (v1.services(service.sid), 1)):
        roles(root)
        users(root)
        conversations(walk, root, f"{PHONE}{number}")
    configuration(v1.services(service.sid))
    bindings(walk, service.sid)
    assert v1.services(service.sid).delete() is True


def addresses(v1: Any, service_sid: str) -> None:
    """Address configurations."""
    made = v1.address_configurations.create(
        type="sms", address=OURS, friendly_name="Desk", auto_creation_enabled=True, auto_creation_type="webhook",
        auto_creation_conversation_service_sid=service_sid, auto_creation_webhook_url="https://h.example/",
        auto_creation_webhook_method="post", auto_creation_webhook_filters=["onMessageAdded"],
    )  # fmt: skip
    one = v1.address_configurations(made.sid)
    assert one.fetch().auto_creation["webhook_filters"] == ["onMessageAdded"]
    flow = "FW" + "1" * 32
    changed = one.update(
        auto_creation_type="studio", auto_creation_studio_flow_sid=flow, auto_creation_studio_retry_count=2
    )
    assert changed.auto_creation["studio_flow_sid"] == flow
    assert [each.sid for each in v1.address_configurations.list(type="sms")] == [made.sid]
    assert one.delete() is True


def credentials(v1: Any) -> None:
    """Credentials of push notifications."""
    made = v1.credentials.create(type="fcm", friendly_name="x", secret="hidden")
    assert v1.credentials(made.sid).fetch().type == "fcm"
    assert v1.credentials(made.sid).update(friendly_name="y").friendly_name == "y"
    assert [each.sid for each in v1.credentials.list()] == [made.sid]
    assert v1.credentials(made.sid).delete() is True


def roles(root: Any) -> None:
    """Roles."""
    made = root.roles.create(friendly_name="mute", type="conversation", permission=["leaveConversation"])
    assert root.roles(made.sid).fetch().permissions == ["leaveConversation"]
    assert root.roles(made.sid).update(permission=["sendMessage"]).permissions == ["sendMessage"]
    assert len(root.roles.list()) == 5
    assert root.roles(made.sid).delete() is True


def users(root: Any) -> None:
    """Users."""
    made = root.users.create(identity="bob", friendly_name="Bob", attributes="{}", **HOOKED)
    assert root.users("bob").fetch().sid == made.sid
    assert root.users(made.sid).update(friendly_name="Rob", **HOOKED).friendly_name == "Rob"
    assert [each.identity for each in root.users.list()] == ["bob"]
    gone = root.users.create(identity="eve")
    assert root.users(gone.sid).delete(**HOOKED) is True


def conversations(walk: Walk, root: Any, phone: str) -> None:
    """A conversation's life, and all that is in it."""
    made = root.conversations.create(friendly_name="One", unique_name="one", attributes='{"a":1}', **HOOKED)
    one = root.conversations("one")
    assert one.fetch().sid == made.sid
    assert root.conversations(made.sid).update(friendly_name="Two", **HOOKED).friendly_name == "Two"
    assert made.sid in [each.sid for each in root.conversations.list(state="active")]
    one = root.conversations(made.sid)
    bob = one.participants.create(identity="bob", **HOOKED)
    customer = one.participants.create(
        messaging_binding_address=phone, messaging_binding_proxy_address=OURS, **HOOKED
    )
    assert one.participants("bob").fetch().sid == bob.sid
    assert one.participants(bob.sid).update(attributes='{"b":2}', **HOOKED).attributes == '{"b":2}'
    assert {each.sid for each in one.participants.list()} == {bob.sid, customer.sid}
    message = one.messages.create(author="bob", body="hello", **HOOKED)
    assert one.messages(message.sid).fetch().body == "hello"
    assert one.messages(message.sid).update(body="hi", **HOOKED).body == "hi"
    assert [each.sid for each in one.messages.list(order="desc")] == [message.sid]
    receipt = walk.save(
        Receipt(
            sid=walk.product.new_sid("DY"), account_sid=made.account_sid, chat_service_sid=made.chat_service_sid,
            conversation_sid=made.sid, message_sid=message.sid, participant_sid=customer.sid,
            channel_message_sid="SM" + "1" * 32,
        )
    )  # fmt: skip
    receipts = one.messages(message.sid).delivery_receipts
    assert receipts(receipt.sid).fetch().participant_sid == customer.sid
    assert receipt.sid in [each.sid for each in receipts.list()]
    hook = one.webhooks.create(
        target="webhook", configuration_url="https://h.example/", configuration_method="POST",
        configuration_filters=["onMessageAdded"],
    )  # fmt: skip
    assert one.webhooks(hook.sid).fetch().target == "webhook"
    one.webhooks(hook.sid).update(configuration_url="https://h.example/2")
    assert [each.sid for each in one.webhooks.list()] == [hook.sid]
    assert one.webhooks(hook.sid).delete() is True

    own = root.users("bob").user_conversations
    assert (
        own(made.sid).update(notification_level="muted", last_read_message_index=0).notification_level
        == "muted"
    )
    assert own("one").fetch().unread_messages_count == 0
    assert [each.conversation_sid for each in own.list()] == [made.sid]
    (found,) = root.participant_conversations.list(address=phone)
    assert (found.conversation_sid, found.participant_sid) == (made.sid, customer.sid)
    assert [each.participant_sid for each in root.participant_conversations.list(identity="bob")] == [bob.sid]
    assert own(made.sid).delete() is True
    assert root.participant_conversations.list(identity="bob") == []
    assert one.messages(message.sid).delete(**HOOKED) is True
    assert one.participants(customer.sid).delete(**HOOKED) is True
    assert one.delete(**HOOKED) is True

    both = root.conversation_with_participants.create(
        friendly_name="Both",
        participant=[
            '{"identity":"bob"}',
            f'{{"messaging_binding":{{"address":"{phone}","proxy_address":"{OURS}"}}}}',
        ],
        **HOOKED,
    )
    assert len(root.conversations(both.sid).participants.list()) == 2
    assert root.conversations(both.sid).delete() is True


def configuration(service: Any) -> None:
    """What a service is set to."""
    role = service.roles.list()[0]
    given = service.configuration().fetch()
    assert given.reachability_enabled is False
    wanted = {"conversation": "default_conversation_role_sid", "service": "default_chat_service_role_sid"}[
        role.type
    ]
    assert getattr(service.configuration().update(**{wanted: role.sid}), wanted) == role.sid
    notes = service.configuration.notifications().update(log_enabled=True, new_message_enabled=True)
    assert notes.new_message["enabled"] is service.configuration.notifications().fetch().log_enabled is True
    hooks = service.configuration.webhooks().update(filters=["onMessageAdded"])
    assert hooks.filters == service.configuration.webhooks().fetch().filters


def bindings(walk: Walk, service_sid: str) -> None:
    """Devices."""
    one = walk.save(
        Binding(
            sid=walk.product.new_sid("BS"), account_sid=walk.product.account_sid, chat_service_sid=service_sid,
            identity="bob", endpoint="phone", binding_type="fcm",
        )
    )  # fmt: skip
    found = walk.v1.services(service_sid).bindings
    assert [each.sid for each in found.list(identity=["bob"], binding_type=["fcm"])] == [one.sid]
    assert found(one.sid).fetch().endpoint == "phone"
    assert found(one.sid).delete() is True
