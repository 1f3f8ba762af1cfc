"""Workers (taskrouter.md §2.3)."""

from __future__ import annotations

from ringback.effects import Delete
from ringback.events.taskrouter import DeskRequested
from ringback.kernel.errors import Refused
from ringback.resources.taskrouter.worker import Worker
from ringback.taskrouter.floor import Agent, Floor
from ringback.taskrouter.journal import happened
from ringback.taskrouter.lifecycle import move_worker, reject
from ringback.taskrouter.requests.task_channel import equip
from ringback.taskrouter.requests.values import attributes, check_version, truth

NOUN = Worker
LIMIT = 15_000


def create(floor: Floor, event: DeskRequested) -> Worker:
    """A new worker, with a channel of each kind, in the workspace's default activity."""
    values = dict(event.values)
    _name_free(floor, event)
    if len(floor.workers) >= LIMIT:
        raise Refused(20001, f"A workspace has at most {LIMIT} workers")
    values["attributes"] = attributes(values.get("attributes") or "{}")
    activity = floor.activity(values.get("activity_sid") or floor.workspace.default_activity_sid or "")
    values |= {
        "activity_sid": activity.sid, "activity_name": activity.friendly_name, "available": activity.available,
    }  # fmt: skip
    worker = Worker(
        sid=event.sid, account_sid=event.account_sid, date_created=floor.now, workspace_sid=floor.workspace.sid,
        date_status_changed=floor.now, **values,
    )  # fmt: skip
    agent = floor.add_worker(worker)
    for channel in floor.channels.values():
        equip(floor, worker, channel)
    floor.save(worker)
    floor.enrol(agent)
    floor.reseat(agent)
    happened(floor, "worker.created", worker=worker)
    return worker


def update(floor: Floor, event: DeskRequested) -> Worker:
    """Activity, attributes, name; pending reservations decide about an unavailable activity."""
    agent = floor.agent(event.sid)
    worker, values = agent.record, event.values
    check_version(event, worker)
    _name_free(floor, event)
    if "attributes" in values:
        attributes(values["attributes"])
    activity = floor.activity(values["activity_sid"]) if values.get("activity_sid") else None
    pending = [floor.reservations[sid] for sid in sorted(agent.held)]
    pending = [each for each in pending if each.reservation_status == "pending"]
    leaves = activity is not None and not activity.available and activity.sid != worker.activity_sid
    if leaves and pending and not truth(event.params.get("RejectPendingReservations", "")):
        count = len(pending)
        raise Refused(
            20001,
            f"Worker {worker.sid} cannot have its activity updated while it has {count} pending reservations.",
        )
    if "attributes" in values or "friendly_name" in values:
        _describe(floor, agent, values)
    if activity is not None:
        move_worker(floor, agent, activity.sid)
    for each in pending if leaves else ():
        reject(floor, each)
    return worker


def delete(floor: Floor, event: DeskRequested) -> None:
    """Only from an unavailable activity and without live reservations."""
    agent = floor.agent(event.sid)
    worker = agent.record
    check_version(event, worker)
    if worker.available:
        raise Refused(20001, f"Worker {worker.sid} is in an available activity; move it to another one first")
    if agent.held:
        raise Refused(20001, f"Worker {worker.sid} has {len(agent.held)} live reservations")
    floor.dismiss(agent)
    del floor.workers[worker.sid]
    floor.worker_names.pop(worker.friendly_name.lower(), None)
    for channel in agent.channels.values():
        floor.worker_channels.pop(channel.sid, None)
        floor.forget(channel.sid)
        floor.do(Delete(channel))
    floor.forget(worker.sid)
    floor.do(Delete(worker))
    happened(floor, "worker.deleted", worker=worker)


def _describe(floor: Floor, agent: Agent, values: dict[str, str]) -> None:
    worker = agent.record
    if "friendly_name" in values:
        floor.worker_names.pop(worker.friendly_name.lower(), None)
        worker.friendly_name = values["friendly_name"]
        floor.worker_names[worker.friendly_name.lower()] = worker.sid
        for reservation in floor.reservations.values():
            if reservation.worker_sid == worker.sid:
                reservation.worker_name = worker.friendly_name
                floor.save(reservation)
    worker.attributes = values.get("attributes", worker.attributes)
    floor.save(worker)
    floor.enrol(agent)
    happened(floor, "worker.attributes.update", worker=worker)


def _name_free(floor: Floor, event: DeskRequested) -> None:
    name = event.values.get("friendly_name")
    if name is not None and floor.worker_names.get(name.lower(), event.sid) != event.sid:
        raise Refused(
            20001, f"A worker named {name!r} exists in this workspace (names are compared without case)"
        )
