"""The state tables against the sheet (§3, §4): every legal step, and every other one refused with its message."""

from __future__ import annotations

import itertools
from typing import get_args, get_type_hints

import pytest

from ringback.events.queues import TaskCallChanged
from ringback.kernel.errors import Refused
from ringback.resources.telephony import LegState
from ringback.taskrouter.machine import (
    LEG,
    LEG_IGNORED,
    RESERVATION,
    RESERVATION_LIVE,
    TASK,
    TASK_OVER,
    leg_step,
    reservation_step,
    task_step,
)
from tests.taskrouter.states import RESERVATION_STATES, TASK_STATES

TASK_SHEET = {
    "reserve": {"pending": "reserved", "reserved": "reserved"},
    "release": {"reserved": "pending", "assigned": "pending"},
    "accept": {"pending": "assigned", "reserved": "assigned", "assigned": "assigned", "wrapping": "assigned"},
    "cancel": {"pending": "canceled", "reserved": "canceled"},
    "wrap": {"assigned": "wrapping"},
    "complete": {"assigned": "completed", "wrapping": "completed"},
    "fail": {"assigned": "canceled"},
}
"""Event → state → state. ``assigned`` is released when a worker's leg ends before the caller heard them (ours);
``pending`` accepts for a claim that comes with its own reservation, ``assigned`` and ``wrapping`` for a transfer."""

RESERVATION_SHEET = {
    "accept": {"pending": "accepted"},
    "reject": {"pending": "rejected"},
    "expire": {"pending": "timeout"},
    "cancel": {"pending": "canceled", "accepted": "canceled", "wrapping": "canceled"},
    "rescind": {"pending": "rescinded"},
    "wrap": {"accepted": "wrapping"},
    "complete": {"accepted": "completed", "wrapping": "completed"},
}

MESSAGES = {
    "cancel": "Cannot cancel task WT1 because it is not pending or reserved.",
    "wrap": "Cannot wrap up a task WT1 because it's not currently assigned",
    "complete": "Cannot complete task WT1 because it is not currently assigned.",
}
"""§3, illegal transitions."""


@pytest.mark.parametrize(("state", "event"), list(itertools.product(TASK_STATES, TASK_SHEET)))
def test_task(state: str, event: str) -> None:
    """Every state with every event."""
    expected = TASK_SHEET[event].get(state)
    if expected is not None:
        assert task_step(state, event, "WT1") == expected
        return
    with pytest.raises(Refused) as refusal:
        task_step(state, event, "WT1")
    assert refusal.value.code == 20001
    assert MESSAGES.get(event, "WT1") in refusal.value.message
    assert state in refusal.value.message


@pytest.mark.parametrize(("state", "event"), list(itertools.product(RESERVATION_STATES, RESERVATION_SHEET)))
def test_reservation(state: str, event: str) -> None:
    """Every state with every event."""
    expected = RESERVATION_SHEET[event].get(state)
    if expected is not None:
        assert reservation_step(state, event, "WR1") == expected
        return
    with pytest.raises(Refused, match=f"WR1: it is {state}, not ") as refusal:
        reservation_step(state, event, "WR1")
    assert refusal.value.code == 20001


def test_the_tables_hold_nothing_else() -> None:
    """No state or event that the sheet does not know; what is over stays over."""
    assert {state for state, _ in TASK} | set(TASK.values()) == set(TASK_STATES)
    assert {event for _, event in TASK} == set(TASK_SHEET)
    assert {event for _, event in RESERVATION} == set(RESERVATION_SHEET)
    assert {state for state, _ in RESERVATION} | set(RESERVATION.values()) == set(RESERVATION_STATES)
    assert not any(state in TASK_OVER for state, _ in TASK)
    assert {state for state, _ in RESERVATION} == RESERVATION_LIVE


LEG_STATES = [each for each in get_args(LegState) if each]
LEG_EVENTS = [*get_args(get_type_hints(TaskCallChanged)["change"]), "failed"]


@pytest.mark.parametrize(("state", "event"), list(itertools.product(LEG_STATES, LEG_EVENTS)))
def test_leg(state: LegState, event: str) -> None:
    """Whatever a call can tell in whatever state is either a step or said to change nothing."""
    step = LEG.get((state, event))
    assert (step is None) == ((state, event) in LEG_IGNORED)
    assert leg_step(state, event) == (step or state)


def test_every_state_of_a_leg_can_be_reached_and_every_leg_ends() -> None:
    """From where legs begin; and from everywhere to one of the two ends."""
    assert {"waiting", "dialled", *LEG.values()} == set(LEG_STATES)
    ends = {state for state in LEG_STATES if not any(one == state for one, _ in LEG)}
    assert ends == {"over", "unreached"}
    assert all(leg_step(state, "ended") in ends for state in LEG_STATES)


@pytest.mark.parametrize(("state", "event"), [("", "answered"), ("talking", "sings")])
def test_what_cannot_happen_to_a_leg_raises(state: LegState, event: str) -> None:
    """A leg that is not there is told nothing; no call tells what is not in the contract."""
    with pytest.raises(ValueError, match=event):
        leg_step(state, event)
