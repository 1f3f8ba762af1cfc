"""Tasks: where they are read (taskrouter.md §2.7), what explains them, and opting out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from ringback.resources.taskrouter.task import Task
from ringback.store import Page, Query
from ringback.web.rest.context import Context
from ringback.web.rest.rules import Extra
from ringback.web.taskrouter.filters import Test, declared, expression, flag, given, named, several
from ringback.web.taskrouter.selection import Selection, page_of, read_ordering
from ringback.web.taskrouter.workspaces import Expression, LiveTask, LiveWorkspace, normal, workspace_of
from ringback.web.taskrouter.writes import TaskRouterRules
from ringback.web.taskrouter_views.explanation import ExplanationView
from ringback.web.taskrouter_views.opt_out import OptOutView

STATUSES = ("pending", "reserved", "assigned", "wrapping", "completed", "canceled")
ORDERINGS = {
    "DateCreated": "date_created",
    "Priority": "priority",
    "VirtualStartTime": "virtual_start_time",
}
ONE_CALL = re.compile(r"""\s*call_sid\s*==?\s*(?:'([^'\\]{0,200})'|"([^"\\]{0,200})")\s*\Z""")
"""``call_sid == 'CA…'`` and nothing else: what waiting callers are found by, each with a text of their own. It is
answered from the index without being compiled, which would be 40 % of the request."""
APART = frozenset({"DateCreated", "VirtualStartTime"})


class TaskRules(TaskRouterRules):
    """The workspace's tasks, oldest first."""

    noun = Task
    audited = frozenset()

    @property
    def extras(self) -> Sequence[Extra]:
        """Where it stands; the caller who would rather be called back."""
        path, workspaces = "/v1/Workspaces/{WorkspaceSid}/Tasks/{TaskSid}", self.ports.taskrouter.workspaces
        opt_out = OptOutView(workspaces, self.ports.ask, self.ports.new_sid, self.decorate)
        return [
            Extra(f"{path}/Explanation", {"GET": "fetch"}, ExplanationView(workspaces, self.ports.explain)),
            Extra(f"{path}/OptOut", {"POST": "run"}, opt_out),
        ]

    def decorate(self, ctx: Context, record: Any, body: dict[str, Any], *, created: bool) -> None:
        """The age is counted when it is shown: whole seconds since the task was created."""
        body["age"] = max(0, int(ctx.now - record.date_created))

    async def page(self, ctx: Context, query: Query) -> Page:
        """A part of the list, with every filter of §2.7 and Ordering.

        An ``EvaluateTaskAttributes`` that demands one value of ``call_sid`` looks at the tasks of that call alone.
        """
        workspace, params = workspace_of(self.ports.taskrouter, ctx), ctx.params
        tests = [*declared(query, without=("assignment_status",)), *_by_name(ctx, workspace)]
        statuses = several(params, "AssignmentStatus", STATUSES)
        if statuses:
            tests.append(lambda task: task.record.assignment_status in statuses)
        addons = flag(params, "HasAddons")
        if addons is not None:
            tests.append(lambda task: (task.record.addons not in ("", "{}")) is addons)
        entries: Iterable[LiveTask] = workspace.tasks.values()
        one_call = ONE_CALL.match(given(params, "EvaluateTaskAttributes"))
        if one_call is not None:
            entries = _of_call(workspace, one_call[1] if one_call[2] is None else one_call[2])
        else:
            wanted = expression(self.ports.compile_expression, params, "EvaluateTaskAttributes", "task")
            if wanted is not None:
                tests.append(_says(wanted))
                for path, value in wanted.constants:
                    if path == "call_sid" and isinstance(value, str):
                        entries = _of_call(workspace, value)
        key = read_ordering(given(params, "Ordering"), ORDERINGS, APART)
        if given(params, "Ordering").strip().lower() in ("datecreated:asc", "datecreated"):
            key = None  # the order in which they are kept
        chosen = Selection(
            entries=entries, record=lambda task: task.record, find=workspace.tasks.get, tests=tests, key=key
        )
        return await page_of(chosen, query)

    async def fetch(self, ctx: Context, word: str) -> Task | None:
        """By SID."""
        task = workspace_of(self.ports.taskrouter, ctx).tasks.get(normal(word))
        return task.record if task is not None else None


def _of_call(workspace: LiveWorkspace, call_sid: str) -> list[LiveTask]:
    """The tasks that name a call in their attributes, oldest first."""
    found = [
        workspace.tasks[sid] for sid in workspace.tasks_naming.get(call_sid, ()) if sid in workspace.tasks
    ]
    return sorted(found, key=lambda task: (task.record.date_created, task.record.sid))


def _by_name(ctx: Context, workspace: LiveWorkspace) -> list[Test]:
    tests: list[Test] = []
    workflow, queue = given(ctx.params, "WorkflowName"), given(ctx.params, "TaskQueueName")
    if workflow:
        workflows = named(workspace.workflows, workflow)
        tests.append(lambda task: task.record.workflow_sid in workflows)
    if queue:
        queues = named(workspace.queues, queue)
        tests.append(lambda task: task.record.task_queue_sid in queues)
    word = normal(given(ctx.params, "TaskChannel"))
    if word:
        channel = workspace.channel_names.get(word, word)
        tests.append(lambda task: task.record.task_channel_sid == channel)
    return tests


def _says(wanted: Expression) -> Test:
    return lambda task: wanted({}, task.attributes, {})
