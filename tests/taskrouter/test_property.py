"""Random workloads: TaskRouter and the slow, obvious router make the same assignments after every event."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringback.effects import Save
from ringback.kernel.errors import Refused
from ringback.resources.taskrouter.event import Event
from ringback.taskrouter.assignment import CHECKS
from ringback.taskrouter.machine import RESERVATION_LIVE
from tests.taskrouter.reference_router import Illegal, Router
from tests.taskrouter.workload import STEPS, Step, furnish
from tests.taskrouter.workspace_kit import Kit

EXAMPLES = int(os.environ.get("RINGBACK_ROUTING_EXAMPLES", "400"))
"""More by hand: thousands take minutes."""

scripts = st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 2**32)), min_size=15, max_size=60)


class Twins:
    """TaskRouter and the reference, side by side."""

    def __init__(self, *, multi: bool) -> None:
        self.kit = Kit(multi_task_enabled=multi)
        workspace = self.kit.workspace
        activities = {
            each.sid: (each.friendly_name, each.available) for each in workspace.activities.values()
        }
        channels = {sid: each.unique_name for sid, each in workspace.channels.items()}
        self.reference = Router(activities, channels, self.kit.activity("Offline"), multi=multi)
        self.reference.now = self.kit.now
        self.made: list[Any] = []
        """TaskRouter's reservation.created events, in order."""

    def step(self, step: Step) -> None:
        """One event at both; then they agree."""
        before, seen = self._line(), len(self.kit.effects)
        sid = step.sid
        if step.noun == "WorkerChannel":
            channel = self.kit.workspace.worker_channels[sid]
            sid = f"{channel.worker_sid}/{channel.task_channel_sid}"
        refused = illegal = False
        try:
            step.apply(self.kit)
        except Refused:
            refused = True
        try:
            if step.noun == "clock":
                self.reference.advance(step.seconds)
            else:
                self.reference.request(step.operation, step.noun, sid, step.values, step.params)
        except Illegal:
            illegal = True
        assert refused == illegal, step
        new = [
            each.record
            for each in self.kit.effects[seen:]
            if isinstance(each, Save)
            and isinstance(each.record, Event)
            and each.record.event_type == "reservation.created"
        ]
        self.made += new
        self._same()
        self._bounds(new)
        if step.noun != "clock":
            self._nobody_was_passed_over(before, new, step.sid)

    def _same(self) -> None:
        ours = [(each.task_sid, each.worker_sid) for each in self.made]
        theirs = [(each.task, each.worker) for each in self.reference.offers]
        assert ours == theirs
        for event, offer in zip(self.made, self.reference.offers, strict=True):
            offer.sid = event.reservation_sid
        workspace, expected = self.kit.workspace, self.reference
        states = {sid: each.reservation_status for sid, each in workspace.reservations.items()}
        assert states == {each.sid: each.status for each in expected.offers if each.task in expected.tasks}
        for sid, task in workspace.tasks.items():
            record, work = task.record, expected.tasks[sid]
            assert (record.assignment_status, record.priority, record.virtual_start_time) == (
                work.status, work.priority, work.start,
            )  # fmt: skip
            if work.worker is None:
                assert record.task_queue_sid == work.queue
            if work.place is not None and work.status in ("pending", "reserved"):
                assert (record.filter_index, record.target_index, record.target_entered) == (
                    *work.place,
                    work.entered,
                )
        assert workspace.tasks.keys() == expected.tasks.keys()
        for sid, agent in workspace.workers.items():
            assert agent.record.activity_sid == expected.people[sid].activity

    def _bounds(self, new: list[Any]) -> None:
        """One accepted reservation a task; never more reservations than capacity when one is created."""
        workspace = self.kit.workspace
        held: Counter[tuple[str, str]] = Counter()
        accepted: Counter[str] = Counter()
        for each in workspace.reservations.values():
            if each.reservation_status in RESERVATION_LIVE:
                held[each.worker_sid, each.task_channel_sid] += 1
            if each.reservation_status in ("accepted", "wrapping"):
                accepted[each.task_sid] += 1
        assert all(count == 1 for count in accepted.values())
        for channel in workspace.worker_channels.values():
            assert channel.assigned_tasks == held[channel.worker_sid, channel.task_channel_sid]
        for event in new:
            reservation = workspace.reservations.get(event.reservation_sid)
            if reservation is None or reservation.reservation_status not in RESERVATION_LIVE:
                continue
            if not workspace.tasks[reservation.task_sid].record.ignore_capacity:
                channel = workspace.workers[reservation.worker_sid].channels[reservation.task_channel_sid]
                assert channel.assigned_tasks <= channel.configured_capacity

    def _line(self) -> dict[str, tuple[Any, ...]]:
        """Every waiting task with all that decides about its place."""
        return {
            sid: (replace(task.record), self.kit.workspace.global_key(task))
            for sid, task in self.kit.workspace.tasks.items()
            if task.waits
        }

    def _nobody_was_passed_over(self, before: dict[str, Any], new: list[Any], subject: str) -> None:
        """Whoever was waiting before and still is comes after what was offered now, or could not be taken by them."""
        workspace = self.kit.workspace
        for event in new:
            task, agent = workspace.tasks.get(event.task_sid), workspace.workers[event.worker_sid]
            reservation = workspace.reservations.get(event.reservation_sid)
            if task is None or task.target is None or reservation is None:
                continue
            if reservation.reservation_status != "pending":
                continue
            order = workspace.queues[task.record.task_queue_sid].record.task_order
            taken = (0 if order == workspace.record.prioritize_queue_order else 1, self._key(task))
            for sid, (record, key) in before.items():
                other = workspace.tasks.get(sid)
                if sid in (subject, event.task_sid) or other is None or not other.waits:
                    continue
                if record != replace(other.record) or key != workspace.global_key(other):
                    continue
                if record.task_channel_sid != task.record.task_channel_sid or key > taken:
                    continue
                queue = workspace.queues[record.task_queue_sid]
                asked = (queue.expression, other.target.expression if other.target is not None else None)
                if any(each is not None and each.reads_channels for each in asked):
                    continue  # they were another worker to it before the offer: the reference looks at that
                rules = [rule for name, _, rule in CHECKS if name not in ("no_capacity", "holds_a_task")]
                assert not all(rule(workspace, queue, other, agent) for rule in rules), (sid, event.task_sid)

    def _key(self, task: Any) -> tuple[Any, ...]:
        record = task.record
        if self.kit.workspace.queues[record.task_queue_sid].record.task_order == "LIFO":
            return (-record.virtual_start_time, -record.date_created, record.sid)
        return (-record.priority, record.virtual_start_time, record.date_created, record.sid)


@settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck),
    derandomize="RINGBACK_ROUTING_EXAMPLES" not in os.environ,
)  # fmt: skip
@given(start=st.integers(0, 2**32), multi=st.sampled_from((True, True, True, False)), script=scripts)
def test_same_assignments_as_the_reference(start: int, multi: bool, script: list[tuple[str, int]]) -> None:
    """Show no. 1 of the issue."""
    twins = Twins(multi=multi)
    for step in furnish(Random(start), twins.kit):
        twins.step(step)
    for name, seed in script:
        step_or_none = STEPS[name](Random(seed), twins.kit)
        if step_or_none is not None:
            twins.step(step_or_none)


def test_the_reference_can_disagree(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison notices a workspace that breaks a rule: here it forgets that nobody is asked twice in a round."""
    rules = tuple(rule for rule in CHECKS if rule[0] != "already_asked")
    monkeypatch.setattr("ringback.taskrouter.assignment.CHECKS", rules)
    with pytest.raises(AssertionError):
        _two_hundred()


def _two_hundred() -> None:
    for seed in range(200):
        random, twins = Random(seed), Twins(multi=True)
        for step in furnish(random, twins.kit):
            twins.step(step)
        for _ in range(60):
            made = STEPS[random.choice(sorted(STEPS))](random, twins.kit)
            if made is not None:
                twins.step(made)
