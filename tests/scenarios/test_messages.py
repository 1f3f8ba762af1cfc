"""Journeys of messages: in, out, back."""

from __future__ import annotations

import asyncio
import datetime
from typing import Any

import pytest
from aiohttp import web
from twilio.request_validator import RequestValidator

from ringback.resources.api.alert import Alert
from ringback.resources.messaging.opt_out import OptOut
from ringback.testing.world import World

OURS, OTHER, CUSTOMER = "+15550100", "+15550101", "+15551230001"
STOPPED = "You have successfully been unsubscribed."


async def number(ringback: World, number: str = OURS, **urls: str) -> str:
    """A number of ours whose SMS URLs are these; gives its SID."""
    made = await ringback.post("IncomingPhoneNumbers", PhoneNumber=number, **urls)
    return str(made["sid"])


async def write(ringback: World, body: str, to: str = OURS, from_: str = CUSTOMER, **more: Any) -> str:
    """A customer writes; gives the message's SID once all that follows is done."""
    made = await ringback.sim("POST", "Messages", {"from": from_, "to": to, "body": body, **more})
    await ringback.settled()
    return str(made["sid"])


async def received(ringback: World, address: str = CUSTOMER) -> list[str]:
    """What a handset has received."""
    found = await ringback.sim("GET", f"Messages?address={address.replace('+', '%2B')}")
    return [one["body"] for one in found["messages"]]


async def send(ringback: World, body: str = "hello", **more: str) -> dict[str, Any]:
    """Send by REST; gives the message when all is done."""
    made = await ringback.post("Messages", **{"To": CUSTOMER, "From": OURS, "Body": body, **more})
    await ringback.settled()
    return await ringback.get(f"Messages/{made['sid']}")


async def refusal(ringback: World, **form: str) -> int:
    """The code with which a message is refused."""
    with pytest.raises(AssertionError) as caught:
        await ringback.post("Messages", **{"To": CUSTOMER, "From": OURS, "Body": "hello", **form})
    return int(str(caught.value).partition('"code":')[2].partition(",")[0])


async def codes(ringback: World, sid: str) -> list[int]:
    """Of the debugger's entries about a message."""
    alerts = await ringback.product.store.find(Alert)
    return sorted(one.error_code or 0 for one in alerts if one.resource_sid == sid)


# --- in --------------------------------------------------------------------------------------------------------


async def test_a_message_is_answered_and_its_statuses_are_told(ringback: World) -> None:
    url = ringback.app(
        "/sms",
        '<Response><Message statusCallback="/status">Hello</Message><Redirect method="GET">/more</Redirect></Response>',
    )
    ringback.app("/more", "<Response><Message><Body>and bye</Body></Message></Response>")
    ringback.app("/status", "")
    await number(ringback, SmsUrl=url)
    sid = await write(ringback, "hi")
    inbound = await ringback.get(f"Messages/{sid}")
    assert (inbound["status"], inbound["direction"], inbound["body"]) == ("received", "inbound", "hi")
    assert await received(ringback) == ["Hello", "and bye"]
    asked = ringback.asked("/sms")[0]
    assert (asked.params["Body"], asked.params["From"], asked.params["To"]) == ("hi", CUSTOMER, OURS)
    assert asked.params["MessageSid"] == asked.params["SmsSid"] == asked.params["SmsMessageSid"] == sid
    assert {
        "NumMedia": "0",
        "NumSegments": "1",
        "SmsStatus": "received",
        "FromZip": "",
    }.items() <= asked.params.items()
    assert "OptOutType" not in asked.params
    validator = RequestValidator(ringback.product.auth_token)
    assert validator.validate(asked.url, dict(asked.form), asked.headers["x-twilio-signature"])
    assert [one["MessageStatus"] for one in ringback.requests("/status")] == ["sent", "delivered"]
    reply = await ringback.get(f"Messages/{ringback.requests('/status')[0]['MessageSid']}")
    assert (reply["direction"], reply["status"], reply["from"]) == ("outbound-reply", "delivered", OURS)


async def test_media_is_told_and_kept(ringback: World) -> None:
    await number(ringback, SmsUrl=ringback.app("/sms", "<Response/>"))
    media = [{"url": "http://127.0.0.1:9/a.png", "content_type": "image/png"}, "http://127.0.0.1:9/b"]
    sid = await write(ringback, "", media=media)
    asked = ringback.requests("/sms")[0]
    assert sid.startswith("MM")
    assert (asked["NumMedia"], asked["MediaUrl0"], asked["MediaContentType0"], asked["MediaUrl1"]) == (
        "2", "http://127.0.0.1:9/a.png", "image/png", "http://127.0.0.1:9/b",
    )  # fmt: skip
    listed = (await ringback.get(f"Messages/{sid}/Media"))["media_list"]
    assert {one["content_type"] for one in listed} == {"image/png", ""}


async def test_a_failed_document_leads_to_the_fallback_and_the_debugger(ringback: World) -> None:
    bad = ringback.app("/sms", lambda params: web.Response(status=500))
    fallback = ringback.app("/fallback", "<Response><Message>sorry</Message></Response>")
    await number(ringback, SmsUrl=bad, SmsFallbackUrl=fallback)
    sid = await write(ringback, "hi")
    assert await received(ringback) == ["sorry"]
    asked = ringback.requests("/fallback")[0]
    assert (asked["ErrorCode"], asked["ErrorUrl"], asked["MessageSid"]) == ("11200", bad, sid)
    assert await codes(ringback, sid) == [11200]


@pytest.mark.parametrize(
    ("document", "expected", "code"),
    [
        (lambda params: web.Response(text="just text", content_type="text/plain"), ["just text"], []),
        (lambda params: web.Response(status=204), [], []),
        (lambda params: web.Response(text="{}", content_type="application/json"), [], [12300]),
        ("<Response><Message></Message></Response>", [], [14103]),
        ("<Response><Say>hi</Say><Message>x</Message></Response>", ["x"], [12200]),
        ('<Response><Message to="12">x</Message></Response>', [], [14101]),
        ('<Response><Message from="+15550199">x</Message></Response>', [], [14108]),
        ("<Response><Message>x", [], [12100]),
        ("<Response><Redirect>/sms</Redirect></Response>", [], [14106]),
    ],
)
async def test_what_a_document_may_say(
    ringback: World, document: Any, expected: list[str], code: list[int]
) -> None:
    await number(ringback, SmsUrl=ringback.app("/sms", document))
    sid = await write(ringback, "hi")
    assert await received(ringback) == expected
    assert await codes(ringback, sid) == code


async def test_two_machines_do_not_answer_each_other_for_ever(ringback: World) -> None:
    url = ringback.app("/sms", "<Response><Message>pong</Message></Response>")
    await number(ringback, OURS, SmsUrl=url)
    await number(ringback, OTHER, SmsUrl=url)
    await send(ringback, "ping", To=OTHER)
    assert 10 < len(await received(ringback, OURS)) + len(await received(ringback, OTHER)) < 40


async def test_the_same_carrier_message_twice_is_one(ringback: World) -> None:
    await number(ringback, SmsUrl=ringback.app("/sms", "<Response/>"))
    twice = {"from": CUSTOMER, "to": OURS, "body": "hi", "id": "carrier-1"}
    first, second = await asyncio.gather(*(ringback.sim("POST", "Messages", twice) for _ in range(2)))
    await ringback.settled()
    third = await ringback.sim("POST", "Messages", twice)
    assert first == second == third
    await ringback.settled()
    assert len(ringback.requests("/sms")) == 1


async def test_an_id_that_the_carrier_gives_to_two_customers_loses_neither(ringback: World) -> None:
    """Nor a message that went to two numbers of ours: each is one of its own, and still comes once."""
    await number(ringback, SmsUrl=ringback.app("/sms", "<Response/>"))
    await number(ringback, OTHER, SmsUrl=ringback.app("/sms", "<Response/>"))
    ways = [(CUSTOMER, OURS), ("+15551230002", OURS), (CUSTOMER, OTHER)]
    sids = [
        await ringback.sim("POST", "Messages", {"from": from_, "to": to, "body": "hi", "id": "carrier-1"})
        for from_, to in ways * 2
    ]
    assert sids[:3] == sids[3:]
    assert len({each["sid"] for each in sids}) == 3
    await ringback.settled()
    told = {(each["From"], each["To"]) for each in ringback.requests("/sms")}
    assert told == set(ways)


async def test_a_message_to_nobody_is_refused_and_counted(ringback: World) -> None:
    with pytest.raises(AssertionError, match=r"404.*30005"):
        await ringback.sim("POST", "Messages", {"from": CUSTOMER, "to": "+15550177", "body": "hi"})
    assert (await ringback.product.figures())["messages_unknown_number_total"] == 1
    assert (await ringback.get("Messages"))["messages"] == []


async def test_an_application_wins_over_the_numbers_url(ringback: World) -> None:
    application = await ringback.post("Applications", SmsUrl=ringback.app("/app", "<Response/>"))
    await number(
        ringback, SmsUrl=ringback.app("/number", "<Response/>"), SmsApplicationSid=application["sid"]
    )
    await write(ringback, "hi")
    assert (len(ringback.requests("/app")), len(ringback.requests("/number"))) == (1, 0)


async def test_two_addresses_keep_their_cookies(ringback: World) -> None:
    def answer(params: dict[str, str]) -> web.Response:
        made = web.Response(text="<Response/>", content_type="text/xml")
        made.set_cookie("step", params["Body"])
        return made

    await number(ringback, SmsUrl=ringback.app("/sms", answer))
    await write(ringback, "1")
    await write(ringback, "2")
    await write(ringback, "3", from_="+15551230002")
    assert [one.headers.get("cookie") for one in ringback.asked("/sms")] == [None, "step=1", None]


# --- out ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "status", "code"),
    [
        ("answer", "delivered", None), ("unreachable", "undelivered", 30003), ("invalid", "undelivered", 30005),
        ("reject", "undelivered", 30004), ("forbidden", "undelivered", 30007), ("congestion", "failed", 30006),
    ],
)  # fmt: skip
async def test_what_becomes_of_it_is_told(
    ringback: World, answers: str, status: str, code: int | None
) -> None:
    await number(ringback)
    await ringback.sim("PUT", f"Numbers/{CUSTOMER}", {"answers": answers})
    message = await send(ringback, StatusCallback=ringback.app("/s", ""))
    assert (message["status"], message["error_code"]) == (status, code)
    told = [one["MessageStatus"] for one in ringback.requests("/s")]
    assert told == (["failed"] if status == "failed" else ["sent", status])
    assert ringback.requests("/s")[-1].get("ErrorCode") == (None if code is None else str(code))


async def test_faults_of_the_carrier(ringback: World) -> None:
    await number(ringback)
    callback = ringback.app("/s", "")
    await ringback.sim("POST", "Faults", {"kind": "carrier_down"})
    assert (await send(ringback))["status"] == "failed"
    await ringback.sim("POST", "Faults", {"kind": "drop_receipt"})
    assert (await send(ringback))["status"] == "sent"
    await ringback.sim("POST", "Faults", {"kind": "duplicate_receipt"})
    assert (await send(ringback, StatusCallback=callback))["status"] == "delivered"
    assert [one["MessageStatus"] for one in ringback.requests("/s")] == ["sent", "delivered"]
    await ringback.sim("POST", "Faults", {"kind": "unclear_send"})
    message = await send(ringback)
    assert (message["status"], message["error_code"]) == ("failed", 30008)
    assert "may have been sent" in message["error_message"]
    assert await codes(ringback, message["sid"]) == [30008]
    assert (await ringback.product.figures())["messages_unclear_total"] == 1
    await ringback.sim("POST", "Faults", {"kind": "carrier_down"})
    with pytest.raises(AssertionError, match="503"):
        await ringback.sim("POST", "Messages", {"from": CUSTOMER, "to": OURS, "body": "hi"})


async def test_messages_of_a_pair_keep_their_order(ringback: World) -> None:
    await number(ringback)
    for index in range(20):
        await ringback.post("Messages", To=CUSTOMER, From=OURS, Body=str(index))
    await ringback.settled()
    assert await received(ringback) == [str(index) for index in range(20)]


async def test_an_applications_callback_is_told(ringback: World) -> None:
    await number(ringback)
    application = await ringback.post("Applications", MessageStatusCallback=ringback.app("/s", ""))
    await send(ringback, ApplicationSid=application["sid"])
    assert [one["MessageStatus"] for one in ringback.requests("/s")] == ["sent", "delivered"]


# --- STOP, START, HELP ------------------------------------------------------------------------------------------


async def test_who_says_stop_is_left_alone_until_start(ringback: World) -> None:
    await number(ringback, SmsUrl=ringback.app("/sms", "<Response/>"))
    await number(ringback, OTHER)
    for word, kind in (("Stop", "STOP"), ("QUIT", "STOP"), ("help", "HELP")):
        await write(ringback, word)
        assert ringback.requests("/sms")[-1]["OptOutType"] == kind
    assert [body[:40] for body in await received(ringback)] == [
        STOPPED,
        "Reply STOP to unsubscribe. Msg&Data Rate",
    ]
    assert await refusal(ringback) == 21610
    assert (await send(ringback, From=OTHER))["status"] == "delivered"
    outs = await ringback.product.store.find(OptOut)
    assert [(one.address, one.scope, one.opted_out) for one in outs] == [(CUSTOMER, OURS, True)]
    await write(ringback, "yes")
    assert ringback.requests("/sms")[-1]["OptOutType"] == "START"
    assert (await send(ringback))["status"] == "delivered"
    await write(ringback, "Yes")
    assert "OptOutType" not in ringback.requests("/sms")[-1]
    await write(ringback, "please stop that")
    assert "OptOutType" not in ringback.requests("/sms")[-1]


async def test_a_reply_to_who_has_left_is_not_sent(ringback: World) -> None:
    await number(ringback, SmsUrl=ringback.app("/sms", "<Response><Message>buy!</Message></Response>"))
    sid = await write(ringback, "STOP")
    assert [body[:40] for body in await received(ringback)] == [STOPPED]
    assert await codes(ringback, sid) == [21610]


async def test_stop_counts_for_the_whole_messaging_service(ringback: World) -> None:
    service, _ = await pool(ringback, OURS, OTHER)
    await write(ringback, "STOP")
    assert await refusal(ringback, From=OTHER) == 21610
    assert await refusal(ringback, From="", MessagingServiceSid=service) == 21610


async def test_a_message_that_waits_is_not_sent_after_stop(ringback: World) -> None:
    service, _ = await pool(ringback, OURS)
    at = "2099-01-01T00:00:00Z"
    assert (
        await refusal(ringback, From="", MessagingServiceSid=service, ScheduleType="fixed", SendAt=at)
        == 35115
    )
    soon = datetime.datetime.fromtimestamp(ringback.clock.now() + 600, datetime.UTC).isoformat()
    made = await ringback.post(
        "Messages", To=CUSTOMER, MessagingServiceSid=service, Body="x", ScheduleType="fixed", SendAt=soon
    )
    await write(ringback, "STOP")
    await ringback.advance(700)
    await ringback.settled()
    message = await ringback.get(f"Messages/{made['sid']}")
    assert (message["status"], message["error_code"]) == ("failed", 21610)


# --- messaging services ------------------------------------------------------------------------------------------


async def pool(ringback: World, *numbers: str, **service: str) -> tuple[str, list[str]]:
    """A messaging service with numbers; gives its SID and theirs."""
    made = await product(ringback, "Services", FriendlyName="Pool", **service)
    sids = []
    for each in numbers:
        sids.append(await number(ringback, each))
        await product(ringback, f"Services/{made['sid']}/PhoneNumbers", PhoneNumberSid=sids[-1])
    return made["sid"], sids


async def product(ringback: World, path: str, **form: str) -> dict[str, Any]:
    """POST to messaging/v1."""
    return await ringback._ask("POST", f"/messaging/v1/{path}", data=form)


async def test_a_service_chooses_a_sender_and_keeps_to_it(ringback: World) -> None:
    service, _ = await pool(ringback, "+14155550100", "+12125550100", "+442071838750")
    london, bay = "+447400123456", "+14155550199"
    first = await send(
        ringback, From="", MessagingServiceSid=service, To=london, StatusCallback=ringback.app("/s", "")
    )
    assert (first["from"], first["messaging_service_sid"]) == ("+442071838750", service)
    assert [one["MessageStatus"] for one in ringback.requests("/s")] == ["queued", "sent", "delivered"]
    assert ringback.requests("/s")[0]["MessagingServiceSid"] == service
    near = [await send(ringback, From="", MessagingServiceSid=service, To=bay) for _ in range(3)]
    assert {one["from"] for one in near} == {"+14155550100"}
    anywhere = [
        await send(ringback, From="", MessagingServiceSid=service, To="+13055550100") for _ in range(6)
    ]
    assert len({one["from"] for one in anywhere}) == 1
    assert await refusal(ringback, From=OURS, MessagingServiceSid=service) == 21711


async def test_a_services_inbound_url_is_asked(ringback: World) -> None:
    service, sids = await pool(ringback, OURS, InboundRequestUrl=ringback.app("/pool", "<Response/>"))
    await ringback.post(f"IncomingPhoneNumbers/{sids[0]}", SmsUrl=ringback.app("/number", "<Response/>"))
    await write(ringback, "one")
    assert ringback.requests("/pool")[0]["MessagingServiceSid"] == service
    await product(ringback, f"Services/{service}", UseInboundWebhookOnNumber="true")
    await write(ringback, "two")
    assert [one["Body"] for one in ringback.requests("/number")] == ["two"]


async def test_smart_encoding_and_segments(ringback: World) -> None:
    await number(ringback)
    curly = "\u201c" + "x" * 100 + "\u201d"
    assert (await send(ringback, curly))["num_segments"] == "2"
    smart = await send(ringback, curly, SmartEncoded="true")
    assert (smart["num_segments"], smart["body"][0]) == ("1", '"')


async def test_a_file_that_cannot_be_had_is_in_the_debugger(ringback: World) -> None:
    await number(ringback, SmsUrl=ringback.app("/sms", "<Response/>"))
    gone = ringback.app("/gone.jpg", lambda _: web.Response(status=404))
    sid = await write(ringback, "look", media=[gone, "http://["])
    assert len(await codes(ringback, sid)) == 2
    assert ringback.requests("/sms")[0]["NumMedia"] == "2"


async def test_a_landline_is_refused_unless_the_account_knows_better(ringback: World) -> None:
    await number(ringback)
    landline = "+442079460018"
    assert await refusal(ringback, To=landline) == 21614
    path = f"/lookups/v2/PhoneNumbers/{landline.replace('+', '%2B')}/Overrides/line_type"
    await ringback._ask("POST", path, json={"line_type": "mobile", "reason": "tried"})
    assert (await send(ringback, To=landline))["status"] in ("sent", "delivered")


async def test_a_message_that_waits_too_long_fails_at_its_time(ringback: World) -> None:
    """Behind many others of a slow account, it is told when its time is up, not when its turn has come."""
    await number(ringback)
    ringback.app("/status", "")
    ringback.product.texting.sender.shut()
    hour = await ringback.post(
        "Messages", To=CUSTOMER, From=OURS, Body="soon", ValidityPeriod="60",
        StatusCallback=ringback.app_url + "/status",
    )  # fmt: skip
    await ringback.advance(59.0)
    assert (await ringback.get(f"Messages/{hour['sid']}"))["status"] == "queued"
    await ringback.advance(2.0)
    failed = await ringback.get(f"Messages/{hour['sid']}")
    assert (failed["status"], failed["error_code"]) == ("failed", 30036)
    assert [one["MessageStatus"] for one in ringback.requests("/status")] == ["failed"]
    ringback.product.texting.sender.open()
    await ringback.settled()
    assert await received(ringback) == []
