"""Where the small nouns are read: activities, task channels, workflows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ringback.store import Page, Query
from ringback.web.rest.context import Context
from ringback.web.taskrouter.filters import declared
from ringback.web.taskrouter.selection import Selection, identity, in_order, page_of
from ringback.web.taskrouter.workspaces import LiveWorkspace, normal, workspace_of
from ringback.web.taskrouter.writes import TaskRouterRules


class RecordRules(TaskRouterRules):
    """A noun of which a workspace has few, oldest first, with its declared filters."""

    def records(self, workspace: LiveWorkspace) -> Mapping[str, Any]:
        """The workspace's records by SID."""
        raise NotImplementedError

    async def page(self, ctx: Context, query: Query) -> Page:
        """A part of the list."""
        records = self.records(workspace_of(self.ports.taskrouter, ctx))
        tests = declared(query, record=identity)
        entries = in_order(records.values())
        return await page_of(
            Selection(entries=entries, record=identity, find=records.get, tests=tests), query
        )

    async def fetch(self, ctx: Context, word: str) -> Any:
        """By SID."""
        return self.records(workspace_of(self.ports.taskrouter, ctx)).get(normal(word))
