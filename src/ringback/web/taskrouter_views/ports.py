"""What the views need of the routing core, as protocols: modules of ``ringback.taskrouter`` are these."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from ringback.resources.taskrouter.event import Event


class Wanted(Protocol):
    """A query for events."""

    @property
    def types(self) -> tuple[str, ...]:
        """Event types."""

    @property
    def equals(self) -> Mapping[str, Any]:
        """Attribute → value, or a tuple of values."""

    @property
    def until_now(self) -> bool:
        """Up to now, not to the end of the window."""


class Reading(Protocol):
    """A question that is answered by counting events."""

    @property
    def wanted(self) -> Sequence[Wanted]:
        """Queries."""

    @property
    def add(self) -> Callable[[Event], None]:
        """Takes one event; the order does not matter."""

    @property
    def body(self) -> Callable[[], Any]:
        """The answer, after the last one."""


class Statistics(Protocol):
    """``ringback.taskrouter.statistics``."""

    def now_of(
        self, workspace: Any, kind: str, sid: str, channel_sid: str | None, now: float
    ) -> dict[str, Any]:
        """Real-time statistics of a workspace, workflow or queue."""

    def past_of(
        self,
        kind: str,
        sid: str,
        channel_sid: str | None,
        start: float,
        end: float,
        thresholds: Sequence[int],
    ) -> Reading:
        """Cumulative ones of a workspace or workflow."""

    def past_of_queues(
        self,
        sids: Sequence[str],
        channel_sid: str | None,
        start: float,
        end: float,
        thresholds: Sequence[int],
    ) -> Reading:
        """Cumulative ones of queues: SID → body."""

    def past_of_workers(
        self,
        workspace: Any,
        sids: Sequence[str] | None,
        channel_sid: str | None,
        start: float,
        end: float,
        now: float,
    ) -> Reading:
        """Cumulative ones of workers."""

    def workers_now(self, workspace: Any, sids: Sequence[str] | None) -> dict[str, Any]:
        """Real-time ones of workers."""

    def select_workers(
        self, workspace: Any, *, queue_sid: str, queue_name: str, name: str
    ) -> list[str] | None:
        """Workers that the filters leave; None: no filters."""

    def empty_queue(self) -> dict[str, Any]:
        """Zeros."""


class Explain(Protocol):
    """``ringback.taskrouter.explanation.explain``."""

    def __call__(
        self, workspace: Any, sid: str, now: float, events: Sequence[Event], *, page: int = 0, size: int = 50
    ) -> dict[str, Any]:
        """Explain a task; raises ``Refused``."""


class Prepared(Protocol):
    """A replay that is ready to run."""

    def run(self, pause: Callable[[], None]) -> dict[str, Any]:
        """Run; pure computing, safe in a thread. Calls ``pause`` every few milliseconds."""


class Replays(Protocol):
    """``ringback.taskrouter.replay``."""

    MOST_TASKS: int
    TAIL: float

    @property
    def TASK_TYPES(self) -> tuple[str, ...]:  # noqa: N802 - a constant of the module
        """Event types that tell of tasks."""

    @property
    def MOVE_TYPES(self) -> tuple[str, ...]:  # noqa: N802 - a constant of the module
        """Event types that tell of workers."""

    def check(self, workspace: Any, workflow_sid: str, text: str) -> None:
        """Raises ``Refused`` for a bad draft."""

    def slim(self, event: Event) -> Event:
        """Drop what a replay does not need of an event."""

    def prepare(
        self, workspace: Any, workflow_sid: str, draft: str, tasks: Sequence[Event], moves: Sequence[Event],
        *, start: float, end: float, until: float,
    ) -> Prepared:  # fmt: skip
        """Copy what a run needs; raises ``Refused``."""
