"""The official Python client: messages, their media, messaging services, in the running product."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException

from ringback.testing.official_client import close_client, official_client
from ringback.testing.world import World, world

OURS, CUSTOMER = "+15550100", "+15551230001"


@pytest.fixture
async def ringback(tmp_path: Path, database_url: str) -> AsyncIterator[World]:
    """The product on one of the databases, with a number."""
    async with world(tmp_path, database_url=database_url) as running:
        await running.post("IncomingPhoneNumbers", PhoneNumber=OURS)
        yield running


async def do(function: Callable[..., Any], *args: Any, **params: Any) -> Any:
    """Run the (blocking) client in a thread."""
    return await asyncio.to_thread(function, *args, **params)


async def refused(function: Callable[..., Any], **params: Any) -> tuple[int, int]:
    """Status and code of a refusal."""
    with pytest.raises(TwilioRestException) as caught:
        await do(function, **params)
    return caught.value.status, caught.value.code


async def test_a_message_from_create_to_delete(ringback: World) -> None:
    messages = ringback.client.messages
    made = await do(
        messages.create, to="(555) 123-0001", from_=OURS, body="Grüße",
        media_url=["http://app.example/cat.png"], status_callback=ringback.app("/status", ""),
        provide_feedback=True, smart_encoded=True, shorten_urls=True, attempt=1,
    )  # fmt: skip
    assert made.sid.startswith("MM")
    assert (made.status, made.direction, made.to, made.from_) == ("queued", "outbound-api", CUSTOMER, OURS)
    assert (made.num_segments, made.num_media, made.error_code, made.price_unit) == ("1", "1", None, "USD")
    await ringback.settled()
    fetched = await do(messages(made.sid).fetch)
    assert (fetched.status, fetched.body) == ("delivered", "Grüße")
    assert fetched.date_sent is not None
    assert [one["MessageStatus"] for one in ringback.requests("/status")] == ["sent", "delivered"]
    assert "RawDlrDoneDate" in ringback.requests("/status")[1]
    media = await do(messages(made.sid).media.list)
    assert [(one.parent_sid, one.sid[:2]) for one in media] == [(made.sid, "ME")]
    assert (
        await do(messages(made.sid).media(media[0].sid).fetch)
    ).account_sid == ringback.product.account_sid
    assert await do(messages(made.sid).media(media[0].sid).delete) is True
    assert await do(messages(made.sid).media.list) == []
    told = await do(messages(made.sid).feedback.create, outcome="confirmed")
    assert (told.message_sid, told.outcome) == (made.sid, "confirmed")
    redacted = await do(messages(made.sid).update, body="")
    assert (redacted.body, redacted.status) == ("", "delivered")
    assert await do(messages(made.sid).delete) is True
    assert await refused(messages(made.sid).fetch) == (404, 20404)


async def test_lists_by_address_and_by_day(ringback: World) -> None:
    messages = ringback.client.messages
    for to in (CUSTOMER, "+15551230002"):
        await do(messages.create, to=to, from_=OURS, body="hi")
    await ringback.sim("POST", "Messages", {"from": CUSTOMER, "to": OURS, "body": "yo"})
    await ringback.settled()
    assert [one.body for one in await do(messages.list, from_=CUSTOMER)] == ["yo"]
    assert [one.to for one in await do(messages.list, to=CUSTOMER)] == [CUSTOMER]
    now = datetime.datetime.fromtimestamp(ringback.clock.now(), datetime.UTC)
    day = datetime.timedelta(days=1)
    assert len(await do(messages.list, date_sent=now)) == 3
    assert await do(messages.list, date_sent=now - day) == []
    assert len(await do(messages.list, date_sent_after=now - day)) == 3
    assert await do(messages.list, date_sent_after=now + day) == []
    assert len(await do(messages.list, date_sent_before=now + day)) == 3
    assert len(await do(lambda: list(messages.stream(page_size=2)))) == 3


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"from_": OURS, "body": "x", "to": ""}, 21604),
        ({"to": CUSTOMER, "body": "x"}, 21603),
        ({"to": CUSTOMER, "from_": OURS}, 21619),
        ({"to": CUSTOMER, "from_": OURS, "body": ""}, 21602),
        ({"to": CUSTOMER, "from_": OURS, "body": "x" * 1601}, 21617),
        ({"to": CUSTOMER, "from_": OURS, "media_url": ["http://h/"] * 11}, 21623),
        ({"to": CUSTOMER, "from_": OURS, "media_url": ["ftp://h/"]}, 21620),
        ({"to": "12", "from_": OURS, "body": "x"}, 21211),
        ({"to": CUSTOMER, "from_": "12", "body": "x"}, 21212),
        ({"to": CUSTOMER, "from_": "+15550199", "body": "x"}, 21606),
        ({"to": CUSTOMER, "from_": "Bakery", "body": "x"}, 21606),
        ({"to": OURS, "from_": OURS, "body": "x"}, 21266),
        ({"to": f"whatsapp:{CUSTOMER}", "from_": OURS, "body": "x"}, 21612),
        ({"to": CUSTOMER, "from_": OURS, "body": "x", "status_callback": "http://a_b/"}, 21609),
        ({"to": CUSTOMER, "from_": OURS, "body": "x", "validity_period": 0}, 21624),
        ({"to": CUSTOMER, "from_": OURS, "body": "x", "application_sid": "AP" + "0" * 32}, 21420),
        ({"to": CUSTOMER, "from_": OURS, "content_sid": "HX" + "0" * 32}, 21655),
        ({"to": CUSTOMER, "messaging_service_sid": "MG1", "body": "x"}, 21705),
        ({"to": CUSTOMER, "messaging_service_sid": "MG" + "0" * 32, "body": "x"}, 21701),
        ({"to": CUSTOMER, "from_": OURS, "body": "x", "schedule_type": "fixed"}, 35111),
        (
            {"to": CUSTOMER, "from_": OURS, "body": "x", "schedule_type": "fixed", "send_at": "2030-01-01"},
            35118,
        ),
        ({"to": "+15005550001", "from_": "+15005550006", "body": "x"}, 21211),
        ({"to": "+15005550002", "from_": "+15005550006", "body": "x"}, 21612),
        ({"to": "+15005550003", "from_": "+15005550006", "body": "x"}, 21408),
        ({"to": "+15005550004", "from_": "+15005550006", "body": "x"}, 21610),
        ({"to": "+15005550009", "from_": "+15005550006", "body": "x"}, 21614),
        ({"to": CUSTOMER, "from_": "+15005550001", "body": "x"}, 21212),
        ({"to": CUSTOMER, "from_": "+15005550007", "body": "x"}, 21606),
        ({"to": CUSTOMER, "from_": "+15005550008", "body": "x"}, 21611),
    ],
)
async def test_a_bad_request_is_refused(tmp_path: Path, params: dict[str, Any], code: int) -> None:
    async with world(tmp_path) as ringback:
        await ringback.post("IncomingPhoneNumbers", PhoneNumber=OURS)
        status = 404 if code == 21701 else 400
        assert await refused(ringback.client.messages.create, **params) == (status, code)
        product = ringback.product
        test = official_client(
            ringback.url, product.credentials.test_account_sid, product.credentials.test_auth_token
        )
        try:
            if str(params.get("to", "")).startswith("+1500") or str(params.get("from_", "")).startswith(
                "+1500"
            ):
                assert await refused(test.messages.create, **params) == (400, code)
        finally:
            close_client(test)
        assert await do(ringback.client.messages.list) == []


async def test_test_credentials_send_nothing(ringback: World) -> None:
    known = ringback.product.credentials
    test = official_client(ringback.url, known.test_account_sid, known.test_auth_token)
    try:
        made = await do(test.messages.create, to=CUSTOMER, from_="+15005550006", body="hi")
        assert (made.status, made.sid[:2], made.account_sid) == ("queued", "SM", known.test_account_sid)
        assert await refused(test.messages.create, to=CUSTOMER, from_=OURS, body="hi") == (400, 21606)
    finally:
        close_client(test)
    await ringback.settled()
    assert await ringback.sim("GET", f"Messages?address={CUSTOMER}") == {"messages": []}
    assert await do(ringback.client.messages.list) == []


async def test_messaging_services_and_their_senders(ringback: World) -> None:
    services = ringback.client.messaging.v1.services
    made = await do(services.create, friendly_name="Bakery", validity_period=60, sticky_sender=False)
    assert (made.sid[:2], made.friendly_name, made.validity_period, made.inbound_method) == (
        "MG",
        "Bakery",
        60,
        "POST",
    )
    assert (made.smart_encoding, made.use_inbound_webhook_on_number, made.usecase) == (
        True,
        False,
        "undeclared",
    )
    changed = await do(services(made.sid).update, sticky_sender=True, status_callback="http://h/s")
    assert (changed.sticky_sender, changed.status_callback) == (True, "http://h/s")
    assert await refused(services(made.sid).update, validity_period=36_001) == (400, 21624)
    pool = services(made.sid).phone_numbers
    number = (await do(ringback.client.incoming_phone_numbers.list))[0]
    pooled = await do(pool.create, phone_number_sid=number.sid)
    assert (pooled.sid, pooled.service_sid, pooled.phone_number) == (number.sid, made.sid, OURS)
    assert pooled.capabilities == ["SMS", "MMS", "Voice"]
    assert await refused(pool.create, phone_number_sid=number.sid) == (409, 21710)
    other = await do(services.create, friendly_name="Other")
    assert await refused(services(other.sid).phone_numbers.create, phone_number_sid=number.sid) == (
        409,
        21712,
    )
    assert await refused(services(other.sid).phone_numbers(number.sid).fetch) == (404, 20404)
    assert (await do(pool(number.sid).fetch)).phone_number == OURS
    assert [one.sid for one in await do(pool.list)] == [number.sid]
    names = services(made.sid).alpha_senders
    name = await do(names.create, alpha_sender="Bakery 24")
    assert (name.sid[:2], name.alpha_sender, name.capabilities) == ("AI", "Bakery 24", ["SMS"])
    assert await refused(names.create, alpha_sender="Bakery 24") == (409, 21714)
    assert await refused(names.create, alpha_sender="12345") == (400, 21709)
    assert [one.sid for one in await do(names.list)] == [name.sid]
    assert await do(names(name.sid).delete) is True
    assert await do(pool(number.sid).delete) is True
    assert await do(services(made.sid).delete) is True
    assert [one.sid for one in await do(services.list)] == [other.sid]


async def test_a_scheduled_message_waits_and_can_be_canceled(ringback: World) -> None:
    service = await do(ringback.client.messaging.v1.services.create, friendly_name="Later")
    number = (await do(ringback.client.incoming_phone_numbers.list))[0]
    pool = ringback.client.messaging.v1.services(service.sid).phone_numbers
    messages = ringback.client.messages
    params = {"to": CUSTOMER, "messaging_service_sid": service.sid, "schedule_type": "fixed"}
    now = datetime.datetime.fromtimestamp(ringback.clock.now(), datetime.UTC)
    later = now + datetime.timedelta(hours=1)
    assert await refused(messages.create, body="x", send_at=later, **params) == (400, 21704)
    await do(pool.create, phone_number_sid=number.sid)
    assert await refused(messages.create, body="x", send_at=now, **params) == (400, 35115)
    first = await do(
        messages.create, body="one", send_at=later, status_callback=ringback.app("/s", ""), **params
    )
    second = await do(messages.create, body="two", send_at=later, **params)
    assert (first.status, second.status) == ("scheduled", "scheduled")
    canceled = await do(messages(second.sid).update, status="canceled")
    assert canceled.status == "canceled"
    assert await refused(messages(second.sid).update, status="canceled") == (400, 30409)
    assert await refused(messages(first.sid).delete) == (409, 20009)
    await ringback.advance(3700)
    await ringback.settled()
    assert (await do(messages(first.sid).fetch)).status == "delivered"
    assert [one["MessageStatus"] for one in ringback.requests("/s")] == ["queued", "sent", "delivered"]
    got = await ringback.sim("GET", f"Messages?address={CUSTOMER}")
    assert [one["body"] for one in got["messages"]] == ["one"]
