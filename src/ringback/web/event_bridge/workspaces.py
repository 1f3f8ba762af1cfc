"""What the bridge reads of TaskRouter. ``taskrouter/`` implements it; ``web/`` may not import that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

Matches = Callable[[Mapping[str, Any], Mapping[str, Any], Mapping[str, Any]], bool]
"""A compiled expression: attributes of the worker, of the task, head-counts → whether it is true."""


class LiveWorkspace(Protocol):
    """One workspace in memory."""

    record: Any
    """The Workspace."""
    activities: dict[str, Any]
    """SID → Activity."""
    queues: dict[str, Any]
    """SID → ``.record`` (TaskQueue), ``.members`` (SIDs of workers)."""
    workers: dict[str, Any]
    """SID → ``.record`` (Worker), ``.attributes``, ``.channels`` (task channel SID → WorkerChannel), ``.queues``,
    ``.held`` (SIDs of live reservations)."""
    tasks: dict[str, Any]
    """SID → ``.record`` (Task), ``.reservations`` (SIDs)."""
    reservations: dict[str, Any]
    """SID → Reservation."""


class TaskRouter(Protocol):
    """All workspaces."""

    @property
    def workspaces(self) -> Mapping[str, Any]:
        """Workspace SID → :class:`LiveWorkspace`."""
