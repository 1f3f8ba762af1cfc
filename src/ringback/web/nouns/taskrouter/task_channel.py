"""Task channels: named by SID, or by unique name."""

from __future__ import annotations

from collections.abc import Mapping

from ringback.resources.taskrouter.task_channel import TaskChannel
from ringback.web.rest.context import Context
from ringback.web.taskrouter.records import RecordRules
from ringback.web.taskrouter.workspaces import LiveWorkspace, normal, workspace_of


class TaskChannelRules(RecordRules):
    """Oldest first."""

    noun = TaskChannel

    def records(self, workspace: LiveWorkspace) -> Mapping[str, TaskChannel]:
        """The workspace's."""
        return workspace.channels

    async def fetch(self, ctx: Context, word: str) -> TaskChannel | None:
        """By SID or unique name."""
        workspace = workspace_of(self.ports.taskrouter, ctx)
        return workspace.channels.get(normal(word)) or workspace.channels.get(
            workspace.channel_names.get(word, "")
        )
