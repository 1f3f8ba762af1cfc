"""Activities: what workers do."""

from __future__ import annotations

from collections.abc import Mapping

from ringback.resources.taskrouter.activity import Activity
from ringback.web.taskrouter.floors import Floor
from ringback.web.taskrouter.records import RecordRules


class ActivityRules(RecordRules):
    """Oldest first."""

    noun = Activity

    def records(self, floor: Floor) -> Mapping[str, Activity]:
        """The workspace's."""
        return floor.activities
