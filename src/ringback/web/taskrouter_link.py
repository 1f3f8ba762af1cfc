"""Between calls and TaskRouter: finds the workspace that an effect is about (a call knows only SIDs)."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from ringback.effects import Save
from ringback.effects.queues import ClaimReservation, MakeTask
from ringback.effects.taskrouter import RedirectCall
from ringback.events import Event
from ringback.events.queues import ReservationClaimed, TaskMade
from ringback.events.taskrouter import ClaimRequested, TaskRequested, WorkspacesLoaded
from ringback.events.writes import WriteRequested
from ringback.kernel.error_codes import title
from ringback.kernel.errors import Refused
from ringback.kernel.lane import Lane
from ringback.resources.api.alert import Alert, explained
from ringback.resources.api.call import Call
from ringback.resources.taskrouter.activity import Activity
from ringback.resources.taskrouter.reservation import Reservation
from ringback.resources.taskrouter.task import Task
from ringback.resources.taskrouter.task_channel import TaskChannel
from ringback.resources.taskrouter.task_queue import TaskQueue
from ringback.resources.taskrouter.worker import Worker
from ringback.resources.taskrouter.worker_channel import WorkerChannel
from ringback.resources.taskrouter.workflow import Workflow
from ringback.resources.taskrouter.workspace import Workspace
from ringback.store import Store

PARTS: tuple[type[Any], ...] = (
    Activity, TaskChannel, TaskQueue, Workflow, Worker, WorkerChannel, Task, Reservation,
)  # fmt: skip
"""What a workspace consists of in the store."""
EVERYTHING = 10_000_000


class Finder(Protocol):
    """TaskRouter, as far as it is asked here."""

    @property
    def workspaces(self) -> Mapping[str, Any]:
        """Workspace SID → workspace."""

    def workspace_of(self, sid: str, kind: str) -> Any:
        """The workspace that has a record of a kind, or None."""


class TaskRouterLink:
    """Performs what calls and TaskRouter ask of each other."""

    def __init__(
        self,
        *,
        taskrouter: Finder,
        store: Store,
        post: Callable[[Event], None],
        ask: Callable[[Event], Awaitable[Any]],
        new_sid: Callable[[str], str],
        now: Callable[[], float],
    ) -> None:
        self._taskrouter, self._store, self._post, self._ask = taskrouter, store, post, ask
        self._new_sid, self._now = new_sid, now
        self._tasks: set[asyncio.Task[None]] = set()

    def task_requested(self, effect: MakeTask) -> Event:
        """Whose ``MakeTask`` is; no such workflow: the caller hears 14220."""
        workspace = self._taskrouter.workspace_of(effect.workflow_sid, "workflows")
        if workspace is None or workspace.record.account_sid != effect.account_sid:
            text = f"Workflow {effect.workflow_sid} does not exist"
            return TaskMade(
                call_sid=effect.call_sid, request=effect.request, error_code=14220, error_text=text
            )
        return TaskRequested(
            workspace_sid=workspace.record.sid, account_sid=effect.account_sid, caller_sid=effect.call_sid,
            request=effect.request, task_sid=self._new_sid("WT"), workflow_sid=effect.workflow_sid,
            attributes=effect.attributes, facts=effect.facts, priority=effect.priority, timeout=effect.timeout,
        )  # fmt: skip

    def claim_requested(self, effect: ClaimReservation) -> Event:
        """Whose ``ClaimReservation`` is; no such reservation: the leg hears 14217."""
        workspace = self._taskrouter.workspace_of(effect.reservation_sid, "reservations")
        if workspace is None or workspace.record.account_sid != effect.account_sid:
            text = f"Reservation {effect.reservation_sid} does not exist"
            return ReservationClaimed(
                call_sid=effect.call_sid, request=effect.request, error_code=14217, error_text=text
            )
        return ClaimRequested(
            workspace_sid=workspace.record.sid, account_sid=effect.account_sid, by=effect.call_sid,
            request=effect.request, reservation_sid=effect.reservation_sid,
            post_work_activity_sid=effect.post_work_activity_sid,
        )  # fmt: skip

    def redirect(self, effect: RedirectCall) -> None:
        """Perform ``RedirectCall``; what cannot be done is written into the debugger."""
        task = asyncio.get_running_loop().create_task(self._redirect(effect))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _redirect(self, effect: RedirectCall) -> None:
        call = await self._store.get(Call, effect.call_sid, effect.account_sid)
        try:
            if call is None:
                raise Refused(20404, f"Call {effect.call_sid} does not exist", 404)
            await self._ask(
                WriteRequested(
                    lane=Lane("call", call.sid), noun="Call", operation="update", sid=call.sid,
                    account_sid=call.account_sid, params={"Url": [effect.url]},
                )
            )  # fmt: skip
        except Refused as refusal:
            now = self._now()
            alert = Alert(
                sid=self._new_sid("NO"), account_sid=effect.account_sid, date_created=now, date_updated=now,
                error_code=40122, message_text=f"{title(40122)}. {refusal.message}", message_date=now,
                resource_sid=effect.reservation_sid, more_info=explained(40122),
            )  # fmt: skip
            await self._store.commit([Save(alert)])

    async def load(self) -> int:
        """At the start: hand every stored workspace to TaskRouter; gives how many tasks they hold."""
        tasks = 0
        for workspace in await self._store.find(Workspace, limit=EVERYTHING):
            with _no_collection():
                event = await self._records(workspace)
                tasks += sum(isinstance(each, Task) for each in event.records)
                await self._ask(event)
        return tasks

    async def stored(self, workspace_sid: str) -> WorkspacesLoaded | None:
        """One workspace as it is stored; None: it has been deleted."""
        workspace = await self._store.get(Workspace, workspace_sid)
        return None if workspace is None else await self._records(workspace)

    async def _records(self, workspace: Workspace) -> WorkspacesLoaded:
        records: list[Any] = [workspace]
        for part in PARTS:
            records += await self._store.find(part, workspace_sid=workspace.sid, limit=EVERYTHING)
        return WorkspacesLoaded(workspace_sid=workspace.sid, records=tuple(records))


@contextmanager
def _no_collection() -> Iterator[None]:
    """No garbage collection meanwhile: everything that is made here stays, and the collector would look through all
    of it again and again (a third of the time with 100,000 tasks)."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
