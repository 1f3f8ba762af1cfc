"""A call from a SIP phone waits, a worker's SIP phone rings, they talk, the work is closed (taskrouter.md §8, §9).

Who hears what is measured in sound: each phone has a tone of its own, and each leg is recorded.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.e2e.baresip import Phone
from tests.e2e.office import HAPPY_PATH, Office, table
from tests.e2e.site import ACCOUNT, TOKEN, Site, until
from tests.e2e.test_conference import AGENT, COACH, CUSTOMER, TONES, channels, file_of, heard, tones
from tests.e2e.web import Params, Web

NUMBER = "+15550100"
TOML = """
[phone.alice]
password = "wonderland"
[phone.carol]
password = "christmas"
"""
EXAMPLE = Path(__file__).parents[2] / "examples" / "agents"


class Scene:
    """A site with phones for agents, a workspace, and a number whose callers are enqueued."""

    def __init__(self, site: Site, web: Web, folder: Path, instruction: dict[str, Any]) -> None:
        self.site, self.web, self.folder = site, web, folder
        self.server = f"127.0.0.1:{site.sip_port}"
        self.asked: list[Params] = []
        self.after: list[Params] = []
        self.office = Office(site, f"{web.url}/events")
        self.workflow = self.office.make_workflow("calls", f"{web.url}/assign")
        self.alice = self.office.hire("alice", contact_uri="sip:alice@ringback")
        web.documents["/assign"] = partial(self._answer, self.asked, json.dumps(instruction))
        web.documents["/voice"] = (
            f"<Response><Enqueue workflowSid='{self.workflow}' action='/after'>"
            '<Task>{"tier": "gold"}</Task></Enqueue></Response>'
        )
        web.documents["/after"] = partial(self._answer, self.after, "<Response><Hangup/></Response>")
        existing = site.client.incoming_phone_numbers.list(phone_number=NUMBER)
        site.client.incoming_phone_numbers(existing[0].sid).update(
            voice_url=f"{web.url}/voice", voice_method="POST"
        )

    @staticmethod
    def _answer(asked: list[Params], document: str, facts: Params) -> str:
        asked.append(facts)
        return document

    def phone(self, user: str, tone: str, password: str = "", *, answer: bool = True) -> Phone:
        """A phone that speaks the tone of somebody; with a password it registers, and takes calls at once or not."""
        return Phone(
            self.folder / user, user=user, server=self.server, password=password,
            answer=answer and bool(password), hertz=TONES[tone],
        )  # fmt: skip

    def dial(self, customer: Phone) -> None:
        """The customer calls our number."""
        customer.dial(f"sip:{NUMBER}@{self.server}")

    def task(self) -> Any:
        """The only task, as the API shows it."""
        (task,) = self.office.tasks()
        return task

    def becomes(self, status: str) -> Any:
        """Wait until the task has a status; the task."""
        return until(
            lambda: (now := self.task()).assignment_status == status and now, 10, f"the task is {status}"
        )

    def leg(self, to: str) -> str:
        """SID of the one live call to an address."""
        (call,) = until(
            lambda: [
                each for each in self.site.client.calls.list(status="in-progress") if to in str(each.to)
            ],
            10,
            f"a live call to {to}",
        )
        return str(call.sid)

    def events(self, task_sid: str) -> list[str]:
        """Event types that the event callback was told about the task, in the order of their arrival.

        At least once: one that a kill found on its way comes twice, and counts once.
        """
        told = [
            each
            for each in list(self.web.callbacks)
            if each["path"] == "/events" and each.get("TaskSid") == task_sid
        ]
        return list({each["Sid"]: each["EventType"] for each in told}.values())

    def check_events(self, task_sid: str) -> None:
        """The sheet's order, at the callback and in the Events resource alike; `pytest -s` prints them."""
        until(lambda: "task.completed" in self.events(task_sid), 10, "the last event is told")
        told = self.events(task_sid)
        assert [each for each in told if each != "task.updated"] == HAPPY_PATH
        kept = self.office.workspace.events.list(task_sid=task_sid)[::-1]
        print(f"\n{table(kept)}")
        assert [each.event_type for each in kept] == told


@pytest.fixture
def start_scene(start_site: Callable[..., Site], web: Web, tmp_path: Path) -> Callable[..., Scene]:
    """Gives `start(**instruction)`: what the assignment callback answers."""
    return lambda **instruction: Scene(start_site(toml=TOML), web, tmp_path, instruction)


def test_dequeue_rings_the_workers_phone(start_scene: Callable[..., Scene]) -> None:
    """Waits, rings, both speak, the agent hangs up, the caller's document goes on, the worker completes the task."""
    scene = start_scene(instruction="dequeue", timeout=20)
    site, office = scene.site, scene.office
    with scene.phone(CUSTOMER, CUSTOMER) as customer, scene.phone("alice", AGENT, "wonderland") as alice:
        alice.says("200 OK (Ringback")
        office.workspace.workers(scene.alice).update(activity_sid=office.activities["Unavailable"])
        scene.dial(customer)
        customer.wait("CALL_ESTABLISHED")
        task = scene.becomes("pending")
        (queue,) = site.client.queues.list()
        assert (queue.friendly_name, queue.current_size) == (scene.workflow, 1)
        assert sounds(site, scene.leg(NUMBER)), "music while it waits"
        assert not alice.events.count("CALL_INCOMING")

        office.workspace.workers(scene.alice).update(activity_sid=office.activities["Available"])
        alice.wait("CALL_ESTABLISHED")
        task = scene.becomes("assigned")
        facts = json.loads(task.attributes)
        assert (facts["tier"], facts["from"], facts["called"]) == ("gold", CUSTOMER, NUMBER)
        assert facts["worker_call_sid"] == scene.leg("sip:alice")
        legs = {CUSTOMER: facts["call_sid"], AGENT: facts["worker_call_sid"]}
        assert heard(site, legs) == {CUSTOMER: [AGENT], AGENT: [CUSTOMER]}

        alice.command("hangup")
        customer.wait("CALL_CLOSED")
        scene.becomes("wrapping")
    assert [one["QueueResult"] for one in scene.after] == ["bridged"]
    (reservation,) = office.reservations(scene.alice).list()
    assert reservation.reservation_status == "wrapping"
    (asked,) = scene.asked
    assert (asked["ReservationSid"], asked["TaskSid"], asked["WorkerSid"]) == (
        reservation.sid, task.sid, scene.alice,
    )  # fmt: skip
    done = office.reservations(scene.alice)(reservation.sid).update(reservation_status="completed")
    assert done.reservation_status == "completed"
    assert scene.task().assignment_status == "completed"
    scene.check_events(task.sid)
    assert [site.ended(sid) for sid in legs.values()] == ["completed", "completed"]


def test_conference_hold_and_supervision(start_scene: Callable[..., Scene]) -> None:
    """Conference named after the task; the held customer hears music and nobody; a monitor hears both and is
    heard by nobody, a whisper by the agent alone; the agent's exit ends it and the task is completed."""
    scene = start_scene(instruction="conference", end_conference_on_exit=True, beep="false")
    site, office = scene.site, scene.office
    carol = office.hire("carol", "Unavailable", contact_uri="sip:carol@ringback")
    with (
        scene.phone(CUSTOMER, CUSTOMER) as customer,
        scene.phone("alice", AGENT, "wonderland") as alice,
        scene.phone("carol", COACH, "christmas") as supervisor,
    ):
        alice.says("200 OK (Ringback")
        supervisor.says("200 OK (Ringback")
        scene.dial(customer)
        alice.wait("CALL_ESTABLISHED")
        task = scene.becomes("assigned")
        legs = {CUSTOMER: scene.leg(NUMBER), AGENT: scene.leg("sip:alice")}
        (conference,) = site.client.conferences.list(status="in-progress")
        assert conference.friendly_name == task.sid
        seats = site.client.conferences(conference.sid).participants
        until(lambda: len(seats.list()) == 2, 5, "both are in the conference")
        told = until(lambda: both_told(scene.task()), 5, "the task names the conference and both")
        assert (told["sid"], told["friendlyName"]) == (conference.sid, task.sid)
        assert told["participants"] == {"worker": legs[AGENT], "customer": legs[CUSTOMER]}
        assert heard(site, legs) == {CUSTOMER: [AGENT], AGENT: [CUSTOMER]}

        seats(legs[CUSTOMER]).update(hold=True)
        assert heard(site, {AGENT: legs[AGENT]}) == {AGENT: []}
        music = sounds(site, legs[CUSTOMER])
        assert music, "music on hold"
        assert tones(music[0]) == []
        seats(legs[CUSTOMER]).update(hold=False)
        assert heard(site, legs) == {CUSTOMER: [AGENT], AGENT: [CUSTOMER]}

        (reservation,) = office.reservations(scene.alice).list()
        held = office.workspace.tasks(task.sid).reservations(reservation.sid)
        for count, (mode, agent_hears) in enumerate(
            (("monitor", [CUSTOMER]), ("whisper", [CUSTOMER, COACH]), ("barge", [CUSTOMER, COACH])), 1
        ):
            held.update(instruction="supervise", supervisor=carol, supervisor_mode=mode)
            supervisor.wait("CALL_ESTABLISHED", count)
            three = legs | {COACH: scene.leg("sip:carol")}
            until(lambda: len(seats.list()) == 3, 5, "the supervisor is in the conference")
            customer_hears = [AGENT, COACH] if mode == "barge" else [AGENT]
            assert heard(site, three) == {
                CUSTOMER: customer_hears, AGENT: agent_hears, COACH: [CUSTOMER, AGENT],
            }, mode  # fmt: skip
            supervisor.command("hangup")
            until(lambda: len(seats.list()) == 2, 5, "the supervisor has left")

        assert scene.task().assignment_status == "assigned"
        alice.command("hangup")
        customer.wait("CALL_CLOSED")
        scene.becomes("wrapping")
    done = office.workspace.tasks(task.sid).update(assignment_status="completed", reason="solved")
    assert (done.assignment_status, done.reason) == ("completed", "solved")
    scene.check_events(task.sid)


@pytest.mark.parametrize("instruction", ["dequeue", "conference"])
@pytest.mark.parametrize("talking", [False, True], ids=["ringing", "talking"])
def test_the_server_is_killed_during_a_call(
    start_scene: Callable[..., Scene], instruction: str, talking: bool
) -> None:
    """The calls are gone: what was offered is canceled with its task, what was talked about wraps up; the worker gets
    the next task."""
    scene = start_scene(instruction=instruction)
    site, office = scene.site, scene.office
    site.may_warn = True  # it says that calls were lost
    with (
        scene.phone(CUSTOMER, CUSTOMER) as customer,
        scene.phone("alice", AGENT, "wonderland", answer=talking) as alice,
    ):
        alice.says("200 OK (Ringback")
        scene.dial(customer)
        alice.wait("CALL_ESTABLISHED" if talking else "CALL_INCOMING")
        task = scene.becomes("assigned" if talking else "reserved")
        site.kill()
        for phone in (customer, alice):
            phone.drop()
    site.start()
    (reservation,) = office.reservations(scene.alice).list()
    if talking:
        scene.becomes("wrapping")
        assert office.reservations(scene.alice)(reservation.sid).fetch().reservation_status == "wrapping"
        office.workspace.tasks(task.sid).update(assignment_status="completed", reason="the call was lost")
        scene.check_events(task.sid)
    else:
        assert scene.becomes("canceled").reason == "hangup"
        assert office.reservations(scene.alice)(reservation.sid).fetch().reservation_status == "canceled"
        until(lambda: scene.events(task.sid)[-1:] == ["task.canceled"], 10, "the last event is told")
        assert scene.events(task.sid).count("reservation.canceled") == 1
    following = office.workspace.tasks.create(task_channel="voice")
    offered = office.reservations(scene.alice).list(reservation_status="pending")
    assert [each.task_sid for each in offered] == [following.sid], "the worker is free again"


def both_told(task: Any) -> Any:
    """`conference` of the task's attributes, once it has two participants."""
    found = json.loads(task.attributes).get("conference", {})
    return found if len(found.get("participants", ())) == 2 else None


def sounds(site: Site, call: str) -> list[NDArray[np.float64]]:
    """A second of what is sent to a caller now, when it is more than silence."""
    running = site.client.calls(call).recordings.create(recording_channels="dual").sid
    time.sleep(1.2)  # of real sound
    site.client.calls(call).recordings(running).update(status="stopped")
    sent = channels(file_of(site, running))[:, 1]
    return [sent] if float(np.sqrt((sent**2).mean())) > 100 else []


def test_the_example_application(start_site: Callable[..., Site], tmp_path: Path) -> None:
    """As its README says: it makes its workspace, a call is answered by the worker's phone, the events are printed,
    and the wrapped-up task is completed."""
    site = start_site(toml=TOML)
    server = f"127.0.0.1:{site.sip_port}"
    environment = os.environ | {
        "PORT": "0", "RINGBACK_URL": site.url, "RINGBACK_ACCOUNT_SID": ACCOUNT, "RINGBACK_AUTH_TOKEN": TOKEN,
    }  # fmt: skip
    log = tmp_path / "example.log"
    with log.open("wb") as out:
        command = [sys.executable, str(EXAMPLE / "app.py"), NUMBER, "alice=sip:alice@ringback"]
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
    try:
        until(lambda: process.poll() is None and "is answered at" in log.read_text(), 15, "the example runs")
        with (
            Phone(tmp_path / "customer", user=CUSTOMER, server=server, hertz=TONES[CUSTOMER]) as customer,
            Phone(
                tmp_path / "alice", user="alice", server=server, password="wonderland", answer=True
            ) as alice,
        ):
            alice.says("200 OK (Ringback")
            customer.dial(f"sip:{NUMBER}@{server}")
            alice.wait("CALL_ESTABLISHED")
            until(lambda: "reservation.accepted" in log.read_text(), 10, "it is told of the acceptance")
            alice.command("hangup")
            customer.wait("CALL_CLOSED")
            until(lambda: "task.completed" in log.read_text(), 10, "it completes the task")
        printed = re.findall(r"^WT\w+ (\w[\w-]*\.[\w.-]+)", log.read_text(), re.MULTILINE)
        assert [each for each in printed if each != "task.updated"] == HAPPY_PATH
        assert not re.search(r"\b403\b", log.read_text()), "a signature did not fit"
    finally:
        process.terminate()
        process.wait(5)
        assert "Traceback" not in log.read_text(), log.read_text()
