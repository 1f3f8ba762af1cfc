"""Conversations' nouns in the running product: with their lanes, roles, webhooks (conversations.md §1, §1.4, §1.5)."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ringback.events.conversations import ConversationWriteRequested
from ringback.kernel.errors import Refused
from ringback.resources.conversations.chat_service import ChatService
from ringback.resources.conversations.conversation import Conversation
from ringback.resources.conversations.message import Message
from ringback.resources.conversations.participant import Participant
from ringback.resources.conversations.role import Role
from ringback.resources.conversations.user import User
from ringback.testing.world import World, world

OURS = "+15550100"


class Desk:
    """Requests to ``/conversations/v1``."""

    def __init__(self, ringback: World, session: aiohttp.ClientSession) -> None:
        self.world, self.product, self._session = ringback, ringback.product, session

    async def __call__(self, method: str, path: str, hooks: bool = False, **form: Any) -> tuple[int, Any]:
        pairs = [
            (name.replace("__", "."), one)
            for name, value in form.items()
            for one in (value if isinstance(value, list) else [value])
        ]
        headers = {"X-Twilio-Webhook-Enabled": "true"} if hooks else {}
        url = f"{self.world.url}/conversations/v1{path}"
        async with self._session.request(
            method, url, data=pairs if method == "POST" else None, params=None if method == "POST" else pairs,
            headers=headers,
        ) as answer:  # fmt: skip
            text = await answer.text()
            return answer.status, json.loads(text) if text else None

    async def made(self, path: str, **form: Any) -> Any:
        status, body = await self("POST", path, **form)
        assert status == 201, body
        return body

    async def acts(self, who: str, noun: Any, operation: Any, sid: str, talk: Any, **values: Any) -> Any:
        """What somebody with an identity asks of a conversation (as an SDK would). Raises ``Refused``."""
        return await self.product.ask(
            ConversationWriteRequested(
                conversation_sid=talk["sid"], account_sid=talk["account_sid"],
                chat_service_sid=talk["chat_service_sid"], noun=noun, operation=operation, sid=sid, values=values,
                source="SDK", identity=who,
            )
        )  # fmt: skip

    async def role(self, friendly_name: str, service: str = "") -> str:
        _, body = await self("GET", f"{service}/Roles")
        return next(str(one["sid"]) for one in body["roles"] if one["friendly_name"] == friendly_name)


def signed_in(ringback: World) -> aiohttp.ClientSession:
    """A client with the account's credentials."""
    known = f"{ringback.product.account_sid}:{ringback.product.auth_token}".encode()
    return aiohttp.ClientSession(headers={"Authorization": f"Basic {base64.b64encode(known).decode()}"})


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with world(tmp_path) as running, signed_in(running) as session:
        yield Desk(running, session)


def person(**values: Any) -> str:
    return json.dumps(values)


def customer(number: int) -> str:
    return person(messaging_binding={"address": f"+1555123{number:04d}", "proxy_address": OURS})


# --- conversations with participants --------------------------------------------------------------------------


async def test_all_participants_or_nothing(desk: Desk) -> None:
    people = [person(identity="bob", attributes='{"a":1}'), *(customer(number) for number in range(9))]
    path = "/ConversationWithParticipants"
    status, made = await desk("POST", path, FriendlyName="Ten", UniqueName="ten", Participant=people)
    assert (status, made["state"], made["unique_name"]) == (201, "active", "ten")
    base = f"{desk.product.settings.base_url}/conversations/v1/Conversations/{made['sid']}"
    assert made["url"] == base
    assert made["links"]["participants"] == base + "/Participants"
    _, fetched = await desk("GET", "/Conversations/ten")
    assert fetched == made
    _, listed = await desk("GET", "/Conversations/ten/Participants")
    assert len(listed["participants"]) == 10
    status, body = await desk(
        "POST", path, UniqueName="two", Participant=[person(identity="eve"), customer(3)]
    )
    assert (status, body["code"]) == (409, 50425)
    assert made["sid"] in body["message"]
    assert (await desk("GET", "/Conversations/two"))[0] == 404
    assert (await desk("GET", "/ParticipantConversations", Identity="eve"))[1]["conversations"] == []
    assert (await desk("GET", "/Users/eve"))[0] == 404


@pytest.mark.parametrize(
    ("people", "status", "code"),
    [
        ([person(identity=f"u{n}") for n in range(11)], 400, 50426),
        (['{"identity": "half \\ud83d"}'], 400, 20001),
        (['{"identity": "bob", "attributes": "{\\"a\\": \\"\\ud83d\\"}"}'], 400, 20001),
        (['{"messaging_binding": {"address": "\\ud83d", "proxy_address": "+15550100"}}'], 400, 20001),
        (["{"], 400, 20001),
        (["[]"], 400, 20001),
        (["{}"], 400, 20001),
        ([person(identity=7)], 400, 20001),
        ([person(identity="x" * 257)], 400, 20001),
        ([person(identity="a"), person(identity="a")], 409, 50433),
        ([customer(1), customer(1)], 409, 50425),
        ([person(messaging_binding="x")], 400, 20001),
        ([person(messaging_binding={"address": "+15551230001"})], 400, 50412),
        ([person(messaging_binding={"address": "nobody", "proxy_address": OURS})], 400, 50407),
        ([person(identity="a", role_sid="RL" + "0" * 32)], 400, 50100),
        ([person(identity="a", attributes="{")], 400, 20001),
        (["[" * 20_000], 400, 20001),
    ],
)
async def test_bad_participants_leave_nothing(desk: Desk, people: list[str], status: int, code: int) -> None:
    found, body = await desk("POST", "/ConversationWithParticipants", Participant=people)
    assert (found, body["code"]) == (status, code)
    store = desk.product.store
    assert [await store.count(kind) for kind in (Conversation, Participant, User)] == [0, 0, 0]


async def test_the_same_pair_at_once_is_in_one_conversation(desk: Desk) -> None:
    made = await asyncio.gather(
        *(desk("POST", "/ConversationWithParticipants", Participant=[customer(1)]) for _ in range(6))
    )
    assert sorted(status for status, _ in made) == [201] + [409] * 5
    assert {body["code"] for status, body in made if status == 409} == {50425}
    assert await desk.product.store.count(Conversation) == 1


# --- roles ------------------------------------------------------------------------------------------------------


async def test_new_participants_get_the_defaults(desk: Desk) -> None:
    talk = await desk.made("/Conversations")
    bob = await desk.made(f"/Conversations/{talk['sid']}/Participants", Identity="bob")
    assert bob["role_sid"] == await desk.role("channel user")
    assert (await desk("GET", "/Users/bob"))[1]["role_sid"] == await desk.role("service user")
    admin = await desk.role("channel admin")
    eve = await desk.made(f"/Conversations/{talk['sid']}/Participants", Identity="eve", RoleSid=admin)
    assert eve["role_sid"] == admin
    path = f"/Conversations/{talk['sid']}/Participants"
    for role, code in ((await desk.role("service user"), 50100), ("RL" + "0" * 32, 50100), ("x", 20001)):
        assert (await desk("POST", path, Identity="ann", RoleSid=role))[1]["code"] == code
        assert (await desk("POST", f"{path}/bob", RoleSid=role))[1]["code"] == code
    assert (await desk("POST", f"{path}/bob", RoleSid=admin))[1]["role_sid"] == admin
    phone = await desk.made(
        path, MessagingBinding__Address="+15551230001", MessagingBinding__ProxyAddress=OURS
    )
    assert phone["role_sid"] is None


async def refused(asking: Any) -> tuple[int, int]:
    with pytest.raises(Refused) as caught:
        await asking
    return caught.value.status, caught.value.code


async def test_an_identity_needs_permissions_and_account_credentials_none(desk: Desk) -> None:
    talk = await desk.made("/Conversations", FriendlyName="One")
    path, new = f"/Conversations/{talk['sid']}", desk.product.new_sid
    for name in ("bob", "eve"):
        await desk.made(f"{path}/Participants", Identity=name)
    theirs = await desk.made(f"{path}/Messages", Author="eve", Body="mine")
    own = await desk.acts("bob", "Message", "create", new("IM"), talk, body="hello")
    assert own.author == "bob"
    await desk.acts("bob", "Message", "update", own.sid, talk, body="hi")
    denied = (403, 50107)
    assert await refused(desk.acts("bob", "Message", "update", theirs["sid"], talk, body="x")) == denied
    assert await refused(desk.acts("bob", "Message", "delete", theirs["sid"], talk)) == denied
    assert (
        await refused(desk.acts("bob", "Conversation", "update", talk["sid"], talk, friendly_name="x"))
        == denied
    )
    assert await refused(desk.acts("bob", "Conversation", "delete", talk["sid"], talk)) == denied
    assert await refused(desk.acts("bob", "Participant", "create", new("MB"), talk, identity="ann")) == denied
    stranger = (403, 50430)
    assert await refused(desk.acts("ann", "Message", "create", new("IM"), talk, body="let me in")) == stranger
    await desk.acts("ann", "Participant", "create", new("MB"), talk, identity="ann")
    assert (await desk("GET", f"{path}/Participants/ann"))[1]["role_sid"] == await desk.role("channel user")
    await desk("POST", f"{path}/Participants/bob", RoleSid=await desk.role("channel admin"))
    await desk.acts("bob", "Message", "delete", theirs["sid"], talk)
    await desk.acts("bob", "Conversation", "update", talk["sid"], talk, friendly_name="Two")
    assert (await desk("GET", path))[1]["friendly_name"] == "Two"
    assert (await desk("DELETE", f"{path}/Messages/{own.sid}"))[0] == 204


async def test_a_role_that_loses_a_permission_loses_it_at_once(desk: Desk) -> None:
    talk = await desk.made("/Conversations")
    role = await desk.made("/Roles", FriendlyName="x", Type="conversation", Permission=["sendMessage"])
    await desk.made(f"/Conversations/{talk['sid']}/Participants", Identity="bob", RoleSid=role["sid"])
    new = desk.product.new_sid
    await desk.acts("bob", "Message", "create", new("IM"), talk, body="one")
    await desk("POST", f"/Roles/{role['sid']}", Permission="leaveConversation")
    assert await refused(desk.acts("bob", "Message", "create", new("IM"), talk, body="two")) == (403, 50107)
    participant = (await desk("GET", f"/Conversations/{talk['sid']}/Participants/bob"))[1]["sid"]
    await desk.acts("bob", "Participant", "delete", participant, talk)


async def test_who_makes_a_conversation_by_an_sdk_is_its_admin(desk: Desk) -> None:
    sid = desk.product.new_sid("CH")
    _, configuration = await desk("GET", "/Configuration")
    talk = {
        "sid": sid, "account_sid": desk.product.account_sid,
        "chat_service_sid": configuration["default_chat_service_sid"],
    }  # fmt: skip
    await desk.acts("bob", "Conversation", "create", sid, talk, friendly_name="Mine")
    await desk.acts("bob", "Participant", "create", desk.product.new_sid("MB"), talk, identity="bob")
    found = (await desk("GET", f"/Conversations/{sid}/Participants/bob"))[1]
    assert found["role_sid"] == await desk.role("channel admin")


# --- users ------------------------------------------------------------------------------------------------------


async def test_what_a_user_reads_and_mutes_is_the_participants(desk: Desk) -> None:
    talk = await desk.made("/Conversations")
    await desk.made(f"/Conversations/{talk['sid']}/Participants", Identity="bob")
    for number in range(4):
        await desk.made(f"/Conversations/{talk['sid']}/Messages", Body=str(number))
    path = f"/Users/bob/Conversations/{talk['sid']}"
    _, seen = await desk("POST", path, LastReadMessageIndex="1", NotificationLevel="muted")
    assert (seen["unread_messages_count"], seen["notification_level"]) == (2, "muted")
    _, bob = await desk("GET", f"/Conversations/{talk['sid']}/Participants/bob")
    assert bob["last_read_message_index"] == 1
    assert bob["last_read_timestamp"] is not None
    assert (await desk("POST", path, LastReadMessageIndex="9"))[1]["code"] == 20001
    assert (await desk("DELETE", path))[0] == 204
    assert (await desk("GET", path))[0] == 404


async def test_a_removed_user_has_left_everything(desk: Desk) -> None:
    talks = [await desk.made("/Conversations") for _ in range(3)]
    for talk in talks:
        for name in ("bob", "eve"):
            await desk.made(f"/Conversations/{talk['sid']}/Participants", Identity=name)
    assert (await desk("DELETE", "/Users/bob"))[0] == 204
    assert (await desk("GET", "/ParticipantConversations", Identity="bob"))[1]["conversations"] == []
    assert len((await desk("GET", "/ParticipantConversations", Identity="eve"))[1]["conversations"]) == 3


async def test_webhooks_hear_of_users_when_the_request_asks(desk: Desk) -> None:
    post, pre = desk.world.app("/post", ""), desk.world.app("/pre", "")
    await desk(
        "POST", "/Configuration/Webhooks", PostWebhookUrl=post, PreWebhookUrl=pre,
        Filters=["onUserAdded", "onUserUpdated", "onUserUpdate"],
    )  # fmt: skip
    await desk.made("/Users", Identity="silent")
    await desk("POST", "/Users", hooks=True, Identity="bob", FriendlyName="Bob")
    await desk("POST", "/Users/bob", hooks=True, FriendlyName="Rob")
    async with asyncio.timeout(10):
        while len(desk.world.requests("/post")) < 2:
            await asyncio.sleep(0.01)
    added, updated = desk.world.requests("/post")
    assert (added["EventType"], added["Identity"], added["FriendlyName"]) == ("onUserAdded", "bob", "Bob")
    assert (updated["EventType"], updated["FriendlyName"], updated["Source"]) == (
        "onUserUpdated",
        "Rob",
        "API",
    )
    (asked,) = desk.world.requests("/pre")
    assert (asked["EventType"], asked["FriendlyName"]) == ("onUserUpdate", "Rob")


# --- services ---------------------------------------------------------------------------------------------------


async def test_a_removed_service_is_emptied_and_the_others_are_not(desk: Desk) -> None:
    service = await desk.made("/Services", FriendlyName="Gone")
    for below in (f"/Services/{service['sid']}", ""):
        for _ in range(3):
            talk = await desk.made(f"{below}/Conversations")
            await desk.made(f"{below}/Conversations/{talk['sid']}/Participants", Identity="bob")
            await desk.made(f"{below}/Conversations/{talk['sid']}/Messages", Body="x")
    store = desk.product.store
    assert (await desk("DELETE", f"/Services/{service['sid']}"))[0] == 204
    async with asyncio.timeout(20):
        while await store.get(ChatService, service["sid"]) is not None or await store.count(Message) > 3:
            await asyncio.sleep(0.02)
    counts = [await store.count(kind) for kind in (Conversation, Participant, Message, User, Role)]
    assert counts == [3, 3, 3, 1, 4]
