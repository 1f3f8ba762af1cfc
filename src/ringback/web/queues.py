"""Queues and their members for the REST layer: read from the registry in memory, written by events (ADR 9)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from ringback.events import Event
from ringback.events.queues import MemberDequeueRequested, QueueChangeRequested
from ringback.resources.api.queue import Member, Queue
from ringback.store import Page, Query
from ringback.web.rest.context import Context, Params
from ringback.web.rest.memory import page_of


class Registry(Protocol):
    """The queues of this process, as records (voice/queue/live.py)."""

    def records(self, account_sid: str, now: float) -> list[Queue]:
        """The account's queues, newest first."""

    def record(self, account_sid: str, sid: str, now: float) -> Queue | None:
        """One of them."""

    def members(self, queue_sid: str, now: float, start: int, stop: int) -> list[Member]:
        """Members from index ``start`` to before ``stop``, front first."""

    def member_record(self, queue_sid: str, word: str, now: float) -> Member | None:
        """The member that a call's SID, or ``Front``, names."""


class QueueSource:
    """Reads queues, with their sizes and waits."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def page(self, ctx: Context, query: Query) -> Page:
        """A part of the account's queues."""
        return page_of(self._registry.records(ctx.account.sid, ctx.now), query)

    async def fetch(self, ctx: Context, sid: str) -> Queue | None:
        """The queue with that SID."""
        return self._registry.record(ctx.account.sid, sid[:2] + sid[2:].lower(), ctx.now)


class MemberSource:
    """Reads members; only as many as are shown, however long the queue is."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def page(self, ctx: Context, query: Query) -> Page:
        """A part of a queue's members, front first.

        A page token names a member; when it has left the queue meanwhile the list ends there.
        """
        queue, mark = ctx.args["QueueSid"], query.after or query.before
        start, stop = 0, query.limit
        if mark:
            member = self._registry.member_record(queue, mark, ctx.now)
            if member is None:
                return Page([], more_after=False, more_before=False)
            if query.after:
                start, stop = member.position, member.position + query.limit
            else:
                start, stop = max(0, member.position - 1 - query.limit), member.position - 1
        found = self._registry.members(queue, ctx.now, start, stop + 1)
        size = stop - start
        return Page(found[:size], more_after=len(found) > size, more_before=start > 0)

    async def fetch(self, ctx: Context, sid: str) -> Member | None:
        """The member with that call SID, or the one at the ``Front``."""
        word = sid if sid == "Front" else sid[:2] + sid[2:].lower()
        return self._registry.member_record(ctx.args["QueueSid"], word, ctx.now)


Ask = Callable[[Event], Awaitable[Any]]


class LiveQueues:
    """Create, update and delete of queues."""

    def __init__(self, *, ask: Ask, new_sid: Callable[[str], str]) -> None:
        self._ask = ask
        self._new_sid = new_sid

    async def create(self, ctx: Context, params: Params) -> Any:
        """POST Queues."""
        return await self._change(ctx, self._new_sid("QU"), "create", params)

    async def update(self, ctx: Context, params: Params) -> Any:
        """POST Queues/{sid}."""
        return await self._change(ctx, ctx.record.sid, "update", params)

    async def delete(self, ctx: Context, params: Params) -> Any:
        """DELETE of an empty queue; one with members is refused with 20409."""
        return await self._change(ctx, ctx.record.sid, "delete", params)

    async def _change(self, ctx: Context, sid: str, change: Any, params: Params) -> Any:
        return await self._ask(
            QueueChangeRequested(queue_sid=sid, account_sid=ctx.account.sid, change=change, params=params)
        )


class LiveMembers:
    """Dequeuing of members; they are created by ``<Enqueue>`` alone."""

    def __init__(self, *, ask: Ask) -> None:
        self._ask = ask

    async def update(self, ctx: Context, params: Params) -> Any:
        """POST Queues/{QU}/Members/{CallSid or Front}: gives the member as it was; 22002 when it is gone."""
        return await self._ask(
            MemberDequeueRequested(call_sid=ctx.record.sid, queue_sid=ctx.args["QueueSid"], params=params)
        )
