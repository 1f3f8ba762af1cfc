"""Links that lead elsewhere than below the record: to its parent, its worker, its queue (taskrouter.md §2)."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter
from typing import Any

from ringback.kernel.resource import Record
from ringback.resources.taskrouter.activity import Activity
from ringback.resources.taskrouter.reservation import Reservation
from ringback.resources.taskrouter.task import Task
from ringback.resources.taskrouter.task_channel import TaskChannel
from ringback.resources.taskrouter.task_queue import TaskQueue
from ringback.resources.taskrouter.worker import Worker
from ringback.resources.taskrouter.workflow import Workflow

_WS = "/v1/Workspaces/{workspace_sid}"
_STATISTICS = {
    "statistics": "Statistics",
    "real_time_statistics": "RealTimeStatistics",
    "cumulative_statistics": "CumulativeStatistics",
}


def _statistics(path: str) -> dict[str, str]:
    return {link: f"{path}/{segment}" for link, segment in _STATISTICS.items()}


PATHS: Mapping[type[Record], Mapping[str, str]] = {
    Activity: {"workspace": _WS},
    TaskChannel: {"workspace": _WS},
    Workflow: {**_statistics(_WS + "/Workflows/{sid}"), "workspace": _WS},
    TaskQueue: {
        **_statistics(_WS + "/TaskQueues/{sid}"),
        "list_statistics": _WS + "/TaskQueues/Statistics",
        "assignment_activity": _WS + "/Activities/{assignment_activity_sid}",
        "reservation_activity": _WS + "/Activities/{reservation_activity_sid}",
        "workspace": _WS,
    },
    Worker: {
        **_statistics(_WS + "/Workers"),
        "worker_statistics": _WS + "/Workers/{sid}/Statistics",
        "activity": _WS + "/Activities/{activity_sid}",
        "channels": _WS + "/Workers/{sid}/Channels",
        "worker_channels": _WS + "/Workers/{sid}/Channels",
        "reservations": _WS + "/Workers/{sid}/Reservations",
        "workspace": _WS,
    },
    Task: {
        "task_queue": _WS + "/TaskQueues/{task_queue_sid}",
        "workflow": _WS + "/Workflows/{workflow_sid}",
        "workspace": _WS,
        "reservations": _WS + "/Tasks/{sid}/Reservations",
    },
    Reservation: {
        "task": _WS + "/Tasks/{task_sid}",
        "worker": _WS + "/Workers/{worker_sid}",
        "workspace": _WS,
    },
}
"""Noun → link → path with the record's attributes in braces."""


class Links:
    """The links of one noun."""

    def __init__(self, paths: Mapping[str, str], base: str) -> None:
        self._links = [
            (link, base + path, tuple(name for _, name, _, _ in Formatter().parse(path) if name))
            for link, path in paths.items()
        ]

    def of(self, record: Any) -> dict[str, str | None]:
        """Link → absolute URL; None where the record leads nowhere (a task in no queue)."""
        found: dict[str, str | None] = {}
        for link, path, names in self._links:
            values = {name: getattr(record, name) for name in names}
            found[link] = path.format(**values) if all(values.values()) else None
        return found
