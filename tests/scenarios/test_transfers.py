"""Journey: a call is handed from one agent to another, warm and cold, and the caller hears the right one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ringback.resources.api.alert import Alert
from ringback.testing.world import Caller, World
from tests.scenarios.test_agents import AGENT, Office, says

BOB = "+15559990002"


class Handover:
    """Alice talks with a caller; Bob can be asked."""

    def __init__(self, ringback: World, office: Office, caller: Caller, bob: str) -> None:
        self.ringback, self.office, self.caller, self.bob = ringback, office, caller, bob
        self.task = office.task()
        self.first = self.reservation("accepted")

    def reservation(self, status: str, worker: str = "") -> Any:
        """The one in a state."""
        found = self.office.workspace.reservations.values()
        return next(
            each for each in found if each.reservation_status == status and worker in ("", each.worker_sid)
        )

    async def transfer(self, mode: str) -> Any:
        """Alice gives the call to Bob."""
        params = {"TaskSid": self.task.sid, "ReservationSid": self.first.sid, "To": self.bob, "Mode": mode}
        return await self.office.request(
            "create", "Transfer", self.ringback.product.new_sid("TT"), params=params
        )

    async def conference(self) -> dict[str, Any]:
        """The task's conference, the newest of its name."""
        found = (await self.ringback.get("Conferences"))["conferences"]
        return next(each for each in found if each["friendly_name"] == self.task.sid)

    async def participants(self) -> dict[str, Any]:
        """By SID of their call."""
        sid = (await self.conference())["sid"]
        found = await self.ringback.get(f"Conferences/{sid}/Participants")
        return {each["call_sid"]: each for each in found["participants"]}

    async def over(self) -> None:
        """Everybody hangs up."""
        for call in (await self.ringback.get("Calls"))["calls"]:
            if call["status"] == "in-progress":
                await self.ringback.post(f"Calls/{call['sid']}", Status="completed")
        await self.ringback.settled()

    def heard_after(self, text: str) -> list[str]:
        """The kinds of what the caller heard after a text."""
        heard = self.caller.heard
        start = max(place for place, each in enumerate(heard) if text in each["text"])
        return [each["kind"] for each in heard[start + 1 :]]


async def begin(ringback: World, *, ends: bool, bob_answers: str = "answer", action: str = "") -> Handover:
    """``ends``: the conference ends when an agent leaves."""
    office = await Office(ringback).open(
        assignment_callback_url=ringback.app(
            "/assign", says({"instruction": "conference", "end_conference_on_exit": ends})
        )
    )
    await office.hire("alice", AGENT)
    await ringback.number("+15550100", voice="/voice")
    after = ' action="/after"' if action else ""
    ringback.app("/voice", f'<Response><Enqueue workflowSid="{office.workflow}"{after}/></Response>')
    ringback.app("/after", action)
    # nobody's script ends with a wait: the clock would run through it while this test waits for an answer
    alice_says = [{"wait": 1}, {"say": "Alice speaking"}]
    await ringback.sim("PUT", f"Numbers/{AGENT}", {"answers": "answer", "script": alice_says})
    bob_says = [{"wait": 2}, {"say": "This is Bob now"}, {"wait": 5}, {"say": "Bob again"}]
    behaviour = {"answers": bob_answers, "after": 3, "script": bob_says}
    await ringback.sim("PUT", f"Numbers/{BOB}", behaviour)
    caller = await ringback.call("+15550100", script=[{"expect": "Alice speaking", "within": 60}])
    await caller.hears("Alice speaking", within=60)
    bob = await office.hire("bob", BOB)
    return Handover(ringback, office, caller, bob)


@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.parametrize("mode", ["WARM", "COLD"])
async def test_a_call_goes_from_alice_to_bob(ringback: World, mode: str, ends: bool) -> None:
    """The caller is on hold until Bob is there, whatever was said of Alice's leaving."""
    talk = await begin(ringback, ends=ends)
    caller, task, first = talk.caller, talk.task, talk.first
    made = await talk.transfer(mode)
    assert made.status == "initiated"
    assert first.reservation_status == ("accepted" if mode == "WARM" else "wrapping")
    await caller.hears("This is Bob now", within=60)
    assert talk.heard_after("Alice speaking")[:2] == ["hold", "speech"]
    assert task.transfer.status == "completed"
    second = talk.reservation("accepted", talk.bob)
    assert task.assignment_status == "assigned"
    people = await talk.participants()
    assert people[caller.sid]["hold"] is False
    assert set(people) == {caller.sid, second.call_sid, *([first.call_sid] if mode == "WARM" else [])}
    if mode == "WARM":  # Alice leaves; Bob and the caller go on
        await ringback.post(f"Calls/{first.call_sid}", Status="completed")
        await caller.hears("Bob again", within=60)
        assert first.reservation_status == "wrapping"
        assert (second.reservation_status, task.assignment_status) == ("accepted", "assigned")
    else:
        calls = {each["sid"]: each["status"] for each in (await ringback.get("Calls"))["calls"]}
        assert calls[first.call_sid] == "completed"
    await talk.over()
    assert task.assignment_status == "wrapping"
    conference = json.loads(task.attributes)["conference"]
    assert conference["friendlyName"] == task.sid


@pytest.mark.parametrize("mode", ["WARM", "COLD"])
async def test_bob_does_not_answer(ringback: World, mode: str) -> None:
    """Warm: the caller talks to Alice again, and her leaving ends the conference as before. Cold: the caller stays on
    hold, the task waits in its queue, and whoever comes next has both."""
    talk = await begin(ringback, ends=True, bob_answers="busy")
    caller, task = talk.caller, talk.task
    await talk.transfer(mode)
    while task.transfer.status == "initiated":
        await ringback.advance(1)
    await ringback.lanes_empty()
    assert task.transfer.status == "failed"
    people = await talk.participants()
    alerts = [each.error_code for each in await ringback.product.store.find(Alert, resource_sid=task.sid)]
    if mode == "WARM":
        assert people[caller.sid]["hold"] is False
        assert people[talk.first.call_sid]["end_conference_on_exit"] is True
        assert (task.assignment_status, alerts) == ("assigned", [])
        await ringback.post(f"Calls/{talk.first.call_sid}", Status="completed")
        await caller.ends()
        return
    assert (await talk.conference())["status"] == "in-progress"
    assert {sid: each["hold"] for sid, each in people.items()} == {caller.sid: True}
    assert (task.assignment_status, alerts) == ("pending", [45313])
    assert talk.heard_after("Alice speaking") == ["hold"]
    away = {"activity_sid": talk.office.activity("Offline")}
    await talk.office.request("update", "Worker", talk.bob, away)
    carol = "+15559990003"
    await ringback.sim(
        "PUT", f"Numbers/{carol}", {"answers": "answer", "script": [{"wait": 1}, {"say": "Carol here"}]}
    )
    await talk.office.hire("carol", carol)
    await caller.hears("Carol here", within=60)
    assert task.assignment_status == "assigned"
    await talk.over()


async def test_a_task_that_ends_lets_its_caller_go_on(ringback: World) -> None:
    """Nobody took them, and the task is canceled: their call goes on with what follows <Enqueue>."""
    talk = await begin(
        ringback,
        ends=True,
        bob_answers="no-answer",
        action="<Response><Say>Please call again</Say></Response>",
    )
    await talk.transfer("COLD")
    await talk.office.request("update", "Task", talk.task.sid, params={"AssignmentStatus": "canceled"})
    await talk.caller.hears("Please call again", within=60)
    await ringback.settled()
    alerts = [
        each.error_code for each in await ringback.product.store.find(Alert, resource_sid=talk.task.sid)
    ]
    assert alerts == [45313]


async def test_a_hold_that_alice_asked_for_is_hers_to_end(ringback: World) -> None:
    """A warm transfer that fails does not end it; a cold one's new agent talks to the caller at once."""
    talk = await begin(ringback, ends=True, bob_answers="busy")
    await talk.office.request(
        "update", "CustomerParticipant", talk.task.sid, params={"TaskSid": talk.task.sid, "Hold": "true"}
    )
    await talk.transfer("WARM")
    while talk.task.transfer.status == "initiated":
        await ringback.advance(1)
    assert (await talk.participants())[talk.caller.sid]["hold"] is True
    await ringback.sim(
        "PUT", f"Numbers/{BOB}", {"answers": "answer", "script": [{"wait": 1}, {"say": "Bob at last"}]}
    )
    await ringback.advance(10)
    await talk.transfer("COLD")
    await talk.caller.hears("Bob at last", within=60)
    await talk.over()
