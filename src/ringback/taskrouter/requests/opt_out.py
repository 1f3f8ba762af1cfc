"""Opting out of the queue: a waiting caller's task becomes a callback or voicemail task, in one commit.

An extension of ours (``POST …/Tasks/{WT}/OptOut``); the hosted API has only the two steps, cancel and create, between
which an agent may win or a crash may lose the caller (callback-voicemail.md §5.1).
"""

from __future__ import annotations

from typing import Any

import msgspec

from ringback.events.taskrouter import DeskRequested
from ringback.kernel.errors import Refused
from ringback.resources.taskrouter.task import Task
from ringback.taskrouter.floor import Floor, Job
from ringback.taskrouter.journal import happened
from ringback.taskrouter.lifecycle import cancel_task
from ringback.taskrouter.requests.task import add
from ringback.taskrouter.requests.values import ATTRIBUTES_LIMIT

KIND = "OptOut"
FOLLOW_UP = "Follow-Up"
"""``conversations.abandoned`` of the canceled task: reports do not count it as abandoned."""
DEFAULT_REASON = "Opted to request a callback"
KEY = "opted_out"
"""Where ``Task.conference`` (what telephony knows) keeps source → SID of the task that was made for it."""
MOST_SOURCES = 20
SOURCE_LIMIT = 64


def create(floor: Floor, event: DeskRequested) -> Task:
    """Cancel the task ``params['TaskSid']`` and create its successor ``event.sid``; gives the successor.

    ``Source`` (call or recording SID) asked for again gives the same task. An agent was first (assigned, wrapping,
    completed): ``Refused`` 20001 and nothing is created. A task that is canceled already (the caller hung up, or
    has been taken out of the queue for a voicemail) gets its successor all the same: nobody else serves him.
    """
    job, params = floor.task(event.params.get("TaskSid", "")), event.params
    source = params.get("Source") or job.record.call_sid or ""
    if not source or len(source) > SOURCE_LIMIT:
        raise Refused(20001, f"Source is required: a SID of at most {SOURCE_LIMIT} characters")
    made = dict((job.record.conference or {}).get(KEY) or {})
    known = floor.tasks.get(made.get(source, ""))
    if known is not None:
        return known.record
    if len(made) >= MOST_SOURCES:
        raise Refused(20001, f"Task {job.record.sid} has {MOST_SOURCES} successors already")
    status = job.record.assignment_status
    if status not in ("pending", "reserved", "canceled"):
        raise Refused(20001, f"Task {job.record.sid} is {status}: an agent was first, nothing is created")
    reported = _reported(job)
    successor = add(floor, event.sid, _values(event, job), _routing(params, job), None)
    _describe(floor, job, reported)
    if status != "canceled":
        cancel_task(floor, job, params.get("Reason") or DEFAULT_REASON)
    job.record.conference = {**(job.record.conference or {}), KEY: {**made, source: successor.record.sid}}
    floor.save(job.record)
    return successor.record


def _values(event: DeskRequested, job: Job) -> dict[str, Any]:
    """What is not given is as it was on the caller's task; the place is exact where the text has whole seconds."""
    values, old = dict(event.values), job.record
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


def _routing(params: dict[str, str], job: Job) -> dict[str, str]:
    return {"TaskChannel": params.get("TaskChannel") or job.record.task_channel_sid}


def _reported(job: Job) -> dict[str, Any]:
    """The canceled task's attributes with ``conversations.abandoned``; raises :class:`Refused` when too long."""
    found = job.attributes.get("conversations")
    conversations = {**(found if isinstance(found, dict) else {}), "abandoned": FOLLOW_UP}
    merged = {**job.attributes, "conversations": conversations}
    if len(msgspec.json.encode(merged).decode()) > ATTRIBUTES_LIMIT:
        return job.attributes  # the report is not worth the caller's request
    return merged


def _describe(floor: Floor, job: Job, reported: dict[str, Any]) -> None:
    if reported == job.attributes:
        return
    lined = job.in_line
    floor.step_out(job)
    floor.describe(job, reported)
    job.record.attributes = msgspec.json.encode(reported).decode()
    floor.save(job.record)
    if lined:
        floor.line_up(job)
    happened(floor, "task.updated", task=job.record)
