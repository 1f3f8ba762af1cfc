"""TaskRouter's paths that are no stored noun: statistics, explanation, replay (taskrouter.md §11; issue 3, point 9).

``web/`` does not know the routing core: ``app.py`` hands its modules in, as the protocols of ``ports.py``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ringback.events import Event
from ringback.kernel.resource import Record
from ringback.resources.taskrouter.task import Task
from ringback.resources.taskrouter.workflow import Workflow
from ringback.resources.taskrouter.workspace import Workspace
from ringback.web.rest.routing import Extra
from ringback.web.taskrouter_views.explanation import ExplanationView
from ringback.web.taskrouter_views.opt_out import OptOutView
from ringback.web.taskrouter_views.ports import Explain, Replays, Statistics
from ringback.web.taskrouter_views.replay import ReplayView
from ringback.web.taskrouter_views.statistics import StatisticsViews

__all__ = ["taskrouter_views"]

_ROOT = "/v1/Workspaces/{WorkspaceSid}"


def taskrouter_views(
    workspaces: Mapping[str, Any],
    *,
    statistics: Statistics,
    explain: Explain,
    replay: Replays,
    ask: Callable[[Event], Awaitable[Any]] | None = None,
    new_sid: Callable[[str], str] | None = None,
) -> list[Extra]:
    """The paths with their handlers, for ``build_rest(…, extra=…)``.

    ``workspaces``: workspace SID → workspace (``TaskRouter.workspaces``); ``statistics`` and ``replay``: the
    modules of these names of ``ringback.taskrouter``; ``explain``: ``ringback.taskrouter.explanation.explain``.
    With ``ask`` (hands an event to the product) and ``new_sid`` callers can be opted out of the queue.
    """
    views = StatisticsViews(workspaces, statistics)
    found: list[Extra] = []

    def add(path: str, handler: Any, method: str = "GET", noun: type[Record] = Workspace) -> None:
        operation = "fetch" if method == "GET" else "run"
        found.append(Extra(noun, "taskrouter", _ROOT + path, {method: operation}, handler))

    for kind, path in (
        ("workspace", ""),
        ("workflow", "/Workflows/{WorkflowSid}"),
        ("queue", "/TaskQueues/{TaskQueueSid}"),
    ):
        add(f"{path}/RealTimeStatistics", views.realtime(kind))
        add(f"{path}/CumulativeStatistics", views.cumulative(kind))
        add(f"{path}/Statistics", views.both(kind))
    add("/TaskQueues/Statistics", views.queues)
    add("/TaskQueues/RealTimeStatistics", views.bulk, "POST")
    add("/Workers/RealTimeStatistics", views.workers_realtime)
    add("/Workers/CumulativeStatistics", views.workers_cumulative)
    add("/Workers/Statistics", views.workers_both)
    add("/Workers/{WorkerSid}/Statistics", views.worker)
    add("/Tasks/{TaskSid}/Explanation", ExplanationView(workspaces, explain))
    add("/Workflows/{WorkflowSid}/Replay", ReplayView(workspaces, replay), "POST", Workflow)
    if ask is not None and new_sid is not None:
        add("/Tasks/{TaskSid}/OptOut", OptOutView(workspaces, ask, new_sid), "POST", Task)
    return found
