"""TaskRouter over REST: read from the desk's memory, written by events of the workspace (taskrouter.md §2)."""

from __future__ import annotations

from collections.abc import Callable

from ringback.kernel.resource import Record
from ringback.resources.taskrouter.activity import Activity
from ringback.resources.taskrouter.event import Event
from ringback.resources.taskrouter.reservation import Reservation
from ringback.resources.taskrouter.task import Task
from ringback.resources.taskrouter.task_channel import TaskChannel
from ringback.resources.taskrouter.task_queue import TaskQueue
from ringback.resources.taskrouter.worker import Worker
from ringback.resources.taskrouter.worker_channel import WorkerChannel
from ringback.resources.taskrouter.workflow import Workflow
from ringback.resources.taskrouter.workspace import Workspace
from ringback.store import Store
from ringback.web.rest.context import LiveHandler, Source
from ringback.web.taskrouter.events import EventSource
from ringback.web.taskrouter.floors import Compile, Floors
from ringback.web.taskrouter.live import Ask, LiveNoun
from ringback.web.taskrouter.nouns import RecordSource, TaskChannelSource, WorkspaceSource
from ringback.web.taskrouter.queues import TaskQueueSource
from ringback.web.taskrouter.reservations import ReservationSource
from ringback.web.taskrouter.tasks import TaskSource
from ringback.web.taskrouter.workers import WorkerChannelSource, WorkerSource

__all__ = ["live_taskrouter", "sources_taskrouter"]

WRITTEN: tuple[type[Record], ...] = (
    Workspace, Activity, Worker, WorkerChannel, TaskQueue, Workflow, TaskChannel, Task, Reservation,
)  # fmt: skip


def live_taskrouter(ask: Ask, new_sid: Callable[[str], str]) -> dict[type[Record], LiveHandler]:
    """Who carries out the writes. ``ask`` hands an event in and gives the desk's answer."""
    return {record: LiveNoun(record.__noun__, ask, new_sid) for record in WRITTEN}


def sources_taskrouter(
    desk: Floors, store: Store, *, compile_expression: Compile
) -> dict[type[Record], Source]:
    """Where the nouns are read: all in the desk's memory, but events in the store."""
    return {
        Workspace: WorkspaceSource(desk),
        Activity: RecordSource(desk, lambda floor: floor.activities),
        TaskChannel: TaskChannelSource(desk),
        Workflow: RecordSource(
            desk, lambda floor: {sid: plan.record for sid, plan in floor.workflows.items()}
        ),
        TaskQueue: TaskQueueSource(desk),
        Worker: WorkerSource(desk, compile_expression),
        WorkerChannel: WorkerChannelSource(desk),
        Task: TaskSource(desk, compile_expression),
        Reservation: ReservationSource(desk),
        Event: EventSource(desk, store),
    }
