"""Statistics (taskrouter.md §11): of this moment, of a time, and both, for each kind of thing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from ringback.kernel.errors import Refused
from ringback.kernel.sid import is_sid
from ringback.web.rest.answer import Answer, json_answer
from ringback.web.rest.context import Context
from ringback.web.rest.rules import Extra
from ringback.web.taskrouter_views.place import channel, head, last, named, normal, workspace_of
from ringback.web.taskrouter_views.ports import Reading, Statistics
from ringback.web.taskrouter_views.window import number, read_events, thresholds, window

Handler = Callable[[Context], Awaitable[Answer]]
MOST_AT_ONCE = 50
"""Queues of one bulk request."""
LARGEST_PAGE, BIGGEST_NUMBER = 1000, 10**6
_BULK_NAMES = ("queueSids", "QueueSids", "TaskQueueSids", "task_queue_sids")
"""Spellings of the list in the bulk request."""


class StatisticsViews:
    """The handlers."""

    def __init__(self, workspaces: Mapping[str, Any], statistics: Statistics) -> None:
        self._workspaces, self._statistics = workspaces, statistics

    def of(self, kind: str, path: str) -> list[Extra]:
        """The three paths of a workspace, workflow or queue (``kind``)."""
        views = (
            ("RealTimeStatistics", self.realtime),
            ("CumulativeStatistics", self.cumulative),
            ("Statistics", self.both),
        )
        return [Extra(f"{path}/{name}", {"GET": "fetch"}, view(kind)) for name, view in views]

    # --- workspace, workflow, queue -----------------------------------------------------------------------------

    def realtime(self, kind: str) -> Handler:
        """``…/RealTimeStatistics``."""

        async def handler(ctx: Context) -> Answer:
            workspace, sid, names = self._place(ctx, kind)
            return json_answer(200, names | self._now(ctx, workspace, kind, sid))

        return handler

    def cumulative(self, kind: str) -> Handler:
        """``…/CumulativeStatistics``."""

        async def handler(ctx: Context) -> Answer:
            workspace, sid, names = self._place(ctx, kind)
            return json_answer(200, names | await self._past(ctx, workspace, kind, sid))

        return handler

    def both(self, kind: str) -> Handler:
        """``…/Statistics``."""

        async def handler(ctx: Context) -> Answer:
            workspace, sid, names = self._place(ctx, kind)
            past = await self._past(ctx, workspace, kind, sid)
            return json_answer(
                200, {**names, "realtime": self._now(ctx, workspace, kind, sid), "cumulative": past}
            )

        return handler

    def _place(self, ctx: Context, kind: str) -> tuple[Any, str, dict[str, Any]]:
        """The workspace, the SID of the thing in it, and what the answer begins with."""
        workspace = workspace_of(ctx, self._workspaces)
        names = head(ctx, workspace)
        if kind == "workflow":
            names["workflow_sid"] = named(ctx, workspace.workflows, "WorkflowSid")
            return workspace, names["workflow_sid"], names
        if kind == "queue":
            names["task_queue_sid"] = named(ctx, workspace.queues, "TaskQueueSid")
            return workspace, names["task_queue_sid"], names
        return workspace, "", names

    def _now(self, ctx: Context, workspace: Any, kind: str, sid: str) -> dict[str, Any]:
        return self._statistics.now_of(workspace, kind, sid, channel(ctx, workspace), ctx.now)

    async def _past(self, ctx: Context, workspace: Any, kind: str, sid: str) -> Any:
        start, end = window(ctx)
        if kind == "queue":
            found = self._statistics.past_of_queues(
                [sid], channel(ctx, workspace), start, end, thresholds(ctx)
            )
            return (await self._read(ctx, workspace, found, start, end))[sid]
        found = self._statistics.past_of(kind, sid, channel(ctx, workspace), start, end, thresholds(ctx))
        return await self._read(ctx, workspace, found, start, end)

    async def _read(self, ctx: Context, workspace: Any, reading: Reading, start: float, end: float) -> Any:
        sid = workspace.record.sid
        for wanted in reading.wanted:
            until = ctx.now + 1.0 if wanted.until_now else end
            await read_events(ctx, sid, wanted.types, start, until, reading.add, wanted.equals)
        return reading.body()

    # --- many queues ----------------------------------------------------------------------------------------------

    async def queues(self, ctx: Context) -> Answer:
        """``GET /TaskQueues/Statistics``: a page of queues, oldest first, all counted in one reading."""
        workspace = workspace_of(ctx, self._workspaces)
        name, channel_sid = last(ctx, "FriendlyName"), channel(ctx, workspace)
        size = number(ctx, "PageSize", 50, 1, LARGEST_PAGE)
        page = number(ctx, "Page", 0, 0, BIGGEST_NUMBER)
        matching = [
            sid for sid, queue in workspace.queues.items() if name in ("", queue.record.friendly_name)
        ]
        token = last(ctx, "PageToken")
        first = _after(matching, token) if token else 0
        shown = matching[first : first + size]
        start, end = window(ctx)
        found = self._statistics.past_of_queues(shown, channel_sid, start, end, thresholds(ctx))
        past = await self._read(ctx, workspace, found, start, end) if shown else {}
        names = head(ctx, workspace)
        items = [
            {
                "account_sid": ctx.account.sid, "workspace_sid": workspace.record.sid, "task_queue_sid": sid,
                "friendly_name": workspace.queues[sid].record.friendly_name,
                "realtime": self._statistics.now_of(workspace, "queue", sid, channel_sid, ctx.now),
                "cumulative": past[sid],
            }
            for sid in shown
            if sid in workspace.queues
        ]  # fmt: skip
        more = first + size < len(matching)
        meta = {
            "page": page, "page_size": size, "key": "task_queues_statistics",
            "first_page_url": _page(ctx, names["url"], size, 0, ""),
            "previous_page_url": _page(ctx, names["url"], size, max(0, page - 1), _before(matching, first, size))
            if first
            else None,
            "url": _page(ctx, names["url"], size, page, token),
            "next_page_url": _page(ctx, names["url"], size, page + 1, "PA" + shown[-1]) if more else None,
        }  # fmt: skip
        return json_answer(200, {"meta": meta, "task_queues_statistics": items})

    async def bulk(self, ctx: Context) -> Answer:
        """``POST /TaskQueues/RealTimeStatistics``: up to 50 queues; those that are not here are all zeros."""
        workspace = workspace_of(ctx, self._workspaces)
        sids = [normal(value) for name in _BULK_NAMES for value in ctx.params.get(name, ())]
        if not 1 <= len(sids) <= MOST_AT_ONCE:
            raise Refused(20001, f"queueSids must name 1 to {MOST_AT_ONCE} task queues", 400)
        for sid in sids:
            if not is_sid(sid, "WQ"):
                raise Refused(20001, f"{sid[:64]!r} is not the SID of a task queue", 400)
        channel_sid = channel(ctx, workspace)
        data = []
        for sid in sids:
            known = sid in workspace.queues
            now = self._statistics.now_of(workspace, "queue", sid, channel_sid, ctx.now) if known else None
            data.append({"task_queue_sid": sid, **(now or self._statistics.empty_queue())})
        answer = {**head(ctx, workspace), "task_queue_data": data, "task_queue_response_count": len(data)}
        return json_answer(200, answer)

    # --- workers ----------------------------------------------------------------------------------------------------

    async def workers_realtime(self, ctx: Context) -> Answer:
        """``/Workers/RealTimeStatistics``."""
        workspace = workspace_of(ctx, self._workspaces)
        channel(ctx, workspace)  # checked; every worker has every channel
        return json_answer(
            200,
            head(ctx, workspace) | self._statistics.workers_now(workspace, self._filtered(ctx, workspace)),
        )

    async def workers_cumulative(self, ctx: Context) -> Answer:
        """``/Workers/CumulativeStatistics``."""
        workspace = workspace_of(ctx, self._workspaces)
        return json_answer(
            200, head(ctx, workspace) | await self._worked(ctx, workspace, self._filtered(ctx, workspace))
        )

    async def workers_both(self, ctx: Context) -> Answer:
        """``/Workers/Statistics``."""
        workspace = workspace_of(ctx, self._workspaces)
        sids = self._filtered(ctx, workspace)
        past = await self._worked(ctx, workspace, sids)
        realtime = self._statistics.workers_now(workspace, sids)
        return json_answer(200, {**head(ctx, workspace), "realtime": realtime, "cumulative": past})

    async def worker(self, ctx: Context) -> Answer:
        """``/Workers/{WK}/Statistics``: cumulative only."""
        workspace = workspace_of(ctx, self._workspaces)
        sid = named(ctx, workspace.workers, "WorkerSid")
        past = await self._worked(ctx, workspace, [sid])
        return json_answer(200, {**head(ctx, workspace), "worker_sid": sid, "cumulative": past})

    def _filtered(self, ctx: Context, workspace: Any) -> list[str] | None:
        queue_sid = last(ctx, "TaskQueueSid")
        return self._statistics.select_workers(
            workspace,
            queue_sid=normal(queue_sid),
            queue_name=last(ctx, "TaskQueueName"),
            name=last(ctx, "FriendlyName"),
        )

    async def _worked(self, ctx: Context, workspace: Any, sids: Sequence[str] | None) -> Any:
        start, end = window(ctx)
        found = self._statistics.past_of_workers(
            workspace, sids, channel(ctx, workspace), start, end, ctx.now
        )
        return await self._read(ctx, workspace, found, start, end)


def _after(sids: Sequence[str], token: str) -> int:
    """The index after the queue that a token names; raises 20001. A queue that has gone: the end of the list."""
    if not (token[:2] == "PA" and is_sid(token[2:], "WQ")):
        raise Refused(20001, "Invalid PageToken", 400)
    sid = normal(token[2:])
    return sids.index(sid) + 1 if sid in sids else len(sids)


def _before(sids: Sequence[str], first: int, size: int) -> str:
    return "PA" + sids[first - size - 1] if first > size else ""


def _page(ctx: Context, url: str, size: int, page: int, token: str) -> str:
    kept = [
        (name, value)
        for name, values in ctx.params.items()
        if name not in ("PageSize", "Page", "PageToken")
        for value in values
    ]
    query = [*kept, ("PageSize", str(size)), ("Page", str(page)), *([("PageToken", token)] if token else [])]
    return f"{url}?{urlencode(query, quote_via=quote)}"
