"""A workspace that is made anew from what was saved has the same future as the one that went on."""

from __future__ import annotations

import copy
import os
from collections import Counter
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringback.effects import Delete, Save
from ringback.events.taskrouter import WorkspacesLoaded
from ringback.kernel.errors import Refused
from ringback.resources.api.alert import Alert
from ringback.resources.taskrouter.event import Event
from ringback.resources.taskrouter.reservation import Reservation
from ringback.resources.taskrouter.task import Task
from ringback.taskrouter.router import TaskRouter
from tests.taskrouter.workload import STEPS, Step, furnish
from tests.taskrouter.workspace_kit import WS, Kit

EXAMPLES = int(os.environ.get("RINGBACK_ROUTING_EXAMPLES", "250"))

TICK = 2.0**-10
"""Seconds; exact in floating point, so that two clocks never differ."""


class Store:
    """What the product keeps: the last saved state of every record."""

    def __init__(self) -> None:
        self.records: dict[str, Any] = {}
        self.seen = 0

    def follow(self, kit: Kit) -> None:
        """Carry out the effects that came since."""
        for effect in kit.effects[self.seen :]:
            if isinstance(effect, Save) and not isinstance(effect.record, (Event, Alert)):
                self.records[effect.record.sid] = copy.deepcopy(effect.record)
            elif isinstance(effect, Delete):
                self.records.pop(effect.record.sid, None)
        self.seen = len(kit.effects)


def reborn(kit: Kit, store: Store, *, shuffle: Random | None = None) -> Kit:
    """Another TaskRouter, from the store."""
    other = copy.copy(kit)
    other.taskrouter = TaskRouter(other.sid)
    other.effects, other.due = [], None
    other._numbers = copy.copy(kit._numbers)
    records = [copy.deepcopy(each) for each in store.records.values()]
    if shuffle is not None:
        shuffle.shuffle(records)
    other.event(WorkspacesLoaded(workspace_sid=WS, records=tuple(records)))
    return other


def state(kit: Kit) -> dict[str, Any]:
    """Every record of a workspace, as it is in memory; versions and dates of change may differ."""
    workspace = kit.workspace
    found: dict[str, Any] = {}
    for kind in (workspace.activities, workspace.channels, workspace.worker_channels, workspace.reservations):
        found.update(kind)
    for kind in (workspace.queues, workspace.workflows, workspace.workers, workspace.tasks):
        found.update({sid: each.record for sid, each in kind.items()})
    return {**found, WS: workspace.record}


def waits(kit: Kit) -> dict[str, Any]:
    """The tasks in line with their places."""
    workspace = kit.workspace
    return {
        sid: (workspace.global_key(task), task.target, task.open, task.asked)
        for sid, task in workspace.tasks.items()
        if task.waits
        and len(task.open) < workspace.queues[task.record.task_queue_sid or ""].record.max_reserved_workers
    }


@settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck),
    derandomize="RINGBACK_ROUTING_EXAMPLES" not in os.environ,
)  # fmt: skip
@given(
    start=st.integers(0, 2**32),
    cut=st.integers(0, 40),
    script=st.lists(
        st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 2**32)), min_size=10, max_size=60
    ),
)
def test_the_same_future(start: int, cut: int, script: list[tuple[str, int]]) -> None:
    """Cut at any moment: from then on two desks, and every event has the same effects at both."""
    run(start, cut, script)


def run(start: int, cut: int, script: list[tuple[str, int]]) -> None:
    """Drive the two desks."""
    kit, store = Kit(), Store()
    other: Kit | None = None
    for step in furnish(Random(start), kit):
        step.apply(kit)
    for number, (name, seed) in enumerate(script):
        kit.advance(TICK)  # no two events at one moment: rounds are told apart by their time
        store.follow(kit)
        if other is not None:
            other.advance(TICK)
        if number == min(cut, len(script) - 1):
            assert store.records == state(kit)
            other = reborn(kit, store, shuffle=Random(seed))
            assert not [each for each in other.effects if isinstance(each, (Save, Delete))]
            assert waits(other) == waits(kit)
        step = STEPS[name](Random(seed), kit)
        if step is not None:
            both(kit, other, step)
    store.follow(kit)
    assert store.records == state(kit)


def both(kit: Kit, other: Kit | None, step: Step) -> None:
    """One event at both desks, with the same new SIDs."""
    seen = len(kit.effects)
    numbers = copy.copy(kit._numbers)
    refused = _apply(kit, step)
    if other is None:
        return
    seen_by_other = len(other.effects)
    other._numbers = numbers
    assert _apply(other, step) == refused
    assert _told(other, seen_by_other) == _told(kit, seen)
    assert state(other) == state(kit)
    assert waits(other) == waits(kit)


def _apply(kit: Kit, step: Step) -> bool:
    try:
        step.apply(kit)
    except Refused:
        return True
    return False


def _told(kit: Kit, seen: int) -> list[Any]:
    """Events written since, in order."""
    return [
        (each.record.event_type, each.record.resource_sid, each.record.event_date, each.record.event_data)
        for each in kit.effects[seen:]
        if isinstance(each, Save) and isinstance(each.record, Event)
    ]


@pytest.mark.parametrize("seed", range(40))
def test_after_a_long_absence(seed: int) -> None:
    """Nothing is lost, nothing is accepted twice, and what expired meanwhile has expired."""
    random, kit, store = Random(seed), Kit(), Store()
    for step in furnish(random, kit):
        step.apply(kit)
    for _ in range(60):
        step_or_none = STEPS[random.choice(sorted(STEPS))](random, kit)
        if step_or_none is not None:
            _apply(kit, step_or_none)
    store.follow(kit)
    before = copy.deepcopy(store.records)
    kit.now += random.choice((0.0, 5.0, 40.0, 1_000.0))
    other = reborn(kit, store)
    other.advance(0.0)
    accepted: Counter[str] = Counter()
    for sid, reservation in other.workspace.reservations.items():
        old = before.get(sid)
        status = reservation.reservation_status
        if status == "pending":
            assert reservation.expires_at > other.now
        if isinstance(old, Reservation) and old.reservation_status != "pending":
            assert status == old.reservation_status
        elif isinstance(old, Reservation) and status != "pending":
            assert (
                status == "timeout"
                or other.workspace.tasks[reservation.task_sid].record.assignment_status == "canceled"
            )
        accepted[reservation.task_sid] += status in ("accepted", "wrapping")
    assert all(count <= 1 for count in accepted.values())
    for sid, old in before.items():
        if not isinstance(old, Task):
            continue
        task = other.workspace.tasks.get(sid)
        if old.assignment_status in ("assigned", "wrapping"):
            assert task is not None
            assert task.record.assignment_status == old.assignment_status
        elif old.assignment_status in ("completed", "canceled"):
            assert (task is None) == (old.status_since + 300.0 <= other.now)
        else:
            assert (
                task is not None
                or old.date_created + old.timeout + 300.0 <= other.now
                or other.now > kit.now - 1
            )
            if task is not None and task.record.assignment_status in ("pending", "reserved"):
                assert old.date_created + old.timeout > other.now
    store.seen = 0
    store.follow(other)
    assert store.records == state(other)


def test_an_unreachable_worker_is_remembered() -> None:
    """A worker whose phone could not be reached is called again after five seconds, restart or not."""
    from ringback.taskrouter.lifecycle import cancel_reservation
    from ringback.taskrouter.steps import RETRY_AFTER

    kit, store = Kit(template="FIFO"), Store()
    kit.worker("Ann")
    task = kit.task(next(iter(kit.workspace.workflows)))
    kit.advance(1)
    kit.workspace.now = kit.now
    cancel_reservation(kit.workspace, kit.workspace.reservations[kit.offer(task)])
    kit.advance(0)
    kit.update("Task", task, {"priority": 1})
    store.follow(kit)
    assert kit.pending(task) == []
    other = reborn(kit, store)
    other.advance(RETRY_AFTER - 0.1)
    assert other.pending(task) == []
    other.advance(0.2)
    assert other.pending(task) == ["Ann"]


def test_a_task_for_one_worker_waits_on() -> None:
    """Routed to a full worker, then a restart: still theirs, as soon as they are free, and told once."""
    kit, store = Kit(template="FIFO"), Store()
    ann = kit.worker("Ann")
    flow = next(iter(kit.workspace.workflows))
    first = kit.task(flow)
    second = kit.task(flow, None, {"RoutingTarget": ann, "IgnoreCapacity": "false"})
    store.follow(kit)
    other = reborn(kit, store)
    assert other.pending(second) == []
    other.reserve(other.offer(first), "accepted")
    (reservation,) = (each.sid for each in other.workspace.reservations.values())
    other.reserve(reservation, "completed")
    assert other.pending(second) == ["Ann"]
