"""Workers: where they are read (taskrouter.md §2.3), and their statistics (§11)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ringback.effects import Save
from ringback.kernel.resource import Operation
from ringback.resources.taskrouter.worker import Worker
from ringback.store import Page, Query
from ringback.web.rest.context import Context
from ringback.web.rest.rules import Extra
from ringback.web.taskrouter.filters import Test, declared, expression, flag, given, named
from ringback.web.taskrouter.selection import Selection, page_of, read_ordering
from ringback.web.taskrouter.workspaces import Expression, LiveWorker, LiveWorkspace, normal, workspace_of
from ringback.web.taskrouter.writes import TaskRouterRules
from ringback.web.taskrouter_views.statistics import StatisticsViews

ORDERINGS = {"DateStatusChanged": "date_status_changed"}
_PERSON = ("friendly_name", "attributes")
_ROOT, _GET = "/v1/Workspaces/{WorkspaceSid}", {"GET": "fetch"}


class WorkerRules(TaskRouterRules):
    """The workspace's workers, oldest first."""

    noun = Worker

    @property
    def extras(self) -> Sequence[Extra]:
        """Statistics of all, and of one."""
        path, views = (
            f"{_ROOT}/Workers",
            StatisticsViews(self.ports.taskrouter.workspaces, self.ports.statistics),
        )
        return [
            Extra(f"{path}/RealTimeStatistics", _GET, views.workers_realtime),
            Extra(f"{path}/CumulativeStatistics", _GET, views.workers_cumulative),
            Extra(f"{path}/Statistics", _GET, views.workers_both),
            Extra(f"{path}/{{WorkerSid}}/Statistics", _GET, views.worker),
        ]

    def told(self, ctx: Context, operation: Operation, before: Any, after: Any) -> list[Save]:
        """Who they are and what they can do; not what they are doing, which TaskRouter's own events tell."""
        if operation == "update" and all(getattr(before, name) == getattr(after, name) for name in _PERSON):
            return []
        return super().told(ctx, operation, before, after)

    async def page(self, ctx: Context, query: Query) -> Page:
        """A part of the list, with every filter of §2.3 and Ordering. Names of workers are compared without case."""
        workspace, params = workspace_of(self.ports.taskrouter, ctx), ctx.params
        entries: Iterable[LiveWorker] = workspace.workers.values()
        name = given(params, "FriendlyName")
        if name:
            sid = workspace.worker_names.get(name.lower(), "")
            entries = [workspace.workers[sid]] if sid in workspace.workers else []
        tests = [*declared(query, without=("friendly_name",)), *_by_activity(ctx), *_by_queue(ctx, workspace)]
        wanted = expression(self.ports.compile_expression, params, "TargetWorkersExpression", "worker")
        if wanted is not None:
            tests.append(_fits(wanted))
        key = read_ordering(given(params, "Ordering"), ORDERINGS)
        chosen = Selection(
            entries=entries,
            record=lambda worker: worker.record,
            find=workspace.workers.get,
            tests=tests,
            key=key,
        )
        return await page_of(chosen, query)

    async def fetch(self, ctx: Context, word: str) -> Worker | None:
        """By SID."""
        worker = workspace_of(self.ports.taskrouter, ctx).workers.get(normal(word))
        return worker.record if worker is not None else None


def _by_activity(ctx: Context) -> list[Test]:
    tests: list[Test] = []
    name, sid = given(ctx.params, "ActivityName"), normal(given(ctx.params, "ActivitySid"))
    available = flag(ctx.params, "Available")
    if name:
        tests.append(lambda worker: worker.record.activity_name == name)
    if sid:
        tests.append(lambda worker: worker.record.activity_sid == sid)
    if available is not None:
        tests.append(lambda worker: worker.record.available is available)
    return tests


def _by_queue(ctx: Context, workspace: LiveWorkspace) -> list[Test]:
    tests: list[Test] = []
    name, sid = given(ctx.params, "TaskQueueName"), normal(given(ctx.params, "TaskQueueSid"))
    if sid:
        tests.append(lambda worker: sid in worker.queues)
    if name:
        queues = named(workspace.queues, name)
        tests.append(lambda worker: not queues.isdisjoint(worker.queues))
    return tests


def _fits(wanted: Expression) -> Test:
    return lambda worker: wanted(worker.attributes, {}, {})
