"""Where somebody takes part: by identity or address (conversations.md §1, ParticipantConversations)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.conversations.site import OTHER, Site

BINDING = {"type": "sms", "address": "+15551230001", "proxy_address": "+15550100"}


@pytest.mark.parametrize("short", [True, False])
async def test_by_identity_and_by_address(site: Site, short: bool) -> None:
    service = await site.service()
    if short:
        await site("POST", "/Configuration", DefaultChatServiceSid=service)
    path = ("" if short else f"/Services/{service}") + "/ParticipantConversations"
    _, user = await site("POST", f"/Services/{service}/Users", Identity="bob")
    talk = await site.conversation(
        service, unique_name="desk", friendly_name="Desk", state="inactive", attributes='{"a":1}', created_by="eve",
        timers={"date_closed": "2026-11-29T10:00:00Z"},
    )  # fmt: skip
    bob = await site.participant(talk, identity="bob")
    customer = await site.participant(talk, address="+15551230001", messaging_binding=BINDING)
    _, body = await site("GET", path, Identity="bob")
    assert body["meta"]["key"] == "conversations"
    (one,) = body["conversations"]
    base = f"http://h/conversations/v1{'' if short else f'/Services/{service}'}/Conversations/{talk.sid}"
    assert one.pop("links") == {"participant": f"{base}/Participants/{bob.sid}", "conversation": base}
    dates = [one.pop("conversation_date_created"), one.pop("conversation_date_updated")]
    assert all(date.endswith("Z") for date in dates)
    assert one == {
        "account_sid": talk.account_sid, "chat_service_sid": service, "participant_sid": bob.sid,
        "participant_user_sid": user["sid"], "participant_identity": "bob", "participant_messaging_binding": None,
        "conversation_sid": talk.sid, "conversation_unique_name": "desk", "conversation_friendly_name": "Desk",
        "conversation_attributes": '{"a":1}', "conversation_created_by": "eve", "conversation_state": "inactive",
        "conversation_timers": {"date_inactive": None, "date_closed": "2026-11-29T10:00:00Z"},
    }  # fmt: skip
    (other,) = (await site("GET", path, Address="+15551230001"))[1]["conversations"]
    assert other["participant_sid"] == customer.sid
    assert other["participant_messaging_binding"]["proxy_address"] == "+15550100"
    assert (other["participant_identity"], other["participant_user_sid"]) == (None, None)


@pytest.mark.parametrize("form", [{}, {"Identity": ""}, {"Identity": "a", "Address": "+1555"}])
async def test_one_of_both_must_be_said(site: Site, form: dict[str, str]) -> None:
    assert (await site("GET", "/ParticipantConversations", **form))[1]["code"] == 20001


@pytest.mark.parametrize("key", ["Identity", "Address"])
async def test_pages_both_ways(site: Site, key: str) -> None:
    service = await site.service()
    word = "bob" if key == "Identity" else "%2B15551230001"
    values: dict[str, Any] = {"identity": "bob"} if key == "Identity" else {"address": "+15551230001"}
    sids = []
    for _ in range(5):
        talk = await site.conversation(service)
        await site.participant(talk, **values)
        await site.participant(talk, identity="eve")
        sids.insert(0, talk.sid)
    url = f"/Services/{service}/ParticipantConversations?{key}={word}&PageSize=2"
    seen, pages = [], []
    while url:
        _, page = await site("GET", url)
        seen += [one["conversation_sid"] for one in page["conversations"]]
        pages.append(page)
        url = (page["meta"]["next_page_url"] or "").removeprefix("http://h/conversations/v1")
    assert (seen, len(pages)) == (sids, 3)
    back = pages[2]["meta"]["previous_page_url"].removeprefix("http://h/conversations/v1")
    assert (await site("GET", back))[1]["conversations"] == pages[1]["conversations"]


async def test_others_are_not_shown(site: Site) -> None:
    service, other = await site.service(), await site.service()
    await site.participant(await site.conversation(service), identity="bob", address=None)
    await site.participant(await site.conversation(service), address="+15551230001")
    for form in ({"Identity": "bob"}, {"Address": "+15551230001"}):
        assert (
            len(
                (await site("GET", f"/Services/{service}/ParticipantConversations", **form))[1][
                    "conversations"
                ]
            )
            == 1
        )
        assert (await site("GET", f"/Services/{other}/ParticipantConversations", **form))[1][
            "conversations"
        ] == []
        assert (await site("GET", "/ParticipantConversations", **form))[1]["conversations"] == []
        assert (await site("GET", "/ParticipantConversations", OTHER, **form))[1]["conversations"] == []
    assert (await site("POST", "/ParticipantConversations"))[0] == 405
