"""The worker SDK of npm, unmodified, against the running server: what an agent's desktop does all day."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.e2e.site import Site, until
from tests.e2e.taskrouter_sdk import Agent, Wire, agents, needs_node, worker_token

Start = Callable[..., Agent]


class Office:
    """A workspace with one queue and one workflow, by the official REST client."""

    def __init__(self, site: Site, name: str) -> None:
        self.site = site
        router = site.client.taskrouter.v1
        self.workspace = router.workspaces.create(friendly_name=name, template="FIFO")
        self.sid = str(self.workspace.sid)
        self.api = router.workspaces(self.sid)
        self.activities = {str(each.friendly_name): str(each.sid) for each in self.api.activities.list()}
        self.workflow = str(self.api.workflows.list()[0].sid)
        self.queue = str(self.api.task_queues.list()[0].sid)

    def worker(self, name: str, activity: str = "Available", **attributes: Any) -> str:
        """A new worker; their SID."""
        made = self.api.workers.create(
            friendly_name=name, activity_sid=self.activities[activity], attributes=json.dumps(attributes)
        )
        return str(made.sid)

    def task(self, **attributes: Any) -> str:
        """A new task; its SID."""
        made = self.api.tasks.create(workflow_sid=self.workflow, attributes=json.dumps(attributes))
        return str(made.sid)

    def token(self, worker: str | None, role: str = "worker", seconds: int = 3600) -> str:
        """A token for a worker."""
        return worker_token(self.sid, worker, role, seconds)

    def activity_of(self, worker: str) -> str:
        """What they are doing."""
        return str(self.api.workers(worker).fetch().activity_name)

    def status_of(self, task: str) -> str:
        """A task's state."""
        return str(self.api.tasks(task).fetch().assignment_status)


@pytest.fixture(scope="module", autouse=True)
def node() -> None:
    needs_node()


@pytest.fixture
def start() -> Iterator[Start]:
    with agents() as begin:
        yield begin


@pytest.fixture
def office(shared: Site, request: pytest.FixtureRequest) -> Office:
    return Office(shared, request.node.name[:64])


def test_ready_knows_everything(office: Office, start: Start) -> None:
    worker = office.worker("Alice", skills=["billing"])
    ready = start(office.site.url, office.token(worker)).event("ready")
    assert ready["worker"]["sid"] == worker
    assert ready["worker"]["attributes"] == {"skills": ["billing"]}
    assert (ready["worker"]["activity"], ready["worker"]["available"]) == ("Available", True)
    assert [each["name"] for each in ready["activities"]] == ["Offline", "Available", "Unavailable"]
    assert {each["name"] for each in ready["channels"]} >= {"default", "voice", "chat", "sms", "video"}
    assert ready["reservations"] == []


def test_activities_both_ways(office: Office, start: Start) -> None:
    worker = office.worker("Alice")
    agent = start(office.site.url, office.token(worker))
    agent.event("ready")
    assert agent.do("activity", name="Unavailable") == "Unavailable"
    assert agent.event("activityUpdated")["worker"]["activity"] == "Unavailable"
    assert office.activity_of(worker) == "Unavailable"
    office.api.workers(worker).update(activity_sid=office.activities["Available"])
    assert agent.event("activityUpdated")["worker"]["activity"] == "Available"


def test_a_reservations_whole_life(office: Office, start: Start) -> None:
    worker = office.worker("Alice")
    agent = start(office.site.url, office.token(worker))
    agent.event("ready")
    task = office.task(name="Bob", number=5)
    created = agent.event("reservation.created")["reservation"]
    assert (created["status"], created["timeout"]) == ("pending", 120)
    assert created["task"]["sid"] == task
    assert created["task"]["attributes"] == {"name": "Bob", "number": 5}
    sid = created["sid"]
    assert agent.do("accept", sid=sid)["status"] == "accepted"
    agent.event("reservation.accepted")
    assert agent.do("taskAttributes", sid=sid, attributes={"name": "Carol"})["attributes"] == {
        "name": "Carol"
    }
    agent.event("task.updated")
    assert agent.do("wrap", sid=sid)["status"] == "wrapping"
    agent.event("task.wrapup")
    assert office.status_of(task) == "wrapping"
    assert agent.do("complete", sid=sid)["status"] == "completed"
    agent.event("task.completed")
    assert agent.heard("reservation.", "task.") == [
        "reservation.created", "reservation.accepted", "task.updated", "reservation.wrapup", "task.wrapup",
        "reservation.completed", "task.completed",
    ]  # fmt: skip
    assert office.status_of(task) == "completed"
    assert agent.do("state")["reservations"] == []
    versions = [int(each["reservation"]["version"]) for each in agent.lines if "reservation" in each]
    assert versions == sorted(set(versions))


def test_completing_the_task_itself(office: Office, start: Start) -> None:
    worker = office.worker("Alice")
    agent = start(office.site.url, office.token(worker))
    agent.event("ready")
    task = office.task()
    sid = agent.event("reservation.created")["reservation"]["sid"]
    agent.do("accept", sid=sid)
    assert agent.do("wrapTask", sid=sid, reason="notes")["status"] == "wrapping"
    assert agent.do("refreshTask", sid=sid)["sid"] == task
    done = agent.do("completeTask", sid=sid, reason="all well")
    assert (done["status"], done["reason"]) == ("completed", "all well")
    agent.event("reservation.completed")
    refused = agent.tries("completeTask", sid=sid, reason="again")
    assert "400" in refused["error"]
    assert "not currently assigned" in refused["error"]


def test_rejecting_with_an_activity(office: Office, start: Start) -> None:
    worker = office.worker("Alice")
    agent = start(office.site.url, office.token(worker))
    agent.event("ready")
    task = office.task()
    sid = agent.event("reservation.created")["reservation"]["sid"]
    away = office.activities["Unavailable"]
    assert agent.do("reject", sid=sid, options={"activitySid": away})["status"] == "rejected"
    agent.event("reservation.rejected")
    assert "activityUpdated" in agent.heard()
    assert office.activity_of(worker) == "Unavailable"
    assert office.status_of(task) == "pending"
    office.api.workers(worker).update(activity_sid=office.activities["Available"])
    assert agent.event("reservation.created")["reservation"]["task"]["sid"] == task


def test_a_task_that_is_canceled_elsewhere(office: Office, start: Start) -> None:
    agent = start(office.site.url, office.token(office.worker("Alice")))
    agent.event("ready")
    task = office.task()
    agent.event("reservation.created")
    office.api.tasks(task).update(assignment_status="canceled", reason="gone")
    assert agent.event("task.canceled")["task"]["reason"] == "gone"
    assert agent.heard("reservation.", "task.") == [
        "reservation.created", "reservation.canceled", "task.canceled",
    ]  # fmt: skip


def test_capacity_and_attributes(office: Office, start: Start) -> None:
    worker = office.worker("Alice")
    agent = start(office.site.url, office.token(worker))
    agent.event("ready")
    office.api.workers(worker).worker_channels("chat").update(capacity=4)
    changed = agent.event("channel.capacityUpdated")["channel"]
    assert (changed["name"], changed["capacity"], changed["percentage"]) == ("chat", 4, 100)
    office.api.workers(worker).worker_channels("chat").update(available=False)
    assert agent.event("channel.availabilityUpdated")["channel"]["available"] is False
    assert agent.do("attributes", attributes={"languages": ["de"]})["attributes"] == {"languages": ["de"]}
    agent.event("attributesUpdated")
    assert json.loads(office.api.workers(worker).fetch().attributes) == {"languages": ["de"]}
    office.api.workers(worker).update(attributes='{"languages": ["fr"]}')
    assert agent.event("attributesUpdated")["worker"]["attributes"] == {"languages": ["fr"]}


def test_an_activity_that_is_newer_than_the_client(office: Office, start: Start) -> None:
    """The SDK would throw at it; it is made to connect again and load the activities anew."""
    worker = office.worker("Alice")
    agent = start(office.site.url, office.token(worker))
    agent.event("ready")
    lunch = office.api.activities.create(friendly_name="Lunch", available=False)
    office.api.workers(worker).update(activity_sid=lunch.sid)
    agent.event("disconnected")
    ready = agent.event("ready", 40)
    assert ready["worker"]["activity"] == "Lunch"


def test_version_checks(office: Office, start: Start) -> None:
    """With enableVersionCheck the SDK counts versions itself and sends them as If-Match."""
    worker = office.worker("Alice")
    agent = start(office.site.url, office.token(worker), enableVersionCheck=True)
    agent.event("ready")
    office.api.workers(worker).worker_channels("chat").update(capacity=4)
    agent.event("channel.capacityUpdated")
    office.task()
    sid = agent.event("reservation.created")["reservation"]["sid"]
    agent.do("attributes", attributes={"n": 1})
    agent.do("accept", sid=sid)
    agent.event(
        "reservation.accepted"
    )  # which brings the task as it is then: the answer has the reservation alone
    agent.do("taskAttributes", sid=sid, attributes={"n": 2})
    agent.do("wrap", sid=sid)
    agent.do("complete", sid=sid)
    agent.event("task.completed")
    agent.do("attributes", attributes={"n": 3})


def test_a_supervisor_and_the_workspaces_lists(office: Office, start: Start) -> None:
    names = [f"W{number}" for number in range(5)]
    workers = {name: office.worker(name, "Offline", skills=[name]) for name in names}
    boss = office.worker("Boss", "Offline")
    supervisor = start(office.site.url, office.token(boss, "supervisor"), "Supervisor")
    supervisor.event("ready")
    other = start(office.site.url, office.token(workers["W0"]))
    other.event("ready")
    supervisor.do("setWorkerActivity", sid=workers["W0"], activity=office.activities["Unavailable"])
    assert other.event("activityUpdated")["worker"]["activity"] == "Unavailable"
    supervisor.do("setWorkerAttributes", sid=workers["W0"], attributes={"skills": ["new"]})
    assert other.event("attributesUpdated")["worker"]["attributes"] == {"skills": ["new"]}

    lists = start(office.site.url, office.token(boss, "supervisor"), "Workspace")
    everybody = lists.do("workers", params={})
    assert sorted(each["name"] for each in everybody) == ["Boss", *names]
    ordered = lists.do("workers", params={"Ordering": "DateStatusChanged:desc"})
    assert ordered[0]["name"] == "W0"
    skilled = lists.do("workers", params={"TargetWorkersExpression": "skills HAS 'W3'"})
    assert [each["name"] for each in skilled] == ["W3"]
    assert lists.do("worker", sid=workers["W1"])["name"] == "W1"
    queues = lists.do("queues", params={})
    assert [each["sid"] for each in queues] == [office.queue]
    assert lists.do("queue", sid=office.queue)["sid"] == office.queue
    task = office.task(x=1)
    assert lists.do("task", sid=task)["attributes"] == {"x": 1}

    mere = start(office.site.url, office.token(workers["W1"]), "Workspace")
    assert "403" in mere.tries("workers", params={})["error"]


def test_a_cut_wire_loses_nothing(office: Office, start: Start) -> None:
    worker = office.worker("Alice")
    office.api.workers(worker).worker_channels("default").update(capacity=10)
    with Wire(office.site.port) as wire:
        agent = start(wire.url, office.token(worker))
        agent.event("ready")
        first = office.task(n=1)
        kept = agent.event("reservation.created")["reservation"]["sid"]
        agent.do("accept", sid=kept)
        second = office.task(n=2)
        gone = agent.event("reservation.created")["reservation"]["sid"]
        wire.cut(stays=True)
        agent.event("disconnected")
        third = office.task(n=3)
        office.api.tasks(second).update(assignment_status="canceled", reason="gone")
        office.api.workers(worker).update(attributes='{"while": "away"}')
        wire.mend()
        ready = agent.event("ready", 40)
        assert ready["worker"]["attributes"] == {"while": "away"}
        shown = {each["task"]["sid"]: each for each in ready["reservations"]}
        assert set(shown) == {first, third}
        assert gone not in {each["sid"] for each in ready["reservations"]}
        assert shown[first]["status"] == "accepted"
        assert agent.do("complete", sid=kept)["status"] == "completed"
        agent.event("reservation.completed")
        assert agent.do("accept", sid=shown[third]["sid"])["status"] == "accepted"
        agent.event("reservation.accepted")
        office.task(n=4)
        agent.event("reservation.created")
        created = [
            each["reservation"]["sid"] for each in agent.lines if each.get("event") == "reservation.created"
        ]
        assert len(created) == len(set(created)) == 3
        assert office.activity_of(worker) == "Available"


def test_cuts_at_any_moment_under_load(office: Office, start: Start) -> None:
    """Tasks come all the time while the wire is cut again and again: in the end every one was worked off once."""
    worker = office.worker("Alice")
    office.api.workers(worker).worker_channels("default").update(capacity=100)
    with Wire(office.site.port) as wire:
        agent = start(wire.url, office.token(worker))
        agent.event("ready")
        tasks = []
        for number in range(12):
            tasks.append(office.task(n=number))
            if number % 4 == 3:
                wire.cut()
        agent.event("ready", 40)

        def all_known() -> bool:
            held = agent.do("state")["reservations"]
            return {each["task"]["sid"] for each in held} == set(tasks)

        until(all_known, 60, "the client knows every reservation")
        for each in agent.do("state")["reservations"]:
            until(lambda sid=each["sid"]: "ok" in agent.tries("accept", sid=sid), 30, "accepted")
        assert {office.status_of(task) for task in tasks} == {"assigned"}


def test_two_sockets(office: Office, start: Start) -> None:
    worker = office.worker("Alice")
    first = start(office.site.url, office.token(worker))
    first.event("ready")
    second = start(office.site.url, office.token(worker))
    second.event("ready")
    office.task()
    sid = first.event("reservation.created")["reservation"]["sid"]
    assert second.event("reservation.created")["reservation"]["sid"] == sid
    second.do("accept", sid=sid)
    first.event("reservation.accepted")
    third = start(office.site.url, office.token(worker), closeExistingSessions=True)
    third.event("ready")
    for each in (first, second):
        each.event("disconnected")
        each.do("disconnect")  # or it would come back, as a desktop that was left open does
    third.do("complete", sid=sid)
    third.event("task.completed")


def test_a_bad_token(office: Office, start: Start) -> None:
    agent = start(office.site.url, office.token("WK" + "0" * 32))
    assert agent.event("error")["message"]
    forged = start(office.site.url, office.token(office.worker("Alice"))[:-4] + "AAAA")
    assert forged.event("error")["message"]
    assert "ready" not in agent.heard() + forged.heard()


def test_a_token_that_ends_and_its_successor(office: Office, start: Start) -> None:
    worker = office.worker("Alice")
    agent = start(office.site.url, office.token(worker, seconds=14))
    agent.event("ready")
    agent.event("tokenExpired")  # five seconds before the end
    agent.do("updateToken", token=office.token(worker))
    agent.do("refreshWorker")  # a desktop asks for something now and then: the server sees the new token
    time.sleep(8)  # the old one is over by now
    office.task()
    agent.event("reservation.created")
    assert "disconnected" not in agent.heard()


ANSWERED: list[tuple[str, str, dict[str, Any]]] = [
    ("activity", "activityUpdated", {"name": "Unavailable"}), ("activity", "activityUpdated", {"name": "Available"}),
    ("attributes", "attributesUpdated", {"attributes": {"n": 1}}),
    ("accept", "reservation.accepted", {}), ("taskAttributes", "task.updated", {"attributes": {"n": 2}}),
    ("transfer", "transfer.initiated", {"to": "queue"}), ("cancelTransfer", "transfer.canceled", {}),
    ("wrap", "reservation.wrapup", {}), ("complete", "reservation.completed", {}),
    ("reject", "reservation.rejected", {}), ("accept", "reservation.accepted", {}),
    ("wrapTask", "task.wrapup", {"reason": "notes"}), ("completeTask", "task.completed", {"reason": "done"}),
]  # fmt: skip
"""Requests of the SDK in order, each with the event that it causes; a task is offered whenever there is none."""


def test_the_answer_comes_first(office: Office, start: Start) -> None:
    """Every time, so that whoever awaits the answer and then listens hears the event."""
    worker = office.worker("Alice")
    agent = start(office.site.url, office.token(worker))
    agent.event("ready")
    sid = ""
    for command, event, arguments in ANSWERED:
        if not sid and command not in ("activity", "attributes"):
            office.task()
            sid = agent.event("reservation.created")["reservation"]["sid"]
        given = {**arguments, **({"to": office.queue} if "to" in arguments else {})}
        seen = len(agent.lines)
        agent.do(command, sid=sid, **given)
        agent.event(event)
        news = agent.lines[seen:]
        answer = next(place for place, each in enumerate(news) if "ok" in each)
        told = next(place for place, each in enumerate(news) if each.get("event") == event)
        assert answer < told, (command, news)
        sid = "" if command in ("complete", "completeTask", "reject") else sid


def test_the_answer_to_a_new_task_comes_before_its_offer(office: Office, start: Start) -> None:
    agent = start(office.site.url, office.token(office.worker("Alice")))
    agent.event("ready")
    created = len(agent.lines)
    agent.do(
        "createTask", to="+15551234567", **{"from": "+15550100"}, workflow=office.workflow, queue=office.queue
    )
    agent.event("reservation.created")
    news = agent.lines[created:]
    assert [key for each in news for key in each if key in ("ok", "event")][:2] == ["ok", "event"]


def test_a_listener_attached_after_the_answer(office: Office, start: Start) -> None:
    """Also when a REST request of the application caused the event: the official client has its answer first."""
    worker = office.worker("Alice")
    agent = start(office.site.url, office.token(worker))
    agent.event("ready")
    for _ in range(5):
        task = office.task()
        answered = time.monotonic()
        agent.event("reservation.created")
        (told,) = [each["at"] for each in agent.lines if each.get("event") == "reservation.created"][-1:]
        assert answered < told
        office.api.tasks(task).update(assignment_status="canceled")
        agent.event("task.canceled")


def test_a_deleted_task(office: Office, start: Start) -> None:
    """Its accepted reservation is completed (npm twilio-taskrouter, ReservationAccept.js)."""
    agent = start(office.site.url, office.token(office.worker("Alice")))
    agent.event("ready")
    task = office.task()
    sid = agent.event("reservation.created")["reservation"]["sid"]
    agent.do("accept", sid=sid)
    office.api.tasks(task).delete()
    assert agent.event("reservation.completed")["reservation"]["status"] == "completed"


def test_a_transfer_that_is_refused(office: Office, start: Start) -> None:
    """As the SDK's own tests want it (TaskTransfer.js, OutgoingTransfer.js)."""
    alice, bob = office.worker("Alice"), office.worker("Bob", "Offline")
    one, two = start(office.site.url, office.token(alice)), start(office.site.url, office.token(bob))
    one.event("ready")
    two.event("ready")
    office.task()
    sid = one.event("reservation.created")["reservation"]["sid"]
    one.do("accept", sid=sid)
    assert "is not available for the transfer" in one.tries("transfer", sid=sid, to=bob)["error"]
    two.do("activity", name="Available")
    one.do("transfer", sid=sid, to=bob, options={"mode": "WARM"})
    offered = two.event("reservation.created")["reservation"]
    assert offered["task"]["status"] == "reserved"
    two.do("reject", sid=offered["sid"])
    rejected = two.event("reservation.rejected")["reservation"]
    assert (rejected["status"], rejected["transfer"]["status"]) == ("rejected", "failed")
    one.event("transfer.failed")
    assert one.event("task.updated")["task"]["status"] == "assigned"
    begun = one.do("transfer", sid=sid, to=bob, options={"mode": "WARM"})
    one.do("cancelTransfer", sid=sid)
    again = one.tries("cancelTransfer", sid=sid)["error"]
    assert again == (
        f"Request failed with status code 400. Transfer {begun['sid']} is already canceled . Cannot cancel transfer."
    )


def test_a_worker_makes_an_outbound_task(office: Office, start: Start) -> None:
    worker = office.worker("Alice")
    agent = start(office.site.url, office.token(worker))
    agent.event("ready")
    sid = agent.do(
        "createTask", to="+15551234567", **{"from": "+15550100"}, workflow=office.workflow, queue=office.queue,
        options={"attributes": {"reason": "call back"}},
    )  # fmt: skip
    created = agent.event("reservation.created")["reservation"]
    assert created["task"]["sid"] == sid
    assert created["task"]["attributes"]["outbound_to"] == "+15551234567"


def test_a_transfer_that_is_accepted_and_one_that_is_canceled(office: Office, start: Start) -> None:
    alice, bob = office.worker("Alice"), office.worker("Bob", "Offline")
    one = start(office.site.url, office.token(alice))
    two = start(office.site.url, office.token(bob))
    one.event("ready")
    two.event("ready")
    office.task()
    sid = one.event("reservation.created")["reservation"]["sid"]
    one.do("accept", sid=sid)
    two.do("activity", name="Available")
    one.do("transfer", sid=sid, to=bob, options={"mode": "WARM"})
    begun = one.event("transfer.initiated")["transfer"]
    assert (begun["to"], begun["status"], begun["mode"]) == (bob, "initiated", "WARM")
    two.event("reservation.created")
    one.do("cancelTransfer", sid=sid)
    one.event("transfer.canceled")
    two.event("reservation.canceled")
    one.do("transfer", sid=sid, to=office.queue, options={"mode": "COLD"})
    offered = two.event("reservation.created")["reservation"]
    assert (offered["transfer"]["mode"], offered["transfer"]["type"]) == ("COLD", "QUEUE")
    two.do("accept", sid=offered["sid"])
    one.event("transfer.completed")


def test_an_agent_who_is_gone_goes_offline(start_site: Callable[..., Site], start: Start) -> None:
    office = Office(start_site(agent_offline_after="1"), "gone")
    worker, stays = office.worker("Alice"), office.worker("Bob")
    agent = start(office.site.url, office.token(worker))
    agent.event("ready")
    other = start(office.site.url, office.token(stays), setWorkerOfflineIfDisconnected=False)
    other.event("ready")
    agent.do("disconnect")
    other.do("disconnect")
    until(lambda: office.activity_of(worker) == "Offline", 10, "the agent is offline")
    assert office.activity_of(stays) == "Available"


def test_a_killed_server_comes_back_with_everything(start_site: Callable[..., Site], start: Start) -> None:
    site = start_site()
    office = Office(site, "killed")
    worker = office.worker("Alice")
    agent = start(site.url, office.token(worker))
    agent.event("ready")
    task = office.task(n=1)
    sid = agent.event("reservation.created")["reservation"]["sid"]
    agent.do("accept", sid=sid)
    agent.event("reservation.accepted")
    site.kill()
    site.may_warn = True
    agent.event("disconnected")
    site.start()
    ready = agent.event("ready", 60)
    assert [(each["sid"], each["status"]) for each in ready["reservations"]] == [(sid, "accepted")]
    assert ready["worker"]["activity"] == "Available"
    agent.do("complete", sid=sid)
    agent.event("reservation.completed")
    assert office.status_of(task) == "completed"
