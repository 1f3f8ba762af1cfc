"""Events of a workspace by REST (taskrouter.md §10), on both databases."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from ringback.effects import Save
from ringback.resources.api.account import Account
from ringback.store import Store
from tests.web.rest.test_fuzz import AC
from tests.web.taskrouter_kit import Kit


@pytest.fixture
async def kit(store: Store, tmp_path: Path) -> Kit:
    await store.commit([Save(Account(sid=AC, account_sid=AC, auth_token="secret"))])
    made = Kit(store, tmp_path)
    made.ws = (await made.post("/Workspaces", FriendlyName="Desk"))["sid"]
    return made


def iso(seconds: float) -> str:
    """As the official client sends it."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


async def test_a_life_of_a_task_newest_first(kit: Kit) -> None:
    queue, workflow = await kit.routed()
    worker = await kit.worker("Alice", "Available")
    task = await kit.post("Tasks", TaskChannel="voice")
    (sid,) = await kit.list(f"Tasks/{task['sid']}/Reservations", "sid")
    kit.now += 1
    await kit.post(f"Tasks/{task['sid']}/Reservations/{sid}", ReservationStatus="accepted")
    kit.now += 1
    await kit.post(f"Tasks/{task['sid']}", AssignmentStatus="completed", Reason="done")
    types = await kit.list("Events", "event_type", TaskSid=task["sid"])
    assert types[-1] == "task.created"
    assert types[0] == "task.completed"
    assert types.index("reservation.accepted") < types.index("reservation.created")
    assert await kit.list("Events", "resource_sid", EventType="reservation.accepted") == [sid]
    assert await kit.list("Events", "event_type", ReservationSid=sid) == [
        one for one in types if one.startswith("reservation.")
    ]
    assert set(await kit.list("Events", "event_type", TaskQueueSid=queue)) <= set(types) | {
        "task-queue.created"
    }
    assert "task.created" in await kit.list("Events", "event_type", WorkflowSid=workflow)
    assert "worker.created" in await kit.list("Events", "event_type", WorkerSid=worker["sid"])
    assert await kit.list("Events", "event_type", TaskChannel="chat") == []
    assert "task.created" in await kit.list("Events", "event_type", TaskChannel="voice")
    assert "task.created" in await kit.list("Events", "event_type", TaskChannel=task["task_channel_sid"])


async def test_how_an_event_is_shown(kit: Kit) -> None:
    await kit.routed()
    task = await kit.post("Tasks", Attributes='{"a":1}')
    (event,) = (await kit.get("Events", EventType="task.created"))["events"]
    base = f"http://h/taskrouter/v1/Workspaces/{kit.ws}"
    assert event["resource_url"] == f"{base}/Tasks/{task['sid']}"
    assert (event["resource_type"], event["resource_sid"]) == ("task", task["sid"])
    assert event["url"] == f"{base}/Events/{event['sid']}"
    assert event["event_date"] == "2027-01-15T08:00:00Z"
    assert event["event_date_ms"] == 1_800_000_000_000
    assert (event["actor_type"], event["actor_sid"], event["source"]) == ("account", AC, "API")
    assert event["event_data"]["task_attributes"] == '{"a":1}'
    assert not {"task_sid", "worker_sid", "links"} & set(event)
    assert await kit.get(f"Events/{event['sid']}") == event
    assert await kit.list("Events", "sid", Sid=event["sid"][:2] + event["sid"][2:].upper()) == [event["sid"]]
    assert (await kit.call("GET", "Events/EV" + "0" * 32)).refusal == (404, 20404)
    assert (await kit.call("GET", "Events/nonsense")).refusal == (404, 20404)
    assert (await kit.call("POST", "Events", {})).refusal == (405, 20004)


async def test_windows_of_time(kit: Kit) -> None:
    start = kit.now
    await kit.post("Activities", FriendlyName="Lunch")
    old = await kit.list("Events", "sid", EventType="activity.created")
    kit.now += 20 * 60
    await kit.post("Activities", FriendlyName="Tea")
    new = await kit.list("Events", "sid", EventType="activity.created")
    assert (len(old), len(new)) == (1, 1)  # fifteen minutes, when nothing else is said
    assert old != new
    both = new + old
    kind = {"EventType": "activity.created"}
    assert await kit.list("Events", "sid", Minutes=30, **kind) == both
    assert await kit.list("Events", "sid", Minutes=1, **kind) == new
    assert await kit.list("Events", "sid", StartDate=iso(start), **kind) == both
    assert await kit.list("Events", "sid", StartDate=iso(start + 1), **kind) == new
    assert await kit.list("Events", "sid", EndDate=iso(start), **kind) == old
    assert await kit.list("Events", "sid", StartDate=iso(start), EndDate=iso(start + 60), **kind) == old
    assert await kit.list("Events", "sid", StartDate="2027-01-15", EndDate="2027-01-15", **kind) == both
    assert await kit.list("Events", "sid", Sid=old[0]) == old  # one thing is shown, however old it is
    kit.now += 3600
    assert await kit.list("Events", "sid", **kind) == []


async def test_pages_of_events(kit: Kit) -> None:
    for number in range(5):
        kit.now += 1
        await kit.post("Activities", FriendlyName=f"A{number}")
    everything = await kit.list("Events", "sid")
    first = await kit.get("Events", PageSize=4)
    assert "PageToken=PA" in first["meta"]["next_page_url"]
    token = "PA" + first["events"][-1]["sid"]
    second = await kit.list("Events", "sid", PageSize=50, PageToken=token)
    assert [one["sid"] for one in first["events"]] + second == everything


async def test_events_of_another_workspace_are_not_shown(kit: Kit) -> None:
    (event,) = (await kit.get("Events", EventType="workspace.created"))["events"]
    other = (await kit.post("/Workspaces", FriendlyName="Other"))["sid"]
    assert (await kit.call("GET", f"/Workspaces/{other}/Events/{event['sid']}")).refusal == (404, 20404)
    assert event["sid"] not in await kit.list(f"/Workspaces/{other}/Events", "sid")
    await kit.routed()
    task = (await kit.post("Tasks"))["sid"]
    assert await kit.list("Events", "sid", TaskSid=task) != []
    assert await kit.list(f"/Workspaces/{other}/Events", "sid", TaskSid=task) == []
