"""Statistics for those who ask (taskrouter.md §11): which events a question needs, and its answer.

The store is not known here: a :class:`Reading` says what it wants to read, is handed the events one by one, and
gives the body then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ringback.kernel.errors import Refused
from ringback.resources.taskrouter.event import Event
from ringback.taskrouter import realtime
from ringback.taskrouter.cumulative import RESERVATIONS, Tally, types_of
from ringback.taskrouter.live import LiveWorker
from ringback.taskrouter.worker_tally import MOVED, WorkerTally
from ringback.taskrouter.workspace import LiveWorkspace

empty_queue = realtime.empty_queue
MOST_NAMED = 50
"""SIDs that a query names; of more, it reads the events of all and passes over the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One query: events of these types from the window's start to its end, or up to now."""

    types: tuple[str, ...]
    equals: dict[str, Any] = field(default_factory=dict)
    """Attribute of the event → value, or a tuple of values."""
    until_now: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """A question to the past."""

    wanted: tuple[Wanted, ...]
    add: Callable[[Event], None]
    """Hand in an event; each one that is wanted, once, in any order."""
    body: Callable[[], Any]
    """The answer, after the last event."""


def now_of(
    workspace: LiveWorkspace, kind: str, sid: str, channel_sid: str | None, now: float
) -> dict[str, Any]:
    """Real-time statistics of a workspace, a workflow or a queue that exists."""
    if kind == "workspace":
        return realtime.workspace(workspace, now, channel_sid)
    return (realtime.queue if kind == "queue" else realtime.workflow)(workspace, now, sid, channel_sid)


def past_of(
    kind: str, sid: str, channel_sid: str | None, start: float, end: float, thresholds: Sequence[int]
) -> Reading:
    """Cumulative statistics of a workspace or a workflow; of queues: :func:`past_of_queues`."""
    tally = Tally(kind, sid, thresholds)
    equals = {"workflow_sid": sid} if kind == "workflow" else {}
    wanted = Wanted(types=types_of(kind), equals=equals | _channel(channel_sid))
    return Reading((wanted,), tally.add, lambda: tally.body(start, end))


def past_of_queues(
    sids: Sequence[str], channel_sid: str | None, start: float, end: float, thresholds: Sequence[int]
) -> Reading:
    """Cumulative statistics of queues, in one reading: SID → body."""
    tallies = {sid: Tally("queue", sid, thresholds) for sid in sids}

    def add(event: Event) -> None:
        touched = {event.task_queue_sid or "", str(event.event_data.get("previous_task_queue_sid") or "")}
        for sid in touched & tallies.keys():
            tallies[sid].add(event)

    moved = "task-queue.moved"
    here: dict[str, Any] = {"task_queue_sid": tuple(sids)} if len(sids) <= MOST_NAMED else {}
    types = tuple(each for each in types_of("queue") if each != moved)
    wanted = (
        Wanted(types=types, equals=here | _channel(channel_sid)),
        Wanted(types=(moved,), equals=_channel(channel_sid)),
    )
    return Reading(wanted, add, lambda: {sid: each.body(start, end) for sid, each in tallies.items()})


def past_of_workers(
    workspace: LiveWorkspace,
    sids: Sequence[str] | None,
    channel_sid: str | None,
    start: float,
    end: float,
    now: float,
) -> Reading:
    """Cumulative statistics of some workers; None: of all, those deleted since included.

    The channel selects reservations: being in an activity has no channel.
    """
    tally = WorkerTally(None if sids is None else frozenset(sids), start, end)
    equals: dict[str, Any] = (
        {"worker_sid": tuple(sids)} if sids is not None and len(sids) <= MOST_NAMED else {}
    )
    wanted = (
        Wanted(types=tuple(RESERVATIONS), equals=equals | _channel(channel_sid)),
        Wanted(types=(MOVED,), equals=equals, until_now=True),
    )
    return Reading(wanted, tally.add, lambda: tally.body(workspace, _agents(workspace, sids), now))


def workers_now(workspace: LiveWorkspace, sids: Sequence[str] | None) -> dict[str, Any]:
    """Real-time statistics of some workers; None: of all."""
    return realtime.workers(workspace, _agents(workspace, sids))


def select_workers(
    workspace: LiveWorkspace, *, queue_sid: str, queue_name: str, name: str
) -> list[str] | None:
    """SIDs of the workers that the filters leave; None: there are no filters.

    Raises :class:`Refused` 20001 for a queue that does not exist.
    """
    if not (queue_sid or queue_name or name):
        return None
    found: set[str] | None = None
    if queue_sid or queue_name:
        queues = [
            queue for queue in workspace.queues.values()
            if queue_sid in ("", queue.record.sid) and queue_name in ("", queue.record.friendly_name)
        ]  # fmt: skip
        if not queues:
            raise Refused(
                20001, f"Task queue {(queue_sid or queue_name)[:64]} does not exist in this workspace"
            )
        found = set[str]().union(*(queue.members for queue in queues))
    if name:
        sid = workspace.worker_names.get(name.lower())
        named = set() if sid is None else {sid}
        found = named if found is None else found & named
    return sorted(found or ())


def _agents(workspace: LiveWorkspace, sids: Sequence[str] | None) -> Iterable[LiveWorker]:
    if sids is None:
        return workspace.workers.values()
    return [workspace.workers[sid] for sid in sids if sid in workspace.workers]


def _channel(sid: str | None) -> dict[str, Any]:
    return {} if sid is None else {"task_channel_sid": sid}
