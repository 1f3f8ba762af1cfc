"""Activities: what workers do."""

from __future__ import annotations

from collections.abc import Mapping

from ringback.resources.taskrouter.activity import Activity
from ringback.web.taskrouter.records import RecordRules
from ringback.web.taskrouter.workspaces import LiveWorkspace


class ActivityRules(RecordRules):
    """Oldest first."""

    noun = Activity

    def records(self, workspace: LiveWorkspace) -> Mapping[str, Activity]:
        """The workspace's."""
        return workspace.activities
