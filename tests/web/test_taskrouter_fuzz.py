"""Whatever comes to TaskRouter's paths: an answer with the envelope, never a 500 (issue 3, bad input)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringback.resources import all_nouns
from ringback.web.rest.paging import filters_of
from ringback.web.rest.render import View
from tests.web.taskrouter_kit import Kit, kit_in

NOUNS = [noun.__noun__ for noun in all_nouns() if noun.__noun__.places[0].product == "taskrouter"]


def names() -> dict[str, list[str]]:
    """``operation place`` → the parameters that it knows."""
    found: dict[str, list[str]] = {}
    for noun in NOUNS:
        for place in noun.places:
            for operation in place.can:
                known = list(place.takes.get(operation, ()))
                known += [one.param for one in noun.fields if getattr(one, operation, False)]
                known += (
                    [*filters_of(View(noun, place, "")), "PageToken", "PageSize"]
                    if operation == "list"
                    else []
                )
                found[f"{operation} {place.path}"] = known
    return found


NAMES = names()
TARGETS = {"list": "GET", "fetch": "GET", "create": "POST", "update": "POST", "delete": "DELETE"}
ODD = [
    "", "true", "false", "0", "-1", "99999999999999", "1e400", "NaN", "{}", "[]", "{", "null", "http://h/",
    '{"a":{"b":[1,null]}}', "a == 1", "skills HAS 'x'", "((((", "call_sid == 'CA1'", "1==1", "voice", "pending",
    "accepted", "completed", "Priority:desc", "DateCreated:asc,Priority:desc", ":", ",", "conference", "dequeue",
    "call", "supervise", "2020-01-01", "2020-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01", "sip:a@b",
    "PA" + "EV" + "0" * 32, "\ud7ff",
]  # fmt: skip
texts = st.one_of(
    st.sampled_from(ODD),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40),
)


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, str, dict[str, list[str]], bool]:
    """Operation, place, parameters, and whether SIDs in them are those of the kit."""
    target = draw(st.sampled_from(sorted(NAMES)))
    known = NAMES[target]
    params = (
        draw(st.dictionaries(st.sampled_from(known), st.lists(texts, min_size=1, max_size=2), max_size=5))
        if known
        else {}
    )
    operation, _, path = target.partition(" ")
    return operation, path, params, draw(st.booleans())


async def furnish(kit: Kit) -> dict[str, str]:
    """One record of each kind; names of path parts → their SIDs."""
    queue, workflow = await kit.routed()
    worker = (await kit.worker("Alice", "Available"))["sid"]
    task = (await kit.post("Tasks", Attributes=json.dumps({"call_sid": "CA1"})))["sid"]
    (reservation,) = await kit.list(f"Tasks/{task}/Reservations", "sid")
    found = {
        "Workflows": workflow, "TaskQueues": queue, "Workers": worker, "Tasks": task, "Reservations": reservation,
        "Activities": await kit.activity("Offline"), "TaskChannels": "voice", "Channels": "voice", "Workspaces": kit.ws,
        "Events": (await kit.list("Events", "sid"))[0],
    }  # fmt: skip
    return {**found, "TaskSid": task, "WorkerSid": worker, "WorkspaceSid": kit.ws}


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[asyncio.Runner, Kit]]:
    """One database for all examples; each has a workspace of its own."""
    with asyncio.Runner() as runner:
        opened = kit_in(tmp_path)
        kit = runner.run(opened.__aenter__())
        yield runner, kit
        runner.run(opened.__aexit__(None, None, None))


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_requests=st.lists(requests(), min_size=1, max_size=6))
def test_no_request_breaks_the_server(
    running: tuple[asyncio.Runner, Kit], given_requests: list[tuple[str, str, dict[str, list[str]], bool]]
) -> None:
    runner, kit = running
    runner.run(ask_all(kit, given_requests))


async def ask_all(kit: Kit, given_requests: list[tuple[str, str, dict[str, list[str]], bool]]) -> None:
    """Ask one after the other; then the workspace must still work."""
    kit.ws = (await kit.post("/Workspaces", FriendlyName=kit.new_sid("XX")))["sid"]
    sids = await furnish(kit)
    for operation, path, params, real in given_requests:
        at = path.removeprefix("/v1")
        for name in ("WorkspaceSid", "TaskSid", "WorkerSid"):
            at = at.replace("{" + name + "}", sids[name])
        if operation not in ("list", "create"):
            at += "/" + sids[at.rpartition("/")[2]]
        if real:
            params = {
                name: [sids.get(name.removesuffix("Sid") + "s", values[0])]
                if name.endswith("Sid")
                else values
                for name, values in params.items()
            }
        reply = await kit.call(TARGETS[operation], at, params)
        assert reply.status < 500, (operation, at, params, reply.body)
        if reply.status >= 400:
            assert set(reply.body) == {"code", "message", "more_info", "status"}
    if kit.ws in kit.taskrouter.workspaces:
        assert (await kit.call("GET", "Tasks", {"Ordering": "Priority:desc"})).status == 200
        assert (await kit.call("GET", "Events")).status == 200
        assert (await kit.call("DELETE", f"/Workspaces/{kit.ws}")).status == 204
