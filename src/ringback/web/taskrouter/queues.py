"""Where task queues are read (taskrouter.md §2.4)."""

from __future__ import annotations

from ringback.resources.taskrouter.task_queue import TaskQueue
from ringback.store import Page, Query
from ringback.web.rest.context import Context
from ringback.web.taskrouter.filters import Test, declared, given, json_object
from ringback.web.taskrouter.floors import Floors, Pool, floor_of, normal
from ringback.web.taskrouter.selection import Selection, page_of, read_ordering

ORDERINGS = {"DateUpdated": "date_updated"}


class TaskQueueSource:
    """The workspace's queues, oldest first."""

    def __init__(self, desk: Floors) -> None:
        self._desk = desk

    async def page(self, ctx: Context, query: Query) -> Page:
        """A part of the list. Filters: FriendlyName, WorkerSid, EvaluateWorkerAttributes; Ordering."""
        floor, params = floor_of(self._desk, ctx), ctx.params
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

    async def fetch(self, ctx: Context, sid: str) -> TaskQueue | None:
        """By SID."""
        pool = floor_of(self._desk, ctx).queues.get(normal(sid))
        return pool.record if pool is not None else None


def _serves(attributes: dict[str, object]) -> Test:
    return lambda pool: pool.expression(attributes, {}, {})
