"""TaskRouter's nouns in memory: each stored record with what routing needs to know of it besides.

``workspace.py`` holds them and keeps their indexes; nobody else changes these attributes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sortedcontainers import SortedList

from ringback.resources.taskrouter.reservation import Reservation
from ringback.resources.taskrouter.task import Task
from ringback.resources.taskrouter.task_queue import TaskQueue
from ringback.resources.taskrouter.worker import Worker
from ringback.resources.taskrouter.worker_channel import WorkerChannel
from ringback.resources.taskrouter.workflow import Workflow
from ringback.resources.telephony import LegState
from ringback.taskrouter.configuration import Configuration, Target
from ringback.taskrouter.expression import Expression
from ringback.taskrouter.figures import Figures, WorkerData
from ringback.taskrouter.waiting import Key, Waiting

IdleKey = tuple[float, str]
"""When a worker was last offered a task (0: never), and their SID: smaller is idle longer."""


def read_attributes(text: str) -> dict[str, Any]:
    """The object of a JSON text; anything else counts as empty (writes are checked before)."""
    try:
        value = msgspec.json.decode(text or "{}")
    except (msgspec.DecodeError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


class LiveWorker:
    """A worker with what routing needs to know of them."""

    __slots__ = (
        "_figures",
        "_reservations",
        "attributes",
        "channels",
        "held",
        "idle_keys",
        "queues",
        "record",
    )

    def __init__(self, record: Worker, reservations: Mapping[str, Reservation]) -> None:
        """``reservations``: the workspace's, by SID."""
        self.record = record
        self.channels: dict[str, WorkerChannel] = {}
        """Task channel SID → their channel."""
        self.queues: set[str] = set()
        self.held: set[str] = set()
        """SIDs of their live reservations."""
        self.idle_keys: dict[str, IdleKey] = {}
        """Task channel SID → the key under which they stand in ``LiveTaskQueue.idle``; absent: not eligible."""
        self.attributes: Mapping[str, Any] = {}
        self._reservations = reservations
        self._figures: dict[str, Figures] = {}
        """What was counted since the last change (:meth:`recount`)."""
        self.reread()

    def reread(self) -> None:
        """Read the attributes anew, with the four names that expressions know besides."""
        record = self.record
        names = {
            "sid": record.sid,
            "friendly_name": record.friendly_name,
            "activity_sid": record.activity_sid,
            "activity_name": record.activity_name,
        }
        self.attributes = WorkerData({**read_attributes(record.attributes), **names}, self.figures)

    def recount(self) -> None:
        """The figures of their channels have changed."""
        self._figures.clear()

    def figures(self, name: str) -> Figures | None:
        """The figures of a channel by its unique name (``figures.FIGURES``); None: they have no such channel."""
        found = self._figures.get(name)
        if found is None:
            own = next((one for one in self.channels.values() if one.task_channel_unique_name == name), None)
            if own is not None:
                found = self._figures[name] = self._counted(own)
        return found

    def _counted(self, channel: WorkerChannel) -> Figures:
        held = (self._reservations[sid] for sid in self.held)
        return {
            "configured_capacity": channel.configured_capacity,
            "assigned_tasks": sum(
                each.reservation_status != "pending" and each.task_channel_sid == channel.task_channel_sid
                for each in held
            ),
            "available_capacity_percentage": channel.available_capacity_percentage,
            "available": channel.available,
            "last_reserved_time": int(channel.last_reserved * 1000),
        }


class LiveTask:
    """A task with what routing needs to know of it."""

    __slots__ = ("asked", "attributes", "key", "open", "record", "reservations", "target", "waits")

    def __init__(self, record: Task) -> None:
        self.record = record
        self.attributes = read_attributes(record.attributes)
        self.target: Target | None = None
        self.waits = False
        self.key: Key = ()
        self.open: set[str] = set()
        """SIDs of its pending reservations."""
        self.asked: set[str] = set()
        """Workers who were offered it since it was last pending: nobody is asked twice in one round."""
        self.reservations: list[str] = []

    @property
    def customer(self) -> LegState:
        """Where the customer's leg is (``machine.LEG``); empty: no customer is on the telephone."""
        known = self.record.conference
        if known is not None and known.customer:
            return known.customer
        return "waiting" if self.record.call_sid else ""


@dataclass(slots=True)
class LiveTaskQueue:
    """A queue with its members, the idle ones among them in order, and its waiting tasks."""

    record: TaskQueue
    expression: Expression
    members: set[str] = field(default_factory=set)
    activities: Counter[str] = field(default_factory=Counter)
    """Activity SID → how many members are in it."""
    idle: dict[str, SortedList] = field(default_factory=dict)
    """Task channel SID → its eligible members' keys, idle longest first. Made at the channel's first task."""
    waiting: dict[str, Waiting] = field(default_factory=dict)
    """Task channel SID → its waiting tasks."""


@dataclass(slots=True)
class LiveWorkflow:
    """A workflow with its configuration read."""

    record: Workflow
    configuration: Configuration
