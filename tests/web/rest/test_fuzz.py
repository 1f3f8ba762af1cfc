"""Whatever comes over the network: an answer with the envelope, never a 500, never an exception."""

from __future__ import annotations

import base64
import json
import random
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringback.effects import Save
from ringback.kernel.sid import SidMaker
from ringback.resources import all_nouns
from ringback.resources.api.account import Account
from ringback.store import Store
from ringback.web.nouns import collect
from ringback.web.rest import RestApplication, RestSettings, build_rest
from tests.web.ports import ports

AC = "AC" + "1" * 32
GOOD = b"Basic " + base64.b64encode(f"{AC}:secret".encode())


async def ask(
    app: Any, method: str, path: str, body: bytes = b"", query: bytes = b"", **headers: bytes
) -> tuple[int, dict[bytes, bytes], bytes]:
    """One request without a socket."""
    sent: list[dict[str, Any]] = []
    given_headers = {b"authorization": GOOD, b"host": b"localhost"} | {
        name.replace("_", "-").encode(): value for name, value in headers.items()
    }
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query,
        "headers": list(given_headers.items()),
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[RestApplication]:
    store = await Store.open(f"sqlite:///{tmp_path / 'db'}")
    await store.commit([Save(Account(sid=AC, account_sid=AC, auth_token="secret"))])
    make_sid = SidMaker(time.time, random.getrandbits)
    yield build_rest(
        store,
        all_nouns(),
        collect(ports(store, tmp_path, make_sid, time.time)),
        RestSettings(
            public_url="http://localhost", now=time.time, make_sid=make_sid, make_secret=lambda: "0" * 32
        ),
    )
    await store.close()


pieces = st.sampled_from(
    [
        "2010-04-01",
        "api",
        "monitor",
        "v1",
        "Alerts",
        "Accounts",
        AC,
        "Calls",
        "Recordings",
        "CA" + "0" * 32,
        "Events",
        "IncomingPhoneNumbers",
        "Local",
        "AvailablePhoneNumbers",
        "US",
        "Twilio.CURRENT",
        "Applications.json",
        "..",
        "Keys",
        "%00",
        "Notifications",
        "RE" + "F" * 32 + ".mp3",
        "",
    ]
)
names = st.sampled_from(
    [
        "PageSize",
        "Page",
        "PageToken",
        "StartTime>",
        "StartTime",
        "DateCreated<",
        "FriendlyName",
        "VoiceUrl",
        "Log",
        "LogLevel",
        "PhoneNumber",
        "AreaCode",
        "Beta",
        "Status",
        "VoiceMethod",
        "To",
        "Contains",
        "IncludeSoftDeleted",
    ]
)
values = st.one_of(
    st.binary(max_size=30),
    st.sampled_from(
        [
            b"0",
            b"-1",
            b"9" * 25,
            b"2026-99-99",
            b"0001-01-01",
            b"9999-12-31T23:59:59Z",
            b"0001-01-01T00:00:00%2B23:59",
            b"PA",
            b"PACA" + b"0" * 32,
            b"http://[",
            b"http://h:99999/",
            b"%FF",
            b"%00",
            b"%zz",
            b"true",
            b"\xc2\xb2",
        ]
    ),
).map(lambda value: value.replace(b"&", b""))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=st.sampled_from(["GET", "POST", "DELETE", "PUT", "HEAD", "OPTIONS", "PATCH"]),
    path=st.lists(st.one_of(pieces, st.text(max_size=8)), max_size=7).map(
        lambda parts: "/" + "/".join(parts)
    ),
    form=st.lists(st.tuples(names, values), max_size=4).map(
        lambda pairs: b"&".join(name.encode() + b"=" + value for name, value in pairs)
    ),
    kind=st.sampled_from([b"application/x-www-form-urlencoded", b"application/json", b"", b"\xff"]),
)
async def test_never_a_500(app: RestApplication, method: str, path: str, form: bytes, kind: bytes) -> None:
    status, _, body = await ask(app, method, path, form, form, content_type=kind)
    assert status < 500 or json.loads(body)["code"] == 20503
    if status >= 400 and method != "HEAD":
        assert json.loads(body)["status"] == status


@pytest.mark.parametrize("resource", ["Applications", "IncomingPhoneNumbers", "Calls", "Recordings", "Keys"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(form=st.lists(st.tuples(names, values), max_size=4))
async def test_lists_and_creates_survive_any_form(
    app: RestApplication, resource: str, form: list[tuple[str, bytes]]
) -> None:
    data = b"&".join(name.encode() + b"=" + value for name, value in form)
    path = f"/2010-04-01/Accounts/{AC}/{resource}.json"
    for status, _, body in (await ask(app, "GET", path, b"", data), await ask(app, "POST", path, data)):
        assert status in (200, 201, 400, 405) or json.loads(body)["code"] == 20503


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    header=st.one_of(
        st.binary(max_size=60), st.binary(max_size=60).map(lambda b: b"Basic " + base64.b64encode(b))
    )
)
async def test_any_credentials_are_401(app: RestApplication, header: bytes) -> None:
    status, headers, body = await ask(
        app, "GET", f"/2010-04-01/Accounts/{AC}/Calls.json", authorization=header
    )
    assert (status, json.loads(body)["code"]) == (401, 20003)
    assert headers[b"www-authenticate"] == b'Basic realm="Twilio API"'


async def test_limits_methods_and_places(app: RestApplication) -> None:
    path = f"/2010-04-01/Accounts/{AC}/Applications.json"
    assert (await ask(app, "POST", path, b"a" * 300_000))[0] == 413
    assert json.loads((await ask(app, "POST", path, b"a=1&" * 1001))[2])["code"] == 20001
    status, headers, body = await ask(app, "DELETE", path)
    assert (status, json.loads(body)["code"], headers[b"allow"]) == (405, 20004, b"GET, HEAD, OPTIONS, POST")
    assert (await ask(app, "HEAD", path))[2] == b""
    assert (await ask(app, "OPTIONS", path))[0] == 200
    assert (await ask(app, "GET", path.replace(".json", ".csv")))[0] == 404
    assert (await ask(app, "GET", "/api" + path))[0] == 200
    assert (await ask(app, "GET", "/v1/Alerts", host=b"monitor.ringback.test:80"))[0] == 200
    status, headers, body = await ask(app, "GET", "/monitor/v1/Alerts")
    assert json.loads(body)["meta"] == {
        "page": 0,
        "page_size": 50,
        "first_page_url": "http://localhost/monitor/v1/Alerts?PageSize=50&Page=0",
        "previous_page_url": None,
        "url": "http://localhost/monitor/v1/Alerts?PageSize=50&Page=0",
        "next_page_url": None,
        "key": "alerts",
    }
    assert headers[b"twilio-request-id"].startswith(b"RQ")
    bad = json.loads((await ask(app, "GET", path, query=b"PageToken=nonsense"))[2])
    assert (bad["code"], bad["more_info"]) == (21481, "http://localhost/docs/errors/21481")
    page = json.loads((await ask(app, "GET", path, query=b"PageSize=5000"))[2])
    assert (page["page_size"], page["start"], page["end"]) == (1000, 0, 0)


async def test_documentation_is_served(app: RestApplication) -> None:
    described = json.loads((await ask(app, "GET", "/openapi.json"))[2])
    assert described["openapi"] == "3.1.0"
    assert "post" in described["paths"]["/api/2010-04-01/Accounts/{AccountSid}/Applications.json"]
