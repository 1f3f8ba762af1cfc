"""A worker's own outbound call: they are called first, then the customer, into the task's conference.

The life of it (taskrouter.md §9.6)::

    reservation  worker's leg  customer's leg
    pending      dialled                       the worker is gone before they answer: 45302, their phone fails: 45301
    pending      talking       dialled         the customer's call ends unanswered: its outcome's reason code
                                               (call-outcomes.md §6)
                                               the worker hangs up: the customer's call is canceled, which ends it
                                               with 45306
    accepted     talking       talking         as with any caller

It is accepted when the customer's leg is in the conference: then the conference runs, with two participants. Until then
it does not time out, since the worker has done their part, and the customer's phone rings for a bounded time.
A failure cancels the reservation with the code, ends the task and hangs the worker up.
"""

from __future__ import annotations

import re

from ringback.effects import Post
from ringback.events.queues import TaskCallChanged, TaskCallRequested
from ringback.kernel.error_codes import title
from ringback.kernel.outcome import CANCELED, GONE, INTERNAL_TIMEOUT, MALFORMED, REASONS, UNREACHED
from ringback.numbers import plan, written
from ringback.resources.taskrouter.reservation import Reservation
from ringback.resources.telephony import TaskLeg
from ringback.taskrouter.lifecycle import CALLED, accept, fail_task
from ringback.taskrouter.live import LiveTask
from ringback.taskrouter.machine import LEG_REACHED
from ringback.taskrouter.steps import set_conference
from ringback.taskrouter.transfers import TALKING
from ringback.taskrouter.workspace import LiveWorkspace

ADDRESS = re.compile(r"(\+?[0-9(][0-9 ().-]{1,30}|(sips?|client):[^\s<>\"]{1,300})\Z", re.IGNORECASE)
"""What can be dialled at all; the voice core looks closer."""
SHORT = 6
"""Digits of the longest short number (an extension, 112): whether that may be called is for the dialling rights."""


def to_be_called(task: LiveTask) -> bool:
    """Whether the customer is still to be reached: nobody waits, the attributes say so, nobody has answered yet.

    The SDK's ``createTask`` by itself writes ``outbound_to`` and no ``direction``.
    """
    direction = task.attributes.get("direction")
    wanted = direction == "outbound" or (direction is None and "outbound_to" in task.attributes)
    return wanted and not task.record.call_sid and task.customer not in LEG_REACHED


def callee(task: LiveTask) -> str:
    """Whom to call, as written; empty when nobody is named."""
    value = task.attributes.get("outbound_to")
    return value.strip() if isinstance(value, str) else ""


def number(task: LiveTask) -> str:
    """Whom to call, as it is dialled: numbers in E.164, as they are read where the task's ``from`` is at home.

    Raises ``ValueError`` for what is no number and no address (call-outcomes.md §7).
    """
    text = callee(task)
    found = ADDRESS.match(text)
    if found is None:
        raise ValueError("is no number, sip: or client: address")
    digits = re.sub("[^0-9]", "", text)
    if found[2] or (len(digits) <= SHORT and not text.startswith("+")):
        return text
    return written.to_call(text, plan.dialled_region(str(task.attributes.get("from") or "")) or "US")


def dial(workspace: LiveWorkspace, task: LiveTask, reservation: Reservation) -> None:
    """The worker is there: call the customer into the conference, unless that has been done."""
    if task.customer:
        return
    record, carried = task.record, reservation.instruction
    assert carried is not None
    try:
        to = number(task)
    except ValueError:  # the attributes have been changed meanwhile
        fail(workspace, reservation, MALFORMED)
        return
    sid = workspace.new_sid("CA")
    leg = TaskLeg(
        workspace=workspace.record.sid, task=record.sid, reservation=reservation.sid, role="customer",
        instruction="conference", queue=reservation.task_queue_sid or "",
        started_by=reservation.worker_sid if record.routing_target == reservation.worker_sid else "",
    )  # fmt: skip
    workspace.do(
        Post(
            TaskCallRequested(
                call_sid=sid, account_sid=record.account_sid, to=to, from_=carried.customer_from,
                twiml=carried.customer_twiml, timeout=carried.customer_timeout, leg=leg,
                early_media=carried.early_media,
            )
        )
    )  # fmt: skip
    set_conference(workspace, task, customer="dialled", customer_call=sid)


def outdated(task: LiveTask, event: TaskCallChanged) -> bool:
    """Whether another call than the customer's of now tells something: an older attempt."""
    known = task.record.conference
    return known is not None and known.customer_call not in ("", event.about)


def under_way(task: LiveTask) -> bool:
    """Whether the customer is being called, and is not in the conference yet."""
    known = task.record.conference
    return known is not None and bool(known.customer_call) and task.customer in CALLED


def engaged(task: LiveTask, reservation: Reservation) -> bool:
    """Whether the worker of a pending reservation has answered and waits for their customer."""
    known = reservation.instruction
    return known is not None and known.leg in TALKING and under_way(task)


def reached(workspace: LiveWorkspace, task: LiveTask, reservation: Reservation | None) -> None:
    """The customer is in the conference, where the worker is: accepted. With them gone, it is being hung up."""
    known = reservation.instruction if reservation is not None else None
    if reservation is None or known is None or known.leg not in TALKING:
        return
    if reservation.reservation_status == "pending" and known.kind == "conference":
        accept(workspace, reservation)


def told(
    workspace: LiveWorkspace, task: LiveTask, reservation: Reservation | None, event: TaskCallChanged
) -> bool:
    """The customer's leg tells how it goes; False: what follows is as with any caller."""
    if task.record.conference is None or not task.record.conference.customer_call:
        return False  # a caller who had waited in a queue
    if event.change != "ended" or reservation is None:
        return False
    if event.status != "completed":
        if reservation.reservation_status in ("pending", "accepted"):
            fail(workspace, reservation, event.reason_code)
        return True
    if reservation.reservation_status != "pending":
        return False
    known = reservation.instruction  # they picked up, but the two have never been together
    fail(workspace, reservation, GONE if known is not None and known.leg in TALKING else CANCELED)
    return True


def worker_gone(workspace: LiveWorkspace, reservation: Reservation, event: TaskCallChanged) -> None:
    """The worker's leg is over before the customer was dialled.

    That their line is busy or that they do not pick up is nothing to tell them; that their phone cannot be reached is.
    """
    code = GONE
    if event.status == "failed":
        code = INTERNAL_TIMEOUT if event.reason_code == INTERNAL_TIMEOUT else UNREACHED
    fail(workspace, reservation, code)


def fail(workspace: LiveWorkspace, reservation: Reservation, code: int | None) -> None:
    """Cancel the reservation with the code, and end the task."""
    why = "" if code is None else f": {REASONS.get(code) or title(code)} ({code})"
    fail_task(workspace, reservation, code, f"Outbound call failed{why}")
