"""Nothing that comes in gives a 500: every route of the product, with values that nobody sends on purpose."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from ringback.kernel.resource import Noun
from ringback.resources import all_nouns
from ringback.testing.world import World, world
from ringback.web.rest.paging import parameters_of
from ringback.web.rest.render import View
from tests.web.rest.test_fuzz import ask

FORM, JSON = b"application/x-www-form-urlencoded", b"application/json"
ODD_TEXTS = (
    "", " ", "\u00a0", "0", "-1", "1e400", "NaN", "9" * 30, "true", "null", "[]", "{}", "[[[]]]", '{"a":{"b":[null]}}',
    "x" * 5000, "\u202e", "\U0001f600", "%", "'", '"', "\\", "../..", "http://[", "http://h:99999/", "2026-99-99",
    "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "PACA" + "0" * 32, "CA" + "g" * 32,
    "+", "+1", "<Response>", "sip:", "client:", "1==1 AND", "((((((((", "\ud7ff", "*" * 20, "[" * 2000, '{"a":' * 2000,
)  # fmt: skip
ODD_JSON: tuple[Any, ...] = (
    [], {}, None, [[]], [{}], [None], True, -1, 10**30, 1.5, 2**63, "", "\u0000", "x" * 5000, {"a": {"b": [None]}},
    "\ud800", [[[[1]]]], ["a", 1, None, {}],
)  # fmt: skip
ODD_PARTS = (
    "\0",
    " ",
    "é\ud7ff",
    "x" * 300,
    "%00",
    "..",
    "Twilio.CURRENT",
    "CA" + "\0" * 32,
    "'",
    "1" * 40,
    "+",
)
BODIES = [
    (JSON, b""), (JSON, b"["), (JSON, b"null"), (JSON, b"[]"), (JSON, b'"x"'), (JSON, b"1e999"), (JSON, b"\xff\xfe"),
    (JSON, b"[" * 50_000), (JSON, b'{"a":' * 20_000), (JSON, b'{"FriendlyName":"\\ud800"}'), (JSON, b'{"\\u0000":1}'),
    (JSON, b'{"To":1e999,"From":-0.0}'), (FORM, b"\xff=\xfe"), (FORM, b"FriendlyName=%FF"), (FORM, b"To=%00&From=\x00"),
    (FORM, b"&&&=&=a&a"), (FORM, b"&".join(b"f%d=1" % each for each in range(300))), (FORM, b"a=1&" * 1500),
    (FORM, b"FriendlyName=" + b"a" * 300_000), (b"multipart/form-data", b"--x\r\n\r\n"),
    (b"multipart/form-data; boundary=", b"--\r\n"), (b"multipart/form-data; boundary=x", b"--x\r\nno header\r\n"),
    (b"text/plain", b"hello"), (b"\xff\xff", b"a=1"), (b"", b"\x00\x01"), (b"application/xml", b"<a/>"),
    (b"application/json; charset=utf-16", '{"a":1}'.encode("utf-16")), (FORM + b"; charset=klingon", b"a=%E4"),
]  # fmt: skip


@dataclass
class Furnished:
    """A running product in which there is one of most things."""

    ringback: World
    known: dict[str, str]
    """Name of a path's part → what stands there."""

    async def ask(
        self, method: str, path: str, body: bytes, kind: bytes, query: bytes = b""
    ) -> tuple[int, bytes]:
        account, token = self.ringback.product.account_sid, self.ringback.product.auth_token
        header = b"Basic " + base64.b64encode(f"{account}:{token}".encode())
        more = {"authorization": header, "content_type": kind, "content_length": str(len(body)).encode()}
        status, _, answer = await ask(self.ringback.product.front, method, path, body, query, **more)
        return status, answer


@pytest.fixture
async def furnished(tmp_path: Path, database_url: str) -> AsyncIterator[Furnished]:
    async with world(tmp_path, database_url=database_url) as ringback:
        ringback.app(
            "/room", "<Response><Dial><Conference record='record-from-start'>r</Conference></Dial></Response>"
        )
        ringback.app("/queue", "<Response><Enqueue>q</Enqueue></Response>")
        await ringback.number("+15005550100", voice="/room")
        await ringback.number("+15005550101", voice="/queue")
        one, two = [await ringback.call("+15005550100", from_=f"+1555123000{each}") for each in (1, 2)]
        waiting = await ringback.call("+15005550101")
        await ringback.advance(5)
        await ringback.lanes_empty()
        made = {
            "Application": (await ringback.post("Applications", FriendlyName="a"))["sid"],
            "Key": (await ringback.post("Keys", FriendlyName="k"))["sid"],
            "OutgoingCallerId": "PN" + "0" * 32,
            "IncomingPhoneNumber": (await ringback.get("IncomingPhoneNumbers"))["incoming_phone_numbers"][0]["sid"],
            "Conference": (await ringback.get("Conferences"))["conferences"][0]["sid"],
            "Recording": (await ringback.get("Recordings"))["recordings"][0]["sid"],
            "Queue": (await ringback.get("Queues"))["queues"][0]["sid"],
            "Call": one.sid, "Participant": two.sid, "Member": waiting.sid, "Account": ringback.product.account_sid,
            "CountryCode": "US", "IsoCode": "US", "PhoneNumber": "+14155550100", "Field": "line_type",
        }  # fmt: skip
        made |= await asyncio.to_thread(_desk, ringback.client.taskrouter.v1.workspaces)
        yield Furnished(ringback, made)


def _desk(workspaces: Any) -> dict[str, str]:
    workspace = workspaces(workspaces.create(friendly_name="Desk").sid)
    queue = workspace.task_queues.create(friendly_name="Everyone")
    rules = json.dumps({"task_routing": {"default_filter": {"queue": queue.sid}}})
    workflow = workspace.workflows.create(friendly_name="Rules", configuration=rules)
    idle = workspace.activities.list(available="true")[0]
    worker = workspace.workers.create(friendly_name="w", activity_sid=idle.sid)
    task = workspace.tasks.create(workflow_sid=workflow.sid, attributes="{}")
    reservations = workspace.tasks(task.sid).reservations.list()
    channel = workspace.task_channels.list()[0]
    return {
        "Workspace": workspace._solution["sid"], "TaskQueue": queue.sid, "Workflow": workflow.sid, "Activity": idle.sid,
        "Worker": worker.sid, "Task": task.sid, "TaskChannel": channel.sid,
        "WorkerChannel": workspace.workers(worker.sid).worker_channels.list()[0].sid,
        "Reservation": reservations[0].sid if reservations else "WR" + "0" * 32,
    }  # fmt: skip


def routes(known: dict[str, str]) -> list[tuple[str, str, list[str]]]:
    """Every method and path of the REST API, with parameters that it may take; what deletes comes last."""
    found: list[tuple[str, str, list[str]]] = []

    def whole(path: str, noun: Noun) -> str:
        def value(part: re.Match[str]) -> str:
            name = part[1]
            return known.get(name) or known.get(name.removesuffix("Sid")) or noun.prefix + "0" * 32

        return re.sub(r"\{(\w+)\}", value, path)

    for record in all_nouns():
        noun = record.__noun__
        for place in noun.places:
            view = View(noun, place, "http://h")
            prefix = "" if place.classic else f"/{place.product}"
            path = prefix + whole(place.path, noun)
            writes = [field.param for field in noun.fields if field.create or field.update]
            takes = [name for each in place.takes.values() for name in each]
            instance = f"{path}/{known.get(noun.name, noun.prefix + '0' * 32)}"
            found.append(("GET", path, [*parameters_of(view), *takes]))
            found += [
                (method, one, [*writes, *takes]) for one in (path, instance) for method in ("POST", "GET")
            ]
            found.append(("DELETE", instance, []))
    return found


def extras(furnished: Furnished) -> Iterator[tuple[str, str, list[str]]]:
    """Paths beside the nouns, as the router knows them."""
    known = furnished.known

    def value(part: re.Match[str]) -> str:
        return known.get(part[1]) or known.get(part[1].removesuffix("Sid"), "x")

    rest: Any = furnished.ringback.product.front._rest
    for product, path, target in rest.router.targets():
        if target.custom is not None:
            prefix = "" if product == "api" else f"/{product}"
            for method in target.methods:
                yield method, prefix + re.sub(r"\{(\w+)\}", value, path), list(NAMES)


NAMES = (
    "Ttl", "AreaCode", "Contains", "PageSize", "Page", "PageToken", "StartDate", "EndDate", "Minutes", "TaskChannel",
    "SplitByWaitTime", "TaskQueueSids", "phone_numbers", "Fields", "CountryCode", "UpdateRequest", "Type", "line_type",
    "reason", "DialingPermissionsInheritance", "Configuration", "Status", "token",
)  # fmt: skip


def quoted(name: str, value: str) -> bytes:
    return urlencode({name: value}).encode()


async def refuses(
    furnished: Furnished, found: Iterator[tuple[str, str, list[str]]] | list[tuple[str, str, list[str]]]
) -> None:
    texts, jsons = itertools.cycle(ODD_TEXTS), itertools.cycle(ODD_JSON)
    bad: list[Any] = []
    mending = furnished.ringback.product.runtime.mending
    bugs = mending.bugs

    async def check(method: str, path: str, body: bytes, kind: bytes, query: bytes = b"") -> None:
        status, answer = await furnished.ask(method, path, body, kind, query)
        if status >= 500 and not (status in (501, 503) and b'"code":205' in answer):
            bad.append((status, method, path, body[:80], query[:80]))

    for method, path, params in found:
        parts = path.split("/")
        for place in range(2, len(parts)):
            for part in ODD_PARTS if method != "DELETE" else ():
                await check(method, "/".join([*parts[:place], part, *parts[place + 1 :]]), b"", FORM)
        if method in ("POST", "PUT"):
            for kind, body in BODIES:
                await check(method, path, body, kind)
            for name in params:
                for _ in range(3):
                    await check(method, path, quoted(name, next(texts)), FORM)
                for _ in range(3):
                    await check(method, path, json.dumps({name: next(jsons)}).encode(), JSON)
        else:
            for name in params:
                for _ in range(3):
                    await check(method, path, b"", b"", quoted(name, next(texts)))
            for query in (b"%", b"a=%FF", b"PageSize=%00", b"=&&=", b"a&" * 1500):
                await check(method, path, b"", b"", query)
    await furnished.ringback.lanes_empty()
    assert bad == []
    assert mending.bugs == bugs


async def test_an_empty_list_is_an_empty_value(furnished: Furnished) -> None:
    path = f"/2010-04-01/Accounts/{furnished.known['Account']}/Applications.json"
    status, answer = await furnished.ask("POST", path, b'{"FriendlyName":[]}', JSON)
    assert (status, json.loads(answer)["friendly_name"]) == (201, "")


async def test_every_noun(furnished: Furnished) -> None:
    found = routes(furnished.known)
    assert len(found) > 100
    await refuses(furnished, sorted(found, key=lambda one: one[0] == "DELETE"))


async def test_every_other_path_of_the_rest_api(furnished: Furnished) -> None:
    await refuses(furnished, extras(furnished))


OTHERS = [
    (
        "POST",
        "/features/callback-and-voicemail/studio/create-callback",
        ["numberToCall", "workspaceSid", "attempt"],
    ),
    (
        "POST",
        "/features/callback-and-voicemail/studio/wait-experience",
        ["mode", "CallSid", "Digits", "enqueuedTaskSid"],
    ),
    ("POST", "/features/callback-and-voicemail/flex/create-callback", ["Token", "numberToCall"]),
    ("POST", "/features/callback-and-voicemail/flex/requeue-callback", ["Token", "taskSid"]),
    ("POST", "/features/callback-and-voicemail/flex/fetch-voicemail", ["Token", "recordingSid"]),
    ("POST", "/sim/v1/Calls", ["from", "to", "script"]),
    ("POST", "/sim/v1/Clock", ["advance"]),
    ("POST", "/sim/v1/Faults", ["kind", "count", "match", "seconds"]),
    ("POST", "/sim/v1/Messages", ["from"]),
    ("PUT", "/sim/v1/Numbers/+15551230009", ["answers", "after", "script"]),
    ("POST", "/reconcile", ["since", "records"]),
    ("GET", "/reconcile", ["since"]),
    ("POST", "/reconcile/records", ["records"]),
    ("POST", "/event-bridge/v1/wschannels", ["token", "url", "method", "params"]),
    ("POST", "/health", ["a"]),
    ("GET", "/metrics", ["a"]),
    ("GET", "/docs", ["a"]),
    ("GET", "/openapi.json", ["a"]),
    ("GET", "/", ["a"]),
]


async def test_everything_that_is_not_rest(furnished: Furnished) -> None:
    await refuses(furnished, OTHERS)
