"""What the REST side reads of TaskRouter's memory (``taskrouter/workspace.py``): protocols, and finding by SID."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol

from ringback.kernel.errors import Refused
from ringback.kernel.sid import is_sid
from ringback.resources.taskrouter.activity import Activity
from ringback.resources.taskrouter.reservation import Reservation
from ringback.resources.taskrouter.task import Task
from ringback.resources.taskrouter.task_channel import TaskChannel
from ringback.resources.taskrouter.task_queue import TaskQueue
from ringback.resources.taskrouter.worker import Worker
from ringback.resources.taskrouter.worker_channel import WorkerChannel
from ringback.resources.taskrouter.workflow import Workflow
from ringback.resources.taskrouter.workspace import Workspace
from ringback.web.rest.context import Context


class Expression(Protocol):
    """A compiled routing expression (``taskrouter/expression.py``)."""

    @property
    def constants(self) -> Sequence[tuple[str, Any]]:
        """(path, value) of each ``path == constant`` that must hold for the whole to hold."""

    def __call__(
        self, worker: Mapping[str, Any], task: Mapping[str, Any], counts: Mapping[str, int], /
    ) -> bool:
        """Tell whether it holds; never raises."""


Compile = Callable[[str, Any], Expression]
"""Text and scope (``worker``: the worker's attributes; ``task``: the task's) → expression; raises ``ValueError``
with the position of what is wrong."""


class LiveWorker(Protocol):
    """A worker with what was computed of them."""

    @property
    def record(self) -> Worker:
        """The worker."""

    @property
    def attributes(self) -> Mapping[str, Any]:
        """Their attributes, with the four names that expressions know besides."""

    @property
    def channels(self) -> Mapping[str, WorkerChannel]:
        """Task channel SID → their channel."""

    @property
    def queues(self) -> Collection[str]:
        """SIDs of the queues that they serve."""

    @property
    def held(self) -> Collection[str]:
        """SIDs of their live reservations."""


class LiveTask(Protocol):
    """A task with what was computed of it."""

    @property
    def record(self) -> Task:
        """The task."""

    @property
    def attributes(self) -> Mapping[str, Any]:
        """Its attributes."""

    @property
    def reservations(self) -> Sequence[str]:
        """SIDs of its reservations, oldest first."""


class LiveTaskQueue(Protocol):
    """A queue with its expression."""

    @property
    def record(self) -> TaskQueue:
        """The queue."""

    @property
    def expression(self) -> Expression:
        """Who serves it."""


class LiveWorkflow(Protocol):
    """A workflow."""

    @property
    def record(self) -> Workflow:
        """The workflow."""


class LiveWorkspace(Protocol):
    """One workspace; every mapping is by SID."""

    @property
    def record(self) -> Workspace:
        """The workspace itself."""

    @property
    def activities(self) -> Mapping[str, Activity]:
        """Its activities."""

    @property
    def channels(self) -> Mapping[str, TaskChannel]:
        """Its task channels."""

    @property
    def channel_names(self) -> Mapping[str, str]:
        """Unique name → SID of a task channel."""

    @property
    def queues(self) -> Mapping[str, LiveTaskQueue]:
        """Its queues."""

    @property
    def workflows(self) -> Mapping[str, LiveWorkflow]:
        """Its workflows."""

    @property
    def workers(self) -> Mapping[str, LiveWorker]:
        """Its workers, in the order of their creation."""

    @property
    def worker_names(self) -> Mapping[str, str]:
        """Lower-case friendly name → SID of a worker."""

    @property
    def tasks(self) -> Mapping[str, LiveTask]:
        """Its tasks, in the order of their creation."""

    @property
    def tasks_naming(self) -> Mapping[str, Collection[str]]:
        """A call's SID → the tasks whose attribute ``call_sid`` it is."""

    @property
    def reservations(self) -> Mapping[str, Reservation]:
        """Reservations of the tasks that there are, oldest first."""


class TaskRouter(Protocol):
    """All workspaces."""

    @property
    def workspaces(self) -> Mapping[str, LiveWorkspace]:
        """Workspace SID → what is in it."""


def normal(word: str) -> str:
    """A SID with its digits in lower case (rest-conventions.md §6); other words as they are."""
    return word[:2] + word[2:].lower() if is_sid(word) else word


def workspace_of(taskrouter: TaskRouter, ctx: Context) -> LiveWorkspace:
    """The workspace that the path names; raises ``Refused`` 20404 when it is not the account's."""
    workspace = taskrouter.workspaces.get(normal(ctx.args["WorkspaceSid"]))
    if workspace is None or workspace.record.account_sid != ctx.account.sid:
        raise Refused(20404, f"The requested resource {ctx.path} was not found", 404)
    return workspace
