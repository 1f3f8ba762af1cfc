"""Lookup v2 and v1, LineTypeOverride included, over HTTP (call-outcomes.md §2, §3, §8 tests 1–3)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest

from ringback.effects import Save
from ringback.resources.api.call import Call
from ringback.testing.world import World
from ringback.web import lookup_lines
from ringback.web.lookup_lines import PACKAGES, LineQuery

KEYS = [
    "calling_country_code", "country_code", "phone_number", "national_format", "valid", "validation_errors",
    *PACKAGES, "url",
]  # fmt: skip
MOBILE = "+447400123456"


async def ask(
    ringback: World,
    path: str,
    method: str = "GET",
    *,
    body: Any = None,
    host: str = "",
    product: str = "/lookups",
) -> tuple[int, Any]:
    """Status and JSON of a request; ``path`` goes out as it is, percent signs included."""
    product_ = ringback.product
    headers = {"Authorization": aiohttp.encode_basic_auth(product_.account_sid, product_.auth_token)}
    if host:
        headers["Host"] = host
    from yarl import URL

    url = URL(ringback.url + product + path, encoded=True)
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, headers=headers, json=body) as answer,
    ):
        text = await answer.text()
        return answer.status, json.loads(text) if text else None


async def test_every_key_is_there_and_no_package_is_given_unasked(ringback: World) -> None:
    status, body = await ask(ringback, "/v2/PhoneNumbers/+14159929960")
    assert (status, sorted(body)) == (200, sorted(KEYS))
    assert body["url"] == f"{ringback.url}/lookups/v2/PhoneNumbers/+14159929960"
    assert (body["calling_country_code"], body["country_code"], body["valid"]) == ("1", "US", True)
    assert (body["national_format"], body["validation_errors"]) == ("(415) 992-9960", [])
    assert [body[name] for name in PACKAGES] == [None] * len(PACKAGES)


async def test_an_invalid_number_is_200_in_v2_and_404_in_v1(ringback: World) -> None:
    status, body = await ask(ringback, "/v2/PhoneNumbers/+141599299600")
    assert (status, body["valid"], body["validation_errors"]) == (200, False, ["TOO_LONG"])
    assert body["phone_number"] == "+141599299600"
    assert [body[key] for key in ("calling_country_code", "country_code", "national_format")] == [None] * 3
    status, body = await ask(ringback, "/v1/PhoneNumbers/+141599299600")
    assert (status, body["code"]) == (404, 20404)


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("+14159929960", "+14159929960"), ("%2B14159929960", "+14159929960"),
        ("%252B14159929960", "+14159929960"), ("14159929960", "+14159929960"),
        ("(415)%20992-9960", "+14159929960"), ("020%207946%200018?CountryCode=GB", "+442079460018"),
        ("02079460018?CountryCode=gb", "+442079460018"),
        ("%EF%BC%8B14159929960", "+14159929960"), ("+1415992.9960", "+14159929960"),
    ],
)  # fmt: skip
async def test_one_number_in_many_paths(ringback: World, path: str, number: str) -> None:
    for version in ("v1", "v2"):
        status, body = await ask(ringback, f"/{version}/PhoneNumbers/{path}")
        assert (status, body["phone_number"]) == (200, number)


HOSTILE = [
    "abc", "%00", "%E2%80%AE%2B14159929960", "%FF%FE", "%F0%9F%93%9E", "911", "%2B", "..", "%2e%2e", "%0d%0aX:1",
    "+" + "9" * 200, "%27%3B%20DROP%20TABLE%20calls", "%25%25%25", "sip:bob@example.com", "+1%C2%A04159",
]  # fmt: skip


async def test_hostile_numbers_are_answered(ringback: World) -> None:
    for path in HOSTILE:
        status, body = await ask(ringback, f"/v2/PhoneNumbers/{path}?Fields=line_status,sim_swap")
        if status == 404:  # normalised away as a path, or no text
            assert path in ("..", "%2e%2e")
            continue
        assert (status, body["valid"], body["national_format"]) == (200, False, None), path
        assert len(body["validation_errors"]) == 1
        assert body["line_status"] == {"status": None, "error_code": 60600}
        assert (await ask(ringback, f"/v1/PhoneNumbers/{path}"))[0] == 404
    assert (await ask(ringback, "/v2/PhoneNumbers/" + "9" * 300))[0] == 404


async def test_fields_fill_what_they_name_and_nothing_else(ringback: World) -> None:
    path = f"/v2/PhoneNumbers/{MOBILE}?Fields=line_type_intelligence,line_status"
    _, body = await ask(ringback, path)
    line = body["line_type_intelligence"]
    assert (line["type"], line["error_code"], bool(line["carrier_name"])) == ("mobile", None, True)
    assert body["line_status"] == {
        "status": "unknown", "error_code": None,
        "evidence": {"calls": 0, "last_outcome": None, "last_at": None, "reachable_count": 0},
    }  # fmt: skip
    others = set(PACKAGES) - {"line_type_intelligence", "line_status"}
    assert {name: body[name] for name in others} == dict.fromkeys(others)
    _, body = await ask(ringback, f"/v2/PhoneNumbers/{MOBILE}?Fields={','.join(PACKAGES)},validation")
    for name in others:
        assert body[name] == {**dict.fromkeys(PACKAGES[name]), "error_code": 60600}, name


async def test_parameters_that_make_no_sense(ringback: World) -> None:
    for query in ("Fields=horoscope", "CountryCode=England", "DateOfBirth=1.4.1990"):
        status, body = await ask(ringback, f"/v2/PhoneNumbers/{MOBILE}?{query}")
        assert (status, body["code"]) == (400, 20001), query
    assert (await ask(ringback, f"/v1/PhoneNumbers/{MOBILE}?Type=weather"))[1]["code"] == 20001
    _, body = await ask(ringback, "/v2/PhoneNumbers/02079460018?CountryCode=ZZ")
    assert body["validation_errors"] == ["INVALID_COUNTRY_CODE"]
    assert (await ask(ringback, f"/v2/PhoneNumbers/{MOBILE}", "DELETE"))[0] == 405


async def test_the_line_status_comes_from_our_own_calls(ringback: World) -> None:
    product = ringback.product
    other = "AC" + "9" * 32

    async def past(status: str, code: int, account: str = product.account_sid) -> None:
        call = Call(
            sid=product.new_sid("CA"), account_sid=account, to=MOBILE, direction="outbound-api", status=status,
            sip_code=code, end_time=1_600_000_000.0,
        )  # fmt: skip
        await product.store.commit([Save(call)])

    async def status() -> dict[str, Any]:
        _, body = await ask(ringback, f"/v2/PhoneNumbers/{MOBILE}?Fields=line_status")
        found: dict[str, Any] = body["line_status"]
        return found

    await past("completed", 200)
    assert await status() == {
        "status": "active", "error_code": None,
        "evidence": {
            "calls": 1, "last_outcome": "completed", "last_at": "2020-09-13T12:26:40Z", "reachable_count": 1,
        },
    }  # fmt: skip
    await past("failed", 404)
    assert (await status())["status"] == "unknown"
    await past("failed", 404, other)
    assert (await status())["status"] == "unknown"
    await past("failed", 404)
    found = await status()
    assert (found["status"], found["evidence"]["calls"]) == ("inactive", 3)


@pytest.mark.parametrize(
    ("answers", "outcome", "status"),
    [
        ("busy", "busy", "active"),
        ("invalid", "failed", "inactive"),
        ("no-answer", "no-answer", "active"),
    ],
)
async def test_calls_that_were_really_made_are_the_evidence(
    ringback: World, answers: str, outcome: str, status: str
) -> None:
    await ringback.number("+15550123", voice="/none")
    number = "+14155552671"
    await ringback.sim("PUT", f"Numbers/{number}", {"answers": answers})
    for _ in range(2):
        call = await ringback.post("Calls", To=number, From="+15550123", Twiml="<Response/>")
        assert (await ringback.final(call["sid"]))["status"] == outcome
    _, body = await ask(ringback, f"/v2/PhoneNumbers/{number}?Fields=line_status")
    found = body["line_status"]
    assert (found["status"], found["evidence"]["calls"]) == (status, 2)
    assert found["evidence"]["last_outcome"] == outcome


async def test_v1_carrier_and_caller_name(ringback: World) -> None:
    _, body = await ask(ringback, f"/v1/PhoneNumbers/{MOBILE}")
    assert list(body) == [
        "caller_name", "carrier", "country_code", "phone_number", "national_format", "add_ons", "url",
    ]  # fmt: skip
    assert (body["carrier"], body["caller_name"], body["add_ons"]) == (None, None, None)
    _, body = await ask(ringback, f"/v1/PhoneNumbers/{MOBILE}?Type=carrier&Type=caller-name&AddOns=x")
    assert (body["carrier"]["type"], body["carrier"]["error_code"]) == ("mobile", None)
    assert body["caller_name"] == {"caller_name": None, "caller_type": None, "error_code": 60600}
    assert body["add_ons"]["status"] == "failed"


async def test_by_host_name_and_without_credentials(ringback: World) -> None:
    status, body = await ask(ringback, f"/v2/PhoneNumbers/{MOBILE}", host="lookups.example.com", product="")
    assert (status, body["valid"]) == (200, True)
    async with aiohttp.ClientSession() as session:
        for path in ("/lookups/v2/PhoneNumbers/+1", "/lookups/v1/PhoneNumbers/+1", "/voice/v1/Settings"):
            async with session.get(ringback.url + path) as answer:
                assert (answer.status, (await answer.json())["code"]) == (401, 20003)


async def test_overrides_from_create_to_delete(ringback: World) -> None:
    path = f"/v2/PhoneNumbers/{MOBILE}/Overrides/line_type"
    assert (await ask(ringback, path))[0] == 404
    assert (await ask(ringback, path, "PUT", body={"line_type": "pager"}))[0] == 404
    status, made = await ask(
        ringback, path, "POST", body={"line_type": "landline", "reason": "we know better"}
    )
    assert status == 201
    assert (made["original_line_type"], made["overridden_line_type"]) == ("mobile", "landline")
    assert made["override_reason"] == "we know better"
    assert made["overridden_by_account_sid"] == ringback.product.account_sid
    assert (await ask(ringback, path, "POST", body={"line_type": "pager"}))[1]["code"] == 20409
    lookup = f"/v2/PhoneNumbers/{MOBILE}?Fields=line_type_intelligence"
    assert (await ask(ringback, lookup))[1]["line_type_intelligence"]["type"] == "landline"
    status, changed = await ask(ringback, path, "PUT", body={"line_type": "fixedVoip"})
    assert (status, changed["overridden_line_type"], changed["override_reason"]) == (200, "fixedVoip", None)
    assert (await ask(ringback, path))[1] == changed
    _, old = await ask(ringback, f"/v1/PhoneNumbers/{MOBILE}?Type=carrier")
    assert old["carrier"]["type"] == "voip"
    assert await ask(ringback, path, "DELETE") == (204, None)
    assert (await ask(ringback, lookup))[1]["line_type_intelligence"]["type"] == "mobile"
    assert (await ask(ringback, path, "DELETE"))[0] == 404
    for wrong in ({"line_type": "satellite"}, {}, {"line_type": "pager", "reason": "x" * 1001}):
        assert (await ask(ringback, path, "POST", body=wrong))[1]["code"] == 20001
    assert (await ask(ringback, f"/v2/PhoneNumbers/{MOBILE}/Overrides/colour"))[0] == 404
    assert (await ask(ringback, "/v2/PhoneNumbers/abc/Overrides/line_type", "POST", body={}))[0] == 404


async def test_a_batch_answers_each_number_on_its_own(ringback: World) -> None:
    items = [
        {"correlation_id": "a", "phone_number": MOBILE, "fields": ["line_type_intelligence"]},
        {"correlation_id": "b", "phone_number": "02079460018", "country_code": "GB"},
        {"correlation_id": "c", "phone_number": "nonsense"},
        {"correlation_id": "d"},
        {"correlation_id": "e", "phone_number": MOBILE, "fields": ["horoscope"]},
        {"correlation_id": "f", "phone_number": MOBILE, "fields": [1]},
        "text",
    ]
    status, body = await ask(ringback, "/v2/batch/query", "POST", body={"phone_numbers": items})
    found = body["phone_numbers"]
    assert (status, [one["correlation_id"] for one in found]) == (200, ["a", "b", "c", "d", "e", "f", None])
    assert (found[0]["line_type_intelligence"]["type"], found[0]["line_status"]) == ("mobile", None)
    assert (found[1]["phone_number"], found[2]["valid"]) == ("+442079460018", False)
    assert [one["code"] for one in found[3:]] == [20001] * 4
    for wrong in ({}, {"phone_numbers": []}, {"phone_numbers": [{"phone_number": MOBILE}] * 101}):
        assert (await ask(ringback, "/v2/batch/query", "POST", body=wrong))[0] == 400


class Directory:
    """A provider that knows some things, breaks on one and hangs on another."""

    def __init__(self) -> None:
        self.asked: list[LineQuery] = []

    async def look_up(self, package: str, query: LineQuery) -> Mapping[str, Any] | None:
        self.asked.append(query)
        if package == "sim_swap":
            raise OSError("the service is down")
        if package == "call_forwarding":
            await asyncio.sleep(3600)
        if package == "line_status":
            return {"status": "reachable"}
        if package == "caller_name":
            return {"caller_name": "ADA LOVELACE", "caller_type": "CONSUMER"}
        return None


async def test_a_provider_is_plugged_in(ringback: World, monkeypatch: pytest.MonkeyPatch) -> None:
    provider = Directory()
    ringback.product.lookups.providers.insert(0, provider)
    monkeypatch.setattr(lookup_lines, "PROVIDER_SECONDS", 0.05)
    fields = "caller_name,line_status,line_type_intelligence,sim_swap,call_forwarding"
    _, body = await ask(ringback, f"/v2/PhoneNumbers/{quote(MOBILE)}?Fields={fields}&FirstName=Ada")
    assert body["caller_name"] == {
        "caller_name": "ADA LOVELACE",
        "caller_type": "CONSUMER",
        "error_code": None,
    }
    assert body["line_status"] == {"status": "reachable", "error_code": None}
    assert body["line_type_intelligence"]["type"] == "mobile"  # the built-in one is asked next
    assert body["sim_swap"]["error_code"] == body["call_forwarding"]["error_code"] == 60600
    assert provider.asked[0].params["FirstName"] == "Ada"
