"""A workspace's past tasks once more, through the same core, on a timeline that is jumped along (issue 3, point 9).

Everything is a copy: nothing here can reach the workspace itself. Pure; a task costs about a millisecond.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from ringback.effects import Save, StartTimer, StopTimer
from ringback.events import Event as Fact
from ringback.events import TimerFired
from ringback.events.taskrouter import WorkspacesLoaded, WorkspaceWriteRequested
from ringback.kernel.errors import Refused
from ringback.kernel.lane import Lane
from ringback.resources.taskrouter.activity import Activity
from ringback.resources.taskrouter.event import Event
from ringback.resources.taskrouter.worker import Worker
from ringback.taskrouter.behaviour import Behaviour
from ringback.taskrouter.life import Life, add_event
from ringback.taskrouter.router import TICK, TaskRouter
from ringback.taskrouter.workspace import LiveWorkspace

ABSENT = "WA" + "0" * 32
"""The activity of workers who are not there: created later, or in one that has been deleted since."""
MOVES = ("worker.activity.update", "worker.created", "reservation.timeout")
"""Event types that tell where workers were, and which moves a timeout caused."""


PAUSE_EVERY = 4
"""Events between two pauses: about 1 ms of computing."""


class Move(NamedTuple):
    """A worker changes their activity."""

    at: float
    worker: str
    activity: str


@dataclass(frozen=True, slots=True)
class Cast:
    """Who is there: copies of a workspace's records as they are at the start of the time."""

    records: tuple[Any, ...]
    moves: tuple[Move, ...]
    """In order."""


def copies(workspace: LiveWorkspace) -> tuple[Any, ...]:
    """Copies of a workspace's records, the workspace first, without tasks, reservations and callbacks.

    This alone has to happen beside the workspace: about 15 ms for 1,000 workers.
    """
    return (
        replace(workspace.record, event_callback_url=None),
        *(each.copy() for each in workspace.activities.values()),
        *(each.copy() for each in workspace.channels.values()),
        *(queue.record.copy() for queue in workspace.queues.values()),
        *(
            replace(workflow.record, assignment_callback_url=None, fallback_assignment_callback_url=None)
            for workflow in workspace.workflows.values()
        ),
        *(worker.record.copy() for worker in workspace.workers.values()),
        *(
            replace(each, assigned_tasks=0, last_reserved=0.0, available_capacity_percentage=100)
            for each in workspace.worker_channels.values()
        ),
    )


def cast(records: Sequence[Any], events: Sequence[Event], start: float) -> Cast:
    """Put the workers of :func:`copies` into the activities in which they were at ``start``.

    ``events``: of :data:`MOVES`, oldest first, from ``start`` to now.
    """
    workspace = records[0]
    absent = Activity(
        sid=ABSENT, account_sid=workspace.account_sid, date_created=start, workspace_sid=workspace.sid,
        friendly_name="Absent", available=False,
    )  # fmt: skip
    activities = {each.sid: each for each in records if isinstance(each, Activity)} | {ABSENT: absent}
    workers = {each.sid: each for each in records if isinstance(each, Worker)}
    expired = {
        (each.worker_sid, each.event_date) for each in events if each.event_type == "reservation.timeout"
    }
    at_start: dict[str, str] = {}
    moves: list[Move] = []
    for event in events:
        worker, data = event.worker_sid or "", event.event_data
        if worker not in workers or event.event_date < start or event.event_type == "reservation.timeout":
            continue
        before = ABSENT
        if event.event_type != "worker.created":
            before = str(data.get("worker_previous_activity_sid") or ABSENT)
        at_start.setdefault(worker, before)
        activity = str(data.get("worker_activity_sid") or "")
        by_itself = (worker, event.event_date) in expired  # in the rehearsal it comes about if it does
        if activity in activities and not by_itself:
            moves.append(Move(event.event_date, worker, activity))
    for sid, record in workers.items():
        then = activities.get(at_start.get(sid, record.activity_sid or ABSENT), absent)
        record.activity_sid, record.activity_name = then.sid, then.friendly_name
        record.available, record.date_status_changed = then.available, start
    return Cast((*records, absent), tuple(moves))


class Rehearsal:
    """One run."""

    def __init__(self, cast: Cast, past: Sequence[Life], start: float, until: float) -> None:
        """``until``: when the run ends, whatever still waits then (Unix seconds)."""
        self._numbers = itertools.count(1)
        self._taskrouter = TaskRouter(self._sid, keep_ended=1.0)
        self._record = cast.records[0]
        self._until, self._now = until, start
        self._due: float | None = None
        self._habits = Behaviour(past)
        self._past = {life.sid: life for life in past}
        self._agenda: list[tuple[float, int, Any, Any]] = []
        self._found: dict[str, Life] = {}
        self.refused: dict[str, str] = {}
        """Tasks (and moves of workers) that the core would not take: SID → why."""
        self.guessed = 0
        """Offers to workers who had never been offered the task: they did what they usually do."""
        self._tell(
            WorkspacesLoaded(workspace_sid=self._record.sid, records=tuple(r.copy() for r in cast.records))
        )
        for move in cast.moves:
            if move.at <= until:
                self._at(move.at, self._move, move)
        for life in past:
            self._at(life.created, self._arrive, life)

    def run(self, pause: Callable[[], None]) -> dict[str, Life]:
        """Play it to the end; gives what became of the tasks. ``pause`` is called every few milliseconds."""
        for step in itertools.count():
            if step % PAUSE_EVERY == 0:
                pause()
            action = self._agenda[0][0] if self._agenda else None
            due = self._due
            if due is not None and (action is None or due <= action):
                if due > self._until:
                    break
                self._now, self._due = max(self._now, due), None
                self._tell(TimerFired(lane=Lane("workspace", self._record.sid), name=TICK))
            elif action is not None and action <= self._until:
                at, _, act, what = heapq.heappop(self._agenda)
                self._now = max(self._now, at)
                act(what)
            else:
                break
        return self._found

    # --- what happens from outside ----------------------------------------------------------------------------

    def _arrive(self, life: Life) -> None:
        data = life.data
        values: dict[str, Any] = {
            "attributes": str(data.get("task_attributes") or "{}"), "priority": int(data.get("task_priority") or 0),
        }  # fmt: skip
        if life.workflow:
            values["workflow_sid"] = life.workflow
        if data.get("task_timeout"):
            values["timeout"] = int(data["task_timeout"])
        if data.get("task_virtual_start_time"):
            values["virtual_start_time"] = float(data["task_virtual_start_time"])
        params = {"TaskChannel": life.channel}
        if data.get("task_routing_target"):
            params["RoutingTarget"] = str(data["task_routing_target"])
            params["IgnoreCapacity"] = str(data.get("task_ignore_capacity") or "")
            if data.get("task_queue_sid"):
                values["task_queue_sid"] = str(data["task_queue_sid"])
        if self._ask("create", "Task", life.sid, values, params) and life.given_up is not None:
            self._at(life.created + life.given_up, self._give_up, life)

    def _give_up(self, life: Life) -> None:
        task = self._workspace.tasks.get(life.sid)
        if task is not None and task.record.assignment_status in ("pending", "reserved"):
            params = {"AssignmentStatus": "canceled"}
            self._ask("update", "Task", life.sid, {"reason": life.reason or "canceled"}, params)

    def _move(self, move: Move) -> None:
        params = {"RejectPendingReservations": "true"}
        self._ask("update", "Worker", move.worker, {"activity_sid": move.activity}, params)

    def _react(self, what: tuple[str, str]) -> None:
        status, sid = what
        reservation = self._workspace.reservations.get(sid)
        wanted = "accepted" if status == "completed" else "pending"
        if reservation is None or reservation.reservation_status != wanted:
            return
        self._ask("update", "Reservation", sid, {}, {"ReservationStatus": status})
        if status == "accepted":
            work = self._habits.work(reservation.task_sid, reservation.task_channel_sid)
            self._at(self._now + work, self._react, ("completed", sid))

    # --- the core -----------------------------------------------------------------------------------------------

    @property
    def _workspace(self) -> LiveWorkspace:
        return self._taskrouter.workspaces[self._record.sid]

    def _sid(self, prefix: str) -> str:
        return f"{prefix}{next(self._numbers):032x}"

    def _at(self, at: float, act: Any, what: Any) -> None:
        heapq.heappush(self._agenda, (at, next(self._numbers), act, what))

    def _ask(
        self, operation: Any, noun: str, sid: str, values: dict[str, Any], params: dict[str, str]
    ) -> bool:
        try:
            self._tell(
                WorkspaceWriteRequested(
                    workspace_sid=self._record.sid, account_sid=self._record.account_sid, noun=noun,
                    operation=operation, sid=sid, values=values, params=params,
                )
            )  # fmt: skip
        except Refused as error:
            self.refused.setdefault(sid, error.message)
            return False
        return True

    def _tell(self, fact: Fact) -> None:
        for effect in self._taskrouter.handle(fact, self._now):
            if isinstance(effect, Save) and isinstance(effect.record, Event):
                self._happened(effect.record)
            elif isinstance(effect, StartTimer):
                self._due = self._now + effect.seconds
            elif isinstance(effect, StopTimer):
                self._due = None

    def _happened(self, event: Event) -> None:
        add_event(self._found, event)
        if event.event_type == "reservation.created":
            self._offered(event)

    def _offered(self, event: Event) -> None:
        reaction = self._habits.reaction(event.task_sid or "", event.worker_sid or "")
        self.guessed += not reaction.known
        if reaction.what != "timeout":
            self._at(self._now + reaction.after, self._react, (reaction.what, event.reservation_sid or ""))
