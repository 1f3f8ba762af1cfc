"""One workspace in memory: its records, and the indexes that make routing quick.

Everything in it can be rebuilt from the stored records (:meth:`LiveWorkspace.load`). The engine changes records only
through here and through ``lifecycle.py``, and asks for their saving with :meth:`LiveWorkspace.save`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

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
from ringback.taskrouter.configuration import Configuration, read_configuration
from ringback.taskrouter.expression import compile_expression
from ringback.taskrouter.live import (
    IdleKey,
    LiveTask,
    LiveTaskQueue,
    LiveWorker,
    LiveWorkflow,
)
from ringback.taskrouter.machine import RESERVATION_LIVE, TASK_OVER
from ringback.taskrouter.schedule import Schedule
from ringback.taskrouter.task_counts import TaskCounts
from ringback.taskrouter.waiting import Key, Waiting, order
from ringback.taskrouter.worker_index import WorkerIndex

SYSTEM = Actor(type="system", source="system")
"""The actor of what happens by itself: timeouts, assignments."""


class LiveWorkspace:
    """One workspace."""

    def __init__(
        self, record: Workspace, new_sid: Callable[[str], str], *, keep_ended: float = 300.0
    ) -> None:
        """``keep_ended``: seconds that completed and canceled tasks stay readable (§3)."""
        self.record = record
        self.new_sid = new_sid
        self.keep_ended = keep_ended
        self.now = 0.0
        self.actor = SYSTEM
        """Who caused the event that is being handled."""
        self.out: list[Effect] = []
        self.activities: dict[str, Activity] = {}
        self.channels: dict[str, TaskChannel] = {}
        self.channel_names: dict[str, str] = {}
        self.queues: dict[str, LiveTaskQueue] = {}
        self.workflows: dict[str, LiveWorkflow] = {}
        self.workers: dict[str, LiveWorker] = {}
        self.worker_names: dict[str, str] = {}
        """Lower-case friendly name → SID."""
        self.worker_channels: dict[str, WorkerChannel] = {}
        self.tasks: dict[str, LiveTask] = {}
        """In the order of their creation."""
        self.tasks_of_call: dict[str, list[str]] = {}
        self.tasks_naming: dict[str, dict[str, None]] = {}
        """Attribute ``call_sid`` of tasks → their SIDs: whoever made them, readers find the tasks of a call."""
        self.reservations: dict[str, Reservation] = {}
        self.schedule = Schedule()
        self.worker_index = WorkerIndex()
        self.task_counts = TaskCounts()
        """Counts of live tasks, for statistics."""
        self.dirty_tasks: set[str] = set()
        """Tasks that may have become assignable; see ``assignment.settle``."""
        self.dirty_workers: set[str] = set()
        self.direct: dict[str, list[str]] = {}
        """Worker SID → tasks that are for them alone and wait until they are free."""
        self.watching: set[str] = set()
        """SIDs of the queues and workflows whose expressions read figures of workers' channels."""
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
                self.task_counts.update(record)
        effects: list[Effect] = [Save(record.copy()) for record in self._saves.values()]
        effects += self.out
        self._saves.clear()
        self.out = []
        return effects

    def wants(self, kind: str) -> bool:
        """Whether the event callback is told of this type (``EventsFilter``)."""
        wanted = self.record.events_filter
        return not wanted or kind in {each.strip() for each in wanted.split(",")}

    # --- finding -------------------------------------------------------------------------------------------

    def task(self, sid: str) -> LiveTask:
        """A task; raises :class:`Refused` 20404."""
        found: LiveTask = _need(self.tasks.get(sid), "task", sid)
        return found

    def reservation(self, sid: str) -> Reservation:
        """A reservation; raises :class:`Refused` 20404."""
        found: Reservation = _need(self.reservations.get(sid), "reservation", sid)
        return found

    def worker(self, sid: str) -> LiveWorker:
        """A worker; raises :class:`Refused` 20404."""
        found: LiveWorker = _need(self.workers.get(sid), "worker", sid)
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

    def worker_attributes(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """SID and attributes of every worker."""
        return ((sid, worker.attributes) for sid, worker in self.workers.items())

    # --- queues and workflows -----------------------------------------------------------------------------------

    def add_queue(self, record: TaskQueue) -> LiveTaskQueue:
        """A new queue, without members yet (:meth:`update_members`). Its expression can be read."""
        queue = LiveTaskQueue(record, compile_expression(record.target_workers, "worker"))
        self.queues[record.sid] = queue
        self._watch(record.sid, queue.expression.reads_channels)
        return queue

    def change_expression(self, queue: LiveTaskQueue) -> None:
        """The record of a queue names other workers; its expression can be read."""
        queue.expression = compile_expression(queue.record.target_workers, "worker")
        self._watch(queue.record.sid, queue.expression.reads_channels)
        self.update_members(queue)

    def remove_queue(self, queue: LiveTaskQueue) -> None:
        """A queue is deleted."""
        for worker in self.workers.values():
            worker.queues.discard(queue.record.sid)
        del self.queues[queue.record.sid]
        self._watch(queue.record.sid, False)

    def plan(self, record: Workflow, configuration: Configuration) -> LiveWorkflow:
        """A workflow is new, or has another configuration."""
        workflow = self.workflows.get(record.sid)
        if workflow is None:
            workflow = self.workflows[record.sid] = LiveWorkflow(record, configuration)
        workflow.configuration = configuration
        self._watch(record.sid, configuration.reads_channels())
        return workflow

    def remove_workflow(self, sid: str) -> None:
        """A workflow is deleted."""
        del self.workflows[sid]
        self._watch(sid, False)

    def _watch(self, sid: str, reads_channels: bool) -> None:
        (self.watching.add if reads_channels else self.watching.discard)(sid)

    # --- workers: queues, idleness, load ------------------------------------------------------------------------------

    def free_on(self, worker: LiveWorker, channel_sid: str) -> bool:
        """Whether the worker may be offered one more task of the channel (§2.6)."""
        channel = worker.channels.get(channel_sid)
        return (
            worker.record.available
            and channel is not None
            and channel.available
            and channel.assigned_tasks < channel.configured_capacity
            and (self.record.multi_task_enabled or not worker.held)
        )

    def idle_key(self, worker: LiveWorker, channel_sid: str) -> IdleKey:
        """Since when the worker is idle: on this channel alone when it is optimized for that (§7)."""
        if self.channels[channel_sid].channel_optimized_routing:
            return (worker.channels[channel_sid].last_reserved, worker.record.sid)
        return (max(each.last_reserved for each in worker.channels.values()), worker.record.sid)

    def refresh_worker(self, worker: LiveWorker) -> None:
        """Their channels have changed: bring their place among the idle, and in queues that read channels, up to date;
        they may have become able to take something."""
        worker.recount()
        for channel_sid in worker.channels:
            old = worker.idle_keys.get(channel_sid)
            new = self.idle_key(worker, channel_sid) if self.free_on(worker, channel_sid) else None
            if old == new:
                continue
            for queue_sid in worker.queues:
                idle = self.queues[queue_sid].idle.get(channel_sid)
                if idle is None:
                    continue
                if old is not None:
                    idle.discard(old)
                if new is not None:
                    idle.add(new)
            if new is None:
                del worker.idle_keys[channel_sid]
            else:
                worker.idle_keys[channel_sid] = new
        for sid in self.watching:
            queue = self.queues.get(sid)
            if queue is not None:
                self._member(queue, worker, queue.expression(worker.attributes, {}, {}))
        if worker.idle_keys:
            self.dirty_workers.add(worker.record.sid)

    def accepted(self, reservation: Reservation) -> None:
        """A reservation takes what it took, but counts as an assigned task from now on."""
        worker = self.workers.get(reservation.worker_sid)
        if worker is not None:
            worker.recount()
            if self.watching:
                self.refresh_worker(worker)

    def idle_members(self, queue: LiveTaskQueue, channel_sid: str) -> SortedList:
        """The eligible members of a queue for a channel, idle longest first."""
        found = queue.idle.get(channel_sid)
        if found is None:
            keys = (self.workers[sid].idle_keys.get(channel_sid) for sid in queue.members)
            found = queue.idle[channel_sid] = SortedList(key for key in keys if key is not None)
        return found

    def update_queues(self, worker: LiveWorker) -> None:
        """Recompute which queues they serve (their attributes or their name have changed)."""
        worker.reread()
        self.worker_index.update(worker.record.sid, worker.attributes)
        for queue in self.queues.values():
            self._member(queue, worker, queue.expression(worker.attributes, {}, {}))
        if worker.idle_keys:
            self.dirty_workers.add(worker.record.sid)

    def update_members(self, queue: LiveTaskQueue) -> None:
        """Recompute who serves a queue (its expression has changed)."""
        for worker in self.workers.values():
            if self._member(queue, worker, queue.expression(worker.attributes, {}, {})) and worker.idle_keys:
                self.dirty_workers.add(worker.record.sid)

    def leave_queues(self, worker: LiveWorker) -> None:
        """They leave every queue (they are being deleted)."""
        self.worker_index.remove(worker.record.sid)
        for queue_sid in list(worker.queues):
            self._member(self.queues[queue_sid], worker, False)

    def _member(self, queue: LiveTaskQueue, worker: LiveWorker, belongs: bool) -> bool:
        """Let them be a member or not; True when that is new."""
        sid, queue_sid = worker.record.sid, queue.record.sid
        if belongs == (sid in queue.members):
            return False
        activity = worker.record.activity_sid or ""
        if belongs:
            queue.members.add(sid)
            worker.queues.add(queue_sid)
            queue.activities[activity] += 1
        else:
            queue.members.discard(sid)
            worker.queues.discard(queue_sid)
            queue.activities[activity] -= 1
        for channel_sid, idle in queue.idle.items():
            key = worker.idle_keys.get(channel_sid)
            if key is not None:
                (idle.add if belongs else idle.discard)(key)
        return belongs

    def set_activity(self, worker: LiveWorker, activity: Activity) -> bool:
        """Put them into an activity; False when they are in it already."""
        record = worker.record
        if record.activity_sid == activity.sid:
            return False
        for queue_sid in worker.queues:
            counts = self.queues[queue_sid].activities
            counts[record.activity_sid or ""] -= 1
            counts[activity.sid] += 1
        record.activity_sid, record.activity_name = activity.sid, activity.friendly_name
        record.available, record.date_status_changed = activity.available, self.now
        self.save(record)
        self.update_queues(worker)
        self.refresh_worker(worker)
        return True

    def change_load(self, reservation: Reservation, change: int) -> None:
        """A reservation takes (1) or frees (-1) capacity of its worker's channel."""
        worker = self.workers.get(reservation.worker_sid)
        if worker is None:
            return
        channel = worker.channels.get(reservation.task_channel_sid)
        if channel is not None:
            channel.assigned_tasks += change
            if change > 0:
                channel.last_reserved = self.now
            refresh(channel)
            self.save(channel)
        (worker.held.add if change > 0 else worker.held.discard)(reservation.sid)
        self.refresh_worker(worker)

    # --- waiting tasks -----------------------------------------------------------------------------------------

    def begin_waiting(self, task: LiveTask) -> None:
        """Let a task wait at its target; it may be assignable."""
        record, target = task.record, task.target
        queue = self.queues.get(record.task_queue_sid or "")
        if task.waits or target is None or queue is None:
            return
        waiting = queue.waiting.setdefault(record.task_channel_sid, Waiting())
        task.key = order(record, queue.record.task_order)
        waiting.add(record, task.attributes, target, task.key)
        task.waits = True
        self.dirty_tasks.add(record.sid)

    def end_waiting(self, task: LiveTask) -> None:
        """Let a task wait no longer."""
        self.dirty_tasks.discard(task.record.sid)
        if not task.waits:
            return
        task.waits = False
        queue = self.queues.get(task.record.task_queue_sid or "")
        if queue is not None:
            queue.waiting[task.record.task_channel_sid].remove(task.record.sid)

    def global_key(self, task: LiveTask) -> tuple[int, Key]:
        """The place among all waiting tasks of the workspace (§7): FIFO or LIFO queues first."""
        task_order = self.queues[task.record.task_queue_sid or ""].record.task_order
        return (0 if task_order == self.record.prioritize_queue_order else 1, task.key)

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
            self.plan(each, read_configuration(each.configuration))
        for each in kinds.get(TaskQueue, ()):
            self.add_queue(each)
        for each in sorted(kinds.get(Worker, ()), key=lambda one: str(one.sid)):
            self.add_worker(each)
        for each in sorted(kinds.get(WorkerChannel, ()), key=lambda one: (one.date_created, one.sid)):
            self.add_worker_channel(each)
        for each in sorted(kinds.get(Task, ()), key=lambda one: (one.date_created, one.sid)):
            self.add_task(each)
        for each in sorted(kinds.get(Reservation, ()), key=lambda one: (one.date_created, one.sid)):
            self.add_reservation(each)
        for worker in self.workers.values():
            self.update_queues(worker)
            for channel in worker.channels.values():
                live = [self.reservations[sid] for sid in worker.held]
                channel.assigned_tasks = sum(one.task_channel_sid == channel.task_channel_sid for one in live)
                refresh(channel)
            self.refresh_worker(worker)

    def add_channel(self, channel: TaskChannel) -> None:
        """A new task channel."""
        self.channels[channel.sid] = channel
        self.channel_names[channel.unique_name] = channel.sid

    def add_worker(self, record: Worker) -> LiveWorker:
        """A new worker, in no queue yet (:meth:`update_queues`)."""
        worker = self.workers[record.sid] = LiveWorker(record, self.reservations)
        self.worker_names[record.friendly_name.lower()] = record.sid
        return worker

    def add_worker_channel(self, channel: WorkerChannel) -> None:
        """A new channel of a worker."""
        self.worker_channels[channel.sid] = channel
        worker = self.workers.get(channel.worker_sid)
        if worker is not None and channel.task_channel_sid in self.channels:
            worker.channels[channel.task_channel_sid] = channel

    def add_task(self, record: Task) -> LiveTask:
        """A new or stored task, which does not wait yet."""
        task = self.tasks[record.sid] = LiveTask(record)
        self.task_counts.update(record)
        self.describe(task, task.attributes)
        if record.call_sid:
            self.tasks_of_call.setdefault(record.call_sid, []).append(record.sid)
        return task

    def add_reservation(self, reservation: Reservation) -> None:
        """A new or stored reservation; capacity is not touched."""
        self.reservations[reservation.sid] = reservation
        task = self.tasks.get(reservation.task_sid)
        if task is not None:
            task.reservations.append(reservation.sid)
            if reservation.reservation_status == "pending":
                task.open.add(reservation.sid)
                task.asked.add(reservation.worker_sid)
        worker = self.workers.get(reservation.worker_sid)
        if worker is not None and reservation.reservation_status in RESERVATION_LIVE:
            worker.held.add(reservation.sid)

    def describe(self, task: LiveTask, attributes: dict[str, Any]) -> None:
        """Give a task other attributes (read already); :attr:`tasks_naming` follows."""
        self._unname(task)
        task.attributes = attributes
        call_sid = attributes.get("call_sid")
        if isinstance(call_sid, str):
            self.tasks_naming.setdefault(call_sid, {})[task.record.sid] = None

    def _unname(self, task: LiveTask) -> None:
        call_sid = task.attributes.get("call_sid")
        if not isinstance(call_sid, str):
            return
        named = self.tasks_naming.get(call_sid, {})
        named.pop(task.record.sid, None)
        if not named:
            self.tasks_naming.pop(call_sid, None)

    def remove_task(self, task: LiveTask) -> None:
        """Forget a task and its reservations."""
        record = task.record
        self.end_waiting(task)
        del self.tasks[record.sid]
        self.task_counts.drop(record.sid)
        self._unname(task)
        if record.call_sid:
            siblings = self.tasks_of_call.get(record.call_sid, [])
            if record.sid in siblings:
                siblings.remove(record.sid)
            if not siblings:
                self.tasks_of_call.pop(record.call_sid, None)
        for sid in task.reservations:
            self.reservations.pop(sid, None)
            self.forget(sid)
        self.forget(record.sid)

    def over(self, task: LiveTask) -> bool:
        """Whether a task is completed or canceled."""
        return task.record.assignment_status in TASK_OVER


def refresh(channel: WorkerChannel) -> None:
    """Recompute the percentage that is free, rounded down (§2.6)."""
    configured = channel.configured_capacity
    free = max(0, configured - channel.assigned_tasks)
    channel.available_capacity_percentage = 100 * free // configured if configured else 0


def _need(found: Any, kind: str, sid: str) -> Any:
    if found is None:
        raise Refused(20404, f"The requested {kind} {sid[:64]} was not found", 404)
    return found
