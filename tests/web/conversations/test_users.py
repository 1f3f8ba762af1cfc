"""Users and their conversations (conversations.md §1)."""

from __future__ import annotations

import asyncio
import time
from urllib.parse import quote

import pytest

from ringback.effects import Save
from ringback.resources.conversations.message import Message
from tests.web.conversations.site import OTHER, Site, make_sid


@pytest.mark.parametrize("short", [True, False])
async def test_a_users_life_by_identity_and_sid(site: Site, short: bool) -> None:
    path = "/Users" if short else f"/Services/{await site.service()}/Users"
    status, made = await site(
        "POST", path, Identity="alice@example.com", FriendlyName="Alice", Attributes='{"a":1}'
    )
    assert status == 201
    assert (made["friendly_name"], made["attributes"], made["is_online"]) == ("Alice", '{"a":1}', None)
    assert made["url"] == f"http://h/conversations/v1{path}/{made['sid']}"
    assert made["links"] == {"user_conversations": made["url"] + "/Conversations"}
    assert (await site("GET", f"{path}/alice@example.com"))[1] == made
    status, changed = await site("POST", f"{path}/alice@example.com", FriendlyName="", Attributes="")
    assert (changed["friendly_name"], changed["attributes"], changed["role_sid"]) == (
        None,
        "{}",
        made["role_sid"],
    )
    assert (await site("DELETE", f"{path}/{made['sid']}"))[0] == 204
    assert (await site("GET", f"{path}/{made['sid']}"))[0] == 404


async def test_a_new_user_has_the_services_default_role(site: Site) -> None:
    service = await site.service()
    _, given = await site("GET", f"/Services/{service}/Configuration")
    _, made = await site("POST", f"/Services/{service}/Users", Identity="bob")
    assert made["role_sid"] == given["default_chat_service_role_sid"]


async def test_who_is_online_is_told_where_it_is_asked_for(site: Site) -> None:
    service = await site.service()
    await site("POST", f"/Services/{service}/Users", Identity="bob")
    await site("POST", f"/Services/{service}/Configuration", ReachabilityEnabled="true")
    _, bob = await site("GET", f"/Services/{service}/Users/bob")
    assert (bob["is_online"], bob["is_notifiable"]) == (False, False)
    assert (await site("GET", f"/Services/{service}/Users"))[1]["users"] == [bob]


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({}, 20001),
        ({"Identity": ""}, 20001),
        ({"Identity": "x" * 257}, 20001),
        ({"Identity": "x", "Attributes": "{"}, 20001),
        ({"Identity": "x", "Attributes": "NaN"}, 20001),
        ({"Identity": "x", "Attributes": "[" * 4000}, 20001),
        ({"Identity": "x", "Attributes": '"' + "x" * 5000 + '"'}, 20001),
        ({"Identity": "x", "FriendlyName": "x" * 257}, 20001),
        ({"Identity": "x", "RoleSid": "RL" + "0" * 32}, 50100),
        ({"Identity": "x", "RoleSid": "admin"}, 50100),
        ({"Identity": "x", "RoleSid": "é"}, 50100),
    ],
)
async def test_bad_users(site: Site, form: dict[str, str], code: int) -> None:
    status, body = await site("POST", "/Users", **form)
    assert (status, body["code"]) == (400, code)


async def test_a_user_has_a_role_of_the_service_and_of_the_type_service(site: Site) -> None:
    service, other = await site.service(), await site.service()
    _, given = await site("GET", f"/Services/{other}/Configuration")
    path = f"/Services/{service}/Users"
    _, own = await site("GET", f"/Services/{service}/Configuration")
    for role, code in (
        (given["default_chat_service_role_sid"], 50100), (own["default_conversation_role_sid"], 50105),
    ):  # fmt: skip
        assert (await site("POST", path, Identity="x", RoleSid=role))[1]["code"] == code


async def test_the_same_identity_twice_at_once_is_one_user(site: Site) -> None:
    service = await site.service()
    made = await asyncio.gather(
        *(site("POST", f"/Services/{service}/Users", Identity="ann") for _ in range(8))
    )
    assert sorted(status for status, _ in made) == [201] + [409] * 7
    assert {body["code"] for status, body in made if status == 409} == {50201}
    assert (await site("POST", f"/Services/{await site.service()}/Users", Identity="ann"))[0] == 201


@pytest.mark.parametrize(
    "identity",
    [
        "US" + "a" * 32,
        "Zoë 漢字 🙂",
        "a+b",
        "%2B",
        "new",
        " ",
        "\u202etxt",
        "whatsapp:+15551230000",
        "é" * 256,
    ],
)
async def test_odd_identities_are_found_again(site: Site, identity: str) -> None:
    service = await site.service()
    status, made = await site("POST", f"/Services/{service}/Users", Identity=identity)
    assert (status, made["identity"]) == (201, identity)
    found = await site("GET", f"/Services/{service}/Users/{made['sid']}")
    assert found[1] == made
    if "%" not in identity and identity.strip() and len(identity) < 256:
        assert (await site("GET", f"/Services/{service}/Users/{identity}"))[1] == made
    assert quote(identity)


async def test_users_of_others_are_not_there(site: Site) -> None:
    service = await site.service()
    _, made = await site("POST", f"/Services/{service}/Users", Identity="bob")
    assert (await site("GET", f"/Services/{service}/Users/bob", OTHER))[0] == 404
    assert (await site("GET", f"/Users/{made['sid']}", OTHER))[0] == 404
    assert (await site("GET", f"/Users/{made['sid']}"))[0] == 404
    assert (await site("DELETE", f"/Services/{await site.service()}/Users/{made['sid']}"))[0] == 404


# --- a user's conversations ---------------------------------------------------------------------------------


async def said(site: Site, conversation_sid: str, *indexes: int) -> None:
    """Messages with these indexes."""
    await site.store.commit(
        [
            Save(
                Message(
                    sid=make_sid("IM"),
                    account_sid="AC" + "1" * 32,
                    conversation_sid=conversation_sid,
                    index=one,
                )
            )
            for one in indexes
        ]
    )


@pytest.mark.parametrize("short", [True, False])
async def test_what_a_user_has_not_read(site: Site, short: bool) -> None:
    service = await site.service()
    if short:
        await site("POST", "/Configuration", DefaultChatServiceSid=service)
    path = "" if short else f"/Services/{service}"
    await site("POST", f"{path}/Users", Identity="bob")
    talk = await site.conversation(
        service, unique_name="desk", friendly_name="Desk", next_index=9, created_by="eve"
    )
    await site.participant(talk, identity="eve")
    bob = await site.participant(talk, identity="bob", last_read_message_index=3, notification_level="muted")
    await said(site, talk.sid, 1, 3, 4, 6, 8)
    status, seen = await site("GET", f"{path}/Users/bob/Conversations/desk")
    assert status == 200
    assert (seen["unread_messages_count"], seen["last_read_message_index"]) == (3, 3)
    assert (seen["notification_level"], seen["created_by"], seen["participant_sid"]) == (
        "muted",
        "eve",
        bob.sid,
    )
    base = f"http://h/conversations/v1{path}"
    assert seen["links"] == {
        "participant": f"{base}/Conversations/{talk.sid}/Participants/{bob.sid}",
        "conversation": f"{base}/Conversations/{talk.sid}",
    }
    assert seen["url"] == f"{base}/Users/{seen['user_sid']}/Conversations/{talk.sid}"
    assert "sid" not in seen
    listed = (await site("GET", f"{path}/Users/bob/Conversations"))[1]
    assert listed["conversations"] == [seen]
    assert (await site("GET", f"{path}/Users/bob/Conversations/{talk.sid}"))[1] == seen


async def test_who_has_read_nothing_has_no_count(site: Site) -> None:
    service = await site.service()
    await site("POST", f"/Services/{service}/Users", Identity="bob")
    talk = await site.conversation(service, next_index=1)
    await site.participant(talk, identity="bob")
    await said(site, talk.sid, 0)
    _, seen = await site("GET", f"/Services/{service}/Users/bob/Conversations/{talk.sid}")
    assert (seen["unread_messages_count"], seen["last_read_message_index"]) == (None, None)


async def test_a_users_conversations_are_pages_both_ways(site: Site) -> None:
    service = await site.service()
    await site("POST", f"/Services/{service}/Users", Identity="bob")
    sids = []
    for _ in range(7):
        talk = await site.conversation(service)
        await site.participant(talk, identity="bob")
        await site.participant(talk, identity="eve")
        sids.insert(0, talk.sid)
    url = f"/Services/{service}/Users/bob/Conversations?PageSize=3"
    seen, pages = [], []
    while url:
        _, page = await site("GET", url)
        seen += [one["conversation_sid"] for one in page["conversations"]]
        pages.append(page)
        url = (page["meta"]["next_page_url"] or "").removeprefix("http://h/conversations/v1")
    assert (seen, len(pages)) == (sids, 3)
    back = pages[2]["meta"]["previous_page_url"].removeprefix("http://h/conversations/v1")
    assert (await site("GET", back))[1]["conversations"] == pages[1]["conversations"]


async def test_updates_and_leaving_go_to_the_conversations_lane(site: Site) -> None:
    service = await site.service()
    await site("POST", f"/Services/{service}/Users", Identity="bob")
    talk = await site.conversation(service)
    bob = await site.participant(talk, identity="bob")
    path = f"/Services/{service}/Users/bob/Conversations/{talk.sid}"
    before = time.time()
    assert (await site("POST", path, NotificationLevel="muted", LastReadMessageIndex="7"))[0] == 200
    assert (await site("POST", path, LastReadTimestamp="2026-11-29T10:00:00Z", LastReadMessageIndex=""))[
        0
    ] == 200
    assert (await site("POST", path))[0] == 200
    assert (await site("DELETE", path))[0] == 204
    first, second, last = site.told
    assert [one.operation for one in site.told] == ["update", "update", "delete"]
    assert {(one.noun, one.sid, one.conversation_sid) for one in site.told} == {
        ("Participant", bob.sid, talk.sid)
    }
    assert first.values["last_read_message_index"] == 7
    assert first.values["notification_level"] == "muted"
    assert first.values["last_read_timestamp"] >= before
    assert second.values == {"last_read_message_index": None, "last_read_timestamp": 1795946400.0}
    assert last.values == {}


@pytest.mark.parametrize(
    "form",
    [
        {"NotificationLevel": "loud"}, {"LastReadMessageIndex": "-1"}, {"LastReadMessageIndex": "x"},
        {"LastReadMessageIndex": "9" * 30}, {"LastReadTimestamp": "yesterday"}, {"LastReadMessageIndex": "²"},
    ],
)  # fmt: skip
async def test_bad_updates(site: Site, form: dict[str, str]) -> None:
    service = await site.service()
    await site("POST", f"/Services/{service}/Users", Identity="bob")
    talk = await site.conversation(service)
    await site.participant(talk, identity="bob")
    status, body = await site("POST", f"/Services/{service}/Users/bob/Conversations/{talk.sid}", **form)
    assert (status, body["code"]) == (400, 20001)
    assert site.told == []


async def test_a_user_sees_no_conversation_that_they_are_not_in(site: Site) -> None:
    service, other = await site.service(), await site.service()
    for one in (service, other):
        await site("POST", f"/Services/{one}/Users", Identity="bob")
    outside = await site.conversation(service, unique_name="x")
    elsewhere = await site.conversation(other, unique_name="y")
    await site.participant(elsewhere, identity="bob")
    path = f"/Services/{service}/Users/bob/Conversations"
    for word in (outside.sid, "x", elsewhere.sid, "y", "CH" + "0" * 32, "nothing"):
        for method in ("GET", "POST", "DELETE"):
            assert (await site(method, f"{path}/{word}"))[0] == 404, (method, word)
    assert (await site("GET", path))[1]["conversations"] == []
    assert (await site("GET", f"/Services/{other}/Users/bob/Conversations/y"))[0] == 200
