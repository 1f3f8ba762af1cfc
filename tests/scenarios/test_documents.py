"""What the application may answer, and what happens when it does not (voice-calls.md §10, webhooks.md)."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web
from twilio.request_validator import RequestValidator

from ringback.media.tones import sine
from ringback.media.wav import header
from ringback.testing.world import Caller, World

FALLBACK = "<Response><Say>fallback</Say></Response>"
SAY = "<Response><Say>fine</Say></Response>"
TONE = sine(800, 1.0)
WAV = header(1, TONE.nbytes) + TONE.tobytes()


def answer(text: str = "", **more: Any) -> Any:
    """A document function that gives this HTTP answer."""
    return lambda params: web.Response(**({"text": text, "content_type": "text/xml"} | more))


async def ring(ringback: World, document: Any, script: list[Any] | None = None) -> Caller:
    """Call a number whose application answers so, with a fallback; wait until all is over."""
    ringback.app("/voice", document)
    ringback.app("/fallback", FALLBACK)
    await ringback.post(
        "IncomingPhoneNumbers",
        PhoneNumber="+15550123",
        VoiceUrl=ringback.app_url + "/voice",
        VoiceFallbackUrl=ringback.app_url + "/fallback",
    )
    caller = await ringback.call("+15550123", script=script)
    await caller.ends()
    await ringback.settled()
    return caller


async def codes(ringback: World) -> list[str]:
    """Codes in the debugger's log."""
    return [one["error_code"] for one in (await ringback.get("Notifications"))["notifications"]]


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (answer(status=500), "11200"),
        (answer(status=404), "11200"),
        (answer(""), "11770"),
        (answer("{}", content_type="application/json"), "12300"),
        (answer("<Response>" + " " * 70_000 + "</Response>"), "11750"),
        (answer("<Foo/>"), "12102"),
        (answer("<response/>"), "12102"),
        (answer(" <?xml version='1.0'?><Response/>"), "12100"),
        (answer("<?xml version='2.0'?><Response/>"), "12101"),
        (answer("<!DOCTYPE a [<!ENTITY x 'y'>]><Response><Say>&x;</Say></Response>"), "12100"),
        (answer("<Response><Play>http://h/?a=1&b=2</Play></Response>"), "12100"),
        ("<Response><Redirect>http://127.0.0.1:1/x</Redirect></Response>", "11202"),
        ("<Response><Redirect>http://no-such-host.invalid/x</Redirect></Response>", "11210"),
    ],
)
async def test_a_failure_goes_to_the_fallback_with_its_code(
    ringback: World, document: Any, code: str
) -> None:
    caller = await ring(ringback, document)
    assert [one["text"] for one in caller.heard] == ["fallback"]
    (asked,) = ringback.requests("/fallback")
    assert asked["ErrorCode"] == code
    assert asked["ErrorUrl"]
    assert code in await codes(ringback)


@pytest.mark.parametrize(
    ("document", "heard"),
    [
        (answer(SAY, content_type="text/html"), ("say", "fine")),
        (answer(SAY, content_type="application/xml"), ("say", "fine")),
        (answer(SAY, content_type="text/plain"), ("say", "fine")),
        (answer("just words", content_type="text/plain"), ("say", "just words")),
        (lambda params: web.Response(body=WAV, content_type="audio/x-wav"), ("play", "/voice")),
    ],
)
async def test_other_answers_that_are_understood(
    ringback: World, document: Any, heard: tuple[str, str]
) -> None:
    caller = await ring(ringback, document)
    (one,) = caller.heard
    assert one["kind"] == heard[0]
    assert one["text"].endswith(heard[1])
    assert await codes(ringback) == []


async def test_eleven_redirects_are_too_many(ringback: World) -> None:
    ringback.app("/hop", lambda params: web.Response(status=302, headers={"Location": "/hop"}))
    await ring(ringback, lambda params: web.Response(status=302, headers={"Location": "/hop"}))
    asked = ringback.requests("/fallback")[0]
    assert (asked["ErrorCode"], asked["ErrorUrl"]) == ("11215", ringback.app_url + "/voice")
    assert len(ringback.requests("/hop")) == 10


async def test_a_redirected_action_loses_the_digits_and_is_signed_anew(ringback: World) -> None:
    ringback.app("/digits", lambda params: web.Response(status=302, headers={"Location": "/after?x=1"}))
    ringback.app("/after", SAY)
    document = "<Response><Gather numDigits='1' action='/digits'/></Response>"
    await ring(ringback, document, [{"wait": 1}, {"press": "5"}])
    assert ringback.requests("/digits")[0]["Digits"] == "5"
    (after,) = ringback.asked("/after")
    assert (after.method, after.params) == ("GET", {"x": "1"})
    validator = RequestValidator(ringback.product.auth_token)
    assert validator.validate(after.url, {}, after.headers["x-twilio-signature"])
    for one in (*ringback.asked("/voice"), *ringback.asked("/digits")):
        assert validator.validate(one.url, dict(one.form), one.headers["x-twilio-signature"])
        assert not validator.validate(one.url + "&", dict(one.form), one.headers["x-twilio-signature"])


async def test_cookies_belong_to_one_call(ringback: World) -> None:
    ringback.app("/next", "<Response/>")
    redirect = "<Response><Redirect method='GET'>/next?a=1</Redirect></Response>"
    await ring(ringback, answer(redirect, headers={"Set-Cookie": "k=v; Path=/"}))
    second = await ringback.call("+15550123")
    await second.ends()
    assert [one.headers.get("cookie") for one in ringback.asked("/voice")] == [None, None]
    assert [one.headers.get("cookie") for one in ringback.asked("/next")] == ["k=v", "k=v"]
    assert ringback.asked("/next")[0].params["a"] == "1"


async def test_overrides_decide_how_often_is_tried(ringback: World) -> None:
    answers = iter([500, 500, 200])

    def flaky(params: dict[str, str]) -> web.Response:
        return web.Response(status=next(answers), text=SAY, content_type="text/xml")

    ringback.app("/flaky", flaky)
    caller = await ring(ringback, "<Response><Redirect>/flaky#rc=2&amp;rp=5xx</Redirect></Response>")
    assert [one["text"] for one in caller.heard] == ["fine"]
    asked = ringback.asked("/flaky")
    assert len(asked) == 3
    assert len({one.headers["i-twilio-idempotency-token"] for one in asked}) == 1


async def test_a_bad_override_is_reported_and_the_default_used(ringback: World) -> None:
    ringback.app("/fine", SAY)
    caller = await ring(ringback, "<Response><Redirect>/fine#rp=sometimes</Redirect></Response>")
    assert [one["text"] for one in caller.heard] == ["fine"]
    (note,) = (await ringback.get(f"Calls/{caller.sid}/Notifications"))["notifications"]
    assert (note["error_code"], note["log"]) == ("11243", "1")


async def test_a_digest_is_answered_and_the_password_stays_secret(ringback: World) -> None:
    challenge = {"WWW-Authenticate": 'Digest realm="r", nonce="n1", qop="auth"'}

    def guarded(params: dict[str, str]) -> web.Response:
        given = ringback.asked("/guarded")[-1].headers.get("authorization", "")
        if not given.startswith("Digest "):
            return web.Response(status=401, headers=challenge)
        assert 'username="bob"' in given
        return web.Response(text=SAY, content_type="text/xml")

    ringback.app("/guarded", guarded)
    number = {
        "PhoneNumber": "+15550124",
        "VoiceUrl": ringback.app_url.replace("//", "//bob:s3cret@") + "/guarded",
    }
    await ringback.post("IncomingPhoneNumbers", **number)
    caller = await ringback.call("+15550124")
    await caller.ends()
    await ringback.settled()
    assert [one["text"] for one in caller.heard] == ["fine"]
    assert "s3cret" not in str(await ringback.get(f"Calls/{caller.sid}/Events"))


async def test_a_suspended_account_is_not_called(ringback: World) -> None:
    ringback.app("/voice", SAY)
    child = await ringback._ask("POST", "/2010-04-01/Accounts.json", data={"FriendlyName": "child"})
    below = f"/2010-04-01/Accounts/{child['sid']}"
    number = {"PhoneNumber": "+15550177", "VoiceUrl": ringback.app_url + "/voice"}
    await ringback._ask("POST", below + "/IncomingPhoneNumbers.json", data=number)
    await ringback._ask("POST", below + ".json", data={"Status": "suspended"})
    caller = await ringback.call("+15550177")
    await caller.ends()
    assert (caller.status, ringback.requests("/voice")) == ("failed", [])
    await ringback._ask("POST", below + ".json", data={"Status": "active"})
    notes = (await ringback._ask("GET", below + "/Notifications.json"))["notifications"]
    assert [one["error_code"] for one in notes] == ["10003"]
    again = await ringback.call("+15550177")
    await again.hears("fine")
    await again.ends()
