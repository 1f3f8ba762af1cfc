"""Makes the workspace of the example with the official client; running it again changes nothing that fits."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))
from client_hook import connect

NAME = "Agents example"


class Office:
    """One workspace, one queue for every worker, one workflow. ``workspace`` is the client's context of it."""

    def __init__(self, app_url: str) -> None:
        """``app_url``: where the application is asked about assignments and told of events."""
        self.client = connect()
        workspaces = self.client.taskrouter.v1.workspaces
        events = f"{app_url}/events"
        found = workspaces.list(friendly_name=NAME, limit=1)
        made = found[0] if found else workspaces.create(friendly_name=NAME)
        self.workspace: Any = workspaces(made.sid)
        self.workspace.update(event_callback_url=events)
        self.workflow_sid = self._workflow(f"{app_url}/assignment")

    def _workflow(self, assignment: str) -> str:
        """Every task goes to the queue of everybody; who takes it is asked at ``assignment``."""
        queues = self.workspace.task_queues
        found = queues.list(friendly_name="Everybody", limit=1)
        queue = found[0] if found else queues.create("Everybody", target_workers="1==1")
        options = {
            "configuration": json.dumps({"task_routing": {"default_filter": {"queue": queue.sid}}}),
            "assignment_callback_url": assignment,
            "task_reservation_timeout": 30,
        }
        workflows = self.workspace.workflows
        for known in workflows.list(friendly_name="Calls", limit=1):
            return str(workflows(known.sid).update(**options).sid)
        return str(workflows.create(friendly_name="Calls", **options).sid)

    def hire(self, name: str, contact_uri: str) -> None:
        """Make the worker (or let the one of that name have this address), and available."""
        activity = self.workspace.activities.list(friendly_name="Available", limit=1)[0]
        attributes = json.dumps({"contact_uri": contact_uri})
        for known in self.workspace.workers.list(friendly_name=name, limit=1):
            self.workspace.workers(known.sid).update(attributes=attributes, activity_sid=activity.sid)
            return
        self.workspace.workers.create(name, attributes=attributes, activity_sid=activity.sid)

    def answer(self, number: str, voice_url: str) -> None:
        """Let a number of ours (made when it is not there yet) be answered at a URL."""
        numbers = self.client.incoming_phone_numbers
        for known in numbers.list(phone_number=number, limit=1):
            # An application would win over the URL, so it is taken off.
            numbers(known.sid).update(voice_url=voice_url, voice_method="POST", voice_application_sid="")
            return
        numbers.create(phone_number=number, voice_url=voice_url)

    def complete(self, task_sid: str) -> None:
        """Close the work on a task."""
        self.workspace.tasks(task_sid).update(assignment_status="completed", reason="The call is over")
