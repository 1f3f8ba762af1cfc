"""``GET …/Tasks/{TaskSid}/Explanation`` (issue 3, point 9)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ringback.resources.taskrouter.event import Event
from ringback.store import Condition, Query
from ringback.web.rest.answer import Answer, json_answer
from ringback.web.rest.context import Context
from ringback.web.taskrouter_views.place import head, named, workspace_of
from ringback.web.taskrouter_views.ports import Explain
from ringback.web.taskrouter_views.window import number

MOST_EVENTS = 1000
"""Of the task's events, the newest are shown."""


class ExplanationView:
    """The handler."""

    def __init__(self, workspaces: Mapping[str, Any], explain: Explain) -> None:
        self._workspaces, self._explain = workspaces, explain

    async def __call__(self, ctx: Context) -> Answer:
        """Where the task stands, and every worker (``PageSize``, default 50, and ``Page``), the nearest first."""
        workspace = workspace_of(ctx, self._workspaces)
        sid = named(ctx, workspace.tasks, "TaskSid")
        size, page = number(ctx, "PageSize", 50, 1, 1000), number(ctx, "Page", 0, 0, 10**6)
        conditions = [Condition("task_sid", "=", sid), Condition("account_sid", "=", ctx.account.sid)]
        found = await ctx.store.page(Event, Query(conditions=conditions, limit=MOST_EVENTS))
        body = self._explain(workspace, sid, ctx.now, list(reversed(found.records)), page=page, size=size)
        begin = head(ctx, workspace)
        url, last_page = begin["url"], max(0, (body["total_workers"] - 1) // size)
        meta = {
            "key": "workers", "page": page, "page_size": size, "url": f"{url}?PageSize={size}&Page={page}",
            "first_page_url": f"{url}?PageSize={size}&Page=0",
            "previous_page_url": f"{url}?PageSize={size}&Page={page - 1}" if page else None,
            "next_page_url": f"{url}?PageSize={size}&Page={page + 1}" if page < last_page else None,
        }  # fmt: skip
        return json_answer(200, {**begin, **body, "meta": meta})
