"""Task channels: named by SID, or by unique name."""

from __future__ import annotations

from collections.abc import Mapping

from ringback.resources.taskrouter.task_channel import TaskChannel
from ringback.web.rest.context import Context
from ringback.web.taskrouter.floors import Floor, floor_of, normal
from ringback.web.taskrouter.records import RecordRules


class TaskChannelRules(RecordRules):
    """Oldest first."""

    noun = TaskChannel

    def records(self, floor: Floor) -> Mapping[str, TaskChannel]:
        """The workspace's."""
        return floor.channels

    async def fetch(self, ctx: Context, word: str) -> TaskChannel | None:
        """By SID or unique name."""
        floor = floor_of(self.ports.desk, ctx)
        return floor.channels.get(normal(word)) or floor.channels.get(floor.channel_names.get(word, ""))
