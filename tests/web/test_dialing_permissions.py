"""Dialling permissions over HTTP, and what they do to calls (call-outcomes.md §4, §4.1, §8 test 9)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest

from ringback.resources.api.call import Call
from ringback.testing.world import World, world
from ringback.web.nouns.voice.country import read_changes

UK, FRANCE, UK_PREMIUM = "+442079460018", "+33612345678", "+449012345678"
BUSY = "+15557770001"
BASE = "/voice/v1/DialingPermissions"


async def ask(
    ringback: World, path: str, method: str = "GET", user: tuple[str, str] | None = None, **form: str
) -> tuple[int, Any]:
    """Status and JSON; ``form`` is the body of a POST, or the query of a GET."""
    known = user or (ringback.product.account_sid, ringback.product.auth_token)
    headers = {"Authorization": aiohttp.encode_basic_auth(*known)}
    url = ringback.url + path
    if method == "GET" and form:
        url += "?" + urlencode(form)
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, headers=headers, data=form if method == "POST" else None) as answer,
    ):
        text = await answer.text()
        return answer.status, json.loads(text) if text else None


async def change(ringback: World, *updates: dict[str, Any], user: tuple[str, str] | None = None) -> Any:
    """A bulk update that must be good."""
    status, body = await ask(
        ringback, f"{BASE}/BulkCountryUpdates", "POST", user, UpdateRequest=json.dumps(updates)
    )
    assert status == 201, body
    return body


async def call(ringback: World, to: str, user: tuple[str, str] | None = None) -> int | None:
    """The code with which POST Calls refuses a number, or None."""
    sid = (user or (ringback.product.account_sid,))[0]
    status, body = await ask(
        ringback, f"/2010-04-01/Accounts/{sid}/Calls.json", "POST", user,
        To=to, From="+15550123", Twiml="<Response/>",
    )  # fmt: skip
    assert status in (201, 400)
    return body["code"] if status == 400 else None


async def test_the_list_of_countries_and_its_filters(ringback: World) -> None:
    _, body = await ask(ringback, f"{BASE}/Countries", PageSize="1000")
    assert body["meta"]["key"] == "content"
    assert len(body["content"]) == 246
    _, one = await ask(ringback, f"{BASE}/Countries/gb")
    assert one == {
        "iso_code": "GB", "name": "United Kingdom", "continent": "EUROPE", "country_codes": ["+44"],
        "low_risk_numbers_enabled": True, "high_risk_special_numbers_enabled": False,
        "high_risk_tollfraud_numbers_enabled": False,
        "url": f"{ringback.url}{BASE}/Countries/GB",
        "links": {"highrisk_special_prefixes": f"{ringback.url}{BASE}/Countries/GB/HighRiskSpecialPrefixes"},
    }  # fmt: skip
    assert one in body["content"]
    await change(ringback, {"iso_code": "gb", "low_risk_numbers_enabled": "false"})

    async def codes(**filters: str) -> list[str]:
        _, found = await ask(ringback, f"{BASE}/Countries", **filters)
        return [each["iso_code"] for each in found["content"]]

    assert await codes(IsoCode="fr") == ["FR"]
    assert await codes(CountryCode="+44") == await codes(CountryCode="44") == ["GB", "GG", "IM", "JE"]
    assert await codes(LowRiskNumbersEnabled="false") == ["GB"]
    assert await codes(LowRiskNumbersEnabled="true", CountryCode="44") == ["GG", "IM", "JE"]
    assert await codes(HighRiskTollfraudNumbersEnabled="true") == []
    assert len(await codes(Continent="SOUTH_AMERICA")) == 14
    assert (await ask(ringback, f"{BASE}/Countries/ZZ"))[0] == 404
    assert (await ask(ringback, f"{BASE}/Countries/GB", "POST"))[0] == 405
    assert (await ask(ringback, f"{BASE}/Countries", LowRiskNumbersEnabled="maybe"))[1]["code"] == 20001


async def test_a_disabled_country_refuses_calls_and_dials(ringback: World) -> None:
    await ringback.number("+15550123", voice="/voice")
    assert await call(ringback, UK) is None
    made = await change(ringback, {"iso_code": "GB", "low_risk_numbers_enabled": False}, {"iso_code": "FR"})
    assert made["update_count"] == 2
    assert json.loads(made["update_request"])[1] == {"iso_code": "FR"}
    assert [await call(ringback, to) for to in (UK, UK_PREMIUM, FRANCE)] == [21215, 21215, None]
    numbers = (UK, UK_PREMIUM, "911", "123", "+1555", BUSY)
    ringback.app(
        "/voice", f"<Response><Dial>{''.join(f'<Number>{one}</Number>' for one in numbers)}</Dial></Response>"
    )
    await ringback.sim("PUT", f"Numbers/{BUSY}", {"answers": "busy"})
    caller = await ringback.call("+15550123")
    await caller.ends()
    await ringback.settled()
    notes = (await ringback.get(f"Calls/{caller.sid}/Notifications"))["notifications"]
    assert sorted(note["error_code"] for note in notes) == ["13223", "13224", "13224", "13227", "13227"]
    legs = await ringback.product.store.find(Call, parent_call_sid=caller.sid)
    assert [(leg.to, leg.status) for leg in legs] == [(BUSY, "busy")]
    await change(ringback, {"iso_code": "GB", "low_risk_numbers_enabled": "true"})
    assert [await call(ringback, to) for to in (UK, UK_PREMIUM)] == [None, 21202]
    await change(ringback, {"iso_code": "GB", "high_risk_special_numbers_enabled": True})
    assert await call(ringback, UK_PREMIUM) is None


async def test_participants_are_calls_too(ringback: World) -> None:
    await ringback.number("+15550123", voice="/voice")
    await change(ringback, {"iso_code": "GB", "low_risk_numbers_enabled": False})
    path = f"/2010-04-01/Accounts/{ringback.product.account_sid}/Conferences/room/Participants.json"
    status, body = await ask(ringback, path, "POST", From="+15550123", To=UK)
    assert (status, body["code"]) == (400, 21215)


@pytest.mark.parametrize(
    "text",
    [
        "", "x", "{}", "[1]", "[{}]", '[{"iso_code": 5}]', '[{"iso_code":"GB","low_risk_numbers":"Enabled"}]',
        '[{"iso_code":"GB","low_risk_numbers_enabled":"Enabled"}]', "[" * 20_000,
        '[{"iso_code":"GB","low_risk_numbers_enabled":1}]', json.dumps([{"iso_code": "GB"}] * 1001),
    ],
)  # fmt: skip
async def test_a_bad_update_changes_nothing(ringback: World, text: str) -> None:
    status, body = await ask(ringback, f"{BASE}/BulkCountryUpdates", "POST", UpdateRequest=text)
    assert (status, body["code"]) == (400, 20001)
    assert body["message"].startswith("UpdateRequest")


async def test_all_of_an_update_or_nothing(ringback: World) -> None:
    text = '[{"iso_code":"GB","low_risk_numbers_enabled":false},{"iso_code":"ZZ"}]'
    status, body = await ask(ringback, f"{BASE}/BulkCountryUpdates", "POST", UpdateRequest=text)
    assert (status, body["code"]) == (400, 20001)
    _, one = await ask(ringback, f"{BASE}/Countries/GB")
    assert one["low_risk_numbers_enabled"] is True


def test_words_and_booleans_of_an_update() -> None:
    text = '[{"iso_code":"gb","low_risk_numbers_enabled":"TRUE","high_risk_special_numbers_enabled":false}]'
    assert read_changes(text) == [
        {"iso_code": "GB", "low_risk_numbers_enabled": True, "high_risk_special_numbers_enabled": False}
    ]


async def test_blocked_numbers_and_high_risk_prefixes(ringback: World) -> None:
    await ringback.number("+15550123", voice="/voice")
    status, blocked = await ask(
        ringback,
        f"{BASE}/BlockedNumbers",
        "POST",
        PhoneNumber="+44 20 7946 0018",
        FriendlyName="asked us to stop",
    )
    assert (status, blocked["phone_number"]) == (201, UK)
    assert (await ask(ringback, f"{BASE}/BlockedNumbers", "POST", PhoneNumber=UK))[0] == 409
    assert (await ask(ringback, f"{BASE}/BlockedNumbers", "POST", PhoneNumber="x"))[1]["code"] == 21211
    assert await call(ringback, UK) == 21216
    assert (await ask(ringback, f"{BASE}/BlockedNumbers/{blocked['sid']}", "DELETE"))[0] == 204
    assert await call(ringback, UK) is None
    status, risky = await ask(ringback, f"{BASE}/HighRiskPrefixes", "POST", Prefix="+44 20", Kind="special")
    assert (status, risky["prefix"]) == (201, "+4420")
    _, found = await ask(ringback, f"{BASE}/Countries/GB/HighRiskSpecialPrefixes", PageSize="1000")
    assert {"prefix": "+4420"} in found["content"]
    assert {"prefix": "+4490"} in found["content"]
    assert await call(ringback, UK) == 21215
    _, risky = await ask(ringback, f"{BASE}/HighRiskPrefixes/{risky['sid']}", "POST", Kind="low")
    assert (risky["kind"], await call(ringback, UK)) == ("low", None)
    for wrong in ("44", "+0", "+4", "x"):
        assert (await ask(ringback, f"{BASE}/HighRiskPrefixes", "POST", Prefix=wrong))[1]["code"] == 20001


async def test_pages_of_special_prefixes(ringback: World) -> None:
    path, found = f"{BASE}/Countries/CN/HighRiskSpecialPrefixes", []
    url: str | None = f"{path}?PageSize=100"
    while url:
        _, body = await ask(ringback, url.removeprefix(ringback.url))
        found += [one["prefix"] for one in body["content"]]
        url = body["meta"]["next_page_url"]
    assert len(found) == len(set(found)) > 100
    assert found == sorted(found)
    assert (await ask(ringback, f"{BASE}/Countries/ZZ/HighRiskSpecialPrefixes"))[0] == 404
    assert (await ask(ringback, path, PageSize="x"))[1]["code"] == 20001


async def test_subaccounts_inherit_until_they_say_otherwise(ringback: World) -> None:
    _, child = await ask(ringback, "/2010-04-01/Accounts.json", "POST", FriendlyName="child")
    user = (child["sid"], child["auth_token"])
    await ask(
        ringback,
        f"/2010-04-01/Accounts/{child['sid']}/IncomingPhoneNumbers.json",
        "POST",
        PhoneNumber="+15550123",
    )
    await change(ringback, {"iso_code": "GB", "low_risk_numbers_enabled": False})
    assert (await ask(ringback, "/voice/v1/Settings", "GET", user))[1] == {
        "dialing_permissions_inheritance": True, "url": f"{ringback.url}/voice/v1/Settings",
    }  # fmt: skip
    assert await call(ringback, UK, user) == 21215
    status, body = await ask(
        ringback, "/voice/v1/Settings", "POST", user, DialingPermissionsInheritance="false"
    )
    assert (status, body["dialing_permissions_inheritance"]) == (202, False)
    assert await call(ringback, UK, user) is None
    await change(ringback, {"iso_code": "FR", "low_risk_numbers_enabled": False}, user=user)
    assert await call(ringback, FRANCE, user) == 21215
    _, main = await ask(ringback, f"{BASE}/Countries/FR")
    assert main["low_risk_numbers_enabled"] is True
    assert (await ask(ringback, "/voice/v1/Settings"))[1]["dialing_permissions_inheritance"] is False
    for wrong in ("true", "maybe"):
        found = await ask(ringback, "/voice/v1/Settings", "POST", DialingPermissionsInheritance=wrong)
        assert (found[0], found[1]["code"]) == (400, 20001)


async def test_test_credentials_change_nothing(ringback: World) -> None:
    known = ringback.product.credentials
    user = (known.test_account_sid, known.test_auth_token)
    text = '[{"iso_code":"GB","low_risk_numbers_enabled":false}]'
    for path in ("BulkCountryUpdates", "BlockedNumbers", "HighRiskPrefixes"):
        status, body = await ask(ringback, f"{BASE}/{path}", "POST", user, UpdateRequest=text, PhoneNumber=UK)
        assert (status, body["code"]) == (403, 20008)


async def test_everything_outlives_a_restart(tmp_path: Path) -> None:
    async with world(tmp_path) as first:
        await change(first, {"iso_code": "GB", "low_risk_numbers_enabled": False})
        await ask(first, f"{BASE}/BlockedNumbers", "POST", PhoneNumber=FRANCE)
        await ask(first, f"{BASE}/HighRiskPrefixes", "POST", Prefix="+49301")
        path = f"/lookups/v2/PhoneNumbers/{FRANCE}/Overrides/line_type"
        assert (await ask(first, path, "POST", line_type="pager"))[0] == 201
    async with world(tmp_path) as second:
        refuse, account = second.product.permissions.refuse, second.product.account_sid
        assert [refuse(one, account) for one in (UK, FRANCE, "+49301234567")] == [21215, 21216, 21215]
        _, found = await ask(second, f"/lookups/v2/PhoneNumbers/{FRANCE}", Fields="line_type_intelligence")
        assert found["line_type_intelligence"]["type"] == "pager"


async def test_emergency_numbers_are_called_only_when_configured(tmp_path: Path) -> None:
    async with world(
        tmp_path, emergency_numbers="112", dialing_default="home", home_country="DE"
    ) as ringback:
        await ringback.number("+15550123", voice="/none")
        found = [await call(ringback, to) for to in ("112", "911", "110", "12", UK, "+493012345678")]
        assert found == [None, 21214, 21214, 21211, 21215, None]
