"""``POST …/Tasks/{TaskSid}/OptOut``: a waiting caller's task becomes a callback or voicemail task, in one commit.

An extension of ours (issue 4, point 3). Parameters: those of creating a task (``Attributes``, ``WorkflowSid``,
``TaskChannel``, ``Priority``, ``Timeout``, ``VirtualStartTime``; what is missing is inherited), ``Reason`` for the
cancellation, ``Source`` (a call or recording SID; default the task's call). Answer: 201 and the new task.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ringback.events import Event
from ringback.events.taskrouter import Actor, WorkspaceWriteRequested
from ringback.resources.taskrouter.task import Task
from ringback.web.rest.answer import Answer, json_answer
from ringback.web.rest.context import Context
from ringback.web.rest.generic import etag
from ringback.web.rest.render import View
from ringback.web.taskrouter.reading import read
from ringback.web.taskrouter_views.place import named, workspace_of

TAKES = {
    "Source": "Required. SID of the call or recording: the same source gives the same task.",
    "Reason": "Why the waiting task is canceled.",
}
"""Its parameters, for their documentation; besides, those of a task's creation."""


class OptOutView:
    """The handler."""

    def __init__(
        self,
        workspaces: Mapping[str, Any],
        ask: Callable[[Event], Awaitable[Any]],
        new_sid: Callable[[str], str],
        decorate: Callable[..., None],
    ) -> None:
        """``decorate``: the rule of tasks (web/rest/rules.py)."""
        self._workspaces, self._ask, self._new_sid, self._decorate = workspaces, ask, new_sid, decorate

    async def __call__(self, ctx: Context) -> Answer:
        """Hand it to the workspace's lane. Raises ``Refused`` 20001 when an agent was first, 20404."""
        workspace = workspace_of(ctx, self._workspaces)
        task_sid = named(ctx, workspace.tasks, "TaskSid")
        values, rest = read(Task.__noun__, "create", ctx.params)
        client = ctx.scope.get("client") if ctx.scope is not None else None
        record = await self._ask(
            WorkspaceWriteRequested(
                workspace_sid=workspace.record.sid, account_sid=ctx.account.sid, noun="OptOut", operation="create",
                sid=self._new_sid("WT"), values=values, params={**rest, "TaskSid": task_sid},
                actor=Actor(type="account", sid=ctx.account.sid, source="API", ip=client[0] if client else ""),
            )
        )  # fmt: skip
        place = Task.__noun__.places[0]
        view = View(Task.__noun__, place, ctx.services.settings.public_url)
        body = view.body(record, {"WorkspaceSid": workspace.record.sid})
        self._decorate(ctx, record, body, created=True)
        answer = json_answer(201, body)
        answer.headers.append((b"etag", etag(record).encode()))
        return answer
