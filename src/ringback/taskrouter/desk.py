"""The desk: all workspaces; events in, effects out. One lane a workspace (house.md, "Two kinds of cores")."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ringback.effects import Answer, Effect, StartTimer, StopTimer
from ringback.events import Event, TimerFired
from ringback.events.queues import DeskCallChanged
from ringback.events.taskrouter import (
    AssignmentAnswered,
    ClaimRequested,
    DeskRequested,
    TaskRequested,
    WorkspacesLoaded,
)
from ringback.kernel.errors import Refused
from ringback.kernel.lane import Lane
from ringback.resources.taskrouter.task import Task
from ringback.resources.taskrouter.workspace import Workspace
from ringback.taskrouter import calls, instructions, requests
from ringback.taskrouter.agenda import Due
from ringback.taskrouter.assignment import settle
from ringback.taskrouter.floor import SYSTEM, Floor, Job
from ringback.taskrouter.lifecycle import RETRY_AFTER, cancel_task, delete_task, expire
from ringback.taskrouter.requests import participants
from ringback.taskrouter.requests import workspace as workspaces
from ringback.taskrouter.requests.task import to_worker
from ringback.taskrouter.routing import restore, target_due

TICK = "agenda"
"""The one timer of a workspace."""
TTL_OVER = "Task TTL Exceeded"


class Desk:
    """All workspaces."""

    def __init__(self, new_sid: Callable[[str], str], *, keep_ended: float = 300.0) -> None:
        """``keep_ended``: seconds that ended tasks stay readable (setting ``task_retention``)."""
        self.floors: dict[str, Floor] = {}
        self._new_sid, self._keep_ended = new_sid, keep_ended
        self._handlers: dict[type[Event], Callable[[Floor, Any], Any]] = {
            DeskRequested: self._requested,
            TaskRequested: calls.make_task,
            ClaimRequested: calls.claim,
            DeskCallChanged: calls.changed,
            AssignmentAnswered: instructions.answered,
            TimerFired: self._tick,
        }

    def handle(self, event: Event, now: float) -> Sequence[Effect]:
        """Handle one event at ``now``. Raises :class:`Refused` for a caller's mistake; nothing is changed then."""
        if isinstance(event, WorkspacesLoaded):
            return self._load(event, now)
        workspace_sid = event.lane.sid
        floor = self.floors.get(workspace_sid)
        if isinstance(event, DeskRequested) and event.noun == "Workspace" and event.operation == "create":
            return self._create(event, now)
        if floor is None:
            if isinstance(event, DeskRequested):
                raise Refused(20404, f"The requested workspace {workspace_sid[:64]} was not found", 404)
            return []  # late news for a workspace that has been deleted
        floor.now = now
        floor.actor = event.actor if isinstance(event, DeskRequested) else SYSTEM
        answer = self._handlers[type(event)](floor, event)
        floor.actor = SYSTEM
        if workspace_sid in self.floors:
            _catch_up(floor)
        effects = floor.flush()
        if answer is not None:
            effects.append(Answer(value=answer))
        if workspace_sid in self.floors:
            self._arm(floor, effects)
        return effects

    def crashed(self, workspace_sid: str, now: float, error: Exception) -> Sequence[Effect]:
        """A bug: what is in memory may be wrong. Forget it; the runtime has it loaded again from the store."""
        self.floors.pop(workspace_sid, None)
        return ()

    # --- finding, for readers -----------------------------------------------------------------------------------

    def floor_of(self, sid: str, kind: str) -> Floor | None:
        """The workspace that has a ``workflows``, ``reservations`` … record; None: nobody."""
        for floor in self.floors.values():
            if sid in getattr(floor, kind):
                return floor
        return None

    def tasks_of_call(self, call_sid: str) -> Iterator[Task]:
        """Tasks made for a waiting caller, in all workspaces."""
        for floor in self.floors.values():
            for sid in floor.tasks_of_call.get(call_sid, ()):
                yield floor.tasks[sid].record

    # --- handlers -------------------------------------------------------------------------------------------------

    def _create(self, event: DeskRequested, now: float) -> Sequence[Effect]:
        name = event.values["friendly_name"]
        for each in self.floors.values():
            if each.workspace.account_sid == event.account_sid and each.workspace.friendly_name == name:
                raise Refused(20001, f"A workspace named {name!r} exists")
        bare = Workspace(sid=event.sid, account_sid=event.account_sid, date_created=now, friendly_name=name)
        floor = Floor(bare, self._new_sid, keep_ended=self._keep_ended)
        floor.now, floor.actor = now, event.actor
        record = workspaces.begin(floor, event)
        self.floors[event.sid] = floor
        return [*floor.flush(), Answer(value=record)]

    def _requested(self, floor: Floor, event: DeskRequested) -> Any:
        write = participants.BY_NOUN.get(event.noun)
        if write is None:
            write = getattr(requests.collect().get(event.noun), event.operation, None)
        if write is None:
            raise Refused(20404, f"A {event.noun[:40]} has no {event.operation}", 404)
        record = write(floor, event)
        if event.noun == "Workspace" and event.operation == "delete":
            del self.floors[event.workspace_sid]
        return record

    def _load(self, event: WorkspacesLoaded, now: float) -> Sequence[Effect]:
        workspace = next(each for each in event.records if isinstance(each, Workspace))
        floor = Floor(workspace, self._new_sid, keep_ended=self._keep_ended)
        floor.now = now
        floor.load(each for each in event.records if not isinstance(each, Workspace))
        self.floors[workspace.sid] = floor
        for job in list(floor.tasks.values()):
            _resume(floor, job)
        for reservation in floor.reservations.values():
            if reservation.reservation_status == "pending":
                floor.agenda.add(reservation.expires_at, "expire", reservation.sid)
        settle(floor)
        effects = floor.flush()
        self._arm(floor, effects)
        return effects

    def _arm(self, floor: Floor, effects: list[Effect]) -> None:
        """Let the timer run for what is due first."""
        first = floor.agenda.first()
        if first == floor.agenda.armed:
            return
        floor.agenda.armed = first
        sid = floor.workspace.sid
        if first is None:
            effects.append(StopTimer(lane=Lane("workspace", sid), name=TICK))
        else:
            seconds = max(0.0, first - floor.now)
            effects.append(StartTimer(lane=Lane("workspace", sid), name=TICK, seconds=seconds, pulls=False))

    def _tick(self, floor: Floor, event: TimerFired) -> None:
        floor.agenda.armed = None  # what is due is done after every event


def _catch_up(floor: Floor) -> None:
    """Do whatever is due by now, one after the other, and make the assignments that are possible."""
    while (due := floor.agenda.pop(floor.now)) is not None:
        _due(floor, due)
        settle(floor)
    settle(floor)


def _due(floor: Floor, due: Due) -> None:
    if due.what == "expire":
        reservation = floor.reservations.get(due.sid)
        if reservation is not None and reservation.reservation_status == "pending":
            expire(floor, reservation)
        return
    job = floor.tasks.get(due.sid)
    if job is None:
        return
    task = job.record
    if due.what == "target":
        if task.target_entered == due.stamp and (task.target_over or _time_is_up(job, due.at)):
            target_due(floor, job)
    elif due.what == "ttl" and task.assignment_status in ("pending", "reserved"):
        cancel_task(floor, job, TTL_OVER)
    elif due.what == "assigned" and task.assignment_status == "assigned" and task.status_since == due.stamp:
        delete_task(floor, job, "task.system-deleted")
    elif due.what == "remove" and floor.over(job) and task.status_since == due.stamp:
        delete_task(floor, job, None)
    elif due.what == "retry":
        job.asked &= {floor.reservations[sid].worker_sid for sid in job.open}
        floor.dirty_tasks.add(task.sid)


def _time_is_up(job: Job, at: float) -> bool:
    """Whether the target, as its workflow says now, was to be left by then."""
    timeout = job.target.timeout if job.target is not None else None
    return timeout is not None and at >= job.record.target_entered + timeout


def _resume(floor: Floor, job: Job) -> None:
    """After a restart: what is due for the task, and its place in line."""
    task = job.record
    if floor.over(job):
        floor.agenda.add(task.status_since + floor.keep_ended, "remove", task.sid, task.status_since)
        return
    if task.assignment_status == "assigned":
        floor.agenda.add(task.status_since + 86_400.0, "assigned", task.sid, task.status_since)
    if task.assignment_status in ("pending", "reserved"):
        floor.agenda.add(task.date_created + task.timeout, "ttl", task.sid)
        _recall(floor, job)
        restore(floor, job)
        if task.routing_target in floor.workers and not job.reservations:
            to_worker(floor, job)


def _recall(floor: Floor, job: Job) -> None:
    """After a restart: who was offered the task in this round, or could not be reached just now."""
    task = job.record
    for sid in job.reservations:
        reservation = floor.reservations[sid]
        if task.assignment_status == "reserved" and reservation.date_created >= task.status_since:
            job.asked.add(reservation.worker_sid)
        released = task.assignment_status == "pending" and reservation.date_updated == task.status_since
        if released and reservation.reservation_status == "canceled":
            job.asked.add(reservation.worker_sid)
            floor.agenda.add(task.status_since + RETRY_AFTER, "retry", task.sid)
