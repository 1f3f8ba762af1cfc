"""Where task queues are read (taskrouter.md §2.4)."""

from __future__ import annotations

from ringback.resources.taskrouter.task_queue import TaskQueue
from ringback.store import Page, Query
from ringback.web.rest.context import Context
from ringback.web.taskrouter.filters import Test, declared, given, json_object
from ringback.web.taskrouter.selection import Selection, page_of, read_ordering
from ringback.web.taskrouter.workspaces import LiveTaskQueue, TaskRouter, normal, workspace_of

ORDERINGS = {"DateUpdated": "date_updated"}


class TaskQueueSource:
    """The workspace's queues, oldest first."""

    def __init__(self, taskrouter: TaskRouter) -> None:
        self._taskrouter = taskrouter

    async def page(self, ctx: Context, query: Query) -> Page:
        """A part of the list. Filters: FriendlyName, WorkerSid, EvaluateWorkerAttributes; Ordering."""
        workspace, params = workspace_of(self._taskrouter, ctx), ctx.params
        tests = declared(query)
        worker_sid = given(params, "WorkerSid")
        if worker_sid:
            worker = workspace.workers.get(normal(worker_sid))
            served = worker.queues if worker is not None else ()
            tests.append(lambda queue: queue.record.sid in served)
        attributes = json_object(params, "EvaluateWorkerAttributes")
        if attributes is not None:
            tests.append(_serves(attributes))
        key = read_ordering(given(params, "Ordering"), ORDERINGS)
        entries = sorted(
            workspace.queues.values(), key=lambda queue: (queue.record.date_created, queue.record.sid)
        )
        chosen: Selection[LiveTaskQueue] = Selection(
            entries=entries,
            record=lambda queue: queue.record,
            find=workspace.queues.get,
            tests=tests,
            key=key,
        )
        return await page_of(chosen, query)

    async def fetch(self, ctx: Context, sid: str) -> TaskQueue | None:
        """By SID."""
        queue = workspace_of(self._taskrouter, ctx).queues.get(normal(sid))
        return queue.record if queue is not None else None


def _serves(attributes: dict[str, object]) -> Test:
    return lambda queue: queue.expression(attributes, {}, {})
