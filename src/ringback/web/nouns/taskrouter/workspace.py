"""Workspaces: read from TaskRouter's memory; their statistics."""

from __future__ import annotations

from collections.abc import Sequence

from ringback.resources.taskrouter.workspace import Workspace
from ringback.store import Page, Query
from ringback.web.rest.context import Context
from ringback.web.rest.rules import Extra
from ringback.web.taskrouter.filters import declared
from ringback.web.taskrouter.selection import Selection, identity, in_order, page_of
from ringback.web.taskrouter.workspaces import normal
from ringback.web.taskrouter.writes import TaskRouterRules
from ringback.web.taskrouter_views.statistics import StatisticsViews


class WorkspaceRules(TaskRouterRules):
    """The account's workspaces, oldest first."""

    noun = Workspace

    @property
    def extras(self) -> Sequence[Extra]:
        """Statistics."""
        views = StatisticsViews(self.ports.taskrouter.workspaces, self.ports.statistics)
        return views.of("workspace", "/v1/Workspaces/{WorkspaceSid}")

    async def page(self, ctx: Context, query: Query) -> Page:
        """A part of the list; filter FriendlyName."""
        workspaces = self.ports.taskrouter.workspaces
        own = [one.record for one in workspaces.values() if one.record.account_sid == ctx.account.sid]

        def find(sid: str) -> Workspace | None:
            return workspaces[sid].record if sid in workspaces else None

        chosen = Selection(
            entries=in_order(own), record=identity, find=find, tests=declared(query, record=identity)
        )
        return await page_of(chosen, query)

    async def fetch(self, ctx: Context, word: str) -> Workspace | None:
        """By SID; None when it is another account's."""
        workspace = self.ports.taskrouter.workspaces.get(normal(word))
        own = workspace is not None and workspace.record.account_sid == ctx.account.sid
        return workspace.record if workspace is not None and own else None
