"""Records as the JavaScript SDK wants them (taskrouter-js.md §5): every key present, dates as whole seconds.

The SDK throws, uncaught, at an object with a key too few; keys that are optional are left out when there is
nothing to say, because it throws at their ``null`` as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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


def task(record: Any, now: float) -> Whole:
    """A Task; ``now`` (Unix seconds) gives its age."""
    return {
        **_common(record),
        "addons": record.addons,
        "age": max(0, int(now - record.date_created)),
        "assignment_status": record.assignment_status,
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
        found["task"] = task(of_task, now)
        flying = of_task.transfer
        if not transfers:
            return found
        if flying and _comes_in(record, flying):
            found["task_transfer"] = transfer(flying, of_task)
        elif flying and flying.get("initiating_reservation_sid") == record.sid and _flies(flying):
            found["active_outgoing_task_transfer"] = transfer(flying, of_task)
    return found


def transfer(facts: Mapping[str, Any], of_task: Any) -> Whole:
    """A Transfer, from the core's facts about it (``mode``, ``to``, ``status`` …)."""
    created = facts.get("date_created", of_task.date_updated if of_task is not None else 0.0)
    found = {
        "sid": facts.get("sid"),
        "date_created": _seconds(created),
        "date_updated": _seconds(facts.get("date_updated", created)),
        "initiating_reservation_sid": facts.get("initiating_reservation_sid"),
        "initiating_worker_sid": facts.get("initiating_worker_sid"),
        "initiating_queue_sid": facts.get("initiating_queue_sid"),
        "initiating_workflow_sid": facts.get("initiating_workflow_sid"),
        "transfer_mode": facts.get("mode"),
        "transfer_to": facts.get("to"),
        "transfer_type": facts.get("type"),
        "transfer_status": facts.get("status"),
        "transfer_failed_reason": facts.get("reason"),
        "task_sid": facts.get("task_sid"),
    }
    if of_task is not None:
        found |= {
            "task_sid": of_task.sid,
            "account_sid": of_task.account_sid,
            "workspace_sid": of_task.workspace_sid,
        }
    return found


def _comes_in(record: Any, flying: Mapping[str, Any]) -> bool:
    """Whether the reservation is what the transfer asks, or asked, for."""
    if record.transfer_sid:
        return bool(record.transfer_sid == flying.get("sid"))
    own = flying.get("initiating_reservation_sid") == record.sid
    return _flies(flying) and not own and record.reservation_status == "pending"


def _flies(facts: Mapping[str, Any]) -> bool:
    return str(facts.get("status", "")).lower() == "initiated"
