"""Activities (taskrouter.md §2.2)."""

from __future__ import annotations

from ringback.effects import Delete
from ringback.events.taskrouter import WorkspaceWriteRequested
from ringback.kernel.errors import Refused
from ringback.resources.taskrouter.activity import Activity
from ringback.taskrouter.journal import publish
from ringback.taskrouter.requests.values import assign, truth
from ringback.taskrouter.workspace import LiveWorkspace

NOUN = Activity
LIMIT = 100


def create(workspace: LiveWorkspace, event: WorkspaceWriteRequested) -> Activity:
    """A new activity."""
    _name_free(workspace, event)
    if len(workspace.activities) >= LIMIT:
        raise Refused(20001, f"A workspace has at most {LIMIT} activities")
    activity = Activity(
        sid=event.sid, account_sid=event.account_sid, date_created=workspace.now, workspace_sid=workspace.record.sid,
        available=truth(event.params.get("Available", "")), **event.values,
    )  # fmt: skip
    workspace.activities[activity.sid] = activity
    workspace.save(activity)
    _tell(workspace, activity, "created")
    return activity


def update(workspace: LiveWorkspace, event: WorkspaceWriteRequested) -> Activity:
    """Its name; ``available`` never changes."""
    activity = workspace.activity(event.sid)
    _name_free(workspace, event)
    assign(activity, event.values)
    workspace.save(activity)
    record = workspace.record
    for kind in ("default", "timeout"):
        if getattr(record, f"{kind}_activity_sid") == activity.sid:
            setattr(record, f"{kind}_activity_name", activity.friendly_name)
            workspace.save(record)
    for worker in workspace.workers.values():
        if worker.record.activity_sid == activity.sid:
            worker.record.activity_name = activity.friendly_name
            workspace.save(worker.record)
            workspace.update_queues(worker)
    _tell(workspace, activity, "updated")
    return activity


def delete(workspace: LiveWorkspace, event: WorkspaceWriteRequested) -> None:
    """Refused while anybody needs it."""
    activity = workspace.activity(event.sid)
    record = workspace.record
    if activity.sid in (record.default_activity_sid, record.timeout_activity_sid):
        raise Refused(20001, f"Activity {activity.sid} is the workspace's default or timeout activity")
    users = sum(worker.record.activity_sid == activity.sid for worker in workspace.workers.values())
    if users:
        raise Refused(20001, f"Activity {activity.sid} is in use by {users} workers")
    del workspace.activities[activity.sid]
    workspace.do(Delete(activity))
    _tell(workspace, activity, "deleted")


def _name_free(workspace: LiveWorkspace, event: WorkspaceWriteRequested) -> None:
    name = event.values.get("friendly_name")
    if any(each.friendly_name == name and each.sid != event.sid for each in workspace.activities.values()):
        raise Refused(20001, f"An activity named {name!r} exists in this workspace")


def _tell(workspace: LiveWorkspace, activity: Activity, what: str) -> None:
    facts = {
        "ActivitySid": activity.sid,
        "ActivityName": activity.friendly_name,
        "ActivityAvailable": "true" if activity.available else "false",
    }
    publish(workspace, f"activity.{what}", about=("activity", activity.sid), facts=facts)
