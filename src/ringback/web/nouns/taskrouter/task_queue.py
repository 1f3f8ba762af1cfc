"""Task queues: where they are read (taskrouter.md §2.4), and their statistics (§11)."""

from __future__ import annotations

from collections.abc import Sequence

from ringback.resources.taskrouter.task_queue import TaskQueue
from ringback.store import Page, Query
from ringback.web.rest.context import Context
from ringback.web.rest.rules import Extra
from ringback.web.taskrouter.filters import Test, declared, given, json_object
from ringback.web.taskrouter.selection import Selection, page_of, read_ordering
from ringback.web.taskrouter.workspaces import LiveTaskQueue, normal, workspace_of
from ringback.web.taskrouter.writes import TaskRouterRules
from ringback.web.taskrouter_views.statistics import BULK, WINDOW, StatisticsViews

ORDERINGS = {"DateUpdated": "date_updated"}


class TaskQueueRules(TaskRouterRules):
    """The workspace's queues, oldest first."""

    noun = TaskQueue

    @property
    def extras(self) -> Sequence[Extra]:
        """Statistics of one queue, and of many."""
        root, views = (
            "/v1/Workspaces/{WorkspaceSid}",
            StatisticsViews(self.ports.taskrouter.workspaces, self.ports.statistics),
        )
        return [
            *views.of("queue", f"{root}/TaskQueues/{{TaskQueueSid}}"),
            Extra(f"{root}/TaskQueues/Statistics", {"GET": "fetch"}, views.queues, takes=WINDOW),
            Extra(f"{root}/TaskQueues/RealTimeStatistics", {"POST": "run"}, views.bulk, takes=BULK),
        ]

    async def page(self, ctx: Context, query: Query) -> Page:
        """A part of the list. Filters: FriendlyName, WorkerSid, EvaluateWorkerAttributes; Ordering."""
        workspace, params = workspace_of(self.ports.taskrouter, ctx), ctx.params
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

    async def fetch(self, ctx: Context, word: str) -> TaskQueue | None:
        """By SID."""
        queue = workspace_of(self.ports.taskrouter, ctx).queues.get(normal(word))
        return queue.record if queue is not None else None


def _serves(attributes: dict[str, object]) -> Test:
    return lambda queue: queue.expression(attributes, {}, {})
