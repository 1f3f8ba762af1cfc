"""A worker's own outbound call: he is called first, then the customer, into the task's conference (taskrouter.md §9.6).

The life of it::

    pending   the worker's phone rings; he is gone before the customer is dialled: 45302, his phone fails: 45301
    accepted  he is in the conference and the customer's phone rings
              the customer's call ends unanswered: its outcome's reason code (call-outcomes.md §6)
              the worker hangs up: the customer's call is canceled, which ends it with 45306
    talking   as with any caller

A failure cancels the reservation with the code, ends the task and hangs the worker up.
"""

from __future__ import annotations

import re
from typing import Any

from ringback.effects import Post
from ringback.events import HangUpRequested
from ringback.events.queues import TaskCallChanged, TaskCallRequested
from ringback.kernel.error_codes import title
from ringback.kernel.outcome import GONE, INTERNAL_TIMEOUT, REASONS, UNREACHED
from ringback.resources.taskrouter.reservation import Reservation
from ringback.taskrouter.lifecycle import fail_task
from ringback.taskrouter.live import LiveTask
from ringback.taskrouter.workspace import LiveWorkspace

ADDRESS = re.compile(r"(\+?[0-9][0-9 ().-]{1,30}|(sips?|client):[^\s<>\"]{1,300})\Z", re.IGNORECASE)
"""What can be dialled at all; the voice core looks closer."""


def to_be_called(task: LiveTask) -> bool:
    """Whether the customer is still to be reached: nobody waits, the attributes say so, nobody has answered yet.

    The SDK's ``createTask`` by itself writes ``outbound_to`` and no ``direction``.
    """
    direction, reached = (
        task.attributes.get("direction"),
        (task.record.conference or {}).get("customer_answered"),
    )
    wanted = direction == "outbound" or (direction is None and "outbound_to" in task.attributes)
    return wanted and not task.record.call_sid and not reached


def callee(task: LiveTask) -> str:
    """Whom to call, as written; empty when nobody is named."""
    value = task.attributes.get("outbound_to")
    return value.strip() if isinstance(value, str) else ""


def dial(workspace: LiveWorkspace, task: LiveTask, reservation: Reservation) -> None:
    """The worker is there: call the customer into the conference, unless that is being done."""
    if ringing(task):
        return
    record, instruction = task.record, reservation.instruction or {}
    sid = workspace.new_sid("CA")
    taskrouter = {
        "workspace": workspace.record.sid, "task": record.sid, "reservation": reservation.sid, "role": "customer",
        "instruction": "conference", "queue": reservation.task_queue_sid or "",
    }  # fmt: skip
    if record.routing_target == reservation.worker_sid:
        taskrouter["started_by"] = reservation.worker_sid
    workspace.do(
        Post(
            TaskCallRequested(
                call_sid=sid, account_sid=record.account_sid, to=callee(task),
                from_=instruction.get("customer_from") or "", twiml=instruction.get("customer_twiml"),
                timeout=int(instruction.get("customer_timeout") or 60), leg=taskrouter,
                early_media=instruction.get("early_media") != "false",
            )
        )
    )  # fmt: skip
    _note(workspace, task, customer_call=sid)


def ringing(task: LiveTask) -> str:
    """The customer's call while it is not answered; empty: there is none."""
    known = task.record.conference or {}
    return "" if known.get("customer_answered") else str(known.get("customer_call") or "")


def told(workspace: LiveWorkspace, task: LiveTask, event: TaskCallChanged) -> bool:
    """The customer's leg tells how it goes; False: what follows is as with any caller."""
    ours = (task.record.conference or {}).get("customer_call")
    if ours is None:
        return False  # a caller who had waited in a queue
    if event.about != ours:
        return True  # an older attempt
    if event.change == "answered":
        _note(workspace, task, customer_answered=True)
        return True
    if event.change != "ended" or event.status == "completed":
        return False
    _note(workspace, task, customer_ended=True)
    reservation = workspace.reservations.get(event.leg.get("reservation", ""))
    if reservation is not None and reservation.reservation_status == "accepted":
        fail(workspace, reservation, event.reason_code)
    return True


def worker_gone(workspace: LiveWorkspace, reservation: Reservation, event: TaskCallChanged) -> None:
    """The worker's leg is over before the customer was dialled.

    That his line is busy or that he does not pick up is nothing to tell him; that his phone cannot be reached is.
    """
    code = GONE
    if event.status == "failed":
        code = INTERNAL_TIMEOUT if event.reason_code == INTERNAL_TIMEOUT else UNREACHED
    fail(workspace, reservation, code)


def give_up(workspace: LiveWorkspace, task: LiveTask) -> None:
    """The worker left while it rang: cancel the call; its end says with which code the reservation goes."""
    workspace.do(Post(HangUpRequested(call_sid=ringing(task), reason="api")))


def fail(workspace: LiveWorkspace, reservation: Reservation, code: int | None) -> None:
    """Cancel the reservation with the code, and end the task."""
    why = "" if code is None else f": {REASONS.get(code) or title(code)} ({code})"
    fail_task(workspace, reservation, code, f"Outbound call failed{why}")


def _note(workspace: LiveWorkspace, task: LiveTask, **facts: Any) -> None:
    task.record.conference = {**(task.record.conference or {}), **facts}
    workspace.save(task.record)
