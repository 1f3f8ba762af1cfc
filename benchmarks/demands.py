"""Routing when every waiting task demands something else of workers, in the core alone (no store, no network).

One queue, one target with an expression, as many different demands as tasks. Workers are busy and become free one
after the other: the one finds the task that only they can take, at the end of the line; the other finds none. A new
task that nobody can take is compared with the workers who are free.
"""

from __future__ import annotations

import itertools
import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.__main__ import Figure
from benchmarks.peers.audio import quantile
from ringback.effects import Answer
from ringback.events.taskrouter import WorkspaceWriteRequested
from ringback.taskrouter.router import TaskRouter

ACCOUNT, WORKSPACE = "AC" + "1" * 32, "WS" + "1" * 32
WORKERS, FREE = 200, 200
FOUND, NONE, NEW = (
    "freed worker → their task at the end of the line",
    "freed worker, nothing for them",
    "new task that nobody can take",
)


@dataclass(frozen=True, slots=True)
class Demand:
    """An expression, and the attributes with which task ``n`` asks for worker ``n`` (others are for nobody)."""

    expression: str
    worker: Callable[[int], dict[str, Any]]
    task: Callable[[int], dict[str, Any]]


DEMANDS: dict[str, Demand] = {
    "HAS and ==": Demand(
        "worker.languages HAS task.language AND task.customer == worker.favourite",
        lambda n: {"languages": ["en", f"l{n}"], "favourite": "the one"},
        lambda n: {"language": f"l{n}", "customer": "the one"},
    ),
    "IN, the task's list": Demand(
        "worker.code IN task.codes", lambda n: {"code": n}, lambda n: {"codes": [n, n + 0.5]}
    ),
    ">=": Demand(
        "worker.limit >= task.amount", lambda n: {"limit": -n}, lambda n: {"amount": -n if n < WORKERS else n}
    ),
    "CONTAINS (no index)": Demand(
        "worker.codes CONTAINS task.code", lambda n: {"codes": f"<{n}>"}, lambda n: {"code": f"<{n}>"}
    ),
}


def measure(quick: bool) -> list[Figure]:
    """Each demand over the number of waiting tasks."""
    sizes = (1_000, 10_000) if quick else (1_000, 10_000, 100_000)
    figures = []
    for name, demand in DEMANDS.items():
        found: dict[str, list[list[float]]] = {}
        centre = Centre(demand)
        for tasks in sizes:
            centre.fill(tasks)
            for what, times in centre.times(20 if quick else 100).items():
                found.setdefault(what, []).append(sorted(times))
        for what, curve in found.items():
            values = " / ".join(f"{1000 * quantile(times, 0.5):.2f}" for times in curve)
            where = " / ".join(f"{tasks:,}" for tasks in sizes)
            title = f"{name}: {what}, {where} different demands: p50"
            figures.append(Figure(title, values, "ms", "wanted: as the logarithm of the tasks"))
    return figures


class Centre:
    """A workspace whose first workers are busy and whose others are free, and never asked for."""

    def __init__(self, demand: Demand) -> None:
        self.demand = demand
        self.random = random.Random(1)
        self.now = 1_800_000_000.0
        self._numbers = itertools.count(1)
        self.taskrouter = TaskRouter(self._sid)
        self._ask("create", "Workspace", WORKSPACE, {"friendly_name": "Bench"})
        self.workspace = self.taskrouter.workspaces[WORKSPACE]
        ready = next(one.sid for one in self.workspace.activities.values() if one.available)
        queue = self._ask("create", "TaskQueue", self._sid("WQ"), {"friendly_name": "all"}).sid
        routing = {"default_filter": {"queue": queue, "expression": demand.expression}}
        values = {"friendly_name": "Flow", "configuration": json.dumps({"task_routing": routing})}
        self.flow = self._ask("create", "Workflow", self._sid("WW"), values).sid
        self.busy: list[str] = []
        """Reservation that each worker holds."""
        for number in range(WORKERS + FREE):
            busy = number < WORKERS
            attributes = json.dumps(demand.worker(number if busy else -number))
            values = {"friendly_name": f"W{number}", "attributes": attributes, "activity_sid": ready}
            sid = self._ask("create", "Worker", self._sid("WK"), values).sid
            if busy:
                self.busy.append(self._occupied(sid))
        self.numbers = itertools.count(WORKERS)
        self.waiting = 0

    def fill(self, tasks: int) -> None:
        """Let so many tasks wait for nobody."""
        while self.waiting < tasks:
            self._task(next(self.numbers))
            self.waiting += 1

    def times(self, rounds: int) -> dict[str, list[float]]:
        """What is measured → seconds, one each round."""
        found: dict[str, list[float]] = {FOUND: [], NONE: [], NEW: []}
        for _ in range(rounds):
            number = self.random.randrange(WORKERS)
            held = self.workspace.reservations[self.busy[number]]
            mine = self._task(number)
            found[FOUND].append(self._freed(held.sid))
            (offer,) = self.workspace.tasks[mine].open
            self._change(offer, "accepted")
            found[NONE].append(self._freed(offer))
            assert not self.workspace.workers[held.worker_sid].held
            self.busy[number] = self._occupied(held.worker_sid)
            start = time.perf_counter()
            mine = self._task(next(self.numbers))
            found[NEW].append(time.perf_counter() - start)
            self._ask("delete", "Task", mine)
        return found

    def _freed(self, reservation: str) -> float:
        done = self.workspace.reservations[reservation].task_sid
        start = time.perf_counter()
        self._change(reservation, "completed")
        seconds = time.perf_counter() - start
        self._ask("delete", "Task", done)
        return seconds

    def _occupied(self, worker: str) -> str:
        task = self._sid("WT")
        self._ask("create", "Task", task, {"attributes": "{}"}, {"RoutingTarget": worker})
        (reservation,) = self.workspace.tasks[task].open
        self._change(reservation, "accepted")
        return reservation

    def _task(self, number: int) -> str:
        values = {"workflow_sid": self.flow, "attributes": json.dumps(self.demand.task(number))}
        return str(self._ask("create", "Task", self._sid("WT"), values).sid)

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
