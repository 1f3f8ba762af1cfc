"""TaskRouter: all workspaces; events in, effects out. One lane a workspace (house.md, "Two kinds of cores")."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ringback.effects import Answer, Effect, StartTimer, StopTimer
from ringback.events import Event, TimerFired
from ringback.events.queues import TaskCallChanged
from ringback.events.taskrouter import (
    AssignmentAnswered,
    ClaimRequested,
    TaskRequested,
    WorkspacesLoaded,
    WorkspaceWriteRequested,
)
from ringback.kernel.errors import Refused
from ringback.kernel.lane import Lane
from ringback.resources.taskrouter.task import Task
from ringback.resources.taskrouter.workspace import Workspace
from ringback.taskrouter import calls, instructions, requests
from ringback.taskrouter.assignment import settle
from ringback.taskrouter.lifecycle import cancel_task, delete_task, expire
from ringback.taskrouter.live import LiveTask
from ringback.taskrouter.outbound import engaged
from ringback.taskrouter.requests import participants
from ringback.taskrouter.requests import workspace as workspaces
from ringback.taskrouter.requests.task import to_worker
from ringback.taskrouter.routing import restore, target_due
from ringback.taskrouter.schedule import Due
from ringback.taskrouter.steps import RETRY_AFTER
from ringback.taskrouter.transfers import flying, lives_until
from ringback.taskrouter.workspace import SYSTEM, LiveWorkspace

TICK = "schedule"
"""The one timer of a workspace."""
TTL_OVER = "Task TTL Exceeded"


class TaskRouter:
    """All workspaces."""

    def __init__(self, new_sid: Callable[[str], str], *, keep_ended: float = 300.0) -> None:
        """``keep_ended``: seconds that ended tasks stay readable (setting ``task_retention``)."""
        self.workspaces: dict[str, LiveWorkspace] = {}
        self._new_sid, self._keep_ended = new_sid, keep_ended
        self._handlers: dict[type[Event], Callable[[LiveWorkspace, Any], Any]] = {
            WorkspaceWriteRequested: self._requested,
            TaskRequested: calls.make_task,
            ClaimRequested: calls.claim,
            TaskCallChanged: calls.changed,
            AssignmentAnswered: instructions.answered,
            TimerFired: self._tick,
        }

    def handle(self, event: Event, now: float) -> Sequence[Effect]:
        """Handle one event at ``now``. Raises :class:`Refused` for a caller's mistake; nothing is changed then."""
        if isinstance(event, WorkspacesLoaded):
            return self._load(event, now)
        workspace_sid = event.lane.sid
        workspace = self.workspaces.get(workspace_sid)
        if (
            isinstance(event, WorkspaceWriteRequested)
            and event.noun == "Workspace"
            and event.operation == "create"
        ):
            return self._create(event, now)
        if workspace is None:
            if isinstance(event, WorkspaceWriteRequested):
                raise Refused(20404, f"The requested workspace {workspace_sid[:64]} was not found", 404)
            return []  # late news for a workspace that has been deleted
        workspace.now = now
        workspace.actor = event.actor if isinstance(event, WorkspaceWriteRequested) else SYSTEM
        answer = self._handlers[type(event)](workspace, event)
        workspace.actor = SYSTEM
        if workspace_sid in self.workspaces:
            _catch_up(workspace)
        effects = workspace.flush()
        if answer is not None:
            effects.append(Answer(value=answer))
        if workspace_sid in self.workspaces:
            self._arm(workspace, effects)
        return effects

    def crashed(self, workspace_sid: str, now: float, error: Exception) -> Sequence[Effect]:
        """A bug: what is in memory may be wrong. Forget it; the runtime has it loaded again from the store."""
        self.workspaces.pop(workspace_sid, None)
        return ()

    # --- finding, for readers -----------------------------------------------------------------------------------

    def workspace_of(self, sid: str, kind: str) -> LiveWorkspace | None:
        """The workspace that has a ``workflows``, ``reservations`` … record; None: nobody."""
        for workspace in self.workspaces.values():
            if sid in getattr(workspace, kind):
                return workspace
        return None

    def tasks_of_call(self, call_sid: str) -> Iterator[Task]:
        """Tasks made for a waiting caller, in all workspaces."""
        for workspace in self.workspaces.values():
            for sid in workspace.tasks_of_call.get(call_sid, ()):
                yield workspace.tasks[sid].record

    # --- handlers -------------------------------------------------------------------------------------------------

    def _create(self, event: WorkspaceWriteRequested, now: float) -> Sequence[Effect]:
        name = event.values["friendly_name"]
        for each in self.workspaces.values():
            if each.record.account_sid == event.account_sid and each.record.friendly_name == name:
                raise Refused(20001, f"A workspace named {name!r} exists")
        bare = Workspace(sid=event.sid, account_sid=event.account_sid, date_created=now, friendly_name=name)
        workspace = LiveWorkspace(bare, self._new_sid, keep_ended=self._keep_ended)
        workspace.now, workspace.actor = now, event.actor
        record = workspaces.begin(workspace, event)
        self.workspaces[event.sid] = workspace
        return [*workspace.flush(), Answer(value=record)]

    def _requested(self, workspace: LiveWorkspace, event: WorkspaceWriteRequested) -> Any:
        write = participants.BY_NOUN.get(event.noun)
        if write is None:
            write = getattr(requests.collect().get(event.noun), event.operation, None)
        if write is None:
            raise Refused(20404, f"A {event.noun[:40]} has no {event.operation}", 404)
        record = write(workspace, event)
        if event.noun == "Workspace" and event.operation == "delete":
            del self.workspaces[event.workspace_sid]
        return record

    def _load(self, event: WorkspacesLoaded, now: float) -> Sequence[Effect]:
        record = next(each for each in event.records if isinstance(each, Workspace))
        workspace = LiveWorkspace(record, self._new_sid, keep_ended=self._keep_ended)
        workspace.now = now
        workspace.load(each for each in event.records if not isinstance(each, Workspace))
        self.workspaces[record.sid] = workspace
        for task in list(workspace.tasks.values()):
            _resume(workspace, task)
        for reservation in workspace.reservations.values():
            if reservation.reservation_status == "pending":
                workspace.schedule.add(reservation.expires_at, "expire", reservation.sid)
        settle(workspace)
        effects = workspace.flush()
        self._arm(workspace, effects)
        return effects

    def _arm(self, workspace: LiveWorkspace, effects: list[Effect]) -> None:
        """Let the timer run for what is due first."""
        first = workspace.schedule.first()
        if first == workspace.schedule.armed:
            return
        workspace.schedule.armed = first
        sid = workspace.record.sid
        if first is None:
            effects.append(StopTimer(lane=Lane("workspace", sid), name=TICK))
        else:
            seconds = max(0.0, first - workspace.now)
            effects.append(StartTimer(lane=Lane("workspace", sid), name=TICK, seconds=seconds, pulls=False))

    def _tick(self, workspace: LiveWorkspace, event: TimerFired) -> None:
        workspace.schedule.armed = None  # what is due is done after every event


def _catch_up(workspace: LiveWorkspace) -> None:
    """Do whatever is due by now, one after the other, and make the assignments that are possible."""
    while (due := workspace.schedule.pop(workspace.now)) is not None:
        _due(workspace, due)
        settle(workspace)
    settle(workspace)


def _due(workspace: LiveWorkspace, due: Due) -> None:
    if due.what == "expire":
        reservation = workspace.reservations.get(due.sid)
        if reservation is None or reservation.reservation_status != "pending":
            return
        if not engaged(workspace.tasks[reservation.task_sid], reservation):
            expire(workspace, reservation)
        return
    task = workspace.tasks.get(due.sid)
    if task is None:
        return
    record = task.record
    if due.what == "target":
        if record.target_entered == due.stamp and (record.target_over or _time_is_up(task, due.at)):
            target_due(workspace, task)
    elif due.what == "ttl" and record.assignment_status in ("pending", "reserved"):
        if workspace.now >= lives_until(record):
            cancel_task(workspace, task, TTL_OVER)
    elif (
        due.what == "assigned" and record.assignment_status == "assigned" and record.status_since == due.stamp
    ):
        delete_task(workspace, task, "task.system-deleted")
    elif due.what == "remove" and workspace.over(task) and record.status_since == due.stamp:
        delete_task(workspace, task, None)
    elif due.what == "retry":
        task.asked &= {workspace.reservations[sid].worker_sid for sid in task.open}
        workspace.dirty_tasks.add(record.sid)


def _time_is_up(task: LiveTask, at: float) -> bool:
    """Whether the target, as its workflow says now, was to be left by then."""
    timeout = task.target.timeout if task.target is not None else None
    return timeout is not None and at >= task.record.target_entered + timeout


def _resume(workspace: LiveWorkspace, task: LiveTask) -> None:
    """After a restart: what is due for the task, and whether it waits."""
    record = task.record
    if workspace.over(task):
        workspace.schedule.add(
            record.status_since + workspace.keep_ended, "remove", record.sid, record.status_since
        )
        return
    if record.assignment_status == "assigned":
        workspace.schedule.add(record.status_since + 86_400.0, "assigned", record.sid, record.status_since)
    if record.assignment_status in ("pending", "reserved"):
        workspace.schedule.add(lives_until(record), "ttl", record.sid)
        _recall(workspace, task)
        restore(workspace, task)
        if record.routing_target in workspace.workers and not task.reservations:
            to_worker(workspace, task)
    elif flying(task) is not None:
        restore(workspace, task)


def _recall(workspace: LiveWorkspace, task: LiveTask) -> None:
    """After a restart: who was offered the task in this round, or could not be reached just now."""
    record = task.record
    for sid in task.reservations:
        reservation = workspace.reservations[sid]
        if record.assignment_status == "reserved" and reservation.date_created >= record.status_since:
            task.asked.add(reservation.worker_sid)
        released = record.assignment_status == "pending" and reservation.date_updated == record.status_since
        if released and reservation.reservation_status == "canceled":
            task.asked.add(reservation.worker_sid)
            workspace.schedule.add(record.status_since + RETRY_AFTER, "retry", record.sid)
