"""The event bridge's web sockets: nothing lost, nothing twice, nobody blocked (taskrouter-js.md §3)."""

from __future__ import annotations

import asyncio
import json

import pytest

from ringback.web.event_bridge import bridge as bridge_module
from ringback.web.event_bridge import session as session_module
from ringback.web.event_bridge import sessions as sessions_module
from tests.taskrouter.workspace_kit import ACCOUNT, WS
from tests.web.event_bridge_kit import Stage


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pause after the last list is for two real connections; here there are none."""
    monkeypatch.setattr(sessions_module, "GRACE_SECONDS", 0.001)


@pytest.fixture
async def stage() -> Stage:
    return Stage()


def routed(stage: Stage) -> str:
    """One queue and one workflow; the workflow."""
    return stage.workflow({"filters": [], "default_filter": {"queue": stage.queue("All")}})


async def test_init_says_who_one_is(stage: Stage) -> None:
    worker = stage.worker("Alice")
    socket = stage.socket(stage.token(worker, seconds=60))
    init = await socket.kind("init")
    assert init == {
        "channel_id": worker, "account_sid": ACCOUNT, "workspace_sid": WS, "token_lifetime": 60_000,
    }  # fmt: skip
    await socket.drop()


async def test_a_long_lifetime_fits_a_browsers_timer(stage: Stage) -> None:
    socket = stage.socket(stage.token(stage.worker("Alice"), seconds=90 * 86_400))
    assert (await socket.kind("init"))["token_lifetime"] == 2**31 - 1
    await socket.drop()


async def test_a_reservations_life_arrives_whole_and_in_order(stage: Stage) -> None:
    worker, workflow = stage.worker("Alice"), routed(stage)
    socket = await stage.ready(worker)
    task = stage.task(workflow, {"name": "Bob"})
    created = await socket.kind("reservation.created")
    assert created["task"]["sid"] == task
    assert created["worker_sid"] == worker
    sid = created["sid"]
    for status in ("accepted", "wrapping", "completed"):
        stage.reserve(sid, status)
    assert await socket.quiet() == [
        "reservation.created", "reservation.accepted", "reservation.wrapup", "task.wrapup",
        "reservation.completed", "task.completed",
    ]  # fmt: skip
    versions = [
        int(payload["version"]) for kind, payload in socket.events() if kind.startswith("reservation.")
    ]
    assert versions == sorted(set(versions))
    await socket.drop()


async def test_others_hear_nothing_of_it(stage: Stage) -> None:
    worker, other = stage.worker("Alice"), stage.worker("Carol", activity="Offline")
    socket, silent = await stage.ready(worker), await stage.ready(other)
    stage.task(routed(stage))
    await socket.kind("reservation.created")
    assert await silent.quiet() == []
    await socket.drop()
    await silent.drop()


async def test_a_rejected_tasks_later_life_is_not_for_him(stage: Stage) -> None:
    first, second = stage.worker("Alice"), stage.worker("Carol", activity="Offline")
    workflow = routed(stage)
    one, two = await stage.ready(first), await stage.ready(second)
    task = stage.task(workflow)
    stage.reserve(stage.offer(task), "rejected", WorkerActivitySid=stage.activity("Offline"))
    stage.update("Worker", second, {"activity_sid": stage.activity("Available")})
    stage.reserve(stage.offer(task), "accepted")
    stage.update("Task", task, {"attributes": '{"a": 1}'})
    assert [kind for kind in await one.quiet() if kind.startswith("reservation.")] == [
        "reservation.created", "reservation.rejected",
    ]  # fmt: skip
    assert await two.quiet() == [
        "worker.activity.update", "reservation.created", "reservation.accepted", "task.updated",
    ]  # fmt: skip
    await one.drop()
    await two.drop()


async def test_a_task_for_him_alone_that_he_declines_has_failed(stage: Stage) -> None:
    worker, workflow = stage.worker("Alice"), routed(stage)
    socket = await stage.ready(worker)
    task = stage.task(workflow, params={"RoutingTarget": worker})
    stage.reserve(stage.offer(task), "rejected", WorkerActivitySid=stage.activity("Offline"))
    assert (await socket.kind("reservation.failed"))["sid"] == task
    assert "task.canceled" in await socket.quiet()
    await socket.drop()


async def test_worker_and_channel_events(stage: Stage) -> None:
    worker = stage.worker("Alice")
    socket = await stage.ready(worker)
    channel = next(each for each in stage.workspace.workers[worker].channels.values())
    before = stage.workspace.workers[worker].record.version
    stage.update("Worker", worker, {"attributes": '{"x": 1}', "activity_sid": stage.activity("Offline")})
    stage.update("WorkerChannel", channel.sid, params={"Capacity": "7"})
    stage.update("WorkerChannel", channel.sid, params={"Available": "false"})
    assert await socket.quiet() == [
        "worker.attributes.update", "worker.activity.update", "worker.capacity.update",
        "worker.channel.availability.update",
    ]  # fmt: skip
    payloads = dict(socket.events())
    assert payloads["worker.activity.update"]["activity_name"] == "Offline"
    assert payloads["worker.capacity.update"]["configured_capacity"] == 7
    # The SDK adds one to its worker's version with each of the last two.
    shown = int(payloads["worker.activity.update"]["version"])
    assert shown == before + 2
    assert stage.workspace.workers[worker].record.version == shown + 2
    await socket.drop()


# --- between init and the lists -----------------------------------------------------------------------------


async def test_what_the_list_shows_is_not_told_again(stage: Stage) -> None:
    worker, workflow = stage.worker("Alice"), routed(stage)
    socket = stage.socket(stage.token(worker))
    await socket.kind("init")
    task = stage.task(workflow)  # announced while the client is still loading
    (shown,) = await stage.load(worker)
    assert shown["task"]["sid"] == task
    assert await socket.quiet() == []
    stage.reserve(shown["sid"], "accepted")
    await socket.kind("reservation.accepted")
    await socket.drop()


async def test_what_comes_after_the_list_is_told_when_the_client_listens(stage: Stage) -> None:
    worker, workflow = stage.worker("Alice"), routed(stage)
    socket = stage.socket(stage.token(worker))
    await socket.kind("init")
    token = stage.token(worker)
    assert (await stage.get(token, f"Workers/{worker}/Reservations", Active="true"))["contents"] == []
    stage.task(workflow)
    assert await socket.quiet() == []  # it does not listen yet
    await stage.get(token, f"Workers/{worker}/WorkerChannels")
    await stage.get(token, "Activities")
    await socket.kind("reservation.created")
    await socket.drop()


async def test_a_late_announcement_of_what_was_shown_is_dropped(stage: Stage) -> None:
    """TaskRouter's memory is ahead of the commit: the list may show what is announced only afterwards."""
    worker, workflow = stage.worker("Alice"), routed(stage)
    socket = stage.socket(stage.token(worker))
    await socket.kind("init")
    stage.mute = True
    task = stage.task(workflow)
    stage.reserve(stage.offer(task), "accepted")
    token = stage.token(worker)
    (shown,) = (await stage.get(token, f"Workers/{worker}/Reservations", Active="true"))["contents"]
    assert shown["reservation_status"] == "accepted"
    stage.speak()
    stage.reserve(shown["sid"], "wrapping")
    await stage.get(token, f"Workers/{worker}/WorkerChannels")
    await stage.get(token, "Activities")
    await socket.kind("task.wrapup")
    assert socket.kinds() == ["reservation.wrapup", "task.wrapup"]
    await socket.drop()


async def test_an_activity_that_changed_while_loading_is_told(stage: Stage) -> None:
    worker = stage.worker("Alice")
    socket = stage.socket(stage.token(worker))
    await socket.kind("init")
    token = stage.token(worker)
    stage.update("Worker", worker, {"attributes": '{"early": 1}'})
    await stage.get(token, f"Workers/{worker}")  # shows the attributes
    stage.update("Worker", worker, {"activity_sid": stage.activity("Offline")})
    for path in ("Activities", f"Workers/{worker}/WorkerChannels"):
        await stage.get(token, path)
    await stage.get(token, f"Workers/{worker}/Reservations", Active="true")
    await socket.kind("worker.activity.update")
    assert socket.kinds() == ["worker.activity.update"]
    await socket.drop()


async def test_a_client_that_never_loads_is_told_in_the_end(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions_module, "LOADING_SECONDS", 0.01)
    worker = stage.worker("Alice")
    socket = stage.socket(stage.token(worker))
    await socket.kind("init")
    stage.task(routed(stage))
    await socket.kind("reservation.created")
    await socket.drop()


async def test_one_socket_of_a_worker_loads_at_a_time(stage: Stage) -> None:
    worker = stage.worker("Alice")
    first, second = stage.socket(stage.token(worker)), stage.socket(stage.token(worker))
    await first.kind("init")
    assert await second.quiet() == []
    assert second.frames == []
    await stage.load(worker)
    await second.kind("init")
    stage.task(routed(stage))
    await first.kind("reservation.created")
    (shown,) = await stage.load(worker)
    stage.reserve(shown["sid"], "accepted")
    await second.kind("reservation.accepted")
    assert await first.quiet() == ["reservation.created", "reservation.accepted"]
    assert await second.quiet() == ["reservation.accepted"]
    await first.drop()
    await second.drop()


async def test_a_loader_that_drops_lets_the_next_one_in(stage: Stage) -> None:
    worker = stage.worker("Alice")
    first, second = stage.socket(stage.token(worker)), stage.socket(stage.token(worker))
    await first.kind("init")
    await first.drop()
    await second.kind("init")
    await second.drop()


async def test_after_a_reconnect_the_lists_and_the_events_fit(stage: Stage) -> None:
    worker, workflow = stage.worker("Alice"), routed(stage)
    socket = await stage.ready(worker)
    task = stage.task(workflow)
    sid = stage.offer(task)
    await socket.kind("reservation.created")
    await socket.drop()
    stage.reserve(sid, "accepted")  # nobody listens
    again = stage.socket(stage.token(worker))
    await again.kind("init")
    (shown,) = await stage.load(worker)
    assert (shown["sid"], shown["reservation_status"]) == (sid, "accepted")
    stage.reserve(sid, "completed")
    await again.kind("task.completed")
    assert again.kinds() == ["reservation.completed", "task.completed"]
    await again.drop()


# --- sockets as such ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("grant", "status"),
    [
        ({"worker": None}, 403),
        ({"worker": "WK" + "0" * 32}, 403),
        ({"workspace_sid": "WS" + "0" * 32}, 403),
        ({"role": "king"}, 403),
        ({"worker": None, "role": "supervisor"}, 403),
    ],
)
async def test_a_token_that_does_not_fit_is_refused(stage: Stage, grant: dict[str, str], status: int) -> None:
    given = {"worker": stage.worker("Alice"), **grant}
    socket = stage.socket(stage.token(given.pop("worker"), **given))
    await socket.task
    assert (socket.status, socket.frames) == (status, [])


async def test_a_bad_token_is_refused_before_the_upgrade(stage: Stage) -> None:
    socket = stage.socket("nonsense")
    await socket.task
    assert socket.status == 401
    stage.claims["foreign"] = {**stage.claims[stage.token(stage.worker("Alice"))], "sub": "AC" + "9" * 32}
    socket = stage.socket("foreign")
    await socket.task
    assert socket.status == 403


async def test_a_blank_is_sent_when_nothing_else_is() -> None:
    stage = Stage(heartbeat=0.01)
    before = stage.clock.now()
    socket = await stage.ready(stage.worker("Alice"))
    while socket.frames.count(" ") < 3:
        await asyncio.sleep(0.002)
    assert stage.clock.now() == before  # virtual time stands still meanwhile
    await socket.drop()


async def test_close_existing_sessions(stage: Stage) -> None:
    worker = stage.worker("Alice")
    first = await stage.ready(worker)
    other = await stage.ready(worker)
    assert first.closed is None
    third = await stage.ready(worker, closeExistingSessions="true")
    await asyncio.gather(first.task, other.task)
    assert (first.closed, other.closed, third.closed) == (1000, 1000, None)
    assert len(stage.bridge.sessions) == 1
    assert stage.deadlines == {}  # they have not left
    await third.drop()


async def test_too_many_sockets_close_the_oldest(stage: Stage) -> None:
    worker = stage.worker("Alice")
    sockets = [await stage.ready(worker) for _ in range(sessions_module.SOCKETS_LIMIT + 1)]
    await sockets[0].task
    assert [each.closed for each in sockets[:2]] == [1000, None]
    for each in sockets[1:]:
        await each.drop()


async def test_an_expired_token_ends_its_socket(stage: Stage) -> None:
    worker = stage.worker("Alice")
    socket = stage.socket(stage.token(worker, seconds=60))
    await socket.kind("init")
    await stage.clock.advance(60 + bridge_module.UPDATE_SECONDS - 1)
    assert socket.closed is None
    await stage.clock.advance(2)
    await socket.task
    assert socket.closed == 1008


async def test_a_new_token_keeps_the_socket(stage: Stage) -> None:
    """``updateToken`` of the SDK: the server sees the new token with the next request, and the socket stays."""
    worker, other = stage.worker("Alice"), stage.worker("Bob")
    socket = stage.socket(stage.token(worker, seconds=60))
    await socket.kind("init")
    await stage.clock.advance(70)
    await stage.get(stage.token(other, seconds=10_000), f"Workers/{other}")  # another worker's says nothing
    await stage.get(stage.token(worker, seconds=1000), f"Workers/{worker}")
    await stage.clock.advance(900)
    assert socket.closed is None
    await stage.clock.advance(100 + bridge_module.UPDATE_SECONDS + 1)
    await socket.task
    assert socket.closed == 1008


async def test_a_deleted_task_is_told(stage: Stage) -> None:
    """Its accepted reservation is completed, and the task's own event follows, though the task is gone by then."""
    worker = stage.worker("Alice")
    socket = await stage.ready(worker)
    task = stage.task(stage.workflow({"default_filter": {"queue": stage.queue("Q")}}))
    stage.reserve(stage.offer(task), "accepted")
    stage.request("delete", "Task", task)
    await socket.kind("reservation.completed")
    assert (await socket.kind("task.deleted"))["sid"] == task
    await socket.drop()


@pytest.mark.parametrize("mode", ["WARM", "COLD"])
async def test_who_is_offered_a_transfer_sees_the_task_as_reserved(stage: Stage, mode: str) -> None:
    """Until they accept, whatever is told or asked; the one who began a warm one sees that they have it."""
    alice = stage.worker("Alice")
    task = stage.task(stage.workflow({"default_filter": {"queue": stage.queue("Q")}}))
    first = stage.offer(task)
    stage.reserve(first, "accepted")
    bob = stage.worker("Bob")
    ours, theirs = await stage.ready(alice), await stage.ready(bob)
    params = {"TaskSid": task, "ReservationSid": first, "To": bob, "Mode": mode, "Attributes": '{"a": 1}'}
    stage.create("Transfer", stage.sid("TT"), params=params)
    offered = await theirs.kind("reservation.created")
    assert offered["task"]["assignment_status"] == "reserved"
    stage.update("Task", task, {"attributes": '{"b": 2}'})
    assert (await theirs.kind("task.updated"))["assignment_status"] == "reserved"
    assert (await stage.get(stage.token(bob), f"Tasks/{task}"))["assignment_status"] == "reserved"
    (listed,) = (await stage.get(stage.token(bob), f"Workers/{bob}/Reservations", Active="true"))["contents"]
    assert listed["task"]["assignment_status"] == "reserved"
    own = await stage.get(stage.token(alice), f"Tasks/{task}")
    assert own["assignment_status"] == ("assigned" if mode == "WARM" else "reserved")
    stage.reserve(offered["sid"], "accepted")
    assert (await theirs.kind("reservation.accepted"))["task"]["assignment_status"] == "assigned"
    for socket in (ours, theirs):
        await socket.drop()


async def test_a_client_that_takes_nothing_is_dropped_and_blocks_nobody(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "BACKLOG", 20)
    monkeypatch.setattr(session_module, "SEND_SECONDS", 0.05)
    worker = stage.worker("Alice")
    slow, good = await stage.ready(worker), await stage.ready(worker)
    slow.blocked = True
    for number in range(40):
        stage.update("Worker", worker, {"attributes": json.dumps({"n": number})})
        if number % 10 == 9:
            await good.kind("worker.attributes.update", number + 1)
    await slow.task
    assert len(stage.bridge.sessions) == 1
    await good.kind("worker.attributes.update", 40)
    await good.drop()


async def test_what_a_client_sends_is_not_looked_at(stage: Stage) -> None:
    socket = await stage.ready(stage.worker("Alice"))
    socket._to_server.put_nowait({"type": "websocket.receive", "text": "hello"})
    await socket.quiet()
    assert socket.closed is None
    await socket.drop()


async def test_a_client_is_sent_back_for_an_activity_or_channel_that_it_does_not_know(stage: Stage) -> None:
    """The SDK throws at them, and that ends a Node process."""
    worker = stage.worker("Alice")
    socket = await stage.ready(worker)
    lunch = stage.create("Activity", stage.sid("WA"), {"friendly_name": "Lunch"}).sid
    stage.update("Worker", worker, {"activity_sid": lunch})
    await socket.task
    assert (socket.closed, socket.kinds()) == (1012, [])
    socket = await stage.ready(worker)
    stage.update("Worker", worker, {"activity_sid": stage.activity("Available")})
    stage.update("Worker", worker, {"activity_sid": lunch})
    await socket.kind("worker.activity.update", 2)
    stage.create("TaskChannel", stage.sid("TC"), {"friendly_name": "Fax", "unique_name": "fax"})
    fax = next(
        each.sid
        for each in stage.workspace.workers[worker].channels.values()
        if each.task_channel_unique_name == "fax"
    )
    stage.update("WorkerChannel", fax, params={"Capacity": "7"})
    await socket.task
    assert socket.closed == 1012


# --- the disconnect policy ----------------------------------------------------------------------------------


def activity_of(stage: Stage, worker: str) -> str:
    return str(stage.workspace.workers[worker].record.activity_name)


async def test_who_stays_away_goes_offline_and_his_offers_go_on(stage: Stage) -> None:
    worker, workflow = stage.worker("Alice"), routed(stage)
    socket = await stage.ready(worker)
    task = stage.task(workflow)
    reservation = stage.offer(task)
    await socket.drop()
    await stage.clock.advance(29)
    assert activity_of(stage, worker) == "Available"
    await stage.clock.advance(2)
    assert activity_of(stage, worker) == "Offline"
    assert stage.workspace.reservations[reservation].reservation_status == "rejected"
    assert stage.deadlines == {}
    assert "worker.activity.update" in stage.kinds()


async def test_who_comes_back_in_time_stays(stage: Stage) -> None:
    worker = stage.worker("Alice")
    socket = await stage.ready(worker)
    await socket.drop()
    await stage.clock.advance(20)
    again = await stage.ready(worker)
    assert stage.deadlines == {}
    await stage.clock.advance(60)
    assert activity_of(stage, worker) == "Available"
    await again.drop()


async def test_only_the_last_socket_counts(stage: Stage) -> None:
    worker = stage.worker("Alice")
    first, second = await stage.ready(worker), await stage.ready(worker)
    await first.drop()
    await stage.clock.advance(60)
    assert activity_of(stage, worker) == "Available"
    await second.drop()
    await stage.clock.advance(31)
    assert activity_of(stage, worker) == "Offline"


async def test_a_client_may_ask_to_stay(stage: Stage) -> None:
    worker = stage.worker("Alice")
    socket = await stage.ready(worker, setWorkerOfflineIfDisconnected="false")
    await socket.drop()
    await stage.clock.advance(3600)
    assert activity_of(stage, worker) == "Available"


async def test_a_deadline_outlives_a_restart_and_gives_time_to_come_back(stage: Stage) -> None:
    worker = stage.worker("Alice")
    socket = await stage.ready(worker)
    await socket.drop()
    await stage.clock.advance(25)
    stage.restart()  # the store kept the deadline; its five seconds are too short to come back
    await stage.clock.advance(10)
    assert activity_of(stage, worker) == "Available"
    await stage.clock.advance(21)
    assert activity_of(stage, worker) == "Offline"


async def test_a_stop_sends_nobody_offline(stage: Stage) -> None:
    worker = stage.worker("Alice")
    socket = await stage.ready(worker)
    stage.bridge.close()
    await socket.task
    assert (socket.closed, stage.deadlines) == (1012, {})
    late = stage.socket(stage.token(worker))
    await late.task
    assert late.status == 503


async def test_who_was_deleted_is_left_alone(stage: Stage) -> None:
    worker = stage.worker("Alice", activity="Offline")
    socket = await stage.ready(worker)
    await socket.drop()
    stage.request("delete", "Worker", worker)
    await stage.clock.advance(31)
    assert stage.deadlines == {}


async def test_a_token_that_holds_no_more_closes_its_socket() -> None:
    """The account is suspended, the key withdrawn: what is open is looked at again and again."""
    stage = Stage(look_again=0.01)
    alice, bob = stage.worker("Alice"), stage.worker("Bob")
    mine, other = await stage.ready(alice), await stage.ready(bob)
    await asyncio.sleep(0.05)
    assert (mine.closed, other.closed) == (None, None)
    stage.withdrawn.add(alice)
    async with asyncio.timeout(2):
        while mine.closed is None:
            await asyncio.sleep(0.005)
    assert (mine.closed, other.closed) == (1008, None)
    await other.drop()
