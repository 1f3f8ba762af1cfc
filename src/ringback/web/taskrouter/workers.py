"""Where workers and their channels are read (taskrouter.md §2.3, §2.6)."""

from __future__ import annotations

from collections.abc import Iterable

from ringback.resources.taskrouter.worker import Worker
from ringback.resources.taskrouter.worker_channel import WorkerChannel
from ringback.store import Page, Query
from ringback.web.rest.context import Context
from ringback.web.taskrouter.filters import Test, declared, expression, flag, given, named
from ringback.web.taskrouter.selection import Selection, identity, in_order, page_of, read_ordering
from ringback.web.taskrouter.workspaces import (
    Compile,
    Expression,
    LiveWorker,
    LiveWorkspace,
    TaskRouter,
    normal,
    workspace_of,
)

ORDERINGS = {"DateStatusChanged": "date_status_changed"}


class WorkerSource:
    """The workspace's workers, oldest first."""

    def __init__(self, taskrouter: TaskRouter, compile_expression: Compile) -> None:
        self._taskrouter, self._compile = taskrouter, compile_expression

    async def page(self, ctx: Context, query: Query) -> Page:
        """A part of the list, with every filter of §2.3 and Ordering. Names of workers are compared without case."""
        workspace, params = workspace_of(self._taskrouter, ctx), ctx.params
        entries: Iterable[LiveWorker] = workspace.workers.values()
        name = given(params, "FriendlyName")
        if name:
            sid = workspace.worker_names.get(name.lower(), "")
            entries = [workspace.workers[sid]] if sid in workspace.workers else []
        tests = [*declared(query, without=("friendly_name",)), *_by_activity(ctx), *_by_queue(ctx, workspace)]
        wanted = expression(self._compile, params, "TargetWorkersExpression", "worker")
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

    async def fetch(self, ctx: Context, sid: str) -> Worker | None:
        """By SID."""
        worker = workspace_of(self._taskrouter, ctx).workers.get(normal(sid))
        return worker.record if worker is not None else None


class WorkerChannelSource:
    """A worker's channels."""

    def __init__(self, taskrouter: TaskRouter) -> None:
        self._taskrouter = taskrouter

    async def page(self, ctx: Context, query: Query) -> Page:
        """A part of the list."""
        found = {one.sid: one for one in self._of(ctx)}
        entries = in_order(found.values())
        return await page_of(Selection(entries=entries, record=identity, find=found.get), query)

    async def fetch(self, ctx: Context, sid: str) -> WorkerChannel | None:
        """By its own SID, or by the task channel's SID or unique name."""
        word = normal(sid)
        for one in self._of(ctx):
            if word in (one.sid, one.task_channel_sid, one.task_channel_unique_name):
                return one
        return None

    def _of(self, ctx: Context) -> list[WorkerChannel]:
        worker = workspace_of(self._taskrouter, ctx).workers.get(normal(ctx.args["WorkerSid"]))
        return list(worker.channels.values()) if worker is not None else []


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
