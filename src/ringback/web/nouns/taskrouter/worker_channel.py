"""Worker channels: where they are read (taskrouter.md §2.6)."""

from __future__ import annotations

from ringback.resources.taskrouter.worker_channel import WorkerChannel
from ringback.store import Page, Query
from ringback.web.rest.context import Context
from ringback.web.taskrouter.selection import Selection, identity, in_order, page_of
from ringback.web.taskrouter.workspaces import normal, workspace_of
from ringback.web.taskrouter.writes import TaskRouterRules


class WorkerChannelRules(TaskRouterRules):
    """A worker's channels."""

    noun = WorkerChannel

    async def page(self, ctx: Context, query: Query) -> Page:
        """A part of the list."""
        found = {one.sid: one for one in self._of(ctx)}
        entries = in_order(found.values())
        return await page_of(Selection(entries=entries, record=identity, find=found.get), query)

    async def fetch(self, ctx: Context, word: str) -> WorkerChannel | None:
        """By its own SID, or by the task channel's SID or unique name."""
        sid = normal(word)
        for one in self._of(ctx):
            if sid in (one.sid, one.task_channel_sid, one.task_channel_unique_name):
                return one
        return None

    def _of(self, ctx: Context) -> list[WorkerChannel]:
        worker = workspace_of(self.ports.taskrouter, ctx).workers.get(normal(ctx.args["WorkerSid"]))
        return list(worker.channels.values()) if worker is not None else []
