"""Queues and their members: read from the registry in memory, written by events (ADR 9)."""

from __future__ import annotations

from typing import Any

from ringback.kernel.lane import Lane
from ringback.resources.api.queue import Member, Queue
from ringback.store import Page, Query
from ringback.web.nouns import NounRules
from ringback.web.rest.context import Context, Params
from ringback.web.rest.memory import page_of
from ringback.web.rest.rules import normal


class QueueRules(NounRules):
    """Read with their sizes and waits; written by events."""

    noun = Queue

    async def page(self, ctx: Context, query: Query) -> Page:
        """A part of the account's queues."""
        return page_of(self.ports.queues.records(ctx.account.sid, ctx.now), query)

    async def fetch(self, ctx: Context, word: str) -> Queue | None:
        """The queue with that SID."""
        return self.ports.queues.record(ctx.account.sid, normal(word), ctx.now)

    async def create(self, ctx: Context, params: Params) -> Any:
        """POST Queues."""
        sid = self.ports.new_sid("QU")
        return await self.write(ctx, "create", Lane("queue", sid), sid, params)

    async def update(self, ctx: Context, params: Params) -> Any:
        """POST Queues/{sid}."""
        return await self.write(ctx, "update", Lane("queue", ctx.record.sid), ctx.record.sid, params)

    async def delete(self, ctx: Context, params: Params) -> Any:
        """DELETE of an empty queue; one with members is refused with 20409."""
        return await self.write(ctx, "delete", Lane("queue", ctx.record.sid), ctx.record.sid, params)


class MemberRules(NounRules):
    """Only as many are read as are shown, however long the queue is. ``<Enqueue>`` alone creates members."""

    noun = Member
    audited = frozenset()

    async def page(self, ctx: Context, query: Query) -> Page:
        """A part of a queue's members, front first.

        A page token names a member; when it has left the queue meanwhile the list ends there.
        """
        queue, mark = ctx.args["QueueSid"], query.after or query.before
        start, stop = 0, query.limit
        if mark:
            member = self.ports.queues.member_record(queue, mark, ctx.now)
            if member is None:
                return Page([], more_after=False, more_before=False)
            if query.after:
                start, stop = member.position, member.position + query.limit
            else:
                start, stop = max(0, member.position - 1 - query.limit), member.position - 1
        found = self.ports.queues.members(queue, ctx.now, start, stop + 1)
        size = stop - start
        return Page(found[:size], more_after=len(found) > size, more_before=start > 0)

    async def fetch(self, ctx: Context, word: str) -> Member | None:
        """The member with that call SID, or the one at the ``Front``."""
        sid = word if word == "Front" else normal(word)
        return self.ports.queues.member_record(ctx.args["QueueSid"], sid, ctx.now)

    async def update(self, ctx: Context, params: Params) -> Any:
        """POST Queues/{QU}/Members/{CallSid or Front}: gives the member as it was; 22002 when it is gone."""
        sid, queue_sid = ctx.record.sid, ctx.args["QueueSid"]
        return await self.write(ctx, "update", Lane("call", sid), sid, params, parent_sid=queue_sid)
