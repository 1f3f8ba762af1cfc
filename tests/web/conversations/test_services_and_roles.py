"""Services, their roles, ServiceConfiguration and ServiceNotification (conversations.md §1, §1.5)."""

from __future__ import annotations

import asyncio

import pytest

from ringback.resources.conversations.participant import Participant
from ringback.resources.conversations.role import DEFAULTS, PERMISSIONS
from tests.web.conversations.site import OTHER, Site

NOBODY = "RL" + "0" * 32


async def test_a_service_begins_with_four_roles_and_gives_three_of_them(site: Site) -> None:
    service = await site.service()
    _, roles = await site("GET", f"/Services/{service}/Roles")
    assert {
        one["friendly_name"]: (one["type"], tuple(one["permissions"])) for one in roles["roles"]
    } == DEFAULTS
    _, given = await site("GET", f"/Services/{service}/Configuration")
    by_sid = {one["sid"]: one["friendly_name"] for one in roles["roles"]}
    assert by_sid[given["default_conversation_creator_role_sid"]] == "channel admin"
    assert by_sid[given["default_conversation_role_sid"]] == "channel user"
    assert by_sid[given["default_chat_service_role_sid"]] == "service user"
    base = f"http://h/conversations/v1/Services/{service}/Configuration"
    assert given["url"] == base
    assert given["links"] == {"notifications": f"{base}/Notifications", "webhooks": f"{base}/Webhooks"}
    assert set(given) == {
        "chat_service_sid", "default_conversation_creator_role_sid", "default_conversation_role_sid",
        "default_chat_service_role_sid", "reachability_enabled", "url", "links",
    }  # fmt: skip
    _, shown = await site("GET", f"/Services/{service}")
    assert shown["links"]["participant_conversations"].endswith(f"{service}/ParticipantConversations")


async def test_the_default_service_begins_alike_and_may_be_removed(site: Site) -> None:
    _, roles = await site("GET", "/Roles")
    assert {one["friendly_name"] for one in roles["roles"]} == set(DEFAULTS)
    default = roles["roles"][0]["chat_service_sid"]
    assert (await site("DELETE", f"/Services/{default}"))[0] == 204
    _, roles = await site("GET", "/Roles")
    assert len(roles["roles"]) == 4
    assert roles["roles"][0]["chat_service_sid"] != default
    assert (await site("GET", "/Configuration"))[1]["default_chat_service_sid"] != default


async def test_a_removed_service_is_gone_at_once(site: Site) -> None:
    service = await site.service()
    assert (await site("DELETE", f"/Services/{service}"))[0] == 204
    assert site.removed == 1
    for path in ("", "/Roles", "/Users", "/Configuration", "/Bindings", "/Configuration/Notifications"):
        assert (await site("GET", f"/Services/{service}{path}"))[0] == 404, path
    assert service not in [one["sid"] for one in (await site("GET", "/Services"))[1]["services"]]
    assert (await site("DELETE", f"/Services/{service}"))[0] == 404


@pytest.mark.parametrize("path", ["", "/Roles", "/Configuration", "/Configuration/Notifications", "/Users"])
async def test_another_accounts_service_is_not_there(site: Site, path: str) -> None:
    service = await site.service()
    assert (await site("GET", f"/Services/{service}{path}", OTHER))[0] == 404


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({}, 20001),
        ({"FriendlyName": ""}, 20001),
        ({"FriendlyName": "x" * 257}, 20001),
    ],
)
async def test_bad_services(site: Site, form: dict[str, str], code: int) -> None:
    status, body = await site("POST", "/Services", **form)
    assert (status, body["code"]) == (400, code)


# --- roles -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(PERMISSIONS))
@pytest.mark.parametrize("short", [True, False])
async def test_every_permission_of_a_type_may_be_given(site: Site, kind: str, short: bool) -> None:
    path = "/Roles" if short else f"/Services/{await site.service()}/Roles"
    wanted = list(PERMISSIONS[kind])
    status, made = await site(
        "POST", path, FriendlyName="All", Type=kind, Permission=wanted[::-1] + wanted[:1]
    )
    assert (status, made["permissions"]) == (201, wanted)
    status, changed = await site("POST", f"{path}/{made['sid']}", Permission=wanted[2])
    assert (status, changed["permissions"]) == (200, [wanted[2]])
    assert (await site("DELETE", f"{path}/{made['sid']}"))[0] == 204


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"Type": "service", "Permission": "joinConversation"}, 20001),
        ({"FriendlyName": "x", "Permission": "joinConversation"}, 50105),
        ({"FriendlyName": "x", "Type": "channel", "Permission": "joinConversation"}, 50105),
        ({"FriendlyName": "x", "Type": "service"}, 20001),
        ({"FriendlyName": "x", "Type": "service", "Permission": ""}, 20001),
        ({"FriendlyName": "x", "Type": "service", "Permission": "sendMessage"}, 50104),
        ({"FriendlyName": "x", "Type": "conversation", "Permission": "createConversation"}, 50104),
        ({"FriendlyName": "x", "Type": "conversation", "Permission": "sendmessage"}, 50104),
        ({"FriendlyName": "x" * 257, "Type": "conversation", "Permission": "sendMessage"}, 20001),
    ],
)
async def test_bad_roles(site: Site, form: dict[str, str], code: int) -> None:
    status, body = await site("POST", f"/Services/{await site.service()}/Roles", **form)
    assert (status, body["code"]) == (400, code)


async def test_a_role_that_somebody_has_stays(site: Site) -> None:
    service = await site.service()
    roles = {
        one["friendly_name"]: one["sid"]
        for one in (await site("GET", f"/Services/{service}/Roles"))[1]["roles"]
    }
    path = f"/Services/{service}/Roles"
    for name in ("channel admin", "channel user", "service user"):
        assert (await site("DELETE", f"{path}/{roles[name]}"))[1]["code"] == 20409, name
    await site("POST", f"/Services/{service}/Users", Identity="alice", RoleSid=roles["service admin"])
    assert (await site("DELETE", f"{path}/{roles['service admin']}"))[0] == 409
    await site("POST", f"/Services/{service}/Users/alice", RoleSid=roles["service user"])
    assert (await site("DELETE", f"{path}/{roles['service admin']}"))[0] == 204
    _, made = await site("POST", path, FriendlyName="x", Type="conversation", Permission="sendMessage")
    one = await site.participant(await site.conversation(service), identity="bob", role_sid=made["sid"])
    assert isinstance(one, Participant)
    assert (await site("DELETE", f"{path}/{made['sid']}"))[0] == 409


async def test_a_role_of_another_service_is_not_here(site: Site) -> None:
    one, two = await site.service(), await site.service()
    role = (await site("GET", f"/Services/{one}/Roles"))[1]["roles"][0]["sid"]
    assert (await site("GET", f"/Services/{two}/Roles/{role}"))[0] == 404
    assert (await site("GET", f"/Roles/{role}"))[0] == 404
    assert (await site("DELETE", f"/Services/{two}/Roles/{role}"))[0] == 404


# --- configuration ------------------------------------------------------------------------------------


async def test_default_roles_are_the_services_own_and_of_their_type(site: Site) -> None:
    service, other = await site.service(), await site.service()
    path = f"/Services/{service}/Configuration"
    roles = {
        one["friendly_name"]: one["sid"]
        for one in (await site("GET", f"/Services/{service}/Roles"))[1]["roles"]
    }
    _, foreign = await site("GET", f"/Services/{other}/Configuration")
    for sid, code in (
        (NOBODY, 50100), (foreign["default_conversation_role_sid"], 50100), (roles["service user"], 50105),
        ("RLx", 20001),
    ):  # fmt: skip
        status, body = await site("POST", path, DefaultConversationRoleSid=sid)
        assert (status, body["code"]) == (400, code), sid
    status, body = await site(
        "POST", path, DefaultConversationRoleSid=roles["channel admin"], ReachabilityEnabled="True"
    )
    assert (status, body["default_conversation_role_sid"]) == (200, roles["channel admin"])
    assert body["reachability_enabled"] is True
    assert (await site("POST", path, DefaultConversationRoleSid=""))[1] == body
    assert (await site("POST", path, ReachabilityEnabled="perhaps"))[1]["code"] == 20001


async def test_notifications_are_kept_and_shown(site: Site) -> None:
    path = f"/Services/{await site.service()}/Configuration/Notifications"
    _, before = await site("GET", path)
    assert before["new_message"] == {
        "enabled": False, "template": None, "sound": None, "badge_count_enabled": False,
        "with_media": {"enabled": False, "template": None},
    }  # fmt: skip
    form = {
        "LogEnabled": "true", "NewMessage__Enabled": "true", "NewMessage__Template": "${MESSAGE}",
        "NewMessage__WithMedia__Enabled": "true", "AddedToConversation__Sound": "ring",
        "RemovedFromConversation__Enabled": "true",
    }  # fmt: skip
    status, after = await site("POST", path, **form)
    assert status == 200
    assert after["log_enabled"] is True
    assert after["new_message"]["template"] == "${MESSAGE}"
    assert after["new_message"]["with_media"] == {"enabled": True, "template": None}
    assert after["added_to_conversation"] == {"enabled": False, "template": None, "sound": "ring"}
    await site("POST", path, NewMessage__Sound="bell")
    _, last = await site("GET", path)
    assert last["new_message"] == after["new_message"] | {"sound": "bell"}
    assert last["url"] == "http://h/conversations/v1" + path
    assert (await site("POST", path, NewMessage__Template="x" * 5000))[1]["code"] == 20001


async def test_two_changes_at_once_lose_nothing(site: Site) -> None:
    path = f"/Services/{await site.service()}/Configuration/Notifications"
    await asyncio.gather(
        *(site("POST", path, **{name: "true"}) for name in ("NewMessage__Enabled", "LogEnabled")),
        site("POST", path, AddedToConversation__Enabled="true"),
    )
    _, last = await site("GET", path)
    assert [last["log_enabled"], last["new_message"]["enabled"]] == [True, True]
    assert last["added_to_conversation"]["enabled"] is True
