"""One workspace in memory: its records, and the indexes that make routing quick.

Everything in it can be rebuilt from the stored records (:meth:`Floor.load`). The engine changes records only
through here and through ``lifecycle.py``, and asks for their saving with :meth:`Floor.save`.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sortedcontainers import SortedList

from ringback.effects import Effect, Save
from ringback.events.taskrouter import Actor
from ringback.kernel.errors import Refused
from ringback.kernel.resource import Record
from ringback.resources.taskrouter.activity import Activity
from ringback.resources.taskrouter.reservation import Reservation
from ringback.resources.taskrouter.task import Task
from ringback.resources.taskrouter.task_channel import TaskChannel
from ringback.resources.taskrouter.task_queue import TaskQueue
from ringback.resources.taskrouter.worker import Worker
from ringback.resources.taskrouter.worker_channel import WorkerChannel
from ringback.resources.taskrouter.workflow import Workflow
from ringback.resources.taskrouter.workspace import Workspace
from ringback.taskrouter.agenda import Agenda
from ringback.taskrouter.census import Census
from ringback.taskrouter.configuration import Configuration, Target, read_configuration
from ringback.taskrouter.expression import Expression, compile_expression
from ringback.taskrouter.line import Key, Waiting, order
from ringback.taskrouter.machine import RESERVATION_LIVE, TASK_OVER
from ringback.taskrouter.whois import WhoIs

SYSTEM = Actor(type="system", source="system")
"""The actor of what happens by itself: timeouts, assignments."""
Seat = tuple[float, str]
"""When a worker was last offered a task (0: never), and his SID: smaller is idle longer."""


def read_attributes(text: str) -> dict[str, Any]:
    """The object of a JSON text; anything else counts as empty (writes are checked before)."""
    try:
        value = msgspec.json.decode(text or "{}")
    except (msgspec.DecodeError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


class Agent:
    """A worker with what routing needs to know of him."""

    __slots__ = ("attributes", "channels", "held", "queues", "record", "seats")

    def __init__(self, record: Worker) -> None:
        self.record = record
        self.channels: dict[str, WorkerChannel] = {}
        """Task channel SID → his channel."""
        self.queues: set[str] = set()
        self.held: set[str] = set()
        """SIDs of his live reservations."""
        self.seats: dict[str, Seat] = {}
        """Task channel SID → the key under which he sits in the rosters; absent: not eligible."""
        self.attributes: dict[str, Any] = {}
        self.reread()

    def reread(self) -> None:
        """Read the attributes anew, with the four names that expressions know besides."""
        record = self.record
        self.attributes = {
            **read_attributes(record.attributes),
            "sid": record.sid,
            "friendly_name": record.friendly_name,
            "activity_sid": record.activity_sid,
            "activity_name": record.activity_name,
        }


class Job:
    """A task with what routing needs to know of it."""

    __slots__ = ("asked", "attributes", "in_line", "key", "open", "record", "reservations", "target")

    def __init__(self, record: Task) -> None:
        self.record = record
        self.attributes = read_attributes(record.attributes)
        self.target: Target | None = None
        self.in_line = False
        self.key: Key = ()
        self.open: set[str] = set()
        """SIDs of its pending reservations."""
        self.asked: set[str] = set()
        """Workers who were offered it since it was last pending: nobody is asked twice in one round."""
        self.reservations: list[str] = []


@dataclass(slots=True)
class Pool:
    """A queue with its members, the idle ones among them in order, and its waiting tasks."""

    record: TaskQueue
    expression: Expression
    members: set[str] = field(default_factory=set)
    heads: Counter[str] = field(default_factory=Counter)
    """Activity SID → how many members are in it."""
    rosters: dict[str, SortedList] = field(default_factory=dict)
    """Task channel SID → eligible members as seats, idle longest first. Made at the channel's first task."""
    waiting: dict[str, Waiting] = field(default_factory=dict)
    """Task channel SID → its waiting tasks."""


@dataclass(slots=True)
class Plan:
    """A workflow with its configuration read."""

    record: Workflow
    configuration: Configuration


class Floor:
    """One workspace."""

    def __init__(
        self, workspace: Workspace, new_sid: Callable[[str], str], *, keep_ended: float = 300.0
    ) -> None:
        """``keep_ended``: seconds that completed and canceled tasks stay readable (§3)."""
        self.workspace = workspace
        self.new_sid = new_sid
        self.keep_ended = keep_ended
        self.now = 0.0
        self.actor = SYSTEM
        """Who caused the event that is being handled."""
        self.out: list[Effect] = []
        self.activities: dict[str, Activity] = {}
        self.channels: dict[str, TaskChannel] = {}
        self.channel_names: dict[str, str] = {}
        self.queues: dict[str, Pool] = {}
        self.workflows: dict[str, Plan] = {}
        self.workers: dict[str, Agent] = {}
        self.worker_names: dict[str, str] = {}
        """Lower-case friendly name → SID."""
        self.worker_channels: dict[str, WorkerChannel] = {}
        self.tasks: dict[str, Job] = {}
        """In the order of their creation."""
        self.tasks_of_call: dict[str, list[str]] = {}
        self.tasks_naming: dict[str, dict[str, None]] = {}
        """Attribute ``call_sid`` of tasks → their SIDs: whoever made them, readers find the tasks of a call."""
        self.reservations: dict[str, Reservation] = {}
        self.agenda = Agenda()
        self.whois = WhoIs()
        self.census = Census()
        """Counts of live tasks, for statistics."""
        self.dirty_tasks: set[str] = set()
        """Tasks that may have become assignable; see ``assignment.settle``."""
        self.dirty_workers: set[str] = set()
        self.direct: dict[str, list[str]] = {}
        """Worker SID → tasks that are for him alone and wait until he is free."""
        self._saves: dict[str, Record] = {}

    # --- effects ------------------------------------------------------------------------------------------

    def do(self, effect: Effect) -> None:
        """Ask the outside for something."""
        self.out.append(effect)

    def save(self, record: Any) -> None:
        """Save a record with this event; several changes of one record are one write."""
        record.date_updated = self.now
        record.version += 1
        self._saves[record.sid] = record

    def forget(self, sid: str) -> None:
        """The record is deleted: do not save it."""
        self._saves.pop(sid, None)

    def flush(self) -> list[Effect]:
        """The effects of the event that has been handled. Saves go first, as they are at its end."""
        for record in self._saves.values():
            if isinstance(record, Task):
                self.census.note(record)
        effects: list[Effect] = [Save(copy.copy(record)) for record in self._saves.values()]
        effects += self.out
        self._saves.clear()
        self.out = []
        return effects

    def wants(self, kind: str) -> bool:
        """Whether the event callback is told of this type (``EventsFilter``)."""
        wanted = self.workspace.events_filter
        return not wanted or kind in {each.strip() for each in wanted.split(",")}

    # --- finding -------------------------------------------------------------------------------------------

    def task(self, sid: str) -> Job:
        """A task; raises :class:`Refused` 20404."""
        found: Job = _need(self.tasks.get(sid), "task", sid)
        return found

    def reservation(self, sid: str) -> Reservation:
        """A reservation; raises :class:`Refused` 20404."""
        found: Reservation = _need(self.reservations.get(sid), "reservation", sid)
        return found

    def agent(self, sid: str) -> Agent:
        """A worker; raises :class:`Refused` 20404."""
        found: Agent = _need(self.workers.get(sid), "worker", sid)
        return found

    def channel(self, word: str) -> TaskChannel:
        """A task channel by SID or unique name; raises :class:`Refused` 20001."""
        found = self.channels.get(word) or self.channels.get(self.channel_names.get(word, ""))
        if found is None:
            raise Refused(20001, f"TaskChannel {word[:64]!r} is no channel of this workspace")
        return found

    def activity(self, sid: str) -> Activity:
        """An activity; raises :class:`Refused` 20001."""
        found = self.activities.get(sid)
        if found is None:
            raise Refused(20001, f"Activity {sid[:64]} does not exist in this workspace")
        return found

    def everybody(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """SID and attributes of every worker."""
        return ((sid, agent.attributes) for sid, agent in self.workers.items())

    # --- workers and their seats ------------------------------------------------------------------------------

    def free_on(self, agent: Agent, channel_sid: str) -> bool:
        """Whether the worker may be offered one more task of the channel (§2.6)."""
        channel = agent.channels.get(channel_sid)
        return (
            agent.record.available
            and channel is not None
            and channel.available
            and channel.assigned_tasks < channel.configured_capacity
            and (self.workspace.multi_task_enabled or not agent.held)
        )

    def seat(self, agent: Agent, channel_sid: str) -> Seat:
        """Since when the worker is idle: on this channel alone when it is optimized for that (§7)."""
        if self.channels[channel_sid].channel_optimized_routing:
            return (agent.channels[channel_sid].last_reserved, agent.record.sid)
        return (max(each.last_reserved for each in agent.channels.values()), agent.record.sid)

    def reseat(self, agent: Agent) -> None:
        """Bring his place in the rosters up to date; he may have become able to take something."""
        for channel_sid in agent.channels:
            old = agent.seats.get(channel_sid)
            new = self.seat(agent, channel_sid) if self.free_on(agent, channel_sid) else None
            if old == new:
                continue
            for queue_sid in agent.queues:
                roster = self.queues[queue_sid].rosters.get(channel_sid)
                if roster is None:
                    continue
                if old is not None:
                    roster.discard(old)
                if new is not None:
                    roster.add(new)
            if new is None:
                del agent.seats[channel_sid]
            else:
                agent.seats[channel_sid] = new
        if agent.seats:
            self.dirty_workers.add(agent.record.sid)

    def roster(self, pool: Pool, channel_sid: str) -> SortedList:
        """The eligible members of a queue for a channel, idle longest first."""
        found = pool.rosters.get(channel_sid)
        if found is None:
            seats = (self.workers[sid].seats.get(channel_sid) for sid in pool.members)
            found = pool.rosters[channel_sid] = SortedList(seat for seat in seats if seat is not None)
        return found

    def enrol(self, agent: Agent) -> None:
        """Recompute which queues he serves (his attributes or his name have changed)."""
        agent.reread()
        self.whois.update(agent.record.sid, agent.attributes)
        for pool in self.queues.values():
            self._member(pool, agent, pool.expression(agent.attributes, {}, {}))
        if agent.seats:
            self.dirty_workers.add(agent.record.sid)

    def recruit(self, pool: Pool) -> None:
        """Recompute who serves a queue (its expression has changed)."""
        for agent in self.workers.values():
            if self._member(pool, agent, pool.expression(agent.attributes, {}, {})) and agent.seats:
                self.dirty_workers.add(agent.record.sid)

    def dismiss(self, agent: Agent) -> None:
        """He leaves every queue (he is being deleted)."""
        self.whois.remove(agent.record.sid)
        for queue_sid in list(agent.queues):
            self._member(self.queues[queue_sid], agent, False)

    def _member(self, pool: Pool, agent: Agent, belongs: bool) -> bool:
        """Let him be a member or not; True when that is new."""
        sid, queue_sid = agent.record.sid, pool.record.sid
        if belongs == (sid in pool.members):
            return False
        activity = agent.record.activity_sid or ""
        if belongs:
            pool.members.add(sid)
            agent.queues.add(queue_sid)
            pool.heads[activity] += 1
        else:
            pool.members.discard(sid)
            agent.queues.discard(queue_sid)
            pool.heads[activity] -= 1
        for channel_sid, roster in pool.rosters.items():
            seat = agent.seats.get(channel_sid)
            if seat is not None:
                (roster.add if belongs else roster.discard)(seat)
        return belongs

    def move(self, agent: Agent, activity: Activity) -> bool:
        """Put him into an activity; False when he is in it already."""
        record = agent.record
        if record.activity_sid == activity.sid:
            return False
        for queue_sid in agent.queues:
            heads = self.queues[queue_sid].heads
            heads[record.activity_sid or ""] -= 1
            heads[activity.sid] += 1
        record.activity_sid, record.activity_name = activity.sid, activity.friendly_name
        record.available, record.date_status_changed = activity.available, self.now
        self.save(record)
        self.enrol(agent)
        self.reseat(agent)
        return True

    def occupy(self, reservation: Reservation, change: int) -> None:
        """A reservation takes (1) or frees (-1) capacity of its worker's channel."""
        agent = self.workers.get(reservation.worker_sid)
        if agent is None:
            return
        channel = agent.channels.get(reservation.task_channel_sid)
        if channel is not None:
            channel.assigned_tasks += change
            if change > 0:
                channel.last_reserved = self.now
            refresh(channel)
            self.save(channel)
        (agent.held.add if change > 0 else agent.held.discard)(reservation.sid)
        self.reseat(agent)

    # --- tasks in line -----------------------------------------------------------------------------------------

    def line_up(self, job: Job) -> None:
        """Put a task in line at its target; it may be assignable."""
        task, target = job.record, job.target
        pool = self.queues.get(task.task_queue_sid or "")
        if job.in_line or target is None or pool is None:
            return
        waiting = pool.waiting.setdefault(task.task_channel_sid, Waiting())
        job.key = order(task, pool.record.task_order)
        waiting.add(task, job.attributes, target, job.key)
        job.in_line = True
        self.dirty_tasks.add(task.sid)

    def step_out(self, job: Job) -> None:
        """Take a task out of line."""
        self.dirty_tasks.discard(job.record.sid)
        if not job.in_line:
            return
        job.in_line = False
        pool = self.queues.get(job.record.task_queue_sid or "")
        if pool is not None:
            pool.waiting[job.record.task_channel_sid].remove(job.record.sid)

    def global_key(self, job: Job) -> tuple[int, Key]:
        """The place among all waiting tasks of the workspace (§7): FIFO or LIFO queues first."""
        task_order = self.queues[job.record.task_queue_sid or ""].record.task_order
        return (0 if task_order == self.workspace.prioritize_queue_order else 1, job.key)

    # --- loading -------------------------------------------------------------------------------------------------

    def load(self, records: Iterable[Any]) -> None:
        """Take stored records in, in whatever order, and rebuild every index."""
        kinds: dict[type[Record], list[Any]] = {}
        for record in records:
            kinds.setdefault(type(record), []).append(record)
        for each in kinds.get(Activity, ()):
            self.activities[each.sid] = each
        for each in sorted(kinds.get(TaskChannel, ()), key=lambda one: (one.date_created, one.sid)):
            self.add_channel(each)
        for each in kinds.get(Workflow, ()):
            self.workflows[each.sid] = Plan(each, read_configuration(each.configuration))
        for each in kinds.get(TaskQueue, ()):
            self.queues[each.sid] = Pool(each, compile_expression(each.target_workers, "worker"))
        for each in sorted(kinds.get(Worker, ()), key=lambda one: str(one.sid)):
            self.add_worker(each)
        for each in sorted(kinds.get(WorkerChannel, ()), key=lambda one: (one.date_created, one.sid)):
            self.add_worker_channel(each)
        for each in sorted(kinds.get(Task, ()), key=lambda one: (one.date_created, one.sid)):
            self.add_task(each)
        for each in sorted(kinds.get(Reservation, ()), key=lambda one: (one.date_created, one.sid)):
            self.add_reservation(each)
        for agent in self.workers.values():
            self.enrol(agent)
            for channel in agent.channels.values():
                live = [self.reservations[sid] for sid in agent.held]
                channel.assigned_tasks = sum(one.task_channel_sid == channel.task_channel_sid for one in live)
                refresh(channel)
            self.reseat(agent)

    def add_channel(self, channel: TaskChannel) -> None:
        """A new task channel."""
        self.channels[channel.sid] = channel
        self.channel_names[channel.unique_name] = channel.sid

    def add_worker(self, worker: Worker) -> Agent:
        """A new worker, in no queue yet (:meth:`enrol`)."""
        agent = self.workers[worker.sid] = Agent(worker)
        self.worker_names[worker.friendly_name.lower()] = worker.sid
        return agent

    def add_worker_channel(self, channel: WorkerChannel) -> None:
        """A new channel of a worker."""
        self.worker_channels[channel.sid] = channel
        agent = self.workers.get(channel.worker_sid)
        if agent is not None and channel.task_channel_sid in self.channels:
            agent.channels[channel.task_channel_sid] = channel

    def add_task(self, task: Task) -> Job:
        """A new or stored task, not in line yet."""
        job = self.tasks[task.sid] = Job(task)
        self.census.note(task)
        self.describe(job, job.attributes)
        if task.call_sid:
            self.tasks_of_call.setdefault(task.call_sid, []).append(task.sid)
        return job

    def add_reservation(self, reservation: Reservation) -> None:
        """A new or stored reservation; capacity is not touched."""
        self.reservations[reservation.sid] = reservation
        job = self.tasks.get(reservation.task_sid)
        if job is not None:
            job.reservations.append(reservation.sid)
            if reservation.reservation_status == "pending":
                job.open.add(reservation.sid)
                job.asked.add(reservation.worker_sid)
        agent = self.workers.get(reservation.worker_sid)
        if agent is not None and reservation.reservation_status in RESERVATION_LIVE:
            agent.held.add(reservation.sid)

    def describe(self, job: Job, attributes: dict[str, Any]) -> None:
        """Give a task other attributes (read already); :attr:`tasks_naming` follows."""
        self._unname(job)
        job.attributes = attributes
        call_sid = attributes.get("call_sid")
        if isinstance(call_sid, str):
            self.tasks_naming.setdefault(call_sid, {})[job.record.sid] = None

    def _unname(self, job: Job) -> None:
        call_sid = job.attributes.get("call_sid")
        if not isinstance(call_sid, str):
            return
        named = self.tasks_naming.get(call_sid, {})
        named.pop(job.record.sid, None)
        if not named:
            self.tasks_naming.pop(call_sid, None)

    def remove_task(self, job: Job) -> None:
        """Forget a task and its reservations."""
        task = job.record
        self.step_out(job)
        del self.tasks[task.sid]
        self.census.drop(task.sid)
        self._unname(job)
        if task.call_sid:
            siblings = self.tasks_of_call.get(task.call_sid, [])
            if task.sid in siblings:
                siblings.remove(task.sid)
            if not siblings:
                self.tasks_of_call.pop(task.call_sid, None)
        for sid in job.reservations:
            self.reservations.pop(sid, None)
            self.forget(sid)
        self.forget(task.sid)

    def over(self, job: Job) -> bool:
        """Whether a task is completed or canceled."""
        return job.record.assignment_status in TASK_OVER


def refresh(channel: WorkerChannel) -> None:
    """Recompute the percentage that is free (§2.6)."""
    configured = channel.configured_capacity
    free = max(0, configured - channel.assigned_tasks)
    channel.available_capacity_percentage = round(100 * free / configured) if configured else 0


def _need(found: Any, kind: str, sid: str) -> Any:
    if found is None:
        raise Refused(20404, f"The requested {kind} {sid[:64]} was not found", 404)
    return found
