"""Journey: a caller is enqueued, the right agent's phone rings, they talk, and the work is closed."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from aiohttp import web

from ringback.events.taskrouter import WorkspaceWriteRequested
from ringback.resources.taskrouter.event import Event
from ringback.testing.world import World

AGENT = "+15559990001"


class Office:
    """A workspace with one queue, one workflow and an agent at a phone."""

    def __init__(self, ringback: World) -> None:
        self.ringback = ringback
        self.ws = ""
        self.workflow = ""

    async def request(
        self, operation: Any, noun: str, sid: str, values: Any = None, params: Any = None
    ) -> Any:
        """A write to TaskRouter."""
        product = self.ringback.product
        return await product.ask(
            WorkspaceWriteRequested(
                workspace_sid=self.ws, account_sid=product.account_sid, noun=noun, operation=operation, sid=sid,
                values=values or {}, params=params or {},
            )
        )  # fmt: skip

    async def create(self, noun: str, prefix: str, **values: Any) -> str:
        """Create a record; gives its SID."""
        sid = self.ringback.product.new_sid(prefix)
        if noun == "Workspace":
            self.ws = sid
        return str((await self.request("create", noun, sid, values)).sid)

    @property
    def workspace(self) -> Any:
        """The inside."""
        return self.ringback.product.taskrouter.workspaces[self.ws]

    def activity(self, name: str) -> str:
        """SID of an activity."""
        return next(
            str(each.sid) for each in self.workspace.activities.values() if each.friendly_name == name
        )

    async def open(self, **workflow: Any) -> Office:
        """Set everything up."""
        await self.create("Workspace", "WS", friendly_name="Office")
        queue = await self.create("TaskQueue", "WQ", friendly_name="all")
        configuration = json.dumps({"task_routing": {"default_filter": {"queue": queue}}})
        self.workflow = await self.create(
            "Workflow", "WW", friendly_name="flow", configuration=configuration, **workflow
        )
        return self

    async def hire(self, name: str, contact_uri: str) -> str:
        """An available worker."""
        attributes = json.dumps({"contact_uri": contact_uri})
        return await self.create(
            "Worker", "WK", friendly_name=name, attributes=attributes, activity_sid=self.activity("Available")
        )

    def task(self) -> Any:
        """The only task."""
        (task,) = self.workspace.tasks.values()
        return task.record

    async def kinds(self) -> list[str]:
        """Event types of the task, oldest first."""
        found = await self.ringback.product.store.find(Event, task_sid=self.task().sid)
        return [each.event_type for each in reversed(found)]


def says(instruction: dict[str, Any]) -> Any:
    """An assignment callback's answer."""
    return lambda params: web.json_response(instruction)


async def until(condition: Any) -> None:
    """Let things happen until a condition holds."""
    while not condition():
        await asyncio.sleep(0)


@pytest.mark.parametrize("kind", ["dequeue", "conference"])
async def test_caller_and_agent_talk_and_the_work_is_closed(ringback: World, kind: str) -> None:
    office = await Office(ringback).open(
        assignment_callback_url=ringback.app(
            "/assign", says({"instruction": kind, "end_conference_on_exit": True})
        )
    )
    await office.hire("alice", AGENT)
    await ringback.number("+15550100", voice="/voice")
    ringback.app(
        "/voice",
        f'<Response><Enqueue workflowSid="{office.workflow}" action="/after">'
        f'<Task>{{"tier":"gold"}}</Task></Enqueue></Response>',
    )
    ringback.app("/after", "<Response><Say>Goodbye then</Say></Response>")
    script = [{"wait": 2}, {"say": "Ringback, Alice speaking"}, {"wait": 8}, {"hangup": True}]
    await ringback.sim("PUT", f"Numbers/{AGENT}", {"answers": "answer", "after": 1.0, "script": script})
    caller = await ringback.call(
        "+15550100",
        script=[{"expect": "Alice speaking", "within": 60}, {"say": "My line is dead"}, {"wait": 60}],
    )
    await caller.hears("Alice speaking", within=60)
    assert office.task().assignment_status == "assigned"
    if kind == "dequeue":
        await caller.hears("Goodbye then", within=60)
    await ringback.settled()
    (asked,) = ringback.requests("/assign")
    assert json.loads(asked["TaskAttributes"]) | {"tier": "gold", "from": "+15551230001"} == json.loads(
        asked["TaskAttributes"]
    )
    task = office.task()
    assert task.assignment_status == "wrapping"
    reservation = next(iter(office.workspace.reservations.values()))
    assert reservation.reservation_status == "wrapping"
    if kind == "conference":
        told = json.loads(task.attributes)["conference"]
        assert (told["friendlyName"], told["participants"]) == (
            task.sid, {"worker": reservation.call_sid, "customer": task.call_sid},
        )  # fmt: skip
    await office.request("update", "Reservation", reservation.sid, params={"ReservationStatus": "completed"})
    kinds = await office.kinds()
    assert [each for each in kinds if each != "task.updated"] == [
        "task.created", "workflow.entered", "workflow.target-matched", "task-queue.entered", "reservation.created",
        "reservation.accepted", "reservation.wrapup", "task.wrapup", "reservation.completed", "task.completed",
    ]  # fmt: skip
    calls = (await ringback.get("Calls"))["calls"]
    assert {each["status"] for each in calls} == {"completed"}
    if kind == "dequeue":
        (after,) = ringback.requests("/after")
        assert after["QueueResult"] == "bridged"


@pytest.mark.parametrize("ended", ["workflow", "ttl"])
async def test_a_caller_whose_task_timed_out_waits_for_the_application(ringback: World, ended: str) -> None:
    """The vendor's samples hear ``workflow.timeout`` and send the waiting call to voicemail by REST."""
    office = await Office(ringback).open()
    never = {"queue": next(iter(office.workspace.queues)), "expression": "1==0"}
    if ended == "workflow":
        never["timeout"] = "30"
    configuration = json.dumps({"task_routing": {"filters": [{"expression": "1==1", "targets": [never]}]}})
    await office.request("update", "Workflow", office.workflow, {"configuration": configuration})
    ringback.app(
        "/voice",
        f'<Response><Enqueue workflowSid="{office.workflow}" action="/after">'
        f'<Task timeout="{60 if ended == "workflow" else 30}">{{}}</Task></Enqueue></Response>',
    )
    ringback.app("/after", "<Response/>")
    voicemail = ringback.app(
        "/voicemail", "<Response><Say>Leave a message</Say><Pause length='60'/></Response>"
    )
    await ringback.number("+15550100", voice="/voice")
    caller = await ringback.call("+15550100", script=[{"wait": 300}])
    await ringback.advance(45)
    task = office.task()
    assert task.assignment_status == "canceled"
    assert ("workflow.timeout" in await office.kinds()) == (ended == "workflow")
    (call,) = (await ringback.get("Calls"))["calls"]
    assert (call["status"], ringback.requests("/after")) == ("in-progress", [])
    await ringback.post(f"Calls/{call['sid']}", Url=voicemail)
    await caller.hears("Leave a message", within=10)
    await ringback.settled()
    (after,) = ringback.requests("/after")
    assert after["QueueResult"] == "redirected"


@pytest.mark.parametrize("early", ["true", "false"])
async def test_the_agent_hears_his_customers_phone_ring_and_then_the_customer(
    ringback: World, early: str
) -> None:
    """A call placed from a task (taskrouter.md §9 no. 6); EarlyMedia=false leaves the wait music."""
    instruction = {
        "instruction": "conference",
        "early_media": early,
        "jitter_buffer_size": "off",
        "region": "de1",
    }
    office = await Office(ringback).open(assignment_callback_url=ringback.app("/assign", says(instruction)))
    worker = await office.hire("alice", AGENT)
    await ringback.number("+15550100", voice="/voice")
    await ringback.sim(
        "PUT", f"Numbers/{AGENT}",
        {"answers": "answer", "script": [{"expect": "who is there", "within": 60}, {"say": "Alice"}, {"hangup": True}]},
    )  # fmt: skip
    await ringback.sim(
        "PUT", "Numbers/+15557770001",
        {
            "answers": "answer", "after": 8,
            "script": [{"say": "who is there"}, {"expect": "Alice", "within": 60}, {"hangup": True}],
        },
    )  # fmt: skip
    attributes = json.dumps({"direction": "outbound", "outbound_to": "+15557770001", "from": "+15550100"})
    sid = ringback.product.new_sid("WT")
    seen: list[tuple[str, bool, int]] = []
    """When it was told that the reservation is accepted: its state, whether the conference runs, who is in it."""

    def listen(event: Any) -> None:
        if event.event_type == "reservation.accepted":
            room = ringback.product.voice.conferences.named(ringback.product.account_sid, sid)
            assert room is not None
            seen.append((event.task.assignment_status, room.started, len(room.seats)))

    ringback.product.listeners.append(listen)
    await office.request(
        "create", "Task", sid, {"attributes": attributes, "workflow_sid": office.workflow},
        {"RoutingTarget": worker, "TaskChannel": "voice"},
    )  # fmt: skip
    await ringback.settled()
    assert office.task().assignment_status == "wrapping"
    assert seen == [("assigned", True, 2)]
    kinds = await office.kinds()
    told = await ringback.product.store.find(Event, task_sid=sid)
    moments = {each.event_type: each.event_date for each in told}
    assert moments["reservation.accepted"] - moments["reservation.created"] >= 8, kinds  # when they picked up
    calls = {one["to"]: one for one in (await ringback.get("Calls"))["calls"]}
    party = await ringback.sim("GET", f"Calls/{calls[AGENT]['sid']}")
    heard = [one["text"] for one in party["heard"] if one["text"] != "beep"]
    music = ["hold-music", "ringback-us"] if early == "true" else ["hold-music"]
    assert heard == [*music, "who is there"]
    (room,) = (await ringback.get("Conferences"))["conferences"]
    assert (room["friendly_name"], room["region"]) == (sid, "de1")


async def test_caller_hangs_up_in_the_queue(ringback: World) -> None:
    office = await Office(ringback).open()
    await ringback.number("+15550100", voice="/voice")
    ringback.app("/voice", f'<Response><Enqueue workflowSid="{office.workflow}"/></Response>')
    caller = await ringback.call("+15550100", script=[{"wait": 20}, {"hangup": True}])
    await caller.ends()
    await ringback.settled()
    assert (office.task().assignment_status, office.task().reason) == ("canceled", "hangup")


async def test_agent_is_busy_and_the_next_one_answers(ringback: World) -> None:
    office = await Office(ringback).open(
        assignment_callback_url=ringback.app("/assign", says({"instruction": "dequeue"}))
    )
    await office.hire("alice", AGENT)
    await office.hire("bob", "+15559990002")
    await ringback.number("+15550100", voice="/voice")
    ringback.app("/voice", f'<Response><Enqueue workflowSid="{office.workflow}"/></Response>')
    await ringback.sim("PUT", f"Numbers/{AGENT}", {"answers": "busy"})
    await ringback.sim(
        "PUT", "Numbers/+15559990002", {"answers": "answer", "script": [{"say": "Bob here"}, {"wait": 5}]}
    )
    caller = await ringback.call("+15550100", script=[{"expect": "Bob here", "within": 60}, {"hangup": True}])
    await caller.ends()
    await ringback.settled()
    statuses = {each.worker_name: each.reservation_status for each in office.workspace.reservations.values()}
    assert statuses == {"alice": "canceled", "bob": "wrapping"}
