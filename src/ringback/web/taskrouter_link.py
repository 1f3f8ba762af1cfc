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
from ringback.events import CallUpdateRequested, Event
from ringback.events.queues import ReservationClaimed, TaskCallChanged, TaskMade
from ringback.events.taskrouter import ClaimRequested, TaskRequested, WorkspacesLoaded
from ringback.kernel.error_codes import title
from ringback.kernel.errors import Refused
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
from ringback.resources.telephony import TaskLeg
from ringback.store import Store
from ringback.web.calls import TERMINAL
from ringback.web.outcomes import outcome_of

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

    def make_task(self, effect: MakeTask) -> None:
        """Perform ``MakeTask``; no such workflow: 14220."""
        workspace = self._taskrouter.workspace_of(effect.workflow_sid, "workflows")
        if workspace is None or workspace.record.account_sid != effect.account_sid:
            text = f"Workflow {effect.workflow_sid} does not exist"
            self._post(
                TaskMade(call_sid=effect.call_sid, request=effect.request, error_code=14220, error_text=text)
            )
            return
        self._post(
            TaskRequested(
                call_sid=workspace.record.sid, account_sid=effect.account_sid, caller_sid=effect.call_sid,
                request=effect.request, task_sid=self._new_sid("WT"), workflow_sid=effect.workflow_sid,
                attributes=effect.attributes, facts=effect.facts, priority=effect.priority,
                timeout=effect.timeout,
            )
        )  # fmt: skip

    def claim(self, effect: ClaimReservation) -> None:
        """Perform ``ClaimReservation``; no such reservation: 14217."""
        workspace = self._taskrouter.workspace_of(effect.reservation_sid, "reservations")
        if workspace is None or workspace.record.account_sid != effect.account_sid:
            text = f"Reservation {effect.reservation_sid} does not exist"
            self._post(
                ReservationClaimed(
                    call_sid=effect.call_sid, request=effect.request, error_code=14217, error_text=text
                )
            )
            return
        self._post(
            ClaimRequested(
                call_sid=workspace.record.sid, account_sid=effect.account_sid, by=effect.call_sid,
                request=effect.request, reservation_sid=effect.reservation_sid,
                post_work_activity_sid=effect.post_work_activity_sid,
            )
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
                CallUpdateRequested(call_sid=effect.call_sid, params={"Url": [effect.url]}, call=call)
            )
        except Refused as refusal:
            now = self._now()
            alert = Alert(
                sid=self._new_sid("NO"), account_sid=effect.account_sid, date_created=now, date_updated=now,
                error_code=40122, message_text=f"{title(40122)}. {refusal.message}", message_date=now,
                resource_sid=effect.reservation_sid, more_info=explained(40122),
            )  # fmt: skip
            await self._store.commit([Save(alert)])

    async def settle(self) -> int:
        """After a restart: tell TaskRouter of legs that ended without its hearing of it; gives how many.

        What a call says to TaskRouter is no part of the call's own commit: a crash in between loses it.
        """
        told = 0
        for workspace in list(self._taskrouter.workspaces.values()):
            for task in list(workspace.tasks.values()):
                common = {"workspace": workspace.record.sid, "task": task.record.sid}
                legs = [(task.record.call_sid, TaskLeg(**common, role="customer"))]
                known = task.record.conference
                for sid in task.reservations:
                    leg = workspace.reservations[sid].call_sid
                    legs.append((leg, TaskLeg(**common, role="worker", reservation=sid)))
                    if known is not None and known.customer_call:
                        what = TaskLeg(**common, role="customer", reservation=sid)
                        legs.append((known.customer_call, what))
                for leg, what in legs:
                    told += await self._ended(leg, what)
        return told

    async def _ended(self, leg: str | None, what: TaskLeg) -> int:
        call = await self._store.get(Call, leg) if leg else None
        if call is None and leg and what.role == "customer" and what.reservation:
            call = Call(  # asked for and never made
                sid=leg, account_sid="", status="failed", error_code=15000, direction="outbound-api"
            )  # fmt: skip
        if call is None or call.status not in TERMINAL:
            return 0
        ended = outcome_of(call)
        self._post(
            TaskCallChanged(
                call_sid=what.workspace, about=call.sid, change="ended", status=call.status,
                sip_code=call.sip_code, reason="restart", error_code=call.error_code,
                reason_code=ended.reason_code if ended is not None else None,
                leg=what,
            )
        )  # fmt: skip
        return 1

    async def load(self, only: str | None = None) -> int:
        """Hand the stored workspaces (or one of them) to TaskRouter; gives how many tasks they hold."""
        found = await self._store.find(Workspace, limit=EVERYTHING)
        tasks = 0
        for workspace in found:
            if only is not None and workspace.sid != only:
                continue
            with _no_collection():
                records: list[Any] = [workspace]
                for part in PARTS:
                    records += await self._store.find(part, workspace_sid=workspace.sid, limit=EVERYTHING)
                tasks += sum(isinstance(each, Task) for each in records)
                await self._ask(WorkspacesLoaded(call_sid=workspace.sid, records=tuple(records)))
        return tasks


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
