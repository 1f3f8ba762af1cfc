"""What a message to one of our addresses makes: the configuration (conversations.md §1.3)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ringback.resources.conversations.address_configuration import FILTERS, TYPES
from tests.web.conversations.site import OTHER, Site

PATH = "/Configuration/Addresses"
ADDRESSES = {
    "sms": "+15550100", "whatsapp": "whatsapp:+15550100", "email": "help@example.com", "apple": "urn:mbid:AQAAY",
    "chat": "shop", "gbm": "gbm:x", "messenger": "messenger:1234", "rcs": "rcs:shop",
}  # fmt: skip


@pytest.mark.parametrize("kind", TYPES)
async def test_every_type(site: Site, kind: str) -> None:
    status, made = await site("POST", PATH, Type=kind, Address=ADDRESSES[kind], FriendlyName="Desk")
    assert (status, made["address"], made["auto_creation"]) == (201, ADDRESSES[kind], EMPTY)
    assert made["sid"].startswith("IG")
    assert (await site("GET", f"{PATH}/{made['sid']}"))[1] == made
    assert (await site("DELETE", f"{PATH}/{made['sid']}"))[0] == 204
    assert (await site("POST", PATH, Type=kind, Address=ADDRESSES[kind]))[0] == 201


EMPTY = {
    "enabled": False, "type": None, "conversation_service_sid": None, "webhook_url": None, "webhook_method": None,
    "webhook_filters": [], "studio_flow_sid": None, "studio_retry_count": None,
}  # fmt: skip


async def test_all_parts_of_what_is_made(site: Site) -> None:
    service = await site.service()
    form: dict[str, Any] = {
        "AutoCreation__Enabled": "true", "AutoCreation__Type": "webhook",
        "AutoCreation__ConversationServiceSid": service, "AutoCreation__WebhookUrl": "https://h.example/hook",
        "AutoCreation__WebhookMethod": "get", "AutoCreation__WebhookFilters": list(FILTERS), "AddressCountry": "ca",
    }  # fmt: skip
    _, made = await site("POST", PATH, Type="sms", Address="55501", **form)
    assert made["address_country"] == "CA"
    assert made["auto_creation"] == EMPTY | {
        "enabled": True, "type": "webhook", "conversation_service_sid": service,
        "webhook_url": "https://h.example/hook", "webhook_method": "GET", "webhook_filters": list(FILTERS),
    }  # fmt: skip
    flow = "FW" + "1" * 32
    _, changed = await site(
        "POST", f"{PATH}/{made['sid']}", AutoCreation__Type="studio", AutoCreation__StudioFlowSid=flow,
        AutoCreation__StudioRetryCount="3", AutoCreation__WebhookFilters="",
    )  # fmt: skip
    assert changed["auto_creation"]["studio_flow_sid"] == flow
    assert changed["auto_creation"]["studio_retry_count"] == 3
    assert changed["auto_creation"]["webhook_filters"] == []
    assert changed["auto_creation"]["webhook_url"] == "https://h.example/hook"
    _, last = await site("POST", f"{PATH}/{made['sid']}", FriendlyName="New")
    assert last["auto_creation"] == changed["auto_creation"]


async def test_just_enabled_is_the_default_type(site: Site) -> None:
    _, made = await site("POST", PATH, Type="sms", Address="+15550100", AutoCreation__Enabled="true")
    assert (made["auto_creation"]["enabled"], made["auto_creation"]["type"]) == (True, "default")


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"Type": "fax", "Address": "+15550100"}, 20001),
        ({"Type": "sms"}, 20001),
        ({"Address": "+15550100"}, 20001),
        ({"Type": "sms", "Address": "call me"}, 20001),
        ({"Type": "whatsapp", "Address": "whatsapp:x"}, 20001),
        ({"Type": "chat", "Address": "a\x07b"}, 20001),
        ({"Type": "chat", "Address": "x" * 257}, 20001),
        ({"AddressCountry": "CAN"}, 20001),
        ({"FriendlyName": "x" * 257}, 20001),
        ({"AutoCreation__Enabled": "maybe"}, 20001),
        ({"AutoCreation__Type": "lambda"}, 20001),
        ({"AutoCreation__Type": "webhook"}, 20001),
        ({"AutoCreation__Type": "webhook", "AutoCreation__WebhookUrl": "ftp://h/"}, 20001),
        ({"AutoCreation__WebhookMethod": "PUT"}, 20001),
        ({"AutoCreation__WebhookFilters": ["onMessageAdded", "onMessageAdd"]}, 20001),
        ({"AutoCreation__Type": "studio"}, 20001),
        ({"AutoCreation__StudioFlowSid": "FWx"}, 20001),
        ({"AutoCreation__StudioRetryCount": "4"}, 20001),
        ({"AutoCreation__StudioRetryCount": "-1"}, 20001),
        ({"AutoCreation__ConversationServiceSid": "IS" + "0" * 32}, 50050),
    ],
)
async def test_bad_ones(site: Site, form: dict[str, Any], code: int) -> None:
    whole = form if "Type" in form or "Address" in form else {"Type": "sms", "Address": "+15550100"} | form
    status, body = await site("POST", PATH, **whole)
    assert (status, body["code"]) == (400, code)
    assert (await site("GET", PATH))[1]["address_configurations"] == []


async def test_an_address_has_one_configuration_however_it_is_written(site: Site) -> None:
    written = ["+15550100123", "+1 (555) 010-0123", "+1-555-010-0123", "+1.555.010.0123"]
    made = await asyncio.gather(*(site("POST", PATH, Type="sms", Address=one) for one in written))
    assert sorted(status for status, _ in made) == [201, 409, 409, 409]
    assert {body["code"] for status, body in made if status == 409} == {20409}
    assert (await site("POST", PATH, Type="whatsapp", Address="+15550100123"))[0] == 201
    assert (await site("POST", PATH, OTHER, Type="sms", Address="+15550100123"))[0] == 201


async def test_lists_by_type_and_others_see_nothing(site: Site) -> None:
    _, sms = await site("POST", PATH, Type="sms", Address="+15550100")
    await site("POST", PATH, Type="chat", Address="shop")
    assert (await site("GET", PATH, Type="sms"))[1]["address_configurations"] == [sms]
    assert len((await site("GET", PATH))[1]["address_configurations"]) == 2
    assert (await site("GET", PATH, OTHER))[1]["address_configurations"] == []
    for method in ("GET", "POST", "DELETE"):
        assert (await site(method, f"{PATH}/{sms['sid']}", OTHER))[0] == 404


async def test_a_service_of_another_account_makes_nothing(site: Site) -> None:
    foreign = await site.service(OTHER)
    form = {"Type": "sms", "Address": "+15550100", "AutoCreation__ConversationServiceSid": foreign}
    assert (await site("POST", PATH, **form))[1]["code"] == 50050
