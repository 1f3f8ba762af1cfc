"""A task's legs in its conference: hold, mute, kick, as the worker SDK asks for them (taskrouter-js.md §4)."""

from __future__ import annotations

from collections.abc import Callable

from ringback.effects import Post
from ringback.events.conferences import ParticipantRemovalRequested, ParticipantUpdateRequested
from ringback.events.taskrouter import DeskRequested
from ringback.kernel.errors import Refused
from ringback.resources.taskrouter.task import Task
from ringback.taskrouter.floor import Floor, Job

HOLD = {"Hold": "Hold", "HoldUrl": "HoldUrl", "HoldMethod": "HoldMethod"}
OWN = {"Mute": "Muted", "EndConferenceOnExit": "EndConferenceOnExit", "BeepOnExit": "BeepOnExit"}
"""The SDK's parameter → that of a conference's participant."""


def customer(floor: Floor, event: DeskRequested) -> Task:
    """Hold or unhold the customer."""
    job = floor.task(event.params.get("TaskSid", ""))
    leg = job.record.call_sid or (job.record.conference or {}).get("customer_call")
    if not leg:
        raise Refused(20001, f"Task {job.record.sid} has no customer on the telephone")
    return _change(floor, job, str(leg), event, HOLD)


def worker(floor: Floor, event: DeskRequested) -> Task:
    """Mute the worker himself, or say what happens when he leaves."""
    reservation = floor.reservation(event.params.get("ReservationSid", ""))
    if reservation.worker_sid != event.params.get("WorkerSid", reservation.worker_sid):
        raise Refused(20003, "The reservation is another worker's", 403)
    if not reservation.call_sid:
        raise Refused(20001, f"Reservation {reservation.sid} has no call")
    return _change(floor, floor.task(reservation.task_sid), reservation.call_sid, event, OWN)


def hold_worker(floor: Floor, event: DeskRequested) -> Task:
    """Hold or unhold another worker of the task."""
    job = floor.task(event.params.get("TaskSid", ""))
    return _change(floor, job, _leg(floor, job, event), event, HOLD)


def kick_worker(floor: Floor, event: DeskRequested) -> Task:
    """Take another worker out of the conference."""
    job = floor.task(event.params.get("TaskSid", ""))
    floor.do(Post(ParticipantRemovalRequested(call_sid=_leg(floor, job, event), conference_sid="")))
    return job.record


BY_NOUN: dict[str, Callable[[Floor, DeskRequested], Task]] = {
    "CustomerParticipant": customer,
    "WorkerParticipant": worker,
    "HoldWorkerParticipant": hold_worker,
    "KickWorkerParticipant": kick_worker,
}


def _leg(floor: Floor, job: Job, event: DeskRequested) -> str:
    target = event.params.get("TargetWorkerSid", "")
    for sid in job.reservations:
        reservation = floor.reservations[sid]
        if (
            reservation.worker_sid == target
            and reservation.reservation_status == "accepted"
            and reservation.call_sid
        ):
            return reservation.call_sid
    raise Refused(20001, f"Worker {target[:64]} does not talk in task {job.record.sid}")


def _change(floor: Floor, job: Job, leg: str, event: DeskRequested, names: dict[str, str]) -> Task:
    params = {ours: [event.params[theirs]] for theirs, ours in names.items() if event.params.get(theirs)}
    if not params:
        raise Refused(20001, f"Give one of {', '.join(names)}")
    floor.do(Post(ParticipantUpdateRequested(call_sid=leg, conference_sid="", params=params)))
    return job.record
