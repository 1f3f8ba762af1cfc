"""Workflows: large bodies, statistics, replay (taskrouter.md §11, §12; issue 3, point 9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ringback.resources.taskrouter.workflow import Workflow
from ringback.web.rest.rules import Extra
from ringback.web.taskrouter.records import RecordRules
from ringback.web.taskrouter.workspaces import LiveWorkspace
from ringback.web.taskrouter_views.replay import TAKES, ReplayView
from ringback.web.taskrouter_views.statistics import StatisticsViews


class WorkflowRules(RecordRules):
    """Oldest first."""

    noun = Workflow

    body_limit = 4 * 1024 * 1024
    """A configuration has up to 1 MB, and as a form three times that (§12)."""

    @property
    def extras(self) -> Sequence[Extra]:
        """Statistics, and the rehearsal of another configuration."""
        path, workspaces = (
            "/v1/Workspaces/{WorkspaceSid}/Workflows/{WorkflowSid}",
            self.ports.taskrouter.workspaces,
        )
        return [
            *StatisticsViews(workspaces, self.ports.statistics).of("workflow", path),
            Extra(f"{path}/Replay", {"POST": "run"}, ReplayView(workspaces, self.ports.replay), takes=TAKES),
        ]

    def records(self, workspace: LiveWorkspace) -> Mapping[str, Workflow]:
        """The workspace's."""
        return {sid: plan.record for sid, plan in workspace.workflows.items()}
