"""The account's configuration (conversations.md §1, §1.2)."""

from __future__ import annotations

import pytest

from tests.web.conversations.site import OTHER, Site

PATH = "/Configuration"


async def test_it_is_made_with_the_default_service(site: Site) -> None:
    status, body = await site("GET", PATH)
    assert status == 200
    service = body["default_chat_service_sid"]
    assert body["links"] == {
        "service": f"http://h/conversations/v1/Services/{service}/Configuration",
        "webhooks": "http://h/conversations/v1/Configuration/Webhooks",
    }
    assert (await site("GET", f"/Services/{service}/Configuration"))[0] == 200
    assert set(body) == {
        "account_sid", "default_chat_service_sid", "default_messaging_service_sid", "default_inactive_timer",
        "default_closed_timer", "url", "links",
    }  # fmt: skip


async def test_another_default_service_is_what_the_short_paths_mean(site: Site) -> None:
    service = await site.service()
    status, body = await site("POST", PATH, DefaultChatServiceSid=service, DefaultInactiveTimer="PT1M")
    assert (status, body["default_chat_service_sid"], body["default_inactive_timer"]) == (
        200,
        service,
        "PT1M",
    )
    assert (await site("POST", "/Users", Identity="bob"))[1]["chat_service_sid"] == service
    _, body = await site("POST", PATH, DefaultClosedTimer="PT10M", DefaultInactiveTimer="")
    assert (body["default_inactive_timer"], body["default_closed_timer"]) == (None, "PT10M")
    assert (await site("POST", PATH, DefaultClosedTimer="PT0S"))[1]["default_closed_timer"] is None


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"DefaultChatServiceSid": "IS" + "0" * 32}, 50050),
        ({"DefaultChatServiceSid": "default"}, 20001),
        ({"DefaultMessagingServiceSid": "IS" + "0" * 32}, 20001),
        ({"DefaultInactiveTimer": "PT59S"}, 50375),
        ({"DefaultInactiveTimer": "60"}, 50379),
        ({"DefaultClosedTimer": "PT9M59S"}, 50376),
        ({"DefaultClosedTimer": "tomorrow"}, 50380),
    ],
)
async def test_bad_values_change_nothing(site: Site, form: dict[str, str], code: int) -> None:
    _, before = await site("GET", PATH)
    status, body = await site("POST", PATH, **form)
    assert (status, body["code"]) == (400, code)
    assert (await site("GET", PATH))[1] == before


async def test_services_of_others_and_removed_ones_are_no_default(site: Site) -> None:
    foreign, gone = await site.service(OTHER), await site.service()
    await site("DELETE", f"/Services/{gone}")
    for service in (foreign, gone):
        assert (await site("POST", PATH, DefaultChatServiceSid=service))[1]["code"] == 50050
