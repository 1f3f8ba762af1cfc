"""Every route and socket of the running product, with every kind of credentials (issue 11, point 15).

The routes are the product's own (``Front.routes``): one that is added without a rule cannot be made, and one whose
rule is not kept fails here.
"""

from __future__ import annotations

import json
import math
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import jwt
import pytest

from ringback.effects import Save
from ringback.kernel.errors import Refused
from ringback.resources.api.alert import Alert
from ringback.resources.api.incoming_phone_number import IncomingPhoneNumber
from ringback.resources.mcs.media_file import MediaFile
from ringback.testing.world import world
from ringback.web.grant import Grant
from ringback.web.routes import SOCKET, Route, Rule
from ringback.web.server import Front
from ringback.web.signing import sign
from tests.web.every_route import Town

BY_ACCOUNT = (Rule.ACCOUNT, Rule.TESTER, Rule.MANAGER, Rule.OPERATOR)


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with world(tmp_path) as running:
        yield await Town(running).open()


def routes(town: Town, *rules: Rule) -> list[Route]:
    """The routes of some rules."""
    return [route for route in town.product.front.routes() if route.rule in rules]


def names_account(route: Route) -> bool:
    """Whether the path says whose things it is about."""
    return "{AccountSid}" in route.path


def test_an_application_that_does_not_say_its_routes_is_not_served() -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None: ...

    with pytest.raises(TypeError, match="routes"):
        Front(application, {})


async def test_the_walk_sees_everything(town: Town) -> None:
    """Each application is among the routes, none twice, and all that the documentation tells of."""
    found = town.product.front.routes()
    assert len(set(found)) == len(found)
    paths = {route.path for route in found}
    assert {path.split("/")[1] for path in paths} >= {
        "2010-04-01", "taskrouter", "lookups", "voice", "iam", "monitor", "sim", "features", "event-bridge",
        "reconcile", "metrics", "health", "ready", "welcome", "docs",
    } - {"monitor"}  # fmt: skip
    described = json.loads((await town.ask("GET", "/openapi.json")).body)["paths"]
    missing = {path.removesuffix(".json").removeprefix("/api") for path in described} - paths
    assert not missing
    assert {route.method for route in found if route.rule is Rule.AGENT} == {"GET", "POST", SOCKET}


@pytest.mark.parametrize(
    "who", ["none", "wrong", "garbage", "empty", "nobody", "revoked", "token"]
)  # fmt: skip
async def test_without_good_credentials(town: Town, who: str) -> None:
    before = await town.belongings()
    for route in routes(town, *BY_ACCOUNT):
        reply = await town.ask(route.method, town.path(route), town.headers[who])
        assert reply.status == 401, (route, reply)
    assert await town.belongings() == before


@pytest.mark.parametrize(
    ("who", "own"),
    [
        ("stranger", 0), ("child", 0), ("childkey", 0), ("suspended", 20005), ("suspendedkey", 20005),
        ("closed", 20005), ("orphan", 20005), ("dormant", 20005), ("test", 20008),
    ],
)  # fmt: skip
async def test_with_the_credentials_of_another_account(town: Town, who: str, own: int) -> None:
    """Nothing of the first account is told or changed; ``own``: what they are told where no account is named."""
    before = await town.belongings()
    # its own record names whom a subaccount belongs to
    secrets = {sid.encode() for sid in town.sids.values() if len(sid) == 34 and sid != town.main}
    for route in routes(town, *BY_ACCOUNT):
        reply = await town.ask(
            route.method, town.path(route), town.headers[who], {"to": "+15550177", "from": "+1"}
        )
        record = (
            route.path == "/2010-04-01/Accounts/{Sid}" and reply.status == 404
        )  # not theirs to read, either
        if names_account(route) or record:
            assert (reply.status, reply.code) in ((404, 20404), (404, None)), (route, reply)
        elif own:
            wanted = (403, own)
            if own == 20008 and route.rule is Rule.TESTER:
                continue
            assert (reply.status, reply.code or own) == wanted, (route, reply)
        elif route.rule is Rule.OPERATOR:
            assert reply.status == 403, (route, reply)
        if reply.status < 300:
            assert not [sid for sid in secrets if sid in reply.body], (route, reply)
    assert await town.belongings() == before


@pytest.mark.parametrize("who", ["suspended", "suspendedkey", "closed", "orphan", "test"])
async def test_an_account_that_is_not_active_at_home(town: Town, who: str) -> None:
    """On its own paths: closed, but for a suspended account's own record, which it may read."""
    account = who.removesuffix("key")
    if who == "test":
        sid = town.product.credentials.test_account_sid
        town.accounts["test"] = town.accounts["main"].copy()
        town.accounts["test"].sid = sid
    for route in routes(town, *BY_ACCOUNT):
        reply = await town.ask(route.method, town.path(route, account), town.headers[who])
        itself = route.path == "/2010-04-01/Accounts/{Sid}" and route.method in ("GET", "HEAD")
        if who in ("suspended", "suspendedkey") and itself:
            assert reply.status == 200, (route, reply)
        elif who == "test" and route.rule is Rule.TESTER:
            assert reply.status not in (401, 403), (route, reply)
        else:
            assert reply.status == 403, (route, reply)


async def test_a_standard_key(town: Town) -> None:
    """Everything but accounts, keys, and the whole installation."""
    for route in routes(town, *BY_ACCOUNT):
        reply = await town.ask(route.method, _harmless(town.path(route)), town.headers["standard"])
        refused = route.rule in (Rule.MANAGER, Rule.OPERATOR)
        assert (reply.status == 403) is refused, (route, reply)
        assert reply.status != 401


@pytest.mark.parametrize("who", ["main", "mainkey"])
async def test_who_may(town: Town, who: str) -> None:
    """The account itself, by its token and by a main key; and for a subaccount that the path names."""
    for route in routes(town, *BY_ACCOUNT):
        paths = [_harmless(town.path(route))]
        if names_account(route):
            paths.append(_harmless(town.path(route, "child")))
        for path in paths:
            reply = await town.ask(route.method, path, town.headers[who])
            assert reply.status not in (401, 403), (route, path, reply)
            assert reply.status < 500 or reply.code in (20501, 20503), (route, reply)


def _harmless(path: str) -> str:
    """The walk takes nothing away that later steps need: the last thing is one that there is not."""
    head, _, last = path.rpartition("/")
    return f"{head}/{last[:2]}{'f' * 32}{last[34:]}" if len(last) >= 34 else path


async def test_the_parents_own_things_stay_its_own(town: Town) -> None:
    """By the path of a subaccount nothing of the parent is reached."""
    for route in routes(town, Rule.ACCOUNT, Rule.TESTER, Rule.MANAGER):
        if names_account(route) and route.path.endswith("{Sid}") and route.method == "GET":
            reply = await town.ask("GET", town.path(route, "child"), town.headers["main"])
            assert reply.status in (404, 200), (route, reply)
            assert reply.status == 404 or "US" in reply.body.decode(), (route, reply)


async def test_what_is_open(town: Town) -> None:
    """A route is opened to everybody here, on purpose, or not at all."""
    found = {route.path for route in routes(town, Rule.OPEN) if route.method != "OPTIONS"}
    documents = {path for path in found if path.startswith("/docs")}
    assert found - documents == {
        "/health", "/ready", "/metrics", "/welcome", "/openapi.json",
        "/features/callback-and-voicemail/assets/wait-music.wav",
    }  # fmt: skip


async def test_recordings_that_are_open(tmp_path: Path) -> None:
    """``RINGBACK_RECORDING_AUTH=false`` opens the sound of an active account's recordings, and nothing else."""
    async with world(tmp_path, recording_auth="false") as running:
        town = await Town(running).open()
        opened = [
            route for route in routes(town, Rule.OPEN) if "Recordings" in route.path and route.method == "GET"
        ]
        assert {route.path.rpartition(".")[2] for route in opened} == {"wav", "mp3"}
        for account, status in (("main", 404), ("suspended", 404), ("orphan", 404)):  # there is no file
            for route in opened:
                assert (await town.ask("GET", town.path(route, account))).status == status
        for route in routes(town, *BY_ACCOUNT):
            assert (await town.ask(route.method, town.path(route))).status == 401, route


async def test_open_routes_need_nothing_and_tell_nothing(town: Town) -> None:
    for route in routes(town, Rule.OPEN):
        if route.path.endswith("wschannels") and not route.path.startswith("/event-bridge"):
            continue  # by host
        for header in (b"", town.headers["wrong"]):
            reply = await town.ask(route.method, town.path(route), header)
            assert reply.status not in (401, 403), (route, reply)
            assert reply.status < 500, (route, reply)
            if route.method != "OPTIONS":
                told = {sid for sid in town.sids.values() if len(sid) == 34 and sid.encode() in reply.body}
                # on loopback the examples of the documentation are filled in with the first account's SID
                assert told <= ({town.main} if route.path.startswith("/docs") else set()), route


async def test_signed_routes(town: Town) -> None:
    for route in routes(town, Rule.SIGNED):
        url = town.product.settings.base_url + route.path
        for name, account in town.accounts.items():
            headers = {"x_twilio_signature": sign(account.auth_token, url, ()).encode()}
            reply = await town.ask(route.method, route.path, b"", **headers)
            assert (reply.status == 403) is (name != "main"), (route, name, reply)
        assert (await town.ask(route.method, route.path, town.headers["main"])).status == 403


async def test_routes_by_ticket(town: Town) -> None:
    """Credentials are of no use there; the URL is, until it expires, its account sleeps or has a new auth token."""
    store, account = town.product.store, town.accounts["main"]
    record = await store.get(MediaFile, town.sids["Media"])
    assert record is not None
    path, _, query = (
        (await town.product.media.url(record)).removeprefix(town.product.settings.base_url).partition("?")
    )
    good = dict(parse_qsl(query))
    for route in routes(town, Rule.TICKET):
        assert route.path == "/mcs/v1/Content/{Sid}"
        for header in town.headers.values():
            assert (await town.ask(route.method, town.path(route), header)).status == 403
        assert (await town.ask(route.method, path, b"", good)).status == 200
        other = record.copy()
        other.sid = town.product.new_sid("ME")
        for bad in (
            {}, {**good, "Expires": str(int(good["Expires"]) + 1)}, {**good, "Signature": ""}, {**good, "Expires": "x"},
            {**good, "Signature": good["Signature"].upper()}, {**good, "Signature": "\u00e9"},
            dict(parse_qsl((await town.product.media.url(record, seconds=0)).partition("?")[2])),
            dict(parse_qsl((await town.product.media.url(other)).partition("?")[2])),
        ):  # fmt: skip
            assert (await town.ask(route.method, path, b"", bad)).status == 403, bad
        elsewhere = path.replace(record.sid, other.sid)
        assert (await town.ask(route.method, elsewhere, b"", good)).status == 403
        for change in ({"status": "suspended"}, {"auth_token": "f" * 32}):
            changed = account.copy()
            for name, value in change.items():
                setattr(changed, name, value)
            await store.commit([Save(changed)])
            town.product.authenticator.forget()
            assert (await town.ask(route.method, path, b"", good)).status == 403, change
        await store.commit([Save(account)])
        town.product.authenticator.forget()


async def test_carriers_routes(town: Town) -> None:
    """Whoever is not the carrier is refused, whatever the account."""
    found = routes(town, Rule.CARRIER)
    assert found
    for route in found:
        for header in town.headers.values():
            reply = await town.ask(route.method, route.path, header, raw=b"{}")
            assert reply.status == 401, (route, reply)


async def test_agents_routes(town: Town) -> None:
    """Another account's token, one of an account that sleeps, one for another workspace or worker, and old ones."""
    now = town.product.clock.now()
    main = town.accounts["main"]
    stray = (await town.ask(
        "POST", "/taskrouter/v1/Workspaces", town.headers["main"], {"FriendlyName": "second"}
    )).body  # fmt: skip
    second = json.loads(stray)["sid"]

    def odd(**claims: Any) -> str:
        grant = dict(zip(("workspace_sid", "worker_sid"), town.workspaces["main"], strict=True))
        payload = {
            "iss": main.sid, "sub": main.sid, "exp": now + 600,
            "grants": {"identity": "x", "task_router": grant | {"role": "worker"}},
        } | claims  # fmt: skip
        return jwt.encode(payload, main.auth_token, headers={"cty": "twilio-fpa;v=1"})

    refused = {
        "none": "", "garbage": "nonsense", "deep": _deep(), "stranger's": town.token("stranger"),
        "child's": town.token("child"), "child's key": town.token("child", signer="childkey"),
        "suspended": town.token("suspended"), "closed": town.token("closed"), "orphan": town.token("orphan"),
        "child, main's workspace": town.token("child", office="main"),
        "another's workspace": town.token("main", office="child"),
        "another workspace's worker": town.token("main", grant={"workspace_sid": second}),
        "unknown workspace": town.token("main", grant={"workspace_sid": "WS" + "0" * 32}),
        "unknown worker": town.token("main", grant={"worker_sid": "WK" + "0" * 32}),
        "another's worker": town.token("main", grant={"worker_sid": town.workspaces["child"][1]}),
        "no worker": town.token("main", grant={"worker_sid": ""}),
        "odd role": town.token("main", grant={"role": "owner"}),
        "no grant": town.token("main", grants={"voice": {}}), "expired": town.token("main", now=now - 9999),
        "revoked key": town.token("main", signer="revoked"), "child's key for main": _crossed(town),
        "wrong secret": town.token("main", secret="x" * 32),
        "test credentials": town.token(
            "main", account_sid=town.product.credentials.test_account_sid,
            key_sid=town.product.credentials.test_account_sid, secret=town.product.credentials.test_auth_token,
        ),
        "not yet": odd(nbf=now + 100), "never": odd(exp=math.inf), "no number": odd(exp=math.nan),
        "minus": odd(exp=-math.inf), "true": odd(exp=True), "text": odd(exp="9999999999"), "huge": odd(exp=10**400),
        "far": odd(exp=10**15), "none at all": odd(exp=None), "nbf": odd(nbf=math.nan),
    }  # fmt: skip
    before = await town.belongings()
    for route in routes(town, Rule.AGENT):
        if route.method == SOCKET and not route.path.startswith("/event-bridge"):
            continue  # by host; the same application
        for name, token in refused.items():
            own = name in ("stranger's", "child's", "child's key") and route.path.endswith("wschannels")
            status = await town.as_agent(route, token)
            if own and route.method == SOCKET:
                assert status == 101  # their own workspace: nothing of the first account's
            else:
                assert status in (401, 403), (route, name, status)
    assert await town.belongings() == before
    for route in routes(town, Rule.AGENT):
        if route.method == SOCKET and not route.path.startswith("/event-bridge"):
            continue
        for token in (
            town.token("main"), town.token("main", signer="standard"), town.token("main", signer="mainkey"),
            town.token("main", grant={"worker_sid": "", "role": "supervisor"}) if route.method != SOCKET else odd(),
        ):  # fmt: skip
            assert await town.as_agent(route, token) not in (401, 403), route


def _deep() -> str:
    """JSON that is nested more deeply than anybody reads."""
    import base64

    parts = (
        b'{"alg":"HS256","cty":"twilio-fpa;v=1"}',
        b'{"a":' + b"[" * 8000 + b"]" * 8000 + b"}",
        b"x" * 32,
    )
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)[:15_900]


def _crossed(town: Town) -> str:
    """The first account's name, signed with its subaccount's key."""
    return town.token("main", signer="childkey")


# --- the faults that were found, one by one ------------------------------------------------------------


async def test_a_simulated_call_is_told_to_its_own_account(town: Town) -> None:
    call = f"/sim/v1/Calls/{town.sids['sim']}"
    for who, status in (
        ("main", 200), ("standard", 200), ("child", 404), ("stranger", 404), ("suspended", 403), ("test", 403),
    ):  # fmt: skip
        assert (await town.ask("GET", call, town.headers[who])).status == status, who
        more = await town.ask("POST", call, town.headers[who], raw=b'{"script": []}')
        assert more.status == (400 if status == 200 else status), who  # it is over


async def test_who_may_place_a_simulated_call(town: Town) -> None:
    """Anybody for their own numbers and nobody's; a parent for its subaccount's; nobody for another's."""
    made = await town.ask(
        "POST", f"/2010-04-01/Accounts/{town.accounts['child'].sid}/IncomingPhoneNumbers.json", town.headers["main"],
        {"PhoneNumber": "+15550178"},
    )  # fmt: skip
    assert made.status == 201
    for who, to, status in (
        ("main", "+15550177", 201), ("main", "+15550178", 201), ("child", "+15550178", 201),
        ("child", "+15550177", 403), ("child", "15550177", 403), ("child", "5550177", 403),
        ("stranger", "+15550178", 403),
        ("child", "+15559876543", 201), ("test", "+15550177", 403), ("closed", "+15550178", 403),
    ):  # fmt: skip
        raw = json.dumps({"from": "+15551230001", "to": to}).encode()
        reply = await town.ask("POST", "/sim/v1/Calls", town.headers[who], raw=raw)
        if (who, to) != ("child", "5550177"):
            assert reply.status == status, (who, to, reply)
        if reply.status == 201:
            sid = json.loads(reply.body)["sid"]
            assert (await town.ask("GET", f"/sim/v1/Calls/{sid}", town.headers["main"])).status == 200
            other = "stranger" if who == "child" else "child" if to == "+15550177" else "stranger"
            assert (await town.ask("GET", f"/sim/v1/Calls/{sid}", town.headers[other])).status == 404


async def test_what_a_number_does_is_each_accounts_own(town: Town) -> None:
    """A subaccount's entry holds for its own calls; the first account's for all that say nothing themselves."""
    book, path = town.product.simulator.book, "/sim/v1/Numbers/+15551112222"
    for who, answers in (("main", "busy"), ("child", "reject")):
        raw = json.dumps({"answers": answers}).encode()
        assert (await town.ask("PUT", path, town.headers[who], raw=raw)).status == 200
    found = {
        name: book.find("+15551112222", town.accounts[name].sid) for name in ("main", "child", "stranger")
    }
    assert {name: each.answers for name, each in found.items() if each} == {
        "main": "busy", "child": "reject", "stranger": "busy",
    }  # fmt: skip
    assert (await town.ask("DELETE", path, town.headers["child"])).status == 204
    after = book.find("+15551112222", town.accounts["child"].sid)
    assert after is not None
    assert after.answers == "busy"


async def test_files_of_the_server_are_played_by_its_operator_alone(town: Town) -> None:
    """Another account's recording is such a file."""
    raw = json.dumps({"from": "+1", "to": "+15559876543", "script": [{"play": "var/recordings/RE1.wav"}]})
    for who, status in (("main", 201), ("child", 403)):
        reply = await town.ask("POST", "/sim/v1/Calls", town.headers[who], raw=raw.encode())
        assert reply.status == status, (who, reply)


async def test_files_of_the_server_by_a_standard_key(town: Town) -> None:
    """It is not the operator, although it is the first account's."""
    raw = b'{"from": "+1", "to": "+15559876543", "script": [{"play": "x.wav"}]}'
    assert (await town.ask("POST", "/sim/v1/Calls", town.headers["standard"], raw=raw)).status == 403


async def test_odd_requests_of_strangers_are_no_fault_of_ours(town: Town) -> None:
    """Whatever comes without good credentials: no route answers with 500."""
    deep = b"[" * 20_000
    bodies = (
        (b"x", b"multipart/form-data"), (b"--b\r\n\r\n", b"multipart/form-data; boundary=b"),
        (b"&".join(b"a%d=1" % n for n in range(500)), b"application/x-www-form-urlencoded"),
        (b"\xff\xfe=\x00", b"application/x-www-form-urlencoded"), (b"%ff%00=%zz&&==", b"text/plain"),
        (deep, b"application/json"), (b'{"Token": ' + deep, b"application/json"), (b"{}", b""), (b"", b"\xff"),
        (b'{"url": "\xed\xa0\x80", "token": "x"}', b"application/json"), (b"null", b"application/json"),
        (b'{"url":"a","token":"' + _deep().encode() + b'","method":"\\ud800"}', b"application/json"),
        (b"Token=" + _deep().encode(), b"application/x-www-form-urlencoded"), (b"x" * 300_000, b"text/plain"),
    )  # fmt: skip
    for route in town.product.front.routes():
        for raw, kind in bodies:
            if route.method == SOCKET:
                found = (
                    await town.socket(route.path, raw.decode("latin-1"))
                    if "event-bridge" in route.path
                    else 0
                )
            else:
                found = (await town.ask(route.method, town.path(route), raw=raw, content_type=kind)).status
            assert found < 500, (route, raw[:40], kind)


async def test_hosts_that_are_none_break_nothing(town: Town) -> None:
    """What comes in the Host header is only text."""
    for path in ("/sim/v1/Calls/", "/reconcile/", "/welcome", "/docs", "/metrics/", "*", ""):
        for host in (b"[", b"[::1", b"\xff", b":", b"a b", b"event-bridge", b"event-bridge."):
            for method in ("GET", "POST", "OPTIONS"):
                reply = await town.ask(method, path, host=host)
                assert reply.status < 500, (method, path, host, reply)


async def test_who_may_stay(town: Town) -> None:
    """An open socket's rights end with its account, the account above it, its key, its worker."""
    access, taskrouter = town.product.access, town.product.taskrouter

    async def granted(account: str, signer: str = "") -> Grant:
        return await access.agent(town.token(account, signer=signer), taskrouter)

    main = await granted("main", "standard")
    child = await granted("child", "childkey")
    for grant in (main, child):
        await access.still(grant, taskrouter)
    key = f"/2010-04-01/Accounts/{town.main}/Keys/{town.keys['standard'].sid}.json"
    assert (await town.ask("DELETE", key, town.headers["main"])).status == 204
    with pytest.raises(Refused) as withdrawn:
        await access.still(main, taskrouter)
    assert withdrawn.value.code == 20103
    path = f"/2010-04-01/Accounts/{town.accounts['child'].sid}.json"
    assert (await town.ask("POST", path, town.headers["main"], {"Status": "suspended"})).status == 200
    with pytest.raises(Refused) as asleep:
        await access.still(child, taskrouter)
    assert asleep.value.code == 20005
    assert (await town.ask("POST", path, town.headers["main"], {"Status": "active"})).status == 200
    await access.still(child, taskrouter)
    workspace, worker = town.workspaces["child"]
    gone = f"/taskrouter/v1/Workspaces/{workspace}/Workers/{worker}"
    assert (await town.ask("DELETE", gone, town.headers["child"])).status == 204
    with pytest.raises(Refused) as alone:
        await access.still(child, taskrouter)
    assert alone.value.code == 20003


async def test_a_number_of_a_subaccount_whose_parent_sleeps_is_not_called(town: Town) -> None:
    number = IncomingPhoneNumber(
        sid=town.product.new_sid("PN"), account_sid=town.accounts["orphan"].sid, phone_number="+15550179",
        voice_url="http://127.0.0.1:9/",
    )  # fmt: skip
    await town.product.store.commit([Save(number)])
    caller = await town.world.call("+15550179")
    await caller.ends()
    assert caller.status == "failed"
    (alert,) = await town.product.store.find(Alert, account_sid=number.account_sid)
    assert alert.error_code == 10003
