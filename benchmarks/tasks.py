"""Lives of tasks: create → reserve → accept → complete, with SQLite, through the engine and through REST; a big
workspace (1,000 workers, 10,000 waiting tasks, 50 queues with skill expressions); a task by its call among 100,000.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import tempfile
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import uvloop

from benchmarks.__main__ import Figure
from benchmarks.peers.audio import quantile
from benchmarks.peers.rest import Rest
from benchmarks.peers.workspace import (
    CONNECTIONS,
    SKILLS,
    Site,
    configuration,
    each_of,
    expression,
    paced,
    skilled,
)
from benchmarks.server import ACCOUNT, TOKEN, Server
from ringback.app import Ringback, build
from ringback.effects import Save
from ringback.effects.taskrouter import Announce
from ringback.events.taskrouter import WorkspaceWriteRequested
from ringback.settings import load as settings
from ringback.store import Store

IN_FLIGHT = 64
"""Tasks that are under way at once in the engine."""


RATE = 100
"""Lives a second in the big workspace."""


def measure(quick: bool) -> list[Figure]:
    """Lives a second, latencies of offers, latency of finding."""
    part = 10 if quick else 1
    return [
        *uvloop.run(_engine(5_000 // part)),
        *_with_server(lambda server: _lives(server, 3_000 // part)),
        *_with_server(lambda server: _big(server, 1_000 // part, 10_000 // part, 2_000 // part)),
        *_found(100_000 // part, 5_000 // part),
    ]


def _with_server(work: Callable[[Server], Awaitable[list[Figure]]], **more: str) -> list[Figure]:
    with Server(sip="off", **more) as server:

        async def run() -> list[Figure]:
            return await work(server)

        return uvloop.run(run())


# --- through the engine -------------------------------------------------------------------------------------------


class Engine:
    """The product in this process; tasks are created, and live on when they are offered."""

    def __init__(self, product: Ringback, lives: int) -> None:
        self.product, self._left, self._lives = product, lives, lives
        self._open = 0
        self._tasks: set[asyncio.Task[Any]] = set()
        self._done = asyncio.Event()
        product.listeners.append(self._told)

    async def ask(self, operation: Any, noun: str, sid: str, params: Any = None, **values: Any) -> Any:
        """One write, committed."""
        return await self.product.ask(
            WorkspaceWriteRequested(
                workspace_sid=self.ws, account_sid=ACCOUNT, noun=noun, operation=operation, sid=sid, values=values,
                params=params or {},
            )
        )  # fmt: skip

    async def create(self, noun: str, prefix: str, **values: Any) -> str:
        """A new record's SID."""
        sid = self.product.new_sid(prefix)
        if noun == "Workspace":
            self.ws = sid
        return str((await self.ask("create", noun, sid, **values)).sid)

    async def prepare(self) -> None:
        """One workspace, 200 workers with three skills each."""
        await self.create("Workspace", "WS", friendly_name="benchmark")
        activities = self.product.taskrouter.workspaces[self.ws].activities.values()
        available = next(str(each.sid) for each in activities if each.available)
        queues = [
            await self.create("TaskQueue", "WQ", friendly_name=f"q{each}", target_workers=expression(each))
            for each in range(SKILLS)
        ]
        self._flow = await self.create(
            "Workflow", "WW", friendly_name="flow", configuration=configuration(queues)
        )
        for number in range(4 * SKILLS):
            await self.create(
                "Worker", "WK", friendly_name=f"w{number}", activity_sid=available,
                attributes=skilled(number % SKILLS, *random.sample(range(SKILLS), 2)),
            )  # fmt: skip

    async def run(self) -> float:
        """Lives a second."""
        started = time.perf_counter()
        for _ in range(IN_FLIGHT):
            self._begin()
        await self._done.wait()
        return self._lives / (time.perf_counter() - started)

    def _begin(self) -> None:
        if self._left:
            self._left -= 1
            self._open += 1
            skill = json.dumps({"skill": f"s{random.randrange(SKILLS)}"})
            self._start(self.create("Task", "WT", workflow_sid=self._flow, attributes=skill))

    def _told(self, effect: Announce) -> None:
        if effect.event_type == "reservation.created":
            self._start(self._work(effect.reservation.sid, effect.task.sid))

    async def _work(self, reservation: str, task: str) -> None:
        await self.ask("update", "Reservation", reservation, {"ReservationStatus": "accepted"})
        await self.ask("update", "Task", task, {"AssignmentStatus": "completed"}, reason="done")
        self._open -= 1
        self._begin()
        if not self._open:
            self._done.set()

    def _start(self, work: Any) -> None:
        running = asyncio.get_running_loop().create_task(work)
        self._tasks.add(running)
        running.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        task.result()


def _settings(folder: str) -> Any:
    names = {
        "HTTP": "127.0.0.1:0",
        "SIP": "off",
        "DATA_DIR": folder,
        "ACCOUNT_SID": ACCOUNT,
        "AUTH_TOKEN": TOKEN,
    }
    return settings({f"RINGBACK_{name}": value for name, value in names.items()}, Path(os.devnull))


async def _engine(lives: int) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="ringback-bench-") as folder:
        product = await build(_settings(folder))
        await product.start()
        engine = Engine(product, lives)
        await engine.prepare()
        rate = await engine.run()
        await product.stop()
    what = f"{lives} task lives through the engine, {4 * SKILLS} workers, {SKILLS} queues"
    return [Figure(what, f"{rate:.0f}", "lives/s", "wanted: 300 /s")]


# --- through REST ---------------------------------------------------------------------------------------------------


def milliseconds(seconds: list[float]) -> str:
    """``p50 / p99``."""
    ordered = sorted(seconds)
    return f"{1000 * quantile(ordered, 0.5):.1f} / {1000 * quantile(ordered, 0.99):.1f}"


async def _lives(server: Server, lives: int) -> list[Figure]:
    site = Site(server)
    await site.prepare(
        [skilled(*((number + step) % SKILLS for step in range(3))) for number in range(200)], False
    )

    async def live(number: int) -> None:
        task = (await site.task(number % SKILLS))["sid"]
        listed = await site.rest.get(f"{site.path}/Tasks/{task}/Reservations", "list reservations")
        await site.accept(task, listed["reservations"][0]["sid"])
        await site.complete(task)

    started = time.perf_counter()
    await each_of(lives, live)
    rate = lives / (time.perf_counter() - started)
    await site.close()
    what = f"task lives through REST, 4 requests each, {CONNECTIONS} connections"
    return [
        Figure(what, f"{rate:.0f}", "lives/s", "wanted: 100 /s"),
        *(
            Figure(f"… {name}, p50 / p99", milliseconds(seconds), "ms", "")
            for name, seconds in site.rest.latencies.items()
        ),
    ]


async def _big(server: Server, workers: int, waiting: int, rounds: int) -> list[Figure]:
    """All workers of the first 49 queues hold a task and others wait; those of the last queue are free."""
    site, last, free = Site(server), SKILLS - 1, 32
    busy = workers - free
    attributes = [skilled(number % last, (number + 7) % last, (number + 19) % last) for number in range(busy)]
    await site.prepare([*attributes, *[skilled(last)] * free], True)

    async def fill(number: int) -> None:
        await site.task(number % last)

    started = time.perf_counter()
    await each_of(busy + waiting, fill)
    filled = time.perf_counter() - started
    while len(site.offered) < busy:
        await asyncio.sleep(0.01)
    site.rest.latencies.clear()
    to_callback: list[float] = []

    async def enqueue(number: int) -> None:
        # The offer may be heard of before the answer that names the task.
        sent = time.perf_counter()
        task = await site.task(last)
        assert task["assignment_status"] == "reserved", task
        listed = await site.rest.get(f"{site.path}/Tasks/{task['sid']}/Reservations")
        reservation = listed["reservations"][0]
        while site.offered.get(reservation["worker_sid"], (0.0, "", ""))[1] != task["sid"]:
            await asyncio.sleep(0.001)
        to_callback.append(site.offered[reservation["worker_sid"]][0] - sent)
        await site.accept(task["sid"], reservation["sid"])
        await site.complete(task["sid"])

    await paced(rounds, RATE, enqueue)
    created = site.rest.latencies["create"]
    site.rest.latencies = {}
    freed: list[float] = []
    holders = [worker for worker, (_, task, _) in site.offered.items()]

    async def free_one(number: int) -> None:
        while True:
            worker = chosen.popleft()  # all in turn: a few would empty their queues
            _, task, reservation = site.offered[worker]
            state = await site.rest.get(f"{site.path}/Tasks/{task}")
            if state["assignment_status"] == "reserved":
                break
        await site.accept(task, reservation)
        told = site.offer(worker)
        sent = time.perf_counter()
        await site.complete(task)
        await asyncio.wait_for(told, 30)  # raises when nobody in their queues waits any more
        freed.append(site.offered[worker][0] - sent)
        chosen.append(worker)

    chosen = deque([worker for worker in holders if await _holds(site, worker)])
    await paced(min(rounds, waiting // 5), RATE, free_one)
    await site.close()
    size = f"{workers} workers, {waiting} waiting, {SKILLS} queues"
    return [
        Figure(f"{size}: filled by POST Tasks", f"{(busy + waiting) / filled:.0f}", "tasks/s", ""),
        Figure(
            f"… at {RATE} lives/s: POST Tasks → 201, reserved, p50 / p99",
            milliseconds(created),
            "ms",
            "wanted: p99 50 ms",
        ),
        Figure("… POST Tasks → assignment callback, p50 / p99", milliseconds(to_callback), "ms", ""),
        Figure("… task completed → worker's next, p50 / p99", milliseconds(freed), "ms", "wanted: p99 50 ms"),
    ]


async def _holds(site: Site, worker: str) -> bool:
    task = await site.rest.get(f"{site.path}/Tasks/{site.offered[worker][1]}")
    return str(task["assignment_status"]) == "reserved"


# --- finding ----------------------------------------------------------------------------------------------------------


def _found(tasks: int, rounds: int) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="ringback-bench-") as folder:
        path = uvloop.run(_store(folder, tasks))
        with Server(sip="off", data_dir=folder) as server:
            ready = Figure(f"restart with {tasks} waiting tasks", f"{server.ready_after:.1f}", "s", "")

            async def find() -> dict[str, list[float]]:
                rest = Rest(server.port, server.authorization)
                await rest.open(1)
                workspace = path.rpartition("/")[0]
                for _ in range(rounds):
                    call = f"CA{random.randrange(tasks):032x}"
                    query = quote(f'call_sid == "{call}"')
                    page = await rest.get(f"{path}?EvaluateTaskAttributes={query}", "find")
                    await rest.get(workspace, "control")
                    assert [json.loads(each["attributes"])["call_sid"] for each in page["tasks"]] == [call]
                rest.close()
                return rest.latencies

            took = uvloop.run(find())
    what = f"find a task by call SID among {tasks} (round trip on loopback), p50 / p99"
    return [
        ready,
        Figure(
            what,
            milliseconds(took["find"]),
            "ms",
            "wanted: p99 2 ms; the hosted service: 3 requests/s",
        ),
        Figure(
            "… GET of the workspace in between, p50 / p99",
            milliseconds(took["control"]),
            "ms",
            "what the machine adds",
        ),
    ]


async def _store(folder: str, tasks: int) -> str:
    """Write a workspace as a server leaves it, with tasks that nobody can take; the path of its tasks."""
    product = await build(_settings(folder))
    await product.start()
    engine = Engine(product, 0)
    await engine.create("Workspace", "WS", friendly_name="benchmark")
    queue = await engine.create("TaskQueue", "WQ", friendly_name="all", target_workers="1==1")
    text = json.dumps({"task_routing": {"default_filter": {"queue": queue}}})
    flow = await engine.create("Workflow", "WW", friendly_name="flow", configuration=text)
    first = await engine.create("Task", "WT", workflow_sid=flow)
    pattern = product.taskrouter.workspaces[engine.ws].tasks[first].record
    records = [
        replace(
            pattern, sid=product.new_sid("WT"),
            attributes=json.dumps({"call_sid": f"CA{number:032x}", "from": "+15551230001", "tier": "gold"}),
        )
        for number in range(tasks)
    ]  # fmt: skip
    await product.stop()
    store = await Store.open(f"sqlite:///{Path(folder) / 'ringback.db'}")
    for start in range(0, tasks, 1000):
        await store.commit([Save(each) for each in records[start : start + 1000]])
    await store.close()
    return f"/taskrouter/v1/Workspaces/{engine.ws}/Tasks"
