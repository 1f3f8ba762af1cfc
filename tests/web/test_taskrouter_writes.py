"""Writes to TaskRouter's nouns by REST: what becomes of parameters, versions and mistakes (taskrouter.md §2)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ringback.effects import Save
from ringback.resources.api.account import Account
from ringback.resources.taskrouter.reservation import Reservation
from ringback.resources.taskrouter.task import Task
from ringback.resources.taskrouter.task_queue import TaskQueue
from ringback.web.taskrouter.reading import read
from tests.web.rest.test_fuzz import AC
from tests.web.taskrouter_kit import Kit, kit_in


@pytest.fixture
async def kit(tmp_path: Path) -> AsyncIterator[Kit]:
    async with kit_in(tmp_path) as made:
        yield made


async def test_a_workspace_comes_with_what_the_sheet_says(kit: Kit) -> None:
    body = await kit.get("/Workspaces/" + kit.ws)
    assert (body["friendly_name"], body["prioritize_queue_order"], body["multi_task_enabled"]) == (
        "Desk", "FIFO", True,
    )  # fmt: skip
    assert body["default_activity_name"] == body["timeout_activity_name"] == "Offline"
    base = f"http://h/taskrouter/v1/Workspaces/{kit.ws}"
    assert body["url"] == base
    assert body["links"]["real_time_statistics"] == base + "/RealTimeStatistics"
    assert body["links"]["task_channels"] == base + "/TaskChannels"
    assert await kit.list("Activities") == ["Offline", "Available", "Unavailable"]
    assert await kit.list("TaskChannels", "unique_name") == ["default", "voice", "chat", "sms", "video"]


async def test_a_fifo_workspace_has_a_queue_and_a_workflow(kit: Kit) -> None:
    made = await kit.post("/Workspaces", FriendlyName="Shop", Template="FIFO", EventsFilter="task.created")
    assert made["events_filter"] == "task.created"
    assert await kit.list("/Workspaces") == ["Desk", "Shop"]
    assert await kit.list("/Workspaces", FriendlyName="Shop") == ["Shop"]
    assert len(await kit.list(f"/Workspaces/{made['sid']}/Workflows")) == 1
    assert (await kit.call("DELETE", f"/Workspaces/{made['sid']}")).status == 204
    assert (await kit.call("GET", f"/Workspaces/{made['sid']}")).refusal == (404, 20404)
    assert (await kit.call("GET", f"/Workspaces/{made['sid']}/Tasks")).refusal == (404, 20404)


async def test_default_activities_change_and_cannot_be_cleared(kit: Kit) -> None:
    available = await kit.activity("Available")
    body = await kit.post(
        f"/Workspaces/{kit.ws}", DefaultActivitySid=available.upper()[:2] + available[2:].upper()
    )
    assert (body["default_activity_sid"], body["default_activity_name"]) == (available, "Available")
    assert (await kit.post(f"/Workspaces/{kit.ws}", DefaultActivitySid=""))[
        "default_activity_sid"
    ] == available
    reply = await kit.call("POST", f"/Workspaces/{kit.ws}", {"TimeoutActivitySid": "WA" + "0" * 32})
    assert reply.refusal == (400, 20001)


async def test_the_availability_of_an_activity_is_for_ever(kit: Kit) -> None:
    made = await kit.post("Activities", FriendlyName="Lunch", Available="yes")
    assert made["available"] is True
    assert made["links"] == {"workspace": f"http://h/taskrouter/v1/Workspaces/{kit.ws}"}
    changed = await kit.post(f"Activities/{made['sid']}", FriendlyName="Break", Available="false")
    assert (changed["friendly_name"], changed["available"]) == ("Break", True)
    assert await kit.list("Activities", Available="true") == ["Available", "Break"]
    assert (await kit.call("DELETE", f"Activities/{made['sid']}")).status == 204
    offline = await kit.activity("Offline")
    assert (await kit.call("DELETE", f"Activities/{offline}")).refusal == (400, 20001)


async def test_a_worker_from_create_to_delete(kit: Kit) -> None:
    made = await kit.worker("Alice", skills=["en"])
    base = f"http://h/taskrouter/v1/Workspaces/{kit.ws}"
    assert (made["activity_name"], made["available"], made["attributes"]) == (
        "Offline",
        False,
        '{"skills": ["en"]}',
    )
    assert made["links"]["activity"] == f"{base}/Activities/{made['activity_sid']}"
    assert made["links"]["channels"] == f"{base}/Workers/{made['sid']}/Channels"
    assert made["links"]["statistics"] == f"{base}/Workers/Statistics"
    assert made["links"]["worker_statistics"] == f"{base}/Workers/{made['sid']}/Statistics"
    path = f"Workers/{made['sid']}"
    changed = await kit.post(path, Attributes='{"a":1}', ActivitySid=await kit.activity("Available"))
    assert (changed["attributes"], changed["available"]) == ('{"a":1}', True)
    assert (await kit.call("DELETE", path)).refusal == (400, 20001)  # not while they are available
    await kit.post(path, ActivitySid=await kit.activity("Offline"))
    assert (await kit.call("DELETE", path)).status == 204
    assert (await kit.call("GET", path)).refusal == (404, 20404)


async def test_channels_of_a_worker_by_three_names(kit: Kit) -> None:
    worker = await kit.worker("Alice")
    path = f"Workers/{worker['sid']}/Channels"
    voice = (await kit.get(f"{path}/voice"))["sid"]
    channel = (await kit.get("TaskChannels/voice"))["sid"]
    assert voice.startswith("WC")
    assert channel.startswith("TC")
    assert (await kit.get(f"{path}/{channel}"))["sid"] == (await kit.get(f"{path}/{voice}"))["sid"] == voice
    changed = await kit.post(f"{path}/voice", Capacity=3, Available="false")
    assert (changed["configured_capacity"], changed["available"], changed["available_capacity_percentage"]) == (
        3, False, 100,
    )  # fmt: skip
    assert changed["url"] == f"http://h/taskrouter/v1/Workspaces/{kit.ws}/{path}/{voice}"
    assert (await kit.call("POST", f"{path}/voice", {"Capacity": "many"})).refusal == (400, 20001)
    assert (await kit.call("GET", f"{path}/fax")).refusal == (404, 20404)
    assert sorted(await kit.list(path, "task_channel_unique_name")) == [
        "chat",
        "default",
        "sms",
        "video",
        "voice",
    ]


async def test_a_task_channel_by_its_name(kit: Kit) -> None:
    made = await kit.post(
        "TaskChannels", FriendlyName="E-mail", UniqueName="email", ChannelOptimizedRouting="True"
    )
    assert made["channel_optimized_routing"] is True
    assert (await kit.get("TaskChannels/email"))["sid"] == made["sid"]
    assert (await kit.post("TaskChannels/email", FriendlyName="Mail"))["friendly_name"] == "Mail"
    assert (await kit.call("DELETE", "TaskChannels/email")).status == 204
    assert (await kit.call("GET", f"TaskChannels/{made['sid']}")).refusal == (404, 20404)


async def test_an_empty_expression_is_a_queue_for_nobody(kit: Kit) -> None:
    await kit.worker("Alice")
    everybody = await kit.post("TaskQueues", FriendlyName="All")
    nobody = await kit.post("TaskQueues", FriendlyName="None", TargetWorkers="")
    assert (everybody["target_workers"], nobody["target_workers"]) == ("1==1", "")
    assert await kit.list("Workers", TaskQueueSid=everybody["sid"]) == ["Alice"]
    assert await kit.list("Workers", TaskQueueSid=nobody["sid"]) == []
    changed = await kit.post(
        f"TaskQueues/{everybody['sid']}", TargetWorkers="", MaxReservedWorkers=4, TaskOrder="LIFO"
    )
    assert (changed["target_workers"], changed["max_reserved_workers"], changed["task_order"]) == (
        "",
        4,
        "LIFO",
    )
    assert changed["links"]["assignment_activity"] is None
    offline = await kit.activity("Offline")
    body = await kit.post(f"TaskQueues/{everybody['sid']}", AssignmentActivitySid=offline)
    assert body["links"]["assignment_activity"].endswith(f"/Activities/{offline}")
    assert body["assignment_activity_name"] == "Offline"
    body = await kit.post(f"TaskQueues/{everybody['sid']}", AssignmentActivitySid="")
    assert (body["assignment_activity_sid"], body["assignment_activity_name"]) == (None, None)


@pytest.mark.parametrize(
    ("path", "params", "words"),
    [
        ("TaskQueues", {"FriendlyName": "Q", "TargetWorkers": "skills HAS"}, "column 11"),
        ("TaskQueues", {"FriendlyName": "Q", "TargetWorkers": "skill-level > 3"}, "column"),
        ("TaskQueues", {"FriendlyName": "Q", "MaxReservedWorkers": "51"}, "MaxReservedWorkers"),
        ("TaskQueues", {"FriendlyName": "Q", "TaskOrder": "RANDOM"}, "TaskOrder"),
        ("TaskQueues", {"FriendlyName": "Q", "AssignmentActivitySid": "WA" + "0" * 32}, "does not exist"),
        ("TaskQueues", {}, "Missing FriendlyName"),
        ("Workflows", {"FriendlyName": "W", "Configuration": "{"}, "Configuration"),
        ("Workflows", {"FriendlyName": "W"}, "Missing Configuration"),
        ("Workflows", {"FriendlyName": "W", "Configuration": '{"task_routing":{"filters":[{"expression":"a ==",'
         '"targets":[{"queue":"WQ1"}]}]}}'}, "column"),
        ("Workflows", {"FriendlyName": "W", "Configuration": '{"task_routing":{"default_filter":{"queue":"WQ'
         + "0" * 32 + '"}}}'}, "does not exist"),
        ("Workers", {"FriendlyName": "A", "Attributes": "[1]"}, "JSON object"),
        ("Workers", {"FriendlyName": "A", "Attributes": "{"}, "JSON"),
        ("Workers", {"FriendlyName": "A", "Attributes": json.dumps({"a": "x" * 4096})}, "4096"),
        ("Workers", {"FriendlyName": "A" * 65}, "64"),
        ("Workers", {"FriendlyName": ""}, "must not be empty"),
        ("Workers", {"FriendlyName": "A", "ActivitySid": "WA" + "0" * 32}, "does not exist"),
        ("TaskChannels", {"FriendlyName": "C", "UniqueName": "a-b"}, "UniqueName"),
        ("Tasks", {"Attributes": "{}"}, "WorkflowSid field is required"),
        ("Tasks", {"WorkflowSid": "WW" + "0" * 32}, "does not exist"),
        ("Tasks", {"RoutingTarget": "WK" + "0" * 32}, "RoutingTarget"),
        ("Tasks", {"Priority": "high"}, "Priority"),
        ("Tasks", {"VirtualStartTime": "2099-01-01T00:00:00Z"}, "VirtualStartTime"),
        ("Tasks", {"TaskChannel": "fax"}, "TaskChannel"),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_said_and_nothing_is_saved(
    kit: Kit, path: str, params: dict[str, str], words: str
) -> None:
    before = await kit.get(path)
    reply = await kit.call("POST", path, params)
    assert reply.refusal == (400, 20001)
    assert "Unable to" not in reply.body["message"]  # official clients put it there
    assert words in reply.body["message"]
    assert await kit.get(path) == before


async def test_a_wrong_update_leaves_the_record_alone(kit: Kit) -> None:
    queue, workflow = await kit.routed()
    for path, params in (
        (f"TaskQueues/{queue}", {"FriendlyName": "New", "TargetWorkers": "a =="}),
        (f"Workflows/{workflow}", {"FriendlyName": "New", "Configuration": '{"task_routing": 5}'}),
        (f"Workflows/{workflow}", {"FriendlyName": "New", "TaskReservationTimeout": "0"}),
        (f"Workflows/{workflow}", {"FriendlyName": "New", "AssignmentCallbackUrl": "not a url"}),
    ):
        before = await kit.get(path)
        assert (await kit.call("POST", path, params)).refusal == (400, 20001)
        assert await kit.get(path) == before


async def test_a_configuration_of_a_megabyte(kit: Kit) -> None:
    queue, workflow = await kit.routed()
    rules = {"task_routing": {"default_filter": {"queue": queue}}, "padding": "ä " * 250_000}
    text = json.dumps(rules, ensure_ascii=False)
    body = await kit.post(f"Workflows/{workflow}", Configuration=text)
    assert body["configuration"] == text
    assert (await kit.call("POST", f"TaskQueues/{queue}", {"TargetWorkers": "x" * 300_000})).refusal == (
        413,
        20413,
    )


async def test_a_task_shows_what_the_sheet_says(kit: Kit) -> None:
    queue, workflow = await kit.routed()
    made = await kit.post("Tasks", Attributes='{"lang":"de"}', TaskChannel="voice", Priority=7, Timeout=60)
    base = f"http://h/taskrouter/v1/Workspaces/{kit.ws}"
    assert made["links"] == {
        "task_queue": f"{base}/TaskQueues/{queue}", "workflow": f"{base}/Workflows/{workflow}", "workspace": base,
        "reservations": f"{base}/Tasks/{made['sid']}/Reservations",
    }  # fmt: skip
    wanted = {
        "assignment_status": "pending", "attributes": '{"lang":"de"}', "addons": "{}", "age": 0, "priority": 7,
        "reason": None, "timeout": 60, "task_queue_sid": queue, "task_queue_friendly_name": "Everyone",
        "workflow_sid": workflow, "workflow_friendly_name": "Rules", "task_channel_unique_name": "voice",
        "routing_target": None, "ignore_capacity": False, "workspace_sid": kit.ws, "account_sid": AC,
        "date_created": "2027-01-15T08:00:00Z", "virtual_start_time": "2027-01-15T08:00:00Z",
        "task_queue_entered_date": "2027-01-15T08:00:00Z", "url": f"{base}/Tasks/{made['sid']}",
    }  # fmt: skip
    assert {key: made[key] for key in wanted} == wanted
    assert set(made) - set(wanted) == {"sid", "date_updated", "task_channel_sid", "links"}
    kit.now += 90.5
    assert (await kit.get(f"Tasks/{made['sid']}"))["age"] == 90
    await kit.post(f"Workflows/{workflow}", FriendlyName="Laws")
    assert (await kit.get(f"Tasks/{made['sid']}"))["workflow_friendly_name"] == "Laws"


async def test_if_match_at_every_versioned_noun(kit: Kit) -> None:
    await kit.routed()
    made = await kit.call("POST", "Tasks", {"Attributes": "{}"})
    tag = made.headers[b"etag"]
    assert tag.startswith(b'"')
    assert tag.strip(b'"').isdigit()
    path = f"Tasks/{made.body['sid']}"
    assert (await kit.call("GET", path)).headers[b"etag"] == tag
    first = await kit.call("POST", path, {"Priority": 1}, if_match=tag)
    assert first.status == 200
    assert int(first.headers[b"etag"].strip(b'"')) > int(tag.strip(b'"'))
    stale = await kit.call("POST", path, {"Priority": 2}, if_match=tag)
    assert stale.refusal == (412, 20412)
    assert (await kit.get(path))["priority"] == 1
    assert (await kit.call("DELETE", path, if_match=tag)).refusal == (412, 20412)
    bare = first.headers[b"etag"].strip(b'"')
    assert (await kit.call("POST", path, {"Priority": 3}, if_match=bare)).status == 200
    assert (await kit.call("POST", path, {"Priority": 4}, if_match=b"*")).status == 200
    assert (await kit.call("DELETE", path, if_match=b'"9999"')).refusal == (412, 20412)
    assert (await kit.call("DELETE", path)).status == 204
    worker = await kit.call("POST", "Workers", {"FriendlyName": "Alice"})
    at = f"Workers/{worker.body['sid']}"
    assert (await kit.call("POST", at, {"Attributes": "{}"}, if_match=b'"0"')).refusal == (412, 20412)
    assert (await kit.call("POST", at, {"Attributes": "{}"}, if_match=worker.headers[b"etag"])).status == 200
    assert b"etag" not in (await kit.call("GET", "TaskChannels/voice")).headers


async def test_a_reservation_in_both_views(kit: Kit) -> None:
    await kit.routed()
    worker = await kit.worker("Alice", "Available")
    task = await kit.post("Tasks", Attributes="{}", TaskChannel="voice")
    assert task["assignment_status"] == "reserved"
    (sid,) = await kit.list(f"Tasks/{task['sid']}/Reservations", "sid")
    assert await kit.list(f"Workers/{worker['sid']}/Reservations", "sid") == [sid]
    seen = await kit.call("GET", f"Workers/{worker['sid']}/Reservations/{sid}")
    base = f"http://h/taskrouter/v1/Workspaces/{kit.ws}"
    assert seen.body["url"] == f"{base}/Workers/{worker['sid']}/Reservations/{sid}"
    assert seen.body["links"] == {
        "task": f"{base}/Tasks/{task['sid']}", "worker": f"{base}/Workers/{worker['sid']}", "workspace": base,
    }  # fmt: skip
    assert (seen.body["reservation_status"], seen.body["worker_name"]) == ("pending", "Alice")
    at = f"Tasks/{task['sid']}/Reservations/{sid}"
    assert (await kit.call("POST", at, {"ReservationStatus": "accepted"}, if_match=b'"77"')).refusal == (
        412,
        20412,
    )
    accepted = await kit.call("POST", at, {"ReservationStatus": "accepted"}, if_match=seen.headers[b"etag"])
    assert accepted.body["reservation_status"] == "accepted"
    assert (await kit.call("POST", at, {"ReservationStatus": "rejected"})).refusal == (400, 20001)
    assert (await kit.call("POST", at, {"ReservationStatus": "nonsense"})).refusal == (400, 20001)
    assert (await kit.call("POST", at)).refusal == (400, 20001)
    other = await kit.worker("Bob")
    assert (await kit.call("GET", f"Workers/{other['sid']}/Reservations/{sid}")).refusal == (404, 20404)
    assert (await kit.call("DELETE", at)).refusal == (405, 20004)
    assert (await kit.call("POST", f"Tasks/{task['sid']}/Reservations")).refusal == (405, 20004)


@pytest.mark.parametrize(
    ("status", "reason", "code"),
    [("canceled", "x", 200), ("canceled", "", 200), ("wrapping", "", 400), ("completed", "x", 400),
     ("assigned", "", 400), ("pending", "", 400)],
)  # fmt: skip
async def test_states_that_a_waiting_task_may_be_given(kit: Kit, status: str, reason: str, code: int) -> None:
    await kit.routed()
    task = await kit.post("Tasks")
    reply = await kit.call("POST", f"Tasks/{task['sid']}", {"AssignmentStatus": status, "Reason": reason})
    assert reply.status == code
    assert reply.body.get("code") == (20001 if code == 400 else None)
    shown = (await kit.get(f"Tasks/{task['sid']}"))["assignment_status"]
    assert shown == ("canceled" if code == 200 else "pending")


async def test_the_writer_and_his_address_are_in_the_event(kit: Kit) -> None:
    await kit.post("Activities", FriendlyName="Lunch")
    event = kit.events[-1]
    assert (event.noun, event.operation, event.workspace_sid, event.account_sid) == (
        "Activity",
        "create",
        kit.ws,
        AC,
    )
    assert (event.actor.type, event.actor.sid, event.actor.source) == ("account", AC, "API")


async def test_other_accounts_see_nothing(kit: Kit) -> None:
    other = "AC" + "2" * 32
    await kit.store.commit([Save(Account(sid=other, account_sid=other, auth_token="secret"))])
    import base64

    login = b"Basic " + base64.b64encode(f"{other}:secret".encode())
    for method, path in (
        ("GET", f"/Workspaces/{kit.ws}"),
        ("GET", "Workers"),
        ("POST", "Workers"),
        ("GET", "Events"),
    ):
        reply = await kit.call(
            method, path, {"FriendlyName": "x"} if method == "POST" else None, authorization=login
        )
        assert reply.refusal == (404, 20404)
    assert (await kit.call("GET", "/Workspaces", authorization=login)).body["workspaces"] == []


def test_what_is_read_of_a_write() -> None:
    """Declared attributes apart from the rest; lists joined; digits of SIDs lower."""
    ww = "WW" + "AB" * 16
    params = {
        "WorkflowSid": [ww], "TaskChannel": ["voice"], "RoutingTarget": ["WK" + "CD" * 16], "VirtualStartTime": [""],
        "Priority": ["1", "2"], "Reason": ["why"],
    }  # fmt: skip
    values, rest = read(Task.__noun__, "create", params)
    assert values == {"workflow_sid": ww[:2] + ww[2:].lower(), "priority": 2}
    assert rest == {"TaskChannel": "voice", "RoutingTarget": "WK" + "cd" * 16, "Reason": "why"}
    events = {
        "ConferenceStatusCallbackEvent": ["start", "end"],
        "To": ["a", "b"],
        "WorkerActivitySid": ["WA" + "A" * 32],
    }
    assert read(Reservation.__noun__, "update", events) == (
        {},
        {"ConferenceStatusCallbackEvent": "start end", "To": "b", "WorkerActivitySid": "WA" + "a" * 32},
    )
    emptied: Any = read(TaskQueue.__noun__, "update", {"TargetWorkers": [""], "MaxReservedWorkers": [""]})
    assert emptied == ({"target_workers": "", "max_reserved_workers": 1}, {})
