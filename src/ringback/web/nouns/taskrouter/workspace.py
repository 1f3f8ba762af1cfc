"""Workspaces: read from the desk's memory; their statistics."""

from __future__ import annotations

from collections.abc import Sequence

from ringback.resources.taskrouter.workspace import Workspace
from ringback.store import Page, Query
from ringback.web.rest.context import Context
from ringback.web.rest.rules import Extra
from ringback.web.taskrouter.filters import declared
from ringback.web.taskrouter.floors import normal
from ringback.web.taskrouter.live import DeskRules
from ringback.web.taskrouter.selection import Selection, identity, in_order, page_of
from ringback.web.taskrouter_views.statistics import StatisticsViews


class WorkspaceRules(DeskRules):
    """The account's workspaces, oldest first."""

    noun = Workspace

    @property
    def extras(self) -> Sequence[Extra]:
        """Statistics."""
        views = StatisticsViews(self.ports.desk.floors, self.ports.statistics)
        return views.of("workspace", "/v1/Workspaces/{WorkspaceSid}")

    async def page(self, ctx: Context, query: Query) -> Page:
        """A part of the list; filter FriendlyName."""
        floors = self.ports.desk.floors
        own = [one.workspace for one in floors.values() if one.workspace.account_sid == ctx.account.sid]

        def find(sid: str) -> Workspace | None:
            return floors[sid].workspace if sid in floors else None

        chosen = Selection(
            entries=in_order(own), record=identity, find=find, tests=declared(query, record=identity)
        )
        return await page_of(chosen, query)

    async def fetch(self, ctx: Context, word: str) -> Workspace | None:
        """By SID; None when it is another account's."""
        floor = self.ports.desk.floors.get(normal(word))
        own = floor is not None and floor.workspace.account_sid == ctx.account.sid
        return floor.workspace if floor is not None and own else None
