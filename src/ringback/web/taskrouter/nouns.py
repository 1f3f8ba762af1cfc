"""Where the small nouns are read: workspaces, activities, task channels, workflows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ringback.resources.taskrouter.task_channel import TaskChannel
from ringback.resources.taskrouter.workspace import Workspace
from ringback.store import Page, Query
from ringback.web.rest.context import Context
from ringback.web.taskrouter.filters import declared
from ringback.web.taskrouter.selection import Selection, identity, in_order, page_of
from ringback.web.taskrouter.workspaces import LiveWorkspace, TaskRouter, normal, workspace_of


class WorkspaceSource:
    """The account's workspaces, oldest first."""

    def __init__(self, taskrouter: TaskRouter) -> None:
        self._taskrouter = taskrouter

    async def page(self, ctx: Context, query: Query) -> Page:
        """A part of the list; filter FriendlyName."""
        workspaces = self._taskrouter.workspaces
        own = [one.record for one in workspaces.values() if one.record.account_sid == ctx.account.sid]

        def find(sid: str) -> Workspace | None:
            return workspaces[sid].record if sid in workspaces else None

        chosen = Selection(
            entries=in_order(own), record=identity, find=find, tests=declared(query, record=identity)
        )
        return await page_of(chosen, query)

    async def fetch(self, ctx: Context, sid: str) -> Workspace | None:
        """By SID; None when it is another account's."""
        workspace = self._taskrouter.workspaces.get(normal(sid))
        own = workspace is not None and workspace.record.account_sid == ctx.account.sid
        return workspace.record if workspace is not None and own else None


class RecordSource:
    """A noun of which a workspace has few, oldest first, with its declared filters."""

    def __init__(self, taskrouter: TaskRouter, records: Callable[[LiveWorkspace], Mapping[str, Any]]) -> None:
        """``records`` gives the workspace's records by SID."""
        self._taskrouter, self._records = taskrouter, records

    async def page(self, ctx: Context, query: Query) -> Page:
        """A part of the list."""
        records = self._records(workspace_of(self._taskrouter, ctx))
        tests = declared(query, record=identity)
        entries = in_order(records.values())
        return await page_of(
            Selection(entries=entries, record=identity, find=records.get, tests=tests), query
        )

    async def fetch(self, ctx: Context, sid: str) -> Any:
        """By SID."""
        return self._records(workspace_of(self._taskrouter, ctx)).get(normal(sid))


class TaskChannelSource(RecordSource):
    """Task channels: by SID, or by unique name."""

    def __init__(self, taskrouter: TaskRouter) -> None:
        super().__init__(taskrouter, lambda workspace: workspace.channels)

    async def fetch(self, ctx: Context, sid: str) -> TaskChannel | None:
        """By SID or unique name."""
        workspace = workspace_of(self._taskrouter, ctx)
        return workspace.channels.get(normal(sid)) or workspace.channels.get(
            workspace.channel_names.get(sid, "")
        )
