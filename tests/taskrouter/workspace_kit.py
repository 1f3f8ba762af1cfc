"""A TaskRouter to play with: requests by plain calls, effects gathered, a clock that one moves by hand."""

from __future__ import annotations

import itertools
import json
from typing import Any

from ringback.effects import Answer, Delete, Effect, Post, Save, SendWebhook, StartTimer
from ringback.events import TimerFired
from ringback.events.taskrouter import WorkspaceWriteRequested
from ringback.kernel.lane import Lane
from ringback.resources.taskrouter.event import Event
from ringback.taskrouter.router import LiveWorkspace, TaskRouter

ACCOUNT = "AC" + "1" * 32
WS = "WS" + "1" * 32


class Kit:
    """One workspace, driven from outside."""

    def __init__(self, **workspace: Any) -> None:
        self.now = 1_800_000_000.0
        self._numbers = itertools.count(1)
        self.taskrouter = TaskRouter(self.sid)
        self.effects: list[Effect] = []
        self.due: float | None = None
        params = {"Template": workspace.pop("template", "NONE")}
        self.create("Workspace", WS, {"friendly_name": "Desk", **workspace}, params)

    def sid(self, prefix: str) -> str:
        """The next SID."""
        return f"{prefix}{next(self._numbers):032x}"

    @property
    def workspace(self) -> LiveWorkspace:
        """The workspace's inside."""
        return self.taskrouter.workspaces[WS]

    def event(self, event: Any) -> Any:
        """Hand an event in; gives its answer."""
        effects = list(self.taskrouter.handle(event, self.now))
        self.effects += effects
        for each in effects:
            if isinstance(each, StartTimer):
                self.due = self.now + each.seconds
        return next((each.value for each in effects if isinstance(each, Answer)), None)

    def request(
        self, operation: Any, noun: str, sid: str, values: Any = None, params: Any = None, **more: Any
    ) -> Any:
        """A REST write."""
        return self.event(
            WorkspaceWriteRequested(
                workspace_sid=WS, account_sid=ACCOUNT, noun=noun, operation=operation, sid=sid,
                values=dict(values or {}), params=dict(params or {}), **more,
            )
        )  # fmt: skip

    def create(self, noun: str, sid: str, values: Any = None, params: Any = None) -> Any:
        """A create."""
        return self.request("create", noun, sid, values, params)

    def update(self, noun: str, sid: str, values: Any = None, params: Any = None, **more: Any) -> Any:
        """An update."""
        return self.request("update", noun, sid, values, params, **more)

    def activity(self, name: str) -> str:
        """SID of an activity by its name."""
        return next(each.sid for each in self.workspace.activities.values() if each.friendly_name == name)

    def worker(self, name: str, *, activity: str = "Available", **attributes: Any) -> str:
        """A new worker."""
        values = {
            "friendly_name": name, "attributes": json.dumps(attributes), "activity_sid": self.activity(activity),
        }  # fmt: skip
        return str(self.create("Worker", self.sid("WK"), values).sid)

    def queue(self, name: str, target_workers: str = "1==1", **values: Any) -> str:
        """A new queue."""
        values = {"friendly_name": name, "target_workers": target_workers, **values}
        return str(self.create("TaskQueue", self.sid("WQ"), values).sid)

    def workflow(self, routing: Any, name: str = "Flow", **values: Any) -> str:
        """A new workflow; ``routing``: the inside of task_routing."""
        configuration = json.dumps({"task_routing": routing})
        given = {"friendly_name": name, "configuration": configuration, **values}
        return str(self.create("Workflow", self.sid("WW"), given).sid)

    def task(self, workflow: str, attributes: Any = None, params: Any = None, **values: Any) -> str:
        """A new task."""
        given = {"workflow_sid": workflow, "attributes": json.dumps(attributes or {}), **values}
        return str(self.create("Task", self.sid("WT"), given, params).sid)

    def reserve(self, sid: str, status: str, **params: str) -> None:
        """Change a reservation's state."""
        self.update("Reservation", sid, params={"ReservationStatus": status, **params})

    def advance(self, seconds: float) -> None:
        """Move the clock; the timer fires in between."""
        end = self.now + seconds
        while self.due is not None and self.due <= end:
            self.now, self.due = max(self.now, self.due), None
            self.event(TimerFired(lane=Lane("workspace", WS), name="schedule"))
        self.now = end

    def pending(self, task_sid: str) -> list[str]:
        """Names of the workers to whom a task is offered now."""
        task = self.workspace.tasks[task_sid]
        return [self.workspace.reservations[sid].worker_name for sid in sorted(task.open)]

    def offer(self, task_sid: str) -> str:
        """SID of the one pending reservation of a task."""
        (sid,) = self.workspace.tasks[task_sid].open
        return sid

    def offer_of(self, task_sid: str) -> str:
        """SID of the last reservation of a task, in whatever state."""
        return self.workspace.tasks[task_sid].reservations[-1]

    def state(self, task_sid: str) -> str:
        """A task's state."""
        return self.workspace.tasks[task_sid].record.assignment_status

    def kinds(self) -> list[str]:
        """The types of the events written so far, in order."""
        return [
            each.record.event_type
            for each in self.effects
            if isinstance(each, Save) and isinstance(each.record, Event)
        ]

    def posts(self) -> list[Any]:
        """Events posted to others."""
        return [each.event for each in self.effects if isinstance(each, Post)]

    def saved(self) -> list[Any]:
        """Records saved so far, events left out."""
        records = (each.record for each in self.effects if isinstance(each, Save))
        return [record for record in records if not isinstance(record, Event)]

    def webhooks(self) -> list[SendWebhook]:
        """Event callbacks so far."""
        return [each for each in self.effects if isinstance(each, SendWebhook)]

    def deleted(self) -> list[Any]:
        """Records deleted so far."""
        return [each.record for each in self.effects if isinstance(each, Delete)]
