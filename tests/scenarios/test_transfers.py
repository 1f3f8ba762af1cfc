"""Journey: a call is handed from one agent to another, warm and cold, and the caller hears the right one."""

from __future__ import annotations

import json

import pytest

from ringback.testing.world import World
from tests.scenarios.test_agents import AGENT, Office, says

BOB = "+15559990002"


@pytest.mark.parametrize("mode", ["WARM", "COLD"])
async def test_a_call_goes_from_alice_to_bob(ringback: World, mode: str) -> None:
    office = await Office(ringback).open(
        assignment_callback_url=ringback.app("/assign", says({"instruction": "conference"}))
    )
    await office.hire("alice", AGENT)
    await ringback.number("+15550100", voice="/voice")
    ringback.app("/voice", f'<Response><Enqueue workflowSid="{office.workflow}"/></Response>')
    # nobody's script ends with a wait: the clock would run through it while this test waits for an answer
    alice_says = [{"wait": 1}, {"say": "Alice speaking"}]
    await ringback.sim("PUT", f"Numbers/{AGENT}", {"answers": "answer", "script": alice_says})
    bob_says = [{"wait": 2}, {"say": "This is Bob now"}, {"wait": 5}, {"say": "Bob again"}]
    await ringback.sim("PUT", f"Numbers/{BOB}", {"answers": "answer", "script": bob_says})
    caller = await ringback.call("+15550100", script=[{"expect": "Alice speaking", "within": 60}])
    await caller.hears("Alice speaking", within=60)
    bob = await office.hire("bob", BOB)
    task = office.task()
    first = next(
        each for each in office.workspace.reservations.values() if each.reservation_status == "accepted"
    )
    made = await office.request(
        "create", "Transfer", ringback.product.new_sid("TT"),
        params={"TaskSid": task.sid, "ReservationSid": first.sid, "To": bob, "Mode": mode},
    )  # fmt: skip
    assert made.status == "initiated"
    assert first.reservation_status == ("accepted" if mode == "WARM" else "wrapping")
    await caller.hears("This is Bob now", within=60)
    assert task.transfer.status == "completed"
    second = next(each for each in office.workspace.reservations.values() if each.worker_sid == bob)
    assert (second.reservation_status, task.assignment_status) == ("accepted", "assigned")
    if mode == "WARM":  # Alice leaves; Bob and the caller go on
        await ringback.post(f"Calls/{first.call_sid}", Status="completed")
        await caller.hears("Bob again", within=60)
        assert first.reservation_status == "wrapping"
        assert (second.reservation_status, task.assignment_status) == ("accepted", "assigned")
    else:
        calls = {each["sid"]: each["status"] for each in (await ringback.get("Calls"))["calls"]}
        assert calls[first.call_sid] == "completed"
    await ringback.post(f"Calls/{caller.sid}", Status="completed")
    await ringback.post(f"Calls/{second.call_sid}", Status="completed")
    await ringback.settled()
    assert task.assignment_status == "wrapping"
    conference = json.loads(task.attributes)["conference"]
    assert conference["friendlyName"] == task.sid
