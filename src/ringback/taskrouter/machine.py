"""The states of tasks and reservations as tables (taskrouter.md §3, §4): what is not in them is refused."""

from __future__ import annotations

from ringback.kernel.errors import Refused

TASK: dict[tuple[str, str], str] = {
    ("pending", "reserve"): "reserved",
    ("reserved", "reserve"): "reserved",
    ("reserved", "release"): "pending",
    ("pending", "accept"): "assigned",
    ("reserved", "accept"): "assigned",
    ("assigned", "accept"): "assigned",
    ("wrapping", "accept"): "assigned",
    ("pending", "cancel"): "canceled",
    ("reserved", "cancel"): "canceled",
    ("assigned", "wrap"): "wrapping",
    ("assigned", "complete"): "completed",
    ("wrapping", "complete"): "completed",
    ("assigned", "fail"): "canceled",
    ("assigned", "release"): "pending",
}
"""(state, event) → state. ``fail``: a worker's own outbound task whose call failed (§4, §9.6). ``release`` of an
assigned task is ours: the worker's leg ended before the waiting caller heard him, and the caller still waits."""

RESERVATION: dict[tuple[str, str], str] = {
    ("pending", "accept"): "accepted",
    ("pending", "reject"): "rejected",
    ("pending", "expire"): "timeout",
    ("pending", "cancel"): "canceled",
    ("pending", "rescind"): "rescinded",
    ("accepted", "wrap"): "wrapping",
    ("accepted", "complete"): "completed",
    ("wrapping", "complete"): "completed",
    ("accepted", "cancel"): "canceled",
    ("wrapping", "cancel"): "canceled",
}
"""(state, event) → state."""

TASK_OVER = frozenset({"completed", "canceled"})
RESERVATION_LIVE = frozenset({"pending", "accepted", "wrapping"})
"""These take capacity."""

_TASK_REFUSALS = {
    "cancel": "Cannot cancel task {sid} because it is not pending or reserved.",
    "wrap": "Cannot wrap up a task {sid} because it's not currently assigned.",
    "complete": "Cannot complete task {sid} because it is not currently assigned.",
}


def task_step(state: str, event: str, sid: str) -> str:
    """The next state of a task. Raises :class:`Refused` 20001 for what is not in the table."""
    found = TASK.get((state, event))
    if found is None:
        text = _TASK_REFUSALS.get(event, "Task {sid} cannot " + event + ".").format(sid=sid)
        raise Refused(20001, f"{text} Its assignment status is {state}.")
    return found


def reservation_step(state: str, event: str, sid: str) -> str:
    """The next state of a reservation. Raises :class:`Refused` 20001 for what is not in the table."""
    found = RESERVATION.get((state, event))
    if found is None:
        wanted = " or ".join(sorted({one for one, what in RESERVATION if what == event}))
        raise Refused(20001, f"Cannot {event} reservation {sid}: it is {state}, not {wanted}.")
    return found
