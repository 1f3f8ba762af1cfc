"""Task queues: where they are read (taskrouter.md §2.4), and their statistics (§11)."""

from __future__ import annotations

from collections.abc import Sequence

from ringback.resources.taskrouter.task_queue import TaskQueue
from ringback.store import Page, Query
from ringback.web.rest.context import Context
from ringback.web.rest.rules import Extra
from ringback.web.taskrouter.filters import Test, declared, given, json_object
from ringback.web.taskrouter.floors import Pool, floor_of, normal
from ringback.web.taskrouter.live import DeskRules
from ringback.web.taskrouter.selection import Selection, page_of, read_ordering
from ringback.web.taskrouter_views.statistics import StatisticsViews

ORDERINGS = {"DateUpdated": "date_updated"}


class TaskQueueRules(DeskRules):
    """The workspace's queues, oldest first."""

    noun = TaskQueue

    @property
    def extras(self) -> Sequence[Extra]:
        """Statistics of one queue, and of many."""
        root, views = (
            "/v1/Workspaces/{WorkspaceSid}",
            StatisticsViews(self.ports.desk.floors, self.ports.statistics),
        )
        return [
            *views.of("queue", f"{root}/TaskQueues/{{TaskQueueSid}}"),
            Extra(f"{root}/TaskQueues/Statistics", {"GET": "fetch"}, views.queues),
            Extra(f"{root}/TaskQueues/RealTimeStatistics", {"POST": "run"}, views.bulk),
        ]

    async def page(self, ctx: Context, query: Query) -> Page:
        """A part of the list. Filters: FriendlyName, WorkerSid, EvaluateWorkerAttributes; Ordering."""
        floor, params = floor_of(self.ports.desk, ctx), ctx.params
        tests = declared(query)
        worker_sid = given(params, "WorkerSid")
        if worker_sid:
            agent = floor.workers.get(normal(worker_sid))
            served = agent.queues if agent is not None else ()
            tests.append(lambda pool: pool.record.sid in served)
        attributes = json_object(params, "EvaluateWorkerAttributes")
        if attributes is not None:
            tests.append(_serves(attributes))
        key = read_ordering(given(params, "Ordering"), ORDERINGS)
        entries = sorted(floor.queues.values(), key=lambda pool: (pool.record.date_created, pool.record.sid))
        chosen: Selection[Pool] = Selection(
            entries=entries, record=lambda pool: pool.record, find=floor.queues.get, tests=tests, key=key
        )
        return await page_of(chosen, query)

    async def fetch(self, ctx: Context, word: str) -> TaskQueue | None:
        """By SID."""
        pool = floor_of(self.ports.desk, ctx).queues.get(normal(word))
        return pool.record if pool is not None else None


def _serves(attributes: dict[str, object]) -> Test:
    return lambda pool: pool.expression(attributes, {}, {})
