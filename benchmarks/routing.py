"""Routing in the core alone: enqueue → reservation and freed worker → next reservation, by tasks and workers.

50 queues with skill expressions, one workflow with a filter a queue, tasks of all priorities. A tenth of the workers
are free and serve one queue that has no waiting tasks; all others are busy, and everything else waits for them.
No store, no network: the figures are the time of ``TaskRouter.handle``, with all effects made and thrown away.
"""

from __future__ import annotations

import itertools
import json
import random
import time
from typing import Any

from benchmarks.__main__ import Figure
from benchmarks.peers.audio import quantile
from ringback.effects import Answer
from ringback.events.taskrouter import WorkspaceWriteRequested
from ringback.taskrouter.router import TaskRouter

ACCOUNT, WORKSPACE = "AC" + "1" * 32, "WS" + "1" * 32
QUEUES = 50
WANTED_MS = 5.0
GROWTH = "wanted: grows no faster than the logarithm of the tasks"
ENQUEUE, FREED = "enqueue → reservation", "freed worker → next reservation"
WAIT, LIFE = "enqueue, nobody free", "create → reserve → accept → complete"


def measure(quick: bool) -> list[Figure]:
    """The curve over waiting tasks × workers, and whole lives a second."""
    sizes = (1_000, 10_000) if quick else (1_000, 10_000, 100_000)
    crews = (100, 1_000) if quick else (100, 1_000, 10_000)
    rounds = 300 if quick else 1_500
    figures = []
    for workers in crews:
        centre = Centre(workers)
        found: dict[str, list[list[float]]] = {}
        for tasks in sizes:
            centre.fill(tasks)
            for name, times in centre.times(rounds).items():
                found.setdefault(name, []).append(sorted(times))
        figures += _figures(found, workers, " / ".join(f"{tasks:,}" for tasks in sizes))
    return figures


def _figures(found: dict[str, list[list[float]]], workers: int, sizes: str) -> list[Figure]:
    """``found``: what was measured → for each number of waiting tasks, ascending seconds."""
    figures = []
    for name, curve in found.items():
        where = f"{name}, {workers:,} workers, {sizes} waiting tasks"
        if name == LIFE:
            rates = " / ".join(f"{len(times) / sum(times):.0f}" for times in curve)
            figures.append(Figure(where, rates, "lives/s", "wanted: ≥ 300 /s, and that with SQLite"))
            continue
        for part, against in (
            (0.5, GROWTH),
            (0.99, f"wanted: ≤ {WANTED_MS:.0f} ms at 10,000 tasks, 1,000 workers"),
        ):
            values = " / ".join(f"{1000 * quantile(times, part):.2f}" for times in curve)
            figures.append(Figure(f"{where}: p{100 * part:.0f}", values, "ms", against))
    return figures


class Centre:
    """A workspace of one size, driven by requests as REST makes them."""

    def __init__(self, workers: int) -> None:
        self.random = random.Random(1)
        self.now = 1_800_000_000.0
        self._numbers = itertools.count(1)
        self.taskrouter = TaskRouter(self._sid)
        self._ask("create", "Workspace", WORKSPACE, {"friendly_name": "Bench"})
        self.workspace = self.taskrouter.workspaces[WORKSPACE]
        self.ready = next(one.sid for one in self.workspace.activities.values() if one.available)
        queues = []
        for number in range(QUEUES):
            text = (
                "skills HAS 'reserve'" if number == 0 else f"skills HAS 's{number}' AND level >= {number % 3}"
            )
            values = {"friendly_name": f"Queue {number}", "target_workers": text}
            queues.append(self._ask("create", "TaskQueue", self._sid("WQ"), values).sid)
        filters = [
            {"expression": f"skill == 's{number}'", "targets": [{"queue": queue}]}
            for number, queue in enumerate(queues)
        ]
        values = {
            "friendly_name": "Flow",
            "configuration": json.dumps({"task_routing": {"filters": filters}}),
        }
        self.flow = self._ask("create", "Workflow", self._sid("WW"), values).sid
        self.busy: list[str] = []
        """Reservations that are accepted and can be completed."""
        for number in range(workers):
            self._hire(number)
        for sid, agent in list(self.workspace.workers.items()):
            if "reserve" not in agent.attributes["skills"]:
                task = self._sid("WT")
                self._ask("create", "Task", task, {"attributes": "{}"}, {"RoutingTarget": sid})
                self.busy.append(self._accept(task))
        self.waiting = 0

    def fill(self, tasks: int) -> None:
        """Let so many tasks wait."""
        while self.waiting < tasks:
            self._task(self.random.randrange(1, QUEUES))
            self.waiting += 1

    def times(self, rounds: int) -> dict[str, list[float]]:
        """What is measured → seconds, one each round, at the size that it has now."""
        found: dict[str, list[float]] = {ENQUEUE: [], FREED: [], WAIT: [], LIFE: []}
        for _ in range(rounds):
            start = time.perf_counter()
            task = self._task(0)
            found[ENQUEUE].append(time.perf_counter() - start)
            self._change(self._accept(task), "completed")
            found[LIFE].append(time.perf_counter() - start)
            self._ask("delete", "Task", task)
        while len(found[FREED]) < rounds:
            place = self.random.randrange(len(self.busy))
            reservation = self.busy[place]
            done = self.workspace.reservations[reservation].task_sid
            start = time.perf_counter()
            self._change(reservation, "completed")
            seconds = time.perf_counter() - start
            offered = next(reversed(self.workspace.reservations.values()))
            if offered.reservation_status == "pending":
                found[FREED].append(seconds)
                self.busy[place] = self._accept(offered.task_sid)
            else:  # nobody waited for their skills: they are free now, and stand aside
                self.busy.pop(place)
            self._ask("delete", "Task", done)
            start = time.perf_counter()
            self._task(self.random.randrange(1, QUEUES))
            found[WAIT].append(time.perf_counter() - start)
        return found

    def _hire(self, number: int) -> None:
        skills = (
            ["reserve"] if number % 10 == 0 else [f"s{self.random.randrange(1, QUEUES)}" for _ in range(3)]
        )
        attributes = json.dumps(
            {"skills": skills, "level": self.random.randrange(4), "contact_uri": f"sip:{number}@x"}
        )
        values = {"friendly_name": f"Worker {number}", "attributes": attributes, "activity_sid": self.ready}
        self._ask("create", "Worker", self._sid("WK"), values)

    def _task(self, skill: int) -> str:
        sid = self._sid("WT")
        attributes = json.dumps({"skill": f"s{skill}", "from": f"+1555{self.random.randrange(10**7):07}"})
        values = {"workflow_sid": self.flow, "attributes": attributes, "priority": self.random.randrange(3)}
        self._ask("create", "Task", sid, values)
        return sid

    def _accept(self, task: str) -> str:
        (reservation,) = self.workspace.tasks[task].open
        self._change(reservation, "accepted")
        return reservation

    def _change(self, reservation: str, status: str) -> None:
        self._ask("update", "Reservation", reservation, {}, {"ReservationStatus": status})

    def _ask(self, operation: Any, noun: str, sid: str, values: Any = None, params: Any = None) -> Any:
        self.now += 0.001
        event = WorkspaceWriteRequested(
            workspace_sid=WORKSPACE, account_sid=ACCOUNT, noun=noun, operation=operation, sid=sid, values=values or {},
            params=params or {},
        )  # fmt: skip
        effects = self.taskrouter.handle(event, self.now)
        return next((each.value for each in effects if isinstance(each, Answer)), None)

    def _sid(self, prefix: str) -> str:
        return f"{prefix}{next(self._numbers):032x}"
