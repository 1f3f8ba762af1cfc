"""The states of tasks, reservations and legs as tables (taskrouter.md §3, §4, §9): what is not in them is refused."""

from __future__ import annotations

from ringback.kernel.errors import Refused
from ringback.resources.telephony import LegState

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
assigned task is ours: the worker's leg ended before the waiting caller heard them, and the caller still waits; or it is
being transferred, and nobody has it any more."""

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

LEG: dict[tuple[LegState, str], LegState] = {
    ("waiting", "bridged"): "talking",
    ("waiting", "left_queue"): "left",
    ("waiting", "ended"): "over",
    ("dialled", "answered"): "answered",
    ("dialled", "ended"): "unreached",
    ("answered", "joined"): "talking",
    ("answered", "bridged"): "talking",
    ("answered", "unbridged"): "parted",
    ("answered", "left_queue"): "left",
    ("answered", "ended"): "over",
    ("talking", "unbridged"): "parted",
    ("talking", "failed"): "waiting",
    ("talking", "left_queue"): "left",
    ("talking", "ended"): "over",
    ("parted", "joined"): "talking",
    ("parted", "bridged"): "talking",
    ("parted", "left_queue"): "left",
    ("parted", "ended"): "over",
    ("left", "ended"): "over",
}
"""(state, event) → state: how a leg of a task goes, the customer's and the worker's, for every instruction. A caller
begins in ``waiting``, a call that TaskRouter makes in ``dialled``; the events are those of ``TaskCallChanged``, and
``failed`` for ``unbridged`` because of that: the two never heard each other, and the caller waits on."""

LEG_IGNORED: frozenset[tuple[LegState, str]] = frozenset({
    # The leg was answered before it waited, and may be in a conference that is none of the task's.
    ("waiting", "answered"), ("waiting", "joined"), ("waiting", "unbridged"), ("waiting", "failed"),
    # Nobody talks before they have answered: the answer was told when the leg was not yet the task's.
    ("dialled", "joined"), ("dialled", "bridged"), ("dialled", "unbridged"), ("dialled", "failed"),
    ("dialled", "left_queue"), ("answered", "answered"), ("answered", "failed"),
    # Told a second time, or a conference after the bridge that led into it.
    ("talking", "answered"), ("talking", "joined"), ("talking", "bridged"),
    ("parted", "answered"), ("parted", "unbridged"), ("parted", "failed"),
    # What the leg does elsewhere, before it ends, is no part of the task.
    *(("left", event) for event in ("answered", "joined", "bridged", "unbridged", "failed", "left_queue")),
    # A leg ends once; what comes afterwards was on its way.
    *((state, event) for state in ("over", "unreached")
      for event in ("answered", "joined", "bridged", "unbridged", "failed", "left_queue", "ended")),
})  # fmt: skip
"""What may come and changes nothing."""

LEG_REACHED = frozenset[LegState]({"answered", "talking", "parted", "left", "over"})
"""Somebody picked this leg up."""

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


def leg_step(state: LegState, event: str) -> LegState:
    """The next state of a leg; the same for what changes nothing. Raises ``ValueError`` for what cannot happen."""
    if (state, event) in LEG_IGNORED:
        return state
    found = LEG.get((state, event))
    if found is None:
        raise ValueError(f"a leg that is {state or 'not there'} cannot be told {event}")
    return found
