"""The event bridge's POSTs: every path, who may ask it, and what is wrong with the rest (taskrouter-js.md §4, §5)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ringback.resources.telephony import TaskTransfer
from ringback.web.event_bridge import whole
from tests.taskrouter.workspace_kit import WS
from tests.web.event_bridge_kit import Stage

KEYS = {
    "worker": "account_sid activity_name activity_sid attributes available date_created date_status_changed "
    "date_updated friendly_name sid workspace_sid version",
    "activity": "account_sid available date_created date_updated friendly_name sid workspace_sid",
    "channel": "account_sid assigned_tasks available available_capacity_percentage configured_capacity date_created "
    "date_updated last_reserved_time sid task_channel_sid task_channel_unique_name worker_sid workspace_sid",
    "reservation": "account_sid date_created date_updated reservation_status sid task reservation_timeout worker_sid "
    "workspace_sid version",
    "task": "addons age attributes date_created date_updated priority queue_name queue_sid reason routing_target sid "
    "assignment_status task_channel_unique_name task_channel_sid timeout workflow_name workflow_sid version "
    "virtual_start_time",
    "queue": "friendly_name reservation_activity_name assignment_activity_name target_workers max_reserved_workers "
    "task_order reservation_activity_sid assignment_activity_sid workspace_sid account_sid sid date_created "
    "date_updated lifo_queue",
    "transfer": "date_created date_updated initiating_reservation_sid initiating_worker_sid initiating_queue_sid "
    "initiating_workflow_sid sid transfer_mode transfer_to transfer_type transfer_status",
}
"""The sheet's §5: what the SDK refuses to do without."""


def check_whole(kind: str, found: dict[str, Any]) -> None:
    """Every key of the sheet is there, dates are whole seconds, the version is text."""
    assert set(KEYS[kind].split()) <= set(found), set(KEYS[kind].split()) - set(found)
    for name, value in found.items():
        if name.startswith("date_") or name == "virtual_start_time":
            assert type(value) is int, name
    assert isinstance(found.get("version", ""), str)
    if kind == "reservation":
        check_whole("task", found["task"])
        assert None not in (found.get("task_transfer", 1), found.get("active_outgoing_task_transfer", 1))


class Cast:
    """A workspace with two workers, a queue, a workflow and one task offered to Alice."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.queue = stage.queue("All")
        self.workflow = stage.workflow({"filters": [], "default_filter": {"queue": self.queue}})
        self.alice = stage.worker("Alice", skills=["x"])
        self.bob = stage.worker("Bob", activity="Offline")
        self.task = stage.task(self.workflow, {"name": "Carol"})
        self.offer = stage.offer(self.task)
        self.token = stage.token(self.alice)
        self.other = stage.token(self.bob)
        self.boss = stage.token(self.bob, "supervisor")


@pytest.fixture
async def cast() -> Cast:
    return Cast(Stage())


async def test_what_the_client_loads_is_whole(cast: Cast) -> None:
    get, alice = cast.stage.get, cast.alice
    check_whole("worker", await get(cast.token, f"Workers/{alice}"))
    activities = await get(cast.token, "Activities", PageSize=1000)
    assert [each["friendly_name"] for each in activities["contents"]] == [
        "Offline",
        "Available",
        "Unavailable",
    ]
    assert activities["after_sid"] is None
    for each in activities["contents"]:
        check_whole("activity", each)
    channels = (await get(cast.token, f"Workers/{alice}/WorkerChannels", PageSize=1000))["contents"]
    assert {each["task_channel_unique_name"] for each in channels} >= {"default", "voice", "chat"}
    for each in channels:
        check_whole("channel", each)
    busy = next(each for each in channels if each["task_channel_unique_name"] == "default")
    assert busy["last_reserved_time"] == int(cast.stage.clock.now() * 1000)
    (offered,) = (await get(cast.token, f"Workers/{alice}/Reservations", Active="true"))["contents"]
    check_whole("reservation", offered)
    assert offered["reservation_timeout"] == 120
    assert json.loads(offered["task"]["attributes"]) == {"name": "Carol"}
    check_whole("reservation", await get(cast.token, f"Workers/{alice}/Reservations/{cast.offer}"))
    check_whole("task", await get(cast.token, f"Tasks/{cast.task}"))


async def test_reservations_by_status(cast: Cast) -> None:
    path = f"Workers/{cast.alice}/Reservations"
    cast.stage.reserve(cast.offer, "rejected", WorkerActivitySid=cast.stage.activity("Offline"))
    assert (await cast.stage.get(cast.token, path, Active="true"))["contents"] == []
    assert (await cast.stage.get(cast.token, path, ReservationStatus="accepted,pending"))["contents"] == []
    (found,) = (await cast.stage.get(cast.token, path, ReservationStatus="rejected"))["contents"]
    assert found["sid"] == cast.offer


async def test_a_workers_own_writes(cast: Cast) -> None:
    stage, alice = cast.stage, cast.alice
    path = f"Workers/{alice}"
    changed = await stage.post(cast.token, path, Attributes={"skills": ["a", "ü"], "n": 1, "on": True})
    assert json.loads(changed["attributes"]) == {"skills": ["a", "ü"], "n": 1, "on": True}
    offline = stage.activity("Offline")
    status, body = await stage.send(cast.token, "POST", path, {"ActivitySid": offline})
    assert (status, body["code"]) == (400, 20001)
    assert "pending" in body["message"]
    moved = await stage.post(cast.token, path, ActivitySid=offline, RejectPendingReservations=True)
    assert (moved["activity_sid"], moved["available"]) == (offline, False)
    actor = stage.asked[-1].actor
    assert (actor.type, actor.sid, actor.source, actor.ip) == ("worker", alice, "event-bridge", "192.0.2.1")


async def test_a_reservations_life(cast: Cast) -> None:
    path = f"Workers/{cast.alice}/Reservations/{cast.offer}"
    states = []
    for status in ("accepted", "wrapping", "completed"):
        found = await cast.stage.post(cast.token, path, ReservationStatus=status)
        check_whole("reservation", found)
        states.append((found["reservation_status"], found["task"]["assignment_status"]))
    assert states == [("accepted", "assigned"), ("wrapping", "wrapping"), ("completed", "completed")]
    status, body = await cast.stage.send(cast.token, "POST", path, {"ReservationStatus": "accepted"})
    assert (status, body["code"]) == (400, 20001)


async def test_reject_with_an_activity(cast: Cast) -> None:
    away = cast.stage.activity("Unavailable")
    found = await cast.stage.post(
        cast.token, f"Workers/{cast.alice}/Reservations/{cast.offer}", ReservationStatus="rejected",
        WorkerActivitySid=away,
    )  # fmt: skip
    assert found["reservation_status"] == "rejected"
    assert cast.stage.workspace.workers[cast.alice].record.activity_sid == away


async def test_tasks(cast: Cast) -> None:
    stage, path = cast.stage, f"Tasks/{cast.task}"
    await stage.post(
        cast.token, f"Workers/{cast.alice}/Reservations/{cast.offer}", ReservationStatus="accepted"
    )
    changed = await stage.post(cast.token, path, Attributes={"name": "Dave"})
    assert json.loads(changed["attributes"]) == {"name": "Dave"}
    changed = await stage.post(cast.token, path, VirtualStartTime="2026-01-31T12:00:00Z")
    assert changed["virtual_start_time"] == 1769860800
    done = await stage.post(cast.token, path, AssignmentStatus="completed", Reason="done")
    assert (done["assignment_status"], done["reason"]) == ("completed", "done")
    check_whole("task", done)


async def test_a_worker_makes_a_task_for_himself(cast: Cast) -> None:
    params = {
        "WorkflowSid": cast.workflow, "TaskQueueSid": cast.queue, "RoutingTarget": cast.alice,
        "Attributes": {"outbound_to": "+15551234567", "from": "+15550100"}, "TaskChannelUniqueName": "voice",
    }  # fmt: skip
    made = await cast.stage.post(cast.token, "Tasks", **params)
    assert (made["task_channel_unique_name"], made["routing_target"]) == ("voice", cast.alice)
    assert cast.stage.pending(made["sid"]) == ["Alice"]
    status, _ = await cast.stage.send(cast.token, "POST", "Tasks", {**params, "RoutingTarget": cast.bob})
    assert status == 403
    made = await cast.stage.post(cast.boss, "Tasks", **{**params, "RoutingTarget": cast.alice})
    assert made["sid"].startswith("WT")


async def test_if_match(cast: Cast) -> None:
    path = f"Workers/{cast.alice}/Reservations/{cast.offer}"
    version = (await cast.stage.get(cast.token, path))["version"]
    answers = []
    for match in (str(int(version) + 7), f'"{version}"'):
        answers.append(
            await cast.stage.send(cast.token, "POST", path, {"ReservationStatus": "accepted"}, if_match=match)
        )
    assert [status for status, _ in answers] == [412, 200]
    assert answers[0][1]["code"] == 20412


async def test_the_workers_version_is_the_one_that_the_sdk_counts_to(cast: Cast) -> None:
    """With ``enableVersionCheck`` the SDK adds one to its worker's version at every ``reservation.created``."""
    shown = int((await cast.stage.get(cast.token, f"Workers/{cast.alice}"))["version"])
    await cast.stage.post(
        cast.token,
        f"Workers/{cast.alice}/Reservations/{cast.offer}",
        ReservationStatus="accepted",
    )
    await cast.stage.post(
        cast.token, f"Workers/{cast.alice}/Reservations/{cast.offer}", ReservationStatus="completed"
    )
    cast.stage.task(cast.workflow)
    status, _ = await cast.stage.send(
        cast.token, "POST", f"Workers/{cast.alice}", {"Attributes": {}}, if_match=str(shown + 1)
    )
    assert status == 200


# --- supervisors -----------------------------------------------------------------------------------------------


async def test_lists_of_the_workspace(cast: Cast) -> None:
    stage = cast.stage
    everybody = await stage.get(cast.boss, "Workers", PageSize=1000)
    assert [each["friendly_name"] for each in everybody["contents"]] == ["Alice", "Bob"]
    for each in everybody["contents"]:
        check_whole("worker", each)
    for filters, names in (
        ({"FriendlyName": "Bob"}, ["Bob"]),
        ({"ActivityName": "Available"}, ["Alice"]),
        ({"ActivitySid": stage.activity("Offline")}, ["Bob"]),
        ({"TargetWorkersExpression": "skills HAS 'x'"}, ["Alice"]),
        ({"TargetWorkersExpression": "worker.skills HAS 'x'"}, ["Alice"]),
        ({"TaskQueueSid": cast.queue, "Available": "true"}, ["Alice"]),
        ({"TaskQueueName": "None"}, []),
    ):
        found = (await stage.get(cast.boss, "Workers", **filters))["contents"]
        assert [each["friendly_name"] for each in found] == names, filters
    queues = await stage.get(cast.boss, "TaskQueues", WorkerSid=cast.alice)
    check_whole("queue", queues["contents"][0])
    check_whole("queue", await stage.get(cast.boss, f"TaskQueues/{cast.queue}"))
    assert (await stage.get(cast.boss, "TaskQueues", FriendlyName="None"))["contents"] == []
    check_whole("task", await stage.get(cast.boss, f"Tasks/{cast.task}"))
    check_whole("worker", await stage.get(cast.boss, f"Workers/{cast.alice}"))
    status, body = await stage.send(cast.boss, "GET", "Workers", {"TargetWorkersExpression": "skills HAS"})
    assert status == 400
    assert "column" in body["message"]


@pytest.mark.parametrize("ordering", ["", "DateStatusChanged:asc", "DateStatusChanged:desc"])
async def test_pages(cast: Cast, ordering: str) -> None:
    for number in range(5):
        await cast.stage.clock.advance(1)
        cast.stage.now = cast.stage.clock.now()
        cast.stage.worker(f"W{number}")
    names: list[str] = []
    params: dict[str, Any] = {"PageSize": 3}
    if ordering:
        params["Ordering"] = ordering
    for _ in range(10):
        page = await cast.stage.get(cast.boss, "Workers", **params)
        names += [each["friendly_name"] for each in page["contents"]]
        token = page["meta"]["next_token"] if ordering else page["after_sid"]
        if token is None:
            break
        params["NextToken" if ordering else "AfterSid"] = token
    assert sorted(names) == ["Alice", "Bob", "W0", "W1", "W2", "W3", "W4"]
    if ordering:
        timed = [name for name in names if name.startswith("W")]
        assert timed == sorted(timed, reverse=ordering.endswith("desc"))
        assert names[0 if ordering.endswith("desc") else -1] in ("W4",)


async def test_a_supervisor_changes_others(cast: Cast) -> None:
    moved = await cast.stage.post(
        cast.boss, f"Workers/{cast.bob}", ActivitySid=cast.stage.activity("Available")
    )
    assert moved["activity_name"] == "Available"
    changed = await cast.stage.post(cast.boss, f"Workers/{cast.alice}", Attributes={"skills": []})
    assert json.loads(changed["attributes"]) == {"skills": []}
    status, body = await cast.stage.send(
        cast.boss, "POST", f"Tasks/{cast.task}/Reservations/{cast.offer}",
        {"Instruction": "supervise", "Supervisor": cast.bob, "SupervisorMode": "monitor"},
    )  # fmt: skip
    assert status == 400, body  # the reservation is pending: 40146 in the sheet
    assert cast.stage.asked[-1].params["SupervisorMode"] == "monitor"


def paths(cast: Cast) -> list[tuple[str, str, dict[str, str]]]:
    return [
        ("GET", "Workers", {}),
        ("GET", "TaskQueues", {}),
        ("GET", f"TaskQueues/{cast.queue}", {}),
        ("GET", f"Workers/{cast.alice}", {}),
        ("POST", f"Workers/{cast.alice}", {"Attributes": "{}"}),
        ("GET", f"Workers/{cast.alice}/WorkerChannels", {}),
        ("GET", f"Workers/{cast.alice}/Reservations", {}),
        ("POST", f"Workers/{cast.alice}/Reservations/{cast.offer}", {"ReservationStatus": "accepted"}),
        ("POST", f"Workers/{cast.alice}/Transfers", {"TaskSid": cast.task}),
        ("POST", f"Workers/{cast.alice}/KickWorkerParticipant", {"TaskSid": cast.task}),
        ("POST", f"Workers/{cast.bob}/KickWorkerParticipant", {"TaskSid": cast.task}),
        ("GET", f"Tasks/{cast.task}", {}),
        ("POST", f"Tasks/{cast.task}", {"Attributes": "{}"}),
        ("POST", "Tasks", {"RoutingTarget": cast.alice}),
        ("POST", f"Tasks/{cast.task}/Reservations/{cast.offer}", {"ReservationStatus": "accepted"}),
    ]


async def test_a_worker_has_no_business_with_others(cast: Cast) -> None:
    for method, path, params in paths(cast):
        status, body = await cast.stage.send(cast.other, method, path, params)
        assert (status, body["code"]) == (403, 20003), (method, path)
    assert cast.stage.asked == []


async def test_who_let_a_task_go_may_read_it_and_no_more(cast: Cast) -> None:
    stage, path = cast.stage, f"Tasks/{cast.task}"
    stage.reserve(cast.offer, "rejected", WorkerActivitySid=stage.activity("Offline"))
    stage.update("Worker", cast.bob, {"activity_sid": stage.activity("Available")})
    stage.reserve(stage.offer(cast.task), "accepted")
    done = {"AssignmentStatus": "completed", "Reason": "x"}
    assert (await stage.send(cast.token, "POST", path, done))[0] == 403
    assert (await stage.get(cast.token, path))["assignment_status"] == "assigned"
    assert (await stage.send(cast.other, "POST", path, done))[0] == 200
    status, body = await stage.send(cast.token, "POST", path, done)
    assert (status, body["code"]) == (400, 20001)  # clients take that for "already done"


# --- transfers and participants --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "params", "noun", "operation"),
    [
        ("Transfers", {"To": "WQ1", "Mode": "COLD", "Priority": 5, "Attributes": {"a": 1}}, "Transfer", "create"),
        ("Transfers/TT" + "1" * 32, {"TransferStatus": "canceled"}, "Transfer", "update"),
        ("CustomerParticipant", {"Hold": True, "HoldUrl": "http://h/"}, "CustomerParticipant", "update"),
        ("WorkerParticipant", {"EndConferenceOnExit": False, "Mute": True}, "WorkerParticipant", "update"),
        ("HoldWorkerParticipant", {"TargetWorkerSid": "WK1", "Hold": True}, "HoldWorkerParticipant", "update"),
        ("KickWorkerParticipant", {"TargetWorkerSid": "WK1"}, "KickWorkerParticipant", "update"),
    ],
)  # fmt: skip
async def test_transfers_and_participants_are_handed_on(
    cast: Cast, path: str, params: dict[str, Any], noun: str, operation: str
) -> None:
    params = {**params, "TaskSid": cast.task, "ReservationSid": cast.offer}
    await cast.stage.send(cast.token, "POST", f"Workers/{cast.alice}/{path}", params)
    (asked,) = cast.stage.asked
    assert (asked.noun, asked.operation, asked.workspace_sid) == (noun, operation, WS)
    assert asked.sid[:2] == ("TT" if noun == "Transfer" else "WK")
    wanted = {name: value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
              for name, value in params.items()}  # fmt: skip
    assert asked.params == {**wanted, "WorkerSid": cast.alice}


async def test_only_ones_own_reservation_is_transferred(cast: Cast) -> None:
    status, _ = await cast.stage.send(
        cast.other, "POST", f"Workers/{cast.bob}/Transfers", {"ReservationSid": cast.offer}
    )
    assert status == 404
    assert cast.stage.asked == []


async def test_a_transfer_in_flight_is_shown_on_both_reservations(cast: Cast) -> None:
    workspace = cast.stage.workspace
    task, own = workspace.tasks[cast.task].record, workspace.reservations[cast.offer]
    transfer = TaskTransfer(
        sid="TT" + "1" * 32, mode="WARM", type="WORKER", to=cast.bob, status="initiated", task_sid=task.sid,
        initiating_worker_sid=cast.alice, initiating_reservation_sid=own.sid, date_created=5.5,
    )  # fmt: skip
    assert "active_outgoing_task_transfer" not in whole.reservation(own, task, 0.0)
    task.transfer = transfer
    shown = whole.reservation(own, task, 0.0)
    check_whole("transfer", shown["active_outgoing_task_transfer"])
    assert "task_transfer" not in shown
    own.transfer_sid = transfer.sid
    shown = whole.reservation(own, task, 0.0)["task_transfer"]
    assert (shown["transfer_to"], shown["task_sid"], shown["date_created"]) == (cast.bob, task.sid, 5)
    changed = await cast.stage.post(
        cast.token, f"Workers/{cast.alice}/Reservations/{own.sid}", ReservationStatus="accepted"
    )
    assert "task_transfer" not in changed  # the SDK would throw


# --- bad input -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b'{"url": 5, "token": "t"}', b'{"url": "x"}',
        b'{"url": "x", "token": "t", "params": []}', b'{"url": "x", "token": "t", "method": {}}',
        b"[" * 60_000, b'{"url": "' + b"x" * 501 + b'", "token": "t"}',
    ],
)  # fmt: skip
async def test_bodies_that_are_no_request(cast: Cast, body: bytes) -> None:
    status, headers, data = await cast.stage.http("POST", body)
    assert status == 400
    assert json.loads(data)["message"]
    assert headers["content-type"] == "application/json"


async def test_a_body_that_is_too_long(cast: Cast) -> None:
    status, _, data = await cast.stage.http("POST", b" " * 70_000)
    assert status == 413
    assert "65536" in json.loads(data)["message"]


@pytest.mark.parametrize(
    ("method", "url", "status"),
    [
        ("GET", "", 404),
        ("GET", "Workspaces", 404),
        ("GET", f"Workspaces/{WS}", 404),
        ("GET", f"Workspaces/{WS}//Activities", 404),
        ("GET", f"Workspaces/{WS}/Activities/../Workers", 404),
        ("GET", f"Workspaces/{WS}/Nothing", 404),
        ("GET", f"Workspaces/WS{'9' * 32}/Activities", 403),
        ("POST", f"Workspaces/{WS}/Activities", 405),
        ("DELETE", f"Workspaces/{WS}/Activities", 405),
        ("GET", f"Workspaces/{WS}/Tasks/WT{'9' * 32}", 404),
        ("GET", f"Workspaces/{WS}/Tasks/WQ{'9' * 32}", 404),
    ],
)
async def test_paths_that_there_are_not(cast: Cast, method: str, url: str, status: int) -> None:
    found, body = await cast.stage.send(cast.token, method, url or "/")
    assert (found, bool(body["message"])) == (status, True)


@pytest.mark.parametrize(
    "params",
    [
        {"Attributes": "x" * 5000}, {"Attributes": "[]"}, {"Attributes": [1]}, {"ActivitySid": "WA" + "9" * 32},
        {"ActivitySid": "a\0b"}, {f"P{number}": "x" for number in range(101)},
    ],
)  # fmt: skip
async def test_values_that_are_refused(cast: Cast, params: dict[str, Any]) -> None:
    before = cast.stage.workspace.workers[cast.alice].record.version
    status, body = await cast.stage.send(cast.token, "POST", f"Workers/{cast.alice}", params)
    assert (status, body["code"]) == (400, 20001)
    assert cast.stage.workspace.workers[cast.alice].record.version == before


@pytest.mark.parametrize("size", ["0", "-1", "x", "1e3", 99999999])
async def test_page_sizes_that_are_refused(cast: Cast, size: Any) -> None:
    status, _ = await cast.stage.send(cast.token, "GET", "Activities", {"PageSize": size})
    assert status == 400


async def test_a_bad_token_is_401_with_a_message(cast: Cast) -> None:
    status, body = await cast.stage.send("nonsense", "GET", "Activities")
    assert (status, body["code"]) == (401, 20101)


async def test_a_bug_is_a_500_with_a_message(cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
    del cast.stage.workspace.workers[cast.alice].record
    status, body = await cast.stage.send(cast.token, "GET", f"Workers/{cast.alice}")
    assert (status, body["message"]) == (500, "Internal server error")
    assert "event bridge failed" in caplog.text


async def test_a_browser_may_ask(cast: Cast) -> None:
    status, headers, data = await cast.stage.http("OPTIONS", origin="http://desktop.example")
    assert (status, data) == (204, b"")
    assert headers["access-control-allow-origin"] == "*"
    allowed = {each.strip() for each in headers["access-control-allow-headers"].split(",")}
    assert {"apiversion", "clientversion", "if-match", "content-type"} <= allowed
    status, headers, _ = await cast.stage.http("POST", b"{")
    assert headers["access-control-allow-origin"] == "*"
    assert (await cast.stage.http("GET"))[0] == 405
    assert (await cast.stage.http("POST", path="/event-bridge/v1/other"))[0] == 404


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("Workers", {"AfterSid": "WQ" + "0" * 32}), ("Workers", {"AfterSid": "WK" + "0" * 34}),
        ("Workers", {"ActivitySid": "WAxxx"}), ("Workers", {"ActivitySid": "WK" + "0" * 32}),
        ("Workers", {"TaskQueueSid": "WK" + "0" * 32}), ("TaskQueues", {"AfterSid": "WK" + "0" * 34}),
        ("TaskQueues", {"WorkerSid": "WQ" + "0" * 32}), ("Activities", {"AfterSid": "nonsense"}),
        ("Workers/{alice}/WorkerChannels", {"AfterSid": "TC" + "0" * 32}),
        ("Workers/{alice}/Reservations", {"AfterSid": "WT" + "0" * 32}),
    ],
)  # fmt: skip
async def test_a_sid_of_another_kind_is_refused(cast: Cast, path: str, params: dict[str, str]) -> None:
    """400, naming the parameter; one of the right kind that is gone goes on from its place."""
    status, body = await cast.stage.send(cast.boss, "GET", path.format(alice=cast.alice), params)
    (name,) = params
    assert (status, body["code"]) == (400, 20001)
    assert name in body["message"]
    gone = await cast.stage.get(cast.boss, "Workers", AfterSid="WK" + "0" * 32)
    assert len(gone["contents"]) == 2
