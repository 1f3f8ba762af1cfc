"""Activities (taskrouter.md §2.2)."""

from __future__ import annotations

from ringback.effects import Delete
from ringback.events.taskrouter import DeskRequested
from ringback.kernel.errors import Refused
from ringback.resources.taskrouter.activity import Activity
from ringback.taskrouter.floor import Floor
from ringback.taskrouter.journal import happened
from ringback.taskrouter.requests.values import assign, truth

NOUN = Activity
LIMIT = 100


def create(floor: Floor, event: DeskRequested) -> Activity:
    """A new activity."""
    _name_free(floor, event)
    if len(floor.activities) >= LIMIT:
        raise Refused(20001, f"A workspace has at most {LIMIT} activities")
    activity = Activity(
        sid=event.sid, account_sid=event.account_sid, date_created=floor.now, workspace_sid=floor.workspace.sid,
        available=truth(event.params.get("Available", "")), **event.values,
    )  # fmt: skip
    floor.activities[activity.sid] = activity
    floor.save(activity)
    _tell(floor, activity, "created")
    return activity


def update(floor: Floor, event: DeskRequested) -> Activity:
    """Its name; ``available`` never changes."""
    activity = floor.activity(event.sid)
    _name_free(floor, event)
    assign(activity, event.values)
    floor.save(activity)
    workspace = floor.workspace
    for kind in ("default", "timeout"):
        if getattr(workspace, f"{kind}_activity_sid") == activity.sid:
            setattr(workspace, f"{kind}_activity_name", activity.friendly_name)
            floor.save(workspace)
    for agent in floor.workers.values():
        if agent.record.activity_sid == activity.sid:
            agent.record.activity_name = activity.friendly_name
            floor.save(agent.record)
            floor.enrol(agent)
    _tell(floor, activity, "updated")
    return activity


def delete(floor: Floor, event: DeskRequested) -> None:
    """Refused while anybody needs it."""
    activity = floor.activity(event.sid)
    workspace = floor.workspace
    if activity.sid in (workspace.default_activity_sid, workspace.timeout_activity_sid):
        raise Refused(20001, f"Activity {activity.sid} is the workspace's default or timeout activity")
    users = sum(agent.record.activity_sid == activity.sid for agent in floor.workers.values())
    if users:
        raise Refused(20001, f"Activity {activity.sid} is in use by {users} workers")
    del floor.activities[activity.sid]
    floor.do(Delete(activity))
    _tell(floor, activity, "deleted")


def _name_free(floor: Floor, event: DeskRequested) -> None:
    name = event.values.get("friendly_name")
    if any(each.friendly_name == name and each.sid != event.sid for each in floor.activities.values()):
        raise Refused(20001, f"An activity named {name!r} exists in this workspace")


def _tell(floor: Floor, activity: Activity, what: str) -> None:
    facts = {
        "ActivitySid": activity.sid,
        "ActivityName": activity.friendly_name,
        "ActivityAvailable": "true" if activity.available else "false",
    }
    happened(floor, f"activity.{what}", about=("activity", activity.sid), facts=facts)
