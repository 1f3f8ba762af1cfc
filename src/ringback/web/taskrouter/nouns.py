"""Where the small nouns are read: workspaces, activities, task channels, workflows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ringback.resources.taskrouter.task_channel import TaskChannel
from ringback.resources.taskrouter.workspace import Workspace
from ringback.store import Page, Query
from ringback.web.rest.context import Context
from ringback.web.taskrouter.filters import declared
from ringback.web.taskrouter.floors import Floor, Floors, floor_of, normal
from ringback.web.taskrouter.selection import Selection, identity, in_order, page_of


class WorkspaceSource:
    """The account's workspaces, oldest first."""

    def __init__(self, desk: Floors) -> None:
        self._desk = desk

    async def page(self, ctx: Context, query: Query) -> Page:
        """A part of the list; filter FriendlyName."""
        floors = self._desk.floors
        own = [one.workspace for one in floors.values() if one.workspace.account_sid == ctx.account.sid]

        def find(sid: str) -> Workspace | None:
            return floors[sid].workspace if sid in floors else None

        chosen = Selection(
            entries=in_order(own), record=identity, find=find, tests=declared(query, record=identity)
        )
        return await page_of(chosen, query)

    async def fetch(self, ctx: Context, sid: str) -> Workspace | None:
        """By SID; None when it is another account's."""
        floor = self._desk.floors.get(normal(sid))
        own = floor is not None and floor.workspace.account_sid == ctx.account.sid
        return floor.workspace if floor is not None and own else None


class RecordSource:
    """A noun of which a workspace has few, oldest first, with its declared filters."""

    def __init__(self, desk: Floors, records: Callable[[Floor], Mapping[str, Any]]) -> None:
        """``records`` gives the workspace's records by SID."""
        self._desk, self._records = desk, records

    async def page(self, ctx: Context, query: Query) -> Page:
        """A part of the list."""
        records = self._records(floor_of(self._desk, ctx))
        tests = declared(query, record=identity)
        entries = in_order(records.values())
        return await page_of(
            Selection(entries=entries, record=identity, find=records.get, tests=tests), query
        )

    async def fetch(self, ctx: Context, sid: str) -> Any:
        """By SID."""
        return self._records(floor_of(self._desk, ctx)).get(normal(sid))


class TaskChannelSource(RecordSource):
    """Task channels: by SID, or by unique name."""

    def __init__(self, desk: Floors) -> None:
        super().__init__(desk, lambda floor: floor.channels)

    async def fetch(self, ctx: Context, sid: str) -> TaskChannel | None:
        """By SID or unique name."""
        floor = floor_of(self._desk, ctx)
        return floor.channels.get(normal(sid)) or floor.channels.get(floor.channel_names.get(sid, ""))
