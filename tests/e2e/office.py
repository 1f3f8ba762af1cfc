"""A TaskRouter workspace as an application sets it up: all of it by the official client."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from tests.e2e.site import Site

HAPPY_PATH = [
    "task.created", "workflow.entered", "workflow.target-matched", "task-queue.entered", "reservation.created",
    "reservation.accepted", "reservation.wrapup", "task.wrapup", "reservation.completed", "task.completed",
]  # fmt: skip
"""taskrouter.md §10, without `task.updated`."""


def table(events: Iterable[Any]) -> str:
    """Events as the API gives them, a line each: time (UTC), type, task, reservation and the worker's name."""
    rows = [("time", "event", "task", "reservation", "worker")]
    for one in events:
        data, moment = one.event_data, datetime.fromtimestamp(int(one.event_date_ms) / 1000, UTC)
        names = (data.get(name, "") for name in ("task_sid", "reservation_sid", "worker_name"))
        rows.append((moment.strftime("%H:%M:%S.%f")[:-3], one.event_type, *names))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


class Office:
    """One workspace with a queue for everybody; `workspace` is the official client's context of it."""

    def __init__(self, site: Site, events: str, **more: Any) -> None:
        """`events`: URL of the event callback."""
        self.site = site
        made = site.client.taskrouter.v1.workspaces.create(
            friendly_name="Office", event_callback_url=events, **more
        )
        self.workspace = site.client.taskrouter.v1.workspaces(made.sid)
        self.activities = {one.friendly_name: str(one.sid) for one in self.workspace.activities.list()}
        self.queue = self.make_queue("everybody", "1==1")

    def make_queue(self, name: str, target_workers: str) -> str:
        """Another task queue; its SID."""
        return str(self.workspace.task_queues.create(name, target_workers=target_workers).sid)

    def make_workflow(self, name: str, assignment: str, queue: str = "", **more: Any) -> str:
        """A workflow that sends everything to one queue and asks at `assignment`; its SID."""
        configuration = json.dumps({"task_routing": {"default_filter": {"queue": queue or self.queue}}})
        made = self.workspace.workflows.create(
            friendly_name=name, configuration=configuration, assignment_callback_url=assignment, **more
        )
        return str(made.sid)

    def hire(self, name: str, activity: str = "Available", **attributes: Any) -> str:
        """A worker; the SID."""
        made = self.workspace.workers.create(
            friendly_name=name, attributes=json.dumps(attributes), activity_sid=self.activities[activity]
        )
        return str(made.sid)

    def tasks(self) -> list[Any]:
        """Every task."""
        return list(self.workspace.tasks.list(page_size=1000))

    def reservations(self, worker: str) -> Any:
        """The official client's reservations of a worker."""
        return self.workspace.workers(worker).reservations
