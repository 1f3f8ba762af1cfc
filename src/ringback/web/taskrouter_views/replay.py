"""``POST …/Workflows/{WorkflowSid}/Replay`` (issue 3, point 9): nothing is saved."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from ringback.kernel.errors import Refused
from ringback.resources.taskrouter.event import Event
from ringback.sharing.seats import Seats
from ringback.web.rest.answer import Answer, json_answer
from ringback.web.rest.context import Context
from ringback.web.taskrouter_views.place import head, last, named, workspace_of
from ringback.web.taskrouter_views.ports import Replays
from ringback.web.taskrouter_views.window import read_events, window

MINUTES = 1440
MOST_EVENTS = 300_000


class ReplayView:
    """The handler; one replay runs at a time, in a thread, and the accounts take turns."""

    def __init__(self, workspaces: Mapping[str, Any], replay: Replays) -> None:
        self._workspaces, self._replay = workspaces, replay
        self._turns = Seats(1)
        self._asking: set[str] = set()
        """Accounts whose replay runs, or waits for its turn."""

    async def __call__(self, ctx: Context) -> Answer:
        """Rehearse the tasks of StartDate to EndDate, or of the last Minutes (1440), with ``Configuration``.

        Raises 20001 for a bad draft (with the position), or for too many tasks; 20429 while another of the account
        runs.
        """
        workspace = workspace_of(ctx, self._workspaces)
        sid = named(ctx, workspace.workflows, "WorkflowSid")
        draft = last(ctx, "Configuration")
        if not draft:
            raise Refused(20001, "Configuration is required", 400)
        self._replay.check(workspace, sid, draft)
        start, end = window(ctx, MINUTES)
        account = ctx.account.sid
        if account in self._asking:
            raise Refused(20429, "Another replay is running: try again when it has ended", 429)
        self._asking.add(account)
        try:
            async with self._turns.of(account):
                result = await self._run(ctx, workspace, sid, draft, start, end)
        finally:
            self._asking.discard(account)
        return json_answer(200, head(ctx, workspace) | result)

    async def _run(
        self, ctx: Context, workspace: Any, sid: str, draft: str, start: float, end: float
    ) -> dict[str, Any]:
        now, workspace_sid = ctx.now, workspace.record.sid
        until = min(now, end + self._replay.TAIL)
        tasks: list[Event] = []
        created = 0

        def add(event: Event) -> None:
            nonlocal created
            if event.event_type == "task.created":
                if event.event_date >= end:
                    return
                created += 1
                if created > self._replay.MOST_TASKS:
                    most = self._replay.MOST_TASKS
                    raise Refused(
                        20001, f"More than {most} tasks were created in this time: ask for a shorter one", 400
                    )
            tasks.append(self._replay.slim(event))

        await read_events(
            ctx, workspace_sid, self._replay.TASK_TYPES, start, until + 0.001, add, most=MOST_EVENTS
        )
        moves: list[Event] = []
        await read_events(
            ctx, workspace_sid, self._replay.MOVE_TYPES, start, now + 1.0, moves.append, most=MOST_EVENTS
        )
        prepared = self._replay.prepare(
            workspace, sid, draft, tasks[::-1], moves[::-1], start=start, end=end, until=until
        )
        return await asyncio.to_thread(prepared.run, _breathe)


def _breathe() -> None:
    """Give the interpreter away: calls are not kept waiting by a replay's computing."""
    time.sleep(0.0001)
