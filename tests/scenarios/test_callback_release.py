"""Scheduled callbacks are let go at the pace of free agents (issue 4, point 6), through the public API alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ringback.callbacks.calendar import iso
from ringback.testing.world import World, world
from tests.scenarios.test_callback_faults import crash
from tests.scenarios.test_callbacks import OURS, post

SWEEP = 30.0
"""Seconds between two looks of the feature, as the setting says by default."""
LIVE = {"pending", "reserved", "assigned", "wrapping"}


class Centre:
    """A workspace as its operator and its agents see it: by REST."""

    def __init__(self, ringback: World, workspace: str = "") -> None:
        self.ringback, self.workspace = ringback, workspace

    async def rest(self, path: str, **fields: str) -> Any:
        """A write with fields, a read without, below the workspace."""
        product = self.ringback.product
        auth = aiohttp.encode_basic_auth(product.account_sid, product.auth_token)
        url = f"{self.ringback.url}/taskrouter/v1/Workspaces{self.workspace and '/' + self.workspace}{path}"
        method = "POST" if fields else "GET"
        async with (
            aiohttp.ClientSession(headers={"Authorization": auth}) as session,
            session.request(method, url, data=fields or None) as answer,
        ):
            body = await answer.json()
            assert answer.status < 300, (path, body)
            return body

    async def open(self) -> tuple[str, str, str]:
        """Two queues, and a workflow for the callbacks; gives their SIDs."""
        self.workspace = (await self.rest("", FriendlyName="Office"))["sid"]
        queue, other = [
            str((await self.rest("/TaskQueues", FriendlyName=name, TargetWorkers="1==1"))["sid"])
            for name in ("Callbacks", "Others")
        ]
        routing = json.dumps({"task_routing": {"default_filter": {"queue": queue}}})
        flow = await self.rest("/Workflows", FriendlyName="Callback", Configuration=routing)
        return queue, other, flow["sid"]

    async def activity(self, name: str) -> str:
        """SID."""
        found = (await self.rest(f"/Activities?FriendlyName={name}"))["activities"]
        return str(found[0]["sid"])

    async def comes(self, name: str) -> str:
        """A new agent, who is available."""
        return str(
            (await self.rest("/Workers", FriendlyName=name, ActivitySid=await self.activity("Available")))[
                "sid"
            ]
        )

    async def leaves(self, worker: str) -> None:
        """Out, whatever they hold."""
        await self.rest(
            f"/Workers/{worker}", ActivitySid=await self.activity("Offline"), RejectPendingReservations="true"
        )

    async def schedule(self, flow: str, count: int, seconds: float) -> None:
        """So many callbacks for one moment, each for another customer."""
        due = iso(self.ringback.clock.now() + seconds)
        for number in range(count):
            status, body = await post(
                self.ringback, "studio/create-callback", signed=True, numberToCall=f"+1555123{number:04}",
                numberToCallFrom=OURS, workflowSid=flow, callbackAt=due,
            )  # fmt: skip
            assert (status, body["taskSid"]) == (200, None)

    async def callbacks(self) -> dict[str, str]:
        """Every callback that is a task: customer → its state."""
        found = (await self.rest("/Tasks?PageSize=1000"))["tasks"]
        kinds = [(json.loads(one["attributes"]), one["assignment_status"]) for one in found]
        named = [
            (known["callBackData"]["numberToCall"], status)
            for known, status in kinds
            if known.get("taskType") == "callback"
        ]
        assert len(dict(named)) == len(named), "two for one request"
        return dict(named)

    async def free(self) -> int:
        """Agents who could take a call now."""
        found = 0
        for worker in (await self.rest("/Workers?Available=true"))["workers"]:
            voice = await self.rest(f"/Workers/{worker['sid']}/Channels/voice")
            found += voice["available_capacity_percentage"] > 0
        return found

    async def sweep(self, reserve: int = 0) -> int:
        """Until the feature has looked once more; gives how many callbacks it let go, which are never too many."""
        free, before = await self.free(), await self.callbacks()
        waiting = sum(status == "pending" for status in before.values())
        await self.ringback.advance(SWEEP + 1)
        await self.ringback.settled()
        new = (await self.callbacks()).keys() - before.keys()
        assert len(new) <= max(0, free - waiting - reserve), (free, waiting, new)
        return len(new)

    async def reservations(self, worker: str, status: str) -> list[str]:
        """SIDs of the agent's reservations in a state."""
        path = f"/Workers/{worker}/Reservations?ReservationStatus={status}"
        return [str(one["sid"]) for one in (await self.rest(path))["reservations"]]

    async def works(self, worker: str) -> None:
        """What was accepted is done; what is offered is accepted."""
        for status, to in (("accepted", "completed"), ("pending", "accepted")):
            for sid in await self.reservations(worker, status):
                await self.rest(f"/Workers/{worker}/Reservations/{sid}", ReservationStatus=to)


async def opened(folder: Path) -> tuple[str, str, str, str]:
    """The workspace is made before the setting can name its queue: (workspace, queue, other queue, workflow)."""
    async with world(folder) as ringback:
        centre = Centre(ringback)
        queue, other, flow = await centre.open()
        return centre.workspace, queue, other, flow


@pytest.mark.parametrize("reserve", [0, 1])
async def test_twenty_callbacks_and_three_agents(tmp_path: Path, reserve: int) -> None:
    """One agent leaves in the middle of their work, another comes, and the process dies: all are called, once each."""
    before, after = tmp_path / "before", tmp_path / "after"
    workspace, queue, _, flow = await opened(before)
    options = {"release_queue_sid": queue, "release_reserve": reserve}
    done: dict[str, str] = {}
    async with world(before, callback=options) as ringback:
        centre = Centre(ringback, workspace)
        team = [await centre.comes(name) for name in ("ann", "bob", "cid")]
        await centre.schedule(flow, 20, 120)
        assert await centre.sweep(reserve) == 0, "nothing is due yet"
        await ringback.advance(60)
        released = [await centre.sweep(reserve) for _ in range(2)]
        assert sum(released) == 3 - reserve, "as many as there are agents, and no more while these are busy"
        for worker in team:
            await centre.works(worker)
        assert await centre.sweep(reserve) == 0, "all who may be asked are talking"
        (gone, *_) = [worker for worker in team if await centre.reservations(worker, "accepted")]
        await centre.leaves(gone)
        team.remove(gone)
        team.append(await centre.comes("eve"))
        assert await centre.sweep(reserve) == 1, "for the new one, though the other has not hung up yet"
        await centre.works(gone)  # they end the talk that they were in
        for _ in range(3):
            for worker in team:
                await centre.works(worker)
            await centre.sweep(reserve)
        done = {one: status for one, status in (await centre.callbacks()).items() if status == "completed"}
        assert 0 < len(done) < 15
        with ringback.clock.hold():
            crash(before, after)
    async with world(after, callback=options) as ringback:
        await ringback.lanes_empty()
        await ringback.settled()
        centre = Centre(ringback, workspace)
        known = await centre.callbacks()
        for _ in range(60):
            for worker in team:
                await centre.works(worker)
            known |= await centre.callbacks()
            await centre.sweep(reserve)
            known |= await centre.callbacks()
            if len(known) == 20 and not LIVE & set((await centre.callbacks()).values()):
                break
        states = done | known
        assert sorted(states) == [f"+1555123{number:04}" for number in range(20)]
        assert set(states.values()) == {"completed"}
        await ringback.advance(600)
        assert not LIVE & set((await centre.callbacks()).values()), "nothing comes twice"
        assert ringback.product.callbacks.unfinished == 0


async def test_an_agent_with_other_work_is_not_free(tmp_path: Path) -> None:
    """They serve two queues: what they have from the other one keeps callbacks back as well."""
    workspace, queue, other, flow = await opened(tmp_path)
    async with world(tmp_path, callback={"release_queue_sid": queue}) as ringback:
        centre = Centre(ringback, workspace)
        team = [await centre.comes(name) for name in ("ann", "bob")]
        await centre.rest("/Tasks", RoutingTarget=other, TaskChannel="voice", Attributes="{}")
        (worker,) = [one for one in team if await centre.reservations(one, "pending")]
        await centre.works(worker)
        await centre.schedule(flow, 5, 1)
        assert await centre.sweep() == 1
        assert list((await centre.callbacks()).values()) == ["reserved"]
        await centre.leaves(worker)
        assert await centre.sweep() == 0, "who has left is not free, whatever they still hold"
        await centre.works(worker)
        assert await centre.sweep() == 0, "the other one has their callback"
