"""Opting out of the queue: a waiting caller's task becomes a callback or voicemail task, in one commit.

An extension of ours (``POST …/Tasks/{WT}/OptOut``); the hosted API has only the two steps, cancel and create, between
which an agent may win or a crash may lose the caller (callback-voicemail.md §5.1).
"""

from __future__ import annotations

from typing import Any

import msgspec

from ringback.events.taskrouter import WorkspaceWriteRequested
from ringback.kernel.errors import Refused
from ringback.resources.taskrouter.task import Task
from ringback.taskrouter.lifecycle import cancel_task
from ringback.taskrouter.live import LiveTask
from ringback.taskrouter.requests.task import add
from ringback.taskrouter.requests.values import ATTRIBUTES_LIMIT
from ringback.taskrouter.steps import set_attributes, set_conference
from ringback.taskrouter.workspace import LiveWorkspace

KIND = "OptOut"
FOLLOW_UP = "Follow-Up"
"""``conversations.abandoned`` of the canceled task: reports do not count it as abandoned."""
DEFAULT_REASON = "Opted to request a callback"
MOST_SOURCES = 20
SOURCE_LIMIT = 64


def create(workspace: LiveWorkspace, event: WorkspaceWriteRequested) -> Task:
    """Cancel the task ``params['TaskSid']`` and create its successor ``event.sid``; gives the successor.

    ``Source`` (call or recording SID) asked for again gives the same task. An agent was first (assigned, wrapping,
    completed): ``Refused`` 20001 and nothing is created. A task that is canceled already (the caller hung up, or
    has been taken out of the queue for a voicemail) gets its successor all the same: nobody else serves them.
    """
    task, params = workspace.task(event.params.get("TaskSid", "")), event.params
    source = params.get("Source") or task.record.call_sid or ""
    if not source or len(source) > SOURCE_LIMIT:
        raise Refused(20001, f"Source is required: a SID of at most {SOURCE_LIMIT} characters")
    made = task.record.conference.opted_out if task.record.conference is not None else {}
    known = workspace.tasks.get(made.get(source, ""))
    if known is not None:
        return known.record
    if len(made) >= MOST_SOURCES:
        raise Refused(20001, f"Task {task.record.sid} has {MOST_SOURCES} successors already")
    status = task.record.assignment_status
    if status not in ("pending", "reserved", "canceled"):
        raise Refused(20001, f"Task {task.record.sid} is {status}: an agent was first, nothing is created")
    reported = _reported(task)
    successor = add(workspace, event.sid, _values(event, task), _routing(params, task), None)
    _describe(workspace, task, reported)
    if status != "canceled":
        cancel_task(workspace, task, params.get("Reason") or DEFAULT_REASON)
    set_conference(workspace, task, opted_out={**made, source: successor.record.sid})
    return successor.record


def _values(event: WorkspaceWriteRequested, task: LiveTask) -> dict[str, Any]:
    """What is not given is as it was on the caller's task; the place is exact where the text has whole seconds."""
    values, old = dict(event.values), task.record
    values.setdefault("workflow_sid", old.workflow_sid)
    values.setdefault("priority", old.priority)
    values.setdefault("timeout", old.timeout)
    start = values.get("virtual_start_time")
    if start is not None:
        for exact in (old.date_created, old.virtual_start_time):
            if int(start) == int(exact):
                values["virtual_start_time"] = exact
                break
    return values


def _routing(params: dict[str, str], task: LiveTask) -> dict[str, str]:
    return {"TaskChannel": params.get("TaskChannel") or task.record.task_channel_sid}


def _reported(task: LiveTask) -> dict[str, Any]:
    """The canceled task's attributes with ``conversations.abandoned``; raises :class:`Refused` when too long."""
    found = task.attributes.get("conversations")
    conversations = {**(found if isinstance(found, dict) else {}), "abandoned": FOLLOW_UP}
    merged = {**task.attributes, "conversations": conversations}
    if len(msgspec.json.encode(merged).decode()) > ATTRIBUTES_LIMIT:
        return task.attributes  # the report is not worth the caller's request
    return merged


def _describe(workspace: LiveWorkspace, task: LiveTask, reported: dict[str, Any]) -> None:
    if reported == task.attributes:
        return
    set_attributes(workspace, task, msgspec.json.encode(reported).decode(), reported)
