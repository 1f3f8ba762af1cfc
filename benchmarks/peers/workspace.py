"""A workspace made through REST for the benchmarks: queues by skill, workers, the assignment callback's far end."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

from benchmarks.peers.application import Answer, Form, serve
from benchmarks.peers.rest import Rest
from benchmarks.server import Server

SKILLS = 50
CONNECTIONS = 16


def configuration(queues: list[str]) -> str:
    """A filter a skill."""
    filters = [
        {"expression": f"skill == 's{number}'", "targets": [{"queue": sid}]}
        for number, sid in enumerate(queues)
    ]
    return json.dumps({"task_routing": {"filters": filters}})


def skilled(*numbers: int) -> str:
    """Attributes of a worker."""
    return json.dumps({"routing": {"skills": [f"s{each}" for each in numbers]}, "team": "benchmark"})


def expression(number: int) -> str:
    """Of a queue."""
    return f"routing.skills HAS 's{number}' AND team == 'benchmark'"


class Site:
    """A workspace made through REST; its assignment callback is the benchmark's own application."""

    def __init__(self, server: Server) -> None:
        self.rest = Rest(server.port, server.authorization)
        self.offered: dict[str, tuple[float, str, str]] = {}
        """Worker → when the assignment callback arrived, task, reservation."""
        self._waits: dict[str, asyncio.Future[None]] = {}

    async def prepare(self, workers: list[str], callback: bool) -> None:
        """Queues, the workflow and workers with these attributes."""
        await self.rest.open(CONNECTIONS)
        self._app, url = await serve(self._answer)
        made = await self.rest.post("/taskrouter/v1/Workspaces", FriendlyName="benchmark")
        self.path = f"/taskrouter/v1/Workspaces/{made['sid']}"
        listed = await self.rest.get(f"{self.path}/Activities?FriendlyName=Available")
        available = listed["activities"][0]["sid"]
        queues = [
            (
                await self.rest.post(
                    f"{self.path}/TaskQueues", FriendlyName=f"q{each}", TargetWorkers=expression(each)
                )
            )["sid"]
            for each in range(SKILLS)
        ]
        asks = {"AssignmentCallbackUrl": url} if callback else {}
        flow = await self.rest.post(
            f"{self.path}/Workflows", FriendlyName="flow", Configuration=configuration(queues),
            TaskReservationTimeout=3600, **asks,
        )  # fmt: skip
        self._flow = flow["sid"]

        async def hire(number: int) -> None:
            await self.rest.post(
                f"{self.path}/Workers", FriendlyName=f"w{number}", ActivitySid=available,
                Attributes=workers[number],
            )  # fmt: skip

        await each_of(len(workers), hire)
        self.rest.latencies.clear()

    async def close(self) -> None:
        """Everything that `prepare` opened."""
        self.rest.close()
        self._app.close()
        await self._app.wait_closed()

    def _answer(self, path: str, form: Form) -> Answer:
        worker = form["WorkerSid"]
        self.offered[worker] = (time.perf_counter(), form["TaskSid"], form["ReservationSid"])
        waiting = self._waits.pop(worker if worker in self._waits else form["TaskSid"], None)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)
        return "application/json", "{}"

    def offer(self, sid: str) -> asyncio.Future[None]:
        """The next assignment callback about a worker or a task."""
        self._waits[sid] = asyncio.get_running_loop().create_future()
        return self._waits[sid]

    async def task(self, skill: int) -> Any:
        """Create one."""
        attributes = json.dumps({"skill": f"s{skill}", "call_sid": f"CA{skill:032x}"})
        return await self.rest.post(
            f"{self.path}/Tasks", "create", WorkflowSid=self._flow, Attributes=attributes
        )

    async def accept(self, task: str, reservation: str) -> None:
        """By the reservation's SID."""
        path = f"{self.path}/Tasks/{task}/Reservations/{reservation}"
        await self.rest.post(path, "accept", ReservationStatus="accepted")

    async def complete(self, task: str) -> None:
        """With a reason."""
        await self.rest.post(
            f"{self.path}/Tasks/{task}", "complete", AssignmentStatus="completed", Reason="done"
        )


async def paced(count: int, rate: float, work: Callable[[int], Awaitable[None]]) -> None:
    """Begin ``rate`` of them a second, whether the earlier ones are done or not."""
    started, running = time.perf_counter(), []
    for number in range(count):
        await asyncio.sleep(max(0.0, started + number / rate - time.perf_counter()))
        running.append(asyncio.ensure_future(work(number)))
    await asyncio.gather(*running)


async def each_of(count: int, work: Callable[[int], Awaitable[None]], at_once: int = CONNECTIONS) -> None:
    """Do all of them, some at once."""
    numbers = iter(range(count))

    async def run() -> None:
        for number in numbers:
            await work(number)

    await asyncio.gather(*(run() for _ in range(at_once)))
