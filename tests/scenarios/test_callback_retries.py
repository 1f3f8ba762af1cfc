"""A callback's whole life: busy, no answer, answered; with the workflow that parks repetitions (issue 4, point 6)."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from ringback.callbacks.requeue import retry_workflow
from ringback.testing.world import World, world
from tests.scenarios.test_callback_release import Centre
from tests.scenarios.test_callbacks import CALLER, OURS, STAR, WAIT, post, token

PHONE = "+15559990001"
ASKS_FOR_A_CALL: list[dict[str, Any]] = [
    *STAR, {"expect": "press 1"}, {"press": "1"}, {"expect": "calling from"}, {"press": "1"}, {"wait": 30},
]  # fmt: skip
BUSY, SILENT, THERE = (
    {"answers": "busy"},
    {"answers": "no-answer"},
    {"answers": "answer", "after": 2, "script": [{"say": "Hello, it is me"}, {"wait": 20}, {"hangup": True}]},
)


class Alice:
    """An agent with a phone and a desktop, both by public requests."""

    def __init__(self, centre: Centre) -> None:
        self.centre, self.ringback = centre, centre.ringback
        self.sid = ""

    async def sign_in(self) -> Alice:
        """Available, with a phone that is picked up."""
        self.sid = (
            await self.centre.rest(
                "/Workers", FriendlyName="alice", Attributes=json.dumps({"contact_uri": PHONE}),
                ActivitySid=await self.centre.activity("Available"),
            )
        )["sid"]  # fmt: skip
        await self.ringback.sim(
            "PUT", f"Numbers/{PHONE}", {"answers": "answer", "after": 1, "script": [{"wait": 600}]}
        )
        return self

    async def asks(self, what: str, **fields: str) -> tuple[int, Any]:
        """A request to the feature with the agent's token."""
        mine = token(self.ringback, self.centre.workspace, self.sid)
        return await post(self.ringback, f"flex/{what}", Token=mine, **fields)

    async def reservation(self, sid: str) -> Any:
        """As it is now."""
        return await self.centre.rest(f"/Workers/{self.sid}/Reservations/{sid}")

    async def offered(self) -> tuple[str, str]:
        """The one reservation that waits for the agent, and its task."""
        found = (await self.centre.rest(f"/Workers/{self.sid}/Reservations?ReservationStatus=pending"))[
            "reservations"
        ]
        assert len(found) == 1, found
        return str(found[0]["sid"]), str(found[0]["task_sid"])

    async def change(self, sid: str, **fields: str) -> None:
        """Of a reservation."""
        await self.centre.rest(f"/Workers/{self.sid}/Reservations/{sid}", **fields)

    async def calls_back(self, task: str, held: str) -> str:
        """Press the button, until the call is over; gives the outbound reservation's state."""
        status, placed = await self.asks("place-callback", taskSid=task, reservationSid=held)
        assert (status, placed["again"]) == (200, False)
        ours, outbound = await self.offered()
        assert outbound == placed["taskSid"]
        await self.change(ours, Instruction="conference", EndConferenceOnCustomerExit="true", Timeout="20")
        while (await self.reservation(ours))["reservation_status"] in ("pending", "accepted"):
            await asyncio.sleep(0)
        await self.ringback.settled()
        state = str((await self.reservation(ours))["reservation_status"])
        if state == "wrapping":
            await self.change(ours, ReservationStatus="completed")
        return state


def data_of(task: Any) -> Any:
    """``callBackData`` of a task."""
    return json.loads(task["attributes"])["callBackData"]


async def caller_asks(ringback: World, centre: Centre) -> str:
    """Set the line up, let a caller ask to be called back; gives the callback's task."""
    queue, _, flow = await centre.open()
    await centre.rest(f"/Workflows/{flow}", Configuration=retry_workflow(queue))
    await ringback.number(OURS, voice="/voice")
    url = f"{ringback.url}{WAIT}?mode=initialize"
    ringback.app("/voice", f'<Response><Enqueue workflowSid="{flow}" waitUrl="{url}"/></Response>')
    caller = await ringback.call(OURS, script=ASKS_FOR_A_CALL)
    await caller.ends()
    await ringback.settled()
    waiting = (await centre.rest("/Tasks?AssignmentStatus=pending"))["tasks"]
    assert [json.loads(one["attributes"])["taskType"] for one in waiting] == ["callback"]
    return str(waiting[0]["sid"])


async def test_busy_then_no_answer_then_answered(ringback: World) -> None:
    """Attempts 0, 1, 2; each repetition waits as the workflow says though the agent is free; then there is an end."""
    centre = Centre(ringback)
    task = await caller_asks(ringback, centre)
    alice = await Alice(centre).sign_in()
    dialled: list[str] = []
    for attempt, (customer, state, result, code, parked) in enumerate(
        (
            (BUSY, "canceled", "busy", 45303, 600),
            (SILENT, "canceled", "no-answer", 45305, 3600),
            (THERE, "wrapping", "answered", None, 0),
        )
    ):
        held, offered = await alice.offered()
        assert offered == task
        shown = await centre.rest(f"/Tasks/{task}")
        assert (data_of(shown)["attempts"], data_of(shown)["numberToCall"]) == (attempt, CALLER)
        await alice.change(held, ReservationStatus="accepted")
        await ringback.sim("PUT", f"Numbers/{CALLER}", customer)
        assert await alice.calls_back(task, held) == state
        status, told = await alice.asks("callback-outcome", taskSid=task)
        assert (status, told["outcome"]["result"], told["outcome"].get("code")) == (200, result, code)
        assert told["selectTask"] == task
        shown = await centre.rest(f"/Tasks/{task}")
        assert shown["assignment_status"] == "assigned", (
            "it stays with the agent until they say what becomes of it"
        )
        assert data_of(shown)["lastOutcome"] == told["outcome"]
        calls = (await ringback.get("Calls"))["calls"]
        dialled = [one["status"] for one in calls if one["to"] == CALLER]
        assert len(dialled) == attempt + 1, "one call an attempt"
        status, again = await alice.asks("requeue-callback", taskSid=task)
        await alice.change(held, ReservationStatus="completed")
        if not parked:
            assert (status, "3 attempts" in again["message"]) == (400, True)
            break
        assert status == 200
        task = str(again["taskSid"])
        await ringback.advance(parked - 5)
        await ringback.settled()
        shown = await centre.rest(f"/Tasks/{task}")
        assert (shown["assignment_status"], data_of(shown)["attempts"]) == ("pending", attempt + 1)
        await ringback.advance(10)
        await ringback.settled()
    assert sorted(dialled) == ["busy", "completed", "no-answer"]
    await ringback.advance(4000)
    live = (await centre.rest("/Tasks?AssignmentStatus=pending,reserved,assigned,wrapping"))["tasks"]
    assert live == []
    assert ringback.product.callbacks.unfinished == 0


@pytest.mark.parametrize("most", [1, 2])
async def test_the_last_attempt_ends_truthfully(tmp_path: Path, most: int) -> None:
    """Nobody ever answers: after as many calls as the setting allows it is refused, and nothing is left over."""
    async with world(tmp_path, callback={"max_attempts": most}) as ringback:
        centre = Centre(ringback)
        task = await caller_asks(ringback, centre)
        alice = await Alice(centre).sign_in()
        await ringback.sim("PUT", f"Numbers/{CALLER}", SILENT)
        for attempt in range(most):
            held, offered = await alice.offered()
            assert offered == task
            await alice.change(held, ReservationStatus="accepted")
            assert await alice.calls_back(task, held) == "canceled"
            assert (await alice.asks("callback-outcome", taskSid=task))[1]["outcome"]["result"] == "no-answer"
            status, again = await alice.asks("requeue-callback", taskSid=task)
            await alice.change(held, ReservationStatus="completed")
            if attempt + 1 < most:
                assert status == 200
                task = str(again["taskSid"])
                await ringback.advance(605)
                await ringback.settled()
        assert (status, f"{most} attempts" in again["message"]) == (400, True)
        ended = await centre.rest(f"/Tasks/{task}")
        assert ended["assignment_status"] == "completed"
        assert data_of(ended)["lastOutcome"]["result"] == "no-answer"
        assert data_of(ended)["attempts"] == most - 1
        assert (await centre.rest("/Tasks?AssignmentStatus=pending,reserved,assigned"))["tasks"] == []
