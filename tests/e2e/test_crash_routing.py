"""Tasks are made, offered, accepted and completed under load while the server is killed three times.

The application reacts to events alone, again when one comes twice, and repeats each request until it has an answer.
"""

from __future__ import annotations

import queue
import random
import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
import requests
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from tests.contract.hook import RingbackClient
from tests.e2e.office import Office
from tests.e2e.site import ACCOUNT, TOKEN, Site, until
from tests.e2e.web import Params, Web

pytestmark = pytest.mark.alone  # eight threads of an application, and a server that is killed under them

WORKERS, CAPACITY = 12, 2
CALLERS = 10
MAKERS, HANDS = 3, 5
PACE = 0.05
"""Seconds between two tasks of one maker."""
RESERVED = 3
"""Seconds that a worker has to accept."""
NOBODY = "<Response><Enqueue workflowSid='{}'/></Response>"


class Staff:
    """The application: makes tasks, accepts most reservations, rejects a few, lets a few expire, completes tasks."""

    def __init__(self, site: Site, web: Web) -> None:
        self.site = site
        self.made: list[str] = []
        """Tasks whose creation was answered with 201."""
        self.told: dict[str, list[tuple[str, str]]] = defaultdict(list)
        """Task → SID and type of each event in the order of arrival, those that came twice included."""
        self.odd: list[str] = []
        """Refusals that nobody expects."""
        self.sleeper = ""
        """This worker never answers."""
        self._lock = threading.Lock()
        self._work: queue.Queue[Params | None] = queue.Queue()
        self._making = threading.Event()
        self._closed = threading.Event()
        self._threads: list[threading.Thread] = []
        web.documents |= {"/events": self._event, "/assign": self._assign}

    def start(self, workspace: str, workflow: str) -> None:
        """Begin to make tasks, and to work on them."""
        self._workspace, self._workflow = workspace, workflow
        self._making.set()
        for each in [self._make] * MAKERS + [self._hand] * HANDS:
            self._threads.append(threading.Thread(target=self._with_client, args=(each,), daemon=True))
            self._threads[-1].start()

    def enough(self) -> None:
        """No more tasks."""
        self._making.clear()
        for each in self._threads[:MAKERS]:
            each.join(30)

    def close(self) -> None:
        """Stop working."""
        self._making.clear()
        self._closed.set()
        for _ in range(HANDS):
            self._work.put(None)
        for each in self._threads:
            each.join(10)
            assert not each.is_alive()

    def arrivals(self) -> dict[str, list[tuple[str, str]]]:
        """A copy of `told`."""
        with self._lock:
            return {task: list(events) for task, events in self.told.items()}

    # --- webhooks -----------------------------------------------------------------------------------

    def _event(self, facts: Params) -> str:
        if "TaskSid" in facts:
            with self._lock:
                self.told[facts["TaskSid"]].append((facts["Sid"], facts["EventType"]))
            self._work.put(facts)
        return ""

    def _assign(self, facts: Params) -> str:
        """A fourth is accepted at once, some only after a second; the others are left to the hands."""
        choice = _choice(facts)
        if choice == 4 and facts["WorkerSid"] != self.sleeper:
            time.sleep(1.0)
        accepts = choice <= 4 and facts["WorkerSid"] != self.sleeper
        return '{"instruction": "accept"}' if accepts else "{}"

    # --- threads --------------------------------------------------------------------------------------

    def _with_client(self, work: Callable[[Any], None]) -> None:
        with requests.Session() as session:
            hook = RingbackClient(self.site.url)
            hook.session.close()
            hook.session = session
            client = Client(ACCOUNT, TOKEN, http_client=hook)
            work(client.taskrouter.v1.workspaces(self._workspace))

    def _make(self, workspace: Any) -> None:
        while self._making.wait(0):
            try:
                made = workspace.tasks.create(
                    workflow_sid=self._workflow, attributes='{"kind": "load"}', priority=random.randrange(5)
                )
            except requests.RequestException:
                time.sleep(0.1)  # it was killed; whether the task exists is not known
                continue
            with self._lock:
                self.made.append(str(made.sid))
            time.sleep(PACE)

    def _hand(self, workspace: Any) -> None:
        while (facts := self._work.get()) is not None:
            if facts["EventType"] == "reservation.created" and facts["WorkerSid"] != self.sleeper:
                choice, sid = _choice(facts), facts["ReservationSid"]
                if 5 <= choice <= 13:
                    status = "rejected" if choice == 5 else "accepted"
                    reservation = workspace.workers(facts["WorkerSid"]).reservations(sid)
                    self._insist(reservation.update, reservation_status=status)
            elif facts["EventType"] == "reservation.accepted":
                task = workspace.tasks(facts["TaskSid"])
                self._insist(task.update, assignment_status="completed", reason="done")

    def _insist(self, request: Callable[..., Any], **params: str) -> None:
        """Until there is an answer; 20001 and 20404 say that it had been done before, or is too late."""
        while not self._closed.is_set():
            try:
                request(**params)
            except requests.RequestException:
                time.sleep(0.1)
                continue
            except TwilioRestException as refusal:
                if refusal.status == 503:
                    time.sleep(0.1)
                    continue
                if refusal.code not in (20001, 20404):
                    self.odd.append(f"{refusal.code} {refusal.msg}")
            return


def _choice(facts: Params) -> int:
    """0 to 15, the same for one reservation always."""
    return int(facts["ReservationSid"][-1], 16)


def test_kill_9_three_times_under_routing_load(
    start_site: Callable[..., Site], start_crowd: Callable[..., subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    """No task is lost, none accepted twice; offers expire, free workers get work, every event is told in order."""
    site = start_site()
    site.may_warn = True  # it says what it lost
    moments = random.Random()
    with Web() as web:
        staff = Staff(site, web)
        office = Office(site, f"{web.url}/events")
        office.workspace.update(timeout_activity_sid=office.activities["Available"])
        flow = office.make_workflow("load", f"{web.url}/assign", task_reservation_timeout=RESERVED)
        for number in range(WORKERS):
            worker = office.hire(f"w{number}", role="load")
            office.workspace.workers(worker).worker_channels("default").update(capacity=CAPACITY)
        office.workspace.task_queues(office.queue).update(target_workers="role == 'load'")
        calls, waiters = _callers(site, web, office, start_crowd)
        slow, sleeping = _sleeper(office, staff, web)
        staff.start(office.workspace._solution["sid"], flow)
        try:
            for turn in range(3):
                time.sleep(moments.uniform(1.0, 3.0))
                site.kill()
                waiters.kill()
                time.sleep(RESERVED + 1.5 if turn == 1 else moments.uniform(0.0, 0.5))
                known = len(staff.made)
                site.start()
                if turn == 0:
                    _check_callers(office, calls)
                until(lambda known=known: len(staff.made) > known + 5, 20, "the load goes on")
                if turn == 1:
                    _check_sleeper(office, slow, sleeping)
            staff.enough()
            until(lambda: not _unfinished(office, flow), 60, "everything that waited was worked off")
            _check_events(office, staff, flow)
            assert not staff.odd
            assert len(staff.made) >= 100, "there was load"
        finally:
            staff.close()


def _callers(
    site: Site, web: Web, office: Office, start_crowd: Callable[..., subprocess.Popen[bytes]]
) -> tuple[str, subprocess.Popen[bytes]]:
    """Callers who wait for nobody; the workflow of their tasks."""
    nobody = office.make_queue("nobody", "1==2")
    flow = office.make_workflow("calls", f"{web.url}/assign", nobody)
    web.documents["/voice"] = NOBODY.format(flow)
    site.number("+15550101", f"{web.url}/voice")
    crowd = start_crowd(number="+15550101", port=site.sip_port, calls=CALLERS, rate=20)
    until(
        lambda: len(office.workspace.tasks.list(workflow_sid=flow, assignment_status="pending")) == CALLERS,
        15,
        "the callers wait",
    )
    return flow, crowd


def _check_callers(office: Office, flow: str) -> None:
    """Their calls died with the server, so nobody is to be offered them."""

    def states() -> list[str]:
        return [
            f"{each.assignment_status} {each.reason}"
            for each in office.workspace.tasks.list(workflow_sid=flow)
        ]

    until(lambda: states() == ["canceled hangup"] * CALLERS, 10, "the callers are gone: so are their tasks")


def _sleeper(office: Office, staff: Staff, web: Web) -> tuple[str, str]:
    """A worker who never answers and has an offer; worker and task."""
    own = office.make_queue("own", "role == 'sleeper'")
    flow = office.make_workflow("slow", f"{web.url}/assign", own, task_reservation_timeout=RESERVED)
    staff.sleeper = office.hire("sleeper", role="sleeper")
    task = office.workspace.tasks.create(workflow_sid=flow, attributes="{}")
    assert office.workspace.tasks(task.sid).fetch().assignment_status == "reserved"
    return staff.sleeper, str(task.sid)


def _check_sleeper(office: Office, worker: str, task: str) -> None:
    """What was offered before the second kill ran out while the server was away."""
    until(
        lambda: (
            [each.reservation_status for each in office.reservations(worker).list()].count("timeout") >= 2
        ),
        10,
        "their reservations time out",
    )
    assert office.workspace.tasks(task).fetch().assignment_status in ("pending", "reserved")
    for each in office.reservations(worker).list(reservation_status="pending"):
        assert (time.time() - each.date_created.timestamp()) < RESERVED + 2, "it should have timed out"


def _unfinished(office: Office, flow: str) -> list[Any]:
    return [
        each
        for each in office.workspace.tasks.list(workflow_sid=flow, page_size=1000)
        if each.assignment_status not in ("completed", "canceled")
    ]


def _check_events(office: Office, staff: Staff, flow: str) -> None:
    """The record of events and what arrived agree; each task that was made ends once, accepted once."""
    kept: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for each in reversed(office.workspace.events.list(minutes=60, workflow_sid=flow, page_size=1000)):
        if "task_sid" in each.event_data:
            kept[each.event_data["task_sid"]].append((each.sid, each.event_type))
    assert set(staff.made) <= set(kept), "a task was lost"
    for task, events in kept.items():
        kinds = [kind for _, kind in events]
        assert kinds.count("reservation.accepted") == 1, (task, kinds)
        assert kinds.count("task.completed") == 1, (task, kinds)
        offers = kinds.count("reservation.created")
        ends = sum(
            kinds.count(f"reservation.{end}") for end in ("completed", "rejected", "timeout", "canceled")
        )
        assert offers == ends, (task, kinds)

    def all_told() -> bool:
        told = staff.arrivals()
        return all({sid for sid, _ in told.get(task, ())} >= {sid for sid, _ in kept[task]} for task in kept)

    until(all_told, 30, "every event is told")
    told = staff.arrivals()
    for task, events in kept.items():
        once = [event for event, _ in groupby(told[task])]  # what is sent again comes before the next
        assert once == events, (task, once, events)
