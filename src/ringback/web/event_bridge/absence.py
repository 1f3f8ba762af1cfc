"""The disconnect policy: a worker whose last socket dropped goes offline after a while (taskrouter-js.md §3).

The wait is a durable deadline (``away:WK…`` in the lane of the workspace), so it outlives a restart. Workers who
were connected when the server stopped have none: they stay as they are, and reconnect by themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from ringback.effects import ClearDeadline, Effect, Post, SetDeadline
from ringback.events.taskrouter import Actor, WorkspaceWriteRequested
from ringback.kernel.lane import Lane
from ringback.web.event_bridge.workspaces import LiveWorkspace, TaskRouter

AWAY: Final = "away:"
"""Begins the deadline's name; the worker's SID follows."""


class Absence:
    """Sets, clears and carries out the deadlines."""

    def __init__(
        self,
        *,
        taskrouter: TaskRouter,
        now: Callable[[], float],
        after: float,
        keep: Callable[[Sequence[Effect]], None],
        connected: Callable[[str], bool],
    ) -> None:
        """``after``: seconds; ``keep`` commits deadlines and arms them; ``connected`` tells of a worker's SID
        whether they have a socket."""
        self._taskrouter, self._now, self._after = taskrouter, now, after
        self._keep, self._connected = keep, connected
        self._started = now()

    def left(self, workspace_sid: str, worker_sid: str) -> None:
        """Their last socket dropped."""
        due = self._now() + self._after
        self._keep([SetDeadline(lane=Lane("workspace", workspace_sid), name=AWAY + worker_sid, at=due)])

    def back(self, workspace_sid: str, worker_sid: str) -> None:
        """They have a socket again."""
        self._keep([ClearDeadline(lane=Lane("workspace", workspace_sid), name=AWAY + worker_sid)])

    def due(self, event: Any, now: float) -> Sequence[Effect]:
        """The handler of ``DeadlineReached`` in a workspace's lane."""
        clear = ClearDeadline(lane=event.lane, name=event.name)
        worker_sid = event.name.removeprefix(AWAY)
        workspace = self._taskrouter.workspaces.get(event.lane.sid)
        worker = workspace.workers.get(worker_sid) if workspace is not None else None
        if workspace is None or worker is None or self._connected(worker_sid):
            return [clear]
        if now < self._started + self._after:
            # The server was down meanwhile: they could not have come back. They get the whole time again.
            return [SetDeadline(lane=event.lane, name=event.name, at=self._started + self._after)]
        activity_sid = offline_activity(workspace)
        if activity_sid is None or worker.record.activity_sid == activity_sid:
            return [clear]
        request = WorkspaceWriteRequested(
            workspace_sid=event.lane.sid, account_sid=workspace.record.account_sid, noun="Worker", operation="update",
            sid=worker_sid, values={"activity_sid": activity_sid}, params={"RejectPendingReservations": "true"},
            actor=Actor(type="system", source="event-bridge"),
        )  # fmt: skip
        return [clear, Post(request)]


def offline_activity(workspace: LiveWorkspace) -> str | None:
    """Where a worker goes who is gone: the timeout activity, else the default one, else any that is unavailable."""
    wanted = (
        workspace.record.timeout_activity_sid,
        workspace.record.default_activity_sid,
        *workspace.activities,
    )
    for sid in wanted:
        activity = workspace.activities.get(sid or "")
        if activity is not None and not activity.available:
            return str(activity.sid)
    return None
