"""What a call tells TaskRouter: the part of the product that has the tasks (taskrouter.md §9; events/queues.py)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ringback.effects import Post
from ringback.events.queues import ReservationClaimed, TaskCallChanged, TaskCallRequested, TaskMade
from ringback.resources.api.call import Call
from ringback.resources.telephony import TaskLeg
from ringback.voice.leg import Leg


@dataclass(frozen=True, slots=True)
class AskedTask:
    """Kept with a waiting caller's leg: the ``MakeTask`` that their stay belongs to."""

    request: str


def changed(call: Call, leg: TaskLeg | None, change: Any, reason: str = "", **facts: str) -> list[Post]:
    """The event that tells of ``change``, in a list; empty when the call belongs to no task."""
    if leg is None:
        return []
    ended = change == "ended"
    return [
        Post(
            TaskCallChanged(
                workspace_sid=leg.workspace,
                about=call.sid,
                leg=leg,
                change=change,
                status=call.status if ended else "",
                sip_code=call.sip_code if ended else None,
                error_code=call.error_code if ended else None,
                reason_code=(call.plan.get("outcome") or {}).get("reason_code") if ended else None,
                reason=reason,
                **facts,
            )
        )
    ]


def tell(session: Leg, change: Any, reason: str = "") -> None:
    """Tell TaskRouter, when the call belongs to a task."""
    for post in changed(session.call, session.plan.task_leg, change, reason):
        session.do(post)


def joined(session: Leg, conference_sid: str, name: str) -> None:
    """The leg is in a conference: the task's attributes name it (taskrouter.md §4.1)."""
    facts = {"conference_sid": conference_sid, "conference_name": name}
    for post in changed(session.call, session.plan.task_leg, "joined", **facts):
        session.do(post)


def left(session: Leg, reason: str) -> None:
    """The customer has gone without an agent: TaskRouter hears it once, and has no part in the call any more."""
    if session.plan.task_leg:
        tell(session, "left_queue", reason)
        session.plan.task_leg = None
        session.save()


def customer(event: TaskMade) -> TaskLeg:
    """What a waiting caller is to its task."""
    return TaskLeg(workspace=event.workspace_sid, task=event.task_sid, role="customer")


def task_made(session: Leg, event: TaskMade) -> None:
    """The caller's task exists: remember it, or tell at once that the caller has left meanwhile."""
    if not event.task_sid:
        return
    asked = session.part(AskedTask)
    if asked is None or event.request != asked.request:
        for post in changed(session.call, customer(event), "left_queue", "left before the task was made"):
            session.do(post)
        return
    session.board.queues.prove(session.call.sid)
    tell(session, "left_queue", "enqueued again")  # an earlier task, whose talk is over
    session.plan.task_leg = customer(event)
    session.save()


def claimed(session: Leg, event: ReservationClaimed) -> None:
    """This leg is a worker's from now on, also when no instruction of TaskRouter dialled it."""
    if not session.plan.task_leg:
        session.plan.task_leg = worker(event)
        session.save()


def orphaned(event: TaskMade) -> list[Post]:
    """The task of a caller who is gone: TaskRouter hears that the call has ended."""
    return _gone(event, customer(event), "hung up before the task was made")


def worker(event: ReservationClaimed) -> TaskLeg:
    """What a leg is to the reservation that it claimed."""
    return TaskLeg(
        workspace=event.workspace_sid,
        task=event.task_sid,
        reservation=event.reservation_sid,
        role="worker",
    )


def claim_orphaned(event: ReservationClaimed) -> list[Post]:
    """The reservation of a leg that is gone: TaskRouter hears that the call has ended."""
    return [] if event.error_code else _gone(event, worker(event), "hung up before the caller was connected")


def _gone(event: TaskMade | ReservationClaimed, leg: TaskLeg, reason: str) -> list[Post]:
    if not event.task_sid:
        return []
    return [
        Post(
            TaskCallChanged(
                workspace_sid=event.workspace_sid,
                about=event.call_sid,
                leg=leg,
                change="ended",
                status="completed",
                reason=reason,
            )
        )
    ]


def form_of(event: TaskCallRequested) -> dict[str, list[str]]:
    """A call that TaskRouter wants, as the form of POST Calls: the same checks apply."""
    given = {
        "To": event.to,
        "From": event.from_,
        "Url": event.url,
        "Method": event.method,
        "Twiml": event.twiml if event.url is None else None,
        "Timeout": str(event.timeout),
        "Record": "true" if event.record else None,
        "RecordingChannels": event.recording_channels,
        "RecordingStatusCallback": event.record_callback,
        "RecordingStatusCallbackMethod": event.record_callback_method,
        "StatusCallback": event.status_callback,
        "StatusCallbackMethod": event.status_callback_method,
        "SipAuthUsername": event.username,
        "SipAuthPassword": event.password,
    }
    params = {name: [value] for name, value in given.items() if value}
    params["StatusCallbackEvent"] = list(event.status_callback_events)
    return params
