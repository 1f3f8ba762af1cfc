"""Journey: a waiting caller wants to be called back, or leaves a message (issue 4; callback-voicemail.md §9)."""

from __future__ import annotations

import asyncio
import base64
import datetime
import itertools
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from ringback.callbacks.calendar import iso
from ringback.testing.world import World, world
from ringback.web.auth import make_token
from ringback.web.signing import sign
from tests.scenarios.test_agents import Office

WAIT = "/features/callback-and-voicemail/studio/wait-experience"
CALLER = "+15551230001"
OURS = "+15550100"
WORDS = "Hello, my parcel has not come and I have been waiting for it since Monday"
STAR: list[dict[str, Any]] = [{"expect": "press the star key", "within": 60}, {"press": "*"}]


class Line:
    """A number whose callers wait with the wait experience."""

    def __init__(self, ringback: World, office: Office) -> None:
        self.ringback, self.office = ringback, office

    async def open(self, wait_url: str = "", attributes: str = '{"tier":"gold"}') -> Line:
        """Provision it."""
        url = wait_url or f"{self.ringback.url}{WAIT}?mode=initialize"
        await self.ringback.number(OURS, voice="/voice")
        self.ringback.app(
            "/voice",
            f'<Response><Enqueue workflowSid="{self.office.workflow}" waitUrl="{url}">'
            f"<Task>{attributes}</Task></Enqueue></Response>",
        )
        return self

    def tasks(self, kind: str = "") -> list[Any]:
        """Tasks of a ``taskType``; empty: those of calls."""
        there = self.office.workspace.tasks.values()
        return [task.record for task in there if (task.attributes.get("taskType") or "") == kind]

    def attributes(self, task: Any) -> dict[str, Any]:
        """Read."""
        found: dict[str, Any] = json.loads(task.attributes)
        return found


async def line(ringback: World, **more: Any) -> Line:
    """A workspace and its number."""
    return await Line(ringback, await Office(ringback).open()).open(**more)


def token(ringback: World, workspace: str, worker: str = "") -> str:
    """An agent's; a supervisor's when it names no worker."""
    product = ringback.product
    grant = {"workspace_sid": workspace, "worker_sid": worker, "role": "worker" if worker else "supervisor"}
    return make_token(
        account_sid=product.account_sid, key_sid=product.account_sid, secret=product.auth_token,
        identity="alice", grants={"task_router": grant}, now=product.clock.now(),
    )  # fmt: skip


async def post(ringback: World, path: str, signed: bool = False, **fields: str) -> tuple[int, Any]:
    """POST to the feature; gives status and JSON."""
    url = f"{ringback.url}/features/callback-and-voicemail/{path}"
    headers = {}
    if signed:
        headers["X-Twilio-Signature"] = sign(ringback.product.auth_token, url, fields.items())
    async with aiohttp.ClientSession() as session, session.post(url, data=fields, headers=headers) as answer:
        text = await answer.text()
        return answer.status, json.loads(text) if text else None


async def test_voicemail_from_the_queue(ringback: World) -> None:
    """§9 no. 14: star, 2, speak, hang up: the call's task is canceled first, the voicemail has sound and text."""
    desk = await line(ringback)
    caller = await ringback.call(
        OURS,
        script=[
            *STAR, {"expect": "leave a voicemail, press 2", "within": 60}, {"press": "2"},
            {"expect": "beep", "within": 60}, {"say": WORDS}, {"wait": 1}, {"hangup": True},
        ],
    )  # fmt: skip
    await caller.ends()
    await ringback.settled()
    assert caller.failed == "", caller.heard
    (call_task,) = desk.tasks()
    assert (call_task.assignment_status, call_task.reason) == ("canceled", "Opted to leave a voicemail")
    assert desk.attributes(call_task)["conversations"]["abandoned"] == "Follow-Up"
    (task,) = desk.tasks("voicemail")
    found = desk.attributes(task)
    data = found["callBackData"]
    assert task.virtual_start_time == call_task.date_created
    assert (task.task_channel_unique_name, task.workflow_sid) == ("voice", desk.office.workflow)
    assert (data["numberToCall"], data["numberToCallFrom"], data["attempts"]) == (CALLER, OURS, 0)
    assert data["transcriptText"] == WORDS
    assert found["tier"] == "gold"
    assert "call_sid" not in found
    assert "abandoned" not in found["conversations"]
    assert len(await ringback.download(data["recordingUrl"])) > 1000
    status, sound = await post(
        ringback,
        "flex/fetch-voicemail",
        Token=token(ringback, desk.office.ws),
        recordingSid=data["recordingSid"],
    )
    assert (status, sound["type"]) == (200, "audio/mpeg")
    assert len(base64.b64decode(sound["recording"])) > 500
    url = f"{ringback.url}/features/callback-and-voicemail/flex/fetch-voicemail"
    form = {"Token": token(ringback, desk.office.ws), "recordingSid": data["recordingSid"], "format": "mp3"}
    async with aiohttp.ClientSession() as session, session.post(url, data=form) as answer:
        assert (answer.status, answer.content_type) == (200, "audio/mpeg")
        assert await answer.read() == base64.b64decode(sound["recording"])


async def test_callback_keeps_its_place_in_line(ringback: World) -> None:
    """§9 no. 12, 13, 19, 26: star, 1, 1."""
    desk = await line(ringback)
    script = [
        *STAR,
        {"expect": "press 1"},
        {"press": "1"},
        {"expect": "calling from"},
        {"press": "1"},
        {"wait": 30},
    ]
    caller = await ringback.call(OURS, script=script)
    await caller.hears("To be called back")
    between = ringback.product.new_sid("WT")
    values = {"attributes": "{}", "workflow_sid": desk.office.workflow}
    await desk.office.request("create", "Task", between, values, {"TaskChannel": "voice"})
    await caller.ends()
    await ringback.settled()
    assert "keep your place" in caller.heard[-1]["text"]
    old = next(one for one in desk.tasks() if one.sid != between)
    assert (old.assignment_status, old.reason) == ("canceled", "Opted to request a callback")
    assert desk.attributes(old)["conversations"]["abandoned"] == "Follow-Up"
    (task,) = desk.tasks("callback")
    found = desk.attributes(task)
    assert task.virtual_start_time == old.date_created
    assert (found["from"], found["name"], found["direction"]) == (CALLER, CALLER, "inbound")
    assert found["tier"] == "gold"
    assert found["conversations"] == {"conversation_id": old.sid}
    assert {"call_sid", "conference", "reservation_attributes"}.isdisjoint(found)
    assert (
        found["callBackData"] | {"numberToCall": CALLER, "numberToCallFrom": OURS, "attempts": 0}
        == found["callBackData"]
    )
    worker = await desk.office.hire("alice", "+15559990001")
    offered = [
        each.task_sid for each in desk.office.workspace.reservations.values() if each.worker_sid == worker
    ]
    assert offered[0] == task.sid, "before the task that was created after the call"


async def test_another_number(ringback: World) -> None:
    """§9 no. 18: digits of the keypad become a number that can be called."""
    desk = await line(ringback)
    caller = await ringback.call(
        OURS,
        script=[
            *STAR, {"expect": "press 1"}, {"press": "1"}, {"expect": "another number"}, {"press": "2"},
            {"expect": "pound key"}, {"press": "14155550100#"}, {"expect": "If this is correct"}, {"press": "1"},
            {"wait": 60},
        ],
    )  # fmt: skip
    await caller.ends()
    await ringback.settled()
    (task,) = desk.tasks("callback")
    assert desk.attributes(task)["callBackData"]["numberToCall"] == "+14155550100"


async def test_the_prompt_repeats_and_the_greeting_does_not(ringback: World) -> None:
    """§9 no. 15: each round of the music, about every 30 seconds."""
    desk = await line(ringback)
    caller = await ringback.call(OURS, script=[{"wait": 170}, {"hangup": True}])
    await caller.ends()
    await ringback.settled()
    prompts = [each["at"] for each in caller.heard if "press the star key" in each["text"]]
    greetings = [each for each in caller.heard if "Thank you for calling" in each["text"]]
    assert len(greetings) == 1
    assert len(prompts) in (4, 5)
    assert all(30 <= b - a <= 45 for a, b in itertools.pairwise(prompts))
    (task,) = desk.tasks()
    assert (task.assignment_status, task.reason) == ("canceled", "hangup")


async def test_the_star_pressed_during_the_greeting_is_heard(ringback: World) -> None:
    """Who calls again knows the menu (issue 11, D 22): the greeting stops, and the menu follows at once."""
    await line(ringback)
    caller = await ringback.call(OURS, script=[{"wait": 0.6}, {"press": "*"}, {"wait": 20}, {"hangup": True}])
    await caller.hears("press 1")
    assert not any("press the star key" in each["text"] for each in caller.heard)
    await caller.ends()
    await ringback.settled()


async def test_a_task_that_cannot_be_found(ringback: World) -> None:
    """§9 no. 16: the truth every round; keys do nothing, and the caller waits on."""
    office = await Office(ringback).open()
    desk = Line(ringback, office)
    await ringback.number(OURS, voice="/voice")
    ringback.app("/voice", f'<Response><Enqueue waitUrl="{ringback.url}{WAIT}">plain</Enqueue></Response>')
    script = [{"wait": 40}, {"press": "*"}, {"wait": 5}, {"press": "1"}, {"wait": 60}, {"hangup": True}]
    caller = await ringback.call(OURS, script=script)
    await caller.ends()
    await ringback.settled()
    assert sum("not available" in each["text"] for each in caller.heard) >= 3
    assert not any("press 1" in each["text"] for each in caller.heard)
    urls = list((await ringback.get(f"Calls/{caller.sid}/Events"))["events"])
    assert not any("undefined" in each["request"]["url"] for each in urls)
    assert desk.tasks("callback") == []


async def test_an_agent_answers_while_the_caller_is_in_the_menu(ringback: World) -> None:
    """§9 no. 17: bridged; no callback, no cancel."""
    office = await Office(ringback).open(
        assignment_callback_url=ringback.app("/assign", lambda params: _json({"instruction": "dequeue"}))
    )
    desk = await Line(ringback, office).open()
    await ringback.sim(
        "PUT",
        "Numbers/+15559990001",
        {"answers": "answer", "after": 0.5, "script": [{"say": "Alice here"}, {"wait": 9}]},
    )
    caller = await ringback.call(
        OURS, script=[*STAR, {"expect": "Alice here"}, {"wait": 5}, {"hangup": True}]
    )
    await caller.hears("To be called back")
    await office.hire("alice", "+15559990001")
    await caller.ends()
    await ringback.settled()
    (task,) = office.workspace.tasks.values()
    assert task.record.assignment_status == "wrapping"
    assert desk.tasks("callback") == []


async def test_an_agent_wins_the_race_at_the_last_moment(
    ringback: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 4, point 3: the feature has seen a waiting task, the agent accepts, the opt-out comes too late."""
    desk = await line(ringback)
    api = ringback.product.callbacks._runner.api
    send = api.request

    async def late(ask: Any) -> Any:
        if ask.path.endswith("/OptOut"):
            await desk.office.hire("alice", "+15559990001")
            reservation = next(iter(desk.office.workspace.reservations))
            await desk.office.request(
                "update", "Reservation", reservation, params={"ReservationStatus": "accepted"}
            )
        return await send(ask)

    monkeypatch.setattr(api, "request", late)
    script = [
        *STAR,
        {"expect": "press 1"},
        {"press": "1"},
        {"expect": "calling from"},
        {"press": "1"},
        {"wait": 9},
        {"hangup": True},
    ]
    caller = await ringback.call(OURS, script=script)
    await caller.ends()
    await ringback.settled()
    assert any("An agent is taking your call" in each["text"] for each in caller.heard)
    assert desk.tasks("callback") == []
    (task,) = desk.tasks()
    assert task.assignment_status != "canceled"
    assert ringback.product.callbacks._runner.notes.all == {}


def _json(value: Any) -> Any:
    return web.json_response(value)


async def test_create_callback_from_studio(ringback: World) -> None:
    """§9 no. 1-6, 11."""
    desk = await line(ringback)
    path = "studio/create-callback"
    both = {"numberToCall": CALLER, "numberToCallFrom": OURS}
    assert (await post(ringback, path, **both))[0] == 403
    status, body = await post(ringback, path, signed=True, numberToCall=CALLER)
    assert (status, body["data"]) == (400, None)
    assert "numberToCallFrom" in body["message"]
    status, body = await post(ringback, path, signed=True, **both)
    assert (status, body["success"]) == (500, False)
    assert "workflow" in body["message"]
    assert desk.tasks("callback") == []
    with_workflow = {**both, "workflowSid": desk.office.workflow}
    status, body = await post(ringback, path, signed=True, **with_workflow)
    assert (status, body["success"]) == (200, True)
    task = desk.office.workspace.tasks[body["taskSid"]].record
    found = desk.attributes(task)
    assert (task.timeout, task.priority, task.task_channel_unique_name) == (86_400, 0, "voice")
    data = found.pop("callBackData")
    assert found == {"from": CALLER, "name": CALLER, "taskType": "callback", "direction": "inbound"}
    assert data.pop("utcDateTimeReceived").endswith("Z")
    assert data == {**both, "mainTimeZone": "UTC", "isDeleted": False, "attempts": 0}
    recording = "RE" + "1" * 32
    for spelling in ("recordingSid", "RecordingSid"):
        more = {spelling: recording, "TranscriptionText": "Hello", "numberToCall": " 15551230001"}
        status, body = await post(ringback, path, signed=True, **{**with_workflow, **more})
        assert status == 200
    (voicemail,) = desk.tasks("voicemail")
    assert voicemail.sid == body["taskSid"], "the same recording is the same task"
    data = desk.attributes(voicemail)["callBackData"]
    assert (data["transcriptText"], data["numberToCall"]) == ("Hello", CALLER)


async def test_who_may_come_in(ringback: World) -> None:
    """§2, §9 no. 11: agents by their token, nobody else."""
    desk = await line(ringback)
    for path in (
        "flex/requeue-callback",
        "flex/fetch-voicemail",
        "flex/create-callback",
        "flex/place-callback",
    ):
        assert (await post(ringback, path))[0] == 401
        assert (await post(ringback, path, Token="nonsense"))[0] == 401
        assert (await post(ringback, path, Token=token(ringback, "")))[0] == 403
    good = token(ringback, desk.office.ws)
    status, body = await post(ringback, "flex/requeue-callback", Token=good)
    assert (status, "taskSid" in body["message"]) == (400, True)
    status, body = await post(ringback, "flex/fetch-voicemail", Token=good, recordingSid="RE" + "0" * 32)
    assert (status, body) == (404, {})
    async with aiohttp.ClientSession() as session:
        url = f"{ringback.url}/features/callback-and-voicemail/flex/requeue-callback"
        async with session.options(url) as answer:
            assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (204, "*")


async def make_callback(ringback: World, desk: Line, **more: str) -> str:
    """A callback's task."""
    fields = {"numberToCall": CALLER, "numberToCallFrom": OURS, "workflowSid": desk.office.workflow, **more}
    status, body = await post(ringback, "studio/create-callback", signed=True, **fields)
    assert status == 200, body
    return str(body["taskSid"])


async def test_requeue(ringback: World) -> None:
    """§9 no. 21: one attempt more, everything inherited, and never two for one."""
    desk = await line(ringback)
    first = await make_callback(ringback, desk, priority="7", timeout="500", flexFlowSid="FW1")
    agent = token(ringback, desk.office.ws)
    status, body = await post(ringback, "flex/requeue-callback", Token=agent, taskSid=first)
    assert status == 200
    assert (await post(ringback, "flex/requeue-callback", Token=agent, taskSid=first))[1]["taskSid"] == body[
        "taskSid"
    ]
    task = desk.office.workspace.tasks[body["taskSid"]].record
    found = desk.attributes(task)
    assert found["callBackData"]["attempts"] == 1
    assert (task.priority, task.timeout, found["flow_execution_sid"]) == (7, 500, "FW1")
    status, body = await post(ringback, "flex/create-callback", Token=agent, taskSid=task.sid)
    assert (
        desk.attributes(desk.office.workspace.tasks[body["taskSid"]].record)["callBackData"]["attempts"] == 2
    )
    status, body = await post(ringback, "flex/requeue-callback", Token=agent, taskSid=body["taskSid"])
    assert (status, "no more" in body["message"]) == (400, True)


async def test_a_scheduled_callback_waits_for_its_time(tmp_path: Path) -> None:
    """Issue 4, point 6: a chosen time, moved into business hours, and released as agents are free."""
    hours = dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday"), "09:00-17:00")
    options = {"hours": hours, "time_zone": "Europe/Berlin", "holidays": ["2031-01-01"]}
    async with world(tmp_path, callback=options) as ringback:
        desk = await line(ringback)
        fields = {"numberToCall": CALLER, "numberToCallFrom": OURS, "workflowSid": desk.office.workflow}
        status, body = await post(
            ringback, "studio/create-callback", signed=True, callbackAt="2020-01-01T10:00:00Z", **fields
        )
        assert status == 400
        late = iso(ringback.clock.now() + 3 * 86_400)
        status, body = await post(ringback, "studio/create-callback", signed=True, callbackAt=late, **fields)
        assert (status, body["taskSid"]) == (200, None)
        assert body["scheduledFor"] >= late
        await ringback.advance(2 * 86_400)
        assert desk.tasks("callback") == []
        await ringback.advance(_unix(body["scheduledFor"]) - ringback.clock.now() + 60)
        (task,) = desk.tasks("callback")
        assert iso(task.date_created) >= body["scheduledFor"]
        assert task.date_created - _unix(body["scheduledFor"]) <= 31


def _unix(text: str) -> float:
    return datetime.datetime.fromisoformat(text).timestamp()


async def test_delays_and_the_kept_place(tmp_path: Path) -> None:
    """Point 6: the feature parks a repetition, and it keeps its place when the option says so."""
    options = {"delays": [600, 3600], "retain_place_on_retry": True}
    async with world(tmp_path, callback=options) as ringback:
        desk = await line(ringback)
        first = await make_callback(ringback, desk)
        begun = desk.office.workspace.tasks[first].record.virtual_start_time
        agent = token(ringback, desk.office.ws)
        status, body = await post(ringback, "flex/requeue-callback", Token=agent, taskSid=first)
        assert (status, body["taskSid"], len(desk.tasks("callback"))) == (200, None, 1)
        await ringback.advance(590)
        assert len(desk.tasks("callback")) == 1
        await ringback.advance(60)
        (second,) = [one for one in desk.tasks("callback") if one.sid != first]
        assert desk.attributes(second)["callBackData"]["attempts"] == 1
        assert int(second.virtual_start_time) == int(begun)


async def test_a_feature_that_works_for_another_ringback(tmp_path: Path) -> None:
    """Point 8: two products; the feature of the one serves the callers of the other, by the public API alone."""
    async with world(tmp_path / "platform") as platform:
        known = {"account_sid": platform.product.account_sid, "auth_token": platform.product.auth_token}
        options = {"base_url": platform.url, **known}
        async with world(tmp_path / "feature", callback=options) as feature:
            office = await Office(platform).open()
            desk = await Line(platform, office).open(wait_url=f"{feature.url}{WAIT}")
            caller = await platform.call(
                OURS,
                script=[
                    *STAR, {"expect": "leave a voicemail, press 2"}, {"press": "2"}, {"expect": "beep"}, {"say": WORDS},
                    {"wait": 1}, {"press": "*"}, {"wait": 20},
                ],
            )  # fmt: skip
            await caller.ends()
            await platform.settled()
            (task,) = desk.tasks("voicemail")
            assert desk.attributes(task)["callBackData"]["transcriptText"] == WORDS
            assert any("has been recorded" in each["text"] for each in caller.heard)
            assert feature.product.taskrouter.workspaces == {}
            assert platform.product.callbacks._runner.notes.all == {}


async def assigned(ringback: World, desk: Line, worker: str) -> tuple[str, str]:
    """A callback that a worker has accepted: its task and reservation."""
    task = await make_callback(ringback, desk)
    (reservation,) = [
        each.sid
        for each in desk.office.workspace.reservations.values()
        if each.task_sid == task and each.worker_sid == worker
    ]
    await desk.office.request("update", "Reservation", reservation, params={"ReservationStatus": "accepted"})
    return task, reservation


async def test_calling_back_dials_once_and_tells_the_outcome(ringback: World) -> None:
    """§7, §9 no. 24: a claim an attempt; the outcome is attached, the callback stays assigned, and may be retried."""
    desk = await line(ringback)
    worker = await desk.office.hire("alice", "+15559990001")
    task, reservation = await assigned(ringback, desk, worker)
    agent = token(ringback, desk.office.ws, worker)
    fields = {"Token": agent, "taskSid": task, "reservationSid": reservation}
    both = await asyncio.gather(*(post(ringback, "flex/place-callback", **fields) for _ in range(5)))
    assert {status for status, _ in both} == {200}
    assert len({body["taskSid"] for _, body in both}) == 1
    (outbound,) = desk.tasks("callback-outbound")
    found = desk.attributes(outbound)
    assert (
        found | {"outbound_to": CALLER, "from": OURS, "direction": "outbound", "parentTask": reservation}
        == found
    )
    assert found["conversations"]["conversation_id"] == task
    assert (outbound.routing_target, outbound.ignore_capacity) == (worker, True)
    status, body = await post(ringback, "flex/callback-outcome", Token=agent, taskSid=task)
    assert body["outcome"] is None, "it is not over"
    pending = next(
        each.sid for each in desk.office.workspace.reservations.values() if each.task_sid == outbound.sid
    )
    await desk.office.request("update", "Reservation", pending, params={"ReservationStatus": "rejected"})
    status, body = await post(ringback, "flex/callback-outcome", Token=agent, taskSid=task)
    assert (body["outcome"]["result"], body["selectTask"]) == ("agent-left", task)
    record = desk.office.workspace.tasks[task].record
    assert record.assignment_status == "assigned"
    data = desk.attributes(record)["callBackData"]
    assert data["lastOutcome"]["claim"] == data["claim"]["n"] == 1
    status, body = await post(ringback, "flex/place-callback", **fields)
    assert (status, body["attempt"], body["again"]) == (200, 2, False)
    assert len(desk.tasks("callback-outbound")) == 2
