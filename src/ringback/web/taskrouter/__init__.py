"""TaskRouter over REST: read from TaskRouter's memory, written by events of the workspace (taskrouter.md §2)."""

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
from ringback.web.taskrouter.live import Ask, LiveNoun
from ringback.web.taskrouter.nouns import RecordSource, TaskChannelSource, WorkspaceSource
from ringback.web.taskrouter.queues import TaskQueueSource
from ringback.web.taskrouter.reservations import ReservationSource
from ringback.web.taskrouter.tasks import TaskSource
from ringback.web.taskrouter.workers import WorkerChannelSource, WorkerSource
from ringback.web.taskrouter.workspaces import Compile, TaskRouter

__all__ = ["live_taskrouter", "sources_taskrouter"]

WRITTEN: tuple[type[Record], ...] = (
    Workspace, Activity, Worker, WorkerChannel, TaskQueue, Workflow, TaskChannel, Task, Reservation,
)  # fmt: skip


def live_taskrouter(ask: Ask, new_sid: Callable[[str], str]) -> dict[type[Record], LiveHandler]:
    """Who carries out the writes. ``ask`` hands an event in and gives TaskRouter's answer."""
    return {record: LiveNoun(record.__noun__, ask, new_sid) for record in WRITTEN}


def sources_taskrouter(
    taskrouter: TaskRouter, store: Store, *, compile_expression: Compile
) -> dict[type[Record], Source]:
    """Where the nouns are read: all in TaskRouter's memory, but events in the store."""
    return {
        Workspace: WorkspaceSource(taskrouter),
        Activity: RecordSource(taskrouter, lambda workspace: workspace.activities),
        TaskChannel: TaskChannelSource(taskrouter),
        Workflow: RecordSource(
            taskrouter,
            lambda workspace: {sid: workflow.record for sid, workflow in workspace.workflows.items()},
        ),
        TaskQueue: TaskQueueSource(taskrouter),
        Worker: WorkerSource(taskrouter, compile_expression),
        WorkerChannel: WorkerChannelSource(taskrouter),
        Task: TaskSource(taskrouter, compile_expression),
        Reservation: ReservationSource(taskrouter),
        Event: EventSource(taskrouter, store),
    }
