"""Records as the JavaScript SDK wants them (taskrouter-js.md §5): every key present, dates as whole seconds.

The SDK throws, uncaught, at an object with a key too few; keys that are optional are left out when there is
nothing to say, because it throws at their ``null`` as well.
"""

from __future__ import annotations

from typing import Any

from ringback.resources.telephony import TaskTransfer

Whole = dict[str, Any]


def _seconds(moment: float | None) -> int | None:
    return None if moment is None else int(moment)


def _common(record: Any) -> Whole:
    return {
        "sid": record.sid,
        "account_sid": record.account_sid,
        "workspace_sid": record.workspace_sid,
        "date_created": _seconds(record.date_created),
        "date_updated": _seconds(record.date_updated),
    }


def worker(record: Any) -> Whole:
    """A Worker."""
    return {
        **_common(record),
        "friendly_name": record.friendly_name,
        "attributes": record.attributes,
        "activity_sid": record.activity_sid,
        "activity_name": record.activity_name,
        "available": record.available,
        "date_status_changed": _seconds(record.date_status_changed),
        "version": str(record.version),
    }


def activity(record: Any) -> Whole:
    """An Activity."""
    return {**_common(record), "friendly_name": record.friendly_name, "available": record.available}


def channel(record: Any) -> Whole:
    """A WorkerChannel. ``last_reserved_time`` is the one date in milliseconds."""
    return {
        **_common(record),
        "worker_sid": record.worker_sid,
        "task_channel_sid": record.task_channel_sid,
        "task_channel_unique_name": record.task_channel_unique_name,
        "configured_capacity": record.configured_capacity,
        "available": record.available,
        "assigned_tasks": record.assigned_tasks,
        "available_capacity_percentage": record.available_capacity_percentage,
        "last_reserved_time": int(record.last_reserved * 1000) or None,
    }


def queue(record: Any) -> Whole:
    """A TaskQueue."""
    return {
        **_common(record),
        "friendly_name": record.friendly_name,
        "target_workers": record.target_workers,
        "max_reserved_workers": record.max_reserved_workers,
        "task_order": record.task_order,
        "lifo_queue": record.task_order == "LIFO",
        "reservation_activity_sid": record.reservation_activity_sid,
        "reservation_activity_name": record.reservation_activity_name,
        "assignment_activity_sid": record.assignment_activity_sid,
        "assignment_activity_name": record.assignment_activity_name,
    }


def task(record: Any, now: float, *, offered: bool = False) -> Whole:
    """A Task; ``now`` (Unix seconds) gives its age. ``offered``: as it looks to a worker to whom it is being
    transferred, to whom it is reserved though the one who began the transfer still has it."""
    return {
        **_common(record),
        "addons": record.addons,
        "age": max(0, int(now - record.date_created)),
        "assignment_status": "reserved" if offered else record.assignment_status,
        "attributes": record.attributes,
        "priority": record.priority,
        "queue_name": record.task_queue_friendly_name,
        "queue_sid": record.task_queue_sid,
        "reason": record.reason,
        "routing_target": record.routing_target,
        "task_channel_sid": record.task_channel_sid,
        "task_channel_unique_name": record.task_channel_unique_name,
        "timeout": record.timeout,
        "version": str(record.version),
        "virtual_start_time": _seconds(record.virtual_start_time),
        "workflow_name": record.workflow_friendly_name,
        "workflow_sid": record.workflow_sid,
    }


def reservation(record: Any, of_task: Any, now: float, *, transfers: bool = True) -> Whole:
    """A Reservation with its Task; ``of_task`` None (deleted meanwhile): without.

    ``transfers`` False: without the transfer that it comes from or has begun. The SDK reads the answer to a change
    of state without its task, and throws when there is a transfer to hang on it.
    """
    found = {
        **_common(record),
        "reservation_status": record.reservation_status,
        "reservation_timeout": max(0, int(record.expires_at - record.date_created)),
        "worker_sid": record.worker_sid,
        "version": str(record.version),
    }
    if record.canceled_reason_code is not None:
        found["canceled_reason_code"] = record.canceled_reason_code
    if of_task is not None:
        last: TaskTransfer | None = of_task.transfer
        found["task"] = task(of_task, now, offered=is_offered(record, of_task))
        if last is None or not transfers:
            return found
        own = last.initiating_reservation_sid == record.sid
        if _comes_in(record, last):
            found["task_transfer"] = transfer(last, of_task)
        elif own and last.flying:
            found["active_outgoing_task_transfer"] = transfer(last, of_task)
    return found


def transfer(known: TaskTransfer, of_task: Any) -> Whole:
    """A Transfer; ``of_task`` None (deleted meanwhile): without what only the task says."""
    found = {
        "sid": known.sid,
        "date_created": _seconds(known.date_created),
        "date_updated": _seconds(known.date_updated),
        "initiating_reservation_sid": known.initiating_reservation_sid,
        "initiating_worker_sid": known.initiating_worker_sid,
        "initiating_queue_sid": known.initiating_queue_sid,
        "initiating_workflow_sid": known.initiating_workflow_sid,
        "transfer_mode": known.mode,
        "transfer_to": known.to,
        "transfer_type": known.type,
        "transfer_status": known.status,
        "transfer_failed_reason": known.reason,
        "task_sid": known.task_sid,
    }
    if of_task is not None:
        found |= {"account_sid": of_task.account_sid, "workspace_sid": of_task.workspace_sid}
    return found


def is_offered(record: Any, of_task: Any) -> bool:
    """Whether the reservation is the pending offer of a transfer that is in flight."""
    last: TaskTransfer | None = of_task.transfer
    pending = record.reservation_status == "pending" and of_task.assignment_status == "assigned"
    return pending and last is not None and last.flying and _comes_in(record, last)


def _comes_in(record: Any, last: TaskTransfer) -> bool:
    """Whether the reservation is what the transfer asks, or asked, for."""
    if record.transfer_sid:
        return bool(record.transfer_sid == last.sid)
    own = last.initiating_reservation_sid == record.sid
    return last.flying and not own and record.reservation_status == "pending"
