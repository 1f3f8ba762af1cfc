"""POST Calls: the code of every broken rule, and which of several comes first (voice-calls.md §2)."""

from __future__ import annotations

import json

import aiohttp
import pytest

from ringback.testing.world import World

TO = ("To", "+15557770001")
FROM = ("From", "+15550123")
URL = ("Url", "http://127.0.0.1:9/voice")
GOOD = [TO, FROM, URL]

Fields = list[tuple[str, str]]

REFUSED: list[tuple[int, Fields]] = [
    (21201, [FROM, URL]),
    (21213, [TO, URL]),
    (21205, [TO, FROM]),
    (21205, [TO, FROM, ("Url", "not a url")]),
    (21205, [TO, FROM, ("Url", "ftp://h/x")]),
    (21205, [*GOOD, ("FallbackUrl", "nonsense")]),
    (21211, [("To", "abc"), FROM, URL]),
    (21211, [("To", "client:"), FROM, URL]),
    (21217, [("To", "+1555"), FROM, URL]),
    (21212, [TO, ("From", "x y"), URL]),
    (21212, [TO, ("From", "client:bob"), URL]),
    (21210, [TO, ("From", "+15559990000"), URL]),
    (21210, [*GOOD, ("CallerId", "+15558880000")]),
    (21209, [*GOOD, ("Method", "PUT")]),
    (21209, [*GOOD, ("FallbackMethod", "DELETE")]),
    (21209, [*GOOD, ("StatusCallback", "http://h/s"), ("StatusCallbackMethod", "PUT")]),
    (21609, [*GOOD, ("StatusCallback", "http://a_b.example/s")]),
    (21626, [*GOOD, ("StatusCallback", "http://h/s"), ("StatusCallbackEvent", "bogus")]),
    (21206, [*GOOD, ("SendDigits", "12x")]),
    (21206, [*GOOD, ("SendDigits", "1" * 33)]),
    (21208, [*GOOD, ("Timeout", "0")]),
    (21208, [*GOOD, ("Timeout", "601")]),
    (21208, [*GOOD, ("TimeLimit", "soon")]),
    (20001, [*GOOD, ("Record", "true"), ("RecordingChannels", "stereo")]),
    (20001, [*GOOD, ("RecordingChannels", "stereo")]),
    (21209, [*GOOD, ("RecordingStatusCallbackMethod", "PUT")]),
    (21300, [*GOOD, ("Byoc", "zz")]),
    (21234, [*GOOD, ("MachineDetection", "Maybe")]),
    (21234, [*GOOD, ("MachineDetection", "Enable"), ("MachineDetectionTimeout", "2")]),
    (21218, [*GOOD, ("ApplicationSid", "AP" + "0" * 32)]),
    (32018, [TO, FROM, ("Twiml", "<Response>" + " " * 4000 + "</Response>")]),
    # the magic numbers
    (21217, [("To", "+15005550001"), FROM, URL]),
    (21214, [("To", "+15005550002"), FROM, URL]),
    (21215, [("To", "+15005550003"), FROM, URL]),
    (21216, [("To", "+15005550004"), FROM, URL]),
    (21212, [TO, ("From", "+15005550001"), URL]),
    # the order: presence, instructions, syntax of From, of To, rights, destination, other values
    (21201, [("From", "x y"), ("Url", "zz"), ("Timeout", "x")]),
    (21205, [("To", "zz"), ("From", "x y"), ("Url", "zz"), ("Timeout", "x")]),
    (21212, [("To", "zz"), ("From", "x y"), URL, ("Timeout", "x")]),
    (21211, [("To", "zz"), ("From", "+15559990000"), URL, ("Timeout", "x")]),
    (21210, [TO, ("From", "+15559990000"), URL, ("Timeout", "x")]),
    (21214, [("To", "+15005550002"), FROM, URL, ("Timeout", "x")]),
]


async def answer(
    ringback: World, fields: Fields, user: tuple[str, str] | None = None
) -> tuple[int, dict[str, object]]:
    """Status and body of POST Calls."""
    sid, token = user or (ringback.product.account_sid, ringback.product.auth_token)
    headers = {"Authorization": aiohttp.encode_basic_auth(sid, token)}
    url = f"{ringback.url}/2010-04-01/Accounts/{sid}/Calls.json"
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=fields, headers=headers) as response,
    ):
        return response.status, json.loads(await response.text())


async def test_every_broken_rule_has_its_code_and_makes_no_call(ringback: World) -> None:
    await ringback.number("+15550123", voice="/none")
    wrong = []
    for code, fields in REFUSED:
        status, body = await answer(ringback, fields)
        assert (status, body["status"]) == (400, 400)
        assert "Unable to" not in str(body["message"])  # official clients put it there
        assert str(body["more_info"]).endswith(str(body["code"]))
        if body["code"] != code:
            wrong.append((code, body["code"], fields))
    assert wrong == []
    assert (await ringback.get("Calls"))["calls"] == []


@pytest.mark.parametrize(
    ("to", "shown"), [("(415) 555-1212", "+14155551212"), ("+442079460123", "+442079460123")]
)
async def test_numbers_are_normalised_and_formatted(ringback: World, to: str, shown: str) -> None:
    await ringback.number("+15550123", voice="/none")
    status, body = await answer(ringback, [("To", to), FROM, ("Twiml", "<Response/>")])
    assert (status, body["to"]) == (201, shown)
    assert body["to_formatted"] == ("(415) 555-1212" if shown.startswith("+1") else shown)
    live = ("start_time", "end_time", "duration", "price", "answered_by", "error_code")
    assert [body[key] for key in ("status", *live)] == ["queued"] + [None] * len(live)


async def test_url_wins_over_twiml_with_a_warning(ringback: World) -> None:
    ringback.app("/voice", "<Response><Say>From the URL</Say></Response>")
    await ringback.number("+15550123", voice="/none")
    fields = [TO, FROM, ("Url", ringback.app_url + "/voice"), ("Twiml", "<Response><Say>x</Say></Response>")]
    status, body = await answer(ringback, fields)
    assert status == 201
    await ringback.final(str(body["sid"]))
    assert len(ringback.requests("/voice")) == 1
    (note,) = (await ringback.get(f"Calls/{body['sid']}/Notifications"))["notifications"]
    assert (note["error_code"], note["log"]) == ("32019", "1")


async def test_test_credentials_check_everything_and_dial_nothing(ringback: World) -> None:
    known = ringback.product.credentials
    user = (known.test_account_sid, known.test_auth_token)
    good = [TO, ("From", "+15005550006"), URL]
    status, body = await answer(ringback, good, user)
    assert (status, body["status"], body["account_sid"]) == (201, "queued", user[0])
    assert (await answer(ringback, [TO, FROM, URL], user))[1]["code"] == 21210
    assert (await answer(ringback, [("To", "+15005550004"), *good[1:]], user))[1]["code"] == 21216
    await ringback.settled()
    assert (await ringback.get("Calls"))["calls"] == []
