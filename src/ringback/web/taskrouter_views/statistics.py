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
from ringback.web.taskrouter_views.place import channel, floor_of, head, last, named, normal
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

    def __init__(self, floors: Mapping[str, Any], statistics: Statistics) -> None:
        self._floors, self._statistics = floors, statistics

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
            floor, sid, names = self._place(ctx, kind)
            return json_answer(200, names | self._now(ctx, floor, kind, sid))

        return handler

    def cumulative(self, kind: str) -> Handler:
        """``…/CumulativeStatistics``."""

        async def handler(ctx: Context) -> Answer:
            floor, sid, names = self._place(ctx, kind)
            return json_answer(200, names | await self._past(ctx, floor, kind, sid))

        return handler

    def both(self, kind: str) -> Handler:
        """``…/Statistics``."""

        async def handler(ctx: Context) -> Answer:
            floor, sid, names = self._place(ctx, kind)
            past = await self._past(ctx, floor, kind, sid)
            return json_answer(
                200, {**names, "realtime": self._now(ctx, floor, kind, sid), "cumulative": past}
            )

        return handler

    def _place(self, ctx: Context, kind: str) -> tuple[Any, str, dict[str, Any]]:
        """The workspace, the SID of the thing in it, and what the answer begins with."""
        floor = floor_of(ctx, self._floors)
        names = head(ctx, floor)
        if kind == "workflow":
            names["workflow_sid"] = named(ctx, floor.workflows, "WorkflowSid")
            return floor, names["workflow_sid"], names
        if kind == "queue":
            names["task_queue_sid"] = named(ctx, floor.queues, "TaskQueueSid")
            return floor, names["task_queue_sid"], names
        return floor, "", names

    def _now(self, ctx: Context, floor: Any, kind: str, sid: str) -> dict[str, Any]:
        return self._statistics.now_of(floor, kind, sid, channel(ctx, floor), ctx.now)

    async def _past(self, ctx: Context, floor: Any, kind: str, sid: str) -> Any:
        start, end = window(ctx)
        if kind == "queue":
            found = self._statistics.past_of_queues([sid], channel(ctx, floor), start, end, thresholds(ctx))
            return (await self._read(ctx, floor, found, start, end))[sid]
        found = self._statistics.past_of(kind, sid, channel(ctx, floor), start, end, thresholds(ctx))
        return await self._read(ctx, floor, found, start, end)

    async def _read(self, ctx: Context, floor: Any, reading: Reading, start: float, end: float) -> Any:
        sid = floor.workspace.sid
        for wanted in reading.wanted:
            until = ctx.now + 1.0 if wanted.until_now else end
            await read_events(ctx, sid, wanted.types, start, until, reading.add, wanted.equals)
        return reading.body()

    # --- many queues ----------------------------------------------------------------------------------------------

    async def queues(self, ctx: Context) -> Answer:
        """``GET /TaskQueues/Statistics``: a page of queues, oldest first, all counted in one reading."""
        floor = floor_of(ctx, self._floors)
        name, channel_sid = last(ctx, "FriendlyName"), channel(ctx, floor)
        size = number(ctx, "PageSize", 50, 1, LARGEST_PAGE)
        page = number(ctx, "Page", 0, 0, BIGGEST_NUMBER)
        matching = [sid for sid, pool in floor.queues.items() if name in ("", pool.record.friendly_name)]
        token = last(ctx, "PageToken")
        first = _after(matching, token) if token else 0
        shown = matching[first : first + size]
        start, end = window(ctx)
        found = self._statistics.past_of_queues(shown, channel_sid, start, end, thresholds(ctx))
        past = await self._read(ctx, floor, found, start, end) if shown else {}
        names = head(ctx, floor)
        items = [
            {
                "account_sid": ctx.account.sid, "workspace_sid": floor.workspace.sid, "task_queue_sid": sid,
                "friendly_name": floor.queues[sid].record.friendly_name,
                "realtime": self._statistics.now_of(floor, "queue", sid, channel_sid, ctx.now),
                "cumulative": past[sid],
            }
            for sid in shown
            if sid in floor.queues
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
        floor = floor_of(ctx, self._floors)
        sids = [normal(value) for name in _BULK_NAMES for value in ctx.params.get(name, ())]
        if not 1 <= len(sids) <= MOST_AT_ONCE:
            raise Refused(20001, f"queueSids must name 1 to {MOST_AT_ONCE} task queues", 400)
        for sid in sids:
            if not is_sid(sid, "WQ"):
                raise Refused(20001, f"{sid[:64]!r} is not the SID of a task queue", 400)
        channel_sid = channel(ctx, floor)
        data = []
        for sid in sids:
            known = sid in floor.queues
            now = self._statistics.now_of(floor, "queue", sid, channel_sid, ctx.now) if known else None
            data.append({"task_queue_sid": sid, **(now or self._statistics.empty_queue())})
        answer = {**head(ctx, floor), "task_queue_data": data, "task_queue_response_count": len(data)}
        return json_answer(201, answer)

    # --- workers ----------------------------------------------------------------------------------------------------

    async def workers_realtime(self, ctx: Context) -> Answer:
        """``/Workers/RealTimeStatistics``."""
        floor = floor_of(ctx, self._floors)
        channel(ctx, floor)  # checked; every worker has every channel
        return json_answer(
            200, head(ctx, floor) | self._statistics.workers_now(floor, self._filtered(ctx, floor))
        )

    async def workers_cumulative(self, ctx: Context) -> Answer:
        """``/Workers/CumulativeStatistics``."""
        floor = floor_of(ctx, self._floors)
        return json_answer(200, head(ctx, floor) | await self._worked(ctx, floor, self._filtered(ctx, floor)))

    async def workers_both(self, ctx: Context) -> Answer:
        """``/Workers/Statistics``."""
        floor = floor_of(ctx, self._floors)
        sids = self._filtered(ctx, floor)
        past = await self._worked(ctx, floor, sids)
        realtime = self._statistics.workers_now(floor, sids)
        return json_answer(200, {**head(ctx, floor), "realtime": realtime, "cumulative": past})

    async def worker(self, ctx: Context) -> Answer:
        """``/Workers/{WK}/Statistics``: cumulative only."""
        floor = floor_of(ctx, self._floors)
        sid = named(ctx, floor.workers, "WorkerSid")
        past = await self._worked(ctx, floor, [sid])
        return json_answer(200, {**head(ctx, floor), "worker_sid": sid, "cumulative": past})

    def _filtered(self, ctx: Context, floor: Any) -> list[str] | None:
        queue_sid = last(ctx, "TaskQueueSid")
        return self._statistics.select_workers(
            floor,
            queue_sid=normal(queue_sid),
            queue_name=last(ctx, "TaskQueueName"),
            name=last(ctx, "FriendlyName"),
        )

    async def _worked(self, ctx: Context, floor: Any, sids: Sequence[str] | None) -> Any:
        start, end = window(ctx)
        found = self._statistics.past_of_workers(floor, sids, channel(ctx, floor), start, end, ctx.now)
        return await self._read(ctx, floor, found, start, end)


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
