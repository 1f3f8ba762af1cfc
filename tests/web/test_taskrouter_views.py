"""Statistics, explanation and replay over HTTP, with the real REST application, TaskRouter and store."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ringback.effects import Save
from ringback.resources.api.account import Account
from ringback.taskrouter import replay
from ringback.web.taskrouter_views import window
from tests.web.rest.test_fuzz import ask
from tests.web.taskrouter_kit import Kit, kit_in


@pytest.fixture
async def kit(tmp_path: Path) -> AsyncIterator[Kit]:
    """A workspace with the views."""
    async with kit_in(tmp_path) as found:
        found.build()
        yield found


async def day(kit: Kit) -> dict[str, str]:
    """One task accepted after 10 s and completed 20 s later, one canceled after 5 s, one waiting for 7 s."""
    queue, workflow = await kit.routed()
    worker = (await kit.worker("bob", "Available"))["sid"]
    one = (await kit.post("Tasks", Attributes="{}"))["sid"]
    kit.now += 10
    offer = (await kit.get(f"Tasks/{one}/Reservations"))["reservations"][0]["sid"]
    await kit.post(f"Tasks/{one}/Reservations/{offer}", ReservationStatus="accepted")
    gone = (await kit.post("Tasks", Attributes="{}"))["sid"]
    kit.now += 5
    await kit.post(f"Tasks/{gone}", AssignmentStatus="canceled", Reason="hangup")
    kit.now += 15
    await kit.post(f"Tasks/{one}", AssignmentStatus="completed", Reason="done")
    waiting = (await kit.post("Tasks", Attributes="{}", Priority=3))["sid"]
    kit.now += 7
    return {"queue": queue, "workflow": workflow, "worker": worker, "one": one, "waiting": waiting}


REALTIME = {
    "account_sid", "workspace_sid", "url", "total_tasks", "tasks_by_status", "tasks_by_priority",
    "longest_task_waiting_age", "longest_task_waiting_sid",
}  # fmt: skip
CUMULATIVE = {
    "account_sid", "workspace_sid", "url", "start_time", "end_time", "avg_task_acceptance_time",
    "reservations_created", "reservations_accepted", "reservations_rejected", "reservations_timed_out",
    "reservations_canceled", "reservations_rescinded", "tasks_canceled", "tasks_completed", "tasks_deleted",
    "tasks_moved", "wait_duration_until_accepted", "wait_duration_until_canceled", "split_by_wait_time",
}  # fmt: skip
OWN: dict[str, tuple[set[str], set[str]]] = {
    "": ({"total_workers", "activity_statistics"}, {"tasks_created", "tasks_timed_out_in_workflow"}),
    "Workflows/{workflow}/": ({"workflow_sid"}, {"workflow_sid", "tasks_entered", "tasks_timed_out_in_workflow"}),
    "TaskQueues/{queue}/": (
        {
            "task_queue_sid", "total_available_workers", "total_eligible_workers", "activity_statistics",
            "longest_relative_task_age_in_queue", "longest_relative_task_sid_in_queue",
        },
        {"task_queue_sid", "tasks_entered", "wait_duration_in_queue_until_accepted"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("path", OWN)
async def test_every_key_is_there_and_counted(kit: Kit, path: str) -> None:
    """Of the workspace, a workflow and a queue: now, over the time, and both in one."""
    at = await day(kit)
    path = path.format(**at)
    own_now, own_past = next(value for key, value in OWN.items() if key.format(**at) == path)
    now = await kit.get(path + "RealTimeStatistics")
    assert set(now) == REALTIME | own_now
    assert now["tasks_by_status"] == {"pending": 0, "reserved": 1, "assigned": 0, "wrapping": 0}
    assert now["tasks_by_priority"] == {"3": 1}
    assert (now["longest_task_waiting_age"], now["longest_task_waiting_sid"]) == (7, at["waiting"])
    assert now["url"].startswith("http://h/taskrouter/v1/Workspaces/WS")
    assert now["url"].endswith(path + "RealTimeStatistics")
    past = await kit.get(path + "CumulativeStatistics", SplitByWaitTime="5,30")
    assert set(past) == CUMULATIVE | own_past
    assert past["wait_duration_until_accepted"] == {"avg": 10, "min": 10, "max": 10, "total": 10}
    assert past["wait_duration_until_canceled"]["total"] == 5
    assert past["reservations_created"] == 2
    assert past["split_by_wait_time"]["5"]["above"] == {"tasks_canceled": 1, "reservations_accepted": 1}
    both = await kit.get(path + "Statistics", SplitByWaitTime="5,30")
    names = {"account_sid", "workspace_sid", "url", "workflow_sid", "task_queue_sid"}
    assert both["realtime"] == {key: value for key, value in now.items() if key not in names}
    assert both["cumulative"] == {key: value for key, value in past.items() if key not in names}


async def test_this_moment_is_counted(kit: Kit) -> None:
    """On a clock that stands still, what was just done is in every window that goes up to now; not in one before."""
    at = await day(kit)
    await kit.post("Tasks", Attributes="{}")
    today = {"StartDate": "2020-01-01", "EndDate": "2999-01-01"}
    for params in ({}, today):
        assert (await kit.get("CumulativeStatistics", **params))["tasks_created"] == 4
        entered = await kit.get(f"TaskQueues/{at['queue']}/CumulativeStatistics", **params)
        assert entered["tasks_entered"] == 4
    (listed,) = (await kit.get("TaskQueues/Statistics"))["task_queues_statistics"]
    assert listed["cumulative"]["tasks_entered"] == 4


async def test_windows(kit: Kit) -> None:
    """Fifteen minutes unless one says otherwise; ISO dates; nonsense is refused."""
    at = await day(kit)

    async def created(**params: Any) -> int:
        return int((await kit.get("CumulativeStatistics", **params))["tasks_created"])

    assert await created() == 3
    kit.now += 15 * 60 - 20  # the first two were created 37 and 27 s before
    assert await created() == 1
    assert await created(Minutes=60) == 3
    assert await created(StartDate="2027-01-15T08:00:00Z", EndDate="2027-01-15T08:00:10Z") == 1
    assert await created(StartDate="2027-01-15T08:00:10Z") == 2
    assert await created(StartDate="2027-01-15", EndDate="2027-01-15") == 3
    assert await created(Minutes=60, TaskChannel="voice") == 0
    assert await created(Minutes=60, TaskChannel="default") == 3
    for params in (
        {"Minutes": "0"}, {"Minutes": "x"}, {"StartDate": "yesterday"}, {"SplitByWaitTime": "1,x"},
        {"SplitByWaitTime": ",".join(map(str, range(51)))}, {"TaskChannel": "smoke"},
        {"StartDate": "2027-01-16", "EndDate": "2027-01-15"},
    ):  # fmt: skip
        assert (await kit.call("GET", "CumulativeStatistics", params)).refusal == (400, 20001), params
    assert (await kit.call("GET", "TaskQueues/WQ" + "f" * 32 + "/Statistics")).refusal == (404, 20404)
    assert (await kit.call("POST", f"TaskQueues/{at['queue']}/Statistics")).refusal == (405, 20004)


async def test_workers(kit: Kit) -> None:
    """All, some, and one."""
    at = await day(kit)
    await kit.worker("eve")
    both = await kit.get("Workers/Statistics")
    assert both["realtime"]["total_workers"] == 2
    durations = {each["friendly_name"]: each for each in both["cumulative"]["activity_durations"]}
    assert durations["Available"]["total"] == 37
    assert both["cumulative"]["reservations_accepted"] == 1
    assert (await kit.get("Workers/RealTimeStatistics", FriendlyName="EVE"))["total_workers"] == 1
    assert (await kit.get("Workers/RealTimeStatistics", TaskQueueSid=at["queue"]))["total_workers"] == 2
    assert (await kit.get("Workers/CumulativeStatistics", FriendlyName="eve"))["reservations_accepted"] == 0
    one = await kit.get(f"Workers/{at['worker']}/Statistics")
    assert set(one) == {"account_sid", "workspace_sid", "worker_sid", "url", "cumulative"}
    assert one["cumulative"]["reservations_accepted"] == 1
    bad = await kit.call("GET", "Workers/Statistics", {"TaskQueueName": "Nowhere"})
    assert bad.refusal == (400, 20001)


async def test_lists_and_bulk_of_queues(kit: Kit) -> None:
    """Pages of all queues; fifty at once by SID, those that are not here with zeros."""
    at = await day(kit)
    for number in range(4):
        await kit.post("TaskQueues", FriendlyName=f"Q{number}", TargetWorkers="1==0")
    seen, url = [], "TaskQueues/Statistics?PageSize=2"
    while url:
        path, _, query = url.removeprefix(f"http://h/taskrouter/v1/Workspaces/{kit.ws}/").partition("?")
        params = dict(part.split("=") for part in query.split("&"))
        page = await kit.get(path, **params)
        assert page["meta"]["key"] == "task_queues_statistics"
        seen += [each["task_queue_sid"] for each in page["task_queues_statistics"]]
        url = page["meta"]["next_page_url"] or ""
    assert len(seen) == len(set(seen)) == 5
    (each,) = (await kit.get("TaskQueues/Statistics", FriendlyName="Everyone"))["task_queues_statistics"]
    alone = await kit.get(f"TaskQueues/{at['queue']}/CumulativeStatistics")
    assert each["cumulative"].items() <= alone.items()
    assert each["realtime"]["total_tasks"] == 1

    for number in range(4, 60):
        await kit.post("TaskQueues", FriendlyName=f"Q{number}", TargetWorkers="1==0")
    every = (await kit.get("TaskQueues/Statistics", PageSize=1000))["task_queues_statistics"]
    assert len(every) == 61
    assert (
        next(one for one in every if one["task_queue_sid"] == at["queue"])["cumulative"] == each["cumulative"]
    )

    body = json.dumps({"queueSids": [at["queue"], "WQ" + "f" * 32]}).encode()
    path = f"/taskrouter/v1/Workspaces/{kit.ws}/TaskQueues/RealTimeStatistics"
    status, _, content = await ask(kit.app, "POST", path, body, content_type=b"application/json")
    found = json.loads(content)
    assert (status, found["task_queue_response_count"]) == (200, 2)
    assert [each["total_tasks"] for each in found["task_queue_data"]] == [1, 0]
    assert found["task_queue_data"][0].keys() == found["task_queue_data"][1].keys()
    for sids in ([], ["WQ1"], [at["queue"]] * 51):
        refused = await kit.call("POST", "TaskQueues/RealTimeStatistics", {"TaskQueueSids": sids})
        assert refused.refusal == (400, 20001)


async def test_explanation(kit: Kit) -> None:
    """A task's standing, its workers in pages, its history oldest first."""
    at = await day(kit)
    for number in range(3):
        await kit.worker(f"w{number}")
    found = await kit.get(f"Tasks/{at['waiting']}/Explanation", PageSize=2)
    assert found["workers"][0]["worker_name"] == "bob"
    assert found["workers"][0]["reason"] == "offered"
    assert [each["event_type"] for each in found["history"]] == [
        "task.created", "workflow.entered", "workflow.target-matched", "task-queue.entered", "reservation.created",
    ]  # fmt: skip
    assert found["meta"]["next_page_url"].endswith("?PageSize=2&Page=1")
    last = await kit.get(f"Tasks/{at['waiting']}/Explanation", PageSize=2, Page=1)
    assert (len(last["workers"]), last["meta"]["next_page_url"]) == (2, None)
    assert (await kit.call("GET", "Tasks/WT" + "f" * 32 + "/Explanation")).refusal == (404, 20404)


async def test_replay(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """A draft is tried and not saved; a bad one, or too many tasks, or two at once are refused."""
    at = await day(kit)
    path = f"Workflows/{at['workflow']}/Replay"
    saved = await kit.get(f"Workflows/{at['workflow']}")
    same = await kit.post(path, Configuration=saved["configuration"])
    assert (same["totals"]["tasks"], same["totals"]["changed"]) == (3, 0)
    draft = json.dumps(
        {"task_routing": {"filters": [{"expression": "a == 1", "targets": [{"queue": at["queue"]}]}]}}
    )
    found = await kit.post(path, Configuration=draft, Minutes=60)
    assert found["totals"]["before"]["accepted"] == 1
    assert found["totals"]["after"]["accepted"] == 0
    assert found["totals"]["changed_outcome"] == 2
    assert await kit.get(f"Workflows/{at['workflow']}") == saved
    bad = await kit.call("POST", path, {"Configuration": "{"})
    assert (bad.refusal, "column 2" in bad.body["message"]) == ((400, 20001), True)
    assert (await kit.call("POST", path)).refusal == (400, 20001)
    assert (await kit.post(path, Configuration=draft, Minutes=60, EndDate="2027-01-15T07:00:00Z"))["totals"][
        "tasks"
    ] == 0
    at_once = await asyncio.gather(*(kit.call("POST", path, {"Configuration": draft}) for _ in range(2)))
    assert sorted(each.status for each in at_once) == [200, 429]
    monkeypatch.setattr(replay, "MOST_TASKS", 2)
    assert (await kit.call("POST", path, {"Configuration": draft})).refusal == (400, 20001)


async def test_accounts_take_turns_at_replays(kit: Kit) -> None:
    """Whoever replays without end gets no other account refused: that one's replay waits for the one under way."""
    at = await day(kit)
    draft = {"Configuration": json.dumps({"task_routing": {"default_filter": {"queue": at["queue"]}}})}
    other = "AC" + "2" * 32
    await kit.store.commit([Save(Account(sid=other, account_sid=other, auth_token="secret"))])
    theirs = {"authorization": b"Basic " + base64.b64encode(f"{other}:secret".encode())}
    made = await kit.call("POST", "/Workspaces", {"FriendlyName": "B", "Template": "FIFO"}, **theirs)
    root = f"/Workspaces/{made.body['sid']}"
    flow = (await kit.call("GET", f"{root}/Workflows", **theirs)).body["workflows"][0]
    asked = {"Configuration": flow["configuration"]}
    both = await asyncio.gather(
        kit.call("POST", f"Workflows/{at['workflow']}/Replay", draft),
        kit.call("POST", f"{root}/Workflows/{flow['sid']}/Replay", asked, **theirs),
    )
    assert [each.status for each in both] == [200, 200]


async def test_events_are_read_in_chunks(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """The figures do not depend on the size of a chunk; too many events are refused."""
    await day(kit)
    whole = await kit.get("CumulativeStatistics")
    monkeypatch.setattr(window, "CHUNK", 2)
    assert await kit.get("CumulativeStatistics") == whole
    monkeypatch.setattr(window.read_events, "__defaults__", (None, 4))
    assert (await kit.call("GET", "CumulativeStatistics")).refusal == (400, 20001)
